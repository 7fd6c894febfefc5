/**
 * Ends every subscription that stands, on an operator's word: each terminal learns it by a last NOTIFY that says it need not
 * come back, and pushes go otherwise from then on. So many in a turn that nothing else has to wait for it.
 */
import type { Micros, Now } from '../../kit/time.js'
import type { Standing } from './standing.js'
import type { Subscriptions } from './subscriptions.js'

const ENDS_PER_TURN = 64

export class SubscriptionEnds {
  private waiting: Standing[] = []

  constructor(private readonly subscriptions: Subscriptions) {}

  begin(now: Now): void {
    this.waiting = [...this.subscriptions.all()]
    this.tick(now)
  }

  deadline(): Micros {
    return this.waiting.length > 0 ? 0 : Infinity
  }

  tick(now: Now): void {
    // RFC 6665 section 4.1.3: nobody is to subscribe again.
    for (const standing of this.waiting.splice(-ENDS_PER_TURN)) this.subscriptions.terminate(now, standing, 'noresource')
  }
}
