/**
 * The S-CSCF: registrar, authenticator and terminating router of the home network (TS 24.229 section 5.4). It answers
 * REGISTER itself, tells application servers of it, and forks other requests to the devices of their user. Rules of
 * bindings, targets, digest and third-party REGISTER each have a file of their own; here they meet messages.
 */
import type { Now } from '../../core/kit/time.js'
import type { Crypto } from '../../core/kit/crypto.js'
import type { ClientFailure, ClientTransaction, Hop, ServerTransaction } from '../../core/sip/endpoint-contract.js'
import { Header } from '../../core/sip/header-names.js'
import { composed, type HeaderText } from '../../core/sip/header-text.js'
import type { SipMessage } from '../../core/sip/message.js'
import { aorIn, uriOf } from '../../core/sip/name-addr.js'
import { parseUri, sameUri, type Uri } from '../../core/sip/uri.js'
import { busyResponse } from '../../core/sip/usage-answer.js'
import { Authenticator } from './authentication.js'
import { isVouched, usernameOf } from './credentials.js'
import { DialogRoutes } from './dialog-routes.js'
import { FilterCriteria, type RegistrationType } from './filter-criteria.js'
import { TemporaryGruus, grOfInstance } from './gruu.js'
import type { Hss } from './hss.js'
import { OwnRoutes } from './own-routes.js'
import { Pool } from './pool.js'
import { featureSetOf } from './preferences.js'
import { RegEvents, isRegSubscription } from './reg-events.js'
import { ProxyNode, type BranchEnd, type NodeParts } from './proxy.js'
import { Registrar, type Binding, type Registration, type RegisterEffect } from './registrar.js'
import { fillRegisterAnswer, readRegister, unsupportedExtensions, type RegisterRefusal } from './registration.js'
import { Branch, InviteBranch, InviteContext, type ResponseContext } from './response-context.js'
import { defaultIdentity, isBarred, type Subscriber } from './subscribers.js'
import { TargetFinder, type DeviceTarget } from './targets.js'
import { ThirdParty, thirdPartyRegister, type ThirdPartyNews } from './third-party-register.js'
import { triggeringRegister } from './triggering.js'

/** Which device a branch goes to, along which Path, and where it may go instead when that flow fails. */
class DeviceBranch {
  readonly uri: string
  private readonly path: string

  constructor(readonly binding: Binding, readonly others: readonly Binding[], readonly base: SipMessage) {
    this.uri = binding.uri
    this.path = binding.path.text
  }

  /** The device has registered over another flow since, or through another P-CSCF. */
  get hasMoved(): boolean {
    return this.binding.isBound && (this.binding.path.text !== this.path || this.binding.uri !== this.uri)
  }
}

const TYPE_OF: Readonly<Record<Exclude<RegisterEffect, 'query'>, RegistrationType>> = {
  initial: 'initial', 're-registration': 're-registration', 'de-registration': 'de-registration',
}

export class Scscf extends ProxyNode {
  readonly registrar: Registrar
  readonly regEvents: RegEvents
  /** Third-party REGISTERs sent, and those whose server failed. */
  readonly thirdParty = { sent: 0, failed: 0 }
  private readonly authenticator: Authenticator
  private readonly targets: TargetFinder
  private readonly dialogRoutes: DialogRoutes
  private readonly criteria: FilterCriteria
  private readonly serviceRoute: HeaderText

  constructor(parts: NodeParts, private readonly hss: Hss, private readonly crypto: Crypto) {
    super(parts, new OwnRoutes(parts.settings.scscf.name))
    const { settings, entropy, resolver } = parts
    const gruus = new TemporaryGruus(crypto, entropy, entropy.bytes(16), entropy.bytes(32))
    this.registrar = new Registrar({
      features: new Pool(featureSetOf),
      paths: new Pool((path) => resolver.pathVector(path)),
      mint: (counter) => gruus.mint(counter),
      sameUri: sameUriText,
      bindingsPerUserMax: settings.registration.bindingsPerUserMax,
      changed: (binding, event) => this.regEvents.changed(binding, event),
    })
    this.regEvents = this.regEventsOf(crypto)
    this.authenticator = new Authenticator(crypto, entropy, settings.homeDomain, settings.digest)
    this.targets = new TargetFinder(this.registrar, hss, gruus, crypto)
    this.dialogRoutes = new DialogRoutes(this.targets, resolver, settings.homeDomain)
    this.criteria = new FilterCriteria(settings.filterCriteria)
    this.serviceRoute = composed(`<sip:orig@${settings.scscf.name};lr>`)
  }

