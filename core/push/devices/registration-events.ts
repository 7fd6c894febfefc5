/**
 * Registration knowledge by the reg event package (RFC 3680, RFC 5628): the gateway watches the users it has pushes for, and
 * what it is told of them goes the same way as third-party REGISTERs. A watch is given up when nothing was pushed for a
 * while; what it told is then unknown again. RFC 6665's rules are core/sip/subscriber.ts, documents core/reg.
 */
import { DeadlineHeap, type Deadline } from '../../kit/heap.js'
import { MICROS_PER_SECOND, type Micros, type Now } from '../../kit/time.js'
import { mediaTypeOf } from '../../mime/content-type.js'
import { MAX_FORWARDS } from '../../ota/identity.js'
import { REGINFO_TYPE } from '../../reg/model.js'
import { readRegInfo } from '../../reg/read.js'
import { RegTable } from '../../reg/table.js'
import type { ServerTransaction, SipEndpointContract, SipTimerValues } from '../../sip/endpoint-contract.js'
import { resubscribes, type SubscriptionStateHeader } from '../../sip/event.js'
import { Header } from '../../sip/header-names.js'
import { composed, textOf } from '../../sip/header-text.js'
import { SipMessage } from '../../sip/message.js'
import { Subscriber } from '../../sip/subscriber.js'
import type { SubscriberEnd, SubscriberSubscription, SubscriberUser } from '../../sip/subscription-contract.js'
import { answer, plainResponse } from '../../sip/usage-answer.js'
import { retryAfterSeconds } from '../../sip/values.js'
import type { GatewayContext } from '../context.js'
import type { Hops } from '../delivery/hops.js'
import type { Recipients } from '../delivery/recipients.js'
import { readRegistration } from './reg-contacts.js'
import type { Registrations } from './registrations.js'
import { KeptRequest, type RequestTaker } from '../sip-user.js'

/** Users watched at a time; the pushes of further ones are tried without knowing. */
export const WATCHES_MAX = 200_000
/** RFC 3680 section 4.3. */
const EXPIRES_SECONDS = 3_761
/** A watch without a push for so long is given up. */
const IDLE_MICROS: Micros = 3_600 * MICROS_PER_SECOND
/** After a refusal, silence or a broken transport. */
const RETRY_MICROS: Micros = 60 * MICROS_PER_SECOND
/** After a word that it makes no sense to ask again (RFC 6665 section 4.1.3). */
const REFUSED_MICROS: Micros = 3_600 * MICROS_PER_SECOND
const TAG_BITS = 64
const ACCEPT = composed(REGINFO_TYPE)
const EVENT = composed('reg')

/** One user who is watched, or will be again. */
class Watch {
  subscription: SubscriberSubscription | undefined = undefined
  table = new RegTable()
  /** When there last was a push. */
  wantedAt: Micros = 0
  armed: Deadline<Watch> | undefined = undefined

  constructor(readonly aor: string) {}
}

export class RegistrationEvents implements RequestTaker, SubscriberUser {
  private readonly subscriber: Subscriber
  private readonly watches = new Map<string, Watch>()
  private readonly timers = new DeadlineHeap<Watch>()

  /** @param alone whether nothing else tells of registrations, so that what is no longer watched is unknown */
  constructor(
    private readonly context: GatewayContext,
    private readonly endpoint: SipEndpointContract,
    private readonly hops: Hops,
    private readonly recipients: Recipients,
    private readonly registrations: Registrations,
    private readonly alone: boolean,
    timers: SipTimerValues | undefined,
  ) {
    recipients.newlyAwaited = []
    this.subscriber = new Subscriber({
      endpoint: {
        request: (now, request, hop, sent) => endpoint.request(now, request, hop, new KeptRequest(this.subscriber, sent)),
        respond: (now, transaction, response) => endpoint.respond(now, transaction, response),
      },
      user: this, entropy: context.entropy, hopOf: (uri) => this.hops.to(uri) ?? this.hops.entry, subscriptionsMax: WATCHES_MAX, ...(timers === undefined ? {} : { timers }),
    })
  }

