/** Comparing two sets of runs: chance alone is not called a change, a slowdown is found, and what cannot be told is told so. */
import { describe, expect, it } from 'vitest'
import { Schema } from 'effect'
import { SeededEntropy } from '../../core/kit/entropy.js'
import { ComparisonAnswer } from '../../reports/answers/comparison.js'
import type { RunRecord } from '../../reports/record.js'
import { compare, USUAL_METRICS, type CompareOptions } from '../../loadgen/compare/compare.js'
import { differencesOf, differenceText, forbidding } from '../../loadgen/compare/differences.js'
import type { ReadRun, Side } from '../../loadgen/compare/sides.js'
import { comparisonLines, comparisonMarkdown } from '../../loadgen/compare/summary.js'
import { ComparisonTrials } from '../../loadgen/compare/trials.js'
import { METRICS } from '../../loadgen/metrics.js'
import { DEFAULT_SCENARIO } from '../../loadgen/scenario.js'
import { sampleRecord } from '../reports/sample-record.js'

/** Normal by twelve uniforms. */
function normal(entropy: SeededEntropy): number {
  let sum = -6
  for (let draw = 0; draw < 12; draw++) sum += entropy.unit()
  return sum
}

const stage = (micros: number) => ({ count: 6000, p50Us: Math.round(micros), p90Us: Math.round(2 * micros), p99Us: Math.round(4 * micros), p999Us: Math.round(9 * micros), maxUs: Math.round(20 * micros) })

/** A trial on a machine with moods: all of it is slower or faster by some per cent, and each figure by some more of its own. */
function trial(entropy: SeededEntropy, slowdown: number, deviation = 0.06): ReadRun {
  const mood = Math.exp(deviation * normal(entropy))
  const own = (): number => mood * Math.exp(deviation * normal(entropy))
  const late = [0, 0, 1, 2][Math.floor(entropy.unit() * 4)]!
  const record = sampleRecord({
    stages: { submit: stage(1_900 * own()), endToEnd: stage(3_700 * own() * slowdown), confirmation: stage(4_600 * own() * slowdown), notification: stage(6_100 * own() * slowdown) },
    scenarios: [{ name: 'online', attempts: 4200, asExpected: 4200 - late, inadequatelyHandled: late, stage: 'endToEnd', limitUs: 500_000 }],
    throughput: { offeredPerSecond: 200, sentPerSecond: 200, acceptedPerSecond: 198, deliveredPerSecond: 196 * Math.exp(0.01 * normal(entropy)) },
    parts: { gateway: { cpuSeconds: 4, rssBytesMax: Math.round(180e6 * Math.exp(0.03 * normal(entropy))), loopUtilisationMax: 0.2 } },
    work: { gateway: { seconds: 30, cpuSeconds: 0.9 * own() * slowdown, counts: { accepted: 6000 } } },
  })
  return { file: `trial-${Math.floor(entropy.unit() * 1e9)}/run.json`, record, scenario: new Map([['load.rate', '200/s']]) }
}

function side(name: string, runs: readonly ReadRun[]): Side {
  return { name, runs }
}

function trials(seed: number, count: number, slowdown = 1, deviation?: number): ReadRun[] {
  const entropy = new SeededEntropy(seed, `trials ${slowdown}`)
  return Array.from({ length: count }, () => trial(entropy, slowdown, deviation))
}

function comparison(a: readonly ReadRun[], b: readonly ReadRun[], changes: Partial<CompareOptions> = {}): ComparisonAnswer {
  return compare({ a: side('A', a), b: side('B', b), plan: 'apart', metrics: undefined, margin: 0.05, resamples: 200, command: 'pushbench compare A B', ...changes })!
}

const verdictOf = (answer: ComparisonAnswer, name: string): string | undefined => answer.metrics.find((metric) => metric.name === name)?.verdict
const changed = (run: ReadRun, changes: Partial<RunRecord>): ReadRun => ({ ...run, record: { ...run.record, ...changes } })

/** Five metrics: enough for Holm's correction to matter. */
const SOME = ['endToEnd.p99', 'submit.p99', 'inadequatelyHandled', 'parts.gateway.cpuPerPush', 'parts.gateway.memory']

