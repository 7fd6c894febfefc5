/**
 * The store of the world: an ordered map with a durable and a pending half. A commit lasts its modelled flush, commits
 * that come meanwhile join the next batch, and a crash drops what was not flushed. Speaks core/store/operations.ts. Rows
 * lie in one shelf for each kind, the first octet of their key; those that are kept for days and hardly read, in a log.
 */
import type { Micros, Now } from '../../core/kit/time.js'
import { RowKind } from '../../core/store/keys.js'
import type { StoreIn, StoreOperation, StoreOut, StoreRow } from '../../core/store/operations.js'
import { RowLog } from './row-log.js'
import type { World } from './world.js'

interface Commit {
  readonly ticket: number
  readonly operations: readonly StoreOperation[]
}

export interface WorldStoreOptions {
  readonly flushMicros: Micros | (() => Micros)
  /** Where answers go. */
  readonly give: (input: StoreIn) => void
}

/** Written once for every push, or again and again for every user, and read again only in trouble. */
const LOGGED: ReadonlySet<number> = new Set([RowKind.Done, RowKind.PushId, RowKind.Registration])

/** The rows of one kind. */
class Shelf {
  private readonly log: RowLog | undefined
  /** As latin1 text: a small Buffer would hold a slab of its neighbours. */
  private readonly rows = new Map<string, string>()
  /** No key was ever lower: what lies below needs no sorting. */
  private least: Buffer | undefined
  /** Keys as latin1 text, which sorts as the octets do. */
  private sorted: string[] | undefined

  constructor(kind: number) {
    this.log = LOGGED.has(kind) ? new RowLog() : undefined
  }

  get size(): number {
    return this.log?.size ?? this.rows.size
  }

  get(key: Buffer): Buffer | undefined {
    if (this.log !== undefined) return this.log.get(key)
    const value = this.rows.get(key.toString('latin1'))
    return value === undefined ? undefined : Buffer.from(value, 'latin1')
  }

  apply(operation: StoreOperation): void {
    const { key } = operation
    if (operation.type === 'delete') {
      if (this.log === undefined ? this.rows.delete(key.toString('latin1')) : this.log.delete(key)) this.sorted = undefined
      return
    }
    if (this.least === undefined || key.compare(this.least) < 0) this.least = Buffer.from(key)
    const before = this.size
    if (this.log === undefined) this.rows.set(key.toString('latin1'), operation.value.toString('latin1'))
    else this.log.put(key, operation.value)
    if (this.size > before) this.sorted = undefined
  }

  /** The keys from `low` to below `high`, `limit` of them at most. */
  keys(low: Buffer, high: Buffer, limit: number): string[] {
    if (this.least === undefined || high.compare(this.least) <= 0) return []
    this.sorted ??= (this.log === undefined ? [...this.rows.keys()] : [...this.log.keys()].map((key) => key.toString('latin1'))).sort()
    const from = lowerBound(this.sorted, low.toString('latin1'))
    return this.sorted.slice(from, Math.min(from + limit, lowerBound(this.sorted, high.toString('latin1'))))
  }
}

export class WorldStore {
  private readonly shelves = new Map<number, Shelf>()
  private next: Commit[] = []
  private flushing: Commit[] = []
  private epoch = 0
  /** Commits are refused while set: the disk is full. */
  full = false

  constructor(private readonly world: World, private readonly options: WorldStoreOptions) {}

  get size(): number {
    let size = 0
    for (const shelf of this.shelves.values()) size += shelf.size
    return size
  }

  output(now: Now, output: StoreOut): void {
    switch (output.type) {
      case 'commit':
        if (this.full) return this.options.give({ type: 'store-full', ticket: output.ticket })
        this.next.push({ ticket: output.ticket, operations: output.operations })
        if (this.flushing.length === 0) this.startFlush(now)
        return
      case 'read':
        return this.options.give({ type: 'value', ticket: output.ticket, value: this.shelves.get(output.key[0]!)?.get(output.key) })
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
    const { flushMicros } = this.options
    const epoch = this.epoch
    this.flushing = this.next
    this.next = []
    const lasts = typeof flushMicros === 'number' ? flushMicros : flushMicros()
    this.world.at(now.mono + lasts, { happen: (then) => { if (epoch === this.epoch) this.flushed(then) } })
  }

  private flushed(now: Now): void {
    const done = this.flushing
    this.flushing = []
    for (const { operations } of done) for (const operation of operations) this.shelf(operation.key[0]!).apply(operation)
    if (this.next.length > 0) this.startFlush(now)
    for (const { ticket } of done) this.options.give({ type: 'committed', ticket })
  }

  private shelf(kind: number): Shelf {
    let shelf = this.shelves.get(kind)
    if (shelf === undefined) this.shelves.set(kind, (shelf = new Shelf(kind)))
    return shelf
  }

  private scan(from: Buffer, to: Buffer, limit: number): StoreRow[] {
    const rows: StoreRow[] = []
    for (const kind of [...this.shelves.keys()].sort((a, b) => a - b)) {
      if (kind < from[0]! || kind > to[0]!) continue
      for (const text of this.shelves.get(kind)!.keys(from, to, limit - rows.length)) {
        const key = Buffer.from(text, 'latin1')
        rows.push({ key, value: this.shelves.get(kind)!.get(key)! })
      }
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
