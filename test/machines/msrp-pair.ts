/**
 * Two MSRP endpoints on a pipe that the test controls: when octets arrive, in which pieces, when the driver is full, when
 * connections fail. Both sides write down what they were told. It decides nothing about MSRP.
 */
import { SeededEntropy } from '../../core/kit/entropy.js'
import { FLOW_BYTES_MAX, type FlowId, type NetworkOut } from '../../core/kit/network.js'
import type { PeerCertificate } from '../../core/kit/peer-certificate.js'
import type { Now } from '../../core/kit/time.js'
import type {
  ContentSource, IncomingMessage, MsrpLimits, MsrpSession, MsrpUser, OutgoingMessage, SendOptions, SendOutcome, SessionOptions, Verdict,
} from '../../core/msrp/contract.js'
import { MsrpEndpoint } from '../../core/msrp/endpoint.js'
import { mustSettle } from './settling.js'

export const START: Now = { mono: 0, wall: 1_700_000_000_000 }

/** A certificate in force, of nobody. */
export const CERTIFICATE: PeerCertificate = { sha256: Array.from({ length: 32 }, (_, index) => (index + 160).toString(16).toUpperCase()).join(':'), validFrom: START.wall - 1_000, validTo: START.wall + 3_600_000 }

export interface Received {
  readonly messageId: string
  readonly contentType: string
  readonly headers: readonly { readonly name: string; readonly value: string }[]
  bytes: Buffer
  pieces: number
  state: 'open' | 'complete' | string
}

/** A user that takes everything, gathers it, and writes down what happens. */
export class Recorder implements MsrpUser {
  readonly bound: MsrpSession[] = []
  readonly downs: string[] = []
  readonly received: Received[] = []
  readonly outcomes: (readonly [string, SendOutcome])[] = []
  verdict: (message: IncomingMessage) => Verdict = () => 'take'
  atEnd: (message: IncomingMessage) => number = () => 200
  onBytesMore: (now: Now, message: IncomingMessage, offset: number, bytes: Buffer) => void = () => {}
  onOutcomeMore: (now: Now, message: OutgoingMessage, outcome: SendOutcome) => void = () => {}
  /** Off for contents too large to gather. */
  gathers = true

  onBound(_now: Now, session: MsrpSession): void {
    this.bound.push(session)
  }

  onDown(_now: Now, _session: MsrpSession, cause: string, reason: string): void {
    this.downs.push(`${cause}: ${reason}`)
  }

  onMessage(_now: Now, message: IncomingMessage): Verdict {
    const verdict = this.verdict(message)
    if (verdict === 'take') {
      const record: Received = { messageId: message.messageId, contentType: message.contentType, headers: message.headers, bytes: Buffer.alloc(0), pieces: 0, state: 'open' }
      message.context = record
      this.received.push(record)
    }
    return verdict
  }

  onBytes(now: Now, message: IncomingMessage, offset: number, bytes: Buffer): void {
    const record = message.context as Received
    record.pieces++
    if (this.gathers) {
      if (record.bytes.length < offset + bytes.length) record.bytes = Buffer.concat([record.bytes, Buffer.alloc(offset + bytes.length - record.bytes.length)])
      bytes.copy(record.bytes, offset)
    }
    this.onBytesMore(now, message, offset, bytes)
  }

  onComplete(_now: Now, message: IncomingMessage, totalBytes: number): number {
    const record = message.context as Received
    record.state = 'complete'
    if (this.gathers) record.bytes = record.bytes.subarray(0, totalBytes)
    return this.atEnd(message)
  }

  onAborted(_now: Now, message: IncomingMessage, reason: string): void {
    ;(message.context as Received).state = reason
  }

  onOutcome(now: Now, message: OutgoingMessage, outcome: SendOutcome): void {
    this.outcomes.push([message.messageId, outcome])
    this.onOutcomeMore(now, message, outcome)
  }
}

/** One endpoint with its end of the pipe. */
export class Side {
  readonly user = new Recorder()
  readonly endpoint: MsrpEndpoint
  /** Octets given to the driver and not yet delivered, by flow. */
  readonly queued = new Map<FlowId, Buffer[]>()
  queuedBytes = 0
  queuedMost = 0
  /** What it shows over TLS; undefined for nothing. */
  certificate: PeerCertificate | undefined = CERTIFICATE
  readonly sent: NetworkOut[] = []
  /** Everything transmitted, as text. */
  wire = ''

