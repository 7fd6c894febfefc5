/** The distribution of values as a staircase, with a band that holds the whole true staircase at once; what the picture of latency by mode draws. */
import { sortedCopy } from './location.js'
import { demandCount, demandShare } from './misuse.js'

export interface Ecdf {
  /** The different values in ascending order. */
  readonly values: Float64Array
  /** For each value: the share of all that is not above it, and the band around it. From 0 to 1. */
  readonly share: Float64Array
  readonly low: Float64Array
  readonly high: Float64Array
}

/**
 * How far the band lies from the staircase on each side, as a share: √(ln(2 / α) / 2n) (Dvoretzky, Kiefer and Wolfowitz, Annals of Mathematical
 * Statistics 1956, with the constant of P. Massart, Annals of Probability 1990).
 */
export function dkwHalfWidth(count: number, level: number): number {
  demandCount(count, 1, 'the number of values')
  demandShare(level, 'the level')
  return Math.sqrt((Math.log(2) - Math.log1p(-level)) / (2 * count))
}

/**
 * The empirical distribution of at least one value with its band at `level`, for all values at once. The band takes the values as
 * independent: samples inside one trial are not, so a band over pooled samples understates, and one over trials does not.
 */
export function ecdf(values: ArrayLike<number>, level: number): Ecdf {
  const sorted = sortedCopy(values)
  const half = dkwHalfWidth(sorted.length, level)
  const last = sorted.map((_, index) => index).filter((index) => sorted[index] !== sorted[index + 1])
  const share = last.map((index) => (index + 1) / sorted.length)
  const low = share.map((at) => Math.max(0, at - half))
  const high = share.map((at) => Math.min(1, at + half))
  return { values: last.map((index) => sorted[index]!), share, low, high }
}
