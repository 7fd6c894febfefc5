/**
 * The flows of a fleet's terminals towards the networks they are in. Most terminals share a few: opened at birth, opened
 * again after a wait when they fail. A terminal with connections of its own opens each when it has something to say over it.
 * Over UDP a flow is a socket of ours and a port of the network's, shared by all. Knows flows by their slot; which terminal
 * uses which slot is the fleet's matter.
 */
import type { Entropy } from '../../core/kit/entropy.js'
import type { Endpoint, FlowId, FlowUp, NetworkOut } from '../../core/kit/network.js'
import { MICROS_PER_SECOND, type Micros, type Now } from '../../core/kit/time.js'
import type { Hop } from '../../core/sip/endpoint-contract.js'
import { ENDPOINT_TICKET_FIRST } from '../../core/sip/endpoint-flows.js'
import type { FleetSettings } from './fleet-contract.js'
import type { FlowRegistration } from './flow-registration.js'

const RECONNECT_BASE_MICROS: Micros = MICROS_PER_SECOND / 4
const RECONNECT_MAX_MICROS: Micros = 30 * MICROS_PER_SECOND

/** One flow. Shared ones are what the fleet's heap wakes to connect again. */
export class FlowSlot {
  flow: FlowId | undefined = undefined
  /** The way to the proxy over this flow, and where a device of this flow is reached; set while it is up. */
  hop: Hop | undefined = undefined
  contactHost = ''
  failures = 0
  /** Of the `connect` that is under way. */
  ticket: number | undefined = undefined
  /** Own connections: the expiry of the REGISTER that waits for the flow to come up. */
  awaitedExpirySeconds: number | undefined = undefined
  /** Own connections: the device is out of reach without having closed it. */
  isSilent = false

  /**
   * @param network which it leads to: 0 is home
   * @param turn 0 for the first flow of those who use it, 1 for their second
   * @param owner who alone uses it; undefined when it is shared
   */
  constructor(readonly index: number, public network: number, readonly turn: number, readonly owner: FlowRegistration | undefined) {}
}

export class FleetFlows {
  /** Shared ones first, network by network, then the own ones. */
  readonly slots: readonly FlowSlot[]
  /** What the fleet writes into Via: where its first flow was bound. It never changes, since answers are recognised by it. */
  sentBy = 'terminals.invalid'
  private wasUp = false
  private sharedUp = 0
  private readonly shared: number
  /** Of each network, where the first flow of a terminal leads and where its further ones do. */
  private readonly proxies: readonly (readonly [Endpoint, Endpoint])[]
  private readonly bySlotFlow = new Map<FlowId, FlowSlot>()
  private readonly connecting = new Map<number, FlowSlot>()
  private nextTicket = 0

  /** @param owners those with a connection of their own; their `flowSlot` is that connection's */
  constructor(
    private readonly settings: WaySettings,
    owners: readonly FlowRegistration[],
    private readonly entropy: Entropy,
    private readonly emit: (out: NetworkOut) => void,
    private readonly wakeAt: (slot: FlowSlot, at: Micros) => void,
  ) {
    this.proxies = [settings, ...(settings.visited ?? [])].map(({ proxy, furtherProxy }) => [proxy, furtherProxy ?? proxy] as const)
    const each = sharedSlots(settings)
    this.shared = each * this.proxies.length
    const slots = Array.from({ length: this.shared }, (_, index) => new FlowSlot(index, Math.floor(index / each), settings.transport === 'udp' ? index % each : 0, undefined))
    this.slots = [...slots, ...owners.map((owner) => new FlowSlot(owner.flowSlot, owner.terminal.network, owner.regId - 1, owner))]
    if (settings.transport !== 'udp') for (const slot of slots) this.connect(slot)
  }

  /** Connections that are up, or sockets: one for all networks over UDP. */
  get upCount(): number {
    return this.bySlotFlow.size
  }

  /** Those being opened. */
  get openingCount(): number {
    return this.connecting.size
  }

  /** Are all shared ones up? */
  get areUp(): boolean {
    return this.sharedUp === this.shared
  }

  connect(slot: FlowSlot): void {
    const { transport } = this.settings
    if (transport === 'udp' || slot.ticket !== undefined) return
    slot.ticket = this.nextTicket++
    this.connecting.set(slot.ticket, slot)
    this.emit({ type: 'connect', ticket: slot.ticket, transport, remote: this.proxyOf(slot) })
  }

  /** The slot that came up; undefined for a flow that is none of the slots', or not any more. */
  up(input: FlowUp): FlowSlot | undefined {
    if (input.transport !== this.settings.transport) return undefined
    if (input.transport === 'udp') {
      // One socket for all first flows, and one for all second ones, so that no two flows of a terminal have the same ends.
      const turn = this.slots.find(({ flow }) => flow === undefined)?.turn
      for (const slot of this.slots) if (slot.flow === undefined && slot.turn === turn) this.carry(slot, input)
      return undefined
    }
    const slot = this.connecting.get(input.ticket ?? -1)
    if (slot === undefined) {
      if (input.ticket !== undefined && input.ticket < ENDPOINT_TICKET_FIRST) this.emit({ type: 'close', flow: input.flow })
      return undefined
    }
    this.connecting.delete(slot.ticket!)
    slot.ticket = undefined
    this.carry(slot, input)
    return slot
  }

