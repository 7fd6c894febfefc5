/** What may be concluded from counts: how large a share is in truth when so many of so many attempts had it. Knows nothing of attempts in time. */
import { betaQuantile } from './distributions.js'
import type { Interval } from './interval.js'
import { demand, demandCount, demandShare } from './misuse.js'
import { normalQuantile } from './normal.js'

/**
 * Wilson's score interval for a share (E. B. Wilson, "Probable inference", JASA 1927), without continuity correction; the choice
 * of Brown, Cai and DasGupta 2001 for all but the smallest counts. Bounds are shares from 0 to 1.
 * Undefined when nothing was tried: no attempts, no statement.
 */
export function wilson(successes: number, attempts: number, level: number): Interval | undefined {
  demandCounts(successes, attempts, level)
  if (attempts === 0) return undefined
  const z = normalQuantile((1 + level) / 2)
  const share = successes / attempts
  const perAttempt = (z * z) / attempts
  const centre = (share + perAttempt / 2) / (1 + perAttempt)
  const half = (Math.sqrt((share * (1 - share)) / attempts + (perAttempt / attempts) / 4) * z) / (1 + perAttempt)
  // At the ends the bound is 0 or 1 by algebra; by arithmetic it would be a rounding error beside it.
  return { low: successes === 0 ? 0 : centre - half, high: successes === attempts ? 1 : centre + half }
}

/**
 * The exact interval for a share (C. Clopper and E. Pearson, "The use of confidence or fiducial limits illustrated in the case of the
 * binomial", Biometrika 1934). Never covers less than its level and is wider than Wilson's: for small counts on which much depends.
 * Undefined when nothing was tried.
 */
export function clopperPearson(successes: number, attempts: number, level: number): Interval | undefined {
  demandCounts(successes, attempts, level)
  if (attempts === 0) return undefined
  const tail = (1 - level) / 2
  return {
    low: successes === 0 ? 0 : betaQuantile(tail, successes, attempts - successes + 1),
    high: successes === attempts ? 1 : betaQuantile(1 - tail, successes + 1, attempts - successes),
  }
}

/**
 * How many attempts without a single failure it takes to say at `level` that the share of failures is below `share`: the smallest n with
 * (1 - share)^n ≤ 1 - level. 0.1 % at 95 % takes 2,995 ("rule of three", Hanley and Lippman-Hand, JAMA 1983).
 */
export function cleanAttemptsToResolve(share: number, level: number): number {
  demandShare(share, 'the share to be resolved')
  demandShare(level, 'the level')
  return Math.ceil(Math.log1p(-level) / Math.log1p(-share))
}

/** The smallest share of failures that so many clean attempts can exclude at `level`: the other direction of `cleanAttemptsToResolve`. */
export function resolvableShare(attempts: number, level: number): number {
  demandCount(attempts, 1, 'the number of attempts')
  demandShare(level, 'the level')
  return -Math.expm1(Math.log1p(-level) / attempts)
}

function demandCounts(successes: number, attempts: number, level: number): void {
  demandCount(attempts, 0, 'the number of attempts')
  demandCount(successes, 0, 'the number of successes')
  demand(successes <= attempts, `there cannot be more successes (${successes}) than attempts (${attempts})`)
  demandShare(level, 'the level')
}
