/**
 * Keeps subscriptions as their subscriber (RFC 6665 section 4.1), by their table (subscription-tables.ts), above a SIP
 * endpoint: waits for the first NOTIFY, refreshes in time, unsubscribes. Knows no event package. One dialog for each
 * SUBSCRIBE: the NOTIFY of a second branch of a fork is answered 481 (draft-mdolly-dispatch-oma-push-00, section 13).
 */
import { assert } from '../kit/assert.js'
import { ChurnMap } from '../kit/churn-map.js'
import { DeadlineHeap, type Deadline } from '../kit/heap.js'
import { MICROS_PER_SECOND, type Micros, type Now } from '../kit/time.js'
import { type Dialog, dialogOfNotify, ownText } from './dialog.js'
import { DIALOGS_MAX, Dialogs } from './dialogs.js'
import type { ClientFailure, Hop, ServerTransaction } from './endpoint-contract.js'
import { type EventHeader, type SubscriptionStateHeader, eventText, parseEvent, parseSubscriptionState, sameEvent } from './event.js'
import { Header } from './header-names.js'
import { composed } from './header-text.js'
import type { SipMessage } from './message.js'
import { tagOf } from './name-addr.js'
import type { SubscriberEnd, SubscriberOptions, SubscriberSubscription } from './subscription-contract.js'
import { SUBSCRIBER, type SubscriberEvent, type SubscriberState, endsSubscription } from './subscription-tables.js'
import { DEFAULT_TIMERS } from './timers.js'
import { answer } from './usage-answer.js'
import { step } from './usage-table.js'
import { DELTA_SECONDS_MAX, integerOf } from './values.js'

/** A long subscription is refreshed this long before it runs out, a short one at half its time; as IMS does for registrations (TS 24.229 section 5.1.1.4.1). */
const REFRESH_BEFORE_SECONDS = 600

class Subscription implements SubscriberSubscription {
  state: SubscriberState = 'notify_wait'
  dialog: Dialog | undefined = undefined
  /** The first SUBSCRIBE, until its NOTIFY has come. */
  first: SipMessage | undefined
  expiresAt: Micros = Infinity
  refreshAt: Micros = Infinity
  silentAt: Micros = Infinity
  armed: Deadline<Subscription> | undefined = undefined

  constructor(readonly event: EventHeader, first: SipMessage, readonly transport: Hop['transport'], public expiresSeconds: number, public context: unknown) {
    this.first = first
  }
}

/** What an event brought with it. */
interface Happening {
  readonly transaction?: ServerTransaction
  readonly state?: SubscriptionStateHeader
  readonly refusal?: SipMessage | ClientFailure
  /** Why it is over, should the event end it. */
  readonly end?: SubscriberEnd
}

class SentSubscribe {
  constructor(readonly subscription: Subscription, readonly seconds: number) {}
}

export class Subscriber {
  private readonly dialogs: Dialogs<Subscription>
  /** Those without a NOTIFY yet, by Call-ID and our tag (RFC 6665 section 4.4.1). */
  private readonly waiting: ChurnMap<Subscription>
  private readonly heap = new DeadlineHeap<Subscription>()
  private readonly timers
  private readonly most: number

  constructor(private readonly options: SubscriberOptions) {
    const seed = Math.floor(options.entropy.unit() * 2 ** 32)
    this.dialogs = new Dialogs(seed)
    this.waiting = new ChurnMap(seed)
    this.timers = options.timers ?? DEFAULT_TIMERS
    this.most = options.subscriptionsMax ?? DIALOGS_MAX
  }

  /** Subscriptions not yet ended. */
  get size(): number {
    return this.dialogs.size + this.waiting.size
  }

  deadline(): Micros {
    return this.heap.next()
  }

  tick(now: Now): void {
    for (let subscription = this.heap.popDue(now.mono); subscription !== undefined; subscription = this.heap.popDue(now.mono)) {
      subscription.armed = undefined
      if (subscription.silentAt <= now.mono) this.onEvent(now, subscription, 'timer N', { end: { by: 'silence' } })
      else if (subscription.expiresAt <= now.mono) this.onEvent(now, subscription, 'timer expiry', { end: { by: 'expiry' } })
      else {
        subscription.refreshAt = Infinity
        this.onEvent(now, subscription, 'timer refresh')
      }
      if (subscription.state !== 'terminated') this.arm(subscription)
    }
  }

