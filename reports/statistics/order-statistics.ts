/** The interval of a quantile between two of the values themselves: no assumption on the distribution, no resampling. Independent values only. */
import { binomialQuantile } from './distributions.js'
import type { Interval } from './interval.js'
import { sortedCopy } from './location.js'
import { demandShare } from './misuse.js'

/**
 * The interval of the quantile at `share` (0.99 for p99): how many values lie below the true quantile is binomial, so two order statistics
 * enclose it at `level` or a little more (H. David and H. Nagaraja, "Order statistics", section 7.1; Conover, "Practical nonparametric
 * statistics", section 3.2). Bounds are values of the sample, or infinite where so few values cannot bound it: p99 from above takes 368 of
 * them at 95 %.
 */
export function quantileInterval(values: ArrayLike<number>, share: number, level: number): Interval {
  demandShare(share, 'the quantile')
  demandShare(level, 'the level')
  const sorted = sortedCopy(values)
  const tail = (1 - level) / 2
  const below = binomialQuantile(tail, sorted.length, share)
  const above = binomialQuantile(1 - tail, sorted.length, share)
  return { low: below === 0 ? -Infinity : sorted[below - 1]!, high: above === sorted.length ? Infinity : sorted[above]! }
}
