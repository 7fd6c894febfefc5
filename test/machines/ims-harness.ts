/**
 * The IMS machine in a network of function calls: peers with flows to its ports, connections between its own nodes
 * looped back (split mode), and a clock that the test moves. Everything is synchronous and the same in every run.
 */
import { SeededEntropy } from '../../core/kit/entropy.js'
import type { Endpoint, FlowId, NetworkOut } from '../../core/kit/network.js'
import { TICK } from '../../core/kit/machine.js'
import { systemCrypto } from '../../core/live/crypto.js'
import { answerChallenge, credentialsText, firstChallenge } from '../../core/sip/digest.js'
import { Header } from '../../core/sip/header-names.js'
import type { SipMessage } from '../../core/sip/message.js'
import { parseMessage } from '../../core/sip/parse.js'
import { responseTo, writeMessage } from '../../core/sip/write.js'
import { ImsCore, type ImsOut } from '../../sim/ims/ims.js'
import { defaultImsSettings, type ImsSettings } from '../../sim/ims/settings.js'
import { ListedSubscribers, type Subscriber } from '../../sim/ims/subscribers.js'
import { mustSettle } from './settling.js'

export const PORTS = { pcscf: 5060, icscf: 5070, scscf: 5080, core: 5061 }
export const DOMAIN = 'home1.example'

export function subscriber(name: string, more: Partial<Subscriber> = {}): Subscriber {
  return {
    impi: `${name}_private@${DOMAIN}`, password: `secret-${name}`, mayRegister: true,
    identities: [{ uri: `sip:${name}@${DOMAIN}`, barred: false }], ...more,
  }
}

type Journal = Extract<ImsOut, { type: 'journal' }>

export class ImsHarness {
  readonly core: ImsCore
  readonly settings: ImsSettings
  readonly journal: Journal[] = []
  /** Ports of the core that nobody answers at any more, from the next use on; and the flows the core has closed. */
  readonly unreachable = new Set<number>()
  readonly closed: FlowId[] = []
  mono = 1_000_000
  wall = Date.UTC(2026, 2, 12, 9, 0, 0)
  private flowLast: FlowId = 0
  private readonly peers = new Map<FlowId, Peer>()
  private readonly loops = new Map<FlowId, FlowId>()
  private readonly servers = new Map<number, Peer[]>()

  constructor(change: (settings: ImsSettings) => ImsSettings = (settings) => settings, subscribers: Subscriber[] = ['alice', 'bob'].map((name) => subscriber(name))) {
    const defaults = defaultImsSettings(DOMAIN, PORTS)
    this.settings = change(defaults)
    this.core = new ImsCore(this.settings, new ListedSubscribers(subscribers), new SeededEntropy(7), systemCrypto)
    for (const port of [PORTS.pcscf, PORTS.icscf, ...this.settings.visited.map(({ listen }) => listen.port)]) this.bindUdp(port)
  }

  /** A peer with a TCP connection to this port. */
  tcp(port: number, remote: Endpoint = { address: '127.0.0.2', port: 40_000 + this.flowLast }): Peer {
    const flow = ++this.flowLast
    const peer = new Peer(this, flow, 'tcp', remote)
    this.peers.set(flow, peer)
    this.core.handle(this.now, { type: 'flow-up', flow, transport: 'tcp', local: { address: '127.0.0.1', port }, remote, ticket: undefined })
    this.drain()
    return peer
  }

  /** A peer that sends datagrams to this port. */
  udp(port: number, remote: Endpoint = { address: '127.0.0.2', port: 40_000 + this.flowLast }): Peer {
    const flow = this.udpFlows.get(port)!
    const peer = new Peer(this, flow, 'udp', remote)
    this.udpPeers.push(peer)
    return peer
  }

  /** A server the core connects to: every connection to this port becomes a peer of the list. */
  listenAt(port: number): Peer[] {
    const peers: Peer[] = []
    this.servers.set(port, peers)
    return peers
  }

  get now() {
    return { mono: this.mono, wall: this.wall }
  }

