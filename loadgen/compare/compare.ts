/**
 * The comparison of two sides of runs: a verdict for each metric and one for all. Better and worse are said only of what chance alone
 * would hardly do (Holm's correction over all metrics), "same" only when the whole interval lies within the margin, and otherwise how many more
 * trials would decide it. A run that is not valid is in no figure. Knows records, no files.
 */
import { SeededEntropy } from '../../core/kit/entropy.js'
import { COMPARISON_SCHEMA_VERSION, type ComparedMetricRow, type ComparisonAnswer } from '../../reports/answers/comparison.js'
import { STAGES, type RunRecord } from '../../reports/record.js'
import { studentQuantile } from '../../reports/statistics/distributions.js'
import { holm } from '../../reports/statistics/holm.js'
import { mean } from '../../reports/statistics/location.js'
import { furtherTrials } from '../../reports/statistics/student.js'
import { METRICS, type Metric } from '../metrics.js'
import { differencesOf } from './differences.js'
import { evidenceOf, type Evidence, type Plan } from './evidence.js'
import { leftOut, type ReadRun, type Side } from './sides.js'

export interface CompareOptions {
  readonly a: Side
  readonly b: Side
  /** `pairs`: run i of A and run i of B ran one after the other. */
  readonly plan: Plan
  /** Names of metrics; undefined: the usual ones, as far as the runs have them. */
  readonly metrics: readonly string[] | undefined
  /** Differences up to this ratio count as none. */
  readonly margin: number
  readonly resamples: number
  readonly command: string
}

/** What a change of the gateway shows itself in. Few, since each one asked for makes the others harder to decide. */
export const USUAL_METRICS = [
  'endToEnd.p50', 'endToEnd.p99', 'submit.p99', 'confirmation.p99', 'notification.p99', 'inadequatelyHandled', 'throughput.delivered', 'parts.gateway.cpuPerPush', 'parts.gateway.memory',
] as const

const LEVEL = 0.95
/**
 * How likely any metric may be called better or worse by chance. Below the 5 % that the intervals allow: the test behind it takes logarithms of
 * trials for normal, and of few trials nobody knows.
 */
const CHANCE_MAX = 0.03
/** With fewer trials a side an interval of their spread says next to nothing. */
const TRIALS_WANTED = 5
/** Of a single run against a single one the whole curve is shown, at these percentiles. */
const PERCENTILES = [50, 75, 90, 99, 99.9, 100]

type Verdict = ComparedMetricRow['verdict']

interface Measured {
  readonly metric: Metric
  readonly a: readonly number[]
  readonly b: readonly number[]
}

/** Undefined when a side has no run that counts. */
export function compare(options: CompareOptions): ComparisonAnswer | undefined {
  const { a, b, plan, margin } = options
  const [countedA, countedB] = counted(a.runs, b.runs, plan)
  if (countedA.length === 0 || countedB.length === 0) return undefined
  const wanted = options.metrics ?? USUAL_METRICS.filter((name) => [...countedA, ...countedB].some(({ record }) => METRICS.get(name)!.of(record) !== undefined))
  const measured: Measured[] = []
  const unmeasured: string[] = []
  for (const name of wanted) {
    const metric = METRICS.get(name)!
    const [valuesA, valuesB] = [valuesOf(metric, countedA), valuesOf(metric, countedB)]
    if (valuesA === undefined || valuesB === undefined) unmeasured.push(name)
    else measured.push({ metric, a: valuesA, b: valuesB })
  }
  const metrics = judged(measured, options)
  return {
    kind: 'comparison', schemaVersion: COMPARISON_SCHEMA_VERSION, level: LEVEL, margin, plan,
    a: sideOf(a), b: sideOf(b), differences: differencesOf(a, b),
    verdict: overall(metrics.map(({ verdict }) => verdict), unmeasured.length), metrics, unmeasured,
    curves: countedA.length === 1 && countedB.length === 1 ? curvesOf(countedA[0]!.record, countedB[0]!.record) : [],
    command: options.command,
  }
}

/** In pairs, a run that is left out takes its partner with it. */
function counted(a: readonly ReadRun[], b: readonly ReadRun[], plan: Plan): [ReadRun[], ReadRun[]] {
  const counts = (run: ReadRun | undefined): boolean => run !== undefined && leftOut(run) === undefined
  if (plan === 'apart') return [a.filter(counts), b.filter(counts)]
  return [a.filter((run, index) => counts(run) && counts(b[index])), b.filter((run, index) => counts(run) && counts(a[index]))]
}

/** Undefined unless every run has the figure. */
function valuesOf(metric: Metric, runs: readonly ReadRun[]): number[] | undefined {
  const values = runs.map(({ record }) => metric.of(record)).filter((value) => value !== undefined)
  return values.length === runs.length ? values : undefined
}

