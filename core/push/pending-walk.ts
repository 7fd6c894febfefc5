/**
 * Visits every recipient of the store that has no outcome, in bounded windows: at a start to take deliveries up again,
 * at a clean stop to say what is still in flight. Knows rows; what a visit does is the visitor's business.
 */
import type { Now } from '../kit/time.js'
import { doneKey, recipientOf, sequenceOf, type Sequence } from '../store/keys.js'
import type { StoreRow } from '../store/operations.js'
import { decodeSubmission, type SubmissionRecord } from '../store/records.js'
import { RangeWalk } from '../store/recovery.js'
import type { ScanWaiter, StorePort } from './store-port.js'

export interface PendingVisitor {
  /** `open` are the indexes of the recipients without an outcome, at least one. */
  pending(now: Now, sequence: Sequence, submission: SubmissionRecord, open: readonly number[]): void
}

const WINDOW_ROWS = 128
const ONLY: readonly number[] = [0]
const RECIPIENT_MAX = 0xffff

export class PendingWalk implements ScanWaiter {
  private readonly walk: RangeWalk
  private asking = 0

  constructor(from: Buffer, to: Buffer, private readonly store: StorePort, private readonly visitor: PendingVisitor) {
    this.walk = new RangeWalk(from, to, WINDOW_ROWS)
  }

  /** Every row was visited. */
  get done(): boolean {
    return this.walk.done && this.asking === 0
  }

  /** Asks for the next window, unless one is under way. */
  step(): void {
    if (this.asking > 0 || this.walk.done) return
    this.asking++
    const { from, to, limit } = this.walk.next()
    this.store.scan(from, to, limit, this)
  }

  rowsRead(now: Now, rows: readonly StoreRow[]): void {
    this.asking--
    this.walk.took(rows)
    for (const { key, value } of rows) {
      const sequence = sequenceOf(key)
      const submission = decodeSubmission(value)
      if (submission.recipients.length === 1) {
        this.visitor.pending(now, sequence, submission, ONLY)
        continue
      }
      this.asking++
      this.store.scan(doneKey(sequence, 0), doneKey(sequence, RECIPIENT_MAX), submission.recipients.length, new OutcomesOf(this, sequence, submission))
    }
  }

  outcomesRead(now: Now, sequence: Sequence, submission: SubmissionRecord, rows: readonly StoreRow[]): void {
    this.asking--
    const done = new Set(rows.map((row) => recipientOf(row.key)))
    const open = submission.recipients.map((_, index) => index).filter((index) => !done.has(index))
    if (open.length > 0) this.visitor.pending(now, sequence, submission, open)
  }
}

class OutcomesOf implements ScanWaiter {
  constructor(private readonly walk: PendingWalk, private readonly sequence: Sequence, private readonly submission: SubmissionRecord) {}

  rowsRead(now: Now, rows: readonly StoreRow[]): void {
    this.walk.outcomesRead(now, this.sequence, this.submission, rows)
  }
}
