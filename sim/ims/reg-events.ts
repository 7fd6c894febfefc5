/**
 * The S-CSCF as notifier of the reg event package (RFC 3680 section 4, TS 24.229 section 5.4.2.1): who may watch a user, what
 * has happened to contacts since a watcher heard of them, and when he hears of it. The life of a subscription is
 * core/sip/notifier.ts, the document reg-document.ts.
 */
import type { ContactEvent, RegInfo } from '../../core/reg/model.js'
import { REGINFO_TYPE } from '../../core/reg/model.js'
import { writeRegInfo } from '../../core/reg/write.js'
import type { Entropy } from '../../core/kit/entropy.js'
import { DeadlineHeap, type Deadline } from '../../core/kit/heap.js'
import { MICROS_PER_SECOND, type Micros, type Now } from '../../core/kit/time.js'
import type { ClientFailure, Hop, ServerTransaction, SipEndpointContract } from '../../core/sip/endpoint-contract.js'
import { parseEvent } from '../../core/sip/event.js'
import { Header } from '../../core/sip/header-names.js'
import { composed, type HeaderText } from '../../core/sip/header-text.js'
import type { SipMessage } from '../../core/sip/message.js'
import { uriOf } from '../../core/sip/name-addr.js'
import { Notifier } from '../../core/sip/notifier.js'
import type { Notification, NotifierSubscription, NotifierUser } from '../../core/sip/subscription-contract.js'
import { aorOf, parseUri } from '../../core/sip/uri.js'
import type { Hss } from './hss.js'
import { newsOf, registrationsOf, type ContactNews, type RegDocumentParts } from './reg-document.js'
import type { Binding } from './registrar.js'
import type { RegEventSettings } from './settings.js'
import { defaultIdentity, isBarred, type Subscriber } from './subscribers.js'

export const REG_PACKAGE = 'reg'
/** Between two NOTIFYs that tell of nothing but refreshes (RFC 3680 section 4.10); other news goes at once, as in IMS. */
const REFRESH_GAP: Micros = 5 * MICROS_PER_SECOND
const REGINFO = composed(REGINFO_TYPE)

export function isRegSubscription(request: SipMessage): boolean {
  if (request.method !== 'SUBSCRIBE') return false
  const event = request.get(Header.Event)
  return event !== undefined && parseEvent(event)?.package === REG_PACKAGE
}

/** What one subscription has heard, and what it has not. */
class Watcher {
  subscription!: NotifierSubscription
  version = 0
  /** By binding, what happened since the last NOTIFY. */
  readonly news = new Map<Binding, ContactNews>()
  /** A NOTIFY was lost, so the next one tells everything. */
  missedSome = false
  notifiedAt: Micros = -Infinity
  waits: Deadline<Watcher> | undefined

  constructor(readonly identity: string) {}
}

export interface RegEventsParts extends RegDocumentParts {
  readonly settings: RegEventSettings
  readonly hss: Hss
  readonly entropy: Entropy
  readonly endpoint: Pick<SipEndpointContract, 'request' | 'respond'>
  readonly hopOf: (uri: string) => Hop | undefined
  readonly contact: HeaderText
  /** Answers a SUBSCRIBE that is not taken. */
  readonly refuse: (now: Now, transaction: ServerTransaction, status: 403 | 404 | 405) => void
  /** The same, with 503 and when to ask again. */
  readonly refuseBusy: (now: Now, transaction: ServerTransaction) => void
}

export class RegEvents implements NotifierUser {
  readonly counters = { notifies: 0, notifyFailures: 0 }
  private readonly notifier: Notifier
  /** By the default identity of the watched set. */
  private readonly watchers = new Map<string, Watcher[]>()
  private readonly waiting = new DeadlineHeap<Watcher>()
  /** Watchers with news that were not told yet. */
  private readonly fresh: Watcher[] = []
  private readonly allowed: ReadonlySet<string>

  constructor(private readonly parts: RegEventsParts) {
    const { settings, endpoint, entropy, hopOf } = parts
    this.allowed = new Set(settings.watchers)
    this.notifier = new Notifier({
      endpoint, entropy, hopOf, user: this, packages: [REG_PACKAGE],
      expiresSecondsMin: settings.expiresMinSeconds, expiresSecondsDefault: settings.expiresDefaultSeconds, expiresSecondsMax: settings.expiresMaxSeconds,
      subscriptionsMax: settings.subscriptionsMax,
    })
  }

  get size(): number {
    return this.notifier.size
  }

  deadline(): Micros {
    return Math.min(this.notifier.deadline(), this.waiting.next())
  }

  tick(now: Now): void {
    this.notifier.tick(now)
    for (let watcher = this.waiting.popDue(now.mono); watcher !== undefined; watcher = this.waiting.popDue(now.mono)) {
      watcher.waits = undefined
      this.tell(now, watcher)
    }
  }

  /** A SUBSCRIBE to a user's registration state. */
  subscribe(now: Now, transaction: ServerTransaction): void {
    const { request } = transaction
    const uri = parseUri(request.requestUri)
    const identity = uri === undefined ? '' : aorOf(uri)
    const subscriber = this.parts.hss.subscriber(identity)
    const main = subscriber === undefined || isBarred(subscriber, identity) ? undefined : defaultIdentity(subscriber)
    if (subscriber === undefined || main === undefined) return this.parts.refuse(now, transaction, 404)
    if (!this.mayWatch(request, subscriber)) return this.parts.refuse(now, transaction, 403)
    const others = this.watchers.get(main)
    if ((others?.length ?? 0) >= this.parts.settings.subscriptionsPerUserMax) return this.parts.refuseBusy(now, transaction)
    const watcher = new Watcher(main)
    const subscription = this.notifier.offered(now, transaction, this.parts.contact, watcher)
    if (subscription === undefined) return
    watcher.subscription = subscription
    if (others === undefined) this.watchers.set(main, [watcher])
    else others.push(watcher)
    this.notifier.accept(now, subscription, { state: 'active' })
  }

