/**
 * The interval of a mean by Student's t, and how many more trials would make an interval narrow enough. Trials are taken as independent and
 * roughly normal.
 */
import { studentQuantile } from './distributions.js'
import type { Interval } from './interval.js'
import { mean } from './location.js'
import { demand, demandCount, demandShare, demandValues } from './misuse.js'

export interface MeanInterval extends Interval {
  readonly mean: number
  /** Of the sample, with n - 1 as divisor. */
  readonly standardDeviation: number
}

/** The interval of the mean of at least two trials ("Student", "The probable error of a mean", Biometrika 1908), in their unit. */
export function meanInterval(trials: ArrayLike<number>, level: number): MeanInterval {
  demandValues(trials, 2, 'the trials')
  demandShare(level, 'the level')
  const centre = mean(trials)
  let squares = 0
  for (let index = 0; index < trials.length; index++) squares += (trials[index]! - centre) ** 2
  const standardDeviation = Math.sqrt(squares / (trials.length - 1))
  const half = halfWidth(trials.length, standardDeviation, level)
  return { mean: centre, standardDeviation, low: centre - half, high: centre + half }
}

/**
 * How many more trials until an interval that is `half` wide to each side after `done` trials is no wider than `wanted` to each side,
 * for "inconclusive: about n more trials". Both in the same unit, be it that of the trials or a ratio. The spread of the trials is taken
 * to stay what it was, so the half width shrinks as t(n - 1) / √n. Zero when it is narrow enough already.
 */
export function furtherTrials(done: number, half: number, wanted: number, level: number): number {
  demandCount(done, 2, 'the number of trials done')
  demand(half >= 0 && Number.isFinite(half), `the half width reached must be a finite number of at least 0; it is ${half}`)
  demand(wanted > 0, `the half width wanted must be above 0; it is ${wanted}`)
  demandShare(level, 'the level')
  if (half <= wanted) return 0
  const spread = half / halfWidth(done, 1, level)
  let narrowEnough = done
  let tooFew = done
  while (halfWidth(narrowEnough, spread, level) > wanted) {
    tooFew = narrowEnough
    narrowEnough *= 2
    demand(Number.isSafeInteger(narrowEnough), `no number of trials brings the half width from ${half} to ${wanted}`)
  }
  while (narrowEnough - tooFew > 1) {
    const between = Math.floor((narrowEnough + tooFew) / 2)
    if (halfWidth(between, spread, level) > wanted) tooFew = between
    else narrowEnough = between
  }
  return narrowEnough - done
}

function halfWidth(trials: number, standardDeviation: number, level: number): number {
  return (studentQuantile((1 + level) / 2, trials - 1) * standardDeviation) / Math.sqrt(trials)
}
