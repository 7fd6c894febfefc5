/**
 * What the usages of a fleet's terminals (sessions, subscriptions, fetches) ask of the fleet that holds them: the shared
 * SIP endpoint, the way of each terminal, one heap for all their timers, and who is told. Types, and the timer they arm.
 */
import type { Crypto } from '../../core/kit/crypto.js'
import type { Entropy } from '../../core/kit/entropy.js'
import type { Deadline } from '../../core/kit/heap.js'
import type { Micros, Now } from '../../core/kit/time.js'
import type { Hop, ServerTransaction, SipEndpointContract } from '../../core/sip/endpoint-contract.js'
import type { HeaderText } from '../../core/sip/header-text.js'
import type { SipMessage } from '../../core/sip/message.js'
import type { FleetCounters, FleetOut } from './fleet-contract.js'
import type { Population } from './population.js'
import type { Reception } from './reception.js'
import type { Terminal } from './terminal.js'

/** What the fleet's heap wakes for a usage. */
export class Alarm {
  constructor(readonly ring: (now: Now) => void) {}
}

export interface UsageHost {
  readonly endpoint: SipEndpointContract
  readonly entropy: Entropy
  readonly crypto: Crypto
  readonly population: Population
  readonly counters: FleetCounters
  readonly reception: Reception
  /** Of the terminals' certificate; undefined where they speak no MSRP over TLS. */
  readonly fingerprint: string | undefined
  /** The way of a terminal's requests; undefined while its flows are down, or it is off. */
  hopOf(terminal: Terminal): Hop | undefined
  /** The way of a dialog, as long as the flow is up that it was made over and its terminal is on (RFC 5626 section 5.3). */
  stillUp(terminal: Terminal, way: Hop | undefined): Hop | undefined
  /** Did this come from the terminal's own proxy? */
  isFromProxy(terminal: Terminal, source: Hop): boolean
  /** `host:port` where its flow is bound. */
  localOf(terminal: Terminal): string
  /** Contact of what it says outside of registration: its public GRUU when it has one (RFC 5627 section 4.3). */
  contactOf(terminal: Terminal): HeaderText
  newTag(): string
  /** Gives a final answer as the terminal behaves: at once, late, twice. */
  answer(now: Now, terminal: Terminal, transaction: ServerTransaction, response: SipMessage): void
  armAlarm(at: Micros, alarm: Alarm): Deadline<object>
  disarmAlarm(deadline: Deadline<object> | undefined): void
  emit(out: FleetOut): void
}
