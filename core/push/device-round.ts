/**
 * Policy `first`: the devices of a user that one delivery tries one after another, and how each of them fared. Knows the order
 * and the last word; how one is tried is the delivery's business.
 */
import type { End } from './deliveries.js'
import { worstOf, type DeviceEnd } from './device-ends.js'
import type { Target } from './target.js'

export class DeviceRound {
  private at = 0
  private readonly ends: DeviceEnd[] = []
  /** One of them could not be reached now, so that all of it is tried again later. */
  isPatient = false

  /** `home` is the address the push was submitted for; there it waits when no device is left. */
  constructor(readonly home: Target, private readonly devices: readonly Target[]) {}

  get device(): Target {
    return this.devices[this.at]!
  }

  /** The present device took it not, and will not. */
  ended(end: End): void {
    this.ends.push({ device: this.device.uri, end })
  }

  /** The next device; undefined when all were tried. */
  next(): Target | undefined {
    this.at++
    return this.devices[this.at]
  }

  /** When each refused: the worst of it. */
  get outcome(): End {
    return worstOf(this.ends)
  }
}
