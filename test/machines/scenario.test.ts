/** Scenario files: every key has a default, quantities carry their units, mistakes are told with line, column and what was meant. */
import { readFileSync, writeFileSync } from 'node:fs'
import { Schema } from 'effect'
import { describe, expect, it } from 'vitest'
import { decodeYaml, formatProblems } from '../../core/live/yaml-schema.js'
import { explain } from '../../loadgen/explain.js'
import { scenarioToYaml } from '../../loadgen/live/scenario-file.js'
import { REFERENCE_SCENARIO, scaledDown } from '../../loadgen/reference-scenario.js'
import { scenarioJsonSchema } from '../../loadgen/scenario-json-schema.js'
import { CheckedScenario, brokenRules } from '../../loadgen/scenario-rules.js'
import { scenarioTemplate } from '../../loadgen/scenario-template.js'
import { DEFAULT_SCENARIO, encodeScenario, type Scenario } from '../../loadgen/scenario.js'

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
  it('lasts half a minute with every row of the traffic set and a panel of independent terminals', () => {
    expect(REFERENCE_SCENARIO.load.warmUp + REFERENCE_SCENARIO.load.duration).toBe(30_000_000)
    expect(Object.values(REFERENCE_SCENARIO.traffic).every(({ share }) => share > 0)).toBe(true)
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
  const pools = { online: 1_000, fanOut: 1_000, gruu: 1_000, offlineReturns: 100, expires: 100 }

  it('are told where they are not as by default, and need certificates where they are TLS', () => {
    const { lines } = explain(value('{ population: { roaming: { visited1.example: 10%, visited2.example: 5% }, aka: 20% }, terminals: { ownConnections: 30% }, ims: { timers: radio } }'), pools, 2_000)
    const text = lines.join('\n')
    for (const words of ['10% of them in visited1.example', '5% of them in visited2.example', '20% of them authenticated by AKAv1-MD5', '30% of the devices register by RFC 5626', 'after 128 s']) expect(text).toContain(words)
    expect(explain(value('{}'), pools, 2_000).lines.join('\n')).not.toMatch(/visited|AKA|5626|128 s/)
    const paths = (text: string): string[] => problems(text).split('\n').map((line) => /^x\.yaml:\d+:\d+ ([\w.]+):/.exec(line)?.[1] ?? line)
    expect(paths('{ terminals: { transport: tls }, gateway: { transport: tls }, ims: { transport: tls, mode: split } }')).toEqual(['terminals.transport', 'gateway.transport', 'ims.transport'])
    expect(paths('{ ims: { transport: tls }, tls: { certificate: a, key: b, authorities: c } }')).toEqual(['ims.transport'])
    expect(paths('{ population: { roaming: { a.example: 60%, b.example: 60% } } }')).toEqual(['population.roaming'])
  })
})

describe('the explanation', () => {
  it('says what a run will do, and warns where recipients are so few that pushes wait for one another', () => {
    const pools = { online: 1_000, fanOut: 5, gruu: 100, offlineReturns: 100, expires: 100 }
    const { attempts, lines, warnings } = explain(DEFAULT_SCENARIO, pools, 3_000)
    expect(attempts).toBe(6_000)
    expect(lines.join('\n')).toContain('6,000 attempts in 30.0 s')
    expect(lines.every((line) => line.length <= 88)).toBe(true)
    expect(warnings).toEqual([expect.stringContaining('traffic.fanOut aims 40 pushes/s at 5 recipients')])
  })
})