  /** What AKA did so far. */
  get aka(): { readonly challenges: number; readonly resynchronisations: number } {
    return this.authenticator.aka.counters
  }

  private regEventsOf(crypto: Crypto): RegEvents {
    const { homeDomain, scscf, regEvent } = this.settings
    return new RegEvents({
      settings: regEvent, hss: this.hss, entropy: this.parts.entropy, registrar: this.registrar, homeDomain,
      grOf: (instance) => grOfInstance(crypto, instance),
      contact: composed(`<sip:${scscf.name};transport=tcp>`),
      hopOf: (text) => {
        const uri = parseUri(text)
        return uri === undefined ? undefined : this.resolver.hopOf(uri)
      },
      endpoint: {
        respond: (now, transaction, response) => this.respond(now, transaction, response),
        // The way of a NOTIFY begins at this node. One that ends here already ends at its next hop too, which answers it.
        request: (now, notify, hop, context) => {
          const way = this.withinDialog(now, notify)
          return this.line.request(now, notify, typeof way === 'number' ? hop : way, context)
        },
      },
      refuse: (now, transaction, status) => this.refuse(now, transaction, status),
      refuseBusy: (now, transaction) => this.refuseWith(now, transaction, busyResponse(this.parts, transaction.request)),
    })
  }

  /** Bindings whose time is over (RFC 3261 section 10.3); the last one of a user is news for the application servers. */
  expire(now: Now): void {
    for (let binding = this.registrar.expireOne(now); binding !== undefined; binding = this.registrar.expireOne(now)) this.gone(now, binding.registration)
    this.regEvents.flush(now)
  }

  protected route(now: Now, transaction: ServerTransaction): void {
    if (transaction.request.method === 'REGISTER') {
      this.register(now, transaction)
      return
    }
    const copy = this.copyOf(now, transaction)
    if (copy === undefined) return
    if (this.ownRoutes.take(copy) === 'orig') this.originating(now, transaction, copy)
    else this.terminating(now, transaction, copy)
  }

  protected override relay(now: Now, transaction: ServerTransaction): void {
    if (!this.regEvents.onDialogRequest(now, transaction)) super.relay(now, transaction)
  }

  override onResponse(now: Now, transaction: ClientTransaction, response: SipMessage): void {
    const { context } = transaction
    if (context instanceof Branch) super.onResponse(now, transaction, response)
    else if (context instanceof ThirdParty) {
      if (response.status === 408 || response.status >= 500) this.serverFailed(now, context)
    } else this.regEvents.onResponse(now, context, response)
  }

  override onFailure(now: Now, transaction: ClientTransaction, failure: ClientFailure): void {
    const { context } = transaction
    if (context instanceof Branch) super.onFailure(now, transaction, failure)
    else if (context instanceof ThirdParty) this.serverFailed(now, context)
    else this.regEvents.onFailure(now, context, failure)
  }

  /** RFC 3261 10.3, TS 24.229 5.4.1.2. */
  private register(now: Now, transaction: ServerTransaction): void {
    const { request } = transaction
    const unsupported = unsupportedExtensions(request)
    if (unsupported !== '') {
      this.refuseWith(now, transaction, this.reply(request, 420).append(Header.Unsupported, composed(unsupported)))
      return
    }
    const identity = aorIn(request, Header.To) ?? ''
    const subscriber = this.hss.subscriber(identity)
    const main = subscriber === undefined ? undefined : defaultIdentity(subscriber)
    if (subscriber === undefined || main === undefined) this.refuse(now, transaction, 404)
    else if (!subscriber.mayRegister || isBarred(subscriber, identity)) this.refuse(now, transaction, 403)
    else if (this.authenticated(now, transaction, subscriber, main)) this.change(now, transaction, subscriber, main)
  }

  /** False when the request has been answered by a challenge or a refusal. */
  private authenticated(now: Now, transaction: ServerTransaction, subscriber: Subscriber, main: string): boolean {
    const { request } = transaction
    // TS 24.229 5.4.1.2.2: on a flow the P-CSCF vouches for, a registered user refreshes without a challenge.
    if (isVouched(request) && this.registrar.isRegistered(main)) {
      if (usernameOf(request) === subscriber.impi) return true
      this.refuse(now, transaction, 403, 'Identities Do Not Match')
      return false
    }
    const verdict = this.authenticator.check(now, request, subscriber)
    if (verdict === 'valid') return true
    if (verdict === 'wrong') {
      this.refuse(now, transaction, 403, 'Authentication Failed')
      return false
    }
    const response = this.reply(request, 401)
    for (const challenge of this.authenticator.challenges(now, subscriber, verdict === 'stale')) response.append(Header.WwwAuthenticate, challenge)
    this.refuseWith(now, transaction, response)
    return false
  }

