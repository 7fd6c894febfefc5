/**
 * The scenario that runs when none is named: half a minute of load far below what two cores can do, every row of the
 * traffic set, and a panel of independent terminals. Its figures are comparable between machines and versions.
 */
import { Schema } from 'effect'
import { CheckedScenario } from './scenario-rules.js'
import type { Scenario } from './scenario.js'

export const REFERENCE_SCENARIO: Scenario = Schema.decodeSync(CheckedScenario)({
  name: 'reference',
  seed: 20260314,
  load: { arrival: 'poisson', rate: '200/s', warmUp: '5s', duration: '25s', drainMax: '20s' },
})

/**
 * The same with a lower rate, for a machine that is `slowness` times slower than the one it was made for, and a note
 * that says so; unchanged below the margin the scenario has anyway.
 */
export function scaledDown(scenario: Scenario, slowness: number): { readonly scenario: Scenario; readonly note: string | undefined } {
  if (slowness <= MARGIN) return { scenario, note: undefined }
  const rate = Math.max(10, Math.round(scenario.load.rate * MARGIN / slowness))
  const note = `this machine is about ${Math.round(slowness)} times slower than the one the scenario was made for: the load is ${rate}/s instead of ${scenario.load.rate}/s`
  return { scenario: { ...scenario, load: { ...scenario.load, rate } }, note }
}

/** The load is an eighth of what the slowest part was measured to bear; half of that margin is kept. */
const MARGIN = 4