  /** Users watched, or waiting to be watched again. */
  get size(): number {
    return this.watches.size
  }

  /** Watches whom pushes came for. Called at the end of every turn. */
  pump(now: Now): void {
    const awaited = this.recipients.newlyAwaited!
    if (awaited.length === 0) return
    for (const aor of awaited) this.wanted(now, aor)
    awaited.length = 0
  }

  private wanted(now: Now, aor: string): void {
    const known = this.watches.get(aor)
    if (known !== undefined) {
      known.wantedAt = now.mono
      return
    }
    // A temporary GRUU of an unknown user cannot be watched: it names nobody.
    if (aor.endsWith(';gr') || this.watches.size >= WATCHES_MAX) return
    const watch = new Watch(aor)
    watch.wantedAt = now.mono
    this.watches.set(aor, watch)
    this.begin(now, watch)
  }

  /** NOTIFYs. */
  request(now: Now, transaction: ServerTransaction): void {
    if (!this.subscriber.onRequest(now, transaction)) answer(now, this.answering, transaction, 481)
  }

  deadline(): Micros {
    return Math.min(this.subscriber.deadline(), this.timers.next())
  }

  tick(now: Now): void {
    this.subscriber.tick(now)
    for (let watch = this.timers.popDue(now.mono); watch !== undefined; watch = this.timers.popDue(now.mono)) {
      watch.armed = undefined
      this.look(now, watch)
    }
  }

  // ---- what the subscriber says ----

  onNotify(now: Now, { context }: SubscriberSubscription, transaction: ServerTransaction, state: SubscriptionStateHeader): void {
    const watch = context as Watch
    const { request } = transaction
    // RFC 3680 section 4.5 allows for nothing else; a pending or ended watch may say nothing at all.
    if (request.body.length === 0) return answer(now, this.answering, transaction, 200)
    if (mediaTypeOf(request.get(Header.ContentType) ?? '') !== REGINFO_TYPE) {
      this.endpoint.respond(now, transaction, plainResponse(this.answering, request, 415).append(Header.Accept, ACCEPT))
      return
    }
    const read = readRegInfo(request.body)
    if (!read.ok) {
      this.endpoint.respond(now, transaction, plainResponse(this.answering, request, 400))
      return this.again(now, watch)
    }
    answer(now, this.answering, transaction, 200)
    const applied = watch.table.apply(read.info)
    // RFC 3680 section 5.2: what is missing comes with the full state that a refresh brings.
    if (applied === 'gap') return this.again(now, watch)
    if (applied === 'old') return
    for (const { id } of read.info.registrations) {
      const heard = readRegistration(watch.table.registrations.get(id)!, read.info)
      if (heard !== undefined) this.registrations.heard(now, heard)
    }
    // A full document that leaves the user out says that nothing is registered.
    if (read.info.state === 'full' && read.info.registrations.length === 0 && state.state === 'active') this.registrations.heard(now, { aor: watch.aor, expiresSeconds: 0, devices: undefined, registering: '' })
  }

  complete(_subscription: SubscriberSubscription, subscribe: SipMessage): void {
    this.completed(subscribe)
  }

  /** It stands until it runs out; what is left of it is used to try again. */
  onRefused(now: Now, { context }: SubscriberSubscription): void {
    this.arm(context as Watch, now.mono + RETRY_MICROS)
  }

  onRequest(now: Now, _subscription: SubscriberSubscription, transaction: ServerTransaction): void {
    answer(now, this.answering, transaction, 405)
  }

  onEnded(now: Now, { context }: SubscriberSubscription, end: SubscriberEnd): void {
    const watch = context as Watch
    watch.subscription = undefined
    watch.table = new RegTable()
    if (this.alone) this.registrations.forget(watch.aor)
    if (!this.isUseful(now, watch)) {
      this.drop(watch)
      return
    }
    this.arm(watch, now.mono + restAfter(end))
  }

