/**
 * Policy `first`: one delivery is tried at the devices of a user one after another. A device that refuses or cannot be had now
 * is passed over; when none is left, the worst refusal stands, or, if some could not be had, it begins anew later. Knows the
 * verbs of deliveries; what a refusal is, is told.
 */
import type { Micros, Now } from '../../kit/time.js'
import type { Deliveries } from './deliveries.js'
import type { End } from './roles.js'
import type { Delivery } from './delivery.js'
import { worstOf, type DeviceEnd } from './device-ends.js'
import type { Target } from './target.js'

/** How long a round waits that a refusal ended while another device could not be had. */
const AGAIN_MICROS: Micros = 30_000_000

/** What a delivery remembers of its round. */
export interface Round {
  /** The address the push was submitted for; there it waits when no device is left. */
  readonly home: Target
  readonly devices: readonly Target[]
  at: number
  readonly refusals: DeviceEnd[]
  /** One of them could not be had now. */
  isPatient: boolean
}

export class Rounds {
  constructor(private readonly deliveries: Deliveries) {}

  begin(now: Now, delivery: Delivery, devices: readonly Target[]): void {
    delivery.round = { home: delivery.queue.target, devices, at: 0, refusals: [], isPatient: false }
    this.deliveries.move(now, delivery, devices[0]!)
  }

  /** The present device refused. The end of the whole, when there is nothing left to try or to wait for. */
  refused(now: Now, delivery: Delivery, round: Round, end: End): End | undefined {
    round.refusals.push({ device: round.devices[round.at]!.uri, end })
    if (this.next(now, delivery, round)) return undefined
    if (!round.isPatient) return worstOf(round.refusals)
    this.over(now, delivery, round, AGAIN_MICROS)
    return undefined
  }

  /** The present device cannot be had now; `waitMicros` is how long the last one would have waited. */
  passOver(now: Now, delivery: Delivery, round: Round, waitMicros: Micros): void {
    round.isPatient = true
    if (!this.next(now, delivery, round)) this.over(now, delivery, round, waitMicros)
  }

  /** What the device before turned down says nothing of this one. */
  private next(now: Now, delivery: Delivery, round: Round): boolean {
    const target = round.devices[++round.at]
    if (target === undefined) return false
    delivery.excluded = 0
    this.deliveries.move(now, delivery, target)
    return true
  }

  private over(now: Now, delivery: Delivery, round: Round, waitMicros: Micros): void {
    delivery.round = undefined
    delivery.excluded = 0
    this.deliveries.waitAt(now, delivery, round.home, waitMicros)
  }
}
