/**
 * Rows that are kept for days, by the million: octets in a few large blocks, found through a table of numbers, so that a
 * simulated disk costs the collector nothing. A row is written again in its place where it fits, and what it outgrew, or was
 * deleted, is not used again. Knows octets, not what they say.
 */
import { assert } from '../../core/kit/assert.js'

const BLOCK_OCTETS = 1 << 24
/** Rows begin at multiples of this, so that 32 bits name any place. */
const ALIGNMENT = 8
const PLACES_PER_BLOCK = BLOCK_OCTETS / ALIGNMENT
/** Before a row: the octets of its key (2), of its value (4) and of its whole place (4). */
const HEAD = 10
const SLOTS_MIN = 1_024
const EMPTY = 0
const DELETED = 0xffffffff

export class RowLog {
  private readonly blocks: Buffer[] = []
  private usedInLast = BLOCK_OCTETS
  /** A place and one, `EMPTY` or `DELETED`; linear probing. */
  private slots = new Uint32Array(SLOTS_MIN)
  /** Slots that are not empty. */
  private taken = 0
  private count = 0

  get size(): number {
    return this.count
  }

  /** How much memory it takes, in blocks. */
  get blockCount(): number {
    return this.blocks.length
  }

  get(key: Buffer): Buffer | undefined {
    const slot = this.find(key)
    if (slot < 0) return undefined
    const { block, at } = this.placed(this.slots[slot]! - 1)
    const from = at + HEAD + block.readUInt16LE(at)
    return Buffer.from(block.subarray(from, from + block.readUInt32LE(at + 2)))
  }

  /** True when the key is new. */
  put(key: Buffer, value: Buffer): boolean {
    const known = this.find(key)
    if (known >= 0) {
      if (!this.rewrite(this.slots[known]! - 1, key, value)) this.slots[known] = this.append(key, value) + 1
      return false
    }
    if (2 * (this.taken + 1) > this.slots.length) this.grow()
    this.occupy(hashOf(key, 0, key.length), this.append(key, value))
    this.count += 1
    return true
  }

  delete(key: Buffer): boolean {
    const slot = this.find(key)
    if (slot < 0) return false
    this.slots[slot] = DELETED
    this.count -= 1
    return true
  }

  *keys(): Generator<Buffer> {
    for (const slot of this.slots) {
      if (slot === EMPTY || slot === DELETED) continue
      const { block, at } = this.placed(slot - 1)
      yield block.subarray(at + HEAD, at + HEAD + block.readUInt16LE(at))
    }
  }

  /** False when the place is too small. */
  private rewrite(place: number, key: Buffer, value: Buffer): boolean {
    const { block, at } = this.placed(place)
    if (HEAD + key.length + value.length > block.readUInt32LE(at + 6)) return false
    block.writeUInt32LE(value.length, at + 2)
    block.set(value, at + HEAD + key.length)
    return true
  }

  private append(key: Buffer, value: Buffer): number {
    const octets = Math.ceil((HEAD + key.length + value.length) / ALIGNMENT) * ALIGNMENT
    assert(octets <= BLOCK_OCTETS, 'a row of the store fits a block')
    if (this.usedInLast + octets > BLOCK_OCTETS) {
      this.blocks.push(Buffer.allocUnsafeSlow(BLOCK_OCTETS))
      this.usedInLast = 0
    }
    const block = this.blocks[this.blocks.length - 1]!
    const at = this.usedInLast
    block.writeUInt16LE(key.length, at)
    block.writeUInt32LE(value.length, at + 2)
    block.writeUInt32LE(octets, at + 6)
    block.set(key, at + HEAD)
    block.set(value, at + HEAD + key.length)
    this.usedInLast += octets
    return (this.blocks.length - 1) * PLACES_PER_BLOCK + at / ALIGNMENT
  }

  private placed(place: number): { readonly block: Buffer; readonly at: number } {
    return { block: this.blocks[Math.floor(place / PLACES_PER_BLOCK)]!, at: place % PLACES_PER_BLOCK * ALIGNMENT }
  }

  /** The slot of this key, or -1. */
  private find(key: Buffer): number {
    const mask = this.slots.length - 1
    for (let slot = hashOf(key, 0, key.length) & mask; ; slot = (slot + 1) & mask) {
      const held = this.slots[slot]!
      if (held === EMPTY) return -1
      if (held === DELETED) continue
      const { block, at } = this.placed(held - 1)
      const octets = block.readUInt16LE(at)
      if (octets === key.length && key.compare(block, at + HEAD, at + HEAD + octets) === 0) return slot
    }
  }

  private occupy(hash: number, place: number): void {
    const mask = this.slots.length - 1
    let slot = hash & mask
    while (this.slots[slot] !== EMPTY) slot = (slot + 1) & mask
    this.slots[slot] = place + 1
    this.taken += 1
  }

  private grow(): void {
    const old = this.slots
    // Where most of what is taken was deleted, the size is right and only the deleted go.
    this.slots = new Uint32Array(4 * (this.count + 1) > old.length ? 2 * old.length : old.length)
    this.taken = 0
    for (const held of old) {
      if (held === EMPTY || held === DELETED) continue
      const { block, at } = this.placed(held - 1)
      this.occupy(hashOf(block, at + HEAD, at + HEAD + block.readUInt16LE(at)), held - 1)
    }
  }
}

/** FNV-1a, its bits mixed once more since keys differ in their last octets. */
function hashOf(octets: Buffer, from: number, to: number): number {
  let hash = 0x811c9dc5
  for (let index = from; index < to; index++) hash = Math.imul(hash ^ octets[index]!, 0x01000193)
  return (hash ^ (hash >>> 15)) >>> 0
}
