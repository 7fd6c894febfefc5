/**
 * Keeps subscriptions as their notifier (RFC 6665 section 4.2), by their tables (subscription-tables.ts), above a SIP
 * endpoint: negotiates Expires, answers SUBSCRIBE, sends one NOTIFY at a time, ends what runs out. Knows no event
 * package; what a NOTIFY says is the owner's, and so is the store.
 */
import { assert } from '../kit/assert.js'
import { DeadlineHeap, type Deadline } from '../kit/heap.js'
import { type Micros, type Now, type WallMillis, monoOfWall } from '../kit/time.js'
import { Dialog, SEQUENCE_BLOCK, dialogOfRequest, dialogResponse, ownText } from './dialog.js'
import { DIALOGS_MAX, Dialogs } from './dialogs.js'
import type { ClientFailure, ServerTransaction } from './endpoint-contract.js'
import { type EventHeader, eventText, parseEvent, sameEvent, subscriptionStateText } from './event.js'
import { Header } from './header-names.js'
import { type HeaderText, composed } from './header-text.js'
import type { SipMessage } from './message.js'
import type { Acceptance, Notification, NotifierEnd, NotifierOptions, NotifierSubscription, SubscriptionData, Termination } from './subscription-contract.js'
import { NOTIFIER, NOTIFY_CHANNEL, type NotifierEvent, type NotifierState, type NotifyEvent, type NotifyState, endsSubscription } from './subscription-tables.js'
import { TAG_BITS, answer, busyResponse, plainResponse } from './usage-answer.js'
import { step } from './usage-table.js'
import { DELTA_SECONDS_MAX, integerOf } from './values.js'

/** With fewer stored CSeq numbers left the next block is asked for, so that a NOTIFY seldom has to wait for the store. */
const NUMBERS_LOW = SEQUENCE_BLOCK / 4
/** What the owner sees of a NOTIFY that could go nowhere: as if the transport had failed (RFC 3261 section 8.1.3.1). */
const NO_WAY: ClientFailure = 'transport'

class Subscription implements NotifierSubscription {
  state: NotifierState
  channel: NotifyState = 'idle'
  /** The SUBSCRIBE to answer. */
  waiting: ServerTransaction | undefined = undefined
  termination: Termination | undefined = undefined
  end: NotifierEnd | undefined = undefined
  expiresAt: WallMillis = 0
  armed: Deadline<Subscription> | undefined = undefined
  numbersAsked = false
  /** For the 200 to the first SUBSCRIBE only. */
  acceptance: Acceptance | undefined = undefined
  refusal: SipMessage | undefined = undefined
  /** For the NOTIFY about to be sent. */
  content: Notification | undefined = undefined

  constructor(readonly event: EventHeader, readonly dialog: Dialog, readonly contact: HeaderText, public expiresSeconds: number, state: NotifierState, public context: unknown) {
    this.state = state
  }

  get offer(): SipMessage | undefined {
    return this.waiting?.request
  }

  get canNotify(): boolean {
    return this.channel === 'idle' && (this.state === 'active' || this.state === 'pending') && this.dialog.sequencesLeft > 0
  }
}

class SentNotify {
  constructor(readonly subscription: Subscription, readonly context: unknown, readonly isLast: boolean) {}
}

export class Notifier {
  private readonly dialogs: Dialogs<Subscription>
  private readonly heap = new DeadlineHeap<Subscription>()
  private readonly most: number

  constructor(private readonly options: NotifierOptions) {
    assert(options.expiresSecondsMin <= 3_600, 'RFC 6665 section 4.2.1.1: an hour is never too brief')
    this.most = options.subscriptionsMax ?? DIALOGS_MAX
    this.dialogs = new Dialogs(Math.floor(options.entropy.unit() * 2 ** 32))
  }

  /** Subscriptions not yet ended, the offered ones among them. */
  get size(): number {
    return this.dialogs.size
  }

  subscriptions(): Iterable<NotifierSubscription> {
    return this.dialogs.values()
  }

  deadline(): Micros {
    return this.heap.next()
  }

  tick(now: Now): void {
    for (let subscription = this.heap.popDue(now.mono); subscription !== undefined; subscription = this.heap.popDue(now.mono)) {
      subscription.armed = undefined
      this.finish(now, subscription, 'expiry', { reason: 'timeout' }, 'expired')
    }
  }

