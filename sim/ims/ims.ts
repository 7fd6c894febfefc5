/**
 * The simulated IMS core as one machine: P-CSCF, I-CSCF and S-CSCF over their SIP endpoints. Collapsed, a message to a
 * neighbour is handed over as it is, in order, after what caused it has ended; split, every hop goes over sockets.
 * Headers are the same either way. Knows flows and nodes; what a request means is each node's business.
 */
import { assert } from '../../core/kit/assert.js'
import type { Crypto } from '../../core/kit/crypto.js'
import type { Entropy } from '../../core/kit/entropy.js'
import { Fifo } from '../../core/kit/fifo.js'
import { DeadlineHeap } from '../../core/kit/heap.js'
import type { JournalEventName } from '../../core/kit/journal.js'
import type { Machine, Tick } from '../../core/kit/machine.js'
import type { Endpoint, FlowId, FlowUp, NetworkIn, NetworkOut } from '../../core/kit/network.js'
import type { Micros, Now } from '../../core/kit/time.js'
import { SipEndpoint } from '../../core/sip/endpoint.js'
import type { Hop } from '../../core/sip/endpoint-contract.js'
import { bindingAnswer, isStun, readStun } from '../../core/sip/stun.js'
import { Hss } from './hss.js'
import { Icscf } from './icscf.js'
import { Neighbours, NodeLine } from './neighbours.js'
import { Pcscf } from './pcscf.js'
import type { NodeParts, ProxyNode } from './proxy.js'
import { Resolver } from './resolver.js'
import type { InviteTimers } from './response-context.js'
import { Scscf } from './scscf.js'
import type { ImsSettings, NodeSettings, PcscfSettings } from './settings.js'
import type { SubscriberDirectory } from './subscribers.js'

export type ImsIn = Tick | NetworkIn

export type ImsOut =
  | NetworkOut
  | { readonly type: 'journal'; readonly event: JournalEventName; readonly pushId: string; readonly address: string; readonly details: readonly string[] }

/** One node with its endpoint and the ports where the network reaches it. */
interface Seat {
  /** In counters. */
  readonly name: string
  readonly node: ProxyNode
  readonly endpoint: SipEndpoint
  readonly ports: ReadonlySet<number>
}

export class ImsCore implements Machine<ImsIn, ImsOut> {
  readonly pcscf: Pcscf
  /** Those of the visited networks. */
  readonly visited: readonly Pcscf[]
  readonly icscf: Icscf
  readonly scscf: Scscf
  private readonly seats: readonly Seat[]
  private readonly owners = new Map<FlowId, Seat>()
  private readonly neighbours = new Neighbours()
  private readonly inviteTimers: InviteTimers = new DeadlineHeap()
  private readonly outs = new Fifo<ImsOut>()
  /** Where I- and S-CSCF listen, and where the core reaches the P-CSCFs. */
  private readonly corePorts: ReadonlySet<number>
  private readonly pcscfCorePorts: ReadonlySet<number>
  private readonly seatCount: number

  constructor(settings: ImsSettings, directory: SubscriberDirectory, entropy: Entropy, crypto: Crypto) {
    const resolver = new Resolver(settings)
    const parts: NodeParts = {
      settings, resolver, entropy, inviteTimers: this.inviteTimers,
      journal: (event, pushId, details) => this.outs.push({ type: 'journal', event, pushId, address: '', details }),
    }
    const hss = new Hss(directory, { isRegistered: (identity) => this.scscf.registrar.isRegistered(identity) })
    this.pcscf = new Pcscf(parts, crypto, settings.pcscf)
    this.visited = settings.visited.map((network) => new Pcscf(parts, crypto, network))
    this.icscf = new Icscf(parts, hss)
    this.scscf = new Scscf(parts, hss, crypto)
    const { pcscf, icscf, scscf, visited } = settings
    this.seatCount = 3 + visited.length
    this.seats = [
      this.seat(0, this.pcscf, resolver.pcscf, pcscf, entropy, settings.mode),
      this.seat(1, this.icscf, resolver.icscf, icscf, entropy, settings.mode),
      this.seat(2, this.scscf, resolver.scscf, scscf, entropy, settings.mode),
      ...visited.map((network, index) => this.seat(3 + index, this.visited[index]!, resolver.visited[index]!, network, entropy, settings.mode)),
    ]
    this.corePorts = new Set([icscf, scscf].flatMap(portsOf))
    this.pcscfCorePorts = new Set([pcscf, ...visited].map(({ core }) => core.port))
  }

