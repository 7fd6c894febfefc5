/**
 * The gateway as one machine: it composes the parts, hands each input to the one it is for, and after every turn lets
 * each part begin what it may. It decides nothing itself; the walk of a push is admit, deliveries, bindings, verdicts, endings, notify.
 */
import type { Crypto } from '../kit/crypto.js'
import type { Entropy } from '../kit/entropy.js'
import type { Machine } from '../kit/machine.js'
import type { Micros, Now } from '../kit/time.js'
import { Identity } from '../ota/identity.js'
import type { SipTimerValues } from '../sip/endpoint-contract.js'
import { SipEndpoint } from '../sip/endpoint.js'
import { Admission } from './admission/admit.js'
import { AttemptStart } from './delivery/attempt-start.js'
import { Bindings } from './bindings/bindings.js'
import { Capabilities } from './devices/capabilities.js'
import { CapabilityQueries } from './admission/capability-queries.js'
import { ContentPort } from './bindings/content-port.js'
import type { GatewayContext } from './context.js'
import type { GatewayCounters, GatewayIn, GatewayOut } from './contract.js'
import { Deliveries } from './delivery/deliveries.js'
import { Drain } from './drain.js'
import { Endings } from './delivery/endings.js'
import { EventBinding } from './bindings/event-binding.js'
import { Hops } from './delivery/hops.js'
import { Hosting } from './bindings/hosting.js'
import { Identities } from './admission/identities.js'
import { IndirectionBinding } from './bindings/indirection-binding.js'
import { Legs } from './delivery/legs.js'
import { MessageBinding } from './bindings/message-binding.js'
import { MessageSender } from './bindings/message-sender.js'
import { Notifier } from './notification/notify.js'
import { Outbox, noCounts } from './outbox.js'
import { PushOperations } from './admission/operations.js'
import { Recipients } from './delivery/recipients.js'
import { RegistrationEvents } from './devices/registration-events.js'
import { Registrations } from './devices/registrations.js'
import { Replacements } from './admission/replacement.js'
import { Rights } from './admission/rights.js'
import { Retention } from './retention.js'
import { Sequences } from './admission/sequences.js'
import { SegmentedMessages } from './bindings/segmented-message.js'
import { SessionBinding } from './bindings/session-binding.js'
import type { GatewaySettings } from './settings.js'
import { SipUser } from './sip-user.js'
import { Start } from './start.js'
import { StorePort } from './store-port.js'
import { SubscriptionEnds } from './bindings/subscription-ends.js'
import { SubscriptionMoves } from './bindings/subscription-moves.js'
import { Subscriptions } from './bindings/subscriptions.js'
import { Verdicts } from './delivery/verdicts.js'

export interface GatewayOptions {
  readonly settings: GatewaySettings
  readonly entropy: Entropy
  readonly crypto: Crypto
  /** RFC 3261 appendix A when absent. */
  readonly timers?: SipTimerValues
  /** Where the initiators are in the same process: push-responses and result notifications leave as values, not as XML. */
  readonly documents?: 'unwritten'
}

export class Gateway implements Machine<GatewayIn, GatewayOut> {
  readonly counters: GatewayCounters = noCounts()
  private readonly out = new Outbox()
  /** Session mode; what it holds open is counted there. */
  readonly sessions: SessionBinding
  private readonly store = new StorePort(this.out)
  private readonly contents = new ContentPort(this.out)
  /** What crosses its SIP flows is counted there. */
  readonly endpoint: SipEndpoint
  private readonly admission: Admission
  private readonly deliveries: Deliveries
  private readonly endings: Endings
  private readonly notifier: Notifier
  readonly subscriptions: Subscriptions
  readonly moves: SubscriptionMoves
  private readonly ends: SubscriptionEnds
  private readonly hosting: Hosting | undefined
  readonly watches: RegistrationEvents | undefined = undefined
  private readonly references: IndirectionBinding | undefined = undefined
  private readonly retention: Retention
  private readonly beginning: Start
  private readonly draining: Drain