  /**
   * A SUBSCRIBE that begins (its To has no tag), to be answered by `accept` or `refuse`, now or later. Undefined, and the
   * request answered, for an unknown package (489), an Expires that is too brief (423), an unusable Contact (400), or too
   * many subscriptions (503). `data` may be taken and stored before `accept`; it then stands for an active subscription.
   * @param contact ours, in the 200 and in every NOTIFY
   */
  offered(now: Now, transaction: ServerTransaction, contact: HeaderText, context: unknown): NotifierSubscription | undefined {
    const { request, source } = transaction
    const event = this.eventOf(now, transaction)
    if (event === undefined) return undefined
    const seconds = this.negotiate(now, transaction)
    if (seconds === undefined) return undefined
    if (this.dialogs.size >= this.most) {
      this.options.endpoint.respond(now, transaction, busyResponse(this.options, request))
      return undefined
    }
    const dialog = dialogOfRequest(request, this.options.entropy.token(TAG_BITS), source.transport)
    if (dialog === undefined) return answer(now, this.options, transaction, 400)
    const subscription = new Subscription(event, dialog, contact, seconds, 'offered', context)
    subscription.waiting = transaction
    subscription.expiresAt = now.wall + 1_000 * seconds
    this.dialogs.add(dialog, subscription)
    return subscription
  }

  accept(now: Now, subscription: NotifierSubscription, acceptance: Acceptance): void {
    const own = ours(subscription)
    own.acceptance = acceptance
    if (acceptance.bound !== undefined) own.dialog.reserve(acceptance.bound)
    if (own.expiresSeconds === 0) this.finish(now, own, 'accept fetch', { reason: 'timeout' }, 'terminated')
    else this.onEvent(now, own, acceptance.state === 'active' ? 'accept' : 'accept pending')
  }

  /** @param response 300-699, made from `offer` */
  refuse(now: Now, subscription: NotifierSubscription, response: SipMessage): void {
    const own = ours(subscription)
    own.refusal = response
    this.onEvent(now, own, 'refuse')
  }

  /** A pending subscription becomes active. */
  authorize(now: Now, subscription: NotifierSubscription): void {
    this.onEvent(now, ours(subscription), 'authorize')
  }

  /** Ends it with a last NOTIFY that says why. */
  terminate(now: Now, subscription: NotifierSubscription, termination: Termination): void {
    this.finish(now, ours(subscription), 'terminate', termination, 'terminated')
  }

  /** Sends a NOTIFY with a content of the owner's. Only while `canNotify`. */
  notify(now: Now, subscription: NotifierSubscription, content: Notification, context: unknown): void {
    const own = ours(subscription)
    assert(own.canNotify, 'one NOTIFY at a time, in a subscription that stands, with a stored CSeq number')
    own.content = content
    this.onChannel(now, own, 'content', context)
  }

  /** What to store; pass `dialog.nextBound()` to reserve a block of numbers with it. */
  data(subscription: NotifierSubscription, bound?: number): SubscriptionData {
    const { state, dialog, event, contact, expiresSeconds, expiresAt } = ours(subscription)
    return { dialog: dialog.data(bound), event: eventText(event)!, state: state === 'pending' ? 'pending' : 'active', contact, expiresSeconds, expiresAt }
  }

  /** The store holds `data(subscription, bound)`. */
  reserve(now: Now, subscription: NotifierSubscription, bound: number): void {
    const own = ours(subscription)
    own.numbersAsked = false
    own.dialog.reserve(bound)
    this.onChannel(now, own, 'numbers', undefined)
  }

  /** After a restart. It has no numbers until `reserve`; one that ran out meanwhile ends on the next tick. */
  restore(now: Now, data: SubscriptionData, context: unknown): NotifierSubscription {
    const event = parseEvent(data.event)
    assert(event !== undefined, 'a stored Event can be read')
    const subscription = new Subscription(event, Dialog.restored(data.dialog), composed(data.contact), data.expiresSeconds, data.state, context)
    subscription.expiresAt = data.expiresAt
    this.dialogs.add(subscription.dialog, subscription)
    this.arm(now, subscription)
    return subscription
  }

  /** Forgets it without a word, as its owner's store refused it or the machine that it served is gone. */
  forget(subscription: NotifierSubscription): void {
    const own = ours(subscription)
    own.state = 'terminated'
    this.disarm(own)
    this.dialogs.remove(own.dialog)
  }

  /** A request with a To tag. Says whether it belongs to a subscription here; what does not is for another usage, or a 481. */
  onRequest(now: Now, transaction: ServerTransaction): boolean {
    const { request } = transaction
    const subscription = this.dialogs.ofRequest(request)
    if (subscription === undefined) return false
    if (!subscription.dialog.accept(request)) answer(now, this.options, transaction, 500)
    else if (request.method === 'SUBSCRIBE') this.again(now, subscription, transaction)
    else this.options.user.onRequest(now, subscription, transaction)
    return true
  }

