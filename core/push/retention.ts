/**
 * Forgets what was kept long enough: outcomes, and with a submission's last outcome its push-id, which may be used again
 * from then on. Walks the outcomes in the order of acceptance, a window at a time. Knows rows and ages only.
 */
import { MICROS_PER_MILLI, type Micros, type Now, type WallMillis } from '../kit/time.js'
import { RowKind, doneKey, kindStart, pushIdKey, sequenceOfWall } from '../store/keys.js'
import type { StoreOperation, StoreRow } from '../store/operations.js'
import { decodeFinal } from '../store/records.js'
import { RangeWalk } from '../store/recovery.js'
import type { GatewayContext } from './context.js'
import type { CommitWaiter, ScanWaiter } from './store-port.js'

const WINDOW_ROWS = 256
const SWEEP_EVERY_MILLIS_MAX: WallMillis = 3_600_000
/** Sweeps in one retention time. */
const SWEEPS = 24

export class Retention implements ScanWaiter, CommitWaiter {
  private nextAt: Micros = 0
  private walk: RangeWalk | undefined = undefined
  private stopped = false

  constructor(private readonly context: GatewayContext) {}

  deadline(): Micros {
    return this.walk !== undefined || this.stopped ? Infinity : this.nextAt
  }

  tick(now: Now): void {
    if (this.walk !== undefined || this.stopped || this.nextAt > now.mono) return
    const { retentionMillis } = this.context.settings
    this.nextAt = now.mono + Math.min(SWEEP_EVERY_MILLIS_MAX, Math.ceil(retentionMillis / SWEEPS)) * MICROS_PER_MILLI
    const before = now.wall - retentionMillis
    if (before <= 0) return
    this.walk = new RangeWalk(kindStart(RowKind.Done), doneKey(sequenceOfWall(before), 0), WINDOW_ROWS)
    this.ask(this.walk)
  }

  stop(): void {
    this.stopped = true
  }

  rowsRead(now: Now, rows: readonly StoreRow[]): void {
    const { walk } = this
    if (walk === undefined) return
    walk.took(rows)
    const operations: StoreOperation[] = []
    for (const { key, value } of rows) {
      const record = decodeFinal(value)
      if (record.endedAt + this.context.settings.retentionMillis > now.wall) continue
      operations.push({ type: 'delete', key })
      if (record.last) operations.push({ type: 'delete', key: pushIdKey(record.initiator, record.pushId) })
    }
    if (operations.length > 0) this.context.store.commit(operations, this)
    else this.goOn(walk)
  }

  committed(): void {
    if (this.walk !== undefined) this.goOn(this.walk)
  }

  /** The next sweep tries again. */
  storeFull(): void {
    this.walk = undefined
  }

  private goOn(walk: RangeWalk): void {
    if (walk.done || this.stopped) this.walk = undefined
    else this.ask(walk)
  }

  private ask(walk: RangeWalk): void {
    const { from, to, limit } = walk.next()
    this.context.store.scan(from, to, limit, this)
  }
}
