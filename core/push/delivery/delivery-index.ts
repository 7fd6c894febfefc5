/**
 * Every recipient in memory as an object by its submission and number, from its acceptance until its outcome is written: whoever is here
 * has no outcome that could be told. The deliveries themselves are the links of the chains, so that a million that wait cost
 * a few octets each and a push allocates nothing. Knows no state.
 */
import type { Sequence } from '../../store/keys.js'
import type { Delivery } from './delivery.js'

const BUCKETS_MIN = 1_024

export class DeliveryIndex {
  private buckets: (Delivery | undefined)[] = emptyBuckets(BUCKETS_MIN)
  private count = 0

  get size(): number {
    return this.count
  }

  get(sequence: Sequence, recipient: number): Delivery | undefined {
    let at = this.buckets[this.bucketOf(sequence, recipient)]
    while (at !== undefined && (at.sequence !== sequence || at.recipient !== recipient)) at = at.nextInIndex
    return at
  }

  add(delivery: Delivery): void {
    if (this.count >= this.buckets.length) this.grow()
    this.link(delivery)
    this.count++
  }

  remove(delivery: Delivery): void {
    const bucket = this.bucketOf(delivery.sequence, delivery.recipient)
    let before: Delivery | undefined
    let at = this.buckets[bucket]
    while (at !== undefined && at !== delivery) {
      before = at
      at = at.nextInIndex
    }
    if (at === undefined) return
    if (before === undefined) this.buckets[bucket] = at.nextInIndex
    else before.nextInIndex = at.nextInIndex
    at.nextInIndex = undefined
    this.count--
  }

  private link(delivery: Delivery): void {
    const bucket = this.bucketOf(delivery.sequence, delivery.recipient)
    delivery.nextInIndex = this.buckets[bucket]
    this.buckets[bucket] = delivery
  }

  /** It never shrinks: what once waited at the same time may do so again. */
  private grow(): void {
    const old = this.buckets
    this.buckets = emptyBuckets(2 * old.length)
    for (const first of old) {
      for (let at = first; at !== undefined; ) {
        const next: Delivery | undefined = at.nextInIndex
        this.link(at)
        at = next
      }
    }
  }

  /** Numbers grow by the thousand in a millisecond: their low bits, stirred, tell them apart. */
  private bucketOf(sequence: Sequence, recipient: number): number {
    const hash = Math.imul(sequence >>> 0, 0x9e3779b1) ^ Math.imul(recipient, 0x85ebca6b)
    return (hash ^ (hash >>> 15)) & (this.buckets.length - 1)
  }
}

function emptyBuckets(count: number): (Delivery | undefined)[] {
  return Array.from({ length: count }, () => undefined)
}
