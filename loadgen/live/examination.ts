/** A scenario examined before any load: its population drawn, its trace read, this machine's limits looked up, and the arithmetic done. Starts nothing. */
import { explanation } from '../explain.js'
import { feasibilityOf, type Feasibility, type Pools } from '../feasibility.js'
import { ROWS, type Scenario } from '../scenario.js'
import { machineLimits } from './machine-limits.js'
import { populationFor, recipientsOf } from './part-configs.js'
import { traceOf } from './trace-file.js'

export interface Examination {
  readonly needs: Feasibility
  readonly pools: Pools
  /** The same for people. */
  readonly lines: readonly string[]
}

/** Rejects with a TraceError where the trace of a replay cannot be read. @param out where the run's folder is to be */
export async function examine(scenario: Scenario, out: string): Promise<Examination> {
  const trace = await traceOf(scenario)
  const population = populationFor(scenario)
  const recipients = recipientsOf(population)
  const pools = Object.fromEntries(ROWS.flatMap((row) => (row === 'duplicate' ? [] : [[row, recipients[row].size]]))) as Record<keyof Pools, number>
  let devices = 0
  for (let index = 0; index < population.size; index++) devices += population.subscriber(index).devices.length
  const machine = machineLimits(out)
  const needs = feasibilityOf(scenario, pools, devices, machine, trace?.trace)
  return { needs, pools, lines: explanation(scenario, needs, machine) }
}

/** Why a scenario cannot run, a line for each reason. @param name of the scenario, or its file */
export function refusalText(name: string, { refusals }: Feasibility): string {
  return refusals.map(({ path, message }) => `${name} ${path}: ${message}`).join('\n')
}