  private again(now: Now, subscription: Subscription, transaction: ServerTransaction): void {
    const event = this.eventOf(now, transaction)
    if (event === undefined) return
    // RFC 6665 4.5.2: dialogs are not shared by subscriptions here.
    if (!sameEvent(event, subscription.event)) return answer(now, this.options, transaction, 403)
    // Only the 200 to the first SUBSCRIBE may be late.
    if (subscription.state === 'offered') return answer(now, this.options, transaction, 500)
    const seconds = this.negotiate(now, transaction)
    if (seconds === undefined) return
    subscription.waiting = transaction
    if (subscription.state !== 'last') {
      subscription.expiresSeconds = seconds
      subscription.expiresAt = now.wall + 1_000 * seconds
    }
    if (seconds === 0) return this.finish(now, subscription, 'unsubscribe', { reason: 'timeout' }, 'unsubscribed')
    this.onEvent(now, subscription, 'refresh')
    if (subscription.state !== 'last') this.options.user.onRefreshed(now, subscription)
  }

  /** Says whether the response was to a NOTIFY of these subscriptions. */
  onResponse(now: Now, context: unknown, response: SipMessage): boolean {
    if (!(context instanceof SentNotify)) return false
    if (response.status >= 200) this.notified(now, context, response)
    return true
  }

  onFailure(now: Now, context: unknown, failure: ClientFailure): boolean {
    if (!(context instanceof SentNotify)) return false
    this.notified(now, context, failure)
    return true
  }

  private notified(now: Now, sent: SentNotify, outcome: SipMessage | ClientFailure): void {
    const { subscription } = sent
    if (isOver(subscription)) return
    if (typeof outcome !== 'string' && outcome.status < 300) subscription.dialog.accepted(outcome)
    this.options.user.onNotified(now, subscription, sent.context, outcome)
    // RFC 6665 section 4.2.2; by RFC 3261 section 12.2.1.2 a 408 ends a dialog as silence does.
    const isFatal = typeof outcome === 'string' ? outcome === 'timeout' : outcome.status === 408 || endsSubscription(outcome.status)
    if (isFatal) {
      subscription.end ??= 'gone'
      this.onEvent(now, subscription, 'NOTIFY fatal')
    } else if (sent.isLast) this.onEvent(now, subscription, 'last NOTIFY done')
    else if (!isOver(subscription)) this.onChannel(now, subscription, subscription.dialog.sequencesLeft > 0 ? 'done' : 'done without number', undefined)
  }

  private finish(now: Now, subscription: Subscription, event: NotifierEvent, termination: Termination, end: NotifierEnd): void {
    subscription.termination ??= termination
    subscription.end ??= end
    this.onEvent(now, subscription, event)
  }

  private onEvent(now: Now, subscription: Subscription, event: NotifierEvent): void {
    const cell = step(NOTIFIER, subscription.state, event)
    if (cell === undefined) return
    const [state, ...actions] = cell
    subscription.state = state
    const { waiting } = subscription
    subscription.waiting = undefined
    if (state === 'terminated') this.dialogs.remove(subscription.dialog)
    for (const action of actions) {
      switch (action) {
        case 'send 200': this.respond200(now, subscription, waiting!); break
        case 'send refusal': this.options.endpoint.respond(now, waiting!, subscription.refusal!); break
        case 'send 481': answer(now, this.options, waiting!, 481); break
        case 'set expiry': this.arm(now, subscription); break
        case 'stop expiry': this.disarm(subscription); break
        case 'owe NOTIFY': this.onChannel(now, subscription, subscription.dialog.sequencesLeft > 0 ? 'owe' : 'owe without number', undefined); break
        case 'tell ended': this.options.user.onEnded(now, subscription, subscription.end!); break
      }
    }
  }

  private respond200(now: Now, subscription: Subscription, waiting: ServerTransaction): void {
    const response = dialogResponse(waiting.request, 200, subscription.dialog.localTag, subscription.contact)
    response.append(Header.Expires, composed(String(subscription.expiresSeconds)))
    for (const [id, value] of subscription.acceptance?.headers ?? []) response.append(id, value)
    subscription.acceptance = undefined
    this.options.endpoint.respond(now, waiting, response)
  }

