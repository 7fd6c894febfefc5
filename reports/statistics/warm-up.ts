/** Where a series stops warming up: how much of its beginning has to be left out so that the rest says most about the steady state. */
import { mean } from './location.js'
import { demandValues } from './misuse.js'

const BATCH = 5
/** Fewer batches say nothing about a transient. */
const LEAST_BATCHES = 10
/** A handful of batches can agree by accident: more than five must remain (K. Hoad, S. Robinson and R. Davies, "Automating warm-up length estimation", 2010). */
const NEVER_ALONE = 5

export interface WarmUp {
  /** How many values at the beginning belong to the warm-up; a multiple of five. */
  readonly truncated: number
  /** The smallest squared marginal standard error found, in the square of the values' unit; not a number when the series is too short. */
  readonly marginalSquare: number
  /** `steady`: the rest may be used. Otherwise the truncation is undefined, and the series has to be longer. */
  readonly verdict: 'steady' | 'never settled' | 'too short'
}

/**
 * MSER-5: the truncation that minimises the marginal standard error of the mean of what remains, over means of five (K. P. White, "An effective
 * truncation heuristic for bias reduction in simulation output", Simulation 1997; in batches of five: S. C. Spratt 1998, and White, Cobb and
 * Spratt, "A comparison of five steady-state truncation heuristics", WSC 2000). Equally spaced values, for instance goodput or p95 of each second.
 * When more than half would have to go, or as much as may go at all, the series never settled. A last batch of fewer than five is not
 * looked at. Series under 50 values are too short. Of steady noise over 120 values some 9 in 100 are called unsettled by chance, of 300 some 2.
 */
export function warmUp(series: ArrayLike<number>): WarmUp {
  demandValues(series, 0, 'the series')
  const batches = batchMeans(series)
  if (batches.length < LEAST_BATCHES) return { truncated: 0, marginalSquare: Number.NaN, verdict: 'too short' }
  const { truncated, marginalSquare } = smallestMarginalSquare(batches)
  const settled = truncated * 2 <= batches.length && truncated < batches.length - NEVER_ALONE - 1
  return { truncated: truncated * BATCH, marginalSquare, verdict: settled ? 'steady' : 'never settled' }
}

function batchMeans(series: ArrayLike<number>): Float64Array {
  const batches = new Float64Array(Math.floor(series.length / BATCH))
  for (let batch = 0; batch < batches.length; batch++) {
    for (let index = 0; index < BATCH; index++) batches[batch]! += series[batch * BATCH + index]! / BATCH
  }
  return batches
}

/** From the end backwards, so that each truncation adds one value to running sums. Equal minima: the shortest truncation. */
function smallestMarginalSquare(batches: Float64Array): { truncated: number; marginalSquare: number } {
  // Sums about a nearby centre, and Welford's update: squares of large numbers would cancel each other.
  const centre = mean(batches)
  let runningMean = 0
  let squares = 0
  let truncated = 0
  let marginalSquare = Infinity
  for (let start = batches.length - 1; start >= 0; start--) {
    const remaining = batches.length - start
    const value = batches[start]! - centre
    const change = value - runningMean
    runningMean += change / remaining
    squares += change * (value - runningMean)
    if (remaining <= NEVER_ALONE || squares / remaining ** 2 > marginalSquare) continue
    truncated = start
    marginalSquare = squares / remaining ** 2
  }
  return { truncated, marginalSquare }
}