  /** Lets time pass and wakes the machine at each of its deadlines on the way. */
  pass(seconds: number): void {
    const until = this.mono + seconds * 1_000_000
    for (let at = this.core.deadline(), turns = 0; at <= until; at = this.core.deadline(), turns++) {
      mustSettle(turns, () => `the core wants to be woken in ${at - this.mono} µs`)
      this.wall += Math.round((Math.max(at, this.mono) - this.mono) / 1_000)
      this.mono = Math.max(at, this.mono)
      this.core.handle(this.now, TICK)
      this.drain()
    }
    this.wall += Math.round((until - this.mono) / 1_000)
    this.mono = until
  }

  input(peer: Peer, bytes: Buffer): void {
    this.core.handle(this.now, { type: 'bytes', flow: peer.flow, bytes, ...(peer.transport === 'udp' ? { from: peer.remote } : {}) })
    this.drain()
  }

  close(peer: Peer): void {
    this.core.handle(this.now, { type: 'flow-down', flow: peer.flow, reason: 'closed by the test' })
    this.drain()
  }

  private readonly udpFlows = new Map<number, FlowId>()
  private readonly udpPeers: Peer[] = []

  private bindUdp(port: number): void {
    const flow = ++this.flowLast
    this.udpFlows.set(port, flow)
    this.core.handle(this.now, { type: 'flow-up', flow, transport: 'udp', local: { address: '127.0.0.1', port }, remote: undefined, ticket: undefined })
    this.drain()
  }

  private drain(): void {
    const looped: [FlowId, Buffer][] = []
    for (let steps = 0; ; steps++) {
      mustSettle(steps, () => `${looped.length} messages wait between the core's own parts, the first is ${looped[0]?.[1].toString('latin1').split('\r\n', 1)[0] ?? 'none'}`)
      const out = this.core.poll()
      if (out === undefined) {
        const next = looped.shift()
        if (next === undefined) return
        this.core.handle(this.now, { type: 'bytes', flow: next[0], bytes: next[1] })
        continue
      }
      if (out.type === 'journal') this.journal.push(out)
      else this.network(out, looped)
    }
  }

  private network(out: NetworkOut, looped: [FlowId, Buffer][]): void {
    if (out.type === 'connect') this.connected(out.ticket, out.remote)
    else if (out.type === 'close') {
      this.closed.push(out.flow)
      this.core.handle(this.now, { type: 'flow-down', flow: out.flow, reason: 'closed' })
    }
    else if (this.loops.has(out.flow)) looped.push([this.loops.get(out.flow)!, out.bytes])
    else if (out.to !== undefined) this.udpPeers.find((peer) => peer.remote.port === out.to!.port)?.take(out.bytes)
    else this.peers.get(out.flow)?.take(out.bytes)
  }

  private connected(ticket: number, remote: Endpoint): void {
    const near = ++this.flowLast
    const local = { address: '127.0.0.1', port: 50_000 + near }
    const server = this.servers.get(remote.port)
    const isOwn = [...Object.values(PORTS), ...this.settings.visited.map(({ core }) => core.port)].includes(remote.port)
    if (this.unreachable.has(remote.port) || (server === undefined && !isOwn)) {
      this.core.handle(this.now, { type: 'connect-failed', ticket, reason: 'nobody listens there' })
      return
    }
    if (server !== undefined) {
      const peer = new Peer(this, near, 'tcp', remote)
      this.peers.set(near, peer)
      server.push(peer)
    }
    this.core.handle(this.now, { type: 'flow-up', flow: near, transport: 'tcp', local, remote, ticket })
    if (!isOwn) return
    const far = ++this.flowLast
    this.loops.set(near, far)
    this.loops.set(far, near)
    this.core.handle(this.now, { type: 'flow-up', flow: far, transport: 'tcp', local: remote, remote: local, ticket: undefined })
  }
}

export interface RegisterOptions {
  readonly name?: string
  readonly contact?: string
  readonly instance?: string
  readonly params?: string
  readonly expires?: number | undefined
  readonly callId?: string
  readonly supported?: string
  readonly password?: string
  readonly more?: string
}

/** One end of a flow: sends texts, keeps what came. */
export class Peer {
  readonly received: SipMessage[] = []
  readonly octets: Buffer[] = []
  authorization = ''
  private cseq = 0
  private branch = 0

