/**
 * When attempts are due in an open arrival process: it follows from the seed alone, so a slow generator or a slow system
 * under test can never shift it. Knows instants, not what is sent at them.
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
  const steps = new Steps(arrival, segments, entropy, arrival === 'constant' ? 0 : entropy.exponential(1))
  let offsets = new Float64Array(Math.ceil(expected + 6 * Math.sqrt(expected) + 16))
  // Rounding may leave the last of an even schedule a hair before the end.
  const most = arrival === 'constant' ? Math.ceil(expected - 1e-6) : Infinity
  let count = 0
  for (let at = steps.next(); at !== Infinity && count < most; at = steps.next()) {
    if (count === offsets.length) {
      const longer = new Float64Array(count * 2)
      longer.set(offsets)
      offsets = longer
    }
    offsets[count++] = at
  }
  return offsets.subarray(0, count)
}

/** The instants of an arrival process one by one, for who cannot or need not know all of them ahead. */
export class Steps {
  private readonly clock: RateClock
  private readonly last: Micros

  /** @param reached how many attempts are due at the first instant, by the integral of the rate: 0 is the very beginning */
  constructor(private readonly arrival: Arrival, segments: readonly RateSegment[], private readonly entropy: SeededEntropy, private reached: number) {
    this.clock = new RateClock(segments)
    this.last = segments.reduce((sum, { micros }) => sum + micros, 0) - 1
  }

  /** The next instant; `Infinity` after the last. */
  next(): Micros {
    const at = this.clock.at(this.reached)
    // Even steps, or exponential ones of mean 1, through the inverse of the rate's integral.
    this.reached += this.arrival === 'constant' ? 1 : this.entropy.exponential(1)
    // What an even schedule has on a microsecond, sums of fractions must not move to the one before.
    return at === Infinity ? Infinity : Math.min(Math.floor(at + 1e-6), this.last)
  }
}