function isCalledChange(seed: number, plan: CompareOptions['plan']): boolean {
  const all = trials(seed, 20)
  return comparison(all.slice(0, 10), all.slice(10), { plan, metrics: SOME, resamples: 100 }).metrics.some(({ verdict }) => verdict === 'better' || verdict === 'worse')
}

describe('a comparison', () => {
  const EACH = 200
  const CHUNKS = [0, 1, 2, 3, 4]
  let calledChange = 0
  it.each(CHUNKS)('of a scenario with itself over 10 trials a side seldom calls chance a change (seeds from %i × 200)', { timeout: 60_000 }, (chunk) => {
    for (let seed = chunk * EACH + 1; seed <= (chunk + 1) * EACH; seed++) if (isCalledChange(seed, 'apart')) calledChange++
  })

  it('of a scenario with itself is called a change in at most 5 % of those 1,000 seeds', () => {
    expect(calledChange).toBeLessThanOrEqual(50)
    // A test that could find nothing at all would pass as well.
    expect(calledChange).toBeGreaterThan(0)
  })

  it('of a scenario with itself, in pairs, is called a change in at most 5 % of 100 seeds', { timeout: 60_000 }, () => {
    let called = 0
    for (let seed = 1; seed <= 100; seed++) if (isCalledChange(seed, 'pairs')) called++
    expect(called).toBeLessThanOrEqual(5)
  })

  it('finds a slowdown of 10 % in 10 trials a side, and does not find it where there is none', { timeout: 60_000 }, () => {
    let found = 0
    for (let seed = 1; seed <= 30; seed++) {
      const answer = comparison(trials(seed, 10, 1, 0.02), trials(seed, 10, 1.1, 0.02))
      if (answer.verdict === 'worse' && verdictOf(answer, 'parts.gateway.cpuPerPush') === 'worse' && verdictOf(answer, 'endToEnd.p99') === 'worse') found++
      expect(['same', 'inconclusive']).toContain(verdictOf(answer, 'throughput.delivered'))
    }
    expect(found).toBe(30)
    const faster = comparison(trials(1, 10, 1.1, 0.02), trials(1, 10, 1, 0.02))
    expect(verdictOf(faster, 'endToEnd.p99')).toBe('better')
    expect(faster.metrics.find(({ name }) => name === 'endToEnd.p99')!.ratio!.estimate).toBeLessThan(0.95)
  })

  it('says "same" only when the whole interval lies within the margin, and otherwise how many more trials would tell', () => {
    const quiet = comparison(trials(1, 10, 1, 0.005), trials(2, 10, 1, 0.005), { metrics: ['endToEnd.p50'] })
    expect(quiet.metrics[0]).toMatchObject({ verdict: 'same' })
    expect(quiet.verdict).toBe('same')
    const { low, high } = quiet.metrics[0]!.ratio!
    expect(low).toBeGreaterThan(1 / 1.05)
    expect(high).toBeLessThan(1.05)
    // The same trials under a narrower margin are not enough.
    const strict = comparison(trials(1, 10, 1, 0.005), trials(2, 10, 1, 0.005), { metrics: ['endToEnd.p50'], margin: 0.001 })
    expect(strict.metrics[0]!.verdict).toBe('inconclusive')
    const noisy = comparison(trials(1, 4, 1, 0.1), trials(2, 4, 1, 0.1), { metrics: ['endToEnd.p50'] })
    expect(noisy).toMatchObject({ verdict: 'inconclusive', metrics: [{ verdict: 'inconclusive' }] })
    expect(noisy.metrics[0]!.furtherTrials).toBeGreaterThan(5)
    expect(comparisonLines(noisy, false).join(' ').replace(/\s+/g, ' ')).toContain(`To decide: endToEnd.p50 about ${noisy.metrics[0]!.furtherTrials} more trials a side.`)
  })

  it('of one run with one is inconclusive by design, with both curves and no interval', () => {
    const answer = comparison(trials(1, 1), trials(2, 1, 3))
    expect(answer.verdict).toBe('inconclusive')
    expect(answer.metrics.every(({ verdict, furtherTrials, ratio }) => verdict === 'inconclusive' && furtherTrials === 4 && ratio === undefined)).toBe(true)
    expect(answer.curves.map(({ stage: name }) => name)).toContain('endToEnd')
    expect(comparisonLines(answer, false).join('\n')).toContain('the trial is the unit')
  })

  it('leaves invalid runs out and names them; in pairs their partner goes too; with none left there is no answer', () => {
    const a = trials(1, 4)
    const b = trials(2, 4)
    const spoilt = changed(b[2]!, { verdict: { valid: false, reasons: ['generator lag: p99 200 ms is more than 10%'] }, stages: { endToEnd: stage(9e6) } })
    const pairs = comparison(a, [b[0]!, b[1]!, spoilt, b[3]!], { plan: 'pairs', metrics: ['endToEnd.p50'] })
    expect(pairs.metrics[0]!.a).toHaveLength(3)
    expect(pairs.metrics[0]!.b).toHaveLength(3)
    expect(Math.max(...pairs.metrics[0]!.b)).toBeLessThan(1e6)
    const apart = comparison(a, [b[0]!, b[1]!, spoilt, b[3]!], { metrics: ['endToEnd.p50'] })
    expect([apart.metrics[0]!.a.length, apart.metrics[0]!.b.length]).toEqual([4, 3])
    expect(comparisonLines(apart, false).join(' ').replace(/\s+/g, ' ')).toContain(`left out: ${spoilt.file}, invalid: generator lag`)
    expect(compare({ a: side('A', a), b: side('B', [spoilt]), plan: 'apart', metrics: undefined, margin: 0.05, resamples: 200, command: '' })).toBeUndefined()
  })

  it('compares figures that are 0 without a ratio: never late is the same, late in every trial of B is worse', () => {
    const lateIn = (runs: ReadRun[], late: (index: number) => number): ReadRun[] => runs.map((run, index) => changed(run, { scenarios: [{ name: 'online', attempts: 4200, asExpected: 4200, inadequatelyHandled: late(index), stage: 'endToEnd', limitUs: 500_000 }] }))
    const [a, b] = [trials(1, 8), trials(2, 8)]
    const only = { metrics: ['online.inadequatelyHandled'] }
    expect(comparison(lateIn(a, () => 0), lateIn(b, () => 0), only).metrics[0]).toMatchObject({ verdict: 'same' })
    expect(comparison(lateIn(a, () => 0), lateIn(b, (index) => 100 + index), only).metrics[0]).toMatchObject({ verdict: 'worse' })
    expect(comparison(lateIn(a, () => 0), lateIn(b, (index) => index % 4), only).metrics[0]!.ratio).toBeUndefined()
  })

  it('decides nothing of a metric that a run does not have', () => {
    const old = trials(2, 5).map((run) => { const { work: _work, ...record } = run.record; return { ...run, record } })
    const answer = comparison(trials(1, 5), old, { metrics: ['endToEnd.p50', 'parts.gateway.cpuPerPush'] })
    expect(answer.unmeasured).toEqual(['parts.gateway.cpuPerPush'])
    expect(answer.verdict).not.toBe('same')
    expect(comparisonLines(answer, false).join(' ')).toContain('Not measured in every run: parts.gateway.cpuPerPush')
  })

  it('is an answer by its schema, the same for the same runs, and fits 80 columns', () => {
    const make = (): ComparisonAnswer => comparison(trials(3, 6), trials(4, 6, 1.5))
    const answer = make()
    expect(Schema.decodeUnknownSync(ComparisonAnswer, { onExcessProperty: 'error' })(JSON.parse(JSON.stringify(answer)))).toEqual(answer)
    expect(make()).toEqual(answer)
    expect(comparisonLines(answer, false).filter((line) => line.length > 80)).toEqual([])
    const markdown = comparisonMarkdown(answer)
    expect(markdown).toContain('### Push delivery: worse')
    expect(markdown.split('\n').filter((line) => line.startsWith('| `'))).toHaveLength(USUAL_METRICS.length)
  })
})

