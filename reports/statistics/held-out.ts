/** How wrong a model is where it was not fitted. A model is quoted with this error or not at all; the error at its own points flatters it. */
import type { Point } from './line.js'
import { demand } from './misuse.js'

/** How far a prediction is from what was measured, as a share of what was measured: 0.1 is 10 % too high, -0.1 too low. */
export function relativeError(predicted: number, measured: number): number {
  demand(Number.isFinite(measured) && measured !== 0, `an error cannot be a share of ${measured}`)
  return predicted / measured - 1
}

/**
 * For each point in turn: fit the others, predict it, and take the relative error (leave-one-out; M. Stone, "Cross-validatory choice and
 * assessment of statistical predictions", JRSS B 1974). The last of points in ascending x is the error of extrapolating. `fit` must be able
 * to do with one point less.
 */
export function heldOutErrors(points: readonly Point[], fit: (others: readonly Point[]) => (x: number) => number): number[] {
  return points.map(({ x, y }, left) => relativeError(fit(points.filter((_, index) => index !== left))(x), y))
}