  /** TS 24.229 5.4.2.1.1: the user himself by any of his identities, the P-CSCF and application servers of the configuration. */
  private mayWatch(request: SipMessage, { identities }: Subscriber): boolean {
    const asserted = uriOf(request, Header.PAssertedIdentity)
    if (asserted === undefined) return false
    const watcher = aorOf(asserted)
    return this.allowed.has(watcher) || identities.some(({ uri, barred }) => uri === watcher && !barred)
  }

  /** A request with a To tag; false when it belongs to no subscription here. */
  onDialogRequest(now: Now, transaction: ServerTransaction): boolean {
    return this.notifier.size > 0 && this.notifier.onRequest(now, transaction)
  }

  /** False when the response was to no NOTIFY of these. */
  onResponse(now: Now, context: unknown, response: SipMessage): boolean {
    return this.notifier.onResponse(now, context, response)
  }

  onFailure(now: Now, context: unknown, failure: ClientFailure): boolean {
    return this.notifier.onFailure(now, context, failure)
  }

  /** Something happened to a contact. Watchers are told by `flush`, when the whole of what happened is done. */
  changed(binding: Binding, event: ContactEvent): void {
    if (this.watchers.size === 0) return
    for (const watcher of this.watchers.get(binding.registration.identity) ?? []) {
      // Who has not heard yet of a contact hears that it was registered, and not that it was refreshed since.
      const known = watcher.news.get(binding)
      watcher.news.set(binding, event === 'refreshed' && known?.event === 'registered' ? known : { binding, event })
      this.fresh.push(watcher)
    }
  }

  flush(now: Now): void {
    for (let watcher = this.fresh.pop(); watcher !== undefined; watcher = this.fresh.pop()) this.tell(now, watcher)
  }

  private tell(now: Now, watcher: Watcher): void {
    const { subscription, news } = watcher
    if (news.size === 0 || !subscription.canNotify) return
    const earliest = watcher.notifiedAt + REFRESH_GAP
    if (now.mono < earliest && onlyRefreshes(news)) {
      watcher.waits ??= this.waiting.arm(earliest, watcher)
      return
    }
    const content = watcher.missedSome ? this.everything(now, watcher) : this.whatIsNew(now, watcher)
    this.notifier.notify(now, subscription, content, undefined)
  }

  private whatIsNew(now: Now, watcher: Watcher): Notification {
    const isRegistered = this.parts.registrar.isRegistered(watcher.identity)
    const registrations = registrationsOf(now, this.parts, this.subscriberOf(watcher), isRegistered ? 'active' : 'terminated', [...watcher.news.values()])
    return this.said(now, watcher, { version: watcher.version, state: 'partial', registrations })
  }

  private everything(now: Now, watcher: Watcher): Notification {
    watcher.missedSome = false
    const news: ContactNews[] = []
    for (const binding of this.parts.registrar.find(watcher.identity)?.bindings() ?? []) news.push(newsOf(binding))
    const registrations = registrationsOf(now, this.parts, this.subscriberOf(watcher), news.length > 0 ? 'active' : 'init', news)
    return this.said(now, watcher, { version: watcher.version, state: 'full', registrations })
  }

  private said(now: Now, watcher: Watcher, info: RegInfo): Notification {
    watcher.version += 1
    watcher.news.clear()
    watcher.notifiedAt = now.mono
    this.counters.notifies += 1
    return { contentType: REGINFO, body: writeRegInfo(info) }
  }

  private subscriberOf({ identity }: Watcher): Subscriber {
    return this.parts.hss.subscriber(identity)!
  }

  /** RFC 3680 4.7.1: the first NOTIFY, and the one after a refresh, tell everything. */
  state(now: Now, { context }: NotifierSubscription): Notification {
    return context instanceof Watcher ? this.everything(now, context) : {}
  }

  onNotified(_now: Now, { context }: NotifierSubscription, _content: unknown, outcome: SipMessage | ClientFailure): void {
    if (typeof outcome !== 'string' && outcome.status < 300) return
    this.counters.notifyFailures += 1
    if (context instanceof Watcher) context.missedSome = true
  }

  onIdle(now: Now, { context }: NotifierSubscription): void {
    if (context instanceof Watcher) this.tell(now, context)
  }

  onEnded(_now: Now, { context }: NotifierSubscription): void {
    if (!(context instanceof Watcher)) return
    if (context.waits !== undefined) this.waiting.cancel(context.waits)
    const others = this.watchers.get(context.identity)?.filter((each) => each !== context) ?? []
    if (others.length === 0) this.watchers.delete(context.identity)
    else this.watchers.set(context.identity, others)
  }

  onRefreshed(): void {
    // Nothing is stored: a core that starts anew has lost its registrations too.
  }

  onNumbersNeeded(): void {
    // As above.
  }

  onRequest(now: Now, _subscription: NotifierSubscription, transaction: ServerTransaction): void {
    this.parts.refuse(now, transaction, 405)
  }
}

function onlyRefreshes(news: ReadonlyMap<Binding, ContactNews>): boolean {
  for (const { event } of news.values()) if (event !== 'refreshed') return false
  return true
}
