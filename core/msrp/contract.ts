/**
 * What an MSRP endpoint (endpoint.ts) offers to the machine that owns it, and what it asks of it: sessions by session-id
 * over shared connections, messages sent from a source that is read a window at a time, messages received as they come
 * (RFC 4975). Types and named bounds only; SDP, files and hashes are the owner's.
 */
import type { Entropy } from '../kit/entropy.js'
import type { Endpoint, NetworkIn, NetworkOut } from '../kit/network.js'
import type { Micros, Now } from '../kit/time.js'

/** `tls` is the scheme `msrps` (RFC 4975 section 6). */
export type MsrpTransport = 'tcp' | 'tls'

/** Who opens the connection (RFC 6135 section 4.2.2): the active side connects to the peer's path and sends at once. */
export type SetupRole = 'active' | 'passive'

/** RFC 4975 section 7.1.1: answer everything (with a timer), nothing, or errors only. */
export type FailureReport = 'yes' | 'no' | 'partial'

/** The tickets of this endpoint's own `connect`s start here, above those of the SIP endpoint (core/sip/endpoint-flows.ts). */
export const MSRP_TICKET_FIRST = 2_000_000_000

export interface MsrpLimits {
  /** Octets of content in one SEND; a longer message goes in several. At least 2,048 (RFC 4975 section 7.1.1). */
  readonly chunkBytes: number
  /** Octets of one session's content that may be sent and not yet answered; where no answers are asked for, the driver's `full` alone slows down. */
  readonly unansweredBytes: number
  /** Messages of more than one chunk that one session sends at the same time; others wait their turn, single chunks never do. */
  readonly interleavedMessages: number
  /** Messages of one session that may be half received at the same time; one more is answered 413. */
  readonly openMessages: number
  /** Gaps in one half received message; one more is answered 413. */
  readonly gaps: number
  /** Message-IDs a session remembers after their end, so that a duplicate is known (RFC 4975 section 7.3.1). */
  readonly rememberedMessages: number
  /** For an answer to a SEND (RFC 4975 section 7.1.1), for the REPORT after the last answer, and for a session's first connection. */
  readonly answerMicros: Micros
  /** How long a connection opened from here stays open without a session; an accepted one stays as long as an answer may take. */
  readonly idleMicros: Micros
}

export const DEFAULT_LIMITS: MsrpLimits = {
  chunkBytes: 65_536,
  unansweredBytes: 524_288,
  interleavedMessages: 16,
  openMessages: 64,
  gaps: 256,
  rememberedMessages: 256,
  answerMicros: 30_000_000,
  idleMicros: 2_000_000,
}

/** Octets of one message taken from a peer where the session names no `maxSize`. */
export const RECEIVED_BYTES_MAX = 1_073_741_824

/** Content that is read as the peer takes it. */
export interface ContentSource {
  /** Octets in all; undefined when only the end will tell. */
  readonly size: number | undefined
  /**
   * `length` octets from `offset` on (0 is the first), or undefined when they are not at hand: the owner gets them and calls
   * `session.resume`. Never asked beyond `size`. Fewer octets than asked (none at all too) say that the content ends there; with a
   * known size that fails the message. The octets are given away: the source must not change them afterwards.
   */
  read(offset: number, length: number): Buffer | undefined
}

/** A MIME header of the content, such as Content-Disposition. */
export interface ContentHeader {
  readonly name: string
  readonly value: string
}

export interface SendOptions {
  /** 4 to 32 characters of letters, digits and `.-+%=`, first a letter or digit; the same again when sent again (RFC 4975 section 5.4). */
  readonly messageId: string
  readonly contentType: string
  readonly headers?: readonly ContentHeader[]
  readonly source: ContentSource
  readonly successReport: boolean
  readonly failureReport: FailureReport
  readonly context?: unknown
}

/** A message being sent. Opaque except for these fields. */
export interface OutgoingMessage {
  readonly messageId: string
  readonly session: MsrpSession
  /** Octets handed to the network so far. */
  readonly sentBytes: number
  readonly context: unknown
}

/**
 * `timeout`: no answer to a SEND in time, or 408. `no-report`: all was answered, the report over all of it never came. `connection`: it ended,
 * or never came up. `session`: the session ended. `source`: the content was shorter than it said. `unsendable`: the options are not what RFC 4975
 * can carry. `cancelled`: by `session.cancel`.
 */
export type FailureCause = 'timeout' | 'no-report' | 'connection' | 'session' | 'source' | 'unsendable' | 'cancelled' | PeerFault

/**
 * Why nothing is sent over TLS to whoever is there (RFC 8122 section 6.2). `handshake`: it was reached, and TLS did not come about. `uncertified`:
 * it showed no certificate. `fingerprint`: it showed another one than its description names. `expired`: one outside of its validity.
 */
export type PeerFault = 'handshake' | 'uncertified' | 'fingerprint' | 'expired'

export type SendOutcome =
  /** Success reports cover every octet. */
  | { readonly type: 'confirmed' }
  /** No report was asked for, and every SEND was answered 200; where no answers are asked for either, everything was written. */
  | { readonly type: 'sent' }
  /** The peer's status (413, 415, 403, ...) to a SEND or in a failure report. */
  | { readonly type: 'refused'; readonly status: number; readonly comment: string }
  | { readonly type: 'failed'; readonly cause: FailureCause; readonly reason: string }

