/** Scenario and configuration files, whatever stands in them: told with line and column or taken, never thrown, never slow, and no mistake shown as a stack. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { GatewayConfig } from '../../core/live/config.js'
import { decodeYaml, formatProblems } from '../../core/live/yaml-schema.js'
import { scenarioTemplate } from '../../loadgen/scenario-template.js'
import { CheckedScenario } from '../../loadgen/scenario-rules.js'
import { damaged, noise } from './octets.js'

const TEMPLATE = scenarioTemplate('schema.json', 'mine')
const SEED = 5
const RUNS = 400
/** Of processor time, not of the clock, and generous: what is looked for, in the YAML reader too, is what grows with the square of the file. */
const CPU_MICROS_MAX = 2_000_000

const text = fc.oneof(
  damaged([TEMPLATE, 'load: { rate: 5/s, duration: 1m }\npopulation: { devicesPerSubscriber: { 1: 50%, 2: 50% } }\n']).map((octets) => octets.toString('utf8')),
  noise.map((octets) => octets.toString('utf8')),
  fc.json(),
)

const HORRORS: Readonly<Record<string, string>> = {
  'aliases that expand a thousandfold thousandfold': `a: &a [x,x,x,x,x,x,x,x,x,x]\n${'bcdefghij'.split('').map((name, index) => `${name}: &${name} [${`*${'abcdefghij'[index]},`.repeat(9)}*${'abcdefghij'[index]}]`).join('\n')}`,
  'an alias of itself': 'load: &l { rate: *l }',
  'a mapping nested deeply': `${'{a: '.repeat(5_000)}1${'}'.repeat(5_000)}`,
  'a mapping nested hundreds of levels deep': `${'{a: '.repeat(700)}1${'}'.repeat(700)}`,
  'a sequence nested deeply': '['.repeat(20_000),
  'a sequence nested deeply without brackets': '- '.repeat(3_000),
  'the same key twice': 'name: a\nname: b',
  'keys of every object': '__proto__: { rate: 5/s }\nconstructor: 1\ntoString: 2',
  'a tag that would run code': 'name: !!js/function "function(){}"',
  'several documents': 'name: a\n---\nname: b',
  'numbers without end': `seed: ${'9'.repeat(5_000)}`,
  'a very long line': `name: ${'x'.repeat(500_000)}`,
  'NUL': 'name: "a\\0b"',
  'a number that is none': 'load: { rate: .nan }',
  'nothing but a scalar': '"load"',
  'a list': '- load',
}

function judged(source: string): string {
  const before = process.cpuUsage()
  const decoded = decodeYaml(CheckedScenario, source, 'x.yaml')
  const { user, system } = process.cpuUsage(before)
  expect(user + system).toBeLessThan(CPU_MICROS_MAX)
  return decoded.ok ? '' : formatProblems(decoded.problems)
}

describe('a hostile scenario file', () => {
  it('is taken or told with line and column, never thrown', () => {
    fc.assert(fc.property(text, (source) => {
      const told = judged(source)
      if (told !== '') for (const line of told.split('\n')) expect(line).toMatch(/^x\.yaml:\d+:\d+ /)
    }), { seed: SEED, numRuns: RUNS })
  })

  it.each(Object.keys(HORRORS))('is refused for %s', (name) => {
    const told = judged(HORRORS[name]!)
    expect(told).toMatch(/^x\.yaml:\d+:\d+ /)
    expect(told.length).toBeLessThan(20_000)
    expect(({} as { rate?: unknown }).rate).toBeUndefined()
  })

  it('and so is a gateway configuration', () => {
    fc.assert(fc.property(damaged(['pap: { listen: 127.0.0.1:0, bodyMax: 1 MiB }\nsip: { listen: 127.0.0.1:0, nextHops: [tcp:127.0.0.1:5060] }\naddresses: { rules: [{ type: USER, pattern: "*", uri: sip:*@x.example }] }\n']), (octets) => {
      const decoded = decodeYaml(GatewayConfig, octets.toString('utf8'), 'g.yaml')
      if (!decoded.ok) expect(formatProblems(decoded.problems)).toMatch(/^g\.yaml:\d+:\d+ /)
    }), { seed: SEED, numRuns: RUNS })
  })
})
