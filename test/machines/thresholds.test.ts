/** Promises and abort rules as expressions: what they mean, what is wrong with them and where, and what becomes of them. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Schema } from 'effect'
import { decodeYaml, formatProblems } from '../../core/live/yaml-schema.js'
import { METRICS } from '../../loadgen/metrics.js'
import { Scenario } from '../../loadgen/scenario.js'
import { CheckedScenario } from '../../loadgen/scenario-rules.js'
import { AbortRules, LIVE_FIGURES, type Course } from '../../loadgen/thresholds/abort.js'
import { parseExpression } from '../../loadgen/thresholds/expression.js'
import { judgedThresholds, RECORD_FIGURES } from '../../loadgen/thresholds/judge.js'
import { thresholdText } from '../../reports/format.js'
import { sampleRecord } from '../reports/sample-record.js'

const wrong = (text: string, figures = RECORD_FIGURES): [number, string] => {
  const parsed = parseExpression(text, figures)
  return parsed.ok ? [0, 'nothing is wrong'] : [parsed.at, parsed.message]
}
const texts = (expressions: readonly string[]): string[] => judgedThresholds(expressions, sampleRecord()).map((row) => `${row.passed ? 'kept' : 'broken'} ${thresholdText(row)}`)

describe('a threshold', () => {
  it('is read in the units people write, and told in them', () => {
    expect(texts(['endToEnd.p99 < 50ms', 'endToEnd.p99 <= 14800us', 'endToEnd.p99 < 0.0148 s', 'online.inadequatelyHandled <= 0.1%', 'ratio(delivered, accepted) > 99.5%', 'throughput.delivered >= 12000/min', 'parts.gateway.memory < 128 MiB', 'duplicated <= 0'])).toEqual([
      'kept endToEnd.p99 < 50ms: 14.8 ms, less than 50 ms are wanted', 'kept endToEnd.p99 <= 14800us: 14800 us, at most 14800 us are allowed', 'broken endToEnd.p99 < 0.0148 s: 0.0148 s, less than 0.0148 s are wanted',
      'kept online.inadequatelyHandled <= 0.1%: 0.0238095 %, at most 0.1 % are allowed', 'broken ratio(delivered, accepted) > 99.5%: 99.1597 %, more than 99.5 % are wanted',
      'broken throughput.delivered >= 12000/min: 11802 /min, at least 12000 /min are wanted', 'broken parts.gateway.memory < 128 MiB: 171.661 MiB, less than 128 MiB are wanted', 'kept duplicated <= 0: 0, at most 0 are allowed',
    ])
  })

  it('of what was not measured is broken, not kept', () => {
    expect(texts(['parts.gateway.cpuPerPush < 150us', 'ratio(lost, duplicated) < 1%'])).toEqual([
      'broken parts.gateway.cpuPerPush < 150us: not measured, less than 150 us are wanted', 'broken ratio(lost, duplicated) < 1%: not measured, less than 1 % are wanted',
    ])
  })

  it('that is wrong is told with its place and what would be right', () => {
    expect(wrong('endtoend.p99 < 50ms')).toEqual([1, 'there is no figure "endtoend.p99"; did you mean "endToEnd.p99"?'])
    expect(wrong('endToEnd.p99 < 50')).toEqual([16, '"50" is not a time: write a number and a unit (us, ms, s, m, h, µs, sec, min), such as 50ms'])
    expect(wrong('endToEnd.p99 = 50ms')).toEqual([14, 'write <, <=, > or >= here, not "="'])
    expect(wrong('endToEnd.p99')).toEqual([13, 'the expression ends too early: <, <=, > or >= is missing'])
    expect(wrong('endToEnd.p99 <')).toEqual([15, 'the expression ends too early: a time, such as 50ms is missing'])
    expect(wrong('lost < 1 and duplicated < 1')).toEqual([10, 'the expression is over before "and"; write one comparison in each'])
    expect(wrong('ratio(delivered accepted) > 99%')).toEqual([17, '"," is expected here, not "accepted"'])
    expect(wrong('ratio(delivered, endToEnd.p50) > 99%')[1]).toBe('a ratio is of two figures of one unit: "delivered" is a number, "endToEnd.p50" is a time')
    expect(wrong('50ms > endToEnd.p99')[1]).toBe('a figure is expected here, such as endToEnd.p99, not "50ms"')
    expect(wrong('lost < 5 pushes')).toEqual([10, 'the expression is over before "pushes"; write one comparison in each'])
    expect(wrong('lost < 5ms')).toEqual([8, '"5ms" is not a number: write a number, such as 10'])
    expect(wrong('')).toEqual([1, 'the expression ends too early: a figure, such as endToEnd.p99 is missing'])
  })

  it('never breaks its reader, whatever the text', () => {
    fc.assert(fc.property(fc.oneof(fc.string({ maxLength: 250 }), fc.array(fc.constantFrom('ratio', '(', ')', ',', '<', '<=', 'lost', 'endToEnd.p99', '5', '5ms', '%', ' ', '.')).map((words) => words.join(''))), (text) => {
      const parsed = parseExpression(text, RECORD_FIGURES)
      if (!parsed.ok) expect(parsed.at >= 1 && parsed.at <= text.length + 1).toBe(true)
      else expect(Number.isFinite(parsed.expression.limit)).toBe(true)
    }), { numRuns: 2_000 })
  })

  it('may speak of every figure there is', () => {
    const units = { micros: '1ms', share: '1%', perSecond: '1/s', octets: '1KiB', count: '1' }
    expect([...METRICS.values()].filter(({ name, unit }) => !parseExpression(`${name} <= ${units[unit]}`, RECORD_FIGURES).ok)).toEqual([])
  })
})

describe('a scenario', () => {
  it('with a wrong threshold or rule is refused with the line', () => {
    const decoded = decodeYaml(CheckedScenario, 'thresholds:\n  - endToEnd.p99 < 50ms\n  - endToEnd.q99 < 50ms\nabortWhen:\n  - endToEnd.p99 > 1s\n', 'a.yaml')
    expect(decoded.ok ? '' : formatProblems(decoded.problems)).toBe([
      'a.yaml:3:5 thresholds.1: character 1: there is no figure "endToEnd.q99"; did you mean "endToEnd.p99"?',
      'a.yaml:5:5 abortWhen.0: character 1: there is no figure "endToEnd.p99" while a run is under way',
    ].join('\n'))
  })

  it('cannot promise anything about traffic it does not make', () => {
    const decoded = decodeYaml(CheckedScenario, 'thresholds: ["misbehaving.p99 < 1s"]\n', 'a.yaml')
    expect(decoded.ok ? '' : formatProblems(decoded.problems)).toContain('traffic.misbehaving has no share')
  })

  it('keeps its promises through YAML and back', () => {
    const scenario = Schema.decodeUnknownSync(Scenario)({ thresholds: ['lost < 1'], abortWhen: ['refused > 100'], abortAfter: '3s' })
    expect(Schema.decodeUnknownSync(Scenario)(Schema.encodeSync(Scenario)(scenario))).toEqual(scenario)
  })
})

const course = (changes: Partial<Course>): Course => ({
  phase: 'load', elapsedSeconds: 0, planned: 0, sent: 0, accepted: 0, refused: 0, unanswered: 0, dropped: 0, delivered: 0, otherOutcomes: 0, inFlight: 0, waiting: 0, submitP50Us: 0, submitP99Us: 0, submitMaxUs: 0, ...changes,
})

describe('an abort rule', () => {
  it('ends the load when it comes true, after the time of grace, and is told as a crossed threshold', () => {
    const rules = new AbortRules(['refused > 100', 'submit.p99 > 2s'], 5)
    expect(rules.look(course({ phase: 'warm-up', elapsedSeconds: 4.9, refused: 500 }))).toBeUndefined()
    expect(rules.look(course({ phase: 'load', elapsedSeconds: 0.5, refused: 99 }))).toBeUndefined()
    expect(rules.look(course({ phase: 'load', elapsedSeconds: 0.75, submitP99Us: 2_500_000 }))).toBeUndefined()
    // Looked at once a second: what passes between is not seen.
    expect(rules.look(course({ phase: 'load', elapsedSeconds: 1.5, submitP99Us: 2_500_000 }))).toBe('abortWhen submit.p99 > 2s: 2.5s after 6 s of load')
    expect(rules.crossed).toEqual({ name: 'abortWhen submit.p99 > 2s', measured: 2.5, limit: 2, unit: 's', passed: false, comparison: '<=' })
    expect(rules.look(course({ phase: 'load', elapsedSeconds: 3, refused: 500 }))).toBeUndefined()
  })

  it('does not look before the load and after it', () => {
    const rules = new AbortRules(['refused > 100'], 0)
    for (const phase of ['start', 'register', 'drain', 'report']) expect(rules.look(course({ phase, elapsedSeconds: 100, refused: 500 }))).toBeUndefined()
    expect(rules.look(course({ phase: 'warm-up', elapsedSeconds: 1, refused: 500 }))).toContain('refused > 100')
  })

  it('speaks of ratios too, and of none as long as nothing lies under them', () => {
    const rules = new AbortRules(['ratio(refused, sent) > 10%'], 0)
    expect(rules.look(course({ elapsedSeconds: 1 }))).toBeUndefined()
    expect(rules.look(course({ elapsedSeconds: 2, sent: 100, refused: 11 }))).toBe('abortWhen ratio(refused, sent) > 10%: 11% after 2 s of load')
    expect(LIVE_FIGURES.names.every((name) => LIVE_FIGURES.unitOf(name) !== undefined)).toBe(true)
  })
})