/** A message being received. The owner may hang its own state on `context`. */
export interface IncomingMessage {
  readonly messageId: string
  readonly session: MsrpSession
  readonly contentType: string
  /** MIME headers of the first chunk that came, besides Content-Type. */
  readonly headers: readonly ContentHeader[]
  /** As the first chunk's Byte-Range says; a hint, which the peer may have wrong (RFC 4975 section 7.3.1). Undefined for `*`. */
  readonly sizeHint: number | undefined
  context: unknown
}

/** `take`: hand me the octets. `discard`: receive and acknowledge it, show me nothing more (it is known already). A number refuses with that status. */
export type Verdict = 'take' | 'discard' | number

/**
 * `connect`: no connection to the peer's path. `unbound`: nobody connected in time. `connection`: it ended. `refused`: the peer answered 481 or 506.
 */
export type DownCause = 'connect' | 'unbound' | 'connection' | 'refused' | PeerFault

/** What the owner is told, synchronously, from within `input`, `tick`, `session.close`, `session.cancel`; never from within `session.send` or `start`. */
export interface MsrpUser {
  /** The session has its connection: ours came up, or the peer's first request named it. */
  onBound(now: Now, session: MsrpSession): void
  /** The session is over, not by our own `close`; its messages have already failed. It takes nothing more. */
  onDown(now: Now, session: MsrpSession, cause: DownCause, reason: string): void
  /** The first chunk of a message whose type and stated size the session allows. */
  onMessage(now: Now, message: IncomingMessage): Verdict
  /** Octets of a taken message, `offset` from 0, in order of arrival: another offset than the last one's end is possible, and where ranges overlap the later wins. `bytes` is valid until the return. */
  onBytes(now: Now, message: IncomingMessage, offset: number, bytes: Buffer): void
  /** All octets are there. The status answered: 200 acknowledges and reports success; another one refuses (a hash that does not match). */
  onComplete(now: Now, message: IncomingMessage, totalBytes: number): number
  /** A taken message will not be completed: the sender gave up (`#`), it grew beyond the limits, or the session ended. */
  onAborted(now: Now, message: IncomingMessage, reason: string): void
  /** Exactly once for each message given to `session.send`. */
  onOutcome(now: Now, message: OutgoingMessage, outcome: SendOutcome): void
}

export interface SessionOptions {
  readonly transport: MsrpTransport
  /** `host:port` in our URI in place of `ours`, such as port 9 for a side that only connects (RFC 6135 section 4.2.2). */
  readonly authority?: string
  /** Types taken, as in `a=accept-types`: `type/subtype`, `type/*` or `*`. */
  readonly acceptTypes: readonly string[]
  /** Octets of one message taken; RECEIVED_BYTES_MAX when absent. */
  readonly maxSize?: number
  /** Success reports after every chunk instead of one for the whole message (RFC 4975 section 7.1.2). */
  readonly incrementalReports?: boolean
  /** Sessions share a connection to the same place only within one lane: a fleet gives each phone its own. 0 when absent. */
  readonly lane?: number
  readonly context?: unknown
}

export interface MsrpSession {
  /** Our own URI, for `a=path`: `msrp://host:port/session-id;tcp`. */
  readonly uri: string
  /** `new` until `start`, `starting` until bound, then `bound`; `down` takes and sends nothing more. */
  readonly state: 'new' | 'starting' | 'bound' | 'down'
  context: unknown
  /**
   * Once the peer's `a=path` (URIs separated by spaces) and our role are known. Active: connects (or shares the open connection) and binds it with a
   * bodiless SEND; passive: waits, and a peer that was faster is already bound. False, with nothing begun, when the path cannot be read, or
   * begins with another scheme than ours or, for the active side, a host that is no literal address, or when over TLS there is no fingerprint.
   * @param fingerprints over TLS: of the certificates the peer may show, SHA-256 as a description writes it. Until they are known no content is taken.
   */
  start(now: Now, role: SetupRole, peerPath: string, fingerprints?: readonly string[]): boolean
  /** Takes a message; several may be under way at once. Also before the session is bound. */
  send(now: Now, options: SendOptions): OutgoingMessage
  /** Content that a source had not at hand is there now. */
  resume(now: Now): void
  /** Ends a message that has no outcome yet as `failed: cancelled`; what the peer has of it is aborted with `#`. */
  cancel(now: Now, message: OutgoingMessage): void
  /** Stops taking a message in the middle: its next answer is this status (413 when there is no room). Nothing more is told of it. */
  refuse(now: Now, message: IncomingMessage, status: number): void
  /** Ends the session (after BYE): messages without an outcome fail as `session`, half received ones are aborted. */
  close(now: Now): void
}

export interface MsrpEndpointOptions {
  /** The authority `host:port` that others reach us at, by transport. */
  readonly ours: (transport: MsrpTransport) => string
  /** Is a connection accepted at this local address ours? Flows of others are ignored. */
  readonly accepts: (local: Endpoint) => boolean
  readonly entropy: Entropy
  readonly user: MsrpUser
  readonly emit: (out: NetworkOut) => void
  readonly limits?: Partial<MsrpLimits>
}

export interface MsrpEndpointContract {
  /** Whatever concerns this endpoint's flows; everything else is ignored, so one owner may feed several endpoints the same inputs. */
  input(now: Now, input: NetworkIn): void
  tick(now: Now): void
  deadline(): Micros
  session(options: SessionOptions): MsrpSession
  /** Sessions made and not yet down. */
  readonly openSessions: number
  /** Connections up or being opened. */
  readonly connections: number
}
