/**
 * What a plan of an experiment says, as one schema: the scenario that is changed, the factors with their levels, and how often each
 * cell is tried. Knows what may be written, not what follows from it (design.ts).
 */
import { Schema } from 'effect'
import { SEED_MAX } from '../scenario.js'

const Scalar = Schema.Union(Schema.String, Schema.Number, Schema.Boolean)
const Settings = Schema.Record({ key: Schema.String, value: Schema.Unknown })

const NamedLevel = Schema.Struct({
  name: Schema.NonEmptyString.annotations({ description: 'What the level is called in tables.' }),
  set: Settings.annotations({ description: 'Keys of the scenario, dotted as in push.size, with their values.' }),
})

const PlanFactor = Schema.Struct({
  name: Schema.optional(Schema.NonEmptyString),
  key: Schema.optional(Schema.NonEmptyString.annotations({ description: 'The key of the scenario that the levels are values of, dotted as in push.size.' })),
  levels: Schema.NonEmptyArray(Schema.Union(Scalar, NamedLevel)),
})

const whole = (from: number, to: number) => Schema.Int.pipe(Schema.between(from, to, { message: (issue) => `${String(issue.actual)} is not between ${from} and ${to}` }))

export const BLOCKS_MAX = 1_000

export const ExperimentPlan = Schema.Struct({
  name: Schema.String.pipe(Schema.pattern(/^[a-z0-9][a-z0-9-]{0,63}$/, { message: () => 'a name is lower-case letters, digits and hyphens' })),
  seed: Schema.optionalWith(whole(0, SEED_MAX), { default: () => 1 }),
  trials: Schema.optionalWith(whole(1, BLOCKS_MAX), { default: () => 5 }).annotations({ description: 'Trials of each cell.' }),
  equal: Schema.optionalWith(Schema.Literal('load', 'objective'), { default: () => 'load' as const }).annotations({
    description: 'Every trial offers the same load; or in each the highest rate that keeps the objective is searched, and measured there.',
  }),
  scenario: Schema.optionalWith(Settings, { default: () => ({}) }).annotations({ description: 'Keys of the scenario, as in a scenario file; what is left out has its default.' }),
  factors: Schema.NonEmptyArray(PlanFactor),
})
export type ExperimentPlan = typeof ExperimentPlan.Type
