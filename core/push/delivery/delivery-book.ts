/** Who of the deliveries is in which state, counted, and when each has to be looked at again. Knows no queue and no store. */
import { DeadlineHeap } from '../../kit/heap.js'
import { monoOfWall, type Micros, type Now } from '../../kit/time.js'
import type { GatewayCounters } from '../contract.js'
import type { Delivery, DeliveryState } from './delivery.js'

/** Never wake twice for one instant when the wall clock lags behind. */
const REARM_MICROS: Micros = 1_000

export class DeliveryBook {
  private readonly timers = new DeadlineHeap<Delivery>()
  /** Ready ones. */
  ready = 0
  /** Those being attempted. */
  attempts = 0

  constructor(private readonly counters: GatewayCounters) {}

  enter(delivery: Delivery, state: DeliveryState): void {
    delivery.state = state
    this.count(state, 1)
  }

  change(delivery: Delivery, state: DeliveryState): void {
    this.leave(delivery.state)
    this.enter(delivery, state)
  }

  leave(state: DeliveryState): void {
    this.count(state, -1)
  }

  /** Its next moment: at the latest the end of its lifetime. */
  arm(now: Now, delivery: Delivery, at: Micros): void {
    this.disarm(delivery)
    const earliest = Math.min(at, monoOfWall(now, delivery.expiresAt))
    delivery.timer = this.timers.arm(Math.max(now.mono + REARM_MICROS, earliest), delivery)
  }

  disarm(delivery: Delivery): void {
    if (delivery.timer === undefined) return
    this.timers.cancel(delivery.timer)
    delivery.timer = undefined
  }

  popDue(now: Now): Delivery | undefined {
    const delivery = this.timers.popDue(now.mono)
    if (delivery !== undefined) delivery.timer = undefined
    return delivery
  }

  deadline(): Micros {
    return this.timers.next()
  }

  /** One that is split waits by its legs, and one that ends waits for nothing. */
  private count(state: DeliveryState, by: number): void {
    if (state === 'ready') this.ready += by
    else if (state === 'attempting') this.attempts += by
    else if (state !== 'ending' && state !== 'split') this.counters.waiting += by
  }
}
