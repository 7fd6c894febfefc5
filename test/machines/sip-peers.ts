/** What the SIP endpoint tests share: an endpoint with a user that writes down what it is told, a clock, and a simple link between two of them. */
import { SeededEntropy } from '../../core/kit/entropy.js'
import { DeadlineHeap } from '../../core/kit/heap.js'
import type { Endpoint, FlowId, NetworkOut, Transport } from '../../core/kit/network.js'
import type { Micros, Now } from '../../core/kit/time.js'
import { SipEndpoint } from '../../core/sip/endpoint.js'
import type { ClientFailure, ClientTransaction, Hop, ServerTransaction, SipEndpointOptions, TransactionUser } from '../../core/sip/endpoint-contract.js'
import { Header } from '../../core/sip/header-names.js'
import { composed } from '../../core/sip/header-text.js'
import { SipMessage } from '../../core/sip/message.js'
import { responseTo } from '../../core/sip/write.js'
import { mustSettle } from './settling.js'

export const SECOND = 1_000_000
/** The flow every peer of a link has. */
export const LINK: FlowId = 1

export class Clock implements Now {
  mono: Micros = 0
  get wall(): number {
    return Math.floor(this.mono / 1_000)
  }
}

/** Answers nothing unless `answer` is set; everything it hears is kept in order. */
export class Peer implements TransactionUser {
  readonly endpoint: SipEndpoint
  readonly out: NetworkOut[] = []
  readonly requests: ServerTransaction[] = []
  readonly acks: SipMessage[] = []
  readonly cancelled: ServerTransaction[] = []
  readonly responses: { readonly transaction: ClientTransaction; readonly response: SipMessage; readonly at: Micros }[] = []
  readonly failures: { readonly transaction: ClientTransaction; readonly failure: ClientFailure; readonly at: Micros }[] = []
  readonly down: FlowId[] = []
  answer: ((now: Now, transaction: ServerTransaction) => void) | undefined

  constructor(readonly clock: Clock, readonly address: Endpoint, options: Partial<SipEndpointOptions> = {}) {
    this.endpoint = new SipEndpoint({
      sentBy: () => `${address.address}:${address.port}`,
      entropy: new SeededEntropy(7, `${address.address}:${address.port}`),
      user: this,
      emit: (out) => this.out.push(out),
      ...options,
    })
  }

  onRequest(now: Now, transaction: ServerTransaction): void {
    this.requests.push(transaction)
    this.answer?.(now, transaction)
  }

  onAck(_now: Now, ack: SipMessage): void {
    this.acks.push(ack)
  }

  onCancel(_now: Now, transaction: ServerTransaction): void {
    this.cancelled.push(transaction)
  }

  onResponse(now: Now, transaction: ClientTransaction, response: SipMessage): void {
    this.responses.push({ transaction, response, at: now.mono })
  }

  onFailure(now: Now, transaction: ClientTransaction, failure: ClientFailure): void {
    this.failures.push({ transaction, failure, at: now.mono })
  }

  onFlowDown(_now: Now, flow: FlowId): void {
    this.down.push(flow)
  }

  get statuses(): number[] {
    return this.responses.map(({ response }) => response.status)
  }

  up(transport: Transport, remote?: Endpoint, flow: FlowId = LINK, ticket?: number): void {
    this.endpoint.input(this.clock, { type: 'flow-up', flow, transport, local: this.address, remote, ticket })
  }

  receive(bytes: Buffer | string, from?: Endpoint, flow: FlowId = LINK): void {
    const octets = typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes
    this.endpoint.input(this.clock, from === undefined ? { type: 'bytes', flow, bytes: octets } : { type: 'bytes', flow, bytes: octets, from })
  }

  /** Of the endpoint, and of what a peer with more to it keeps beside. */
  deadline(): Micros {
    return this.endpoint.deadline()
  }

  tick(): void {
    this.endpoint.tick(this.clock)
  }

  /** What it sent since the last call, as texts. */
  sent(): string[] {
    return this.out.splice(0).flatMap((out) => (out.type === 'transmit' ? [out.bytes.toString('latin1')] : []))
  }

