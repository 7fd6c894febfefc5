/**
 * What an operator decides about a gateway, as plain data: who it serves, how identities are mapped, where requests go,
 * its limits and its patience. Read from configuration by core/live; nothing here is read again while it runs.
 */
import type { Transport } from '../kit/network.js'
import type { Micros, WallMillis } from '../kit/time.js'
import type { InitiatorRights } from './admission/rights.js'
import { DEFAULT_SELECTION, type SelectionSettings } from './bindings/selection-settings.js'
import { DEFAULT_SESSIONS, type SessionSettings } from './bindings/session-settings.js'

/** How one kind of PAP client address becomes a SIP URI. The first rule whose type and pattern match is used. */
export interface IdentityRule {
  readonly type: 'USER' | 'PLMN'
  /** The unescaped value, with at most one `*` for any run of characters, e.g. `*` or `*@example.org` or `+357*`. */
  readonly pattern: string
  /** A SIP URI in which `*` stands for what the pattern's `*` took, e.g. `sip:*@ims.example.org` or `sip:+357*@ims.example.org;user=phone`. */
  readonly uri: string
}

/** An entry point of the core network (an I-CSCF or the S-CSCF itself). */
export interface NextHop {
  readonly transport: Transport
  /** A literal IP address. */
  readonly address: string
  readonly port: number
  /** Persistent connections to it, 1 to 4, taken in turn; 1 when absent. UDP has none. */
  readonly connections?: number
}

export interface BackoffSettings {
  readonly firstMicros: Micros
  /** Doubled at each further attempt up to this; the actual wait is drawn from the upper half. */
  readonly maxMicros: Micros
}

export interface NotificationSettings {
  /** Waits before the second, third ... attempt; the last one repeats until the horizon. */
  readonly retryMicros: readonly Micros[]
  /** How long after the outcome an unacknowledged notification is given up. */
  readonly giveUpAfterMillis: WallMillis
  readonly inFlightMax: number
  readonly inFlightPerHostMax: number
}

/** Contents offered by reference (RFC 4483) and fetched from here. */
export interface IndirectionSettings {
  /** The start of every content's URL, without a slash at its end, as terminals reach it. */
  readonly url: string
  /** What counts as delivered: the 200 to the request that carried the reference, or the fetch of every octet. */
  readonly confirmation: 'carried' | 'fetched'
}

/** Event mode: terminals subscribe to their pushes (draft-mdolly-dispatch-oma-push-00). */
export interface EventSettings {
  /** Feature tags of the applications served, in lower case; empty serves all. */
  readonly applications: readonly string[]
  readonly expiresSecondsDefault: number
  /** A shorter wish is answered 423; an hour at most. */
  readonly expiresSecondsMin: number
  /** A longer wish is shortened. */
  readonly expiresSecondsMax: number
  /** Standing subscriptions in all; beyond, 503. */
  readonly subscriptionsMax: number
}

export interface GatewaySettings {
  /** The PPG's own URL, as told to initiators in sender-address. */
  readonly senderAddress: string
  readonly senderName: string
  /** PPG specifiers (the part of an address after `@`) this gateway serves; empty serves all. */
  readonly servedDomains: readonly string[]
  /** What each initiator may push; absent where nobody is asked who he is, and everybody may everything. */
  readonly initiators?: readonly InitiatorRights[]
  readonly identityRules: readonly IdentityRule[]
  /** Domains whose SIP URIs and GRUUs may be named by TYPE=USER, and within which a 3xx is followed. */
  readonly sipDomains: readonly string[]
  readonly nextHops: readonly NextHop[]
  /** Literal addresses of the elements that may send us requests (third-party REGISTER). */
  readonly trustedPeers: readonly string[]
  /** `host[:port]` of our own SIP listener: Via, Call-ID, Contact. */
  readonly sipAddress: string
  /** `host:port` of our MSRP listener, a literal address: in the path of every session. */
  readonly msrpAddress: string
  /** SHA-256 fingerprint of our certificate there, upper-case hex with colons: sessions are offered over TLS. Absent: over TCP. */
  readonly msrpFingerprint?: string
  /** The public service identity we speak as: From and P-Asserted-Identity. */
  readonly identity: string
  readonly userAgent: string
  /** Submissions and recipients at work at one time (waiting ones do not count); beyond it HTTP 503. */
  readonly inFlightMax: number
  /** SIP transactions open at one time; recipients beyond it queue. */
  readonly attemptsMax: number
  /** Recipients held in all, waiting ones included; beyond it HTTP 503. */
  readonly heldMax: number
  readonly retryAfterSeconds: number
  readonly defaultLifetimeMillis: WallMillis
  /** How long a push-id stays taken, and an outcome known. */
  readonly retentionMillis: WallMillis
  readonly backoff: BackoffSettings
  readonly selection: SelectionSettings
  readonly sessions: SessionSettings
  readonly notifications: NotificationSettings
  readonly events: EventSettings
  /** How it is learnt who is registered: third-party REGISTER (TS 24.229), the reg event package (RFC 3680), or both. */
  readonly registrations: 'third-party' | 'reg-event' | 'both'
  /** Absent where nothing is hosted. */
  readonly indirection?: IndirectionSettings
}

const HOUR_MILLIS: WallMillis = 3_600_000

/** Everything that has a sensible value without knowing the network. */
export const DEFAULT_SETTINGS = {
  senderName: 'pushbench',
  userAgent: 'pushbench-ppg',
  servedDomains: [],
  inFlightMax: 20_000,
  attemptsMax: 4_096,
  heldMax: 2_000_000,
  retryAfterSeconds: 2,
  defaultLifetimeMillis: 72 * HOUR_MILLIS,
  retentionMillis: 7 * 24 * HOUR_MILLIS,
  backoff: { firstMicros: 2_000_000, maxMicros: 600_000_000 },
  selection: DEFAULT_SELECTION,
  sessions: DEFAULT_SESSIONS,
  registrations: 'third-party' as 'third-party' | 'reg-event' | 'both',
  events: { applications: [], expiresSecondsDefault: 86_400, expiresSecondsMin: 60, expiresSecondsMax: 604_800, subscriptionsMax: 1_000_000 },
  notifications: {
    retryMicros: [30_000_000, 120_000_000, 600_000_000, 3_600_000_000],
    giveUpAfterMillis: 24 * HOUR_MILLIS,
    inFlightMax: 512,
    inFlightPerHostMax: 128,
  },
} satisfies Partial<GatewaySettings>
