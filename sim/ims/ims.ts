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
import { Hss } from './hss.js'
import { Icscf } from './icscf.js'
import { Neighbours, NodeLine } from './neighbours.js'
import { Pcscf } from './pcscf.js'
import type { NodeParts, ProxyNode } from './proxy.js'
import { Resolver } from './resolver.js'
import type { InviteTimers } from './response-context.js'
import { Scscf } from './scscf.js'
import type { ImsSettings } from './settings.js'
import type { SubscriberDirectory } from './subscribers.js'

export type ImsIn = Tick | NetworkIn

export type ImsOut =
  | NetworkOut
  | { readonly type: 'journal'; readonly event: JournalEventName; readonly pushId: string; readonly address: string; readonly details: readonly string[] }

/** One node with its endpoint and the ports where the network reaches it. */
interface Seat {
  readonly index: number
  readonly node: ProxyNode
  readonly endpoint: SipEndpoint
  readonly ports: ReadonlySet<number>
}

const SEATS = 3

export class ImsCore implements Machine<ImsIn, ImsOut> {
  readonly pcscf: Pcscf
  readonly icscf: Icscf
  readonly scscf: Scscf
  private readonly seats: readonly Seat[]
  private readonly owners = new Map<FlowId, Seat>()
  private readonly neighbours = new Neighbours()
  private readonly inviteTimers: InviteTimers = new DeadlineHeap()
  private readonly outs = new Fifo<ImsOut>()
  private readonly corePorts: ReadonlySet<number>

  constructor(private readonly settings: ImsSettings, directory: SubscriberDirectory, entropy: Entropy, crypto: Crypto) {
    const resolver = new Resolver(settings)
    const parts: NodeParts = {
      settings, resolver, entropy, inviteTimers: this.inviteTimers,
      journal: (event, pushId, details) => this.outs.push({ type: 'journal', event, pushId, address: '', details }),
    }
    const hss = new Hss(directory, { isRegistered: (identity) => this.scscf.registrar.isRegistered(identity) })
    this.pcscf = new Pcscf(parts, crypto)
    this.icscf = new Icscf(parts, hss)
    this.scscf = new Scscf(parts, hss, crypto)
    const { pcscf, icscf, scscf } = settings
    const collapsed = settings.mode === 'collapsed'
    this.seats = [
      this.seat(0, this.pcscf, resolver.pcscf, pcscf.listen, [pcscf.listen.port, ...pcscf.furtherPorts, pcscf.core.port], entropy, collapsed),
      this.seat(1, this.icscf, resolver.icscf, icscf.listen, [icscf.listen.port], entropy, collapsed),
      this.seat(2, this.scscf, resolver.scscf, scscf.listen, [scscf.listen.port], entropy, collapsed),
    ]
    this.corePorts = new Set([icscf.listen.port, scscf.listen.port])
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
        const seat = this.seats[input.ticket % SEATS]!
        seat.endpoint.input(now, { ...input, ticket: Math.floor(input.ticket / SEATS) })
        break
      }
      default: {
        const seat = this.owners.get(input.flow)
        if (seat === undefined) break
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
    let earliest = Math.min(this.scscf.registrar.deadline(), this.inviteTimers.next())
    for (const { endpoint } of this.seats) earliest = Math.min(earliest, endpoint.deadline())
    return earliest
  }

  /** Who is registered now. */
  population(): { readonly users: number; readonly bindings: number } {
    return { users: this.scscf.registrar.registeredUsers, bindings: this.scscf.registrar.bindingCount }
  }

  /** Running totals by node, and gauges. */
  counters(): Record<string, number> {
    const all: Record<string, number> = { bindings: this.scscf.registrar.bindingCount, users: this.scscf.registrar.registeredUsers }
    for (const [name, node] of [['pcscf', this.pcscf], ['icscf', this.icscf], ['scscf', this.scscf]] as const) {
      for (const [counter, value] of Object.entries(node.counters)) all[`${name}.${counter}`] = value
      all[`${name}.unanswered`] = node.unanswered
    }
    for (const { index, endpoint } of this.seats) all[`${NAMES[index]!}.openTransactions`] = endpoint.openTransactions
    all['pcscf.flows'] = this.pcscf.flows.size
    all['pcscf.registeredUsers'] = this.pcscf.registrations.size
    all['scscf.thirdPartySent'] = this.scscf.thirdParty.sent
    all['scscf.thirdPartyFailed'] = this.scscf.thirdParty.failed
    return all
  }

  private tick(now: Now): void {
    for (const { endpoint } of this.seats) if (endpoint.deadline() <= now.mono) endpoint.tick(now)
    for (let branch = this.inviteTimers.popDue(now.mono); branch !== undefined; branch = this.inviteTimers.popDue(now.mono)) branch.owner.timerC(now, branch)
  }

  private seat(index: number, node: ProxyNode, hop: Hop, listen: Endpoint, ports: number[], entropy: Entropy, collapsed: boolean): Seat {
    // An address and not a name, so that no hop adds `received` (RFC 3261 18.2.1) and both modes write the same bytes.
    const sentBy = `${listen.address.includes(':') ? `[${listen.address}]` : listen.address}:${listen.port}`
    const endpoint = new SipEndpoint({
      sentBy: () => sentBy,
      entropy,
      user: node,
      // Tickets of three endpoints share one space.
      emit: (out) => this.outs.push(out.type === 'connect' ? { ...out, ticket: out.ticket * SEATS + index } : out),
    })
    if (collapsed) this.neighbours.add(hop, node)
    node.attach(new NodeLine(node, hop, sentBy, entropy, endpoint, this.neighbours))
    return { index, node, endpoint, ports: new Set(ports) }
  }

  private flowUp(now: Now, input: FlowUp): void {
    const { ticket } = input
    const seat = ticket === undefined ? this.seats.find(({ ports }) => ports.has(input.local.port)) : this.seats[ticket % SEATS]
    assert(seat !== undefined, `a flow came up on port ${input.local.port}, where no node listens`)
    this.owners.set(input.flow, seat)
    if (seat.node === this.pcscf && !this.isCoreFlow(input)) this.pcscf.accessFlowUp(input)
    seat.endpoint.input(now, ticket === undefined ? input : { ...input, ticket: Math.floor(ticket / SEATS) })
  }

  /** What the P-CSCF shares with the core and not with terminals. */
  private isCoreFlow({ ticket, local, remote }: FlowUp): boolean {
    return ticket === undefined ? local.port === this.settings.pcscf.core.port : remote !== undefined && this.corePorts.has(remote.port)
  }
}

const NAMES = ['pcscf', 'icscf', 'scscf'] as const
