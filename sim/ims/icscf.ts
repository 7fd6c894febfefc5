/**
 * The I-CSCF: the entry of the home network. It asks the HSS whose request it is and sends it to the S-CSCF
 * (TS 24.229 section 5.3). Stateful only as a proxy; it knows no binding and no terminal.
 */
import type { Now } from '../../core/kit/time.js'
import type { Hop, ServerTransaction } from '../../core/sip/endpoint-contract.js'
import { Header } from '../../core/sip/header-names.js'
import { composed } from '../../core/sip/header-text.js'
import type { SipMessage } from '../../core/sip/message.js'
import { aorIn, uriOf } from '../../core/sip/name-addr.js'
import { offersOverloadControl, reportedVia } from '../../core/sip/overload-control.js'
import { unquote } from '../../core/sip/params.js'
import { aorOf, gruuOf, parseUri, type Uri } from '../../core/sip/uri.js'
import { Capacity, VALIDITY_MILLIS } from './capacity.js'
import { usernameOf } from './credentials.js'
import { isTemporaryUser } from './gruu.js'
import type { CxResult, Hss } from './hss.js'
import { OwnRoutes } from './own-routes.js'
import { ProxyNode, type NodeParts } from './proxy.js'
import { isRegSubscription } from './reg-events.js'

export class Icscf extends ProxyNode {
  private readonly scscfRoute
  private readonly capacity: Capacity | undefined

  constructor(parts: NodeParts, private readonly hss: Hss) {
    super(parts, new OwnRoutes(parts.settings.icscf.name))
    const { capacityPerSecond } = parts.settings.limits
    this.capacity = capacityPerSecond === undefined ? undefined : new Capacity(capacityPerSecond)
    this.scscfRoute = composed(`<sip:${parts.settings.scscf.name};lr>`)
  }

  override onRequest(now: Now, transaction: ServerTransaction): void {
    const { request } = transaction
    if (this.capacity === undefined || request.method === 'REGISTER' || this.capacity.admits(now)) {
      super.onRequest(now, transaction)
      return
    }
    this.counters.requests += 1
    this.counters.overload += 1
    this.unanswered += 1
    const response = this.reply(request, 503)
    // RFC 7339 section 5.9: who is told a share is not told to stay away altogether.
    if (!offersOverloadControl(request.get(Header.Via) ?? '')) response.append(Header.RetryAfter, composed(String(this.settings.limits.retryAfterSeconds)))
    this.refuseWith(now, transaction, response)
  }

  protected override respond(now: Now, transaction: ServerTransaction, response: SipMessage): void {
    const { request } = transaction
    const via = request.get(Header.Via)
    // The answer gets the Vias of its request (RFC 3261 section 8.2.6.2): what is told upstream stands there.
    if (this.capacity !== undefined && request.method !== 'REGISTER' && via !== undefined && offersOverloadControl(via)) {
      request.replaceFirst(Header.Via, reportedVia(via, this.capacity.lossPercent(now), VALIDITY_MILLIS, now.wall / 1_000))
    }
    super.respond(now, transaction, response)
  }

  protected route(now: Now, transaction: ServerTransaction): void {
    const { request } = transaction
    const found = request.method === 'REGISTER' ? this.authorize(request) : this.locate(request)
    if (typeof found === 'number') {
      this.refuse(now, transaction, found)
      return
    }
    const copy = this.copyOf(now, transaction)
    if (copy === undefined) return
    this.ownRoutes.take(copy)
    if (found === this.resolver.scscf) copy.prepend(Header.Route, this.scscfRoute)
    this.forwardOnly(now, transaction, copy, found)
  }

  /**
   * The I-CSCF is in the way of no dialog. It passes on what an application server sends here because it knows no other entry,
   * and only to the S-CSCF.
   */
  protected withinDialog(_now: Now, copy: SipMessage): Hop | number {
    this.ownRoutes.take(copy)
    const next = uriOf(copy, Header.Route)
    if (next !== undefined) return this.resolver.hopOf(next) === this.resolver.scscf ? this.resolver.scscf : 404
    const target = parseUri(copy.requestUri)
    if (target !== undefined && this.resolver.hopOf(target) === this.resolver.scscf) return this.resolver.scscf
    const found = this.locate(copy)
    if (found === this.resolver.scscf) copy.prepend(Header.Route, this.scscfRoute)
    return found
  }

  /** TS 24.229 5.3.1.2: the user registration status query. */
  private authorize(request: SipMessage): Hop | number {
    const identity = aorIn(request, Header.To)
    if (identity === undefined) return 400
    switch (this.hss.authorize(identity, usernameOf(request), unquote(request.get(Header.PVisitedNetworkId) ?? '').toLowerCase())) {
      case 'first-registration':
      case 'subsequent-registration':
        return this.resolver.scscf
      default:
        return 403
    }
  }

  /** TS 24.229 5.3.2.1: the location query by the Request-URI without its `gr`. */
  private locate(request: SipMessage): Hop | number {
    const uri = parseUri(request.requestUri)
    if (uri === undefined) return 416
    const service = this.resolver.serviceOf(uri)
    if (service !== undefined) return service
    if (uri.scheme !== 'tel' && uri.host.toLowerCase() !== this.settings.homeDomain) return 404
    // A temporary GRUU hides whose it is (RFC 5627 3.1.2): only the S-CSCF that made it can tell.
    if (gruuOf(uri) === '' && isTemporaryUser(uri.user)) return this.resolver.scscf
    return this.locateUser(request, uri)
  }

  private locateUser(request: SipMessage, uri: Uri): Hop | number {
    const result = this.hss.locate(aorOf(uri))
    // RFC 3680 4.7: who waits for a user to register subscribes before he does.
    const status = result === 'identity-not-registered' && isRegSubscription(request) ? 0 : STATUS_OF[result]
    return status === 0 ? this.resolver.scscf : status
  }
}

/** What a location query's result means to the sender (TS 24.229 5.3.2.1 and the practice of open implementations). */
const STATUS_OF: Readonly<Record<CxResult, number>> = {
  'first-registration': 0,
  'subsequent-registration': 0,
  'user-unknown': 404,
  'identities-dont-match': 404,
  'identity-not-registered': 480,
  'roaming-not-allowed': 403,
}
