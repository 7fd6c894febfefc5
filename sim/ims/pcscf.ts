/**
 * The P-CSCF: the edge between terminals and the core (TS 24.229 section 5.2, RFC 5626 section 5). It vouches for
 * registrations by flow, writes itself into the Path, lets only registered identities in, and takes requests from the
 * core to the very flow their Route names. It knows no binding: where a terminal is, its Path says.
 */
import type { FlowId, FlowUp } from '../../core/kit/network.js'
import { MICROS_PER_SECOND, type Now } from '../../core/kit/time.js'
import type { Hop, ServerTransaction } from '../../core/sip/endpoint-contract.js'
import { Header } from '../../core/sip/header-names.js'
import { composed, parsedText, type HeaderText } from '../../core/sip/header-text.js'
import type { SipMessage } from '../../core/sip/message.js'
import { aorIn, nameAddrs, uriOf } from '../../core/sip/name-addr.js'
import { paramOf } from '../../core/sip/params.js'
import { parseUri, unescapeUser, uriParam } from '../../core/sip/uri.js'
import { DELTA_SECONDS_MAX, allValues, integerOf, listsToken } from '../../core/sip/values.js'
import { AccessFlows, type AccessFlow } from './access-flows.js'
import { AccessRegistrations, type AccessRegistration } from './access-registrations.js'
import { withIntegrity } from './credentials.js'
import { octetsWithVia } from './message-size.js'
import { OwnRoutes } from './own-routes.js'
import { Pool } from './pool.js'
import { ProxyNode, type NodeParts } from './proxy.js'
import type { Branch } from './response-context.js'
import type { PcscfSettings } from './settings.js'
import type { Crypto } from '../../core/kit/crypto.js'

/** RFC 3261 section 18.1.1: a larger request does not go out over UDP where the path MTU is unknown. */
const DATAGRAM_OCTETS_MAX = 1_300
const FLOW_KEY_OCTETS = 20
const PATH_TAG = composed('path')
/** RFC 5626 section 4.4.2: over UDP a keep-alive at least this often, since bindings of NATs end after 30 s. */
const DATAGRAM_FLOW_TIMER_MAX_SECONDS = 29

/** What a REGISTER's branch remembers for its 200. */
class RegisterBranch {
  constructor(readonly identity: string, readonly flow: AccessFlow) {}
}

export class Pcscf extends ProxyNode {
  readonly flows: AccessFlows
  readonly registrations: AccessRegistrations
  private readonly visitedNetwork: HeaderText
  private readonly sentBy: string
  private chargingLast = 0

  /** @param pcscf which of the networks' this is */
  constructor(parts: NodeParts, crypto: Crypto, private readonly pcscf: PcscfSettings) {
    const ports = [pcscf.listen.port, ...pcscf.furtherPorts, ...(pcscf.tls === undefined ? [] : [pcscf.tls.port])]
    super(parts, new OwnRoutes(pcscf.name, new Set(ports.flatMap((port) => [`${pcscf.listen.address}:${port}`, ...(port === 5060 ? [pcscf.listen.address] : [])]))))
    this.flows = new AccessFlows(crypto, parts.entropy.bytes(FLOW_KEY_OCTETS), pcscf.name)
    this.registrations = new AccessRegistrations(this.flows, new Pool((text) => text))
    this.visitedNetwork = composed(`"${pcscf.visitedNetworkId}"`)
    this.sentBy = `${pcscf.listen.address}:${pcscf.listen.port}`
  }

  /** A flow between a terminal and this node came up, or a socket terminals talk to. Flows of the core are not told. */
  accessFlowUp(flow: FlowUp): void {
    this.flows.up(flow)
  }

  /** Does it lead to a terminal, over a flow of its own? */
  isAccess(hop: Hop): boolean {
    return hop.flow !== undefined && this.flows.has(hop.flow)
  }

  override onFlowDown(_now: Now, flow: FlowId): void {
    this.flows.down(flow)
  }

  protected route(now: Now, transaction: ServerTransaction): void {
    const flow = this.flows.of(transaction.source)
    if (flow === undefined) this.relay(now, transaction)
    else if (transaction.request.method === 'REGISTER') this.register(now, transaction, flow)
    else this.originating(now, transaction, flow)
  }

