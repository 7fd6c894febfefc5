/** A plan that also makes a design; what is wrong with it is told like any other wrong value, at its place. */
import { Schema } from 'effect'
import { designOf } from './design.js'
import { ExperimentPlan } from './plan-schema.js'

export const CheckedPlan = ExperimentPlan.pipe(Schema.filter((plan) => {
  const designed = designOf(plan)
  return designed.ok ? [] : designed.problems.map(({ path, message }) => ({ path, message }))
}))
