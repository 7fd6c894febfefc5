/** Scenario files: every key has a default, quantities carry their units, mistakes are told with line, column and what was meant. */
import { readFileSync, writeFileSync } from 'node:fs'
import { Schema } from 'effect'
import { describe, expect, it } from 'vitest'
import { decodeYaml, formatProblems } from '../../core/live/yaml-schema.js'
import { explanation } from '../../loadgen/explain.js'
import { feasibilityOf, type Feasibility, type Pools } from '../../loadgen/feasibility.js'
import { scenarioToYaml } from '../../loadgen/live/scenario-file.js'
import { REFERENCE_SCENARIO, scaledDown } from '../../loadgen/reference-scenario.js'
import { scenarioJsonSchema } from '../../loadgen/scenario-json-schema.js'
import { CheckedScenario, brokenRules } from '../../loadgen/scenario-rules.js'
import { scenarioTemplate } from '../../loadgen/scenario-template.js'
import { DEFAULT_SCENARIO, encodeScenario, type Scenario } from '../../loadgen/scenario.js'
import { scenarioReference } from './scenario-reference.js'

/** The explanation on a machine without limits. */
function explain(scenario: Scenario, pools: Pools, devices: number): { needs: Feasibility; lines: readonly string[]; warnings: readonly string[] } {
  const machine = { cores: 2, memoryBytes: undefined, diskBytes: undefined, openFiles: undefined, ports: undefined }
  const needs = feasibilityOf(scenario, pools, devices, machine, undefined)
  return { needs, lines: explanation(scenario, needs, machine), warnings: needs.warnings.map(({ path, message }) => `${path} ${message}`) }
}

/** Bad peers of one kind, and pushes to them. */
const BAD = (how: string): string => `population: { misbehaving: { ${how}: 5% } }\ntraffic: { online: { share: 90% }, misbehaving: { share: 10% } }`

const read = (text: string) => decodeYaml(CheckedScenario, text, 'x.yaml')
const problems = (text: string): string => {
  const decoded = read(text)
  return decoded.ok ? '' : formatProblems(decoded.problems)
}
const value = (text: string): Scenario => {
  const decoded = read(text)
  if (!decoded.ok) throw new Error(formatProblems(decoded.problems))
  return decoded.value
}

