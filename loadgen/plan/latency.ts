/**
 * Latency against how busy the gateway is: a part that does not depend on the load, and a wait that grows as ρ / (1 - ρ), which is how the mean wait before
 * one server grows whatever its service times are (Pollaczek and Khinchine; L. Kleinrock, "Queueing systems" I, section 5.6). That a percentile grows
 * alike is supposed, and quoted only where it holds at points left out. Of MESSAGE alone: a session waits for other things.
 */
import type { PlanModelRow } from '../../reports/answers/plan.js'
import { heldOutErrors } from '../../reports/statistics/held-out.js'
import { fitLine, type Point } from '../../reports/statistics/line.js'
import { significant } from '../../reports/format.js'
import type { Observed } from './evidence.js'
import { LEVEL, TOLERANCE } from './laws.js'

export interface LatencyLaw {
  readonly model: PlanModelRow
  /** Microseconds at so many processors kept busy by the gateway. */
  at(gatewayCores: number): number
}

/** Beyond this a percentile of a run is one of a queue that had not settled. */
const BUSY_MAX = 0.95

export function fitLatency(points: readonly Observed[], percentile: 'p50' | 'p99'): LatencyLaw | undefined {
  const usable = points.filter(({ sessions, gatewayCores }) => sessions === 0 && gatewayCores < BUSY_MAX).flatMap((point) => {
    const y = percentile === 'p50' ? point.p50Micros : point.p99Micros
    return y === undefined ? [] : [{ run: point.file, x: waitOf(point.gatewayCores), y }]
  })
  if (new Set(usable.map(({ x }) => x)).size < 4) return undefined
  const fit = (of: readonly Point[]) => {
    const { intercept, slope } = fitLine(of, LEVEL)
    return { intercept, slope, at: (x: number): number => intercept + slope * x }
  }
  const line = fit(usable)
  const errors = heldOutErrors(usable, (others) => fit(others).at)
  const error = Math.sqrt(errors.reduce((sum, value) => sum + value * value, 0) / errors.length)
  return {
    model: {
      name: `latency.${percentile}`, words: `${percentile} from planned time to the content at the terminal, by MESSAGE`, unit: 'micros', along: 'ρ / (1 - ρ) of the gateway',
      formula: `micros = ${significant(line.intercept)} + ${significant(line.slope)} ρ/(1-ρ)`, tolerance: TOLERANCE, heldOutErrors: errors, heldOutError: error,
      verdict: error <= TOLERANCE ? 'holds' : 'does-not-hold',
      points: usable.map(({ run, x, y }) => ({ run, x, measured: y, fitted: line.at(x) })),
    },
    at: (gatewayCores) => line.at(waitOf(gatewayCores)),
  }
}

function waitOf(busy: number): number {
  return busy / (1 - busy)
}
