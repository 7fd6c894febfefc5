/**
 * From a store to a running gateway: the numbering, what is known of registrations and its like, then the pushes without an outcome,
 * each recipient tried once, no faster than attempts end. New pushes are taken as soon as those are known.
 */
import type { Now } from '../kit/time.js'
import { META_KEY, RowKind, kindEnd, kindStart, pendingKey, type Sequence } from '../store/keys.js'
import type { StoreRow } from '../store/operations.js'
import type { SubmissionRecord } from '../store/records.js'
import { RangeWalk } from '../store/recovery.js'
import type { Admission } from './admission/admit.js'
import type { GatewayContext } from './context.js'
import type { Deliveries } from './delivery/deliveries.js'
import type { Notifier } from './notification/notify.js'
import { PendingWalk, type PendingVisitor } from './pending-walk.js'
import type { Sequences } from './admission/sequences.js'
import type { ReadWaiter, ScanWaiter } from './store-port.js'

/** Whoever keeps rows of a kind of its own in memory, and takes them up at the start. */
export interface RowKeeper {
  readonly kind: RowKind
  recovered(now: Now, key: Buffer, value: Buffer): void
}

const WINDOW_ROWS = 512

export class Start implements ReadWaiter, ScanWaiter, PendingVisitor {
  private began = false
  private kept = 0
  private rows: RangeWalk | undefined = undefined
  private pendingRows: PendingWalk | undefined = undefined

  constructor(
    private readonly context: GatewayContext,
    private readonly sequences: Sequences,
    private readonly keepers: readonly RowKeeper[],
    private readonly admission: Admission,
    private readonly deliveries: Deliveries,
    private readonly notifier: Notifier,
  ) {}

  get isDue(): boolean {
    return !this.began
  }

  /** The first turn asks for the store's own row; later ones go on where there is room. */
  pump(): void {
    if (!this.began) {
      this.began = true
      this.context.store.read(META_KEY, this)
    } else if (this.pendingRows !== undefined) {
      if (this.pendingRows.done) {
        this.pendingRows = undefined
        this.deliveries.isComplete = true
      } else if (this.deliveries.atWork * 2 < this.context.settings.attemptsMax) this.pendingRows.step()
    }
  }

  valueRead(_now: Now, meta: Buffer | undefined): void {
    this.sequences.start(meta)
    this.askRows()
  }

  rowsRead(now: Now, rows: readonly StoreRow[]): void {
    const walk = this.rows!
    walk.took(rows)
    for (const { key, value } of rows) this.keepers[this.kept]!.recovered(now, key, value)
    if (walk.done) {
      this.rows = undefined
      this.kept++
    }
    if (this.kept < this.keepers.length) return this.askRows()
    this.admission.open()
    this.notifier.recover()
    this.pendingRows = new PendingWalk(kindStart(RowKind.Pending), pendingKey(this.sequences.fresh), this.context.store, this)
    this.pendingRows.step()
  }

  pending(now: Now, sequence: Sequence, submission: SubmissionRecord, open: readonly number[]): void {
    const group = submission.recipients.length > 1 ? { remaining: open.length } : undefined
    for (const recipient of open) this.deliveries.add(now, sequence, recipient, submission, group, true)
  }

  private askRows(): void {
    const { kind } = this.keepers[this.kept]!
    this.rows ??= new RangeWalk(kindStart(kind), kindEnd(kind), WINDOW_ROWS)
    const { from, to, limit } = this.rows.next()
    this.context.store.scan(from, to, limit, this)
  }
}
