/** What the keeper of INVITE sessions (invite-sessions.ts) offers its owner and asks of it. Types only. */
import type { Micros, Now } from '../kit/time.js'
import type { Dialog } from './dialog.js'
import type { ClientFailure, Hop, ServerTransaction, SipEndpointContract } from './endpoint-contract.js'
import type { SipTimerValues } from './endpoint-contract.js'
import type { Entropy } from '../kit/entropy.js'
import type { HeaderText } from './header-text.js'
import type { SessionState } from './invite-tables.js'
import type { SipMessage } from './message.js'

/** Why a session ended; told exactly once for each. */
export type SessionEnd =
  /** Our INVITE got a 300-699, or nothing (`onRefused` said which); or we refused theirs. */
  | 'refused'
  /** Our CANCEL, or theirs. */
  | 'cancelled'
  /** `close` of ours. */
  | 'closed'
  /** Their BYE. */
  | 'BYE'
  /** No ACK within 64*T1. */
  | 'no ACK'
  /** The other side knew no such dialog, or was silent; or nobody knows where its host is. */
  | 'lost'

/** One session, ours or theirs. Opaque but for these fields; the owner hangs its own state on `context`. */
export interface InviteSession {
  readonly role: 'caller' | 'callee'
  readonly state: SessionState
  readonly callId: string
  /** For requests of the owner's within it; a caller has none before the 2xx. */
  readonly dialog: Dialog | undefined
  context: unknown
}

/** Told synchronously; may call the sessions again. */
export interface InviteUser {
  /** 101-199 to our first INVITE. */
  onProgress(now: Now, session: InviteSession, response: SipMessage): void
  /** A 2xx to our INVITE or re-INVITE; its ACK is sent. Whoever cannot use the answer closes. */
  onAnswer(now: Now, session: InviteSession, response: SipMessage): void
  /** Our INVITE or re-INVITE failed. After the first one `onEnded` follows; after a re-INVITE the session stands as before. */
  onRefused(now: Now, session: InviteSession, refusal: SipMessage | ClientFailure): void
  /** Their re-INVITE; to be answered by `accept` or `refuse`. */
  onReinvite(now: Now, session: InviteSession, request: SipMessage): void
  /** The ACK of our 2xx. */
  onConfirmed(now: Now, session: InviteSession, ack: SipMessage): void
  /** Any other request within the dialog, in order (OPTIONS, INFO ...); the owner responds. */
  onRequest(now: Now, session: InviteSession, transaction: ServerTransaction): void
  onEnded(now: Now, session: InviteSession, end: SessionEnd): void
}

export interface InviteSessionsOptions {
  readonly endpoint: Pick<SipEndpointContract, 'request' | 'respond' | 'send' | 'cancel'>
  readonly user: InviteUser
  readonly entropy: Entropy
  /** The way to the host of this URI (the first route of a dialog, or its remote target); undefined when there is none. */
  readonly hopOf: (uri: string, session: InviteSession) => Hop | undefined
  readonly timers?: SipTimerValues
  readonly sessionsMax?: number
}

export interface InviteSessionsContract {
  /** Sends an INVITE the caller has built wholly (From tag, Call-ID, CSeq, Contact, body). Undefined when there are too many sessions. */
  invite(now: Now, request: SipMessage, hop: Hop, context: unknown): InviteSession | undefined
  /**
   * Takes a new INVITE (its To has no tag) as a session, to be answered by `progress`, `accept` or `refuse`. Undefined, and
   * the request answered, when it forms no dialog (400) or there are too many sessions (503).
   */
  offered(now: Now, transaction: ServerTransaction, contact: HeaderText, context: unknown): InviteSession | undefined
  /** A response to the INVITE that waits, with Record-Route, To tag and Contact; the owner adds the rest. */
  response(session: InviteSession, status: number): SipMessage
  /** Sends a 101-199. Without effect when the INVITE has its final response. */
  progress(now: Now, session: InviteSession, response: SipMessage): void
  /** Sends this 2xx, again and again until its ACK comes. Without effect when the INVITE was cancelled meanwhile. */
  accept(now: Now, session: InviteSession, response: SipMessage): void
  /** Sends this 300-699. */
  refuse(now: Now, session: InviteSession, response: SipMessage): void
  /** A new offer within the session. False when an INVITE of either side is under way: try later. */
  reinvite(now: Now, session: InviteSession, contentType: HeaderText, body: Buffer): boolean
  /** Ends the session, whatever its state: CANCEL, a refusal, or BYE. */
  close(now: Now, session: InviteSession): void
  /** Each says whether it was a session's; what is not is for another usage, or a 481 (RFC 3261 section 12.2.2). */
  onRequest(now: Now, transaction: ServerTransaction): boolean
  onAck(now: Now, ack: SipMessage): boolean
  onCancel(now: Now, transaction: ServerTransaction): boolean
  onResponse(now: Now, context: unknown, response: SipMessage): boolean
  onFailure(now: Now, context: unknown, failure: ClientFailure): boolean
  deadline(): Micros
  tick(now: Now): void
  /** Sessions not yet ended. */
  readonly size: number
}
