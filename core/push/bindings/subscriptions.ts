/**
 * The gateway as notifier of the package oma-push (draft-mdolly-dispatch-oma-push-00): who may subscribe, what stands, and
 * that all of it survives a restart. A subscription is written down before its 200 leaves, with a block of CSeq numbers
 * ahead of use. RFC 6665's rules are core/sip/notifier.ts; what pushes go through here is event-binding.ts.
 */
import { MICROS_PER_SECOND, type Micros, type Now } from '../../kit/time.js'
import { acceptanceHeaders, contentNotification, enrolment, servingContact } from '../../ota/event.js'
import type { ClientFailure, ServerTransaction, SipEndpointContract } from '../../sip/endpoint-contract.js'
import { OMA_PUSH, parseEvent } from '../../sip/event.js'
import { Header } from '../../sip/header-names.js'
import type { HeaderText } from '../../sip/header-text.js'
import type { SipMessage } from '../../sip/message.js'
import { nameAddrs, tagOf } from '../../sip/name-addr.js'
import { Notifier } from '../../sip/notifier.js'
import type { NotifierEnd, NotifierSubscription, NotifierUser, Notification } from '../../sip/subscription-contract.js'
import { answer, busyResponse, plainResponse } from '../../sip/usage-answer.js'
import { RowKind, subscriptionKey } from '../../store/keys.js'
import type { GatewayContext } from '../context.js'
import type { Hops } from '../delivery/hops.js'
import { KeptRequest, type RequestTaker } from '../sip-user.js'
import { Standing, decodeStanding, encodeStanding, tagOfApplication, type EventJob } from './standing.js'
import type { RowKeeper } from '../start.js'
import type { CommitWaiter } from '../store-port.js'
import { targetOf, type Target } from '../delivery/target.js'

/** Standing subscriptions of one user; the oldest makes room for one more, since it is likely that of a device that forgot it. */
const PER_USER_MAX = 16
const CONTACTS_KEPT = 1_024
const FULL_STORE_RETRY_MICROS: Micros = MICROS_PER_SECOND
/** An application's name that is enrolled by the rules, not by a push. */
const ENROLMENT = 'enrolment'
const NOBODY: CommitWaiter = { committed() {}, storeFull() {} }

/** Whoever wants to know of each subscription that is over. */
export interface EndWatcher {
  ended(standing: Standing, end: NotifierEnd): void
}

export class Subscriptions implements RequestTaker, RowKeeper, NotifierUser {
  readonly kind = RowKind.Subscription
  watcher: EndWatcher | undefined = undefined
  private readonly notifier: Notifier
  private readonly byUser = new Map<string, Standing>()
  private readonly contacts = new Map<string, HeaderText>()
  private readonly starved: Standing[] = []
  private retryAt: Micros = Infinity
  private born = 0
  /** The SUBSCRIBE that is being taken in as a refresh. */
  private refreshing: SipMessage | undefined = undefined

  constructor(private readonly context: GatewayContext, private readonly endpoint: SipEndpointContract, private readonly hops: Hops, private readonly methods: () => string) {
    const { settings, entropy } = context
    const { expiresSecondsDefault, expiresSecondsMin, expiresSecondsMax, subscriptionsMax } = settings.events
    this.notifier = new Notifier({
      endpoint: {
        request: (now, request, hop, sent) => endpoint.request(now, request, hop, new KeptRequest(this.notifier, sent)),
        respond: (now, transaction, response) => endpoint.respond(now, transaction, response),
      },
      user: this, entropy, hopOf: (uri) => this.hops.to(uri) ?? this.hops.entry, packages: [OMA_PUSH], expiresSecondsDefault, expiresSecondsMin, expiresSecondsMax, subscriptionsMax,
    })
  }

  get size(): number {
    return this.notifier.size
  }

  // ---- what comes from terminals ----

