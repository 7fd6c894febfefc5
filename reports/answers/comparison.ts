/**
 * The answer of a comparison as one schema: what `pushbench compare --json` prints, and all that a page shows of it. Knows two sides,
 * their trials and what may be concluded of each metric, not how it was concluded.
 */
import { Schema } from 'effect'
import { Disclosure } from '../record.js'

export const COMPARISON_SCHEMA_VERSION = 1

const Count = Schema.NonNegativeInt
const Share = Schema.Number.pipe(Schema.between(0, 1))

/** Of B against A. `same`: the whole interval lies within the margin. `inconclusive`: more trials are needed. */
export const VERDICTS = ['better', 'worse', 'same', 'inconclusive'] as const

/** What values are counted in. `micros`: microseconds; `share`: 0 to 1. */
export const UNITS = ['micros', 'share', 'count', 'perSecond', 'octets'] as const

export const ComparedRun = Schema.Struct({
  /** The record's file, as it was named. */
  file: Schema.String,
  seed: Count,
  startedAt: Schema.String,
  /** Why the run is left out of every figure; absent for one that counts. */
  leftOut: Schema.optional(Schema.String),
  /** Latency end to end by percentile: [percentile 0 to 100, microseconds], ascending; for the picture of all runs. */
  endToEnd: Schema.optional(Schema.Array(Schema.Tuple(Schema.Number, Schema.NonNegative))),
})

export const ComparedSide = Schema.Struct({
  /** As the command named it. */
  name: Schema.String,
  scenario: Schema.String,
  runs: Schema.Array(ComparedRun),
  /** Of the first run. */
  disclosure: Disclosure,
  scenarioYaml: Schema.String,
})

/** In what the runs differ besides what is compared. */
export const Difference = Schema.Struct({
  of: Schema.Literal('scenario', 'machine', 'versions', 'commit'),
  /** Dotted, as in `load.rate`. */
  key: Schema.String,
  a: Schema.String,
  b: Schema.String,
  /** Set when the runs of one side differ among themselves: `a` is then its first run's value and `b` another's. */
  within: Schema.optional(Schema.Literal('a', 'b')),
})

export const ComparedMetric = Schema.Struct({
  name: Schema.String,
  unit: Schema.Literal(...UNITS),
  better: Schema.Literal('lower', 'higher'),
  /** One value for each trial that counts, in their order. */
  a: Schema.Array(Schema.Number),
  b: Schema.Array(Schema.Number),
  meanA: Schema.Number,
  meanB: Schema.Number,
  /** B over A: the ratio of the means over trials with its bootstrap interval. Absent with fewer than two trials a side, and where a value is 0. */
  ratio: Schema.optional(Schema.Struct({ estimate: Schema.Number, low: Schema.Number, high: Schema.Number })),
  /** Two-sided, of no difference; adjusted over all metrics (Holm). */
  pValue: Schema.optional(Share),
  adjustedP: Schema.optional(Share),
  verdict: Schema.Literal(...VERDICTS),
  /** How many more trials a side would decide it, about; for `inconclusive`. */
  furtherTrials: Schema.optional(Count),
})

/** One run against one: what the percentile curves are, without a verdict. Microseconds. */
export const CurveDifference = Schema.Struct({
  stage: Schema.String,
  points: Schema.Array(Schema.Struct({ percentile: Schema.Number, a: Schema.NonNegative, b: Schema.NonNegative })),
})

export const ComparisonAnswer = Schema.Struct({
  kind: Schema.Literal('comparison'),
  schemaVersion: Schema.Literal(COMPARISON_SCHEMA_VERSION),
  level: Share,
  /** "same" is within this ratio of 1, to both sides: 0.05 is from 1/1.05 to 1.05. */
  margin: Schema.Positive,
  /** How the trials lay in time: `pairs` of A and B that ran one after the other are drawn together, `apart` each side by itself. */
  plan: Schema.Literal('pairs', 'apart'),
  a: ComparedSide,
  b: ComparedSide,
  differences: Schema.Array(Difference),
  /** `worse` when any metric is; otherwise `inconclusive` when any is; `better` when none is worse or undecided and one is better. */
  verdict: Schema.Literal(...VERDICTS),
  metrics: Schema.Array(ComparedMetric),
  /** Metrics that were asked for and that no trial of one side has. */
  unmeasured: Schema.Array(Schema.String),
  curves: Schema.Array(CurveDifference),
  /** Does it all again. */
  command: Schema.String,
})
export type ComparisonAnswer = typeof ComparisonAnswer.Type
export type ComparedMetricRow = typeof ComparedMetric.Type
