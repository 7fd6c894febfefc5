/**
 * How people and their devices behave, as distributions: how long a device is on and off, how long it takes to
 * answer, whether it refuses. Draws from an `Entropy`; knows nothing of SIP or of any one device.
 */
import type { Entropy } from '../../core/kit/entropy.js'
import type { Micros } from '../../core/kit/time.js'
import type { Misbehaviour } from './misbehaviour.js'

/** A distribution of durations in microseconds. */
export type Distribution =
  | { readonly type: 'constant'; readonly micros: Micros }
  | { readonly type: 'uniform'; readonly fromMicros: Micros; readonly toMicros: Micros }
  | { readonly type: 'exponential'; readonly meanMicros: Micros }
  /** `sigma` is the standard deviation of the natural logarithm; 0.5 to 1 is usual for human and device delays. */
  | { readonly type: 'lognormal'; readonly medianMicros: Micros; readonly sigma: number }

/** One duration, whole microseconds, never negative. */
export function draw(distribution: Distribution, entropy: Entropy): Micros {
  switch (distribution.type) {
    case 'constant':
      return distribution.micros
    case 'uniform':
      return Math.round(distribution.fromMicros + entropy.unit() * (distribution.toMicros - distribution.fromMicros))
    case 'exponential':
      return Math.round(-Math.log(1 - entropy.unit()) * distribution.meanMicros)
    case 'lognormal':
      return Math.round(distribution.medianMicros * Math.exp(distribution.sigma * standardNormal(entropy)))
  }
}

/** Box and Muller's transform of two uniform numbers. */
function standardNormal(entropy: Entropy): number {
  return Math.sqrt(-2 * Math.log(1 - entropy.unit())) * Math.cos(2 * Math.PI * entropy.unit())
}

/** A device that is switched on and off. */
export interface CycleBehaviour {
  readonly on: Distribution
  readonly off: Distribution
  /** Share of the times it goes off without a word (battery, tunnel), leaving its binding behind; 0 to 1. */
  readonly silentShare: number
  /** Share of the devices that are off when the population starts; 0 to 1. */
  readonly offAtStartShare: number
}

/** A device that takes no push: the final answer it gives to every MESSAGE, INVITE and NOTIFY with content that passes its checks. */
export interface Refusal {
  /** 300 to 699. */
  readonly status: number
  /** Written as Retry-After when given (RFC 3261 section 20.33). */
  readonly retryAfterSeconds?: number
}

/** What one device does. `cycle` absent: on from the start and always. */
export interface DeviceBehaviour {
  /** Never switched on. */
  readonly absent: boolean
  readonly cycle: CycleBehaviour | undefined
  /** From the arrival of a MESSAGE or INVITE to its answer. */
  readonly answerDelay: Distribution
  readonly refusal: Refusal | undefined
  readonly misbehaviour: Misbehaviour | undefined
  /** How late it answers when it is one that answers late. */
  readonly lateMicros: Micros
}
