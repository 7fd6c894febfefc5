/**
 * Two user agents with dialog usages of every kind on their endpoints, joined by the in-memory link: what each was told is
 * kept in order as short texts, so that a test reads as the story of a session or subscription.
 */
import { SeededEntropy } from '../../core/kit/entropy.js'
import type { Endpoint, Transport } from '../../core/kit/network.js'
import type { Micros, Now } from '../../core/kit/time.js'
import type { ClientFailure, ClientTransaction, Hop, ServerTransaction } from '../../core/sip/endpoint-contract.js'
import { Header } from '../../core/sip/header-names.js'
import { type HeaderText, composed } from '../../core/sip/header-text.js'
import type { InviteSession, InviteUser } from '../../core/sip/invite-contract.js'
import { InviteSessions } from '../../core/sip/invite-sessions.js'
import { SipMessage } from '../../core/sip/message.js'
import { tagOf } from '../../core/sip/name-addr.js'
import { Notifier } from '../../core/sip/notifier.js'
import { Subscriber } from '../../core/sip/subscriber.js'
import type { Notification, NotifierSubscription, NotifierUser, SubscriberSubscription, SubscriberUser } from '../../core/sip/subscription-contract.js'
import { parseUri, uriParam } from '../../core/sip/uri.js'
import { responseTo } from '../../core/sip/write.js'
import { ALICE, BOB, type Clock, LINK, LinkOf, Peer, hopTo } from './sip-peers.js'

/** What an outcome is called in a story. */
export function named(outcome: SipMessage | ClientFailure): string {
  return typeof outcome === 'string' ? outcome : String(outcome.status)
}

export class UsagePeer extends Peer {
  readonly story: string[] = []
  readonly offers: InviteSession[] = []
  readonly reinvites: SipMessage[] = []
  readonly subscriptions: NotifierSubscription[] = []
  readonly notifies: ServerTransaction[] = []
  /** What to do at once with a new INVITE, a re-INVITE, a new SUBSCRIBE, a NOTIFY; nothing where undefined. */
  onOffer: ((now: Now, session: InviteSession) => void) | undefined
  onSubscription: ((now: Now, subscription: NotifierSubscription) => void) | undefined
  notifyStatus: number | undefined = 200
  /** Called when numbers are asked for. */
  numbers: ((now: Now, subscription: NotifierSubscription) => void) | undefined
  stateSays: Notification = {}
  readonly sessions: InviteSessions
  readonly notifier: Notifier
  readonly subscriber: Subscriber

  constructor(clock: Clock, address: Endpoint, readonly transport: Transport, limits: { readonly most?: number } = {}) {
    super(clock, address)
    const entropy = new SeededEntropy(11, `${address.port}`)
    const hopOf = (uri: string): Hop | undefined => {
      const parsed = parseUri(uri)
      return parsed === undefined || uriParam(parsed, 'nowhere') !== undefined ? undefined : this.hop({ address: parsed.host, port: parsed.port })
    }
    const { endpoint } = this
    this.sessions = new InviteSessions({ endpoint, entropy, hopOf, user: this.inviteUser(), ...(limits.most === undefined ? {} : { sessionsMax: limits.most }) })
    this.notifier = new Notifier({
      endpoint, entropy, hopOf, user: this.notifierUser(), packages: ['oma-push'], expiresSecondsMin: 60, expiresSecondsDefault: 86_400, expiresSecondsMax: 86_400,
      ...(limits.most === undefined ? {} : { subscriptionsMax: limits.most }),
    })
    this.subscriber = new Subscriber({ endpoint, entropy, hopOf, user: this.subscriberUser() })
  }

  /** The way to the other side: over the one link there is. */
  hop(to: Endpoint): Hop {
    return hopTo(to, this.transport, this.transport === 'udp' ? undefined : LINK)
  }

  get contact(): HeaderText {
    return composed(`<sip:${this.address.address}:${this.address.port}>`)
  }

  /** Everything that stays behind: nothing, once a story is over. */
  get left(): number {
    return this.sessions.size + this.notifier.size + this.subscriber.size
  }

  private inviteUser(): InviteUser {
    const { story } = this
    return {
      onProgress: (_now, _session, response) => void story.push(`progress ${response.status}`),
      onAnswer: (_now, _session, response) => void story.push(`answer ${response.status}`),
      onRefused: (_now, _session, refusal) => void story.push(`refused ${named(refusal)}`),
      onReinvite: (now, session, request) => {
        story.push('re-INVITE')
        this.reinvites.push(request)
        this.onOffer?.(now, session)
      },
      onConfirmed: () => void story.push('confirmed'),
      onRequest: (now, _session, transaction) => this.inDialog(now, transaction),
      onEnded: (_now, _session, end) => void story.push(`ended: ${end}`),
    }
  }

  private notifierUser(): NotifierUser {
    const { story } = this
    return {
      state: () => this.stateSays,
      onNotified: (_now, _subscription, context, outcome) => void story.push(`${context === undefined ? 'state' : String(context)} notified: ${named(outcome)}`),
      onIdle: () => void story.push('idle'),
      onRefreshed: (_now, subscription) => void story.push(`refreshed ${subscription.expiresSeconds}`),
      onNumbersNeeded: (now, subscription) => {
        story.push('numbers needed')
        this.numbers?.(now, subscription)
      },
      onRequest: (now, _subscription, transaction) => this.inDialog(now, transaction),
      onEnded: (_now, _subscription, end) => void story.push(`ended: ${end}`),
    }
  }

