/** What a history of runs comes to, as one schema: the runs of each series with where their figures changed for good. Knows figures, not how they were kept. */
import { Schema } from 'effect'
import { UNITS } from './comparison.js'

export const HISTORY_SCHEMA_VERSION = 1

const Count = Schema.NonNegativeInt

export const HistoryChange = Schema.Struct({
  /** Index into the series' runs: the first run after the change. */
  index: Count,
  time: Schema.String,
  /** Of that run, and of the one before: the change lies between the two. */
  commit: Schema.String,
  commitBefore: Schema.String,
  /** Means of the stretches before and after, up to the next change. */
  before: Schema.Number,
  after: Schema.Number,
  verdict: Schema.Literal('better', 'worse'),
  pValue: Schema.Number.pipe(Schema.between(0, 1)),
})

export const HistoryMetric = Schema.Struct({
  name: Schema.String,
  unit: Schema.Literal(...UNITS),
  better: Schema.Literal('lower', 'higher'),
  /** By run, as the series has them; null where a run has no such figure. */
  values: Schema.Array(Schema.NullOr(Schema.Number)),
  changes: Schema.Array(HistoryChange),
})

/** Runs of one scenario on one machine, in the order of time; invalid ones are left out. */
export const HistorySeries = Schema.Struct({
  scenario: Schema.String,
  series: Schema.String,
  runs: Schema.Array(Schema.Struct({ time: Schema.String, commit: Schema.String, run: Schema.String })),
  leftOut: Count.annotations({ description: 'runs that were invalid' }),
  metrics: Schema.Array(HistoryMetric),
})

export const HistoryAnswer = Schema.Struct({
  kind: Schema.Literal('history'),
  schemaVersion: Schema.Literal(HISTORY_SCHEMA_VERSION),
  /** A change is believed when chance alone would do as much in at most this share of histories. */
  significance: Schema.Number,
  /** So many runs a series needs before any change can be seen. */
  runsLeast: Count,
  series: Schema.Array(HistorySeries),
  problems: Schema.Array(Schema.String),
})
export type HistoryAnswer = typeof HistoryAnswer.Type