  private onChannel(now: Now, subscription: Subscription, event: NotifyEvent, context: unknown): void {
    const cell = step(NOTIFY_CHANNEL, subscription.channel, event)
    if (cell === undefined) return
    const [channel, ...actions] = cell
    subscription.channel = channel
    for (const action of actions) {
      switch (action) {
        case 'send state': this.sendNotify(now, subscription, this.options.user.state(now, subscription), undefined); break
        case 'send content': {
          const content = subscription.content!
          subscription.content = undefined
          this.sendNotify(now, subscription, content, context)
          break
        }
        case 'ask for numbers': this.askForNumbers(now, subscription); break
        case 'tell idle': if (subscription.canNotify) this.options.user.onIdle(now, subscription); break
      }
    }
  }

  private sendNotify(now: Now, subscription: Subscription, content: Notification, context: unknown): void {
    const { dialog, state, contact } = subscription
    const notify = dialog.request('NOTIFY').append(Header.Contact, contact)
    const event = eventText(content.event ?? subscription.event)
    assert(event !== undefined, 'the Event of a NOTIFY can be written')
    notify.append(Header.Event, event).append(Header.SubscriptionState, this.stateText(now, subscription))
    for (const [id, value] of content.headers ?? []) notify.append(id, value)
    if (content.contentType !== undefined) notify.append(Header.ContentType, content.contentType)
    if (content.body !== undefined) notify.body = content.body
    const sent = new SentNotify(subscription, context, state === 'last')
    const hop = this.options.hopOf(dialog.nextHop, subscription)
    if (hop === undefined) this.notified(now, sent, NO_WAY)
    else this.options.endpoint.request(now, notify, hop, sent)
    if (dialog.sequencesLeft <= NUMBERS_LOW && !isOver(subscription)) this.askForNumbers(now, subscription)
  }

  /** RFC 6665 section 4.1.3 and 8.4. */
  private stateText(now: Now, { state, termination, expiresAt }: Subscription): HeaderText {
    if (state === 'last') return subscriptionStateText({ state: 'terminated', reason: termination!.reason, retryAfter: termination!.retryAfterSeconds })
    return subscriptionStateText({ state: state === 'pending' ? 'pending' : 'active', expires: Math.max(0, Math.round((expiresAt - now.wall) / 1_000)) })
  }

  private askForNumbers(now: Now, subscription: Subscription): void {
    if (subscription.numbersAsked) return
    subscription.numbersAsked = true
    this.options.user.onNumbersNeeded(now, subscription)
  }

  private eventOf(now: Now, transaction: ServerTransaction): EventHeader | undefined {
    const line = transaction.request.get(Header.Event)
    const event = line === undefined ? undefined : parseEvent(line)
    if (line !== undefined && event === undefined) return answer(now, this.options, transaction, 400)
    if (event === undefined || !this.options.packages.includes(event.package)) {
      // RFC 6665 8.3.2.
      const response = plainResponse(this.options, transaction.request, 489)
      this.options.endpoint.respond(now, transaction, response.append(Header.AllowEvents, composed(this.options.packages.join(', '))))
      return undefined
    }
    // A copy of its own: the parts are cut out of the request, which must not stay in memory with them.
    return parseEvent(ownText(line!))
  }

  /** RFC 6665 section 4.2.1.1: 0 stays 0, too brief is 423, too long is shortened. */
  private negotiate(now: Now, transaction: ServerTransaction): number | undefined {
    const { expiresSecondsMin, expiresSecondsDefault, expiresSecondsMax } = this.options
    const line = transaction.request.get(Header.Expires)
    const wanted = line === undefined ? expiresSecondsDefault : integerOf(line, DELTA_SECONDS_MAX) ?? expiresSecondsDefault
    if (wanted === 0 || wanted >= expiresSecondsMin) return Math.min(wanted, expiresSecondsMax)
    const response = plainResponse(this.options, transaction.request, 423)
    this.options.endpoint.respond(now, transaction, response.append(Header.MinExpires, composed(String(expiresSecondsMin))))
    return undefined
  }

  private arm(now: Now, subscription: Subscription): void {
    this.disarm(subscription)
    subscription.armed = this.heap.arm(monoOfWall(now, subscription.expiresAt), subscription)
  }

  private disarm(subscription: Subscription): void {
    if (subscription.armed !== undefined) this.heap.cancel(subscription.armed)
    subscription.armed = undefined
  }
}

/** Its owner may have ended it in the middle of being told. */
function isOver(subscription: Subscription): boolean {
  return subscription.state === 'terminated'
}

function ours(subscription: NotifierSubscription): Subscription {
  assert(subscription instanceof Subscription, 'a subscription of this notifier')
  return subscription
}
