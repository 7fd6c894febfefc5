/** The trials of an experiment as CSV (RFC 4180): one row each with every measure, for whoever wants to reckon for himself. */
import { RESPONSES, type ExperimentAnswer } from '../../reports/answers/experiment.js'
import { csv } from '../csv.js'

/** The factors' columns are called as they are; cells that cannot be measured have a row without figures that says why. */
export function experimentCsv({ trials, cells, factors }: ExperimentAnswer): string {
  const levelsOf = (id: string): string[] => factors.map(({ levels }, index) => levels[cells.find((cell) => cell.id === id)!.levels[index]!]!.name)
  return csv(['id', 'cell', ...factors.map(({ name }) => name), 'seed', 'block', 'per_second', 'valid', 'counted', 'why', ...RESPONSES.map(columnOf)], [
    ...trials.map(({ id, cell, seed, block, perSecond, valid, counted, why, measures }) =>
      [id, cell, ...levelsOf(cell), seed, block, perSecond, String(valid), String(counted), why, ...RESPONSES.map((response) => measures[response])]),
    ...cells.flatMap(({ id, infeasible }) => (infeasible === undefined ? [] : [[undefined, id, ...levelsOf(id), undefined, undefined, undefined, 'false', 'false', `${infeasible.rule}: ${infeasible.words}`, ...RESPONSES.map(() => undefined)]])),
  ])
}

/** `gatewayCpuMicrosPerPush` as `gateway_cpu_micros_per_push`. */
function columnOf(response: string): string {
  return response.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}