  /** Sends a SUBSCRIBE the caller has built wholly (From tag, Call-ID, CSeq, Contact, Event, Expires). Undefined when there are too many. */
  subscribe(now: Now, request: SipMessage, hop: Hop, context: unknown): SubscriberSubscription | undefined {
    const event = parseEvent(request.get(Header.Event) ?? '')
    const seconds = integerOf(request.get(Header.Expires) ?? '', DELTA_SECONDS_MAX)
    assert(event !== undefined && seconds !== undefined && request.has(Header.Contact), 'a SUBSCRIBE has Event, Expires and Contact')
    if (this.size >= this.most) return undefined
    const subscription = new Subscription(event, request, hop.transport, seconds, context)
    this.waiting.set(waitingKey(request, Header.From), subscription)
    // RFC 6665 4.1.2.4: timer N runs from the SUBSCRIBE on.
    subscription.silentAt = now.mono + 64 * this.timers.t1
    this.arm(subscription)
    this.options.endpoint.request(now, request, hop, new SentSubscribe(subscription, seconds))
    return subscription
  }

  /** A refresh now, beside those in time; false where none can be sent. */
  refresh(now: Now, subscription: SubscriberSubscription): boolean {
    const own = ours(subscription)
    return (own.state === 'active' || own.state === 'pending') && this.send(now, own, own.expiresSeconds)
  }

  unsubscribe(now: Now, subscription: SubscriberSubscription): void {
    this.onEvent(now, ours(subscription), 'unsubscribe')
  }

  /** Forgets it without a word: its user agent is switched off, or has itself refused a NOTIFY for good. */
  forget(subscription: SubscriberSubscription): void {
    const own = ours(subscription)
    if (own.state === 'terminated') return
    own.state = 'terminated'
    this.drop(own)
  }

  /**
   * A NOTIFY, or another request with a To tag. Says whether it belongs to a subscription here; for one that does not the
   * answer is 481 (RFC 6665 section 4.1.3).
   */
  onRequest(now: Now, transaction: ServerTransaction): boolean {
    const { request } = transaction
    const known = this.dialogs.ofRequest(request)
    const subscription = known ?? (request.method === 'NOTIFY' ? this.waiting.get(waitingKey(request, Header.To)) : undefined)
    if (subscription === undefined) return false
    if (request.method === 'NOTIFY') this.notified(now, subscription, transaction)
    else if (!subscription.dialog!.accept(request)) answer(now, this.options, transaction, 500)
    else this.options.user.onRequest(now, subscription, transaction)
    return true
  }

  private notified(now: Now, subscription: Subscription, transaction: ServerTransaction): void {
    const { request } = transaction
    const event = parseEvent(request.get(Header.Event) ?? '')
    const state = parseSubscriptionState(request.get(Header.SubscriptionState) ?? '')
    // RFC 6665 4.1.3 and 8.2.1: both are mandatory, and the event must be the one subscribed to.
    if (event === undefined || state === undefined) return answer(now, this.options, transaction, 400)
    if (event.package !== subscription.event.package) return answer(now, this.options, transaction, 489)
    if (!sameEvent(event, subscription.event)) return answer(now, this.options, transaction, 481)
    if (subscription.dialog === undefined) {
      const dialog = dialogOfNotify(subscription.first!, request, subscription.transport)
      if (dialog === undefined) return answer(now, this.options, transaction, 400)
      this.waiting.delete(waitingKey(subscription.first!, Header.From))
      subscription.first = undefined
      subscription.dialog = dialog
      this.dialogs.add(dialog, subscription)
    } else if (!subscription.dialog.accept(request)) return answer(now, this.options, transaction, 500)
    if (state.state !== 'terminated') this.noteExpires(now, subscription, state.expires)
    this.onEvent(now, subscription, `NOTIFY ${state.state}`, { transaction, state, end: { by: 'notifier', state } })
  }

  /** Seconds as the other side last said; a NOTIFY speaks after the 200 it follows (RFC 6665 section 4.1.2.1). */
  private noteExpires(now: Now, subscription: Subscription, seconds: number | undefined): void {
    const granted = seconds ?? (subscription.expiresAt === Infinity ? subscription.expiresSeconds : undefined)
    if (granted === undefined) return
    subscription.expiresAt = now.mono + granted * MICROS_PER_SECOND
    subscription.refreshAt = now.mono + (granted > 2 * REFRESH_BEFORE_SECONDS ? granted - REFRESH_BEFORE_SECONDS : granted / 2) * MICROS_PER_SECOND
  }

