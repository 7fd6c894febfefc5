/**
 * The answer of a plan as one schema: what answer.json of `pushbench plan` holds, and all that its page shows. Knows what was asked, what
 * was measured, what follows, and how sure that is; not how it was reckoned.
 */
import { Schema } from 'effect'
import { Disclosure } from '../record.js'

export const PLAN_SCHEMA_VERSION = 1

const Count = Schema.NonNegativeInt
const Share = Schema.Number.pipe(Schema.between(0, 1))

/** What values are counted in. `cores`: processors kept busy; `money`: the unit of the plan file's price. */
export const PLAN_UNITS = ['count', 'perSecond', 'micros', 'seconds', 'octets', 'octetsPerSecond', 'cores', 'share', 'cpuSeconds', 'money'] as const
export const PlanUnit = Schema.Literal(...PLAN_UNITS)
export type PlanUnit = typeof PlanUnit.Type

/** A run that was looked at. */
export const PlanRun = Schema.Struct({
  /** The record's file, as it was found; what other parts of the answer refer to. */
  file: Schema.String,
  seed: Count,
  startedAt: Schema.String,
  /** Why nothing rests on it; absent for one that counts. */
  leftOut: Schema.optional(Schema.String),
  /** Pushes accepted and registrations seen by the gateway in each second of the measured window. */
  pushesPerSecond: Schema.NonNegative,
  registrationsPerSecond: Schema.NonNegative,
  /** Octets of each content. */
  octets: Schema.NonNegative,
  /** Share of the pushes that went in a session. */
  sessions: Share,
  registered: Count,
})

/** One quantity of the system as runs had it. */
export const PlanMeasurement = Schema.Struct({
  name: Schema.String,
  words: Schema.String,
  unit: PlanUnit,
  value: Schema.Number,
  low: Schema.optional(Schema.Number),
  high: Schema.optional(Schema.Number),
  /** The model it is a parameter of, by name; absent where it was read off a capacity search. */
  model: Schema.optional(Schema.String),
  /** Files of the runs, or the answer, it was measured in. */
  runs: Schema.Array(Schema.String),
})

export const PlanModel = Schema.Struct({
  name: Schema.String,
  words: Schema.String,
  /** As it was fitted, with its figures. */
  formula: Schema.String,
  unit: PlanUnit,
  /** What the picture draws along: the words of the x of every point. */
  along: Schema.String,
  points: Schema.Array(Schema.Struct({ run: Schema.String, x: Schema.Number, measured: Schema.Number, fitted: Schema.Number })),
  /** Relative errors at points the model was not fitted to: each left out in turn. Empty where there are too few. */
  heldOutErrors: Schema.Array(Schema.Number),
  /** The root of their mean square. */
  heldOutError: Schema.optional(Schema.NonNegative),
  /** Up to which error a model is taken to hold. */
  tolerance: Schema.Positive,
  /** `holds`, `does-not-hold`, or `unknown` where there was no point to spare. */
  verdict: Schema.Literal('holds', 'does-not-hold', 'unknown'),
})

/** One figure of the plan. */
export const PlanOutput = Schema.Struct({
  name: Schema.String,
  words: Schema.String,
  unit: PlanUnit,
  value: Schema.Number,
  low: Schema.optional(Schema.Number),
  high: Schema.optional(Schema.Number),
  /** Names of the measurements it rests on; empty where it follows from the inputs alone. */
  rests: Schema.Array(Schema.String),
  /** How it was reckoned, in words. */
  how: Schema.String,
  /** In what it goes beyond what was measured. */
  extrapolated: Schema.optional(Schema.String),
})

/** What a node has a limited amount of; the one that asks for the most nodes is what binds. */
export const PlanResource = Schema.Struct({
  name: Schema.String,
  words: Schema.String,
  unit: PlanUnit,
  /** Of the whole network at its peak, and what one node may be given of it. */
  demand: Schema.NonNegative,
  perNode: Schema.NonNegative,
  nodes: Count,
  rests: Schema.Array(Schema.String),
  extrapolated: Schema.optional(Schema.String),
})