  request(now: Now, transaction: ServerTransaction): void {
    const { request } = transaction
    if (tagOf(request, Header.To) !== '') {
      this.refreshing = request
      if (!this.notifier.onRequest(now, transaction)) answer(now, this.answering, transaction, 481)
      this.refreshing = undefined
      return
    }
    this.offered(now, transaction)
  }

  private offered(now: Now, transaction: ServerTransaction): void {
    const { request } = transaction
    // Draft section 11.1: an identity that the core network vouches for, or none at all; its peers alone get this far.
    const aor = assertedAor(request)
    if (aor === undefined) return answer(now, this.answering, transaction, 403)
    const named = parseEvent(request.get(Header.Event) ?? '')?.applications ?? []
    const standing = new Standing(aor, contactOf(request), this.served(named.map(own)), ++this.born)
    const subscription = this.notifier.offered(now, transaction, this.contactFor(standing.applications), standing)
    if (subscription === undefined) return
    standing.subscription = subscription
    // Draft section 7.3: event-app-id is mandatory in a SUBSCRIBE.
    if (named.length === 0) return this.notifier.refuse(now, subscription, plainResponse(this.answering, request, 400))
    if (standing.applications.length === 0) return this.notifier.refuse(now, subscription, plainResponse(this.answering, request, 403))
    if (subscription.expiresSeconds === 0) return this.accept(now, standing, undefined)
    const bound = subscription.dialog.nextBound()
    this.write(standing, bound, new Offered(this, standing, bound))
  }

  /** The row is flushed: the terminal may know. */
  accept(now: Now, standing: Standing, bound: number | undefined): void {
    const { subscription } = standing
    if (bound !== undefined) this.enter(now, standing)
    this.notifier.accept(now, subscription, { state: 'active', headers: acceptanceHeaders(this.methods()), ...(bound === undefined ? {} : { bound }) })
  }

  notWritten(now: Now, { subscription }: Standing): void {
    this.notifier.refuse(now, subscription, busyResponse(this.answering, subscription.offer!))
  }

  /** Its block of numbers is flushed. */
  reserved(now: Now, standing: Standing, bound: number): void {
    const { subscription } = standing
    standing.isReserving = false
    this.notifier.reserve(now, subscription, bound)
    if (subscription.canNotify) this.onIdle(now, subscription)
  }

  /** What waits for the numbers waits on: deleting makes room. */
  notReserved(now: Now, standing: Standing): void {
    this.starved.push(standing)
    if (this.retryAt === Infinity) this.retryAt = now.mono + FULL_STORE_RETRY_MICROS
  }

  // ---- what pushes ask ----

  /** The subscriptions by which this target can be notified of this application: for a GRUU its device's, for a user one of each device; the latest wins. */
  find(aor: string, target: Target, tag: string, sameDevice: (contact: string) => boolean): Standing[] {
    const found: Standing[] = []
    for (let standing = this.byUser.get(aor); standing !== undefined; standing = standing.next) {
      if (standing.nameOf(tag) === undefined || (target.gruu !== 'none' && standing.contact !== target.uri && !sameDevice(standing.contact))) continue
      const rival = found.findIndex((other) => other.contact === standing.contact)
      if (rival < 0) found.push(standing)
      else if (found[rival]!.born < standing.born) found[rival] = standing
    }
    return found
  }

  /** Whether any stands for this user. */
  knows(aor: string): boolean {
    return this.byUser.has(aor)
  }

  has(aor: string, target: Target, tag: string, sameDevice: (contact: string) => boolean): boolean {
    for (let standing = this.byUser.get(aor); standing !== undefined; standing = standing.next) {
      if (standing.nameOf(tag) !== undefined && (target.gruu === 'none' || standing.contact === target.uri || sameDevice(standing.contact))) return true
    }
    return false
  }

  /** Notifies when it is its turn; `job.notified` ends it. */
  enqueue(now: Now, standing: Standing, job: EventJob): void {
    (standing.jobs ??= []).push(job)
    this.goOn(now, standing)
  }