  private subscriberUser(): SubscriberUser {
    const { story } = this
    return {
      onNotify: (now, subscription, transaction, state) => {
        story.push(`NOTIFY ${state.state}${state.reason === undefined ? '' : ` ${state.reason}`}${transaction.request.body.length === 0 ? '' : ` ${transaction.request.body.toString()}`}`)
        this.notifies.push(transaction)
        if (this.notifyStatus !== undefined) this.respond(now, transaction, this.notifyStatus)
        if (this.notifyStatus !== undefined && this.notifyStatus >= 300) this.subscriber.forget(subscription)
      },
      complete: (_subscription, subscribe) => void subscribe.append(Header.Contact, this.contact),
      onRefused: (_now, _subscription, refusal) => void story.push(`refresh refused ${named(refusal)}`),
      onRequest: (now, _subscription, transaction) => this.inDialog(now, transaction),
      onEnded: (_now, _subscription, end) => void story.push(`ended by ${end.by}${end.by === 'notifier' ? ` ${end.state.reason}` : end.by === 'refusal' ? ` ${named(end.refusal)}` : ''}`),
    }
  }

  private inDialog(now: Now, transaction: ServerTransaction): void {
    this.story.push(`${transaction.request.method} in dialog`)
    this.respond(now, transaction, 200)
  }

  respond(now: Now, transaction: ServerTransaction, status: number): void {
    this.endpoint.respond(now, transaction, responseTo(transaction.request, status, undefined, 'plain'))
  }

  override onRequest(now: Now, transaction: ServerTransaction): void {
    this.requests.push(transaction)
    const { request } = transaction
    if (tagOf(request, Header.To) !== '') {
      if (!this.sessions.onRequest(now, transaction) && !this.notifier.onRequest(now, transaction) && !this.subscriber.onRequest(now, transaction)) this.respond(now, transaction, 481)
    } else if (request.method === 'INVITE') {
      const session = this.sessions.offered(now, transaction, this.contact, undefined)
      if (session === undefined) return
      this.offers.push(session)
      this.onOffer?.(now, session)
    } else if (request.method === 'SUBSCRIBE') {
      const subscription = this.notifier.offered(now, transaction, this.contact, undefined)
      if (subscription === undefined) return
      this.subscriptions.push(subscription)
      this.onSubscription?.(now, subscription)
    } else this.respond(now, transaction, 405)
  }

  override onAck(now: Now, ack: SipMessage): void {
    this.acks.push(ack)
    this.sessions.onAck(now, ack)
  }

  override onCancel(now: Now, transaction: ServerTransaction): void {
    this.sessions.onCancel(now, transaction)
  }

  override onResponse(now: Now, transaction: ClientTransaction, response: SipMessage): void {
    const { context } = transaction
    if (!this.sessions.onResponse(now, context, response) && !this.notifier.onResponse(now, context, response)) this.subscriber.onResponse(now, context, response)
  }

  override onFailure(now: Now, transaction: ClientTransaction, failure: ClientFailure): void {
    const { context } = transaction
    if (!this.sessions.onFailure(now, context, failure) && !this.notifier.onFailure(now, context, failure)) this.subscriber.onFailure(now, context, failure)
  }

  override deadline(): Micros {
    return Math.min(super.deadline(), this.sessions.deadline(), this.notifier.deadline(), this.subscriber.deadline())
  }

  override tick(): void {
    super.tick()
    this.sessions.tick(this.clock)
    this.notifier.tick(this.clock)
    this.subscriber.tick(this.clock)
  }

  /** Begins a session with the other side. */
  invite(to: Endpoint): InviteSession {
    return this.sessions.invite(this.clock, this.outOfDialog('INVITE', to), this.hop(to), undefined)!
  }

  subscribe(to: Endpoint, seconds: number, event = 'oma-push;event-app-id="mms.ua"'): SubscriberSubscription {
    const request = this.outOfDialog('SUBSCRIBE', to).append(Header.Event, composed(event)).append(Header.Expires, composed(String(seconds)))
    return this.subscriber.subscribe(this.clock, request, this.hop(to), undefined)!
  }

  private begun = 0

  outOfDialog(method: string, to: Endpoint): SipMessage {
    this.begun += 1
    return new SipMessage({ method, requestUri: `sip:${to.address}:${to.port}` })
      .append(Header.MaxForwards, composed('70')).append(Header.From, composed(`<sip:a@example.net>;tag=own${this.begun}`)).append(Header.To, composed('<sip:b@example.net>'))
      .append(Header.CallId, composed(`call-${this.address.port}-${this.begun}`)).append(Header.CSeq, composed(`1 ${method}`)).append(Header.Contact, this.contact)
  }

  /** Accepts whatever is offered with a 200. */
  accepting(): this {
    this.onOffer = (now, session) => this.sessions.accept(now, session, this.sessions.response(session, 200))
    this.onSubscription = (now, subscription) => this.notifier.accept(now, subscription, { state: 'active' })
    return this
  }
}

export class UsageLink extends LinkOf<UsagePeer> {
  constructor(transport: Transport, fate: (nth: number) => readonly Micros[] = () => [1_000], limits: { readonly most?: number } = {}) {
    super(transport, fate, (clock, address) => new UsagePeer(clock, address, transport, limits))
  }

  /** Lets everything run out that is under way. */
  settle(): void {
    this.run(this.clock.mono + 100 * 1_000_000)
  }

  /** What alice and bob were told since the last call. */
  get stories(): { alice: string[]; bob: string[] } {
    return { alice: this.alice.story.splice(0), bob: this.bob.story.splice(0) }
  }
}

export { ALICE, BOB }
