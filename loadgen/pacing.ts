/**
 * When attempts are due. The whole schedule is computed ahead from the seed, so a slow generator or a slow system
 * under test can never shift it (an open arrival process). Knows instants, not what is sent at them.
 */
import { assert } from '../core/kit/assert.js'
import type { SeededEntropy } from '../core/kit/entropy.js'
import type { Micros } from '../core/kit/time.js'
import { RateClock, expectedAttempts, type RateSegment } from './rate-curve.js'

export type Arrival = 'constant' | 'poisson'

/** More attempts than this in one run do not fit the memory of a small machine with their journals. */
export const ATTEMPTS_MAX = 20_000_000

/**
 * Offsets from the start of the load in integer microseconds, ascending, all below the segments' length.
 * `constant` spaces them as evenly as the rate allows; `poisson` is a Poisson process of that rate, an inhomogeneous one where the rate changes.
 */
export function schedule(arrival: Arrival, segments: readonly RateSegment[], entropy: SeededEntropy): Float64Array {
  const expected = expectedAttempts(segments)
  assert(expected > 0 && expected <= ATTEMPTS_MAX, 'a schedule needs a positive rate and a bounded length')
  const clock = new RateClock(segments)
  let offsets = new Float64Array(Math.ceil(expected + 6 * Math.sqrt(expected) + 16))
  const last = segments.reduce((sum, { micros }) => sum + micros, 0) - 1
  let count = 0
  // Even steps, or exponential ones of mean 1, through the inverse of the rate's integral.
  const step = arrival === 'constant' ? (): number => 1 : (): number => entropy.exponential(1)
  // Rounding may leave the last of an even schedule a hair before the end.
  const most = arrival === 'constant' ? Math.ceil(expected - 1e-6) : Infinity
  for (let reached = arrival === 'constant' ? 0 : step(), at = clock.at(reached); at !== Infinity && count < most; reached += step(), at = clock.at(reached)) {
    if (count === offsets.length) {
      const longer = new Float64Array(count * 2)
      longer.set(offsets)
      offsets = longer
    }
    // What an even schedule has on a microsecond, sums of fractions must not move to the one before.
    offsets[count++] = Math.min(Math.floor(at + 1e-6), last)
  }
  return offsets.subarray(0, count)
}

/** How many attempts are due at `elapsedMicros`, `sent` of them being sent already: all of these go out in one batch. */
export function due(offsets: Float64Array, sent: number, elapsedMicros: Micros): number {
  let index = sent
  while (index < offsets.length && offsets[index]! <= elapsedMicros) index++
  return index - sent
}

/** How long until the next attempt is due; 0 when one is, `Infinity` after the last. */
export function wait(offsets: Float64Array, sent: number, elapsedMicros: Micros): Micros {
  return sent >= offsets.length ? Infinity : Math.max(0, offsets[sent]! - elapsedMicros)
}