describe('a scenario file', () => {
  it('may be empty: every key has a default, and the defaults keep all rules', () => {
    expect(value('')).toEqual(DEFAULT_SCENARIO)
    expect(brokenRules(DEFAULT_SCENARIO)).toEqual([])
  })

  it('takes quantities with their units', () => {
    const { load, push } = value('load: { rate: 6000/min, duration: 1.5m, warmUp: 500ms }\npush: { size: 1 KiB }')
    expect(load).toMatchObject({ rate: 100, duration: 90_000_000, warmUp: 500_000 })
    expect(push.size).toBe(1_024)
  })

  it('gives a row of the traffic set that is not named no share', () => {
    const { traffic } = value('traffic: { online: { share: 100% } }')
    expect(traffic.online.share).toBe(1)
    expect(traffic.duplicate.share).toBe(0)
  })

  it.each([
    ['an unknown key', 'load:\n  rte: 5/s', 'x.yaml:2:3 load.rte: "rte" is not known here; did you mean "rate"?'],
    ['a number without a unit', 'load:\n  rate: 200', 'x.yaml:2:9 load.rate'],
    ['a unit that is none', 'load:\n  duration: 30 parsecs', 'x.yaml:2:13 load.duration: "30 parsecs" is no duration: write a number and a unit, such as "500ms" or "30s"'],
    ['shares that do not add up', 'traffic:\n  online: { share: 60% }\n  gruu: { share: 30% }', 'the shares add up to 90% (online 60% + gruu 30%); they must add up to 100%'],
    ['a share above the whole', 'traffic:\n  online: { share: 160% }', 'x.yaml:2:20 traffic.online.share: 160% is more than 100%'],
    ['a row without anybody to aim at', 'population:\n  absent: 0%', 'x.yaml:2:11 population.absent: traffic.expires has a share, but there are no absent subscribers'],
    ['more attempts than a run can hold', 'load:\n  rate: 100000/s\n  duration: 1h', 'x.yaml:3:13 load.duration: 360500000 attempts are more than the 20000000 one run can hold'],
    ['broken YAML', 'load: [', 'x.yaml:1:'],
    ['content too large for the binding', 'push:\n  size: 1 MiB\n  binding: message', 'x.yaml:2:9 push.size: more than 60000 octets do not fit a MESSAGE; push.binding auto'],
    ['a subscription nobody holds', 'push:\n  binding: event', 'x.yaml:2:12 push.binding: event mode needs devices that subscribe; give population.subscribing a share'],
    ['a bad peer of no kind', 'population:\n  misbehaving: { never-answer: 5% }', 'x.yaml:2:18 population.misbehaving.never-answer: "never-answer" is not known here; did you mean "never-answers"?'],
    ['bad peers that nobody is', 'population:\n  subscribers: 100\n  misbehaving: { answers-twice: 0.5% }', 'x.yaml:3:33 population.misbehaving.answers-twice: 0.5% of 100 subscribers is nobody'],
    ['pushes to bad peers that are not there', 'traffic:\n  online: { share: 90% }\n  misbehaving: { share: 10% }', 'traffic.misbehaving has a share, but there are no bad peers'],
    ['a drain too short for a silent peer', `load: { drainMax: 30s }\n${BAD('never-answers')}`, 'x.yaml:1:19 load.drainMax: a push to a peer of the kind never-answers may be under way for 48s: give at least that'],
    ['a drain too short for one that rings', `push: { binding: session }\n${BAD('never-answers')}`, 'load.drainMax: a push to a peer of the kind never-answers may be under way for 110s'],
    ['a life too short for a late answer', `load: { drainMax: 1m }\n${BAD('answers-late').replace('share: 10%', 'share: 10%, lifetime: 6s')}`, 'who answers-late does so after 5s'],
    ['pieces for devices that need none', 'gateway:\n  segment: 140B', 'x.yaml:2:12 gateway.segment: only devices that take MESSAGE and nothing else get content in pieces; give population.messageOnly a share'],
    ['more pieces than a device keeps', 'gateway:\n  segment: 1B\npopulation: { messageOnly: 10% }', 'x.yaml:2:12 gateway.segment: 300 octets are more than the 250 pieces a terminal puts together'],
    ['content too large for any', 'push:\n  size: 200 MiB', 'x.yaml:2:9 push.size: the gateway takes at most 100 MiB of content'],
    ['a name that is no folder name', 'name: ../evil', 'x.yaml:1:7 name: a name is lower-case letters, digits and hyphens'],
  ])('tells %s with line, column and what would be right', (_what, text, told) => {
    expect(problems(text)).toContain(told)
  })

  it('comes back from the YAML kept with a run as it went in, seed included', () => {
    const scenario = value('seed: 42\nload: { rate: 7/s, duration: 1500ms }\npopulation: { devicesPerSubscriber: { 1: 50%, 4: 50% } }')
    expect(value(scenarioToYaml(scenario))).toEqual(scenario)
  })

  it('starts from a template that is valid, has every key and every default', () => {
    expect(value(scenarioTemplate('schema.json', 'mine'))).toEqual({ ...DEFAULT_SCENARIO, name: 'mine' })
    expect(scenarioTemplate('schema.json', 'mine').split('\n')[0]).toBe('# yaml-language-server: $schema=schema.json')
  })

  it('has the published JSON Schema (docs/scenario.schema.json; UPDATE_DOCS=1 writes it)', () => {
    const published = new URL('../../docs/scenario.schema.json', import.meta.url)
    const text = `${JSON.stringify(scenarioJsonSchema(), undefined, 2)}\n`
    if (process.env['UPDATE_DOCS'] === '1') writeFileSync(published, text)
    expect(readFileSync(published, 'utf8')).toBe(text)
  })
})

describe('the reference scenario', () => {
  it('lasts half a minute with every row of the traffic set for good peers and a panel of independent terminals', () => {
    expect(REFERENCE_SCENARIO.load.warmUp + REFERENCE_SCENARIO.load.duration).toBe(30_000_000)
    expect(Object.entries(REFERENCE_SCENARIO.traffic).filter(([, { share }]) => share === 0).map(([row]) => row)).toEqual(['anyone', 'misbehaving'])
    expect(REFERENCE_SCENARIO.terminals.reference).toBe(20)
    expect(Schema.decodeSync(CheckedScenario)(encodeScenario(REFERENCE_SCENARIO))).toEqual(REFERENCE_SCENARIO)
  })

  it('is scaled down with a note on a machine much slower than the one it was made for, and on no other', () => {
    expect(scaledDown(REFERENCE_SCENARIO, 1.5)).toEqual({ scenario: REFERENCE_SCENARIO, note: undefined })
    const { scenario, note } = scaledDown(REFERENCE_SCENARIO, 20)
    expect(scenario.load.rate).toBe(40)
    expect(note).toContain('40/s instead of 200/s')
  })
})

