/**
 * The gateway machine's inputs and outputs: what HTTP, the store, the network and the initiators look like from
 * inside. Types only; gateway.ts composes the machine, core/live and sim/world drive it.
 */
import type { Tick } from '../kit/machine.js'
import type { NetworkIn, NetworkOut } from '../kit/network.js'
import type { WallMillis } from '../kit/time.js'
import type { PapMessage } from '../pap/documents.js'
import type { Submission } from '../pap/submission.js'
import type { Content } from '../store/content.js'
import type { StoreIn, StoreOut } from '../store/operations.js'
import type { JournalEventName } from '../kit/journal.js'

/** A PAP document that came over HTTP (WAP-247 section 13), complete and within the size limit. */
export interface PapRequest {
  readonly type: 'pap-request'
  /** Names the HTTP exchange; the reply carries it back. */
  readonly id: number
  /** The authenticated push initiator; `anonymous` where none is asked for. Push-ids are unique within one initiator. */
  readonly initiator: string
  readonly contentType: string
  /** The whole document; where `content` is set, with a content part that is empty. */
  readonly body: Buffer
  /** The content of a document too large to be held, its transfer encoding undone. The gateway owns the file from here on. */
  readonly content?: Content
  /** What `body` says, already read, from an initiator in the same process; `body` is empty then. */
  readonly submission?: Submission
  /** Why the content could not be taken out of its transfer encoding, for people. */
  readonly contentFault?: string
}

export type GatewayIn =
  | Tick
  | NetworkIn
  | StoreIn
  | PapRequest
  /** The answer to `content-read`; undefined when the file cannot be read. */
  | { readonly type: 'content'; readonly ticket: number; readonly bytes: Buffer | undefined }
  /** The answer to `notify`: an HTTP status with the start of the body, or why there was none. */
  | { readonly type: 'notified'; readonly ticket: number; readonly status: number; readonly body: string }
  | { readonly type: 'notify-failed'; readonly ticket: number; readonly reason: string }
  | ContentRequest
  /** One fetch of a hosted content ended; `complete` once every octet went out to this token, in one fetch or in several. */
  | { readonly type: 'content-fetched'; readonly token: string; readonly complete: boolean }
  /** Asks every subscribed terminal to subscribe at another push server, a SIP URI, instead. */
  | { readonly type: 'move-subscriptions'; readonly server: string }
  /** Ends every subscription that stands, by a last NOTIFY. */
  | { readonly type: 'end-subscriptions' }
  /** Finish or keep what is in flight, accept nothing new (answered by `drained`). */
  | { readonly type: 'drain' }

export type GatewayOut =
  | NetworkOut
  | StoreOut
  | PapReply
  | ContentReply
  /** `length` octets of a content file, which has them; answered by `content`. */
  | { readonly type: 'content-read'; readonly ticket: number; readonly id: string; readonly offset: number; readonly length: number }
  /** No row names this content file any more. */
  | { readonly type: 'content-delete'; readonly id: string }
  /** POST `body` (application/xml), or what it would say, to the initiator's ppg-notify-requested-to. */
  | { readonly type: 'notify'; readonly ticket: number; readonly url: string; readonly body: string; readonly document?: PapMessage }
  | { readonly type: 'journal'; readonly event: JournalEventName; readonly pushId: string; readonly address: string; readonly details: readonly string[] }
  | { readonly type: 'drained' }

/** The HTTP answer: 202 with a PAP document, or 503 with Retry-After and no document (WAP-247 section 13.4.1). */
export interface PapReply {
  readonly type: 'pap-reply'
  readonly id: number
  readonly status: 202 | 503
  readonly retryAfterSeconds?: number
  /** application/xml when absent. */
  readonly contentType?: string
  readonly body: string
  /** What `body` would say, in its place, where documents cross unwritten. */
  readonly document?: PapMessage
}

/** A terminal asks for a hosted content (RFC 4483) by the last part of its URL. */
export interface ContentRequest {
  readonly type: 'content-request'
  /** Names the HTTP exchange; the reply carries it back. */
  readonly id: number
  readonly token: string
}

/** The content, or that there is none by this token (404), or that there was one whose time is over (410). */
export type ContentReply =
  | { readonly type: 'content-reply'; readonly id: number; readonly status: 404 | 410 }
  | {
    readonly type: 'content-reply'
    readonly id: number
    readonly status: 200
    readonly contentType: string
    readonly content: Content
    /** Hexadecimal; names this content and no other. */
    readonly sha1: string
    readonly expiresAt: WallMillis
  }

/** Counters and gauges the gateway keeps; each is a running total since start unless its comment says otherwise. */
export interface GatewayCounters {
  accepted: number
  refused: number
  shed: number
  /** Gauge: recipients accepted and without a final outcome. */
  inFlight: number
  /** Gauge: recipients waiting for a registration or a retry. */
  waiting: number
  delivered: number
  undeliverable: number
  rejected: number
  expired: number
  aborted: number
  timeout: number
  cancelled: number
  unknown: number
  sipRequests: number
  sipRetries: number
  /** Sessions begun by an INVITE, and messages sent in sessions, the first of each included. */
  sessions: number
  sessionMessages: number
  notifications: number
  notificationRetries: number
  registrations: number
}
