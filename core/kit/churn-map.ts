/**
 * A map by text or by whole number for entries that come and go by the ten thousand a second, such as transactions and
 * tickets. A `Map` or `Set` in V8 leaves a chain of its outgrown tables behind; once one of them is old, the collector
 * takes every later table, and all that was in it, for alive until the next full collection. This table of chains lets go
 * of what is deleted at once.
 */
interface Entry<Value> {
  readonly key: string | number
  readonly hash: number
  value: Value
  next: Entry<Value> | undefined
}

const BUCKETS_MIN = 64

export class ChurnMap<Value, Key extends string | number = string> {
  private buckets: (Entry<Value> | undefined)[] = emptyBuckets(BUCKETS_MIN)
  private count = 0

  /** @param seed chance of the process, so that nobody outside can choose texts that fall into one chain; 0 where we number ourselves */
  constructor(private readonly seed: number) {}

  get size(): number {
    return this.count
  }

  get(key: Key): Value | undefined {
    const hash = hashOf(key, this.seed)
    for (let entry = this.buckets[hash & (this.buckets.length - 1)]; entry !== undefined; entry = entry.next) {
      if (entry.hash === hash && entry.key === key) return entry.value
    }
    return undefined
  }

  has(key: Key): boolean {
    return this.get(key) !== undefined
  }

  set(key: Key, value: Value): void {
    const hash = hashOf(key, this.seed)
    const index = hash & (this.buckets.length - 1)
    for (let entry = this.buckets[index]; entry !== undefined; entry = entry.next) {
      if (entry.hash === hash && entry.key === key) {
        entry.value = value
        return
      }
    }
    this.buckets[index] = { key, hash, value, next: this.buckets[index] }
    this.count += 1
    if (this.count > this.buckets.length) this.grow()
  }

  delete(key: Key): boolean {
    const hash = hashOf(key, this.seed)
    const index = hash & (this.buckets.length - 1)
    let before: Entry<Value> | undefined
    for (let entry = this.buckets[index]; entry !== undefined; before = entry, entry = entry.next) {
      if (entry.hash !== hash || entry.key !== key) continue
      if (before === undefined) this.buckets[index] = entry.next
      else before.next = entry.next
      // A removed entry that the collector holds to be old must not keep its neighbours.
      entry.next = undefined
      this.count -= 1
      return true
    }
    return false
  }

  /** In no order. Whoever changes the map on the way gathers them first. */
  *values(): Generator<Value> {
    for (const first of this.buckets) for (let entry = first; entry !== undefined; entry = entry.next) yield entry.value
  }

  /** It never shrinks: what was once under way at the same time may be so again. */
  private grow(): void {
    const old = this.buckets
    this.buckets = emptyBuckets(2 * old.length)
    for (const first of old) {
      for (let entry = first; entry !== undefined; ) {
        const { next } = entry
        const index = entry.hash & (this.buckets.length - 1)
        entry.next = this.buckets[index]
        this.buckets[index] = entry
        entry = next
      }
    }
    old.length = 0
  }
}

function emptyBuckets<Value>(count: number): (Entry<Value> | undefined)[] {
  return Array.from({ length: count }, () => undefined)
}

/** 32 bits. Numbers that follow each other, by one or by the same step, fall into different chains. */
function hashOf(key: string | number, seed: number): number {
  return typeof key === 'string' ? hashOfText(key, seed) : mixed(Math.imul(key, 0x9e3779b1) ^ seed)
}

/** FNV-1a over UTF-16 code units from a seed: 32 bits. */
export function hashOfText(key: string, seed: number): number {
  let hash = seed ^ 0x811c9dc5
  for (let index = 0; index < key.length; index++) hash = Math.imul(hash ^ key.charCodeAt(index), 0x01000193)
  return mixed(hash)
}

function mixed(hash: number): number {
  return (hash ^ (hash >>> 15)) >>> 0
}