  constructor(private readonly harness: ImsHarness, readonly flow: FlowId, readonly transport: 'udp' | 'tcp', readonly remote: Endpoint) {}

  take(bytes: Buffer): void {
    this.octets.push(bytes)
    const { message } = parseMessage(bytes)
    if (message !== undefined) this.received.push(message)
  }

  /** The device on another flow goes on where it was: the next CSeq, the credentials it had. */
  continueFrom(other: Peer): void {
    this.cseq = other.cseq
    this.authorization = other.authorization
  }

  /** The newest message, taken out of the list. */
  last(): SipMessage {
    const message = this.received.pop()
    if (message === undefined) throw new Error(`nothing came to ${this.remote.address}:${this.remote.port}`)
    this.received.length = 0
    return message
  }

  /** Sends a request given as its lines after the Via; `lines` ends before the empty line. */
  request(start: string, lines: string, body = ''): void {
    const via = `Via: SIP/2.0/${this.transport.toUpperCase()} ${this.remote.address}:${this.remote.port};branch=z9hG4bKt${this.flow}x${++this.branch};rport`
    const text = `${start} SIP/2.0\r\n${via}\r\n${lines.trim().replace(/\r?\n/g, '\r\n')}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
    this.harness.input(this, Buffer.from(text))
  }

  answer(request: SipMessage, status: number, ...headers: [typeof Header.RetryAfter | typeof Header.Warning, string][]): void {
    const response = responseTo(request, status, undefined, `t${this.flow}`)
    for (const [id, value] of headers) response.append(id, value as never)
    this.harness.input(this, writeMessage(response))
  }

  /** One REGISTER with whatever credentials this peer has; the answer. */
  registerOnce(options: RegisterOptions = {}): SipMessage {
    const name = options.name ?? 'alice'
    const transport = this.transport === 'tcp' ? ';transport=tcp' : ''
    const contact = options.contact ?? `sip:${name}@${this.remote.address}:${this.remote.port}${transport}`
    const instance = options.instance === undefined ? '' : `;+sip.instance="<${options.instance}>"`
    const expires = options.expires === undefined ? '' : `\nExpires: ${options.expires}`
    this.request(`REGISTER sip:${DOMAIN}`, `Max-Forwards: 70
From: <sip:${name}@${DOMAIN}>;tag=f${this.flow}
To: <sip:${name}@${DOMAIN}>
Call-ID: ${options.callId ?? `call-${this.flow}`}
CSeq: ${++this.cseq} REGISTER
Contact: ${contact === '*' ? '*' : `<${contact}>${instance}${options.params ?? ''}`}${expires}
Supported: ${options.supported ?? 'path, gruu'}${this.authorization === '' ? '' : `\nAuthorization: ${this.authorization}`}${options.more ?? ''}`)
    return this.last()
  }

  /** Registers and answers the challenge, if there is one. */
  register(options: RegisterOptions = {}): SipMessage {
    const name = options.name ?? 'alice'
    const first = this.registerOnce(options)
    if (first.status !== 401) return first
    const challenge = firstChallenge(first.getAll(Header.WwwAuthenticate))!
    this.authorization = credentialsText(answerChallenge(systemCrypto, challenge, {
      username: `${name}_private@${DOMAIN}`, password: options.password ?? `secret-${name}`, method: 'REGISTER', uri: `sip:${DOMAIN}`, cnonce: 'c', nc: 1,
    }))!
    return this.registerOnce(options)
  }

  /** A MESSAGE as a gateway sends it. */
  message(uri: string, more = '', body = 'hello'): void {
    this.request(`MESSAGE ${uri}`, `Max-Forwards: 70
From: <sip:push@ppg.${DOMAIN}>;tag=g${this.branch}
To: <${uri}>
Call-ID: push-${this.remote.address}-${this.branch}@ppg.${DOMAIN}
CSeq: 1 MESSAGE
P-Asserted-Identity: <sip:push@ppg.${DOMAIN}>
P-Charging-Vector: icid-value="ppg-1"
Content-Type: text/plain${more === '' ? '' : `\n${more}`}`, body)
  }
}