  stands({ subscription }: Standing): boolean {
    return subscription.state === 'active'
  }

  /** Ends it with a last NOTIFY that says why; nothing happens when it is over already. */
  terminate(now: Now, standing: Standing, reason: 'noresource' | 'probation'): void {
    if (this.stands(standing)) this.notifier.terminate(now, standing.subscription, { reason })
  }

  *all(): Generator<Standing> {
    for (const first of this.byUser.values()) for (let standing: Standing | undefined = first; standing !== undefined; standing = standing.next) yield standing
  }

  // ---- what the notifier says ----

  state(_now: Now, { context }: NotifierSubscription): Notification {
    const standing = context as Standing
    standing.told = Math.min(1, standing.applications.length)
    return enrolment(standing.applications[0], this.context.identity.asserted)
  }

  onIdle(now: Now, { context }: NotifierSubscription): void {
    this.goOn(now, context as Standing)
  }

  onNotified(now: Now, { context }: NotifierSubscription, job: unknown, outcome: SipMessage | ClientFailure): void {
    if (job !== undefined && job !== ENROLMENT) (job as EventJob).notified(now, context as Standing, outcome)
  }

  onRefreshed(_now: Now, subscription: NotifierSubscription): void {
    const standing = subscription.context as Standing
    const named = this.refreshing === undefined ? undefined : parseEvent(this.refreshing.get(Header.Event) ?? '')?.applications
    const served = named === undefined ? [] : this.served(named.map(own))
    if (served.length > 0) standing.applications = served
    this.write(standing, undefined, NOBODY)
  }

  onNumbersNeeded(_now: Now, subscription: NotifierSubscription): void {
    const standing = subscription.context as Standing
    if (standing.isReserving) return
    standing.isReserving = true
    this.reserve(standing)
  }

  /** In-dialog requests other than SUBSCRIBE mean nothing here. */
  onRequest(now: Now, _subscription: NotifierSubscription, transaction: ServerTransaction): void {
    answer(now, this.answering, transaction, 405)
  }

  onEnded(now: Now, subscription: NotifierSubscription, end: NotifierEnd): void {
    const standing = subscription.context as Standing
    this.leave(standing)
    this.watcher?.ended(standing, end)
    const jobs = standing.jobs ?? []
    standing.jobs = undefined
    for (const job of jobs) job.notified(now, standing, 'ended')
  }

  // ---- time and the store ----

  recovered(now: Now, _key: Buffer, value: Buffer): void {
    const { data, aor, contact, applications } = decodeStanding(value)
    const standing = new Standing(aor, contact, applications, ++this.born)
    standing.told = applications.length
    standing.bound = data.dialog.localSequence
    standing.subscription = this.notifier.restore(now, { ...data, contact: this.contactFor(applications) }, standing)
    this.enter(now, standing)
  }

  deadline(): Micros {
    return Math.min(this.notifier.deadline(), this.retryAt)
  }

  tick(now: Now): void {
    this.notifier.tick(now)
    if (this.retryAt > now.mono) return
    this.retryAt = Infinity
    for (const standing of this.starved.splice(0)) this.reserve(standing)
  }

  private reserve(standing: Standing): void {
    const bound = standing.subscription.dialog.nextBound()
    this.write(standing, bound, new Reserving(this, standing, bound))
  }

  private goOn(now: Now, standing: Standing): void {
    const { subscription } = standing
    if (!subscription.canNotify) {
      // After a restart the numbers in the row may all have been used.
      if (subscription.dialog.sequencesLeft === 0 && standing.jobs !== undefined) this.onNumbersNeeded(now, subscription)
      return
    }
    if (standing.told < standing.applications.length) {
      const application = standing.applications[standing.told++]
      return this.notifier.notify(now, subscription, enrolment(application, this.context.identity.asserted), ENROLMENT)
    }
    const job = standing.jobs?.shift()
    if (standing.jobs?.length === 0) standing.jobs = undefined
    if (job === undefined) return
    const application = standing.nameOf(job.tag)
    // A refresh may have given the application up meanwhile.
    if (application === undefined) {
      job.notified(now, standing, 'ended')
      return this.goOn(now, standing)
    }
    this.notifier.notify(now, subscription, contentNotification(job.content, application, this.context.identity.asserted), job)
  }

