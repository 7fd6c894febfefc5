/**
 * The push-ids a device has seen lately, so that a second copy is answered and counted but not shown twice. Keeps
 * the last few for each device; the journal, not this, is what a whole run is reconciled from.
 */

import { flattened } from './texts.js'

/** How many push-ids a device remembers. */
export const PUSH_IDS_KEPT = 32

export class RecentPushIds {
  private readonly ids: string[] = []
  private oldest = 0

  /** Has the device seen this push-id among its last ones? Remembers it if not. */
  isRepeat(pushId: string): boolean {
    if (this.ids.includes(pushId)) return true
    const kept = flattened(pushId)
    if (this.ids.length < PUSH_IDS_KEPT) this.ids.push(kept)
    else {
      this.ids[this.oldest] = kept
      this.oldest = (this.oldest + 1) % PUSH_IDS_KEPT
    }
    return false
  }
}
