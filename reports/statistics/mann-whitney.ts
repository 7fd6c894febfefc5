/** Do two sets of trials differ in where they lie? By ranks, so that one wild trial decides nothing; and by how much. */
import { median } from './location.js'
import { demandValues } from './misuse.js'
import { normalCdf } from './normal.js'
import { sumOverTies } from './ties.js'

/** Up to so many trials a side the distribution of U is counted out, if no value occurs twice. */
const COUNTED_UP_TO = 49

export interface RankComparison {
  /** Over all pairs, how often a trial of A is above one of B; a tie counts a half. */
  readonly u: number
  /** Two-sided: how likely a U at least this far from its middle is when A and B are alike. */
  readonly pValue: number
  /** Whether the p value was counted out; otherwise it is the normal approximation. */
  readonly exact: boolean
  /**
   * From -1 (every trial of A below every one of B) to 1: chance of above less chance of below (N. Cliff, "Dominance statistics", Psychological
   * Bulletin 1993).
   */
  readonly cliffsDelta: number
  /**
   * The shift of A against B in the trials' unit: the median over all pairs of a - b (J. Hodges and E. Lehmann, "Estimates of location based on rank
   * tests", Annals of Mathematical Statistics 1963).
   */
  readonly shift: number
}

/**
 * The test of H. Mann and D. Whitney ("On a test of whether one of two random variables is stochastically larger than the other", Annals of
 * Mathematical Statistics 1947). Without ties and below 50 trials a side p is counted out; otherwise it is normal with corrections for ties and
 * continuity (Hollander, Wolfe, "Nonparametric statistical methods", section 4.1). At least one trial a side; pairs are formed one by one.
 */
export function mannWhitney(a: readonly number[], b: readonly number[]): RankComparison {
  demandValues(a, 1, 'the trials of A')
  demandValues(b, 1, 'the trials of B')
  const differences = new Float64Array(a.length * b.length)
  let doubleU = 0
  for (let i = 0; i < a.length; i++) {
    for (let j = 0; j < b.length; j++) {
      const difference = a[i]! - b[j]!
      differences[i * b.length + j] = difference
      doubleU += 1 + Math.sign(difference)
    }
  }
  const u = doubleU / 2
  // By so much equal values narrow the distribution of ranks.
  const tied = sumOverTies(Float64Array.of(...a, ...b), (size) => size ** 3 - size)
  const exact = tied === 0 && a.length <= COUNTED_UP_TO && b.length <= COUNTED_UP_TO
  const extreme = Math.min(u, differences.length - u)
  const pValue = exact ? countedP(extreme, a.length, b.length) : approximateP(extreme, a.length, b.length, tied)
  return { u, pValue, exact, cliffsDelta: doubleU / differences.length - 1, shift: median(differences) }
}

function approximateP(extreme: number, n: number, m: number, tied: number): number {
  const all = n + m
  const variance = ((n * m) / 12) * (all + 1 - tied / (all * (all - 1)))
  if (variance === 0) return 1
  return Math.min(1, 2 * normalCdf((extreme + 0.5 - (n * m) / 2) / Math.sqrt(variance)))
}

/**
 * P(U ≤ extreme) doubled. The orders of n and m values with a given U are counted by the recursion over which side the largest value
 * belongs to (Mann and Whitney 1947, section 2): additions only, so nothing cancels.
 */
function countedP(extreme: number, n: number, m: number): number {
  const limit = Math.floor(extreme)
  const orders = Array.from({ length: m + 1 }, () => new Float64Array(limit + 1))
  for (const row of orders) row[0] = 1
  let all = 1
  for (let i = 1; i <= n; i++) {
    all *= (m + i) / i
    for (let j = 1; j <= m; j++) {
      const row = orders[j]!
      const shorter = orders[j - 1]!
      // The largest value is A's, above j of B's: U is j less without it. Or it is B's, and says nothing of U. Downwards: a row follows from itself.
      for (let sum = limit; sum >= 0; sum--) row[sum] = (sum >= j ? row[sum - j]! : 0) + shorter[sum]!
    }
  }
  return Math.min(1, (2 * orders[m]!.reduce((sum, count) => sum + count, 0)) / all)
}
