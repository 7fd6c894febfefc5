/**
 * Event mode at the terminals (draft-mdolly-dispatch-oma-push-00): devices that subscribe do so once they are registered, again
 * when their subscription ends and its end allows it, and to another server when a REFER says so; every NOTIFY is taken as a
 * push. The rules of RFC 6665 are core/sip/subscriber.ts's; what a body means is contents.ts's.
 */
import type { Deadline } from '../../core/kit/heap.js'
import type { FlowId } from '../../core/kit/network.js'
import { owned } from '../../core/kit/own-text.js'
import { MICROS_PER_SECOND, type Micros, type Now } from '../../core/kit/time.js'
import type { ClientFailure, Hop, ServerTransaction } from '../../core/sip/endpoint-contract.js'
import { type EventHeader, type SubscriptionStateHeader, parseEvent, resubscribes } from '../../core/sip/event.js'
import { Header } from '../../core/sip/header-names.js'
import { composed } from '../../core/sip/header-text.js'
import type { SipMessage } from '../../core/sip/message.js'
import { type PushMove, pushMoveOf } from '../../core/sip/refer.js'
import { Subscriber } from '../../core/sip/subscriber.js'
import type { SubscriberEnd, SubscriberSubscription, SubscriberUser } from '../../core/sip/subscription-contract.js'
import { DELTA_SECONDS_MAX, integerOf } from '../../core/sip/values.js'
import { responseTo } from '../../core/sip/write.js'
import { methodNotAllowed, refusal, refusalOf, rejection, targetOf } from './answering.js'
import type { Contents } from './contents.js'
import { pushIdOf } from './contents.js'
import { Alarm, type UsageHost } from './host.js'
import { judgeContent } from './judgement.js'
import { buildSubscribe, completeSubscribe } from './subscribe-request.js'
import type { Terminal } from './terminal.js'

/** Subscriptions of one terminal; a REFER that asks for one more is answered 486. */
export const SUBSCRIPTIONS_PER_TERMINAL_MAX = 4
/** Draft section 14: the lockout timer, least wait before a new subscription. */
export const LOCKOUT_MICROS: Micros = 5 * MICROS_PER_SECOND
/** After a failure that says nothing of when to come again. */
const RETRY_MICROS: Micros = 60 * MICROS_PER_SECOND
/** Answers to SUBSCRIBE that a later one may not meet (RFC 3261 section 21); the others are final. */
const RETRIED: ReadonlySet<number> = new Set([408, 430, 480, 486, 491, 500, 502, 503, 504, 580, 600])

/** What one terminal wants of one server. */
class Wish {
  standing: SubscriberSubscription | undefined = undefined
  retry: Deadline<object> | undefined = undefined
  /** It ends by our own wish: the terminal is being switched off, or has moved. */
  isLeaving = false
  /** Its dialog went with the flow it was made over. */
  isLost = false
  /** The way of its dialog: over the flow it was made over (RFC 5626 section 5.3). */
  way: Hop | undefined = undefined

  constructor(readonly terminal: Terminal, readonly server: string, readonly event: EventHeader | undefined, public replaces: Wish | undefined) {}
}

export class Subscriptions implements SubscriberUser {
  private readonly subscriber: Subscriber
  private readonly byTerminal = new Map<Terminal, Wish[]>()

  constructor(private readonly host: UsageHost, private readonly contents: Contents) {
    this.subscriber = new Subscriber({ endpoint: host.endpoint, user: this, entropy: host.entropy, hopOf: (_uri, subscription) => host.stillUp(wishOf(subscription).terminal, wishOf(subscription).way) })
  }

  get size(): number {
    return this.subscriber.size
  }

  deadline(): Micros {
    return this.subscriber.deadline()
  }

  tick(now: Now): void {
    this.subscriber.tick(now)
  }

  inDialog(now: Now, transaction: ServerTransaction): boolean {
    return this.subscriber.onRequest(now, transaction)
  }

  onResponse(now: Now, context: unknown, response: SipMessage): boolean {
    return this.subscriber.onResponse(now, context, response)
  }

  onFailure(now: Now, context: unknown, failure: ClientFailure): boolean {
    return this.subscriber.onFailure(now, context, failure)
  }

  /** The terminal is registered: it subscribes unless it has done so, or was told never to; and again for what it lost with its flow. */
  registered(now: Now, terminal: Terminal): void {
    const wishes = this.byTerminal.get(terminal)
    if (wishes === undefined) {
      const { server } = this.host.population.settings.events
      return this.wish(now, new Wish(terminal, server, undefined, undefined))
    }
    this.again(now, terminal)
  }