  /** Moves the clock from deadline to deadline up to `until`. */
  wait(until: Micros, each?: () => void): void {
    for (let turns = 0; this.deadline() <= until; turns++) {
      mustSettle(turns, () => `it wants to be woken in ${this.deadline() - this.clock.mono} µs`)
      this.clock.mono = Math.max(this.clock.mono, this.deadline())
      this.tick()
      each?.()
    }
    this.clock.mono = until
  }
}

export const ALICE: Endpoint = { address: '127.0.0.1', port: 5061 }
export const BOB: Endpoint = { address: '127.0.0.1', port: 5062 }

export function hopTo(peer: Endpoint, transport: Transport, flow?: FlowId): Hop {
  return { transport, ...peer, ...(flow === undefined ? {} : { flow }) }
}

export function requestOf(method: string, callId = 'call-1', body = ''): SipMessage {
  const request = new SipMessage({ method, requestUri: 'sip:bob@127.0.0.1:5062' })
    .append(Header.MaxForwards, composed('70'))
    .append(Header.From, composed('<sip:alice@example.net>;tag=a1'))
    .append(Header.To, composed('<sip:bob@example.net>'))
    .append(Header.CallId, composed(callId))
    .append(Header.CSeq, composed(`1 ${method}`))
  if (method === 'INVITE') request.append(Header.Contact, composed('<sip:alice@127.0.0.1:5061>'))
  if (body !== '') {
    request.append(Header.ContentType, composed('text/plain'))
    request.body = Buffer.from(body)
  }
  return request
}

/** A user that answers every request with this status. */
export function answering(peer: Peer, status: number): void {
  peer.answer = (now, transaction) => peer.endpoint.respond(now, transaction, responseTo(transaction.request, status, undefined, 'b1'))
}

interface Flight {
  readonly to: Peer
  readonly from: Peer
  readonly bytes: Buffer
}

export type PeerMaker<P extends Peer> = (clock: Clock, address: Endpoint) => P

/** Two peers and what happens to each transmission between them: the delays after which copies of it arrive; none when it is lost. */
export class LinkOf<P extends Peer> {
  readonly clock = new Clock()
  readonly alice: P
  readonly bob: P
  private readonly flights = new DeadlineHeap<Flight>()

  constructor(readonly transport: Transport, private readonly fate: (nth: number) => readonly Micros[], make: PeerMaker<P>) {
    this.alice = make(this.clock, ALICE)
    this.bob = make(this.clock, BOB)
    for (const [peer, other] of [[this.alice, BOB], [this.bob, ALICE]] as const) peer.up(transport, transport === 'udp' ? undefined : other)
  }

  private transmissions = 0

  private collect(from: Peer, to: Peer): void {
    for (const out of from.out.splice(0)) {
      if (out.type !== 'transmit') continue
      for (const delay of this.fate(this.transmissions++)) this.flights.arm(this.clock.mono + delay, { from, to, bytes: Buffer.from(out.bytes) })
    }
  }

  run(until: Micros): void {
    for (let turns = 0; ; turns++) {
      mustSettle(turns, () => `${this.transmissions} messages were sent; alice and bob want to be woken in ${this.alice.deadline() - this.clock.mono} and ${this.bob.deadline() - this.clock.mono} µs`)
      this.collect(this.alice, this.bob)
      this.collect(this.bob, this.alice)
      const next = Math.min(this.flights.next(), this.alice.deadline(), this.bob.deadline())
      if (next > until) break
      this.clock.mono = Math.max(this.clock.mono, next)
      for (const peer of [this.alice, this.bob]) if (peer.deadline() <= this.clock.mono) peer.tick()
      const flight = this.flights.popDue(this.clock.mono)
      if (flight !== undefined) flight.to.receive(flight.bytes, this.transport === 'udp' ? flight.from.address : undefined)
    }
    this.clock.mono = until
  }
}

/** Two plain peers. */
export class Link extends LinkOf<Peer> {
  constructor(transport: Transport, fate: (nth: number) => readonly Micros[] = () => [1_000], options: Partial<SipEndpointOptions> = {}) {
    super(transport, fate, (clock, address) => new Peer(clock, address, options))
  }
}