  /** TS 24.229 5.2.2.1: a REGISTER of a terminal on its way to its home network. */
  private register(now: Now, transaction: ServerTransaction, flow: AccessFlow): void {
    const identity = aorIn(transaction.request, Header.To)
    const domain = parseUri(transaction.request.requestUri)
    if (identity === undefined || domain === undefined) {
      this.refuse(now, transaction, 400)
      return
    }
    const hop = domain.host.toLowerCase() === this.settings.homeDomain ? this.resolver.icscf : this.resolver.hopOf(domain)
    if (hop === undefined) {
      this.refuse(now, transaction, 404)
      return
    }
    const copy = this.copyOf(now, transaction)
    if (copy === undefined) return
    this.distrust(copy)
    copy.removeAll(Header.Route)
    copy.removeAll(Header.Path)
    // RFC 5626 5.1, RFC 3327 5.2: the Path names the flow, so that requests come back over it.
    copy.append(Header.Path, flow.path)
    if (!listsToken(copy, Header.Require, 'path')) copy.append(Header.Require, PATH_TAG)
    copy.append(Header.PVisitedNetworkId, this.visitedNetwork)
    copy.append(Header.PChargingVector, this.chargingVector())
    const authorization = copy.get(Header.Authorization)
    if (authorization !== undefined) {
      const vouched = this.registrations.find(now.mono, identity, flow) !== undefined
      copy.set(Header.Authorization, withIntegrity(authorization, vouched))
    }
    this.forwardOnly(now, transaction, copy, hop, new RegisterBranch(identity, flow))
  }

  /** TS 24.229 5.2.6.3: a request of a terminal; only an identity registered over this flow may send one. */
  private originating(now: Now, transaction: ServerTransaction, flow: AccessFlow): void {
    const speaker = this.speaker(now, transaction.request, flow)
    if (speaker === undefined) {
      this.refuse(now, transaction, 403, 'Not Registered Over This Flow')
      return
    }
    const copy = this.copyOf(now, transaction)
    if (copy === undefined) return
    const { registration, asserted } = speaker
    this.ownRoutes.take(copy)
    this.distrust(copy)
    copy.append(Header.PAssertedIdentity, composed(`<${asserted}>`))
    copy.append(Header.PChargingVector, this.chargingVector())
    this.recordRoute(copy, flow.token)
    // RFC 3608 6.1: whatever the terminal preloaded, the request takes the Service-Route of its registration.
    copy.removeAll(Header.Route)
    copy.prepend(Header.Route, parsedText(registration.serviceRoute.text))
    const route = uriOf(copy, Header.Route)
    const hop = route === undefined ? undefined : this.resolver.hopOf(route)
    if (hop === undefined) this.refuse(now, transaction, 500)
    else this.forwardOnly(now, transaction, copy, hop)
  }

  /** Who speaks: the registration of From over this flow, and the identity the core will be told. */
  private speaker(now: Now, request: SipMessage, flow: AccessFlow): { readonly registration: AccessRegistration; readonly asserted: string } | undefined {
    const identity = aorIn(request, Header.From)
    const registration = identity === undefined ? undefined : this.registrations.find(now.mono, identity, flow)
    if (identity === undefined || registration === undefined) return undefined
    const wanted = aorIn(request, Header.PPreferredIdentity) ?? identity
    // A preferred identity outside the implicit registration set gives way to the default one.
    return { registration, asserted: registration.identities.includes(`<${wanted}>`) ? wanted : identity }
  }

  /** RFC 5626 5.3: the token of our Record-Route or Path is that of the flow the request came over, or names the one it goes to. */
  protected withinDialog(now: Now, copy: SipMessage, source: Hop): Hop | number {
    const token = this.ownRoutes.take(copy)
    const flow = this.flows.of(source)
    const named = token === undefined || token === '' ? '' : unescapeUser(token)
    return flow === undefined ? this.towardsTerminal(copy, named) : this.towardsCore(now, copy, flow, named)
  }

  /** TS 24.229 5.2.6.3: what a terminal sends within a dialog takes the way of the dialog, over a flow it is registered on. */
  private towardsCore(now: Now, copy: SipMessage, flow: AccessFlow, token: string): Hop | number {
    const speaker = this.speaker(now, copy, flow)
    // In a dialog addressed by GRUU or another identity, From is no registered identity: then the flow alone speaks for the terminal.
    if (token !== flow.token || (speaker === undefined && flow.uses === 0)) return 403
    const next = uriOf(copy, Header.Route)
    // The S-CSCF is in every dialog's way, next to this node; a terminal reaches nobody past it.
    if (next === undefined || this.resolver.hopOf(next) !== this.resolver.scscf) return 403
    this.distrust(copy)
    // RFC 5876 4.1: an ACK bears no identity.
    if (speaker !== undefined && copy.method !== 'ACK') copy.append(Header.PAssertedIdentity, composed(`<${speaker.asserted}>`))
    this.recordRoute(copy, flow.token)
    return this.resolver.scscf
  }

  /** A request of the core for the terminal behind a flow token. */
  private towardsTerminal(copy: SipMessage, token: string): Hop | number {
    const flow = token === '' ? 'forged' : this.flows.find(token)
    if (flow === 'forged') return 403
    if (flow === 'gone') return 430
    this.recordRoute(copy, flow.token)
    withoutNetworkHeaders(copy)
    // RFC 3325 7: a terminal is outside the trust domain; P-Asserted-Identity goes only where its owner asked for privacy.
    if (copy.has(Header.PAssertedIdentity) && listsToken(copy, Header.Privacy, 'id')) copy.removeAll(Header.PAssertedIdentity)
    if (flow.hop.transport !== 'udp' || octetsWithVia(copy, this.sentBy) <= DATAGRAM_OCTETS_MAX) return flow.hop
    // RFC 3261 18.1.1: too large for UDP, so it takes TCP where the contact offers that, and does not go otherwise.
    return overTcp(copy.requestUri, flow.hop) ?? 513
  }