  onResponse(now: Now, context: unknown, response: SipMessage): boolean {
    if (!(context instanceof SentSubscribe)) return false
    const { subscription } = context
    const { status } = response
    if (status < 200) return true
    if (status >= 300) {
      this.refused(now, subscription, endsSubscription(status), response)
      return true
    }
    subscription.dialog?.accepted(response)
    const granted = integerOf(response.get(Header.Expires) ?? '', DELTA_SECONDS_MAX)
    // RFC 6665 4.1.2.1: it may have been shortened, never lengthened.
    if (context.seconds > 0 && (subscription.state === 'active' || subscription.state === 'pending')) {
      this.noteExpires(now, subscription, Math.min(granted ?? context.seconds, context.seconds))
    } else if (granted !== undefined && context.seconds > 0) subscription.expiresSeconds = Math.min(granted, context.seconds)
    this.onEvent(now, subscription, '2xx')
    return true
  }

  onFailure(now: Now, context: unknown, failure: ClientFailure): boolean {
    if (!(context instanceof SentSubscribe)) return false
    this.refused(now, context.subscription, false, failure)
    return true
  }

  private refused(now: Now, subscription: Subscription, isFatal: boolean, refusal: SipMessage | ClientFailure): void {
    this.onEvent(now, subscription, isFatal ? 'refused' : 'kept', { end: { by: 'refusal', refusal }, refusal })
  }

  private onEvent(now: Now, subscription: Subscription, event: SubscriberEvent, happened: Happening = {}): void {
    const cell = step(SUBSCRIBER, subscription.state, event)
    if (cell === undefined) return
    const [state, ...actions] = cell
    subscription.state = state
    const { user } = this.options
    for (const action of actions) {
      switch (action) {
        case 'stop timers': this.stop(subscription, state === 'terminated'); break
        case 'start N':
          subscription.silentAt = now.mono + 64 * this.timers.t1
          this.arm(subscription)
          break
        case 'set expiry': this.arm(subscription); break
        case 'send SUBSCRIBE': this.send(now, subscription, subscription.expiresSeconds); break
        case 'send last SUBSCRIBE': this.send(now, subscription, 0); break
        case 'tell NOTIFY': user.onNotify(now, subscription, happened.transaction!, happened.state!); break
        case 'tell refused': user.onRefused(now, subscription, happened.refusal!); break
        case 'tell ended': user.onEnded(now, subscription, happened.end!); break
      }
    }
  }

  /** RFC 6665 section 4.1.2.2 and 4.1.2.3. */
  private send(now: Now, subscription: Subscription, seconds: number): boolean {
    const dialog = subscription.dialog!
    const hop = this.options.hopOf(dialog.nextHop, subscription)
    if (hop === undefined) return false
    const request = dialog.request('SUBSCRIBE').append(Header.Event, eventText(subscription.event)!).append(Header.Expires, composed(String(seconds)))
    this.options.user.complete(subscription, request)
    this.options.endpoint.request(now, request, hop, new SentSubscribe(subscription, seconds))
    return true
  }

  private stop(subscription: Subscription, isOver: boolean): void {
    subscription.silentAt = Infinity
    if (isOver) this.drop(subscription)
    else if (subscription.state === 'leaving') subscription.expiresAt = subscription.refreshAt = Infinity
    this.arm(subscription)
  }

  private drop(subscription: Subscription): void {
    subscription.silentAt = subscription.expiresAt = subscription.refreshAt = Infinity
    this.arm(subscription)
    if (subscription.dialog !== undefined) this.dialogs.remove(subscription.dialog)
    else this.waiting.delete(waitingKey(subscription.first!, Header.From))
  }

  private arm(subscription: Subscription): void {
    const at = Math.min(subscription.silentAt, subscription.expiresAt, subscription.refreshAt)
    if (subscription.armed !== undefined) this.heap.cancel(subscription.armed)
    subscription.armed = at === Infinity ? undefined : this.heap.arm(at, subscription)
  }
}

function waitingKey(message: SipMessage, ours: typeof Header.From | typeof Header.To): string {
  return ownText(`${tagOf(message, ours)}\n${message.get(Header.CallId) ?? ''}`)
}

function ours(subscription: SubscriberSubscription): Subscription {
  assert(subscription instanceof Subscription, 'a subscription of this subscriber')
  return subscription
}
