/**
 * Is there a difference at all: Student's test for pairs and Welch's for two groups. What a verdict over a handful of trials is held against when
 * several metrics are corrected for one another: a resampled p value cannot become small enough for that. Trials are taken as independent and
 * roughly normal; of times, take logarithms first.
 */
import { betaTails } from './incomplete-beta.js'
import { mean } from './location.js'
import { demandValues } from './misuse.js'

/**
 * Two-sided p value of no difference in the mean between two groups of at least two values each, whose variances need not be alike
 * (B. L. Welch, "The generalization of Student's problem when several different population variances are involved", Biometrika 1947).
 */
export function welchTest(a: ArrayLike<number>, b: ArrayLike<number>): number {
  demandValues(a, 2, 'the values of A')
  demandValues(b, 2, 'the values of B')
  const ofA = squaredError(a)
  const ofB = squaredError(b)
  const freedom = (ofA + ofB) ** 2 / (ofA ** 2 / (a.length - 1) + ofB ** 2 / (b.length - 1))
  return twoSided(mean(a) - mean(b), ofA + ofB, freedom)
}

/** Two-sided p value of a mean of zero, of at least two values: of the differences within pairs, for instance ("Student", Biometrika 1908). */
export function zeroMeanTest(values: ArrayLike<number>): number {
  demandValues(values, 2, 'the values')
  return twoSided(mean(values), squaredError(values), values.length - 1)
}

/** Of the mean. */
function squaredError(values: ArrayLike<number>): number {
  const centre = mean(values)
  let squares = 0
  for (let index = 0; index < values.length; index++) squares += (values[index]! - centre) ** 2
  return squares / (values.length - 1) / values.length
}

/** P(|T| > t) is I_x(ν / 2, 1 / 2) at x = ν / (ν + t²) (Abramowitz and Stegun 26.7.1). Without any spread a difference is certain. */
function twoSided(difference: number, square: number, freedom: number): number {
  if (difference === 0) return 1
  if (square === 0) return 0
  const tSquare = difference ** 2 / square
  return betaTails(freedom / (freedom + tSquare), tSquare / (freedom + tSquare), freedom / 2, 0.5).lower
}
