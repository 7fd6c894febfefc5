/**
 * A link between two nodes as a function of chance: when does what is sent arrive, if at all? Datagrams may be lost,
 * doubled and overtake each other; a stream loses nothing and keeps its order, a loss only costs it a retransmission. A
 * narrow link takes its time for each octet.
 * Knows times and sizes, not who is at its ends.
 */
import type { Entropy } from '../../core/kit/entropy.js'
import { MICROS_PER_SECOND, type Micros } from '../../core/kit/time.js'

/** One direction of a link. Shares are probabilities per packet, 0 to 1. */
export interface LinkProfile {
  readonly delayMicros: Micros
  /** Added to the delay, uniform between 0 and this; datagrams overtake each other by it. */
  readonly jitterMicros: Micros
  readonly lossShare: number
  readonly duplicateShare: number
  /** How fast what is sent between two ends leaves, one after the other; at once when absent. */
  readonly bitsPerSecond?: number
}

export const PERFECT_LINK: LinkProfile = { delayMicros: 0, jitterMicros: 0, lossShare: 0, duplicateShare: 0 }

/** What a lost segment costs a stream the first time; doubled for each further loss of the same segment (RFC 6298 section 5, with Linux's 200 ms floor). */
export const STREAM_RETRANSMISSION_MICROS: Micros = 200_000

/** A segment lost so often ends the stream, as TCP gives up after its retries. */
const STREAM_LOSSES_MAX = 8

/** An access as people describe it: a round trip is twice the delay and, on average, once the jitter. */
export interface AccessProfile {
  readonly rttMicros: Micros
  readonly jitterMicros: Micros
  readonly lossShare: number
  /** Each way; unbounded when absent. */
  readonly bitsPerSecond?: number
}

/** One direction of it. */
export function linkOf({ rttMicros, jitterMicros, lossShare, bitsPerSecond }: AccessProfile): LinkProfile {
  return { delayMicros: rttMicros / 2, jitterMicros, lossShare, duplicateShare: 0, ...(bitsPerSecond === undefined ? {} : { bitsPerSecond }) }
}

/** When the last bit has left, and the next may: not before the line is free, and then as long as the octets take. */
export function departure({ bitsPerSecond }: LinkProfile, sentAt: Micros, freeAt: Micros, octets: number): Micros {
  return bitsPerSecond === undefined ? sentAt : Math.max(sentAt, freeAt) + Math.ceil((octets * 8 * MICROS_PER_SECOND) / bitsPerSecond)
}

/** Arrival times of one datagram's copies: none when it was lost, two when it was doubled. */
export function datagramArrivals(profile: LinkProfile, entropy: Entropy, sentAt: Micros): Micros[] {
  if (profile.lossShare > 0 && entropy.unit() < profile.lossShare) return []
  const arrivals = [sentAt + oneWay(profile, entropy)]
  if (profile.duplicateShare > 0 && entropy.unit() < profile.duplicateShare) arrivals.push(sentAt + oneWay(profile, entropy))
  return arrivals
}

/** Arrival time of one stream segment, never before `notBefore` (the arrival of the one sent before it); `Infinity` when the stream breaks. */
export function segmentArrival(profile: LinkProfile, entropy: Entropy, sentAt: Micros, notBefore: Micros): Micros {
  let losses = 0
  let waited = 0
  while (profile.lossShare > 0 && entropy.unit() < profile.lossShare) {
    waited += STREAM_RETRANSMISSION_MICROS * 2 ** losses
    losses += 1
    if (losses > STREAM_LOSSES_MAX) return Infinity
  }
  return Math.max(notBefore, sentAt + waited + oneWay(profile, entropy))
}

function oneWay(profile: LinkProfile, entropy: Entropy): Micros {
  return profile.delayMicros + (profile.jitterMicros === 0 ? 0 : Math.floor(entropy.unit() * profile.jitterMicros))
}
