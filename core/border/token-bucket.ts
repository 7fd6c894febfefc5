/**
 * How often something may be done: so many a second on average, so many at once after a rest. A pure bucket of tokens that is
 * told the time; it knows neither who asks nor what for.
 */
import { MICROS_PER_SECOND, type Micros } from '../kit/time.js'

export class TokenBucket {
  private tokens: number
  private filledAt: Micros = -Infinity

  /**
   * @param perSecond tokens that come back, above 0
   * @param burst the most there are, at least 1
   */
  constructor(private readonly perSecond: number, private readonly burst: number) {
    this.tokens = burst
  }

  /** Takes a token and returns 0, or takes none and returns how long it is until there is one. */
  take(now: Micros): Micros {
    if (now > this.filledAt) {
      this.tokens = Math.min(this.burst, this.tokens + (now - this.filledAt) * this.perSecond / MICROS_PER_SECOND)
      this.filledAt = now
    }
    if (this.tokens < 1) return Math.max(1, Math.ceil((1 - this.tokens) * MICROS_PER_SECOND / this.perSecond))
    this.tokens -= 1
    return 0
  }
}
