/**
 * A node that bears so many requests a second and no more, and tells its neighbours of it: what comes beyond is refused, and whoever
 * understands overload control (RFC 7339) hears what share to leave out. Knows counts and time, no message.
 */
import { MICROS_PER_MILLI, MICROS_PER_SECOND, type Micros, type Now } from '../../core/kit/time.js'

/** Arrivals are counted over so long before they are judged. */
const WINDOW_MICROS: Micros = 200 * MICROS_PER_MILLI
/** A report outlives the windows until the next ones, should one hold no answer that could carry it. */
export const VALIDITY_MILLIS = 1_000
/** As much may come at once after a pause as comes in this time. */
const BURST_MICROS: Micros = 50 * MICROS_PER_MILLI
/** Asked for is a little less than can be borne: what comes by chance above it would be refused. */
const AIM = 0.97
/** Weight of the window that has just ended. */
const FRESH = 0.5

export class Capacity {
  private readonly burst: number
  private tokens: number
  private filledAt: Micros = 0
  private windowFrom: Micros | undefined
  private arrivals = 0
  /** What would come if nobody left anything out, requests a second. */
  private offered = 0
  /** Asked for now, whole percent, and what rounding has left over. */
  private percent = 0
  private rest = 0

  constructor(private readonly perSecond: number) {
    this.burst = Math.max(1, perSecond * BURST_MICROS / MICROS_PER_SECOND)
    this.tokens = this.burst
  }

  /** One request has come; false when it is one too many. */
  admits({ mono }: Now): boolean {
    this.judge(mono)
    this.arrivals += 1
    this.tokens = Math.min(this.burst, this.tokens + (mono - this.filledAt) / MICROS_PER_SECOND * this.perSecond)
    this.filledAt = mono
    if (this.tokens < 1) return false
    this.tokens -= 1
    return true
  }

  /** What share a neighbour is to leave out, in whole percent. */
  lossPercent({ mono }: Now): number {
    this.judge(mono)
    return this.percent
  }

  private judge(mono: Micros): void {
    this.windowFrom ??= mono
    const micros = mono - this.windowFrom
    if (micros < WINDOW_MICROS) return
    const seen = this.arrivals / (micros / MICROS_PER_SECOND) / (1 - Math.min(this.percent, 99) / 100)
    this.offered += FRESH * (seen - this.offered)
    // Rounding evens out over the reports, so that a percent of much is not much too little.
    const exact = 100 * Math.max(0, 1 - AIM * this.perSecond / Math.max(this.offered, 1e-9)) + this.rest
    this.percent = Math.min(99, Math.max(0, Math.round(exact)))
    this.rest = Math.min(1, Math.max(-1, exact - this.percent))
    this.windowFrom = mono
    this.arrivals = 0
  }
}