  constructor(readonly name: string, readonly address: string, limits: Partial<MsrpLimits>, private readonly pair: Pair) {
    this.endpoint = new MsrpEndpoint({
      ours: () => `${address}:2855`, accepts: (local) => local.port === 2855, entropy: new SeededEntropy(1, name), user: this.user, limits,
      emit: (out) => this.pair.out(this, out),
    })
  }

  session(options: Partial<SessionOptions> = {}): MsrpSession {
    return this.endpoint.session({ transport: 'tcp', acceptTypes: ['*'], ...options })
  }

  outcome(messageId: string): SendOutcome | undefined {
    return this.user.outcomes.find(([id]) => id === messageId)?.[1]
  }
}

interface Joined {
  readonly a: Side
  readonly b: Side
}

export class Pair {
  now: Now = START
  readonly left: Side
  readonly right: Side
  /** How an arrival is cut; whole by default. */
  cut: (bytes: Buffer) => Buffer[] = (bytes) => [bytes]
  /** While true nothing is delivered, and the driver says `full` as the real one does. */
  held = false
  /** Connects wait for `connectAll` or `refuseAll`. */
  readonly connects: { readonly side: Side; readonly out: Extract<NetworkOut, { type: 'connect' }> }[] = []
  autoConnect = true
  keepsWire = true
  private readonly flows = new Map<FlowId, Joined>()
  private readonly full = new Set<Side>()
  private nextFlow = 1

  constructor(limits: Partial<MsrpLimits> = {}) {
    this.left = new Side('left', '10.0.0.1', limits, this)
    this.right = new Side('right', '10.0.0.2', limits, this)
  }

  /** A session on each side, the left active, started. */
  sessions(left: Partial<SessionOptions> = {}, right: Partial<SessionOptions> = {}): readonly [MsrpSession, MsrpSession] {
    const a = this.left.session(left)
    const b = this.right.session(right)
    b.start(this.now, 'passive', a.uri, [CERTIFICATE.sha256])
    a.start(this.now, 'active', b.uri, [CERTIFICATE.sha256])
    return [a, b]
  }

  out(side: Side, out: NetworkOut): void {
    if (out.type === 'transmit') {
      const queue = side.queued.get(out.flow)
      if (queue === undefined) return
      queue.push(out.bytes)
      side.queuedBytes += out.bytes.length
      side.queuedMost = Math.max(side.queuedMost, side.queuedBytes)
      if (this.keepsWire) side.wire += out.bytes.toString('latin1')
    } else {
      side.sent.push(out)
      if (out.type === 'connect') this.connects.push({ side, out })
      else this.drop(out.flow, 'closed')
    }
  }

  /** Runs until nothing moves any more at this instant. */
  run(): this {
    for (let moved = true, turns = 0; moved; turns++) {
      mustSettle(turns, this.pending)
      moved = this.autoConnect && this.connectAll()
      for (const side of [this.left, this.right]) {
        if (side.endpoint.deadline() <= this.now.mono) {
          side.endpoint.tick(this.now)
          moved = true
        }
        moved = this.mind(side) || moved
        if (!this.held && this.deliver(side)) moved = true
      }
    }
    return this
  }

  /** Time passes, deadline by deadline. */
  pass(micros: number): this {
    const until = this.now.mono + micros
    for (let turns = 0; ; turns++) {
      mustSettle(turns, this.pending)
      this.run()
      const next = Math.min(this.left.endpoint.deadline(), this.right.endpoint.deadline())
      if (next > until) break
      this.at(next)
    }
    this.at(until)
    return this.run()
  }

  private readonly pending = (): string => {
    const wants = [this.left, this.right].map(({ endpoint, queuedBytes }) => `wants to be woken in ${endpoint.deadline() - this.now.mono} µs with ${queuedBytes} octets on their way`)
    return `left ${wants[0]!}, right ${wants[1]!}`
  }

