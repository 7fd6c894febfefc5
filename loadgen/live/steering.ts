/** What keys ask of a load under way, and what came of a wish for another rate, in words. Knows rates, not where keys come from. */
import { rate } from '../../reports/format.js'
import type { RateChange, RateChanged } from '../rate-course.js'

/** What one press does to the rate. */
const TENTH = 1.1

/** Undefined for a key that means nothing. */
export function changeFor(key: string, isHeld: boolean): RateChange | undefined {
  switch (key) {
    // The same key without shift.
    case '+':
    case '=': return { type: 'factor', factor: TENTH }
    case '-':
    case '_': return { type: 'factor', factor: 1 / TENTH }
    case ' ': return { type: isHeld ? 'release' : 'hold' }
    default: return undefined
  }
}

export function wordsOf(changed: RateChanged | string): string {
  if (typeof changed === 'string') return `The rate stays what it is: ${changed}.`
  if (changed.what === 'held') return `Held at ${rate(changed.perSecond)}.`
  return changed.what === 'released' ? `Let go: the load goes on with ${rate(changed.perSecond)}.` : `${rate(changed.perSecond)} from now on.`
}
