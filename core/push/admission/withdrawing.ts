/**
 * Which recipients of an earlier push can be called off for certain (WAP-249 section 5.4), and taking them out: all that are
 * wanted or, while the store is still being walked after a start, none. Knows where recipients stand, no document.
 */
import type { Deliveries } from '../delivery/deliveries.js'
import type { Delivery } from '../delivery/delivery.js'
import type { KeptPush } from './push-lookup.js'

/** What became of one: taken out; left alone, since it is under way or its outcome is being written; over before. */
export type Withdrawn = 'withdrawn' | 'under-way' | 'over'

export interface Withdrawals {
  /** In the order asked for. */
  readonly each: readonly Withdrawn[]
  readonly deliveries: readonly Delivery[]
}

/** Undefined when one of them may be waiting in the store, not taken up yet since the start, or is being read from there: ask again later. */
export function withdraw(deliveries: Deliveries, push: KeptPush, recipients: readonly number[]): Withdrawals | undefined {
  const { index, isComplete, parking } = deliveries
  const { sequence, submission, finals } = push
  const mayWait = (recipient: number): boolean => submission !== undefined && !finals.has(recipient) && index.get(sequence, recipient) === undefined
    && (parking.isReturning(sequence) || (!isComplete && !parking.holds(sequence, recipient, submission)))
  if (recipients.some(mayWait)) return undefined
  const taken: Delivery[] = []
  const each = recipients.map((recipient): Withdrawn => {
    const delivery = index.get(sequence, recipient) ?? (submission === undefined ? undefined : deliveries.unparked(sequence, recipient, submission))
    // It left the index when its outcome had been written.
    if (delivery === undefined) return 'over'
    // Whose last outcome is being written has no submission left; it cannot be taken out either.
    if (submission === undefined || !deliveries.withdraw(delivery)) return 'under-way'
    taken.push(delivery)
    return 'withdrawn'
  })
  return { each, deliveries: taken }
}