  private again(now: Now, terminal: Terminal): void {
    for (const wish of this.byTerminal.get(terminal) ?? []) {
      if (!wish.isLost) continue
      wish.isLost = false
      this.subscribe(now, wish)
    }
  }

  /**
   * RFC 5626 section 4.2: the proxies of its dialogs lead to a flow that is gone, so the subscriptions are made anew: over
   * another flow of the terminal at once, or when it has registered again. @param flow undefined when all of them go
   */
  flowLost(now: Now, terminal: Terminal, flow: FlowId | undefined): void {
    for (const wish of this.byTerminal.get(terminal) ?? []) {
      if (wish.standing === undefined || (flow !== undefined && wish.way?.flow !== flow)) continue
      this.subscriber.forget(wish.standing)
      wish.standing = undefined
      wish.isLost = !wish.isLeaving
    }
    if (flow !== undefined && this.host.hopOf(terminal) !== undefined) this.again(now, terminal)
  }

  /** The terminal is being switched off: it unsubscribes while it still has a way to say so. */
  leave(now: Now, terminal: Terminal): void {
    for (const wish of [...this.byTerminal.get(terminal) ?? []]) this.giveUp(now, wish)
  }

  /** It is off. Without a farewell nobody is told, and the server will find out by a NOTIFY. */
  gone(terminal: Terminal): void {
    for (const wish of [...this.byTerminal.get(terminal) ?? []]) {
      if (wish.isLeaving && wish.standing !== undefined) continue
      if (wish.standing !== undefined) this.subscriber.forget(wish.standing)
      this.drop(wish)
    }
    this.byTerminal.delete(terminal)
  }

  private wish(now: Now, wish: Wish): void {
    const wishes = this.byTerminal.get(wish.terminal) ?? []
    wishes.push(wish)
    this.byTerminal.set(wish.terminal, wishes)
    this.subscribe(now, wish)
  }

  private subscribe(now: Now, wish: Wish): void {
    const { terminal } = wish
    const hop: Hop | undefined = this.host.hopOf(terminal)
    if (hop === undefined) return this.later(now, wish, RETRY_MICROS)
    const request = buildSubscribe({
      terminal, impu: this.host.population.impu(terminal.device.subscriber), server: wish.server, contact: this.host.contactOf(terminal), event: wish.event,
      callId: owned(this.host.entropy.token(100)), fromTag: this.host.newTag(), expirySeconds: this.host.population.settings.events.expirySeconds,
    })
    this.host.counters.subscribesSent += 1
    wish.way = hop
    wish.standing = this.subscriber.subscribe(now, request, hop, wish)
    if (wish.standing === undefined) this.later(now, wish, RETRY_MICROS)
  }

  private later(now: Now, wish: Wish, micros: Micros): void {
    wish.retry = this.host.armAlarm(now.mono + Math.max(LOCKOUT_MICROS, micros), new Alarm((then) => {
      wish.retry = undefined
      this.subscribe(then, wish)
    }))
  }

  private giveUp(now: Now, wish: Wish): void {
    wish.isLeaving = true
    if (wish.standing !== undefined) this.subscriber.unsubscribe(now, wish.standing)
    else this.drop(wish)
  }

  private drop(wish: Wish): void {
    this.host.disarmAlarm(wish.retry)
    wish.retry = undefined
    wish.standing = undefined
    const wishes = this.byTerminal.get(wish.terminal)
    const index = wishes?.indexOf(wish) ?? -1
    if (index >= 0) wishes!.splice(index, 1)
  }

  // What the subscriber tells

  complete(subscription: SubscriberSubscription, subscribe: SipMessage): void {
    const { terminal } = wishOf(subscription)
    this.host.counters.subscribesSent += 1
    completeSubscribe(terminal, subscribe, this.host.contactOf(terminal))
  }

  onNotify(now: Now, subscription: SubscriberSubscription, transaction: ServerTransaction, state: SubscriptionStateHeader): void {
    const wish = wishOf(subscription)
    const { terminal } = wish
    const { request } = transaction
    if (terminal.device.behaviour.misbehaviour === 'lies-about-support') {
      this.host.answer(now, terminal, transaction, responseTo(request, 489, undefined, this.host.newTag()))
      wish.isLeaving = true
      this.subscriber.forget(subscription)
      return this.drop(wish)
    }
    this.host.counters.notifies += 1
    this.host.answer(now, terminal, transaction, this.answerOf(now, terminal, request))
    if (state.state !== 'active' || wish.replaces === undefined) return
    const { replaces } = wish
    wish.replaces = undefined
    this.giveUp(now, replaces)
  }

