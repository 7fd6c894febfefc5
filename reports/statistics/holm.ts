/** Several comparisons at once: p values made comparable with one level, so that twenty metrics do not find one difference by chance alone. */
import { demand } from './misuse.js'

/**
 * Holm's step-down adjustment (S. Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 1979).
 * Adjusted p values in the order given; comparing each with α keeps the chance of any false finding among them at or below α, whatever
 * depends on what. Each p value is from 0 to 1.
 */
export function holm(pValues: readonly number[]): number[] {
  pValues.forEach((pValue, index) => demand(pValue >= 0 && pValue <= 1, `a p value lies between 0 and 1; value ${index} is ${pValue}`))
  const ascending = pValues.map((_, index) => index).sort((a, b) => pValues[a]! - pValues[b]!)
  const adjusted = new Array<number>(pValues.length)
  let least = 0
  ascending.forEach((index, rank) => {
    least = Math.max(least, Math.min(1, pValues[index]! * (pValues.length - rank)))
    adjusted[index] = least
  })
  return adjusted
}
