/**
 * Deadlines in order of (time, sequence): equal times come out in the order they were set, so a run never
 * depends on luck. One heap serves many owners; it knows nothing of what the owners are.
 *
 * Each entry has four below it, and the instants stand in an array of their own: a heap of a million deadlines is as slow as
 * the memory it has to wait for, and so it looks at ten places of one cache line each in place of forty scattered objects.
 */
import type { Micros } from './time.js'

/** Entries directly below one. */
const CHILDREN = 4

interface Entry<Owner> {
  at: Micros
  sequence: number
  index: number
  readonly owner: Owner
}

/** An armed deadline; keep it to move or cancel it. `at` is `Infinity` once it fired or was cancelled. */
export type Deadline<Owner> = Readonly<Pick<Entry<Owner>, 'at' | 'owner'>>

export class DeadlineHeap<Owner> {
  private readonly entries: Entry<Owner>[] = []
  /** When each of `entries` is due, at the same index. */
  private readonly ats: Micros[] = []
  private sequence = 0

  get size(): number {
    return this.entries.length
  }

  /** The earliest armed instant; `Infinity` when nothing is armed. */
  next(): Micros {
    return this.ats.length === 0 ? Infinity : this.ats[0]!
  }

  arm(at: Micros, owner: Owner): Deadline<Owner> {
    const entry: Entry<Owner> = { at, sequence: this.sequence++, index: this.entries.length, owner }
    this.entries.push(entry)
    this.ats.push(at)
    this.up(entry, at)
    return entry
  }

  cancel(deadline: Deadline<Owner>): void {
    const entry = deadline as Entry<Owner>
    if (entry.index < 0) return
    this.removeAt(entry.index)
  }

  /** The owner of the earliest deadline that is at or before `now`, removed from the heap; undefined when none is due. */
  popDue(now: Micros): Owner | undefined {
    if (this.next() > now) return undefined
    const first = this.entries[0]!
    this.removeAt(0)
    return first.owner
  }

  private removeAt(index: number): void {
    const entry = this.entries[index]!
    const last = this.entries.pop()!
    const lastAt = this.ats.pop()!
    if (last !== entry) {
      this.put(last, lastAt, index)
      this.up(last, lastAt)
      this.down(last, lastAt)
    }
    entry.index = -1
    entry.at = Infinity
  }

  private up(entry: Entry<Owner>, at: Micros): void {
    const { entries, ats } = this
    let index = entry.index
    while (index > 0) {
      const parent = ((index - 1) / CHILDREN) | 0
      const parentAt = ats[parent]!
      if (parentAt < at || (parentAt === at && entries[parent]!.sequence < entry.sequence)) break
      this.put(entries[parent]!, parentAt, index)
      index = parent
    }
    this.put(entry, at, index)
  }

  private down(entry: Entry<Owner>, at: Micros): void {
    const { entries, ats } = this
    const count = entries.length
    let index = entry.index
    for (;;) {
      const first = CHILDREN * index + 1
      if (first >= count) break
      let child = first
      let childAt = ats[first]!
      for (let other = first + 1; other < count && other < first + CHILDREN; other++) {
        const otherAt = ats[other]!
        if (otherAt > childAt || (otherAt === childAt && entries[other]!.sequence > entries[child]!.sequence)) continue
        child = other
        childAt = otherAt
      }
      if (at < childAt || (at === childAt && entry.sequence < entries[child]!.sequence)) break
      this.put(entries[child]!, childAt, index)
      index = child
    }
    this.put(entry, at, index)
  }

  private put(entry: Entry<Owner>, at: Micros, index: number): void {
    this.entries[index] = entry
    this.ats[index] = at
    entry.index = index
  }
}