  private answerOf(now: Now, terminal: Terminal, request: SipMessage): SipMessage {
    const tag = this.host.newTag()
    // The first NOTIFY for each application, and the last one, bring nothing.
    if (request.body.length === 0) return responseTo(request, 200, undefined, tag)
    const { behaviour, applications } = terminal.device
    const named = parseEvent(request.get(Header.Event) ?? '')?.applications
    // Draft section 11.3: content is for exactly one application.
    const isForUs = named?.length === 1 && applications.includes(named[0]!.toLowerCase())
    const status = isForUs ? judgeContent(request, terminal.types) : 489
    if (status !== 0) {
      this.host.reception.rejected(terminal, targetOf(request), pushIdOf(request), status, 'event')
      return rejection(request, status, terminal, tag)
    }
    const refused = refusalOf(behaviour)
    if (refused !== undefined) {
      this.host.reception.refused(terminal, targetOf(request), pushIdOf(request), refused.status, 'event')
      return refusal(request, refused, tag)
    }
    const rejected = this.contents.take(now, terminal, request, 'event')
    return rejected === 0 ? responseTo(request, 200, undefined, tag) : rejection(request, rejected, terminal, tag)
  }

  onRefused(): void {}

  onRequest(now: Now, subscription: SubscriberSubscription, transaction: ServerTransaction): void {
    const { terminal } = wishOf(subscription)
    if (transaction.request.method === 'REFER') return this.moved(now, terminal, transaction)
    this.host.answer(now, terminal, transaction, methodNotAllowed(transaction.request, terminal, this.host.newTag()))
  }

  onEnded(now: Now, subscription: SubscriberSubscription, end: SubscriberEnd): void {
    const wish = wishOf(subscription)
    wish.standing = undefined
    const wait = wish.isLeaving || !wish.terminal.isOn ? 'never' : waitAfter(end)
    if (wait === 'never') this.drop(wish)
    else this.later(now, wish, wait)
  }

  // REFER

  /** RFC 3515, draft section 11.4: the server asks to subscribe elsewhere. Outside of a dialog it must show who it is. */
  referred(now: Now, terminal: Terminal, transaction: ServerTransaction): void {
    const { request, source } = transaction
    if (this.host.isFromProxy(terminal, source) && request.has(Header.PAssertedIdentity)) return this.moved(now, terminal, transaction)
    this.host.answer(now, terminal, transaction, responseTo(request, 403, undefined, this.host.newTag()))
  }

  private moved(now: Now, terminal: Terminal, transaction: ServerTransaction): void {
    const { request } = transaction
    const move = pushMoveOf(request)
    const wishes = this.byTerminal.get(terminal) ?? []
    const status = typeof move === 'number' ? move : wishes.length >= SUBSCRIPTIONS_PER_TERMINAL_MAX ? 486 : 202
    const response = responseTo(request, status, undefined, this.host.newTag())
    // RFC 4488 section 4: no subscription to the progress of what was asked for.
    if (status === 202) response.append(Header.ReferSub, composed('false'))
    this.host.answer(now, terminal, transaction, response)
    if (status === 202) this.move(now, terminal, move as PushMove, wishes)
  }

  private move(now: Now, terminal: Terminal, { referTo, event, replaces }: PushMove, wishes: readonly Wish[]): void {
    const old = replaces === undefined ? undefined
      : wishes.find(({ standing }) => standing?.dialog?.callId === replaces.callId && standing.dialog.localTag === replaces.toTag)
    this.wish(now, new Wish(terminal, owned(referTo.uri), event, old))
  }
}

function wishOf(subscription: SubscriberSubscription): Wish {
  return subscription.context as Wish
}

/** When to subscribe again after this end (RFC 6665 sections 4.1.2.1 and 4.1.3), in microseconds. */
function waitAfter(end: SubscriberEnd): Micros | 'never' {
  switch (end.by) {
    case 'notifier': {
      const again = resubscribes(end.state)
      return again === 'never' ? 'never' : again.afterSeconds * MICROS_PER_SECOND
    }
    case 'refusal': {
      if (typeof end.refusal === 'string') return RETRY_MICROS
      if (!RETRIED.has(end.refusal.status)) return end.refusal.status === 481 ? 0 : 'never'
      const seconds = integerOf(/^\d*/.exec(end.refusal.get(Header.RetryAfter) ?? '')![0], DELTA_SECONDS_MAX) ?? 0
      return seconds > 0 ? seconds * MICROS_PER_SECOND : RETRY_MICROS
    }
    case 'silence':
    case 'expiry': return RETRY_MICROS
  }
}