  private change(now: Now, transaction: ServerTransaction, subscriber: Subscriber, main: string): void {
    const { request } = transaction
    const { homeDomain, registration: bounds } = this.settings
    const read = readRegister(request, main, homeDomain, bounds)
    if ('status' in read) {
      this.refuseWith(now, transaction, this.registerRefusal(request, read))
      return
    }
    const result = this.registrar.apply(now, main, read.wish)
    if (!result.done) {
      this.refuse(now, transaction, result.status, result.why)
      return
    }
    const { registration, effect } = result
    const response = fillRegisterAnswer(now, this.reply(request, 200), {
      registration: registration?.first === undefined ? undefined : registration,
      registrar: this.registrar,
      gruu: read.wish.gruu,
      outbound: read.outbound,
      path: read.wish.path,
      serviceRoute: this.serviceRoute,
      associated: associatedUris(subscriber),
      grOf: (instance) => grOfInstance(this.crypto, instance),
      homeDomain,
    })
    this.respond(now, transaction, response)
    if (effect === 'query') return
    this.tellServers(now, TYPE_OF[effect], main, registration, { request, response })
    this.regEvents.flush(now)
  }

  private registerRefusal(request: SipMessage, { status, reason, header }: RegisterRefusal): SipMessage {
    const response = this.reply(request, status, reason)
    return header === undefined ? response : response.append(header.id, composed(header.value))
  }

  /** TS 24.229 5.4.3.2: on behalf of a user of this network; the P-CSCF has asserted who it is. */
  private originating(now: Now, transaction: ServerTransaction, copy: SipMessage): void {
    const next = uriOf(copy, Header.Route) ?? parseUri(copy.requestUri)
    const hop = next === undefined ? undefined : this.hopTowards(next)
    if (hop === undefined) {
      this.refuse(now, transaction, 404)
      return
    }
    this.recordRoute(copy, 'orig')
    this.forwardOnly(now, transaction, copy, hop)
  }

  private hopTowards(uri: Uri): Hop | undefined {
    const service = this.resolver.serviceOf(uri)
    if (service !== undefined) return service
    return uri.scheme === 'tel' || uri.host.toLowerCase() === this.settings.homeDomain ? this.resolver.icscf : this.resolver.hopOf(uri)
  }

  protected withinDialog(_now: Now, copy: SipMessage): Hop | number {
    this.ownRoutes.take(copy)
    const hop = this.dialogRoutes.next(copy)
    if (typeof hop !== 'number') this.recordRoute(copy, 'term')
    return hop
  }

  /** TS 24.229 5.4.3.3, RFC 3261 16.5 and 16.6. */
  private terminating(now: Now, transaction: ServerTransaction, copy: SipMessage): void {
    const { request } = transaction
    if (isRegSubscription(request)) {
      this.regEvents.subscribe(now, transaction)
      return
    }
    const targets = this.targets.find(request)
    if (typeof targets === 'number') {
      this.refuse(now, transaction, targets)
      return
    }
    const pushId = request.get(Header.XPushId)
    if (pushId !== undefined) this.parts.journal('fork', pushId, [request.requestUri, String(targets.length)])
    this.prepareForDevices(copy, request)
    const context = this.contextOf(transaction)
    context.pending = targets.length
    for (const device of targets) this.toDevice(now, context, copy, device)
  }

  private prepareForDevices(copy: SipMessage, request: SipMessage): void {
    copy.removeAll(Header.PServedUser)
    // RFC 7315 4.2.2.2: the Request-URI as it came, so that the terminal sees which identity or GRUU was meant.
    copy.set(Header.PCalledPartyId, composed(`<${request.requestUri}>`))
    this.recordRoute(copy, 'term')
  }

  private toDevice(now: Now, context: ResponseContext, base: SipMessage, [binding, ...others]: DeviceTarget): void {
    // The base is kept only where another branch may have to be made of it.
    const copy = context.pending === 1 && others.length === 0 ? base : base.clone()
    const hop = this.dialogRoutes.alongPath(copy, binding)
    const target = new DeviceBranch(binding, others, base)
    if (hop === undefined) this.unroutable(now, new Branch(context, target))
    else this.forward(now, context, copy, hop, target)
  }

