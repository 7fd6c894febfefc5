/**
 * What a SIP endpoint (endpoint.ts) offers to the machine that owns it, and what it asks of it: RFC 3261's
 * transaction user boundary (section 5, figure of layers). Types only.
 */
import type { Entropy } from '../kit/entropy.js'
import type { Endpoint, FlowId, NetworkIn, NetworkOut, Transport } from '../kit/network.js'
import type { Micros, Now } from '../kit/time.js'
import type { SipMessage } from './message.js'

/** Where a request goes next. With `flow`, exactly there (RFC 5626, or a reply path); else the endpoint picks or opens a flow. */
export interface Hop {
  readonly transport: Transport
  readonly address: string
  readonly port: number
  readonly flow?: FlowId
  /** Which of several connections to the same place, so that one slow stream does not hold up everything (head-of-line blocking). 0 when absent. */
  readonly lane?: number
}

/** One request received. Opaque to the user except for these fields; the user may hang its own state on `context`. */
export interface ServerTransaction {
  readonly request: SipMessage
  /** Where the request came from, usable as a Hop that leads back over the same flow. */
  readonly source: Hop
  context: unknown
}

/** One request sent. */
export interface ClientTransaction {
  /** As sent: with our Via on top. */
  readonly request: SipMessage
  readonly hop: Hop
  context: unknown
}

/** Why a client transaction ended without a final response: timer B or F, or the transport (RFC 3261 section 8.1.3.1). */
export type ClientFailure = 'timeout' | 'transport'

/** What the owner is told, synchronously, from within `input` and `tick`. */
export interface TransactionUser {
  /** A new request (never ACK for a non-2xx, never a retransmission). It has passed `validateRequest`; CANCEL is already answered and arrives as `onCancel`. */
  onRequest(now: Now, transaction: ServerTransaction): void
  /** An ACK for a 2xx. */
  onAck(now: Now, ack: SipMessage, source: Hop): void
  /** The INVITE of this server transaction was cancelled; the user answers it 487. */
  onCancel(now: Now, transaction: ServerTransaction): void
  /** Every provisional response but 100, and every final one (for INVITE every 2xx). Our Via is still on top. */
  onResponse(now: Now, transaction: ClientTransaction, response: SipMessage): void
  onFailure(now: Now, transaction: ClientTransaction, failure: ClientFailure): void
  /** A flow ended; the client transactions on it have already failed. Optional knowledge. One that never came up has no name and is not told. */
  onFlowDown(now: Now, flow: FlowId): void
}

export interface SipTimerValues {
  readonly t1: Micros
  readonly t2: Micros
  readonly t4: Micros
}

export interface SipEndpointOptions {
  /** `host[:port]` written as sent-by in our Via, by transport; also how a response is recognised as ours. */
  readonly sentBy: (transport: Transport) => string
  readonly entropy: Entropy
  readonly user: TransactionUser
  readonly emit: (out: NetworkOut) => void
  /** RFC 3261 appendix A defaults (500 ms, 4 s, 5 s) when absent. */
  readonly timers?: SipTimerValues
  /** The hops of one of this endpoint's sides that has timers of its own, such as the radio leg of a P-CSCF (TS 24.229 section 7.7). */
  readonly leg?: { readonly timers: SipTimerValues; readonly includes: (hop: Hop) => boolean }
  /** Set by a user agent, never by a proxy: a request that came already by another way is answered 482 (RFC 3261 section 8.2.2.2). */
  readonly refuseMerged?: boolean
  /** Set by whoever heeds what neighbours report of their load (overload-control.ts): every request says so in its Via (RFC 7339 section 5.1). */
  readonly offersOverloadControl?: boolean
}

export interface SipEndpointContract {
  /** Whatever concerns this endpoint's flows. Its own `connect`s bear tickets from `ENDPOINT_TICKET_FIRST` (endpoint-flows.ts) on. */
  input(now: Now, input: NetworkIn): void
  /** Adds our Via (fresh branch) on top, Content-Length, and sends. A datagram over 1,300 octets moves to TCP (RFC 3261 section 18.1.1). */
  request(now: Now, request: SipMessage, hop: Hop, context?: unknown): ClientTransaction
  /**
   * Sends a provisional or final response of this transaction; the response is given away. Its Vias are made those of the
   * request, so a response that came in for a forwarded request can be handed over as it is, our Via still on top.
   * For a non-INVITE only a final response other than 408 has an effect (RFC 4320 section 4).
   */
  respond(now: Now, transaction: ServerTransaction, response: SipMessage): void
  /** Forgets a request without a final answer as if it had never been heard: nothing more is sent for it, not even a 100. For a user agent that is switched off. */
  abandon(transaction: ServerTransaction): void
  /** Sends without a transaction: the ACK for a 2xx, or a stateless forward. A request gets our Via on top, a response goes as it is. */
  send(now: Now, message: SipMessage, hop: Hop): void
  /** Sends CANCEL for a pending INVITE (RFC 3261 section 9.1). */
  cancel(now: Now, transaction: ClientTransaction): void
  deadline(): Micros
  tick(now: Now): void
  /** Transactions not yet terminated, client and server. */
  readonly openTransactions: number
}

export type { Endpoint }
