/**
 * Whether attempts left as evenly as they were planned: a sender that wakes seldom sends in bunches, and what it measures is the queue
 * of its own making. What waited for a connection waited for the other side, and counts when it was taken up. Knows instants.
 */
import type { Micros } from '../../core/kit/time.js'
import type { Window } from './measures.js'
import type { Tables } from './tables.js'

export interface Bunching {
  readonly binMicros: Micros
  /** Coefficients of variation of the attempts in a bin: the standard deviation as a share of the mean. */
  readonly planned: number
  readonly sent: number
}

/** Fewer pieces of time say nothing about how evenly they are filled. */
const BINS_MIN = 40

/**
 * Counts attempts in bins of equal length, by the plan and as they were taken up. Undefined where the window has too few bins, or no attempt.
 * The variation depends on the rate; what a sender adds to it does not: all of two bins' attempts in one of them add 1 to its square.
 */
export function bunchingOf({ attempts }: Tables, window: Window, binMicros: Micros): Bunching | undefined {
  const bins = Math.floor((window.to - window.from) / binMicros)
  if (bins < BINS_MIN) return undefined
  const planned = new Float64Array(bins)
  const sent = new Float64Array(bins)
  const count = (counts: Float64Array, at: Micros): void => {
    const bin = Math.floor((at - window.from) / binMicros)
    if (bin >= 0 && bin < bins) counts[bin]!++
  }
  for (let attempt = 0; attempt < attempts.length; attempt++) {
    count(planned, attempts.plannedAt.get(attempt))
    count(sent, attempts.takenAt.get(attempt))
  }
  const [plan, real] = [variationOf(planned), variationOf(sent)]
  return Number.isNaN(plan) || Number.isNaN(real) ? undefined : { binMicros, planned: plan, sent: real }
}

function variationOf(counts: Float64Array): number {
  const mean = counts.reduce((sum, value) => sum + value, 0) / counts.length
  const variance = counts.reduce((sum, value) => sum + (value - mean) ** 2, 0) / counts.length
  return Math.sqrt(variance) / mean
}