  /** The slots whose flow went down, shared ones already on their way to a new one; over UDP those of all networks. */
  down(now: Now, flow: FlowId): readonly FlowSlot[] {
    const slot = this.bySlotFlow.get(flow)
    if (slot === undefined) return []
    const gone = this.settings.transport === 'udp' ? this.slots.filter((each) => each.flow === flow) : [slot]
    for (const each of gone) {
      this.drop(each)
      if (this.settings.transport !== 'udp' && each.owner === undefined) this.retryLater(now, each)
    }
    return gone
  }

  /** The slot that cannot be opened now; a shared one will be tried again. */
  connectFailed(now: Now, ticket: number): FlowSlot | undefined {
    const slot = this.connecting.get(ticket)
    if (slot === undefined) return undefined
    this.connecting.delete(ticket)
    slot.ticket = undefined
    if (slot.owner === undefined) this.retryLater(now, slot)
    return slot
  }

  /** Own connections: closed, or not to be opened any more. */
  leave(slot: FlowSlot): void {
    if (slot.ticket !== undefined) this.connecting.delete(slot.ticket)
    slot.ticket = undefined
    slot.awaitedExpirySeconds = undefined
    slot.isSilent = false
    const { flow } = slot
    if (flow === undefined) return
    this.drop(slot)
    this.emit({ type: 'close', flow })
  }

  /** The shared slot of another network that corresponds to this one, over UDP with the same turn. */
  sharedIn(network: number, index: number): FlowSlot {
    const each = this.shared / this.proxies.length
    return this.slots[network * each + index % each]!
  }

  isUp(flow: FlowId): boolean {
    return this.bySlotFlow.has(flow)
  }

  /** Those that terminals share. */
  sharedOnes(): readonly FlowSlot[] {
    return this.slots.slice(0, this.shared)
  }

  /** Whose connection this is; undefined for a socket, which several share. */
  slotOf(flow: FlowId): FlowSlot | undefined {
    return this.settings.transport === 'udp' ? undefined : this.bySlotFlow.get(flow)
  }

  /** Did this come from the proxy over the slot's own flow? A datagram says where it came from, a connection has one peer. */
  isFromProxy(slot: FlowSlot, source: Hop): boolean {
    const { address, port } = this.proxyOf(slot)
    return source.flow === slot.flow && (source.transport !== 'udp' || (source.port === port && source.address === address))
  }

  /** Did it come from a network that the slot does not lead to? A device that left a network hears nothing from there. */
  isFromElsewhere(slot: FlowSlot, source: Hop): boolean {
    if (this.proxies.length === 1) return false
    if (source.transport === 'udp') {
      return this.proxies.some((proxies, network) => network !== slot.network && proxies.some(({ address, port }) => address === source.address && port === source.port))
    }
    const other = this.bySlotFlow.get(source.flow ?? -1)
    return other !== undefined && other.network !== slot.network
  }

  private proxyOf({ network, turn }: FlowSlot): Endpoint {
    return this.proxies[network]![turn === 0 ? 0 : 1]
  }

  private carry(slot: FlowSlot, input: FlowUp): void {
    const { address, port } = this.proxyOf(slot)
    slot.flow = input.flow
    slot.hop = { transport: input.transport, address, port, flow: input.flow }
    slot.contactHost = hostPort(input.local)
    slot.failures = 0
    if (!this.wasUp) this.sentBy = slot.contactHost
    this.wasUp = true
    if (slot.owner === undefined) this.sharedUp += 1
    this.bySlotFlow.set(input.flow, slot)
  }

  private drop(slot: FlowSlot): void {
    this.bySlotFlow.delete(slot.flow!)
    slot.flow = undefined
    slot.hop = undefined
    if (slot.owner === undefined) this.sharedUp -= 1
  }

  private retryLater(now: Now, slot: FlowSlot): void {
    const upper = Math.min(RECONNECT_MAX_MICROS, RECONNECT_BASE_MICROS * 2 ** slot.failures)
    slot.failures += 1
    this.wakeAt(slot, now.mono + Math.round(upper * (0.5 + this.entropy.unit() / 2)))
  }
}

/** What the flows are made from. */
export type WaySettings = Pick<FleetSettings, 'proxy' | 'furtherProxy' | 'visited' | 'transport' | 'connections' | 'flows'>

/** Flows that terminals share, in each network: over UDP one for each flow a terminal has. */
export function sharedSlots({ transport, connections, flows }: Pick<FleetSettings, 'transport' | 'connections' | 'flows'>): number {
  return transport === 'udp' ? (flows ?? 1) : connections
}

/** `host:port` as it stands in a URI and in Via (RFC 3261 section 25.1: an IPv6 address in brackets). */
export function hostPort(endpoint: Endpoint): string {
  return endpoint.address.includes(':') ? `[${endpoint.address}]:${endpoint.port}` : `${endpoint.address}:${endpoint.port}`
}