  protected override replaced(now: Now, branch: Branch, status: number, by: BranchEnd): boolean {
    const { target } = branch
    if (!(target instanceof DeviceBranch)) return false
    const pushId = target.base.get(Header.XPushId)
    if (pushId !== undefined) this.parts.journal('branch', pushId, [target.uri, String(status)])
    if (status === 430) {
      if (target.hasMoved) return this.followed(now, branch, target)
      this.flowFailed(now, target.binding)
    } else if (status === 408) {
      // The next request begins with another flow. This one does only if it is an INVITE: whoever sent anything else has given up (RFC 4320 4.2).
      this.registrar.postpone(target.binding)
      if (!(branch instanceof InviteBranch)) return false
    // RFC 5626 7: after any other answer the device has spoken, and none of its flows is asked again.
    } else if (by !== 'transport') return false
    const [next, ...others] = target.others.filter((binding) => binding.isBound)
    if (next === undefined || (branch.context instanceof InviteContext && branch.context.isClosed)) return false
    this.toDevice(now, branch.context, target.base, [next, ...others])
    return true
  }

  /** RFC 5626 7: the flow is dead, so its binding goes. */
  private flowFailed(now: Now, binding: Binding): void {
    if (!binding.isBound) return
    this.registrar.remove(binding, 'deactivated')
    this.gone(now, binding.registration)
    this.regEvents.flush(now)
  }

  /** The flow that is dead is not the binding's any more: the request follows the device to its new one. */
  private followed(now: Now, { context }: Branch, { binding, others }: DeviceBranch): boolean {
    if (context instanceof InviteContext && context.isClosed) return false
    const { request } = context.transaction
    const copy = this.copyOf(now, context.transaction)
    if (copy === undefined) return false
    this.ownRoutes.take(copy)
    this.prepareForDevices(copy, request)
    this.toDevice(now, context, copy, [binding, ...others.filter((other) => other.isBound)])
    return true
  }

  /** A binding went without a REGISTER. */
  private gone(now: Now, registration: Registration): void {
    if (registration.first === undefined) this.tellServers(now, 'de-registration', registration.identity, undefined, undefined)
  }

  private tellServers(now: Now, type: RegistrationType, identity: string, registration: Registration | undefined, register: ThirdPartyNews['register']): void {
    if (this.criteria.isEmpty) return
    let until = 0
    for (let binding = registration?.first; binding !== undefined; binding = binding.next) until = Math.max(until, this.registrar.remainingSeconds(now, binding))
    for (const server of this.criteria.matching(triggeringRegister(type, register?.request))) {
      const request = thirdPartyRegister(this.parts.entropy, this.settings.scscf.name, server, { identity, expiresSeconds: until, register })
      this.thirdParty.sent += 1
      this.line.request(now, request, server.hop, new ThirdParty(server, identity))
    }
  }

  /** TS 24.229 5.4.1.7: with SESSION_TERMINATED a user whose server does not answer is registered no longer. */
  private serverFailed(now: Now, { server, identity }: ThirdParty): void {
    this.thirdParty.failed += 1
    const registration = this.registrar.find(identity)
    if (server.defaultHandling !== 'terminate' || registration?.first === undefined) return
    while (registration.first !== undefined) this.registrar.remove(registration.first, 'deactivated')
    this.regEvents.flush(now)
    for (const other of this.criteria.matching(triggeringRegister('de-registration', undefined))) {
      if (other === server) continue
      const request = thirdPartyRegister(this.parts.entropy, this.settings.scscf.name, other, { identity, expiresSeconds: 0, register: undefined })
      this.line.request(now, request, other.hop, new ThirdParty(other, identity))
    }
  }
}

function sameUriText(one: string, other: string): boolean {
  const first = parseUri(one)
  const second = parseUri(other)
  return first !== undefined && second !== undefined && sameUri(first, second)
}

/** P-Associated-URI: the implicit registration set without what is barred, the default identity first (TS 24.229 5.4.1.2.2). */
function associatedUris(subscriber: Subscriber): HeaderText {
  let text = ''
  for (const { uri, barred } of subscriber.identities) if (!barred) text += text === '' ? `<${uri}>` : `, <${uri}>`
  return composed(text)
}
