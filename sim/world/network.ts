/**
 * The network of the world: flows between nodes over links with delay, jitter, loss and duplication, spoken to with
 * the same words as the live sockets (core/kit/network.ts). Streams keep order and lose nothing unless cut;
 * datagrams may vanish, double and overtake.
 */
import { bug } from '../../core/kit/assert.js'
import type { Entropy } from '../../core/kit/entropy.js'
import { CONNECT_TIMEOUT_MICROS, type Endpoint, type FlowId, type NetworkIn, type NetworkOut, type Transport } from '../../core/kit/network.js'
import type { Micros, Now } from '../../core/kit/time.js'
import { datagramArrivals, segmentArrival, type LinkProfile } from '../network/link.js'
import type { World } from './world.js'

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
  /** When the last segment towards the peer arrives: later ones never overtake it. */
  lastArrival: Micros
}

export class WorldNetwork {
  private readonly addresses = new Map<NetworkNode, string>()
  private readonly listeners = new Map<string, Listener>()
  private readonly streams = new Map<FlowId, StreamEnd>()
  private readonly bound = new Map<FlowId, { readonly node: NetworkNode; readonly endpoint: Endpoint }>()
  private nextFlow: FlowId = 1
  private nextPort = 32_768
  /** Datagrams that were lost on a link, and those sent to nobody. */
  readonly lost = { datagrams: 0, unreachable: 0 }

  /** `link` names the link from one node to another at this instant; undefined while they are cut off from each other. */
  constructor(private readonly world: World, private readonly entropy: Entropy, private readonly link: (from: string, to: string, at: Micros) => LinkProfile | undefined) {}

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
    node.give({ type: 'flow-up', flow, transport, local: endpoint, remote: undefined, ticket: undefined })
  }

  output(now: Now, node: NetworkNode, output: NetworkOut): void {
    switch (output.type) {
      case 'transmit':
        return output.to === undefined ? this.segment(now, output.flow, output.bytes) : this.datagram(now, output.flow, output.to, output.bytes)
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
    const there = listener === undefined ? undefined : this.link(node.name, listener.node.name, now.mono)
    const back = listener === undefined ? undefined : this.link(listener.node.name, node.name, now.mono)
    if (listener === undefined || there === undefined || back === undefined) {
      const wait = listener === undefined ? 0 : CONNECT_TIMEOUT_MICROS
      this.later(now.mono + wait, () => node.give({ type: 'connect-failed', ticket, reason: listener === undefined ? 'connection refused' : 'timed out' }))
      return
    }
    const synArrival = segmentArrival(there, this.entropy, now.mono, now.mono)
    const upArrival = segmentArrival(back, this.entropy, synArrival, synArrival)
    const near = this.nextFlow++
    const far = this.nextFlow++
    const local: Endpoint = { address: this.addresses.get(node) ?? bug(`${node.name} connects without an address`), port: this.nextPort++ }
    this.streams.set(near, { node, peer: far, lastArrival: upArrival })
    this.streams.set(far, { node: listener.node, peer: near, lastArrival: upArrival })
    this.later(synArrival, () => listener.node.give({ type: 'flow-up', flow: far, transport, local: remote, remote: local, ticket: undefined }))
    this.later(upArrival, () => node.give({ type: 'flow-up', flow: near, transport, local, remote, ticket }))
  }

  private segment(now: Now, flow: FlowId, bytes: Buffer): void {
    const end = this.streams.get(flow)
    const peer = end === undefined ? undefined : this.streams.get(end.peer)
    if (end === undefined || peer === undefined) return
    const profile = this.link(end.node.name, peer.node.name, now.mono)
    const arrival = profile === undefined ? Infinity : segmentArrival(profile, this.entropy, now.mono, end.lastArrival)
    if (arrival === Infinity) return this.cut(now, flow, 'timed out')
    end.lastArrival = arrival
    this.later(arrival, () => {
      if (this.streams.has(end.peer)) peer.node.give({ type: 'bytes', flow: end.peer, bytes })
    })
  }

  private datagram(now: Now, flow: FlowId, to: Endpoint, bytes: Buffer): void {
    const from = this.bound.get(flow)
    const listener = this.listeners.get(key('udp', to))
    if (from === undefined || listener === undefined) {
      this.lost.unreachable += 1
      return
    }
    const profile = this.link(from.node.name, listener.node.name, now.mono)
    const arrivals = profile === undefined ? [] : datagramArrivals(profile, this.entropy, now.mono)
    if (arrivals.length === 0) this.lost.datagrams += 1
    for (const arrival of arrivals) {
      this.later(arrival, () => {
        if (this.bound.has(listener.flow)) listener.node.give({ type: 'bytes', flow: listener.flow, bytes, from: from.endpoint })
      })
    }
  }

  /** Ends a stream at both sides; the other side hears of it one link delay later, after what is still under way. */
  private cut(now: Now, flow: FlowId, reason: string): void {
    const end = this.streams.get(flow)
    if (end === undefined) return
    const peer = this.streams.get(end.peer)
    this.streams.delete(flow)
    if (end.node.alive) end.node.give({ type: 'flow-down', flow, reason })
    if (peer === undefined) return
    const delay = this.link(end.node.name, peer.node.name, now.mono)?.delayMicros ?? 0
    this.later(Math.max(now.mono + delay, end.lastArrival), () => {
      if (this.streams.delete(end.peer)) peer.node.give({ type: 'flow-down', flow: end.peer, reason })
    })
  }

  private later(at: Micros, act: () => void): void {
    this.world.at(at, { happen: act })
  }
}

function key(transport: Transport, endpoint: Endpoint): string {
  return `${transport}:${endpoint.address}:${endpoint.port}`
}