  handle(now: Now, input: ImsIn): void {
    if (this.scscf.registrar.deadline() <= now.mono) this.scscf.expire(now)
    switch (input.type) {
      case 'tick':
        this.tick(now)
        break
      case 'flow-up':
        this.flowUp(now, input)
        break
      case 'connect-failed': {
        const seat = this.seats[input.ticket % this.seatCount]!
        seat.endpoint.input(now, { ...input, ticket: Math.floor(input.ticket / this.seatCount) })
        break
      }
      default: {
        const seat = this.owners.get(input.flow)
        if (seat === undefined || (input.type === 'bytes' && this.isStun(now, seat.node, input))) break
        seat.endpoint.input(now, input)
        if (input.type === 'flow-down') this.owners.delete(input.flow)
      }
    }
    this.neighbours.settle(now)
  }

  poll(): ImsOut | undefined {
    return this.outs.shift()
  }

  deadline(): Micros {
    let earliest = Math.min(this.scscf.registrar.deadline(), this.scscf.regEvents.deadline(), this.inviteTimers.next())
    for (const { endpoint, node } of this.seats) earliest = Math.min(earliest, endpoint.deadline(), node instanceof Pcscf ? node.flows.deadline() : Infinity)
    return earliest
  }

  /** Who is registered now. */
  population(): { readonly users: number; readonly bindings: number } {
    return { users: this.scscf.registrar.registeredUsers, bindings: this.scscf.registrar.bindingCount }
  }

  /** Running totals by node, and gauges. */
  counters(): Record<string, number> {
    const all: Record<string, number> = { bindings: this.scscf.registrar.bindingCount, users: this.scscf.registrar.registeredUsers }
    for (const { name, node } of this.seats) {
      for (const [counter, value] of Object.entries(node.counters)) all[`${name}.${counter}`] = value
      all[`${name}.unanswered`] = node.unanswered
    }
    for (const { name, node, endpoint } of this.seats) {
      all[`${name}.openTransactions`] = endpoint.openTransactions
      if (!(node instanceof Pcscf)) continue
      all[`${name}.flows`] = node.flows.size
      all[`${name}.registeredUsers`] = node.registrations.size
    }
    all['scscf.akaChallenges'] = this.scscf.aka.challenges
    all['scscf.akaResynchronisations'] = this.scscf.aka.resynchronisations
    all['scscf.thirdPartySent'] = this.scscf.thirdParty.sent
    all['scscf.thirdPartyFailed'] = this.scscf.thirdParty.failed
    all['scscf.regSubscriptions'] = this.scscf.regEvents.size
    all['scscf.regNotifies'] = this.scscf.regEvents.counters.notifies
    all['scscf.regNotifyFailures'] = this.scscf.regEvents.counters.notifyFailures
    all['ringing'] = this.inviteTimers.size
    return all
  }

  private tick(now: Now): void {
    for (const { endpoint, node } of this.seats) {
      if (endpoint.deadline() <= now.mono) endpoint.tick(now)
      if (node instanceof Pcscf && node.flows.deadline() <= now.mono) this.endSilent(now, node)
    }
    for (let branch = this.inviteTimers.popDue(now.mono); branch !== undefined; branch = this.inviteTimers.popDue(now.mono)) branch.owner.timerC(now, branch)
    if (this.scscf.regEvents.deadline() <= now.mono) this.scscf.regEvents.tick(now)
  }