  // ---- inside ----

  private begin(now: Now, watch: Watch): void {
    const hop = this.hops.pick(now)
    const target = textOf(watch.aor)
    if (hop === undefined || target === undefined) return this.arm(watch, now.mono + RETRY_MICROS)
    const { entropy, identity } = this.context
    const subscribe = new SipMessage({ method: 'SUBSCRIBE', requestUri: target })
      .append(Header.Route, hop.route).append(Header.MaxForwards, MAX_FORWARDS)
      .append(Header.From, identity.from(entropy.token(TAG_BITS))).append(Header.To, composed(`<${target}>`))
      .append(Header.CallId, identity.callId(entropy.token(TAG_BITS))).append(Header.CSeq, composed('1 SUBSCRIBE'))
      .append(Header.Event, EVENT).append(Header.Expires, composed(String(EXPIRES_SECONDS)))
    watch.subscription = this.subscriber.subscribe(now, this.completed(subscribe), hop.hop, watch)
    this.arm(watch, now.mono + IDLE_MICROS)
  }

  private completed(subscribe: SipMessage): SipMessage {
    const { identity } = this.context
    return subscribe.append(Header.Contact, identity.contact).append(Header.Accept, ACCEPT).append(Header.PAssertedIdentity, identity.asserted)
  }

  /** Its time has come: to be watched again, to be given up, or to go on. */
  private look(now: Now, watch: Watch): void {
    const { subscription } = watch
    if (!this.isUseful(now, watch)) {
      if (subscription === undefined) this.drop(watch)
      else this.subscriber.unsubscribe(now, subscription)
    } else if (subscription === undefined) this.begin(now, watch)
    else {
      if (subscription.state === 'active' || subscription.state === 'pending') this.arm(watch, Math.max(now.mono + RETRY_MICROS, watch.wantedAt + IDLE_MICROS))
      else this.arm(watch, now.mono + RETRY_MICROS)
    }
  }

  private isUseful(now: Now, watch: Watch): boolean {
    return this.recipients.isAwaited(watch.aor) || now.mono < watch.wantedAt + IDLE_MICROS
  }

  private again(now: Now, { subscription }: Watch): void {
    if (subscription !== undefined) this.subscriber.refresh(now, subscription)
  }

  private drop(watch: Watch): void {
    if (watch.armed !== undefined) this.timers.cancel(watch.armed)
    watch.armed = undefined
    this.watches.delete(watch.aor)
  }

  private arm(watch: Watch, at: Micros): void {
    if (watch.armed !== undefined) this.timers.cancel(watch.armed)
    watch.armed = this.timers.arm(at, watch)
  }

  private get answering(): { readonly endpoint: SipEndpointContract; readonly entropy: GatewayContext['entropy'] } {
    return { endpoint: this.endpoint, entropy: this.context.entropy }
  }
}

/** How long to wait before watching again. */
function restAfter(end: SubscriberEnd): Micros {
  if (end.by === 'notifier') {
    const next = resubscribes(end.state)
    return next === 'never' ? REFUSED_MICROS : Math.max(1, next.afterSeconds) * MICROS_PER_SECOND
  }
  // RFC 3261 section 21.4: what is refused once is refused again, but for what may pass.
  const isFinal = end.by === 'refusal' && typeof end.refusal !== 'string' && end.refusal.status < 500 && end.refusal.status !== 408 && end.refusal.status !== 480
  if (isFinal) return REFUSED_MICROS
  // RFC 3261 section 20.33: not before the time the notifier names, an hour at most.
  const asked = end.by === 'refusal' && typeof end.refusal !== 'string' ? retryAfterSeconds(end.refusal) ?? 0 : 0
  return Math.min(REFUSED_MICROS, Math.max(RETRY_MICROS, asked * MICROS_PER_SECOND))
}
