/**
 * The network of the world: flows between nodes over links with delay, jitter, loss and duplication, spoken to with
 * the same words as the live sockets (core/kit/network.ts). Streams keep order and lose nothing unless cut;
 * datagrams may vanish, double and overtake.
 */
import { bug } from '../../core/kit/assert.js'
import type { Entropy } from '../../core/kit/entropy.js'
import { CONNECT_TIMEOUT_MICROS, type Carried, type Endpoint, type FlowId, type FlowUp, type NetworkIn, type NetworkOut, type Transport } from '../../core/kit/network.js'
import type { Micros, Now } from '../../core/kit/time.js'
import { datagramArrivals, departure, segmentArrival, type LinkProfile } from '../network/link.js'
import type { World, WorldEvent } from './world.js'

export interface NetworkOptions {
  /** Messages may cross whole instead of as octets. */
  readonly carriesMessages?: boolean
  /** Time a whole message takes besides the link's: each its own, so that one may overtake another. */
  readonly delay?: (from: string, to: string, carried: Carried) => Micros
}

/** Packets and the octets in them, without headers of IP and below. */
export interface Sent {
  packets: number
  octets: number
}

/** The network's view of a node. */
export interface NetworkNode {
  readonly name: string
  readonly alive: boolean
  give(input: NetworkIn): void
}

interface Listener {
  readonly node: NetworkNode
  readonly flow: FlowId
}

/** One side of a stream. */
interface StreamEnd {
  readonly node: NetworkNode
  readonly peer: FlowId
  readonly local: Endpoint
  readonly sent: Sent
  /** When what it sent has left. */
  freeAt: Micros
  /** When the last segment towards the peer arrives: later ones never overtake it. */
  lastArrival: Micros
}

/** The link from one node to another at this instant, between these ends; undefined while they are cut off from each other. */
export type LinkFinder = (from: string, to: string, at: Micros, ends: { readonly from: Endpoint; readonly to: Endpoint }) => LinkProfile | undefined

export class WorldNetwork {
  private readonly addresses = new Map<NetworkNode, string>()
  private readonly listeners = new Map<string, Listener>()
  private readonly streams = new Map<FlowId, StreamEnd>()
  private readonly bound = new Map<FlowId, { readonly node: NetworkNode; readonly endpoint: Endpoint }>()
  private nextFlow: FlowId = 1
  private nextPort = 32_768
  /** Datagrams that were lost on a link, and those sent to nobody. */
  readonly lost = { datagrams: 0, unreachable: 0 }
  /** What was sent, by the names of sender and receiver, `gateway>ims`: a message or more in each packet. */
  readonly sent = new Map<string, Sent>()

  /** When the way between two ends of datagrams is free, where it is narrow. */
  private readonly datagramsFreeAt = new Map<string, Micros>()

  constructor(private readonly world: World, private readonly entropy: Entropy, private readonly link: LinkFinder, private readonly options: NetworkOptions = {}) {}

  /** Gives a node the address it connects from. */
  attach(node: NetworkNode, address: string): void {
    this.addresses.set(node, address)
  }

  /** Opens a listening TCP port or a UDP socket for the node. */
  listen(node: NetworkNode, transport: Transport, endpoint: Endpoint): void {
    const flow = this.nextFlow++
    this.listeners.set(key(transport, endpoint), { node, flow })
    if (transport !== 'udp') return
    this.bound.set(flow, { node, endpoint })
    node.give({ type: 'flow-up', flow, transport, local: endpoint, remote: undefined, ticket: undefined, ...this.carries })
  }

  output(now: Now, node: NetworkNode, output: NetworkOut): void {
    switch (output.type) {
      case 'transmit':
        return output.to === undefined ? this.segment(now, output.flow, output) : this.datagram(now, output.flow, output.to, output)
      case 'connect':
        return this.connect(now, node, output.ticket, output.transport, output.remote)
      case 'close':
        return this.cut(now, output.flow, 'closed')
    }
  }

  /** The node's process is gone: its streams end at the other side, its ports answer nobody until it listens again. */
  vanish(now: Now, node: NetworkNode): void {
    for (const [flow, end] of this.streams) if (end.node === node) this.cut(now, flow, 'the peer is gone')
    for (const [name, listener] of this.listeners) if (listener.node === node) this.listeners.delete(name)
    for (const [flow, socket] of this.bound) if (socket.node === node) this.bound.delete(flow)
  }

  private connect(now: Now, node: NetworkNode, ticket: number, transport: Transport, remote: Endpoint): void {
    const listener = this.listeners.get(key(transport, remote))
    const local: Endpoint = { address: this.addresses.get(node) ?? bug(`${node.name} connects without an address`), port: this.nextPort++ }
    const there = listener === undefined ? undefined : this.link(node.name, listener.node.name, now.mono, { from: local, to: remote })
    const back = listener === undefined ? undefined : this.link(listener.node.name, node.name, now.mono, { from: remote, to: local })
    if (listener === undefined || there === undefined || back === undefined) {
      const wait = listener === undefined ? 0 : CONNECT_TIMEOUT_MICROS
      this.later(now.mono + wait, () => node.give({ type: 'connect-failed', ticket, reason: listener === undefined ? 'connection refused' : 'timed out' }))
      return
    }
    const synArrival = segmentArrival(there, this.entropy, now.mono, now.mono)
    const upArrival = segmentArrival(back, this.entropy, synArrival, synArrival)
    const near = this.nextFlow++
    const far = this.nextFlow++
    this.streams.set(near, { node, peer: far, local, sent: this.sentFrom(node, listener.node), freeAt: 0, lastArrival: upArrival })
    this.streams.set(far, { node: listener.node, peer: near, local: remote, sent: this.sentFrom(listener.node, node), freeAt: 0, lastArrival: upArrival })
    this.later(synArrival, () => listener.node.give({ type: 'flow-up', flow: far, transport, local: remote, remote: local, ticket: undefined, ...this.carries }))
    this.later(upArrival, () => node.give({ type: 'flow-up', flow: near, transport, local, remote, ticket, ...this.carries }))
  }

