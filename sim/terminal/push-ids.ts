/**
 * The push-ids a device has seen lately, so that a second copy is answered and counted but not shown twice. Keeps
 * the last few for each device; the journal, not this, is what a whole run is reconciled from.
 */

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

/** Two independent multiplicative hashes of the characters in one pass: 32 bits of one, 21 of the other. */
function digestOf(text: string): number {
  let first = 0x811c9dc5
  let second = 0x9e3779b9
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index)
    first = Math.imul(first ^ code, 0x01000193)
    second = Math.imul(second + code, 0x85ebca6b)
    second ^= second >>> 13
  }
  return (second >>> 11) * 4_294_967_296 + (first >>> 0)
}
