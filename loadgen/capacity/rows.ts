/** The trials of a capacity answer as CSV (RFC 4180): one row each, for whoever wants to reckon for himself. */
import { csv } from '../csv.js'
import type { CapacityAnswer } from '../../reports/answers/capacity.js'

export function capacityCsv({ trials }: CapacityAnswer): string {
  return csv(['id', 'phase', 'replicate', 'per_second', 'seed', 'result', 'attempts', 'inadequately_handled', 'low', 'high', 'delivered_per_second', 'refused_share', 'end_to_end_p50_us', 'end_to_end_p99_us', 'busiest_part', 'busiest_share', 'why'],
    trials.map((trial) => [
      trial.id, trial.phase, trial.replicate, trial.perSecond, trial.seed, trial.result, trial.attempts, trial.inadequatelyHandled, trial.interval?.low, trial.interval?.high,
      trial.deliveredPerSecond, trial.refusedShare, trial.endToEndP50Us, trial.endToEndP99Us, trial.busiest?.part, trial.busiest?.share, trial.why,
    ]))
}
