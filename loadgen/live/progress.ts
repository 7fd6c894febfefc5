/** How far a run is: what the live view, the interval lines, the dashboard and anybody else watching are told; nothing of where it goes. */
import type { RateChange, RateChanged } from '../rate-course.js'
import type { Course } from '../thresholds/abort.js'

export const PHASES = ['start', 'register', 'warm-up', 'load', 'drain', 'report'] as const
export type Phase = (typeof PHASES)[number]

/** Durations from the planned time on, microseconds; all 0 where there was none. */
export interface Delays {
  readonly count: number
  readonly p50Us: number
  readonly p90Us: number
  readonly p99Us: number
  readonly maxUs: number
}

/** What one part uses now. */
export interface PartNow {
  readonly name: string
  /** Busy share of its busiest event loop over its last second, 0 to 1. */
  readonly busy: number
  /** Processors it kept busy over its last second. */
  readonly cores: number
  readonly rssBytesMax: number
}

/** Its counts are of the whole load so far; what rules by which a run is cut short may speak of is among it. */
export interface Progress extends Course {
  readonly scenario: string
  /** Seconds since the run began, on a steady clock. */
  readonly runSeconds: number
  readonly phase: Phase
  /** How long the phase is expected to last, seconds; undefined where nobody can tell. */
  readonly expectedSeconds: number | undefined
  /** Until the end of the load, or of the drain at its longest; undefined where nobody can tell. */
  readonly leftSeconds: number | undefined
  readonly registered: number
  /** Those that stay off included. */
  readonly devices: number
  /** Attempts per second that are wanted now; undefined where the load has no rate, or none is under way. */
  readonly wantedPerSecond: number | undefined
  /** The rate was held by hand. */
  readonly held: boolean
  readonly notified: number
  /** Planned time to answer over the measured window so far. */
  readonly answered: Delays
  /**
   * Planned time to the result at the initiator, of pushes to recipients who were online: the record's stage `notification`. Over the last second,
   * and over the measured window so far. Without result notifications there is none.
   */
  readonly resultNow: Delays
  readonly result: Delays
  /** In the order in which they stand in the record. */
  readonly parts: readonly PartNow[]
  /** What was not delivered and why, most frequent first; expected ends, such as an expiry that the traffic set asks for, among it. */
  readonly causes: readonly { readonly words: string; readonly count: number }[]
}

/** Changes the rate of the load under way; in words why it did not. */
export type Steering = (change: RateChange) => RateChanged | string

export interface Watcher {
  progress(progress: Progress): void
  /** The load can be steered from here on. */
  steer?(steering: Steering): void
  /** Something a user should know now, such as a moved port. */
  note(text: string): void
  /** No more progress comes: leave the terminal in order. */
  end(): void
}
