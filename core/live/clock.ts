/**
 * The two clocks of the host, read here and nowhere else outside live rooms. `mono` is CLOCK_MONOTONIC, so
 * instants of different processes and threads of one host compare; it knows nothing of who asks.
 */
import { MICROS_PER_SECOND, type Micros, type Now } from '../kit/time.js'

/** The host's monotonic clock, whole microseconds. */
export function monoMicros(): Micros {
  const time = process.hrtime()
  return time[0] * MICROS_PER_SECOND + Math.floor(time[1] / 1_000)
}

export function readNow(): Now {
  return { mono: monoMicros(), wall: Date.now() }
}
