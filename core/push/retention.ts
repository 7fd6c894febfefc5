/**
 * Forgets what was kept long enough: outcomes, and with a submission's last outcome its push-id, which may be used again
 * from then on. The outcomes of a submission that still has a recipient to reach stay, however old: at a start they tell who is
 * not to be reached again. Walks the outcomes in the order of acceptance, a window at a time. Knows rows and ages only.
 */
import { MICROS_PER_MILLI, type Micros, type Now, type WallMillis } from '../kit/time.js'
import { RowKind, doneKey, kindStart, pendingKey, pushIdKey, sequenceOf, sequenceOfWall, type Sequence } from '../store/keys.js'
import type { StoreOperation, StoreRow } from '../store/operations.js'
import { decodeFinal } from '../store/records.js'
import { RangeWalk } from '../store/recovery.js'
import type { GatewayContext } from './context.js'
import type { CommitWaiter, ReadWaiter, ScanWaiter } from './store-port.js'

const WINDOW_ROWS = 256
const SWEEP_EVERY_MILLIS_MAX: WallMillis = 3_600_000
/** Sweeps in one retention time. */
const SWEEPS = 24

/** An outcome that was kept long enough. */
interface Old {
  readonly key: Buffer
  readonly sequence: Sequence
}

export class Retention implements ScanWaiter, ReadWaiter, CommitWaiter {
  private nextAt: Micros = 0
  private walk: RangeWalk | undefined = undefined
  /** What goes by the next commit, and outcomes of submissions of which it is not known yet whether they are over. */
  private operations: StoreOperation[] = []
  private unsure: Old[] = []
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
    for (const { key, value } of rows) {
      const record = decodeFinal(value)
      if (record.endedAt + this.context.settings.retentionMillis > now.wall) continue
      // The last outcome of all: there is nobody left to reach.
      if (!record.last) this.unsure.push({ key, sequence: sequenceOf(key) })
      else this.operations.push({ type: 'delete', key }, { type: 'delete', key: pushIdKey(record.initiator, record.pushId) })
    }
    this.settle(walk)
  }

  /** The submission of the first unsure outcomes: its row is there as long as a recipient of it has no outcome. */
  valueRead(_now: Now, value: Buffer | undefined): void {
    const { sequence } = this.unsure[0]!
    if (value === undefined) for (const old of this.unsure) if (old.sequence === sequence) this.operations.push({ type: 'delete', key: old.key })
    this.unsure = this.unsure.filter((old) => old.sequence !== sequence)
    if (this.walk !== undefined) this.settle(this.walk)
  }

  committed(): void {
    if (this.walk !== undefined) this.goOn(this.walk)
  }

  /** The next sweep tries again. */
  storeFull(): void {
    this.walk = undefined
  }

  private settle(walk: RangeWalk): void {
    const [first] = this.unsure
    if (first !== undefined) return this.context.store.read(pendingKey(first.sequence), this)
    const { operations } = this
    this.operations = []
    if (operations.length > 0) this.context.store.commit(operations, this)
    else this.goOn(walk)
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
