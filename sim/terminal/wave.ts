/**
 * A paced pass over all devices of a fleet, to register or to deregister them: how many are due by now, and how many
 * have come to an end. Knows counts and time; the fleet says which device is which.
 */
import type { Deadline } from '../../core/kit/heap.js'
import { MICROS_PER_SECOND, type Micros, type Now } from '../../core/kit/time.js'
import type { Settled } from './fleet-contract.js'
import type { TerminalState } from './registration-table.js'

/** Devices started together at least, so that a fast pass does not wake for each one. */
const STEP_MICROS: Micros = 2_000
/** How often a wave looks whether the flows are up. */
const FLOW_LOOK_MICROS: Micros = 20_000

export class Wave {
  /** The next device to look at. */
  cursor = 0
  wanted = 0
  done = 0
  refused = 0
  timer: Deadline<object> | undefined = undefined
  private started = 0
  /** When pacing began: at the first look with all flows up. */
  private pacedFrom: Micros = Infinity
  private readonly endsAt: Micros

  constructor(readonly kind: 'register' | 'deregister', readonly ticket: number, private readonly perSecond: number, withinMicros: Micros, now: Now) {
    this.endsAt = now.mono + withinMicros
  }

  /** How many more devices should have been started by now. */
  due(now: Now): number {
    this.pacedFrom = Math.min(this.pacedFrom, now.mono)
    return Math.floor(((now.mono - this.pacedFrom) * this.perSecond) / MICROS_PER_SECOND) + 1 - this.started
  }

  noteStarted(): void {
    this.started += 1
    this.wanted += 1
  }

  isLate(now: Now): boolean {
    return now.mono >= this.endsAt
  }

  /** When to look again: at the next start while some are left (`moreToStart`), soon while flows are missing, at the latest at the end. */
  nextLook(now: Now, flowsAreUp: boolean, moreToStart: boolean): Micros {
    if (!moreToStart) return this.endsAt
    const next = flowsAreUp ? this.pacedFrom + Math.ceil((this.started * MICROS_PER_SECOND) / this.perSecond) : now.mono + FLOW_LOOK_MICROS
    return Math.min(this.endsAt, Math.max(next, now.mono + STEP_MICROS))
  }

  /** Counts a device by the state it is in; false while that state is not an end. */
  noteState(state: TerminalState): boolean {
    if (this.kind === 'deregister') {
      if (state !== 'off') return false
      this.done += 1
    } else if (state === 'registered') this.done += 1
    else if (state === 'refused') this.refused += 1
    // Its user, or its cycle, has switched it off again: the wave is no longer about it.
    else if (state === 'off') this.wanted -= 1
    else return false
    return true
  }

  get pending(): number {
    return this.wanted - this.done - this.refused
  }

  settled(): Settled {
    return { type: 'settled', ticket: this.ticket, wanted: this.wanted, done: this.done, refused: this.refused, pending: this.pending }
  }
}
