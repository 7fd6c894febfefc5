/** Where values lie: mean, median and quantiles of a sample. What may be concluded from them about the population, other files say. */
import { demand, demandValues } from './misuse.js'

/** One number that describes values, in their unit. It may put the values into another order, and keeps no reference to them. */
export type Statistic = (values: Float64Array) => number

/** The arithmetic mean of at least one value. */
export function mean(values: ArrayLike<number>): number {
  let sum = 0
  for (let index = 0; index < values.length; index++) sum += values[index]!
  return sum / values.length
}

/** The median as a statistic: half-way between the middle two when their number is even. Sorts the values. */
export const median: Statistic = (values) => quantileOfSorted(values.sort(), 0.5)

/** The quantile at `share` (0 to 1) as a statistic; `quantile(0.99)` is the 99th percentile. Sorts the values. */
export function quantile(share: number): Statistic {
  demand(share >= 0 && share <= 1, `a quantile is asked at a share from 0 to 1; it is ${share}`)
  return (values) => quantileOfSorted(values.sort(), share)
}

/**
 * The quantile of values in ascending order, interpolated between neighbours: definition 7 of R. Hyndman and Y. Fan ("Sample quantiles in statistical
 * packages", The American Statistician 1996).
 */
export function quantileOfSorted(sorted: ArrayLike<number>, share: number): number {
  const position = (sorted.length - 1) * share
  const below = Math.floor(position)
  const value = sorted[below]!
  return below + 1 < sorted.length ? value + (position - below) * (sorted[below + 1]! - value) : value
}

/** A copy of the values in ascending order; at least one, all finite. */
export function sortedCopy(values: ArrayLike<number>): Float64Array {
  demandValues(values, 1, 'the values')
  return Float64Array.from(values).sort()
}