  connectAll(): boolean {
    const waiting = this.connects.splice(0)
    for (const { side, out } of waiting) {
      const other = side === this.left ? this.right : this.left
      const flow = this.nextFlow
      this.nextFlow += 2
      this.flows.set(flow, { a: side, b: other })
      this.flows.set(flow + 1, { a: other, b: side })
      side.queued.set(flow, [])
      other.queued.set(flow + 1, [])
      other.endpoint.input(this.now, { type: 'flow-up', flow: flow + 1, transport: out.transport, local: { address: other.address, port: 2855 }, remote: { address: side.address, port: 40_000 + flow }, ticket: undefined, ...shown(side, out.transport) })
      side.endpoint.input(this.now, { type: 'flow-up', flow, transport: out.transport, local: { address: side.address, port: 40_000 + flow }, remote: out.remote, ticket: out.ticket, ...shown(other, out.transport) })
    }
    return waiting.length > 0
  }

  refuseAll(handshake = false): void {
    for (const { side, out } of this.connects.splice(0)) side.endpoint.input(this.now, { type: 'connect-failed', ticket: out.ticket, reason: 'refused', ...(handshake ? { handshake } : {}) })
  }

  /** The connection of this flow ends for both; what was under way is lost. */
  drop(flow: FlowId, reason = 'reset'): void {
    const first = flow % 2 === 1 ? flow : flow - 1
    for (const id of [first, first + 1]) {
      const joined = this.flows.get(id)
      if (joined === undefined) continue
      this.flows.delete(id)
      for (const bytes of joined.a.queued.get(id) ?? []) joined.a.queuedBytes -= bytes.length
      joined.a.queued.delete(id)
      joined.a.endpoint.input(this.now, { type: 'flow-down', flow: id, reason })
    }
  }

  /** Octets from nowhere, as if the peer of this flow had sent them. */
  inject(side: Side, flow: FlowId, bytes: Buffer | string): void {
    for (const piece of this.cut(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes)) side.endpoint.input(this.now, { type: 'bytes', flow, bytes: piece })
  }

  get openFlows(): readonly FlowId[] {
    return [...this.flows.keys()]
  }

  private at(mono: number): void {
    this.now = { mono, wall: START.wall + Math.round(mono / 1_000) }
  }

  /** The driver's credit: `full` above its mark, `writable` when it is empty again. */
  private mind(side: Side): boolean {
    const wasFull = this.full.has(side)
    if (!wasFull && side.queuedBytes > FLOW_BYTES_MAX) {
      this.full.add(side)
      for (const flow of side.queued.keys()) side.endpoint.input(this.now, { type: 'full', flow })
      return true
    }
    if (wasFull && side.queuedBytes === 0) {
      this.full.delete(side)
      for (const flow of side.queued.keys()) side.endpoint.input(this.now, { type: 'writable', flow })
      return true
    }
    return false
  }

  private deliver(side: Side): boolean {
    let moved = false
    for (const [flow, queue] of side.queued) {
      if (queue.length === 0) continue
      const bytes = queue.splice(0)
      const peer = this.flows.get(flow)!.b
      for (const whole of bytes) {
        side.queuedBytes -= whole.length
        for (const piece of this.cut(whole)) {
          peer.endpoint.input(this.now, { type: 'bytes', flow: flow % 2 === 1 ? flow + 1 : flow - 1, bytes: piece })
        }
      }
      moved = true
    }
    return moved
  }
}

function shown(side: Side, transport: 'tcp' | 'tls'): { readonly certificate?: PeerCertificate } {
  return transport === 'tls' && side.certificate !== undefined ? { certificate: side.certificate } : {}
}

/** A content of octets that depend on their offset alone: any size, nothing held. */
export function virtualContent(size: number): ContentSource {
  const block = Buffer.from(Array.from({ length: 65_536 + 251 }, (_, index) => octetAt(index)))
  return { size, read: (offset, length) => block.subarray(offset % 251, (offset % 251) + length) }
}

/** The octet at an offset of every virtual content. */
export function octetAt(offset: number): number {
  return (offset % 251) ^ 0x55
}

export function content(bytes: Buffer | string): ContentSource {
  const held = typeof bytes === 'string' ? Buffer.from(bytes) : bytes
  return { size: held.length, read: (offset, length) => held.subarray(offset, offset + length) }
}

export function message(messageId: string, source: ContentSource, more: Partial<SendOptions> = {}): SendOptions {
  return { messageId, contentType: 'text/plain', source, successReport: true, failureReport: 'yes', ...more }
}
