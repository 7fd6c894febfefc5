/**
 * What the trials of two sides say about one metric: B over A with its interval, and how likely such a difference is by chance alone. The unit is
 * the trial. Knows numbers, not what they are of and what is concluded.
 */
import { mannWhitney } from '../../reports/statistics/mann-whitney.js'
import type { Interval } from '../../reports/statistics/interval.js'
import { mean } from '../../reports/statistics/location.js'
import { blockedRatioOf, ratioOf } from '../../reports/statistics/ratio.js'
import { welchTest, zeroMeanTest } from '../../reports/statistics/student-test.js'
import type { Resampling } from '../../reports/statistics/bootstrap.js'

export type Plan = 'pairs' | 'apart'

export interface Evidence {
  /** The ratio of means, B over A, with the expanded bootstrap interval; undefined where a value is 0, of which there is no ratio. */
  readonly ratio: ({ readonly estimate: number } & Interval) | undefined
  /** Two-sided, of no difference, not corrected for other metrics. */
  readonly pValue: number
}

/** At least two trials a side, none negative; in pairs as many of B as of A, each at its pair's place. */
export function evidenceOf(a: readonly number[], b: readonly number[], plan: Plan, resampling: Resampling): Evidence {
  if ([...a, ...b].some((value) => value === 0)) return { ratio: undefined, pValue: mannWhitney(a, b).pValue }
  const logA = a.map(Math.log)
  const logB = b.map(Math.log)
  const { estimate, expanded } = plan === 'pairs'
    ? blockedRatioOf(b.map((value, index) => ({ a: [value], b: [a[index]!] })), mean, resampling)
    : ratioOf(b, a, mean, resampling)
  const pValue = plan === 'pairs' ? zeroMeanTest(logB.map((value, index) => value - logA[index]!)) : welchTest(logB, logA)
  return { ratio: { estimate, low: expanded.low, high: expanded.high }, pValue }
}
