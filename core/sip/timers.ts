/**
 * The timers of SIP transactions as rows of one table (RFC 3261 appendix A, RFC 6026 section 7.3, RFC 4320 section 4.1).
 * Knows how long each runs and how a retransmission interval grows; nothing of states or messages.
 */
import { MICROS_PER_MILLI, type Micros } from '../kit/time.js'
import type { SipTimerValues } from './endpoint-contract.js'

/** RFC 3261 appendix A. */
export const DEFAULT_TIMERS: SipTimerValues = Object.freeze({ t1: 500 * MICROS_PER_MILLI, t2: 4_000 * MICROS_PER_MILLI, t4: 5_000 * MICROS_PER_MILLI })

/** `none`: the timer is never set. `0`: it fires at once, so the state it ends is left as soon as it is entered. */
export type TimerLength = 'T1' | 'T4' | '64*T1' | 'E reaches T2' | '0' | 'none'

interface TimerRow {
  readonly name: string
  readonly udp: TimerLength
  /** TCP, TLS and neighbours in the same process. */
  readonly reliable: TimerLength
  /** A transaction runs at most one timer of each slot: one that makes it send again, one that ends what it waits for. */
  readonly slot: 'again' | 'end'
  readonly meaning: string
  readonly source: string
}

export const TIMERS = [
  { name: 'A', udp: 'T1', reliable: 'none', slot: 'again', meaning: 'INVITE retransmission, doubles each time', source: 'RFC 3261 17.1.1.2' },
  { name: 'B', udp: '64*T1', reliable: '64*T1', slot: 'end', meaning: 'INVITE transaction timeout; also how long a final response is awaited after CANCEL', source: 'RFC 3261 17.1.1.2, 9.1' },
  { name: 'D', udp: '64*T1', reliable: '0', slot: 'end', meaning: 'client INVITE: absorbs repeats of a 300-699 (at least 32 s)', source: 'RFC 3261 17.1.1.2' },
  { name: 'E', udp: 'T1', reliable: 'none', slot: 'again', meaning: 'non-INVITE retransmission, doubles up to T2', source: 'RFC 3261 17.1.2.2' },
  { name: 'F', udp: '64*T1', reliable: '64*T1', slot: 'end', meaning: 'non-INVITE transaction timeout', source: 'RFC 3261 17.1.2.2' },
  { name: 'G', udp: 'T1', reliable: 'none', slot: 'again', meaning: 'INVITE final response retransmission, doubles up to T2', source: 'RFC 3261 17.2.1' },
  { name: 'H', udp: '64*T1', reliable: '64*T1', slot: 'end', meaning: 'server INVITE: how long ACK is awaited', source: 'RFC 3261 17.2.1' },
  { name: 'I', udp: 'T4', reliable: '0', slot: 'end', meaning: 'server INVITE: absorbs repeats of ACK', source: 'RFC 3261 17.2.1' },
  { name: 'J', udp: '64*T1', reliable: '0', slot: 'end', meaning: 'server non-INVITE: answers repeats of the request', source: 'RFC 3261 17.2.2' },
  { name: 'K', udp: 'T4', reliable: '0', slot: 'end', meaning: 'client non-INVITE: absorbs repeats of the response', source: 'RFC 3261 17.1.2.2' },
  { name: 'L', udp: '64*T1', reliable: '64*T1', slot: 'end', meaning: 'server INVITE: absorbs repeats of the request after a 2xx', source: 'RFC 6026 7.1' },
  { name: 'M', udp: '64*T1', reliable: '64*T1', slot: 'end', meaning: 'client INVITE: passes up repeats of a 2xx', source: 'RFC 6026 7.2' },
  { name: 'late 100', udp: 'E reaches T2', reliable: 'E reaches T2', slot: 'again', meaning: 'server non-INVITE: when a request still unanswered gets its 100', source: 'RFC 4320 4.1' },
  { name: 'expiry', udp: '64*T1', reliable: '64*T1', slot: 'end', meaning: 'server non-INVITE: the client has given up, no response is sent any more', source: 'RFC 4320 4.2' },
] as const satisfies readonly TimerRow[]

export type TimerName = (typeof TIMERS)[number]['name']

export function lengthMicros(length: TimerLength, values: SipTimerValues): Micros {
  switch (length) {
    case 'T1': return values.t1
    case 'T4': return values.t4
    case '64*T1': return 64 * values.t1
    case 'E reaches T2': return reachingT2Micros(values)
    case '0': return 0
    case 'none': return Infinity
  }
}

/** How long a client that hears nothing takes until it waits a whole T2 for its next retransmission: 3.5 s with the defaults. */
function reachingT2Micros({ t1, t2 }: SipTimerValues): Micros {
  let passed = 0
  for (let gap = t1; gap < t2; gap *= 2) passed += gap
  return passed
}

/** The next interval of timer A (RFC 3261 section 17.1.1.2). */
export function doubled(gap: Micros): Micros {
  return 2 * gap
}

/** The next interval of timers E and G: MIN(2*gap, T2) (RFC 3261 sections 17.1.2.2 and 17.2.1). */
export function doubledToT2(gap: Micros, values: SipTimerValues): Micros {
  return Math.min(2 * gap, values.t2)
}
