/** What the threads of a simulated day are given and tell. Types only. */
import type { Residuals } from '../world/calibration.js'
import type { ServiceCosts } from '../world/services.js'
import type { Progress } from '../world/day.js'
import type { Totals } from '../world/totals.js'
import type { Scenario } from '../scenario.js'
import type { EncodedHistograms } from './shard-histograms.js'

export interface ShardWork {
  readonly scenario: Scenario
  readonly shard: { readonly index: number; readonly count: number }
  readonly startWall: number
  readonly costs: ServiceCosts
  readonly residuals: Residuals
  readonly flushMicros: number
  readonly coreMicros: number
  /** Set to 1 by whoever wants it to end: what is under way is told as in flight. */
  readonly stop: Int32Array
}

export interface ShardProgress extends Progress {
  readonly type: 'progress'
  /** Attempts of this shard in all. */
  readonly attempts: number
}

/** One part in virtual time. */
export interface VirtualUse {
  /** Time its processor was busy. */
  readonly busySeconds: number
  /** Highest busy share of any piece of the window. */
  readonly busiest: number
}

export interface ShardResult {
  readonly type: 'result'
  readonly totals: Totals
  readonly histograms: EncodedHistograms
  readonly registered: { readonly wanted: number; readonly done: number }
  readonly devices: number
  readonly rejectedByCheck: number
  readonly heldSamples: readonly number[]
  readonly use: Readonly<Record<'gateway' | 'ims' | 'terminals', VirtualUse>>
  /** Packets and octets by `from>to`. */
  readonly sent: Readonly<Record<string, { readonly packets: number; readonly octets: number }>>
  readonly shed: number
  /** Virtual seconds of load, and of the drain. */
  readonly loadSeconds: number
  readonly drainSeconds: number
}