export const PlanSensitivity = Schema.Struct({
  /** Dotted key of the plan file. */
  input: Schema.String,
  words: Schema.String,
  /** Nodes, and the same before rounding up, with the input a fifth smaller, and a fifth larger. */
  less: Schema.Struct({ nodes: Count, exactNodes: Schema.NonNegative }),
  more: Schema.Struct({ nodes: Count, exactNodes: Schema.NonNegative }),
})

/** A step of the staircase: up to so many subscribers, so many nodes. */
export const PlanStep = Schema.Struct({ subscribers: Count, nodes: Count, withSpares: Count, constraint: Schema.String, extrapolated: Schema.Boolean })

/** Something told before it was measured. */
export const PlanPrediction = Schema.Struct({
  name: Schema.String,
  words: Schema.String,
  unit: PlanUnit,
  predicted: Schema.Number,
  low: Schema.optional(Schema.Number),
  high: Schema.optional(Schema.Number),
  /** One for each valid trial of the configuration; empty until they were made. */
  measured: Schema.Array(Schema.Number),
  mean: Schema.optional(Schema.Number),
  /** Student's interval of that mean. */
  meanLow: Schema.optional(Schema.Number),
  meanHigh: Schema.optional(Schema.Number),
  /** Of the prediction against the mean, as a share of the mean. */
  error: Schema.optional(Schema.Number),
  holds: Schema.optional(Schema.Boolean),
})

export const PlanAnswer = Schema.Struct({
  kind: Schema.Literal('plan'),
  schemaVersion: Schema.Literal(PLAN_SCHEMA_VERSION),
  name: Schema.String,
  startedAt: Schema.String.annotations({ description: 'RFC 3339, UTC' }),
  level: Share,
  /** `doubtful`: the model all rests on does not hold at points it was not fitted to. `unmeasured`: no node can be counted at all. `why` says more. */
  outcome: Schema.Literal('planned', 'doubtful', 'unmeasured'),
  why: Schema.optional(Schema.String),
  subscribers: Count,
  /** For the busier of busy hour and campaign. */
  nodes: Schema.optional(Schema.Struct({ busyHour: Count, campaign: Count, needed: Count, spare: Count, total: Count })),
  /** What binds, by the name of its resource. */
  constraint: Schema.optional(Schema.Struct({ name: Schema.String, words: Schema.String })),
  outputs: Schema.Array(PlanOutput),
  resources: Schema.Array(PlanResource),
  sensitivity: Schema.Array(PlanSensitivity),
  staircase: Schema.Array(PlanStep),
  measurements: Schema.Array(PlanMeasurement),
  models: Schema.Array(PlanModel),
  runs: Schema.Array(PlanRun),
  /** What was told before it was measured, and how it turned out; of plans that measured for themselves. */
  heldOut: Schema.optional(Schema.Struct({ words: Schema.String, predictions: Schema.Array(PlanPrediction) })),
  /** What could not be measured and is therefore not counted, in words. */
  uncounted: Schema.Array(Schema.String),
  /** Of the first run that counts. */
  disclosure: Schema.optional(Disclosure),
  /** The resolved plan file. */
  planYaml: Schema.String,
  /** Does it all again. */
  command: Schema.String,
})
export type PlanAnswer = typeof PlanAnswer.Type
export type PlanOutputRow = typeof PlanOutput.Type
export type PlanResourceRow = typeof PlanResource.Type
export type PlanModelRow = typeof PlanModel.Type
export type PlanMeasurementRow = typeof PlanMeasurement.Type
export type PlanPredictionRow = typeof PlanPrediction.Type
export type PlanRunRow = typeof PlanRun.Type
export type PlanStepRow = typeof PlanStep.Type
export type PlanSensitivityRow = typeof PlanSensitivity.Type
