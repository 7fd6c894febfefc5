/**
 * Intervals of any statistic by drawing the trials again, with replacement (B. Efron, "Bootstrap methods", Annals of Statistics 1979).
 * The unit is the trial: samples inside one trial are not independent, and an interval drawn from them would be far too narrow.
 */
import { drawAgain, type Unit } from './chance.js'
import { studentQuantile } from './distributions.js'
import type { Interval } from './interval.js'
import { mean, quantileOfSorted, type Statistic } from './location.js'
import { demandCount, demandShare, demandValues } from './misuse.js'
import { normalCdf, normalQuantile } from './normal.js'

export interface Resampling {
  /** What the interval shall cover, for instance 0.95. */
  readonly level: number
  /** How often the trials are drawn again; 10,000 leaves bounds at 95 % a chance error of some hundredths of the interval's width. */
  readonly resamples: number
  readonly unit: Unit
}

export interface BootstrapIntervals {
  /** The statistic of the trials as they are. */
  readonly estimate: number
  /**
   * Percentile interval (Efron and Tibshirani, "An introduction to the bootstrap", 1993, chapter 13). Of means of few trials too narrow: at 95 %
   * it covers 85 of 100 for 5 trials, 93 for 20.
   */
  readonly percentile: Interval
  /**
   * Percentile interval at levels moved outwards, so that of a mean of symmetric values it is Student's (T. Hesterberg, "What teachers should
   * know about the bootstrap", The American Statistician 2015). With several strata the degrees of freedom are Welch's, each stratum weighing
   * by the variance it brings. What a verdict over a handful of trials should use: at 95 % it covers 92 of 100 means of 5 trials, 94 of 8,
   * and 94 ratios of means of 5 trials a side; ratios of medians 98, which is wider than needed.
   */
  readonly expanded: Interval
  /**
   * Bias-corrected and accelerated (Efron and Tibshirani 1993, chapter 14): for skewed statistics and medians of many trials; of means of few
   * as narrow as `percentile`.
   * Undefined when the estimate lies outside of everything drawn.
   */
  readonly bca: Interval | undefined
}

/** Intervals of `statistic` over at least two independent trials, in the statistic's unit. The same `unit` sequence gives the same intervals. */
export function bootstrap(trials: ArrayLike<number>, statistic: Statistic, resampling: Resampling): BootstrapIntervals {
  demandValues(trials, 2, 'the trials')
  demandResampling(resampling)
  const values = Float64Array.from(trials)
  const drawn = new Float64Array(values.length)
  const replicates = new Float64Array(resampling.resamples)
  for (let index = 0; index < replicates.length; index++) {
    drawAgain(values, drawn, resampling.unit)
    replicates[index] = statistic(drawn)
  }
  const without = leaveOneOut(values, statistic)
  drawn.set(values)
  return intervalsOf(statistic(drawn), replicates, [without], resampling.level)
}

/** The statistic of all values but one, for each value in turn: what BCa's acceleration and the spread of a stratum are taken from. */
export function leaveOneOut(values: Float64Array, statistic: Statistic): Float64Array {
  const others = new Float64Array(values.length - 1)
  return values.map((_, left) => {
    for (let index = 0; index < others.length; index++) others[index] = values[index < left ? index : index + 1]!
    return statistic(others)
  })
}

export function demandResampling({ level, resamples }: Resampling): void {
  demandShare(level, 'the level')
  demandCount(resamples, 100, 'the number of resamples')
}

/**
 * The intervals from what was drawn. `strata` holds, for each group that was drawn from independently, the statistic with each of its
 * units left out in turn. Sorts `replicates`.
 */
export function intervalsOf(estimate: number, replicates: Float64Array, strata: readonly Float64Array[], level: number): BootstrapIntervals {
  demandValues(replicates, 1, 'the statistics of drawn trials')
  replicates.sort()
  const spreads = strata.map(spreadOf)
  const tail = (1 - level) / 2
  const between: Between = (low, high) => ({ low: quantileOfSorted(replicates, low), high: quantileOfSorted(replicates, high) })
  const outwards = normalCdf(expandedQuantile(tail, spreads))
  const bca = bcaInterval(estimate, replicates, spreads, tail, between)
  return { estimate, percentile: between(tail, 1 - tail), expanded: between(outwards, 1 - outwards), bca }
}

/** How one stratum moves the statistic: its units' influences, their squares and cubes summed, each divided by as many powers of their number. */
interface Spread {
  readonly units: number
  readonly square: number
  readonly cube: number
}

function spreadOf(without: Float64Array): Spread {
  const units = without.length
  const centre = mean(without)
  let square = 0
  let cube = 0
  for (const value of without) {
    const influence = ((units - 1) * (centre - value)) / units
    square += influence ** 2
    cube += influence ** 3
  }
  return { units, square, cube }
}

/** Student's quantile in units of the bootstrap's standard deviation, which is too small by √((n - 1) / n) in each stratum. Below zero. */
function expandedQuantile(tail: number, spreads: readonly Spread[]): number {
  // A median may stand still whichever unit is left out. Then every stratum counts alike.
  const still = spreads.every(({ square }) => square === 0)
  let drawn = 0
  let unbiased = 0
  let welch = 0
  for (const { units, square } of spreads) {
    const variance = still ? 1 : square
    const corrected = (variance * units) / (units - 1)
    drawn += variance
    unbiased += corrected
    welch += corrected ** 2 / (units - 1)
  }
  return studentQuantile(tail, unbiased ** 2 / welch) * Math.sqrt(unbiased / drawn)
}

type Between = (low: number, high: number) => Interval

function bcaInterval(estimate: number, sorted: Float64Array, spreads: readonly Spread[], tail: number, between: Between): Interval | undefined {
  const below = (firstNotBelow(sorted, estimate) + firstAbove(sorted, estimate)) / 2 / sorted.length
  if (below === 0 || below === 1) return undefined
  const bias = normalQuantile(below)
  const square = spreads.reduce((sum, spread) => sum + spread.square, 0)
  const acceleration = square === 0 ? 0 : spreads.reduce((sum, spread) => sum + spread.cube, 0) / (6 * square ** 1.5)
  const moved = (z: number): number => normalCdf(bias + (bias + z) / (1 - acceleration * (bias + z)))
  const z = normalQuantile(tail)
  return between(moved(z), moved(-z))
}

function firstNotBelow(sorted: Float64Array, value: number): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (sorted[middle]! < value) low = middle + 1
    else high = middle
  }
  return low
}

function firstAbove(sorted: Float64Array, value: number): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (sorted[middle]! <= value) low = middle + 1
    else high = middle
  }
  return low
}