  private enter(now: Now, standing: Standing): void {
    const first = this.byUser.get(standing.aor)
    standing.next = first
    this.byUser.set(standing.aor, standing)
    let count = 1
    for (let other = first; other !== undefined; other = other.next) if (++count > PER_USER_MAX) return this.terminate(now, other, 'probation')
  }

  private leave(standing: Standing): void {
    const { aor, subscription: { dialog } } = standing
    const first = this.byUser.get(aor)
    if (first === standing) {
      if (standing.next === undefined) this.byUser.delete(aor)
      else this.byUser.set(aor, standing.next)
    } else {
      let at = first
      while (at !== undefined && at.next !== standing) at = at.next
      if (at !== undefined) at.next = standing.next
    }
    this.context.store.commit([{ type: 'delete', key: subscriptionKey(dialog.localTag) }], NOBODY)
  }

  private write(standing: Standing, bound: number | undefined, waiter: CommitWaiter): void {
    const { aor, contact, applications, subscription } = standing
    // The Contact is made again from the applications: it would be the same in every row.
    // A row never reserves less than an earlier one, which may still be on its way.
    standing.bound = Math.max(standing.bound, bound ?? 0)
    const data = { ...this.notifier.data(subscription, standing.bound), contact: '' }
    this.context.store.commit([{ type: 'put', key: subscriptionKey(subscription.dialog.localTag), value: encodeStanding({ data, aor, contact, applications }) }], waiter)
  }

  private served(named: readonly string[]): readonly string[] {
    const { applications } = this.context.settings.events
    const kept = new Map<string, string>()
    for (const name of named) {
      const tag = tagOfApplication(name)
      if (!kept.has(tag) && (applications.length === 0 || applications.includes(tag))) kept.set(tag, name)
    }
    return [...kept.values()]
  }

  private contactFor(applications: readonly string[]): HeaderText {
    const key = applications.join(',')
    let contact = this.contacts.get(key)
    if (contact === undefined) {
      contact = servingContact(this.context.identity.contactUri, applications)
      if (this.contacts.size < CONTACTS_KEPT) this.contacts.set(key, contact)
    }
    return contact
  }

  private get answering(): { readonly endpoint: SipEndpointContract; readonly entropy: GatewayContext['entropy'] } {
    return { endpoint: this.endpoint, entropy: this.context.entropy }
  }
}

class Offered implements CommitWaiter {
  constructor(private readonly subscriptions: Subscriptions, private readonly standing: Standing, private readonly bound: number) {}

  committed(now: Now): void {
    this.subscriptions.accept(now, this.standing, this.bound)
  }

  storeFull(now: Now): void {
    this.subscriptions.notWritten(now, this.standing)
  }
}

class Reserving implements CommitWaiter {
  constructor(private readonly subscriptions: Subscriptions, private readonly standing: Standing, private readonly bound: number) {}

  committed(now: Now): void {
    this.subscriptions.reserved(now, this.standing, this.bound)
  }

  storeFull(now: Now): void {
    this.subscriptions.notReserved(now, this.standing)
  }
}

/** The user the core network vouches for: the first SIP identity (RFC 3325 section 9.1). */
function assertedAor(request: SipMessage): string | undefined {
  for (const { uri } of nameAddrs(request, Header.PAssertedIdentity) ?? []) {
    const target = targetOf(uri)
    if (target !== undefined && target.gruu === 'none') return own(target.aor)
  }
  return undefined
}

function contactOf(request: SipMessage): string {
  return own(nameAddrs(request, Header.Contact)?.[0]?.uri ?? '')
}

/** A copy: what is cut out of a message would keep the whole of it in memory. */
function own(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1')
}
