/**
 * The gateway's side of the store: tickets, and who waits for which answer. It batches nothing but deletions that may
 * come late (an acknowledged notification's row): they ride on the next commit, or go alone after a short while.
 * Knows operations, not rows.
 */
import { ChurnMap } from '../kit/churn-map.js'
import type { Micros, Now } from '../kit/time.js'
import type { StoreIn, StoreOperation, StoreRow } from '../store/operations.js'
import type { Outbox } from './outbox.js'

/** Whoever asked the store something; each is told once, with exactly one of these. */
export interface CommitWaiter {
  committed(now: Now): void
  /** Nothing was kept: the disk or the map is full. */
  storeFull(now: Now): void
}

export interface ReadWaiter {
  valueRead(now: Now, value: Buffer | undefined): void
}

export interface ScanWaiter {
  rowsRead(now: Now, rows: readonly StoreRow[]): void
}

const LATE_OPERATIONS_MAX = 512
const LATE_AFTER_MICROS: Micros = 20_000

/** Late deletions have nobody waiting; refused ones are found again at the next start. */
const NOBODY: CommitWaiter = { committed() {}, storeFull() {} }

export class StorePort {
  private ticket = 0
  private readonly commits = new ChurnMap<CommitWaiter, number>(0)
  private readonly reads = new ChurnMap<ReadWaiter, number>(0)
  private readonly scans = new ChurnMap<ScanWaiter, number>(0)
  private late: StoreOperation[] = []
  private lateDue: Micros = Infinity

  constructor(private readonly out: Outbox) {}

  /** Questions and commits not yet answered. */
  get open(): number {
    return this.commits.size + this.reads.size + this.scans.size + this.late.length
  }

  /** All operations or none. The array is given away. */
  commit(operations: StoreOperation[], waiter: CommitWaiter): void {
    if (this.late.length > 0) this.takeLate(operations)
    this.commits.set(++this.ticket, waiter)
    this.out.add({ type: 'commit', ticket: this.ticket, operations })
  }

  read(key: Buffer, waiter: ReadWaiter): void {
    this.reads.set(++this.ticket, waiter)
    this.out.add({ type: 'read', ticket: this.ticket, key })
  }

  scan(from: Buffer, to: Buffer, limit: number, waiter: ScanWaiter): void {
    this.scans.set(++this.ticket, waiter)
    this.out.add({ type: 'scan', ticket: this.ticket, from, to, limit })
  }

  /** A deletion whose loss in a crash does no harm. */
  deleteLate(now: Now, key: Buffer): void {
    this.late.push({ type: 'delete', key })
    if (this.late.length >= LATE_OPERATIONS_MAX) this.flush()
    else if (this.lateDue === Infinity) this.lateDue = now.mono + LATE_AFTER_MICROS
  }

  answered(now: Now, answer: StoreIn): void {
    switch (answer.type) {
      case 'committed':
      case 'store-full': {
        const waiter = this.commits.get(answer.ticket)
        this.commits.delete(answer.ticket)
        if (answer.type === 'committed') waiter?.committed(now)
        else waiter?.storeFull(now)
        return
      }
      case 'value': {
        const waiter = this.reads.get(answer.ticket)
        this.reads.delete(answer.ticket)
        return waiter?.valueRead(now, answer.value)
      }
      case 'rows': {
        const waiter = this.scans.get(answer.ticket)
        this.scans.delete(answer.ticket)
        return waiter?.rowsRead(now, answer.rows)
      }
    }
  }

  deadline(): Micros {
    return this.lateDue
  }

  tick(now: Now): void {
    if (this.lateDue <= now.mono) this.flush()
  }

  flush(): void {
    if (this.late.length > 0) this.commit([], NOBODY)
  }

  private takeLate(operations: StoreOperation[]): void {
    for (const operation of this.late) operations.push(operation)
    this.late = []
    this.lateDue = Infinity
  }
}
