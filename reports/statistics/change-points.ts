/**
 * Where a history changed: E-divisive (D. Matteson and N. James, "A nonparametric approach for multiple change point analysis of multivariate
 * data", JASA 2014), for one variable. Finds any change of distribution, not only of the mean, and needs to know neither their number nor the
 * shape of the noise. Knows values in their order, not what was released between them.
 */
import { shuffle, type Unit } from './chance.js'
import { demand, demandCount, demandShare, demandValues } from './misuse.js'

export interface ChangePointSearch {
  /** A change is believed when chance alone would do as much in at most this share of histories, for instance 0.05. */
  readonly significance: number
  /** Random orders each candidate is held against; 199 resolve p values down to 0.005. */
  readonly permutations: number
  /** No segment is shorter; at least 2. Small finds recent changes, large tolerates odd runs. */
  readonly leastSegment: number
  readonly unit: Unit
}

export interface ChangePoint {
  /** The first value after the change, counted from 0. */
  readonly index: number
  /** The scaled energy divergence between both sides, in the values' unit. */
  readonly divergence: number
  readonly pValue: number
}

export interface Split {
  readonly index: number
  /** Where the values compared on the right side end (not included): a later change in the same segment must not hide this one. */
  readonly end: number
  readonly divergence: number
}

/**
 * The change points of a series in order of their place. Segments are split one by one, the strongest change first, until the strongest one left
 * is no longer significant. Takes time and memory in the square of the series' length: a thousand values are well.
 */
export function changePoints(series: ArrayLike<number>, search: ChangePointSearch): ChangePoint[] {
  demandValues(series, 0, 'the series')
  demandShare(search.significance, 'the significance')
  demandCount(search.permutations, 1, 'the number of permutations')
  const values = Float64Array.from(series)
  const splitter = new Splitter(values.length, search.leastSegment)
  const shuffled = new Float64Array(values.length)
  const borders = [0, values.length]
  const found: ChangePoint[] = []
  for (;;) {
    const split = strongest(splitter, values, borders)
    if (split === undefined) break
    let asStrong = 0
    for (let permutation = 0; permutation < search.permutations; permutation++) {
      shuffled.set(values)
      for (let segment = 1; segment < borders.length; segment++) shuffle(shuffled, borders[segment - 1]!, borders[segment]!, search.unit)
      // Orders that come to the same sums differ by rounding.
      if (strongest(splitter, shuffled, borders)!.divergence >= split.divergence * (1 - 1e-12)) asStrong++
    }
    const pValue = (asStrong + 1) / (search.permutations + 1)
    if (pValue > search.significance) break
    found.push({ index: split.index, divergence: split.divergence, pValue })
    borders.push(split.index)
    borders.sort((a, b) => a - b)
  }
  return found.sort((a, b) => a.index - b.index)
}

/** The strongest split of one series as a whole, whether significant or not; undefined when it is too short for two segments. */
export function strongestSplit(series: ArrayLike<number>, leastSegment: number): Split | undefined {
  demandValues(series, 0, 'the series')
  return new Splitter(series.length, leastSegment).strongest(Float64Array.from(series), 0, series.length)
}

function strongest(splitter: Splitter, values: Float64Array, borders: readonly number[]): Split | undefined {
  let best: Split | undefined
  for (let segment = 1; segment < borders.length; segment++) {
    const split = splitter.strongest(values, borders[segment - 1]!, borders[segment]!)
    if (split !== undefined && (best === undefined || split.divergence > best.divergence)) best = split
  }
  return best
}

/** Finds the strongest split of a stretch. Holds the table of summed distances, so that hundreds of permutations share one. */
class Splitter {
  private readonly sums: Float64Array

  constructor(longest: number, private readonly leastSegment: number) {
    demandCount(leastSegment, 2, 'the shortest segment')
    demand(longest <= 2000, `the series may hold at most 2,000 values, the newest for instance; it holds ${longest}`)
    this.sums = new Float64Array((longest + 1) ** 2)
  }

  strongest(values: Float64Array, from: number, to: number): Split | undefined {
    const count = to - from
    const least = this.leastSegment
    if (count < 2 * least) return undefined
    this.sumDistances(values, from, count)
    let index = 0
    let end = 0
    let divergence = -Infinity
    for (let left = least; left <= count - least; left++) {
      for (let last = left + least; last <= count; last++) {
        const found = this.divergence(left, last, count + 1)
        if (found <= divergence) continue
        divergence = found
        index = from + left
        end = from + last
      }
    }
    return { index, end, divergence }
  }

  /** sums[i][j]: the distances between each of the first i and each of the first j values. The paper's exponent α is 1. */
  private sumDistances(values: Float64Array, from: number, count: number): void {
    const { sums } = this
    const width = count + 1
    sums.fill(0, 0, width)
    for (let row = 1; row <= count; row++) {
      const value = values[from + row - 1]!
      let ofRow = 0
      sums[row * width] = 0
      for (let column = 1; column <= count; column++) {
        ofRow += Math.abs(value - values[from + column - 1]!)
        sums[row * width + column] = sums[(row - 1) * width + column]! + ofRow
      }
    }
  }

  /**
   * The paper's "Measuring differences in multivariate distributions": n m / (n + m) times the energy distance of the n values before `left` and the m
   * from there up to `last`.
   */
  private divergence(left: number, last: number, width: number): number {
    const { sums } = this
    const right = last - left
    const withinLeft = sums[left * width + left]!
    const between = sums[left * width + last]! - withinLeft
    const withinRight = sums[last * width + last]! - 2 * between - withinLeft
    const energy = (2 * between) / (left * right) - withinLeft / (left * (left - 1)) - withinRight / (right * (right - 1))
    return (energy * left * right) / (left + right)
  }
}
