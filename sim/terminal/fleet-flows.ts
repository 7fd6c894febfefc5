/**
 * The few flows a fleet's terminals share towards their proxy: opened at birth, opened again after a wait when they fail.
 * Knows flows by their slot, 0 to n - 1; which terminal uses which slot is the fleet's matter.
 */
import type { Entropy } from '../../core/kit/entropy.js'
import type { Endpoint, FlowId, FlowUp, NetworkOut } from '../../core/kit/network.js'
import { MICROS_PER_SECOND, type Micros, type Now } from '../../core/kit/time.js'
import type { Hop } from '../../core/sip/endpoint-contract.js'
import type { FleetSettings } from './fleet-contract.js'

const RECONNECT_BASE_MICROS: Micros = MICROS_PER_SECOND / 4
const RECONNECT_MAX_MICROS: Micros = 30 * MICROS_PER_SECOND

/** One shared flow. It is what the fleet's heap wakes to connect again. */
export class FlowSlot {
  flow: FlowId | undefined = undefined
  /** The way to the proxy over this flow, and where a device of this flow is reached; set while it is up. */
  hop: Hop | undefined = undefined
  contactHost = ''
  failures = 0

  constructor(readonly index: number) {}
}

export class FleetFlows {
  readonly slots: readonly FlowSlot[]
  /** What the fleet writes into Via: where its first flow was bound. It never changes, since answers are recognised by it. */
  sentBy = 'terminals.invalid'
  private wasUp = false
  private readonly bySlotFlow = new Map<FlowId, FlowSlot>()

  constructor(
    private readonly settings: Pick<FleetSettings, 'proxy' | 'transport' | 'connections'>,
    private readonly entropy: Entropy,
    private readonly emit: (out: NetworkOut) => void,
    private readonly wakeAt: (slot: FlowSlot, at: Micros) => void,
  ) {
    const count = settings.transport === 'tcp' ? settings.connections : 1
    this.slots = Array.from({ length: count }, (_, index) => new FlowSlot(index))
    if (settings.transport === 'tcp') for (const slot of this.slots) this.connect(slot)
  }

  get upCount(): number {
    return this.bySlotFlow.size
  }

  get areUp(): boolean {
    return this.upCount === this.slots.length
  }

  /** The endpoint's own connects have tickets of their own, so a slot's number serves as its ticket. */
  connect(slot: FlowSlot): void {
    this.emit({ type: 'connect', ticket: slot.index, transport: 'tcp', remote: this.settings.proxy })
  }

  up(input: FlowUp): void {
    const { proxy, transport } = this.settings
    if (input.transport !== transport) return
    const slot = transport === 'udp' ? this.slots[0]! : this.slots[input.ticket ?? -1]
    if (slot === undefined || slot.flow !== undefined) return
    slot.flow = input.flow
    slot.hop = { transport, address: proxy.address, port: proxy.port, flow: input.flow }
    slot.contactHost = hostPort(input.local)
    slot.failures = 0
    if (!this.wasUp) this.sentBy = slot.contactHost
    this.wasUp = true
    this.bySlotFlow.set(input.flow, slot)
  }

  /** The slot whose flow went down, already on its way to a new one; undefined for a flow that is none of the slots'. */
  down(now: Now, flow: FlowId): FlowSlot | undefined {
    const slot = this.bySlotFlow.get(flow)
    if (slot === undefined) return undefined
    this.bySlotFlow.delete(flow)
    slot.flow = undefined
    slot.hop = undefined
    if (this.settings.transport === 'tcp') this.retryLater(now, slot)
    return slot
  }

  connectFailed(now: Now, ticket: number): void {
    const slot = this.slots[ticket]
    if (slot !== undefined && slot.flow === undefined) this.retryLater(now, slot)
  }

  /** Did this come from the proxy over the slot's own flow? A datagram says where it came from, a connection has one peer. */
  isFromProxy(slot: FlowSlot, source: Hop): boolean {
    const { address, port } = this.settings.proxy
    return source.flow === slot.flow && (source.transport !== 'udp' || (source.port === port && source.address === address))
  }

  private retryLater(now: Now, slot: FlowSlot): void {
    const upper = Math.min(RECONNECT_MAX_MICROS, RECONNECT_BASE_MICROS * 2 ** slot.failures)
    slot.failures += 1
    this.wakeAt(slot, now.mono + Math.round(upper * (0.5 + this.entropy.unit() / 2)))
  }
}

/** `host:port` as it stands in a URI and in Via (RFC 3261 section 25.1: an IPv6 address in brackets). */
export function hostPort(endpoint: Endpoint): string {
  return endpoint.address.includes(':') ? `[${endpoint.address}]:${endpoint.port}` : `${endpoint.address}:${endpoint.port}`
}
