/**
 * The flows of one endpoint: which are up, which being opened, what waits for one, and which client transactions
 * die with it. Picks or opens the flow for a hop (RFC 3261 section 18.1.1). Knows octets, not messages.
 */
import { Fifo } from '../kit/fifo.js'
import type { Endpoint, FlowId, FlowUp, NetworkOut, Transport } from '../kit/network.js'
import { CarriedMessage } from './carried-message.js'
import type { Hop } from './endpoint-contract.js'
import { StreamFramer } from './framing.js'

/** Octets that may wait in an endpoint for one flow to come up or to drain; what would exceed it fails. */
export const FLOW_QUEUE_BYTES_MAX = 1024 * 1024
/** Connections an endpoint keeps open, or is opening, by its own doing. */
export const CONNECTIONS_OPENED_MAX = 16_384
/** The tickets of an endpoint's own `connect`s start here; an owner that connects by itself uses lower ones. */
export const ENDPOINT_TICKET_FIRST = 1_000_000_000

/** What is sent over a flow: the octets of a message, or the message itself. */
export type Parcel = Buffer | CarriedMessage

const NO_OCTETS = Buffer.alloc(0)

/** A member of a flow's list of transactions that fail when it goes down. */
export interface Rider {
  before: Rider | undefined
  after: Rider | undefined
  flow: Flow | undefined
}

export class Flow {
  /** -1 while connecting. */
  id: FlowId = -1
  isUp = false
  isFull = false
  /** The peer opened it. */
  isAccepted = false
  /** Messages cross it whole. */
  isCarrying = false
  local: Endpoint | undefined = undefined
  waitingBytes = 0
  readonly waiting = new Fifo<Parcel>()
  firstRider: Rider | undefined = undefined
  /** Present on streams that are up. */
  framer: StreamFramer | undefined = undefined
  /** A hop that leads back over this flow; for UDP its address means nothing. */
  hop: Hop

  constructor(readonly transport: Transport, readonly remote: Endpoint | undefined, readonly poolKey: string | undefined) {
    this.hop = { transport, address: remote?.address ?? '', port: remote?.port ?? 0 }
  }

  /** The transaction fails when this flow goes down, until it leaves. */
  board(rider: Rider): void {
    rider.flow = this
    rider.before = undefined
    rider.after = this.firstRider
    if (this.firstRider !== undefined) this.firstRider.before = rider
    this.firstRider = rider
  }
}

export function leave(rider: Rider): void {
  const { flow, before, after } = rider
  if (flow === undefined) return
  if (before === undefined) flow.firstRider = after
  else before.after = after
  if (after !== undefined) after.before = before
  rider.flow = undefined
  rider.before = undefined
  rider.after = undefined
}

export class Flows {
  private readonly byId = new Map<FlowId, Flow>()
  private readonly byTicket = new Map<number, Flow>()
  /** Connections this endpoint opened, by transport, address, port and lane. */
  private readonly pool = new Map<string, Flow>()
  private readonly datagramFlows: Flow[] = []
  private nextTicket = ENDPOINT_TICKET_FIRST

  constructor(private readonly emit: (out: NetworkOut) => void) {}

  get(id: FlowId): Flow | undefined {
    return this.byId.get(id)
  }

  /** The flow for a request or response to this hop; undefined when it is gone, or none can be opened. */
  towards(hop: Hop): Flow | undefined {
    if (hop.flow !== undefined) return this.byId.get(hop.flow)
    if (hop.transport === 'udp') return this.datagramFlow(hop.address)
    return this.connection(hop.transport, hop.address, hop.port, hop.lane ?? 0)
  }

