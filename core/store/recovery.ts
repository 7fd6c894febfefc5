/**
 * A walk over one range of keys in bounded windows, so that a store of any size is read without holding it: the owner
 * asks for the next window when it has room. Knows keys and windows; what the rows mean is the owner's business.
 */
import { after } from './keys.js'
import type { StoreRow } from './operations.js'

export class RangeWalk {
  private from: Buffer
  private finished = false

  constructor(from: Buffer, private readonly to: Buffer, readonly windowRows: number) {
    this.from = from
  }

  get done(): boolean {
    return this.finished
  }

  /** The bounds of the next window: from <= key < to, at most `windowRows` rows. */
  next(): { readonly from: Buffer; readonly to: Buffer; readonly limit: number } {
    return { from: this.from, to: this.to, limit: this.windowRows }
  }

  /** Tells the walk what the window held. A short window is the last. */
  took(rows: readonly StoreRow[]): void {
    const last = rows[rows.length - 1]
    if (last === undefined || rows.length < this.windowRows) this.finished = true
    else this.from = after(last.key)
  }
}
