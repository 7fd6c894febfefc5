/**
 * The answer of a capacity search as one schema: what answer.json of `pushbench capacity` holds, and all that its page shows.
 * Knows rates and what trials came to, not how the search goes about it.
 */
import { Schema } from 'effect'
import { Disclosure } from '../record.js'

export const CAPACITY_SCHEMA_VERSION = 1

const Count = Schema.NonNegativeInt
const PerSecond = Schema.NonNegative.annotations({ description: 'attempts per second' })
const Share = Schema.Number.pipe(Schema.between(0, 1))

export const PHASES = ['stairs', 'narrow', 'edge', 'overload'] as const

/**
 * `passed` and `failed` are about the system under test. `instrument`: the generator or the terminals were at their own limit, so
 * the trial says nothing about the system. `invalid`: nothing can be concluded, for a reason of another kind.
 */
export const RESULTS = ['passed', 'failed', 'instrument', 'invalid'] as const

export const CapacityTrial = Schema.Struct({
  id: Schema.String.annotations({ description: 'names its folder, trials/<id>/' }),
  phase: Schema.Literal(...PHASES),
  /** In the phase `edge`: which of the independent bisections it belongs to, from 1. */
  replicate: Schema.optional(Count),
  perSecond: PerSecond,
  seed: Count,
  result: Schema.Literal(...RESULTS),
  /** In words, for every result but `passed`. */
  why: Schema.optional(Schema.String),
  attempts: Count,
  inadequatelyHandled: Count,
  /** Wilson's interval of the share inadequately handled, at the answer's level; absent when nothing was attempted. */
  interval: Schema.optional(Schema.Struct({ low: Share, high: Share })),
  deliveredPerSecond: PerSecond,
  /** Attempts that got no or another answer than acceptance. */
  refusedShare: Share,
  endToEndP50Us: Schema.optional(Schema.NonNegative),
  endToEndP99Us: Schema.optional(Schema.NonNegative),
  /** The part with the busiest event loop, and how busy it was in its busiest second. */
  busiest: Schema.optional(Schema.Struct({ part: Schema.String, share: Schema.Number })),
})

export const CapacityAnswer = Schema.Struct({
  kind: Schema.Literal('capacity'),
  schemaVersion: Schema.Literal(CAPACITY_SCHEMA_VERSION),
  scenario: Schema.String,
  seed: Count,
  startedAt: Schema.String.annotations({ description: 'RFC 3339, UTC' }),
  /** The share of inadequately handled attempts up to which a step passes. */
  limit: Share,
  /** The delay within which a push to a recipient who is online is in time; absent where the scenario has none. */
  delayLimitUs: Schema.optional(Schema.NonNegative),
  /** How close, as a ratio, each bisection brings the rate that fails to the one that passes. */
  resolution: Schema.Number,
  level: Share,
  /**
   * `found`: `capacity` is there. `at-least`: up to `bound` the system passed, and beyond it the instruments were the limit, or nothing
   * higher was asked for. `at-most`: it failed even at `bound`. `unmeasured`: trials could not be had; `why` says so.
   */
  outcome: Schema.Literal('found', 'at-least', 'at-most', 'unmeasured'),
  /** Design objective capacity with its interval: the geometric mean over independent bisections, each ended between a rate that passed and one that failed. */
  capacity: Schema.optional(Schema.Struct({ perSecond: PerSecond, low: PerSecond, high: PerSecond, replicates: Schema.Array(PerSecond) })),
  bound: Schema.optional(PerSecond),
  why: Schema.optional(Schema.String),
  /** What gave way first, by the failed trials at the edge, in words. */
  constraint: Schema.optional(Schema.String),
  /** In the order in which they were performed. */
  trials: Schema.Array(CapacityTrial),
  disclosure: Schema.optional(Disclosure),
  scenarioYaml: Schema.String,
  /** Does it all again. */
  command: Schema.String,
})
export type CapacityAnswer = typeof CapacityAnswer.Type
export type CapacityTrialRow = typeof CapacityTrial.Type
