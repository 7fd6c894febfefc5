/**
 * The store of the world: an ordered map with a durable and a pending half. A commit lasts its modelled flush, commits
 * that come meanwhile join the next batch, and a crash drops what was not flushed. Speaks core/store/operations.ts.
 */
import type { Micros, Now } from '../../core/kit/time.js'
import type { StoreIn, StoreOperation, StoreOut, StoreRow } from '../../core/store/operations.js'
import type { World } from './world.js'

interface Commit {
  readonly ticket: number
  readonly operations: readonly StoreOperation[]
}

export interface WorldStoreOptions {
  readonly flushMicros: Micros
  /** Where answers go. */
  readonly give: (input: StoreIn) => void
}

export class WorldStore {
  /** Keys as latin1 text, which sorts as the octets do. */
  private durable = new Map<string, Buffer>()
  private sorted: string[] | undefined
  private next: Commit[] = []
  private flushing: Commit[] = []
  private epoch = 0
  /** Commits are refused while set: the disk is full. */
  full = false

  constructor(private readonly world: World, private readonly options: WorldStoreOptions) {}

  get size(): number {
    return this.durable.size
  }

  output(now: Now, output: StoreOut): void {
    switch (output.type) {
      case 'commit':
        if (this.full) return this.options.give({ type: 'store-full', ticket: output.ticket })
        this.next.push({ ticket: output.ticket, operations: output.operations })
        if (this.flushing.length === 0) this.startFlush(now)
        return
      case 'read':
        return this.options.give({ type: 'value', ticket: output.ticket, value: this.durable.get(output.key.toString('latin1')) })
      case 'scan':
        return this.options.give({ type: 'rows', ticket: output.ticket, rows: this.scan(output.from, output.to, output.limit) })
    }
  }

  /** The process dies: whatever was not flushed never happened. */
  crash(): void {
    this.epoch += 1
    this.next = []
    this.flushing = []
  }

  private startFlush(now: Now): void {
    const epoch = this.epoch
    this.flushing = this.next
    this.next = []
    this.world.at(now.mono + this.options.flushMicros, { happen: (then) => { if (epoch === this.epoch) this.flushed(then) } })
  }

  private flushed(now: Now): void {
    const done = this.flushing
    this.flushing = []
    for (const { operations } of done) for (const operation of operations) this.apply(operation)
    if (this.next.length > 0) this.startFlush(now)
    for (const { ticket } of done) this.options.give({ type: 'committed', ticket })
  }

  private apply(operation: StoreOperation): void {
    const key = operation.key.toString('latin1')
    if (operation.type === 'put') {
      if (!this.durable.has(key)) this.sorted = undefined
      this.durable.set(key, operation.value)
    } else if (this.durable.delete(key)) {
      this.sorted = undefined
    }
  }

  private scan(from: Buffer, to: Buffer, limit: number): StoreRow[] {
    this.sorted ??= [...this.durable.keys()].sort()
    const low = from.toString('latin1')
    const high = to.toString('latin1')
    const rows: StoreRow[] = []
    for (let index = lowerBound(this.sorted, low); index < this.sorted.length && rows.length < limit && this.sorted[index]! < high; index++) {
      const key = this.sorted[index]!
      rows.push({ key: Buffer.from(key, 'latin1'), value: this.durable.get(key)! })
    }
    return rows
  }
}

function lowerBound(sorted: readonly string[], wanted: string): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (sorted[middle]! < wanted) low = middle + 1
    else high = middle
  }
  return low
}
