/**
 * Time as the pure rooms know it: a value that is passed in, never read.
 * Nothing here may look at a clock; the two drivers (live pump, simulated world) are the only readers.
 */

/** A monotonic instant or an interval, integer microseconds. `Infinity` stands for "never". */
export type Micros = number

/** A wall-clock instant, integer milliseconds since 1970-01-01T00:00:00Z. Used for what is stored or written on the wire. */
export type WallMillis = number

/**
 * One reading of both clocks, made by the driver at the start of a turn.
 * Intervals and timers use `mono`; stored deadlines and protocol dates use `wall`; the two are never mixed.
 */
export interface Now {
  readonly mono: Micros
  readonly wall: WallMillis
}

export const MICROS_PER_MILLI = 1_000
export const MICROS_PER_SECOND = 1_000_000

/** The monotonic instant at which the wall clock will show `wall`, as far as can be told from `now`. */
export function monoOfWall(now: Now, wall: WallMillis): Micros {
  return now.mono + (wall - now.wall) * MICROS_PER_MILLI
}
