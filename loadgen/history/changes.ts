/** Where the figures of a history changed for good, and since which commit (E-divisive over each metric of each series). Knows rows, no file. */
import { SeededEntropy } from '../../core/kit/entropy.js'
import { HISTORY_SCHEMA_VERSION, type HistoryAnswer } from '../../reports/answers/history.js'
import { changePoints } from '../../reports/statistics/change-points.js'
import { mean } from '../../reports/statistics/location.js'
import { METRICS, type Metric } from '../metrics.js'
import { HISTORY_METRICS, type History, type HistoryRow } from './rows.js'

/** For each metric by itself; of a dozen metrics one then changes by chance in one history of ten, at the most. */
const SIGNIFICANCE = 0.01
/** 999 resolve p values down to 0.001. */
const PERMUTATIONS = 999
/** Recent changes are what people ask for; one odd run is none, and of fewer a side chance would do as much too often. */
const LEAST_SEGMENT = 5
/** Older runs have been looked at before. */
const RUNS_MAX = 200

type Series = HistoryAnswer['series'][number]

export function historyAnswer({ rows, problems }: History): HistoryAnswer {
  const bySeries = new Map<string, HistoryRow[]>()
  for (const row of rows) bySeries.set(row.series, [...(bySeries.get(row.series) ?? []), row])
  return { kind: 'history', schemaVersion: HISTORY_SCHEMA_VERSION, significance: SIGNIFICANCE, runsLeast: 2 * LEAST_SEGMENT, series: [...bySeries].map(([series, all]) => seriesOf(series, all)), problems: [...problems] }
}

function seriesOf(series: string, all: readonly HistoryRow[]): Series {
  const valid = all.filter((row) => row.valid)
  const runs = [...valid].sort((a, b) => a.time.localeCompare(b.time)).slice(-RUNS_MAX)
  const names = HISTORY_METRICS.filter((name) => runs.some(({ values }) => values.has(name)))
  return {
    scenario: all[0]!.scenario, series, leftOut: all.length - valid.length,
    runs: runs.map(({ time, commit, run }) => ({ time, commit, run })),
    metrics: names.map((name) => metricOf(METRICS.get(name)!, runs)),
  }
}

function metricOf(metric: Metric, runs: readonly HistoryRow[]): Series['metrics'][number] {
  const { name, unit, better } = metric
  const places = runs.flatMap(({ values }, index) => (values.has(name) ? [index] : []))
  const values = places.map((index) => runs[index]!.values.get(name)!)
  const entropy = new SeededEntropy(1, name)
  // Where nothing ever differs there is nothing to look for.
  const found = values.every((value) => value === values[0]) ? []
    : changePoints(values, { significance: SIGNIFICANCE, permutations: PERMUTATIONS, leastSegment: LEAST_SEGMENT, unit: () => entropy.unit() })
  const borders = [0, ...found.map(({ index }) => index), values.length]
  const changes = found.map(({ index, pValue }, order) => {
    const before = mean(values.slice(borders[order]!, index))
    const after = mean(values.slice(index, borders[order + 2]!))
    const [last, first] = [runs[places[index - 1]!]!, runs[places[index]!]!]
    return {
      index: places[index]!, time: first.time, commit: first.commit, commitBefore: last.commit, before, after, pValue,
      verdict: (after < before) === (better === 'lower') ? 'better' as const : 'worse' as const,
    }
  })
  return { name, unit, better, values: runs.map((run) => run.values.get(name) ?? null), changes }
}
