/**
 * The contract of everything that decides. A machine is plain state: it is told the time and one input,
 * it queues outputs, and it says when it next wants to be woken. It never waits, reads a clock or does I/O.
 */
import type { Micros, Now } from './time.js'

export interface Machine<In, Out> {
  /** The only mutation. Never throws for anything that came from outside the process. */
  handle(now: Now, input: In): void
  /** The next output, or undefined when there is none. A driver drains it before the next `handle`. */
  poll(): Out | undefined
  /** The monotonic instant at which to call `handle(now, TICK)`; `Infinity` when idle. */
  deadline(): Micros
}

/** The input that tells a machine its deadline has come. Every machine's `In` includes it. */
export interface Tick {
  readonly type: 'tick'
}

export const TICK: Tick = Object.freeze({ type: 'tick' })
