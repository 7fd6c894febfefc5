/**
 * Whether a load is beyond what the system can carry, seen while it runs: what is in flight and how long an answer takes both grow,
 * second after second. Then more of it only costs time. Knows a run's progress, not what is done about it.
 */
import { bothGrow } from '../reconcile/steady-state.js'

/** What of a run's progress says it. */
export interface Seen {
  readonly phase: string
  readonly elapsedSeconds: number
  /** Gauge: accepted and without an outcome. */
  readonly inFlight: number
  /** Planned time to answer over the last second. */
  readonly submitP99Us: number
}

/** A trend in fewer seconds is chance. */
const SECONDS_LEAST = 10

export class OverSaturation {
  private readonly inFlight: number[] = []
  private readonly latency: number[] = []

  /** Told as often as one likes; looks once a second. The reason when the load is hopeless. */
  look({ phase, elapsedSeconds, inFlight, submitP99Us }: Seen): string | undefined {
    if (phase !== 'load' || Math.floor(elapsedSeconds) <= this.inFlight.length) return undefined
    this.inFlight.push(inFlight)
    this.latency.push(submitP99Us)
    if (this.inFlight.length < SECONDS_LEAST) return undefined
    if (!bothGrow(this.inFlight, this.latency)) return undefined
    return `over-saturated after ${this.inFlight.length} s: in flight from ${this.inFlight[0]} to ${inFlight}, time to an answer (p99) from ${millis(this.latency[0]!)} to ${millis(submitP99Us)}, both growing`
  }
}

function millis(micros: number): string {
  return `${Math.round(micros / 1_000)} ms`
}