function judged(measured: readonly Measured[], { plan, margin, resamples }: CompareOptions): ComparedMetricRow[] {
  const trials = Math.min(...measured.flatMap(({ a, b }) => [a.length, b.length]))
  const rowOf = ({ metric: { name, unit, better }, a, b }: Measured) => ({ name, unit, better, a, b, meanA: mean(a), meanB: mean(b) })
  if (trials < 2) return measured.map((each) => ({ ...rowOf(each), verdict: 'inconclusive', furtherTrials: TRIALS_WANTED - trials }))
  const evidence = measured.map(({ metric, a, b }) => {
    // The same trials give the same intervals.
    const entropy = new SeededEntropy(1, metric.name)
    return evidenceOf(a, b, plan, { level: LEVEL, resamples, unit: () => entropy.unit() })
  })
  const adjusted = holm(evidence.map(({ pValue }) => pValue))
  return measured.map((each, index): ComparedMetricRow => {
    const found = evidence[index]!
    const { ratio, pValue } = found
    const verdict = verdictOf(each, found, adjusted[index]!, margin)
    return {
      ...rowOf(each), ...(ratio === undefined ? {} : { ratio }), pValue, adjustedP: adjusted[index]!, verdict,
      ...(verdict === 'inconclusive' ? { furtherTrials: further(ratio, trials, measured.length, margin) } : {}),
    }
  })
}

function verdictOf({ metric, a, b }: Measured, { ratio }: Evidence, adjustedP: number, margin: number): Verdict {
  const change = mean(b) - mean(a)
  // Nothing was ever seen to differ: no attempt of any trial came late, for instance.
  if (ratio === undefined && [...a, ...b].every((value) => value === a[0])) return 'same'
  if (ratio !== undefined && ratio.low >= 1 / (1 + margin) && ratio.high <= 1 + margin) return 'same'
  const excludesNone = ratio === undefined || ratio.low > 1 || ratio.high < 1
  if (adjustedP > CHANCE_MAX || !excludesNone) return 'inconclusive'
  return (change < 0) === (metric.better === 'lower') ? 'better' : 'worse'
}

/**
 * Until the interval leaves 1, at the level that so many metrics together ask for, or lies within the margin, whichever comes first if the
 * estimate and the spread of the trials stay.
 */
function further(ratio: Evidence['ratio'], trials: number, metrics: number, margin: number): number {
  const least = Math.max(1, TRIALS_WANTED - trials)
  if (ratio === undefined) return Math.max(least, trials)
  const half = Math.max(Math.log(ratio.high / ratio.estimate), Math.log(ratio.estimate / ratio.low))
  const off = Math.abs(Math.log(ratio.estimate))
  const strict = 1 - CHANCE_MAX / metrics
  const halfStrict = half * studentQuantile((1 + strict) / 2, trials - 1) / studentQuantile((1 + LEVEL) / 2, trials - 1)
  const needed = [[half, Math.log1p(margin) - off, LEVEL], [halfStrict, off, strict]] as const
  // What takes a thousand times the precision there is will not be tried.
  const possible = needed.filter(([reached, wanted]) => wanted > reached / 1_000)
  const trialsMore = possible.map(([reached, wanted, level]) => furtherTrials(trials, reached, wanted, level))
  return Math.max(least, trialsMore.length === 0 ? 1_000 * trials : Math.min(...trialsMore))
}

function overall(verdicts: readonly Verdict[], unmeasured: number): Verdict {
  if (verdicts.includes('worse')) return 'worse'
  if (verdicts.includes('inconclusive') || unmeasured > 0 || verdicts.length === 0) return 'inconclusive'
  return verdicts.includes('better') ? 'better' : 'same'
}

function sideOf({ name, runs }: Side): ComparisonAnswer['a'] {
  const { disclosure, scenario, scenarioYaml } = runs[0]!.record
  return {
    name, scenario, disclosure, scenarioYaml,
    runs: runs.map((run) => {
      const why = leftOut(run)
      const endToEnd = run.record.curves['endToEnd']
      return { file: run.file, seed: run.record.seed, startedAt: run.record.startedAt, ...(why === undefined ? {} : { leftOut: why }), ...(endToEnd === undefined ? {} : { endToEnd }) }
    }),
  }
}

function curvesOf(a: RunRecord, b: RunRecord): ComparisonAnswer['curves'] {
  return STAGES.flatMap((stage) => {
    const [curveA, curveB] = [a.curves[stage], b.curves[stage]]
    if (curveA === undefined || curveB === undefined) return []
    return [{ stage, points: PERCENTILES.map((percentile) => ({ percentile, a: at(curveA, percentile), b: at(curveB, percentile) })) }]
  })
}

/** The curve's first point at or beyond the percentile: never less than was measured. */
function at(curve: RunRecord['curves'][string], percentile: number): number {
  return (curve.find(([each]) => each >= percentile) ?? curve.at(-1) ?? [100, 0])[1]
}
