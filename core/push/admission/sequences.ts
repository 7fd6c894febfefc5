/**
 * Numbers for submissions: growing, following the wall clock, and never given twice, not even after a restart with the
 * clock set back. A bound is written ahead of use; whoever crosses it writes the next one with its own commit.
 */
import { META_KEY, sequenceOfWall, type Sequence } from '../../store/keys.js'
import type { WallMillis } from '../../kit/time.js'
import type { StoreOperation } from '../../store/operations.js'
import { decodeMeta, encodeMeta } from '../../store/records.js'

/** How far ahead the bound is written. */
const BOUND_AHEAD_MILLIS: WallMillis = 60_000

export class Sequences {
  private last: Sequence = 0
  private bound: Sequence = 0

  /** Takes up the row of the store, if it has one. Everything below its bound may be in use. */
  start(row: Buffer | undefined): void {
    if (row !== undefined) this.last = this.bound = decodeMeta(row).sequenceBound
  }

  /** The first number that was not given out before this start. */
  get fresh(): Sequence {
    return this.last + 1
  }

  /** The commit that held the bound was refused: the next one writes it again. */
  boundLost(): void {
    this.bound = 0
  }

  /** The next number; `operations` gets the new bound when it was crossed. */
  next(wall: WallMillis, operations: StoreOperation[]): Sequence {
    this.last = Math.max(this.last + 1, sequenceOfWall(wall))
    if (this.last >= this.bound) {
      this.bound = this.last + sequenceOfWall(BOUND_AHEAD_MILLIS)
      operations.push({ type: 'put', key: META_KEY, value: encodeMeta({ sequenceBound: this.bound }) })
    }
    return this.last
  }
}
