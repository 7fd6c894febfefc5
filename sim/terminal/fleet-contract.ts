/**
 * What a fleet of terminals takes, gives and counts. Types only; fleet.ts decides, the live driver and the simulated
 * world move bytes and write the journal.
 */
import type { JournalEventName } from '../../core/kit/journal.js'
import type { Tick } from '../../core/kit/machine.js'
import type { Endpoint, NetworkIn, NetworkOut, Transport } from '../../core/kit/network.js'
import type { Micros } from '../../core/kit/time.js'
import type { SipTimerValues } from '../../core/sip/endpoint-contract.js'
import type { BackoffSettings } from './flow-registration.js'
import type { TerminalGroup } from './terminal.js'

export interface FleetSettings {
  /** Subscribers `shard.index`, `shard.index + shard.count`, ... of the population are this fleet's; reference terminals are not. */
  readonly shard: { readonly index: number; readonly count: number }
  /** The P-CSCF, or the registrar where there is none: every request goes there, and only from there are pushes taken. */
  readonly proxy: Endpoint
  /** Where further flows lead; to `proxy` as well when absent. */
  readonly furtherProxy?: Endpoint
  /** Visited networks by the names the population knows them by, and the P-CSCF of each; none when absent. */
  readonly visited?: readonly { readonly id: string; readonly proxy: Endpoint; readonly furtherProxy?: Endpoint }[]
  readonly transport: Transport
  /** TCP or TLS connections the terminals share in each network. UDP terminals share the one socket the driver binds. */
  readonly connections: number
  /** Flows of each terminal that registers by RFC 5626 (section 4.2); 1 when absent. Over UDP the driver binds as many sockets. */
  readonly flows?: number
  /** SHA-256 of the certificate that all its terminals show, as a session description writes it; absent, they speak no MSRP over TLS. */
  readonly fingerprint?: string
  /** Of SIP transactions, such as those of a radio leg; RFC 3261's when absent. */
  readonly timers?: SipTimerValues
  readonly backoff: BackoffSettings
}

export type FleetIn =
  | Tick
  | NetworkIn
  /**
   * Switches on, at most at this rate, every device that is to be on at the start, and starts the on and off cycles of those that have
   * them. Answered by `settled` when each of the former is registered or refused, or when `withinMicros` are over.
   */
  | { readonly type: 'register'; readonly ticket: number; readonly perSecond: number; readonly withinMicros: Micros }
  /** Ends all cycles and switches every device off politely, at this rate. Answered by `settled`. */
  | { readonly type: 'deregister'; readonly ticket: number; readonly perSecond: number; readonly withinMicros: Micros }
  /** How a `fetch` ended: what HTTP answered, and the octets and SHA-1 (lower-case hex) of what came; or why there is no answer. */
  | { readonly type: 'fetched'; readonly ticket: number; readonly status: number; readonly bytes: number; readonly sha1: string }
  | { readonly type: 'fetch-failed'; readonly ticket: number; readonly reason: string }
  /** One subscriber's devices, or one of them. A subscriber of another shard is no error: nothing happens. */
  | { readonly type: 'switch'; readonly subscriber: number; readonly ordinal?: number; readonly to: 'on' | 'off' | 'vanished' }
  /** The same devices are in this network from now on; undefined is home. Those that are on register there, unless they are just leaving. */
  | { readonly type: 'move'; readonly subscriber: number; readonly ordinal?: number; readonly network: string | undefined }

export type FleetOut =
  | NetworkOut
  | { readonly type: 'journal'; readonly event: JournalEventName; readonly pushId: string; readonly address: string; readonly details: readonly string[] }
  | Settled
  /** GET this content (RFC 4483), giving up beyond so many octets. Answered by `fetched` or `fetch-failed`. */
  | { readonly type: 'fetch'; readonly ticket: number; readonly url: string; readonly bytesMax: number }

/** How far a `register` or `deregister` came. */
export interface Settled {
  readonly type: 'settled'
  readonly ticket: number
  /** Devices it was about. */
  readonly wanted: number
  /** Registered (or off, for `deregister`). */
  readonly done: number
  readonly refused: number
  /** Neither yet: trying still, waiting to try again, or for its turn, which comes no more. */
  readonly pending: number
}

/** Running totals, except where gauges are named. */
export interface FleetCounters {
  /** Gauge: devices of the shard. */
  devices: number
  /** Gauge: devices with a binding in force. */
  registered: number
  /** Gauge: connections (or sockets) that are up. */
  flows: number
  registersSent: number
  registersAccepted: number
  registersChallenged: number
  /** Gauge: REGISTERs sent and not answered yet. */
  registersPending: number
  registersRefused: number
  registersFailed: number
  /** Pushes, whichever way they came: taken, seen before, refused by behaviour, refused by a check. */
  received: number
  repeats: number
  refused: number
  rejectedByCheck: number
  /** MESSAGEs for a device that was off: not answered. */
  unheard: number
  /** Requests for a user part that is no device of the shard: answered 404. */
  strays: number
  /** Octets of content over MSRP, contents that broke off half received. */
  sessionBytes: number
  contentsAborted: number
  /** Offerers of sessions over TLS that did not show the certificate their offer names, or spoke no TLS. */
  peersDistrusted: number
  subscribesSent: number
  /** NOTIFYs within a subscription. */
  notifies: number
  /** Contents fetched as they were announced; those that were not there, or not what was announced. */
  fetched: number
  fetchesFailed: number
  /** Contents in pieces that were never whole. */
  segmentsLost: number
  /** Gauges: INVITE sessions, MSRP sessions and connections, subscriptions, fetches and contents in pieces under way, SIP transactions. */
  readonly sessions: number
  readonly mediaSessions: number
  readonly mediaConnections: number
  readonly subscriptions: number
  readonly fetches: number
  readonly segments: number
  readonly transactions: number
}

export type { TerminalGroup }
