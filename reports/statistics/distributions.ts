/** Quantiles of Student's, the beta and the binomial distribution. All from one function and one search; checked against scipy's to nine digits. */
import { betaTails } from './incomplete-beta.js'
import { demand, demandCount, demandShare } from './misuse.js'
import { normalQuantile } from './normal.js'

const NEARLY_NORMAL = 1e7

/** The t that Student's distribution with so many degrees of freedom (above 0, not necessarily whole) stays below with probability p. */
export function studentQuantile(p: number, freedom: number): number {
  demandShare(p, 'a probability')
  demand(freedom > 0 && Number.isFinite(freedom), `the degrees of freedom must be a finite number above 0; they are ${freedom}`)
  if (p === 0.5) return 0
  // All but normal, and the fraction behind the exact value would take long: Abramowitz and Stegun 26.7.5, first term.
  if (freedom >= NEARLY_NORMAL) {
    const z = normalQuantile(p)
    return z + (z ** 3 + z) / (4 * freedom)
  }
  const t = Math.exp(search(Math.min(p, 1 - p), -1, (log) => {
    const square = Math.exp(2 * log)
    // P(T > t) is half of I_x(ν / 2, 1 / 2) at x = ν / (ν + t²) (Abramowitz and Stegun 26.5.27, 26.7.1).
    const { lower, power } = betaTails(freedom / (freedom + square), square / (freedom + square), freedom / 2, 0.5)
    return { tail: lower / 2, slope: power }
  }))
  return p < 0.5 ? -t : t
}

/** The x that the beta distribution with parameters a and b (above 0) stays below with probability p. */
export function betaQuantile(p: number, a: number, b: number): number {
  demandShare(p, 'a probability')
  demand(a > 0 && b > 0 && a + b < 1e9, `the beta distribution's parameters must be above 0 and below a thousand million; they are ${a} and ${b}`)
  // By the smaller of x and 1 - x, which keeps its digits.
  if (a > b) return 1 - betaQuantile(1 - p, b, a)
  return Math.exp(search(Math.min(p, 1 - p), p <= 0.5 ? 1 : -1, (log) => {
    const x = Math.exp(log)
    const y = -Math.expm1(log)
    const { lower, upper, power } = betaTails(x, y, a, b)
    return { tail: p <= 0.5 ? lower : upper, slope: power / y }
  }, 0))
}

/** The smallest number of successes that n attempts, each succeeding with probability `share`, stay at or below with probability p or more. */
export function binomialQuantile(p: number, n: number, share: number): number {
  demandShare(p, 'a probability')
  demandCount(n, 1, 'the number of attempts')
  demandShare(share, 'the share')
  let low = 0
  let high = n
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    // Abramowitz and Stegun 26.5.24; p may be exactly reached, which rounding must not hide.
    if (betaTails(1 - share, share, n - middle, middle + 1).lower >= p * (1 - 1e-12)) high = middle
    else low = middle + 1
  }
  return low
}

interface Tail {
  readonly tail: number
  /** How fast it changes with the logarithm, without sign. */
  readonly slope: number
}

/**
 * Where a tail is q, on a logarithmic scale from e^-745 up to e^`highest`: Newton's steps on the tail's own logarithm, which is nearly straight,
 * halving whenever one leads out of what is known to enclose the place. `direction` is 1 for a tail that grows, -1 for one that shrinks.
 */
function search(q: number, direction: 1 | -1, tailAt: (log: number) => Tail, highest = 350): number {
  let below = -745
  let above = highest
  let at = -0.5
  for (let step = 0; step < 200; step++) {
    const { tail, slope } = tailAt(at)
    if (tail < q === (direction === 1)) below = at
    else above = at
    const newton = (direction * Math.log(tail / q) * tail) / slope
    const next = at - newton
    if (Math.abs(newton) < 1e-15 * Math.max(1, Math.abs(at))) return next
    at = next > below && next < above ? next : (below + above) / 2
  }
  return at
}
