/**
 * The push-ids a device has seen lately, so that a second copy is answered and counted but not shown twice. Keeps
 * the last few for each device; the journal, not this, is what a whole run is reconciled from.
 */
import { digestOf } from '../../core/kit/text-digest.js'

/** How many push-ids a device remembers. */
export const PUSH_IDS_KEPT = 32

/** Kept as numbers of 53 bits: two of a device's push-ids share one once in 10^14 pushes, and comparing and keeping cost little. */
export class RecentPushIds {
  private readonly digests: number[] = []
  private oldest = 0

  /** Has the device seen this push-id among its last ones? Remembers it if not. */
  isRepeat(pushId: string): boolean {
    const digest = digestOf(pushId)
    if (this.digests.includes(digest)) return true
    if (this.digests.length < PUSH_IDS_KEPT) this.digests.push(digest)
    else {
      this.digests[this.oldest] = digest
      this.oldest = (this.oldest + 1) % PUSH_IDS_KEPT
    }
    return false
  }
}
