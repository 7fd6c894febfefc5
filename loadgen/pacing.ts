/**
 * When attempts are due. The whole schedule is computed ahead from the seed, so a slow generator or a slow system
 * under test can never shift it (an open arrival process). Knows instants, not what is sent at them.
 */
import { assert } from '../core/kit/assert.js'
import type { SeededEntropy } from '../core/kit/entropy.js'
import { MICROS_PER_SECOND, type Micros } from '../core/kit/time.js'

export type Arrival = 'constant' | 'poisson'

/** More attempts than this in one run do not fit the memory of a small machine with their journals. */
export const ATTEMPTS_MAX = 20_000_000

/**
 * Offsets from the start of the load in integer microseconds, ascending, all below `durationMicros`.
 * `constant` spaces them evenly; `poisson` draws exponential gaps of the same mean.
 */
export function schedule(arrival: Arrival, ratePerSecond: number, durationMicros: Micros, entropy: SeededEntropy): Float64Array {
  assert(ratePerSecond > 0 && ratePerSecond * durationMicros / MICROS_PER_SECOND <= ATTEMPTS_MAX, 'a schedule needs a positive rate and a bounded length')
  return arrival === 'constant' ? constant(ratePerSecond, durationMicros) : poisson(ratePerSecond, durationMicros, entropy)
}

function constant(ratePerSecond: number, durationMicros: Micros): Float64Array {
  const count = Math.ceil(durationMicros * ratePerSecond / MICROS_PER_SECOND - 1e-6)
  const offsets = new Float64Array(count)
  for (let index = 0; index < count; index++) offsets[index] = Math.floor(index * MICROS_PER_SECOND / ratePerSecond)
  return offsets
}

function poisson(ratePerSecond: number, durationMicros: Micros, entropy: SeededEntropy): Float64Array {
  const meanMicros = MICROS_PER_SECOND / ratePerSecond
  const expected = durationMicros / meanMicros
  let offsets = new Float64Array(Math.ceil(expected + 6 * Math.sqrt(expected) + 16))
  let count = 0
  for (let at = entropy.exponential(meanMicros); at < durationMicros; at += entropy.exponential(meanMicros)) {
    if (count === offsets.length) {
      const longer = new Float64Array(count * 2)
      longer.set(offsets)
      offsets = longer
    }
    offsets[count++] = Math.floor(at)
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