describe('runs that are not comparable', () => {
  const [run] = trials(1, 1) as [ReadRun]
  const withDisclosure = (changes: Partial<RunRecord['disclosure']>): ReadRun => changed(run, { disclosure: { ...run.record.disclosure, ...changes } })
  const texts = (a: readonly ReadRun[], b: readonly ReadRun[]): string[] => forbidding(differencesOf(side('A', a), side('B', b))).map(differenceText)

  it('are those of another scenario, machine or version, each difference named; another commit is what is compared', () => {
    expect(texts([run], [{ ...run, scenario: new Map([['load.rate', '100/s'], ['gateway.transport', 'udp']]) }])).toEqual(['load.rate is 200/s in A and 100/s in B', 'gateway.transport is absent in A and udp in B'])
    expect(texts([run], [withDisclosure({ cores: 64, cpu: 'another' })])).toEqual(['the machine’s cpu is sample processor in A and another in B', 'the machine’s cores is 2 in A and 64 in B'])
    expect(texts([run], [withDisclosure({ node: 'v99.0.0' })])).toEqual(['the version of node is v20.20.2 in A and v99.0.0 in B'])
    expect(texts([run], [withDisclosure({ deviations: ['scaled down'] })])).toHaveLength(1)
    expect(texts([run], [withDisclosure({ commit: 'ffffff0' })])).toEqual([])
  })

  it('are not those with other seeds and promises', () => {
    expect(texts([run], [{ ...run, scenario: new Map([...run.scenario, ['seed', '9'], ['name', 'other'], ['objective.lagShare', '20%'], ['thresholds.0', 'lost < 1']]) }])).toEqual([])
  })

  it('are a mixture within one side, even of commits', () => {
    expect(texts([run, withDisclosure({ commit: 'ffffff0' })], [run])).toEqual(['the commit is abcdef0 in the first run of A and ffffff0 in another'])
  })
})