  up(input: FlowUp): void {
    const opened = input.ticket === undefined ? undefined : this.byTicket.get(input.ticket)
    const flow = opened ?? new Flow(input.transport, input.remote, undefined)
    if (opened !== undefined) this.byTicket.delete(input.ticket!)
    flow.id = input.flow
    flow.isUp = true
    flow.isAccepted = input.ticket === undefined
    flow.isCarrying = input.carries === 'messages'
    flow.local = input.local
    flow.hop = { ...flow.hop, flow: input.flow }
    this.byId.set(input.flow, flow)
    if (input.transport === 'udp') this.datagramFlows.push(flow)
    else flow.framer = new StreamFramer()
    this.drain(flow)
  }

  /** Forgets the flow and what waited for it; its riders are left to the caller. */
  down(id: FlowId): Flow | undefined {
    const flow = this.byId.get(id)
    if (flow === undefined) return undefined
    this.byId.delete(id)
    this.forget(flow)
    const index = this.datagramFlows.indexOf(flow)
    if (index >= 0) this.datagramFlows.splice(index, 1)
    return flow
  }

  connectFailed(ticket: number): Flow | undefined {
    const flow = this.byTicket.get(ticket)
    if (flow === undefined) return undefined
    this.byTicket.delete(ticket)
    this.forget(flow)
    return flow
  }

  full(id: FlowId): void {
    const flow = this.byId.get(id)
    if (flow !== undefined) flow.isFull = true
  }

  writable(id: FlowId): void {
    const flow = this.byId.get(id)
    if (flow === undefined) return
    flow.isFull = false
    this.drain(flow)
  }

  /** Sends or queues; false when the queue is full. `to` is for UDP flows, which lose rather than queue. */
  write(flow: Flow, parcel: Parcel, to: Endpoint | undefined): boolean {
    if (flow.isUp && !flow.isFull) {
      this.send(flow, parcel, to)
      return true
    }
    // A datagram that meets a full socket is lost; retransmission makes it good.
    if (to !== undefined) return true
    if (flow.waitingBytes + parcel.length > FLOW_QUEUE_BYTES_MAX) return false
    flow.waiting.push(parcel)
    flow.waitingBytes += parcel.length
    return true
  }

  private send(flow: Flow, parcel: Parcel, to: Endpoint | undefined): void {
    if (parcel instanceof CarriedMessage) this.emit({ type: 'transmit', flow: flow.id, bytes: NO_OCTETS, carried: parcel, ...(to === undefined ? {} : { to }) })
    else this.emit(to === undefined ? { type: 'transmit', flow: flow.id, bytes: parcel } : { type: 'transmit', flow: flow.id, bytes: parcel, to })
  }

  close(flow: Flow): void {
    this.emit({ type: 'close', flow: flow.id })
  }

  private drain(flow: Flow): void {
    while (!flow.isFull) {
      const parcel = flow.waiting.shift()
      if (parcel === undefined) return
      flow.waitingBytes -= parcel.length
      this.send(flow, parcel, undefined)
    }
  }

  private datagramFlow(address: string): Flow | undefined {
    const version6 = address.includes(':')
    for (const flow of this.datagramFlows) if (flow.local!.address.includes(':') === version6) return flow
    return undefined
  }

  private connection(transport: 'tcp' | 'tls', address: string, port: number, lane: number): Flow | undefined {
    const key = `${transport} ${address} ${port} ${lane}`
    const pooled = this.pool.get(key)
    if (pooled !== undefined) return pooled
    if (this.pool.size >= CONNECTIONS_OPENED_MAX) return undefined
    const remote = { address, port }
    const flow = new Flow(transport, remote, key)
    const ticket = this.nextTicket++
    this.pool.set(key, flow)
    this.byTicket.set(ticket, flow)
    this.emit({ type: 'connect', ticket, transport, remote })
    return flow
  }

  private forget(flow: Flow): void {
    flow.isUp = false
    if (flow.poolKey !== undefined && this.pool.get(flow.poolKey) === flow) this.pool.delete(flow.poolKey)
    while (flow.waiting.shift() !== undefined);
    flow.waitingBytes = 0
  }
}
