/**
 * Deadlines in order of (time, sequence): equal times come out in the order they were set, so a run never
 * depends on luck. One heap serves many owners; it knows nothing of what the owners are.
 */
import type { Micros } from './time.js'

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
  private sequence = 0

  get size(): number {
    return this.entries.length
  }

  /** The earliest armed instant; `Infinity` when nothing is armed. */
  next(): Micros {
    return this.entries.length === 0 ? Infinity : this.entries[0]!.at
  }

  arm(at: Micros, owner: Owner): Deadline<Owner> {
    const entry: Entry<Owner> = { at, sequence: this.sequence++, index: this.entries.length, owner }
    this.entries.push(entry)
    this.up(entry)
    return entry
  }

  cancel(deadline: Deadline<Owner>): void {
    const entry = deadline as Entry<Owner>
    if (entry.index < 0) return
    this.removeAt(entry.index)
  }

  /** The owner of the earliest deadline that is at or before `now`, removed from the heap; undefined when none is due. */
  popDue(now: Micros): Owner | undefined {
    const first = this.entries[0]
    if (first === undefined || first.at > now) return undefined
    this.removeAt(0)
    return first.owner
  }

  private removeAt(index: number): void {
    const entry = this.entries[index]!
    const last = this.entries.pop()!
    if (last !== entry) {
      this.entries[index] = last
      last.index = index
      this.up(last)
      this.down(last)
    }
    entry.index = -1
    entry.at = Infinity
  }

  private up(entry: Entry<Owner>): void {
    const entries = this.entries
    let index = entry.index
    while (index > 0) {
      const parentIndex = (index - 1) >> 1
      const parent = entries[parentIndex]!
      if (!before(entry, parent)) break
      entries[index] = parent
      parent.index = index
      index = parentIndex
    }
    entries[index] = entry
    entry.index = index
  }

  private down(entry: Entry<Owner>): void {
    const entries = this.entries
    const count = entries.length
    let index = entry.index
    for (;;) {
      let childIndex = 2 * index + 1
      if (childIndex >= count) break
      let child = entries[childIndex]!
      const right = entries[childIndex + 1]
      if (right !== undefined && before(right, child)) {
        childIndex += 1
        child = right
      }
      if (!before(child, entry)) break
      entries[index] = child
      child.index = index
      index = childIndex
    }
    entries[index] = entry
    entry.index = index
  }
}

function before<Owner>(a: Entry<Owner>, b: Entry<Owner>): boolean {
  return a.at < b.at || (a.at === b.at && a.sequence < b.sequence)
}