describe('the ways into the network', () => {
  const pools = { online: 1_000, fanOut: 1_000, gruu: 1_000, offlineReturns: 100, expires: 100, anyone: 1_000, misbehaving: 0 }

  it('are told where they are not as by default, and need certificates where they are TLS', () => {
    const { lines } = explain(value('{ population: { roaming: { visited1.example: 10%, visited2.example: 5% }, aka: 20% }, terminals: { ownConnections: 30% }, ims: { timers: radio } }'), pools, 2_000)
    const text = lines.join('\n')
    for (const words of ['10% of them in visited1.example', '5% of them in visited2.example', '20% of them authenticated by AKAv1-MD5', '30% of the devices register by RFC 5626', 'after 128 s']) expect(text).toContain(words)
    expect(explain(value('{}'), pools, 2_000).lines.join('\n')).not.toMatch(/visited|AKA|5626|128 s/)
    const paths = (text: string): string[] => problems(text).split('\n').map((line) => /^x\.yaml:\d+:\d+ ([\w.]+):/.exec(line)?.[1] ?? line)
    expect(paths('{ terminals: { transport: tls }, gateway: { transport: tls }, ims: { transport: tls, mode: split } }')).toEqual(['terminals.transport', 'gateway.transport', 'ims.transport'])
    expect(paths('{ ims: { transport: tls }, tls: { certificate: a, key: b, authorities: c } }')).toEqual(['ims.transport'])
    expect(explain(value('{ tls: { certificate: a, key: b, authorities: c } }'), pools, 2_000).lines.join('\n')).toContain('sessions over TLS (msrps)')
    expect(paths('{ population: { roaming: { a.example: 60%, b.example: 60% } } }')).toEqual(['population.roaming'])
  })
})

describe('the explanation', () => {
  it('says what a run will do, and warns where recipients are so few that pushes wait for one another', () => {
    const pools = { online: 1_000, fanOut: 5, gruu: 100, offlineReturns: 100, expires: 100, anyone: 1_000, misbehaving: 0 }
    const { needs, lines, warnings } = explain(DEFAULT_SCENARIO, pools, 3_000)
    expect(needs.attempts).toBe(6_000)
    expect(lines.join('\n')).toContain('6,000 attempts in 30.0 s')
    expect(lines.every((line) => line.length <= 88)).toBe(true)
    expect(warnings).toEqual([expect.stringContaining('traffic.fanOut aims 40 pushes/s at 5 recipients')])
  })
  it('tells which devices are bad peers, and which get their content in pieces', () => {
    const text = `load: { drainMax: 2m }\ngateway: { segment: 140B }\npopulation: { messageOnly: 20%, misbehaving: { never-answers: 1%, answers-late: 2% } }\ntraffic: { online: { share: 50% }, misbehaving: { share: 50% } }`
    const { lines, warnings } = explain(value(text), { online: 1_000, fanOut: 0, gruu: 0, offlineReturns: 0, expires: 0, anyone: 0, misbehaving: 60 }, 2_000)
    for (const words of ['1% of the subscribers have a bad peer: never-answers', '20% of the devices take MESSAGE and nothing else', 'at least 3 pieces']) expect(lines.join('\n')).toContain(words)
    // Who answers after 5 s keeps the next push waiting.
    expect(warnings).toEqual([expect.stringContaining('traffic.misbehaving aims 100 pushes/s at 60 recipients')])
  })
})

describe('the reference of scenario keys', () => {
  it('is what the schema says (docs/scenario-keys.md; UPDATE_DOCS=1 writes it)', () => {
    const published = new URL('../../docs/scenario-keys.md', import.meta.url)
    const text = scenarioReference()
    if (process.env['UPDATE_DOCS'] === '1') writeFileSync(published, text)
    expect(readFileSync(published, 'utf8')).toBe(text)
  })
})
