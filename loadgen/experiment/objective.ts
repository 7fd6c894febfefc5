/**
 * The highest rate at which a scenario keeps its objective, roughly: stairs until one rate passed and one failed, then halves of what lies between.
 * For ways that are to be compared at equal objective and not at equal load. Knows rates and verdicts, no experiment.
 */
import type { RunRecord } from '../../reports/record.js'
import { judge } from '../capacity/judge.js'
import type { Scenario } from '../scenario.js'

export interface Offer {
  /** From 0, in the order of the search. */
  readonly index: number
  readonly perSecond: number
}

/** Trials of one search at most. */
export const OFFERS_MAX = 20
/** The search ends when the rate that failed is within this ratio of the one that passed. */
const RESOLUTION = 1.1
const LEVEL = 0.95

/**
 * Asks for one rate after another, beginning with the scenario's, and returns the index of the highest that passed. Undefined when nothing can be said of
 * the system under test: a trial was invalid, the instruments were at their limit, or no rate passed or failed.
 */
export function* searchObjective({ load, objective }: Scenario): Generator<Offer, number | undefined, RunRecord> {
  let passed: Offer | undefined
  let failed: number | undefined
  let perSecond = rounded(load.rate)
  for (let index = 0; index < OFFERS_MAX; index++) {
    const offer = { index, perSecond }
    const { result } = judge(yield offer, objective.inadequatelyHandled, LEVEL)
    if (result === 'invalid' || result === 'instrument') return undefined
    if (result === 'passed') passed = offer
    else failed = perSecond
    if (passed === undefined) perSecond = rounded(perSecond / 2)
    else if (failed === undefined) perSecond = rounded(perSecond * 2)
    else if (failed / passed.perSecond <= RESOLUTION) return passed.index
    else perSecond = rounded(Math.sqrt(passed.perSecond * failed))
  }
  return undefined
}

/** Three digits: rates for people. */
function rounded(perSecond: number): number {
  return Number(perSecond.toPrecision(3))
}
