/**
 * The answer of an experiment as one schema: what answer.json of `pushbench experiment` holds, and all that its page shows.
 * Knows cells, what was measured in them and what follows, not how the trials were planned.
 */
import { Schema } from 'effect'
import { Disclosure } from '../record.js'

export const EXPERIMENT_SCHEMA_VERSION = 1

const Count = Schema.NonNegativeInt
const Share = Schema.Number.pipe(Schema.between(0, 1))

/** What is measured of every trial, each by name; a cell of the CSV is empty where a trial could not tell. */
export const RESPONSES = [
  'gatewayCpuMicrosPerPush', 'coreCpuMicrosPerPush', 'terminalsCpuMicrosPerPush', 'wireBytesPerPush', 'messagesPerPush', 'sipMessagesPerPush',
  'msrpMessagesPerPush', 'endToEndP50Us', 'endToEndP99Us', 'deliveredPerSecond', 'inadequatelyHandledShare', 'sessionsPerPush', 'stateHeld', 'gatewayMemoryBytesMax',
] as const
export const ResponseName = Schema.Literal(...RESPONSES)
export type ResponseName = typeof ResponseName.Type

export const Response = Schema.Struct({
  name: ResponseName,
  words: Schema.String,
  unit: Schema.String.annotations({ description: 'us, bytes, /s, share, or empty for a number of things' }),
  better: Schema.Literal('lower', 'higher'),
})

export const Factor = Schema.Struct({
  name: Schema.String,
  levels: Schema.Array(Schema.Struct({
    name: Schema.String,
    /** Where the levels are quantities, all of them: in the base unit (octets, microseconds, per second), and what crossovers are drawn along. */
    value: Schema.optional(Schema.Number),
  })),
})

/** A mean over trials with Student's interval at the answer's level; without one where there was a single trial. */
const Estimate = Schema.Struct({ trials: Count, mean: Schema.Number, low: Schema.optional(Schema.Number), high: Schema.optional(Schema.Number) })

export const Cell = Schema.Struct({
  id: Schema.String,
  /** Index into the levels of each factor, in the factors' order. */
  levels: Schema.Array(Count),
  /** Why there is nothing to measure: the rule that forbids it, and what it comes to here. */
  infeasible: Schema.optional(Schema.Struct({ rule: Schema.String, words: Schema.String })),
  /** By response; those that no valid trial of the cell told are not there. */
  measured: Schema.Record({ key: Schema.String, value: Estimate }),
  /**
   * Latency end to end over the valid trials of the cell, each weighing by its samples: [microseconds, share of the pushes that took no longer], ascending.
   * Samples inside a trial are not independent: a band belongs to trials, of which the cell tells the number.
   */
  endToEnd: Schema.optional(Schema.Array(Schema.Tuple(Schema.NonNegative, Share))),
})

export const ExperimentTrial = Schema.Struct({
  id: Schema.String.annotations({ description: 'names its folder, trials/<id>/' }),
  cell: Schema.String,
  /** From 1. */
  block: Count,
  seed: Count,
  /** Load offered, attempts per second. */
  perSecond: Schema.NonNegative,
  valid: Schema.Boolean,
  /** Whether the cell's figures rest on it: a valid one, and of a search for the objective the last that kept it. */
  counted: Schema.Boolean,
  /** Why not, in words. */
  why: Schema.optional(Schema.String),
  measures: Schema.Record({ key: Schema.String, value: Schema.Number }),
})

/** How many times larger a response is at one level of a factor than at the first, over blocks: a geometric mean of ratios within blocks. */
export const Effect = Schema.Struct({
  response: ResponseName,
  factor: Count,
  level: Count,
  against: Count,
  /** The levels of the other factors at which it was taken, by their index; absent where it is over all at which both levels could be measured. */
  at: Schema.optional(Schema.Record({ key: Schema.String, value: Count })),
  blocks: Count,
  ratio: Schema.NonNegative,
  /** Bootstrap interval over blocks, at the answer's level; absent below two blocks. */
  low: Schema.optional(Schema.NonNegative),
  high: Schema.optional(Schema.NonNegative),
  /** Student's test of the ratios' logarithms, and the same after Holm's correction over all effects of the same kind. */
  pValue: Schema.optional(Share),
  adjustedPValue: Schema.optional(Share),
  verdict: Schema.Literal('better', 'worse', 'inconclusive'),
})

/** Where, along a factor of quantities, the better of two levels changes. */
export const Crossover = Schema.Struct({
  response: ResponseName,
  /** The factor whose levels are compared, and the two levels. */
  factor: Count,
  levels: Schema.Tuple(Count, Count),
  /** The factor along which the answer may change. */
  along: Count,
  /** The levels of all other factors, by their index. */
  at: Schema.Record({ key: Schema.String, value: Count }),
  /** The least and the greatest quantity at which both levels were measured. */
  range: Schema.optional(Schema.Struct({ from: Schema.Number, to: Schema.Number })),
  blocks: Count,
  /**
   * `found`: at `quantity` the better level changes. `none`: one level was better over the whole range. `undecided`: the means change sides, but the data
   * exclude no quantity of the range, nor that there is no change. `unmeasured`: too few valid trials.
   */
  outcome: Schema.Literal('found', 'none', 'undecided', 'unmeasured'),
  quantity: Schema.optional(Schema.NonNegative),
  /** What quantities the data do not exclude, at the answer's level; an end that is absent lies outside of the range. */
  low: Schema.optional(Schema.NonNegative),
  high: Schema.optional(Schema.NonNegative),
  /** With `none` and `undecided`: whether a change within the range is not excluded all the same. */
  notExcluded: Schema.optional(Schema.Boolean),
  /** The level that is better below the crossover, or over the whole range. */
  first: Schema.optional(Count),
  /** Further changes beyond the one told. */
  further: Schema.optional(Count),
  /** What ended the range, where a level cannot be measured beyond it. */
  bounded: Schema.optional(Schema.String),
})

export const ExperimentAnswer = Schema.Struct({
  kind: Schema.Literal('experiment'),
  schemaVersion: Schema.Literal(EXPERIMENT_SCHEMA_VERSION),
  name: Schema.String,
  seed: Count,
  startedAt: Schema.String.annotations({ description: 'RFC 3339, UTC' }),
  level: Share,
  /** Trials of each cell that were planned; every block holds each cell once, in an order drawn from the seed. */
  blocks: Count,
  /** False when the work was stopped before its last trial. */
  complete: Schema.Boolean,
  /**
   * `load`: every trial offered the same load. `objective`: in every trial the highest rate was searched that keeps the objective, and all
   * that is measured was measured there.
   */
  equal: Schema.Literal('load', 'objective'),
  factors: Schema.Array(Factor),
  responses: Schema.Array(Response),
  cells: Schema.Array(Cell),
  /** In the order in which they were performed. */
  trials: Schema.Array(ExperimentTrial),
  effects: Schema.Array(Effect),
  crossovers: Schema.Array(Crossover),
  disclosure: Schema.optional(Disclosure),
  /** The scenario each cell changes, resolved. */
  scenarioYaml: Schema.String,
  /** Does it all again. */
  command: Schema.String,
})
export type ExperimentAnswer = typeof ExperimentAnswer.Type
export type ExperimentCell = typeof Cell.Type
export type ExperimentTrialRow = typeof ExperimentTrial.Type
export type ExperimentEffect = typeof Effect.Type
export type ExperimentCrossover = typeof Crossover.Type
export type ExperimentFactor = typeof Factor.Type
