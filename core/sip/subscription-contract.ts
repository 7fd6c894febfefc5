/** What the keepers of subscriptions (notifier.ts, subscriber.ts) ask of their owners, and what they give them. Types only. */
import type { Entropy } from '../kit/entropy.js'
import type { Now, WallMillis } from '../kit/time.js'
import type { Dialog, DialogData } from './dialog.js'
import type { ClientFailure, Hop, ServerTransaction, SipEndpointContract } from './endpoint-contract.js'
import type { SipTimerValues } from './endpoint-contract.js'
import type { EventHeader, SubscriptionStateHeader, TerminationReason } from './event.js'
import type { HeaderId } from './header-names.js'
import type { HeaderText } from './header-text.js'
import type { SipMessage } from './message.js'
import type { NotifierState, SubscriberState } from './subscription-tables.js'

type UsageEndpoint = Pick<SipEndpointContract, 'request' | 'respond'>

/** A subscription at the notifier. The owner hangs its own state on `context`. */
export interface NotifierSubscription {
  readonly state: NotifierState
  readonly event: EventHeader
  readonly dialog: Dialog
  /** Of the SUBSCRIBE that waits for an answer; undefined afterwards. */
  readonly offer: SipMessage | undefined
  /** Granted so far; 0 for a fetch. */
  readonly expiresSeconds: number
  /** When it runs out. */
  readonly expiresAt: WallMillis
  /** May `notify` be called? False while a NOTIFY is under way or owed, without a stored CSeq number, and when it is over. */
  readonly canNotify: boolean
  context: unknown
}

/** What one NOTIFY says beside its state. */
export interface Notification {
  /** Replaces the subscription's Event in this NOTIFY; package and id must be the same. */
  readonly event?: EventHeader
  readonly headers?: readonly (readonly [HeaderId, HeaderText])[]
  readonly contentType?: HeaderText
  readonly body?: Buffer
}

export type NotifierEnd =
  | 'unsubscribed'
  | 'expired'
  /** `terminate` of ours, or a fetch that was answered. */
  | 'terminated'
  /** The answer to a NOTIFY ended it, or there was none. */
  | 'gone'

export interface NotifierUser {
  /** What to say in a NOTIFY that is owed by the rules: the first, after a refresh, at a change of state, the last. */
  state(now: Now, subscription: NotifierSubscription): Notification
  /** A NOTIFY is through. `context` is what was given to `notify`; undefined for one owed by the rules. */
  onNotified(now: Now, subscription: NotifierSubscription, context: unknown, outcome: SipMessage | ClientFailure): void
  /** Nothing is under way or owed: `notify` may be called. */
  onIdle(now: Now, subscription: NotifierSubscription): void
  /** The subscriber extended it; whoever stores subscriptions stores it now. */
  onRefreshed(now: Now, subscription: NotifierSubscription): void
  /** Store `data(subscription, dialog.nextBound())`, then call `reserve`. Never for a dialog that nobody stores. */
  onNumbersNeeded(now: Now, subscription: NotifierSubscription): void
  /** Any other request in the dialog, in order; the owner responds. */
  onRequest(now: Now, subscription: NotifierSubscription, transaction: ServerTransaction): void
  /** Exactly once for each subscription that was accepted. */
  onEnded(now: Now, subscription: NotifierSubscription, end: NotifierEnd): void
}

export interface NotifierOptions {
  readonly endpoint: UsageEndpoint
  readonly user: NotifierUser
  readonly entropy: Entropy
  readonly hopOf: (uri: string, subscription: NotifierSubscription) => Hop | undefined
  /** Event packages notified here (489 for others). */
  readonly packages: readonly string[]
  /** A shorter wish is answered 423; at most 3,600 (RFC 6665 section 4.2.1.1). */
  readonly expiresSecondsMin: number
  /** Without Expires. */
  readonly expiresSecondsDefault: number
  /** A longer wish is shortened. */
  readonly expiresSecondsMax: number
  readonly subscriptionsMax?: number
}

/** How an offered subscription is accepted. */
export interface Acceptance {
  readonly state: 'active' | 'pending'
  /** Further headers of the 200. */
  readonly headers?: readonly (readonly [HeaderId, HeaderText])[]
  /** For a stored subscription: the bound with which `data` was stored. */
  readonly bound?: number
}

/** A subscription as plain data (JSON). */
export interface SubscriptionData {
  readonly dialog: DialogData
  readonly event: string
  readonly state: 'active' | 'pending'
  readonly contact: string
  readonly expiresSeconds: number
  readonly expiresAt: WallMillis
}

export interface Termination {
  readonly reason: TerminationReason
  readonly retryAfterSeconds?: number
}

/** A subscription at the subscriber. */
export interface SubscriberSubscription {
  readonly state: SubscriberState
  readonly event: EventHeader
  /** Undefined until the first NOTIFY. */
  readonly dialog: Dialog | undefined
  context: unknown
}

export type SubscriberEnd =
  /** A NOTIFY said so; `state` says why. */
  | { readonly by: 'notifier'; readonly state: SubscriptionStateHeader }
  /** The answer to our SUBSCRIBE, or its absence. */
  | { readonly by: 'refusal'; readonly refusal: SipMessage | ClientFailure }
  /** Timer N: no NOTIFY came. */
  | { readonly by: 'silence' }
  /** It ran out, our refreshes failing. */
  | { readonly by: 'expiry' }

export interface SubscriberUser {
  /** A NOTIFY in order, the state already changed by it; the owner responds, 200 where nothing is wrong with its content. */
  onNotify(now: Now, subscription: SubscriberSubscription, transaction: ServerTransaction, state: SubscriptionStateHeader): void
  /** Adds Contact and what else a SUBSCRIBE within the dialog has; Event and Expires are there. */
  complete(subscription: SubscriberSubscription, subscribe: SipMessage): void
  /** A refresh failed, the subscription stands until it runs out (`refresh` tries again). */
  onRefused(now: Now, subscription: SubscriberSubscription, refusal: SipMessage | ClientFailure): void
  /** Any other request in the dialog, in order; the owner responds. */
  onRequest(now: Now, subscription: SubscriberSubscription, transaction: ServerTransaction): void
  /** Exactly once for each subscription. */
  onEnded(now: Now, subscription: SubscriberSubscription, end: SubscriberEnd): void
}

export interface SubscriberOptions {
  readonly endpoint: UsageEndpoint
  readonly user: SubscriberUser
  readonly entropy: Entropy
  readonly hopOf: (uri: string, subscription: SubscriberSubscription) => Hop | undefined
  readonly timers?: SipTimerValues
  readonly subscriptionsMax?: number
}
