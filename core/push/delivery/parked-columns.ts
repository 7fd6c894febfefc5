/**
 * The tables under parked.ts: numbers only, each kind in an array of its own, entries by slot. They are chained by hash and
 * ordered by their moment (a heap of slots, four below one). Memory grows by half and never shrinks: what waited once may again.
 */
import type { WallMillis } from '../../kit/time.js'
import type { Sequence } from '../../store/keys.js'

const NONE = -1
const SLOTS_MIN = 1_024
/** Entries directly below one of the heap. */
const CHILDREN = 4

export class ParkedColumns {
  private sequences = new Float64Array(SLOTS_MIN)
  private dues = new Float64Array(SLOTS_MIN)
  private recipients = new Uint16Array(SLOTS_MIN)
  private factsOf = new Uint32Array(SLOTS_MIN)
  private cseqs = new Uint32Array(SLOTS_MIN)
  private hashes = new Uint32Array(SLOTS_MIN)
  /** The next slot of the same chain, or of the free ones. */
  private nexts = new Int32Array(SLOTS_MIN)
  /** First slots of the chains; as many as a power of two. */
  private chains = new Int32Array(SLOTS_MIN).fill(NONE)
  /** Slots by moment, and where in there each slot stands. */
  private heap = new Int32Array(SLOTS_MIN)
  private places = new Int32Array(SLOTS_MIN)
  private free = NONE
  /** Slots that were ever used. */
  private used = 0
  private count = 0

  get size(): number {
    return this.count
  }

  get nextDue(): WallMillis {
    return this.count === 0 ? Infinity : this.dues[this.heap[0]!]!
  }

  /** The slot with the earliest moment, if that has come; else negative. */
  due(wall: WallMillis): number {
    return this.nextDue <= wall ? this.heap[0]! : NONE
  }

  /** The first slot with this hash, negative for none. */
  first(hash: number): number {
    return this.withHash(this.chains[hash & (this.chains.length - 1)]!, hash)
  }

  /** The next one. */
  after(slot: number, hash: number): number {
    return this.withHash(this.nexts[slot]!, hash)
  }

  is(slot: number, sequence: Sequence, recipient: number): boolean {
    return this.sequences[slot] === sequence && this.recipients[slot] === recipient
  }

  sequence(slot: number): Sequence {
    return this.sequences[slot]!
  }

  recipient(slot: number): number {
    return this.recipients[slot]!
  }

  facts(slot: number): number {
    return this.factsOf[slot]!
  }

  cseq(slot: number): number {
    return this.cseqs[slot]!
  }

  add(hash: number, sequence: Sequence, recipient: number, due: WallMillis, facts: number, cseq: number): void {
    const slot = this.freeSlot()
    this.sequences[slot] = sequence
    this.recipients[slot] = recipient
    this.dues[slot] = due
    this.factsOf[slot] = facts
    this.cseqs[slot] = cseq
    this.hashes[slot] = hash
    this.chain(slot)
    this.up(slot, this.count++)
  }

  remove(slot: number): void {
    this.unchain(slot)
    const place = this.places[slot]!
    const last = this.heap[--this.count]!
    if (last !== slot) {
      this.up(last, place)
      this.down(last, this.places[last]!)
    }
    this.nexts[slot] = this.free
    this.free = slot
  }

  private withHash(slot: number, hash: number): number {
    while (slot >= 0 && this.hashes[slot] !== hash) slot = this.nexts[slot]!
    return slot
  }

  private chain(slot: number): void {
    const index = this.hashes[slot]! & (this.chains.length - 1)
    this.nexts[slot] = this.chains[index]!
    this.chains[index] = slot
  }

  private unchain(slot: number): void {
    const index = this.hashes[slot]! & (this.chains.length - 1)
    let at = this.chains[index]!
    if (at === slot) {
      this.chains[index] = this.nexts[slot]!
      return
    }
    while (this.nexts[at] !== slot) at = this.nexts[at]!
    this.nexts[at] = this.nexts[slot]!
  }

  /** Puts a slot at this place of the heap or above. */
  private up(slot: number, place: number): void {
    const { heap, places, dues } = this
    const due = dues[slot]!
    while (place > 0) {
      const above = (place - 1) >> 2
      const other = heap[above]!
      if (dues[other]! <= due) break
      heap[place] = other
      places[other] = place
      place = above
    }
    heap[place] = slot
    places[slot] = place
  }

  private down(slot: number, place: number): void {
    const { heap, places, dues, count } = this
    const due = dues[slot]!
    for (;;) {
      const from = CHILDREN * place + 1
      if (from >= count) break
      let child = from
      for (let other = from + 1; other < count && other < from + CHILDREN; other++) if (dues[heap[other]!]! < dues[heap[child]!]!) child = other
      const below = heap[child]!
      if (due <= dues[below]!) break
      heap[place] = below
      places[below] = place
      place = child
    }
    heap[place] = slot
    places[slot] = place
  }

  private freeSlot(): number {
    const slot = this.free
    if (slot >= 0) {
      this.free = this.nexts[slot]!
      return slot
    }
    if (this.used === this.nexts.length) this.grow()
    return this.used++
  }

  private grow(): void {
    const slots = Math.ceil(this.nexts.length * 1.5)
    this.sequences = copied(this.sequences, new Float64Array(slots))
    this.dues = copied(this.dues, new Float64Array(slots))
    this.recipients = copied(this.recipients, new Uint16Array(slots))
    this.factsOf = copied(this.factsOf, new Uint32Array(slots))
    this.cseqs = copied(this.cseqs, new Uint32Array(slots))
    this.hashes = copied(this.hashes, new Uint32Array(slots))
    this.nexts = copied(this.nexts, new Int32Array(slots))
    this.heap = copied(this.heap, new Int32Array(slots))
    this.places = copied(this.places, new Int32Array(slots))
    if (this.used < this.chains.length) return
    this.chains = new Int32Array(2 * this.chains.length).fill(NONE)
    // No slot is free when it grows.
    for (let slot = 0; slot < this.used; slot++) this.chain(slot)
  }
}

function copied<Column extends Float64Array | Uint16Array | Uint32Array | Int32Array>(from: Column, to: Column): Column {
  to.set(from)
  return to
}