  constructor({ settings, entropy, crypto, timers, documents }: GatewayOptions) {
    const context: GatewayContext = {
      settings, identity: new Identity(settings), rights: new Rights(settings.initiators), entropy, crypto, store: this.store, contents: this.contents, out: this.out, counters: this.counters, unwritten: documents === 'unwritten',
    }
    const recipients = new Recipients(Math.floor(entropy.unit() * 2 ** 32))
    const identities = new Identities(settings)
    const hops = new Hops(settings.nextHops)
    const sequences = new Sequences()
    const user = new SipUser(context, hops)
    this.deliveries = new Deliveries(context, recipients, hops)
    this.notifier = new Notifier(context)
    this.hosting = settings.indirection === undefined ? undefined : new Hosting(context, settings.indirection.url)
    this.endings = new Endings(context, this.notifier, this.hosting, this.deliveries.index)
    this.endpoint = new SipEndpoint({
      sentBy: () => settings.sipAddress,
      entropy,
      emit: (out) => this.out.add(out),
      ...(timers === undefined ? {} : { timers }),
      user,
      offersOverloadControl: true,
    })
    user.endpoint = this.endpoint
    const verdicts = new Verdicts(context, this.deliveries, recipients, identities, hops)
    const starts = new AttemptStart(context, this.deliveries, hops)
    const sender = new MessageSender(context, this.endpoint)
    const messages = new MessageBinding(sender, starts, verdicts)
    const legs = new Legs(context, this.endings)
    const capabilities = new Capabilities(context, this.endpoint, recipients, hops)
    const bindings = new Bindings(context, this.deliveries, capabilities, legs, new SegmentedMessages(context, sender, starts, verdicts))
    this.sessions = new SessionBinding(context, this.endpoint, hops, starts, this.deliveries, verdicts, timers)
    bindings.add(messages)
    this.subscriptions = new Subscriptions(context, this.endpoint, hops, () => user.methods)
    const events = new EventBinding(this.subscriptions, recipients, starts, verdicts)
    bindings.add(events)
    user.serve('SUBSCRIBE', this.subscriptions)
    this.moves = new SubscriptionMoves(context, this.endpoint, hops, this.subscriptions)
    this.ends = new SubscriptionEnds(this.subscriptions)
    if (this.hosting !== undefined) {
      this.references = new IndirectionBinding(context, sender, starts, verdicts, this.deliveries, this.hosting, settings.indirection!.confirmation, events)
      bindings.add(this.references)
    }
    const registrations = new Registrations(context, this.endpoint, recipients, this.deliveries)
    user.messages = messages
    if (settings.registrations !== 'reg-event') user.serve('REGISTER', registrations)
    if (settings.registrations !== 'third-party') {
      this.watches = new RegistrationEvents(context, this.endpoint, hops, recipients, registrations, settings.registrations === 'reg-event', timers)
      user.serve('NOTIFY', this.watches)
    }
    if (settings.sessions.max > 0) {
      bindings.add(this.sessions)
      user.serve('INVITE', this.sessions.dialogs)
      user.serve('BYE', this.sessions.dialogs)
    }
    this.deliveries.sender = bindings
    this.deliveries.recorder = legs
    legs.deliveries = this.deliveries
    this.admission = new Admission(
      context, this.deliveries, identities, sequences, new CapabilityQueries(context, identities, recipients, capabilities),
      new PushOperations(context, this.deliveries, this.endings, identities), new Replacements(this.store, this.deliveries, this.endings), this.endings,
    )
    this.retention = new Retention(context)
    this.beginning = new Start(context, sequences, this.hosting === undefined ? [registrations, this.subscriptions] : [registrations, this.subscriptions, this.hosting], this.admission, this.deliveries, this.notifier)
    this.draining = new Drain(context, this.admission, this.deliveries, this.sessions, this.notifier, this.retention)
  }

  handle(now: Now, input: GatewayIn): void {
    switch (input.type) {
      case 'tick':
        this.tick(now)
        break
      case 'pap-request':
        this.admission.request(now, input)
        break
      case 'committed':
      case 'store-full':
      case 'value':
      case 'rows':
        this.store.answered(now, input)
        break
      case 'content':
        this.contents.answered(now, input.ticket, input.bytes)
        break
      case 'content-request':
        if (this.hosting === undefined) this.out.add({ type: 'content-reply', id: input.id, status: 404 })
        else this.hosting.request(now, input)
        break
      case 'content-fetched':
        if (input.complete) this.references?.fetched(input.token)
        break
      case 'notified':
        this.notifier.answered(now, input.ticket, input.status)
        break
      case 'notify-failed':
        this.notifier.answered(now, input.ticket, undefined)
        break
      case 'move-subscriptions':
        this.moves.begin(now, input.server)
        break
      case 'end-subscriptions':
        this.ends.begin(now)
        break
      case 'drain':
        this.draining.begin()
        this.sessions.drain(now)
        break
      default:
        if (!this.sessions.network(now, input)) this.endpoint.input(now, input)
    }
    this.beginning.pump()
    this.watches?.pump(now)
    this.deliveries.pump(now)
    this.notifier.pump(now)
    this.draining.pump()
  }

  /** It has read its store, and is not being stopped. */
  get isOpen(): boolean {
    return this.admission.isOpen
  }

  poll(): GatewayOut | undefined {
    return this.out.next()
  }

  deadline(): Micros {
    if (this.beginning.isDue) return 0
    return Math.min(this.endpoint.deadline(), this.sessions.deadline(), this.deliveries.deadline(), this.store.deadline(), this.notifier.deadline(), this.endings.deadline(), this.retention.deadline(), this.subscriptions.deadline(), this.moves.deadline(), this.ends.deadline(), this.watches?.deadline() ?? Infinity, this.hosting?.deadline() ?? Infinity, this.references?.deadline() ?? Infinity)
  }

  private tick(now: Now): void {
    this.endpoint.tick(now)
    this.sessions.tick(now)
    this.store.tick(now)
    this.deliveries.tick(now)
    this.endings.tick(now)
    this.notifier.tick(now)
    this.subscriptions.tick(now)
    this.moves.tick(now)
    this.ends.tick(now)
    this.watches?.tick(now)
    this.references?.tick(now)
    if (this.beginning.isDue) return
    this.retention.tick(now)
    this.hosting?.tick(now)
  }
}