  /** A terminal that cannot be reached over its flow is 430 (RFC 5626 5.3.2); another next hop that cannot be reached is 503. */
  protected override transportFailureStatus(branch: Branch): number {
    return this.flows.of(branch.context.transaction.source) === undefined ? 430 : 503
  }

  protected override adapt(now: Now, branch: Branch, response: SipMessage): void {
    const { target } = branch
    if (target instanceof RegisterBranch && response.status < 300) this.registered(now, target, branch.context.transaction.request, response)
    if (target instanceof RegisterBranch && response.status === 401) withoutSessionKeys(response)
    if (this.flows.of(branch.context.transaction.source) !== undefined) withoutNetworkHeaders(response)
  }

  /** TS 24.229 5.2.2.1: what the P-CSCF keeps of a 200 to a REGISTER. */
  private registered(now: Now, register: RegisterBranch, request: SipMessage, response: SipMessage): void {
    let granted = 0
    const contacts = nameAddrs(response, Header.Contact) ?? []
    // Who leaves gets no contact back, as a rule, and its own need not be read.
    const own = contacts.length === 0 ? undefined : firstContact(request)
    for (const contact of contacts) {
      if (contact.uri === own) granted = integerOf(paramOf(contact.params, 'expires') ?? '', DELTA_SECONDS_MAX) ?? 0
    }
    const until = now.mono + granted * MICROS_PER_SECOND
    const routes = allValues(response, Header.ServiceRoute).join(', ')
    this.registrations.keep(now.mono, register.identity, register.flow, until, routes, response.get(Header.PAssociatedUri) ?? '')
    if (register.flow.uses > 0 && listsToken(response, Header.Require, 'outbound')) this.timeFlow(now, register.flow, response)
  }

  /** RFC 5626 5.4: the last proxy of a registration by outbound says how often it wants to hear from the flow. */
  private timeFlow(now: Now, flow: AccessFlow, response: SipMessage): void {
    const { flowTimerSeconds } = this.pcscf
    if (flowTimerSeconds === undefined) return
    const seconds = flow.hop.transport === 'udp' ? Math.min(flowTimerSeconds, DATAGRAM_FLOW_TIMER_MAX_SECONDS) : flowTimerSeconds
    response.set(Header.FlowTimer, composed(String(seconds)))
    this.flows.time(now.mono, flow, seconds)
  }

  /** What a terminal may not say of itself (RFC 3325 section 5, RFC 7315 section 4). */
  private distrust(copy: SipMessage): void {
    copy.removeAll(Header.PAssertedIdentity)
    copy.removeAll(Header.PPreferredIdentity)
    copy.removeAll(Header.PServedUser)
    withoutNetworkHeaders(copy)
  }

  private chargingVector(): HeaderText {
    const { name, listen, visitedNetworkId } = this.pcscf
    this.chargingLast += 1
    return composed(`icid-value="${this.chargingLast.toString(36)}.${name}";icid-generated-at=${listen.address};orig-ioi=${visitedNetworkId}`)
  }
}

/** Charging and network headers stay inside the core (RFC 7315 sections 4.3 to 4.6). */
function withoutNetworkHeaders(message: SipMessage): void {
  message.removeAll(Header.PChargingVector)
  message.removeAll(Header.PVisitedNetworkId)
  for (let index = message.ids.length - 1; index >= 0; index--) {
    if (message.ids[index] !== Header.Other || !/^p-charging-function-addresses[ \t]*:/i.test(message.values[index]!)) continue
    message.removeAt(index)
  }
}

/** TS 24.229 5.2.2: the keys of AKA are for this node, whose security association they would make; no terminal ever sees them. */
function withoutSessionKeys(response: SipMessage): void {
  for (let index = 0; index < response.ids.length; index++) {
    const value = response.values[index]!
    if (response.ids[index] === Header.WwwAuthenticate && value.includes('k="')) response.replaceAt(index, composed(value.replace(/\s*,?\s*\b[ic]k="[^"]*"/g, '')))
  }
}

function firstContact(message: SipMessage): string | undefined {
  return nameAddrs(message, Header.Contact)?.[0]?.uri
}

function overTcp(requestUri: string, hop: Hop): Hop | undefined {
  const uri = parseUri(requestUri)
  if (uri === undefined || uriParam(uri, 'transport')?.toLowerCase() !== 'tcp') return undefined
  return { transport: 'tcp', address: hop.address, port: uri.port === 0 ? 5060 : uri.port }
}