  /** RFC 5626 section 5.4: a connection that was silent for too long is closed; a UDP flow is no more than known to be over. */
  private endSilent(now: Now, node: Pcscf): void {
    for (let silent = node.flows.silentOne(now.mono); silent !== undefined; silent = node.flows.silentOne(now.mono)) {
      if (silent.hop.transport !== 'udp') this.outs.push({ type: 'close', flow: silent.hop.flow! })
    }
  }

  /** Keep-alives of terminals over UDP (RFC 5626 section 8): answered here, since SIP knows nothing of them. Takes note of who was heard. */
  private isStun(now: Now, node: ProxyNode, { flow, bytes, from }: Extract<NetworkIn, { type: 'bytes' }>): boolean {
    if (!(node instanceof Pcscf) || !node.flows.has(flow)) return false
    node.flows.heard(now.mono, flow, from)
    if (from === undefined || !isStun(bytes)) return false
    const request = readStun(bytes)
    if (request?.kind === 'request') this.outs.push({ type: 'transmit', flow, bytes: bindingAnswer(request, from), to: from })
    return true
  }

  private seat(index: number, node: ProxyNode, hop: Hop, own: NodeSettings | PcscfSettings, entropy: Entropy, mode: ImsSettings['mode']): Seat {
    const { listen } = own
    // An address and not a name, so that no hop adds `received` (RFC 3261 18.2.1) and both modes write the same bytes.
    const sentBy = hostPort(listen)
    const overTls = own.tls === undefined ? sentBy : hostPort(own.tls)
    const endpoint = new SipEndpoint({
      sentBy: (transport) => (transport === 'tls' ? overTls : sentBy),
      entropy,
      user: node,
      ...(node instanceof Pcscf && 'accessTimers' in own && own.accessTimers !== undefined ? { leg: { timers: own.accessTimers, includes: (hop: Hop) => node.isAccess(hop) } } : {}),
      // Tickets of all endpoints share one space.
      emit: (out) => this.outs.push(out.type === 'connect' ? { ...out, ticket: out.ticket * this.seatCount + index } : out),
    })
    if (mode === 'collapsed') this.neighbours.add(hop, node)
    node.attach(new NodeLine(node, hop, sentBy, entropy, endpoint, this.neighbours))
    return { name: NAMES[index] ?? `pcscf${index - 1}`, node, endpoint, ports: new Set(portsOf(own)) }
  }

  private flowUp(now: Now, input: FlowUp): void {
    const { ticket } = input
    const seat = ticket === undefined ? this.seats.find(({ ports }) => ports.has(input.local.port)) : this.seats[ticket % this.seatCount]
    assert(seat !== undefined, `a flow came up on port ${input.local.port}, where no node listens`)
    this.owners.set(input.flow, seat)
    if (seat.node instanceof Pcscf && !this.isCoreFlow(input)) seat.node.accessFlowUp(input)
    seat.endpoint.input(now, ticket === undefined ? input : { ...input, ticket: Math.floor(ticket / this.seatCount) })
  }

  /** What a P-CSCF shares with the core and not with terminals. */
  private isCoreFlow({ ticket, local, remote }: FlowUp): boolean {
    return ticket === undefined ? this.pcscfCorePorts.has(local.port) : remote !== undefined && this.corePorts.has(remote.port)
  }
}

/** Of the first seats; those behind them are `pcscf2` and on, in the order of the visited networks. */
const NAMES = ['pcscf', 'icscf', 'scscf'] as const

function hostPort({ address, port }: Endpoint): string {
  return `${address.includes(':') ? `[${address}]` : address}:${port}`
}

function portsOf(own: NodeSettings | PcscfSettings): number[] {
  return [own.listen.port, ...(own.tls === undefined ? [] : [own.tls.port]), ...('core' in own ? [...own.furtherPorts, own.core.port] : [])]
}
