/** What each cell of an experiment came to: means over its trials with their intervals, its latencies, or the rule that forbids it. */
import type { ExperimentCell } from '../../reports/answers/experiment.js'
import { meanInterval } from '../../reports/statistics/student.js'
import type { LatencyPool } from './latency-pool.js'
import { RESPONSE_ROWS } from './measures.js'
import type { MeasuredTable } from './table.js'

export function answerCells(table: MeasuredTable, latencies: LatencyPool, level: number): ExperimentCell[] {
  return table.design.cells.map((cell): ExperimentCell => {
    const measured: Record<string, ExperimentCell['measured'][string]> = {}
    for (const { name } of RESPONSE_ROWS) {
      const values = table.blocks.flatMap((block) => table.value(name, cell, block) ?? [])
      if (values.length === 1) measured[name] = { trials: 1, mean: values[0]! }
      else if (values.length > 1) {
        const { mean, low, high } = meanInterval(values, level)
        measured[name] = { trials: values.length, mean, low, high }
      }
    }
    const endToEnd = latencies.of(cell.id)
    return {
      id: cell.id, levels: [...cell.levels], ...(cell.infeasible === undefined ? {} : { infeasible: cell.infeasible }), measured, ...(endToEnd === undefined ? {} : { endToEnd }),
    }
  })
}