  private segment(now: Now, flow: FlowId, { bytes, carried }: Packet): void {
    const end = this.streams.get(flow)
    const peer = end === undefined ? undefined : this.streams.get(end.peer)
    if (end === undefined || peer === undefined) return
    const octets = carried?.length ?? bytes.length
    note(end.sent, octets)
    const profile = this.link(end.node.name, peer.node.name, now.mono, { from: end.local, to: peer.local })
    if (profile !== undefined) end.freeAt = departure(profile, now.mono, end.freeAt, octets)
    const arrival = profile === undefined ? Infinity : segmentArrival(profile, this.entropy, end.freeAt, end.lastArrival)
    if (arrival === Infinity) return this.cut(now, flow, 'timed out')
    end.lastArrival = arrival
    const own = carried === undefined ? 0 : this.options.delay?.(end.node.name, peer.node.name, carried) ?? 0
    this.world.at(arrival + own, new Arrival(this.streams, peer.node, carried === undefined ? { type: 'bytes', flow: end.peer, bytes } : { type: 'bytes', flow: end.peer, bytes, carried }))
  }

  private datagram(now: Now, flow: FlowId, to: Endpoint, { bytes, carried }: Packet): void {
    const from = this.bound.get(flow)
    const listener = this.listeners.get(key('udp', to))
    if (from === undefined || listener === undefined) {
      this.lost.unreachable += 1
      return
    }
    const octets = carried?.length ?? bytes.length
    note(this.sentFrom(from.node, listener.node), octets)
    const profile = this.link(from.node.name, listener.node.name, now.mono, { from: from.endpoint, to })
    const arrivals = profile === undefined ? [] : datagramArrivals(profile, this.entropy, this.datagramLeaves(profile, now, from.endpoint, to, octets))
    if (arrivals.length === 0) this.lost.datagrams += 1
    for (const arrival of arrivals) {
      this.later(arrival, () => {
        if (this.bound.has(listener.flow)) listener.node.give({ type: 'bytes', flow: listener.flow, bytes, from: from.endpoint, ...(carried === undefined ? {} : { carried }) })
      })
    }
  }

  private datagramLeaves(profile: LinkProfile, now: Now, from: Endpoint, to: Endpoint, octets: number): Micros {
    if (profile.bitsPerSecond === undefined) return now.mono
    const way = `${key('udp', from)} ${key('udp', to)}`
    const leaves = departure(profile, now.mono, this.datagramsFreeAt.get(way) ?? 0, octets)
    this.datagramsFreeAt.set(way, leaves)
    return leaves
  }

  /** Ends a stream at both sides; the other side hears of it one link delay later, after what is still under way. */
  private cut(now: Now, flow: FlowId, reason: string): void {
    const end = this.streams.get(flow)
    if (end === undefined) return
    const peer = this.streams.get(end.peer)
    this.streams.delete(flow)
    if (end.node.alive) end.node.give({ type: 'flow-down', flow, reason })
    if (peer === undefined) return
    const delay = this.link(end.node.name, peer.node.name, now.mono, { from: end.local, to: peer.local })?.delayMicros ?? 0
    this.later(Math.max(now.mono + delay, end.lastArrival), () => {
      if (this.streams.delete(end.peer)) peer.node.give({ type: 'flow-down', flow: end.peer, reason })
    })
  }

  private get carries(): Pick<FlowUp, 'carries'> {
    return this.options.carriesMessages === true ? { carries: 'messages' } : {}
  }

  private sentFrom(from: NetworkNode, to: NetworkNode): Sent {
    const way = `${from.name}>${to.name}`
    let sent = this.sent.get(way)
    if (sent === undefined) this.sent.set(way, (sent = { packets: 0, octets: 0 }))
    return sent
  }

  private later(at: Micros, act: () => void): void {
    this.world.at(at, { happen: act })
  }
}

/** What a stream carries reaches its other end, if that is still there. An object of its own, since every message of a day is one. */
class Arrival implements WorldEvent {
  constructor(private readonly streams: ReadonlyMap<FlowId, StreamEnd>, private readonly node: NetworkNode, private readonly input: Extract<NetworkIn, { type: 'bytes' }>) {}

  happen(): void {
    if (this.streams.has(this.input.flow)) this.node.give(this.input)
  }
}

type Packet = Pick<Extract<NetworkOut, { type: 'transmit' }>, 'bytes' | 'carried'>

function note(sent: Sent, octets: number): void {
  sent.packets += 1
  sent.octets += octets
}

function key(transport: Transport, endpoint: Endpoint): string {
  return `${transport}:${endpoint.address}:${endpoint.port}`
}