describe('trials of a comparison', () => {
  it('come in turns, ABBA or BAAB, both of a pair with one seed, and go on after any of them', () => {
    const [a, b] = [{ ...DEFAULT_SCENARIO, seed: 40 }, { ...DEFAULT_SCENARIO, name: 'other', seed: 40 }]
    const planner = new ComparisonTrials(a, b, 10)
    const ids: string[] = []
    for (let step = planner.next(); step.type === 'trial'; step = planner.next()) {
      expect(planner.next()).toEqual(step)
      ids.push(step.trial.id)
      expect(step.trial.scenario).toMatchObject({ name: step.trial.id.startsWith('a') ? a.name : b.name, seed: 39 + Number(step.trial.id.slice(2)) })
      planner.tell(step.trial, sampleRecord({ seed: step.trial.scenario.seed }))
    }
    expect(new Set(ids).size).toBe(20)
    const order = ids.map((id) => id[0]).join('').match(/..../g)!
    expect(order.every((block) => block === 'abba' || block === 'baab')).toBe(true)
    expect(new Set(order).size).toBe(2)
    expect(planner.told().a.map(({ seed }) => seed)).toEqual([40, 41, 42, 43, 44, 45, 46, 47, 48, 49])
    expect(planner.told().b).toHaveLength(10)
  })
})

describe('the metrics', () => {
  it('have one name each, and none of a record that lacks it is made up', () => {
    const record = sampleRecord()
    expect(METRICS.get('endToEnd.p99')!.of(record)).toBe(14_800)
    expect(METRICS.get('gateway.store.p50')!.of(record)).toBe(700)
    expect(METRICS.get('online.inadequatelyHandled')!.of(record)).toBeCloseTo(1 / 4200)
    expect(METRICS.get('parts.gateway.cpuPerPush')!.of(record)).toBeUndefined()
    expect(METRICS.get('parts.gateway.cpuPerPush')!.of({ ...record, work: { gateway: { seconds: 10, cpuSeconds: 1, counts: { accepted: 5_000 } } } })).toBeCloseTo(200)
    expect(METRICS.get('fanOut.p99')!.of(record)).toBeUndefined()
    expect([...METRICS].every(([name, metric]) => name === metric.name)).toBe(true)
  })
})
