/**
 * A gateway and one terminal for the tests of session mode: SIP through the test's core network, answered by what the test says,
 * and a real MSRP endpoint on the terminal's side of in-memory connections. Counts what stays behind.
 */
import { SeededEntropy } from '../../core/kit/entropy.js'
import type { FlowUp, NetworkIn, NetworkOut, Transport } from '../../core/kit/network.js'
import type { PeerCertificate } from '../../core/kit/peer-certificate.js'
import type { Micros, Now } from '../../core/kit/time.js'
import { MSRP_TICKET_FIRST, type IncomingMessage, type MsrpLimits, type MsrpSession, type SetupRole, type Verdict } from '../../core/msrp/contract.js'
import { MsrpEndpoint } from '../../core/msrp/endpoint.js'
import { pushMessage, type QualityOfService } from '../../core/pap/documents.js'
import { encodeSubmission } from '../../core/pap/submission.js'
import { DEFAULT_SESSIONS, type SessionSettings } from '../../core/push/bindings/session-settings.js'
import { answerTo, type OurMedia } from '../../core/sdp/answer.js'
import type { Description, MsrpMedia } from '../../core/sdp/msrp-media.js'
import { parseDescription } from '../../core/sdp/parse.js'
import { descriptionText } from '../../core/sdp/write.js'
import { Header } from '../../core/sip/header-names.js'
import { composed } from '../../core/sip/header-text.js'
import { SipMessage } from '../../core/sip/message.js'
import { responseTo } from '../../core/sip/write.js'
import { mustSettle } from './settling.js'
import { sha1 } from './sha1.js'
import { GatewayWorld, START_WALL, user, type CoreNetwork, type WorldOptions } from './gateway-world.js'

export const TERMINAL = { address: '127.0.0.20', port: 2855 }

/** Confirmed, and by no other way. */
export const SESSION: QualityOfService = { priority: 'medium', deliveryMethod: 'confirmed', networkRequired: false, bearerRequired: true, bearer: 'sip-msrp' }

const ORIGIN = { username: 't', sessionId: '1', version: 1, host: TERMINAL.address }

const inForce = (digits: string): PeerCertificate => ({ sha256: Array(32).fill(digits).join(':'), validFrom: START_WALL - 1_000, validTo: START_WALL + 86_400_000 })
export const OF_GATEWAY = inForce('6A')
export const OF_TERMINAL = inForce('7E')

/** Session mode over TLS. The gateway shows OF_GATEWAY, and its offer says so. */
export interface TlsOptions {
  /** What the terminal shows; undefined: nothing. */
  readonly shows: PeerCertificate | undefined
  /** The fingerprint in its answer; undefined: none. */
  readonly says: string | undefined
  /** Where the gateway connects, TLS does not come about. */
  readonly shakes?: false
}

/** One message as the terminal took it. */
export interface Taken {
  readonly messageId: string
  readonly contentType: string
  readonly header: (name: string) => string | undefined
  readonly bytes: Buffer
}

export interface TerminalOptions {
  /** What is answered to an INVITE: a status, a whole response, nothing, or by default an answer made of `media`. */
  readonly invite?: (request: SipMessage, terminal: SessionWorld) => number | SipMessage | undefined | 'answer'
  readonly media?: Partial<OurMedia>
  /** To any other request outside a dialog. */
  readonly other?: (request: SipMessage) => number | undefined
  readonly verdict?: (message: IncomingMessage, terminal: SessionWorld) => Verdict
  readonly complete?: (message: IncomingMessage) => number
  readonly limits?: Partial<MsrpLimits>
  /** Absent: over TCP. */
  readonly tls?: TlsOptions
}

export class SessionWorld {
  readonly gateway: GatewayWorld
  readonly terminal: MsrpEndpoint
  readonly requests: SipMessage[] = []
  readonly taken: Taken[] = []
  readonly aborted: string[] = []
  /** Octets that went to the terminal over MSRP. */
  octets = 0
  /** What the gateway answered to contents of the terminal's. */
  readonly statuses: number[] = []
  /** The connection to the core network. */
  sipFlow = 0
  /** Set to swallow the terminal's reports. */
  withoutReports = false
  /** Set to swallow what goes either way. */
  mute = false
  readonly flows = new Set<number>()
  private readonly pieces = new Map<IncomingMessage, Buffer[]>()
  private readonly sessions: MsrpSession[] = []
  /** The last of each dialog. */
  private readonly byCall = new Map<string, MsrpSession>()
  private readonly queue: (() => void)[] = []
  private working = false
  private flowLast = 9_000
  private fileLast = 1

  constructor(readonly options: TerminalOptions = {}, sessions: Partial<SessionSettings> = {}, world: WorldOptions = {}) {
    const core: CoreNetwork = (request) => this.sip(request)
    const msrpFingerprint = options.tls === undefined ? {} : { msrpFingerprint: OF_GATEWAY.sha256 }
    this.gateway = new GatewayWorld({ ...world, core, settings: { sessions: { ...DEFAULT_SESSIONS, ...sessions }, ...msrpFingerprint, ...world.settings } })
    this.gateway.peer = (out) => this.fromGateway(out)
    this.terminal = new MsrpEndpoint({
      ours: () => `${TERMINAL.address}:${TERMINAL.port}`, accepts: (local) => local.port === TERMINAL.port, entropy: new SeededEntropy(77),
      emit: (out) => this.later(() => this.fromTerminal(out)),
      ...(options.limits === undefined ? {} : { limits: options.limits }),
      user: {
        onBound: () => {}, onDown: () => {},
        onOutcome: (_now, _message, outcome) => { if (outcome.type === 'refused') this.statuses.push(outcome.status) },
        onMessage: (_now, message) => {
          const verdict = this.options.verdict?.(message, this) ?? 'take'
          if (verdict === 'take') this.pieces.set(message, [])
          return verdict
        },
        onBytes: (_now, message, _offset, bytes) => { this.pieces.get(message)!.push(Buffer.from(bytes)) },
        onComplete: (_now, message) => {
          const status = this.options.complete?.(message) ?? 200
          const header = (name: string): string | undefined => message.headers.find((each) => each.name.toLowerCase() === name.toLowerCase())?.value
          if (status === 200) this.taken.push({ messageId: message.messageId, contentType: message.contentType, header, bytes: Buffer.concat(this.pieces.get(message)!) })
          return status
        },
        onAborted: (_now, message) => { this.aborted.push(message.messageId) },
      },
    })
  }

  get now(): Now {
    return { mono: this.gateway.mono, wall: this.gateway.wall }
  }

  /** Pushes to `name` by a session: required, unless `quality` says otherwise. */
  push(pushId: string, content: Parameters<GatewayWorld['submit']>[1] = {}, quality: Partial<QualityOfService> = {}, name = 'anna'): number {
    return this.gateway.submit({
      pushId, addresses: [user(name)],
      qualityOfService: { ...SESSION, ...quality },
    }, content)
  }

  /** A confirmed push whose content lies in a file, as the HTTP side hands it on. */
  pushFile(pushId: string, bytes: Buffer, quality: Partial<QualityOfService> = {}): number {
    const id = `${this.fileLast++}`.padStart(32, '0')
    this.gateway.contents.set(id, bytes)
    const control = pushMessage({ pushId, addresses: [user('anna')], qualityOfService: { ...SESSION, ...quality } })
    const { contentType, body } = encodeSubmission(control, { contentType: 'application/octet-stream', headers: [], body: Buffer.alloc(0) })
    return this.gateway.post(contentType, body, 'pi', { id, size: bytes.length, sha1: sha1(bytes) })
  }

  methods(): string[] {
    return this.requests.map((request) => request.method)
  }

  /** Both sides, as far as each asks to be woken. */
  advance(micros: Micros): void {
    const end = this.gateway.mono + micros
    for (let turns = 0; ; turns++) {
      mustSettle(turns, this.pending)
      const next = Math.max(this.gateway.mono, Math.min(this.gateway.gateway.deadline(), this.terminal.deadline()))
      if (next > end) break
      this.gateway.advance(next - this.gateway.mono)
      this.later(() => this.terminal.tick(this.now))
    }
    this.gateway.advance(end - this.gateway.mono)
  }

  /** Nothing that either side began is still there. */
  left(): Record<string, number> {
    const { sessions, dialogs, connections, waiting } = this.gateway.gateway.sessions.open
    return { sessions, dialogs, connections, waiting, flows: this.flows.size }
  }

  /** The terminal ends the dialog of this INVITE. */
  bye(invite = this.requests.findLast((request) => request.method === 'INVITE')!): void {
    const bye = new SipMessage({ method: 'BYE', requestUri: 'sip:127.0.0.1:5070' })
      .append(Header.Via, composed('SIP/2.0/TCP 127.0.0.9:5060;branch=z9hG4bKbye')).append(Header.MaxForwards, composed('70'))
      .append(Header.From, composed(`${invite.get(Header.To)!};tag=ue`)).append(Header.To, invite.get(Header.From)!)
      .append(Header.CallId, invite.get(Header.CallId)!).append(Header.CSeq, composed('1 BYE'))
    this.gateway.receive(bye)
  }

  /** Cuts every MSRP connection. */
  cut(): void {
    for (const flow of [...this.flows]) {
      this.flows.delete(flow)
      this.terminal.input(this.now, { type: 'flow-down', flow, reason: 'cut' })
      this.later(() => this.gateway.network({ type: 'flow-down', flow, reason: 'cut' }))
    }
  }

  /** Octets that no MSRP endpoint would send, to the gateway over its MSRP connections. */
  say(text: string): void {
    for (const flow of this.flows) this.later(() => this.gateway.network({ type: 'bytes', flow, bytes: Buffer.from(text, 'latin1') }))
  }

  answer(request: SipMessage, media: Partial<OurMedia> = this.options.media ?? {}): SipMessage {
    const offer = parseDescription(request.body.toString()).description!
    const { transport, path, fingerprints } = offer.media[0] as MsrpMedia
    const setup = media.setup ?? 'passive'
    const session = this.terminal.session({ transport, acceptTypes: ['*'], ...(setup === 'active' ? { authority: `${TERMINAL.address}:9` } : {}) })
    this.sessions.push(session)
    this.byCall.set(request.get(Header.CallId)!, session)
    const ours: OurMedia = { path: [session.uri], port: TERMINAL.port, acceptTypes: ['*'], maxSize: undefined, direction: 'recvonly', fingerprint: this.options.tls?.says, ...media, setup }
    const answered = answerTo(offer, [ours], ORIGIN)
    if (answered.media[0]!.port !== 0) this.later(() => { session.start(this.now, setup satisfies SetupRole, path.join(' '), fingerprints) })
    return this.response(request, answered)
  }

  /** An answer with port 0: not wanted. */
  refusal(request: SipMessage): SipMessage {
    return this.response(request, answerTo(parseDescription(request.body.toString()).description!, ['refused'], ORIGIN))
  }

  /** A good answer of a terminal that lets us connect, to be spoilt; nobody listens for it. */
  answerText(request: SipMessage): string {
    const uri = `msrp://${TERMINAL.address}:${TERMINAL.port}/${'a'.repeat(20)};tcp`
    const ours: OurMedia = { path: [uri], port: TERMINAL.port, acceptTypes: ['*'], maxSize: undefined, direction: 'recvonly', setup: 'passive' }
    return descriptionText(answerTo(parseDescription(request.body.toString()).description!, [ours], ORIGIN))
  }

  /** The terminal sends a content of its own in its last session. */
  sendBack(text: string): void {
    const content = Buffer.from(text)
    const source = { size: content.length, read: (offset: number, length: number) => content.subarray(offset, offset + length) }
    this.later(() => { this.sessions.at(-1)!.send(this.now, { messageId: 'back-1', contentType: 'text/plain', source, successReport: false, failureReport: 'yes' }) })
  }

  response(request: SipMessage, body: Description | string): SipMessage {
    const response = responseTo(request, 200, undefined, 'ue').append(Header.Contact, composed(`<sip:anna@${TERMINAL.address}:5060;transport=tcp>`))
    response.append(Header.ContentType, composed('application/sdp'))
    response.body = Buffer.from(typeof body === 'string' ? body : descriptionText(body))
    return response
  }

  private sip(request: SipMessage): number | SipMessage | undefined {
    this.requests.push(request)
    switch (request.method) {
      case 'ACK': return undefined
      case 'BYE': {
        const session = this.byCall.get(request.get(Header.CallId)!)
        this.later(() => session?.close(this.now))
        return 200
      }
      case 'CANCEL': return 200
      case 'INVITE': {
        const answer = this.options.invite === undefined ? 'answer' : this.options.invite(request, this)
        return answer === 'answer' ? this.answer(request) : answer
      }
      default: return this.options.other === undefined ? 200 : this.options.other(request)
    }
  }

  private fromGateway(out: NetworkOut): boolean {
    switch (out.type) {
      case 'connect': {
        const { ticket, transport, remote } = out
        if (ticket < MSRP_TICKET_FIRST) return false
        if (this.options.tls?.shakes === false) {
          this.later(() => this.gateway.network({ type: 'connect-failed', ticket, reason: 'no TLS', handshake: true }))
          return true
        }
        const flow = this.open()
        const ours = { address: '127.0.0.1', port: 50_001 }
        this.later(() => {
          this.terminal.input(this.now, { ...this.up(flow, transport, OF_GATEWAY), local: TERMINAL, remote: ours })
          this.gateway.network({ ...this.up(flow, transport, this.options.tls?.shows), local: ours, remote, ticket })
        })
        return true
      }
      case 'transmit':
        if (out.flow < 9_000) this.sipFlow = out.flow
        if (!this.flows.has(out.flow)) return out.flow > 9_000 && out.flow <= this.flowLast
        this.octets += out.bytes.length
        if (!this.mute) this.later(() => this.toTerminal({ type: 'bytes', flow: out.flow, bytes: Buffer.from(out.bytes) }))
        return true
      case 'close':
        if (!this.flows.delete(out.flow)) return false
        this.later(() => this.terminal.input(this.now, { type: 'flow-down', flow: out.flow, reason: 'closed by the gateway' }))
        this.later(() => this.gateway.network({ type: 'flow-down', flow: out.flow, reason: 'closed by this side' }))
        return true
    }
  }

  private fromTerminal(out: NetworkOut): void {
    switch (out.type) {
      case 'connect': {
        const { ticket, transport, remote } = out
        const flow = this.open()
        const theirs = { address: TERMINAL.address, port: 40_000 }
        this.gateway.network({ ...this.up(flow, transport, this.options.tls?.shows), local: remote, remote: theirs })
        this.later(() => this.terminal.input(this.now, { ...this.up(flow, transport, OF_GATEWAY), local: theirs, remote, ticket }))
        return
      }
      case 'transmit':
        if (!this.mute && this.flows.has(out.flow)) this.gateway.network({ type: 'bytes', flow: out.flow, bytes: this.withoutReports ? reportless(out.bytes) : Buffer.from(out.bytes) })
        return
      case 'close':
        if (!this.flows.delete(out.flow)) return
        this.gateway.network({ type: 'flow-down', flow: out.flow, reason: 'the peer closed' })
        this.later(() => this.terminal.input(this.now, { type: 'flow-down', flow: out.flow, reason: 'closed by this side' }))
    }
  }

  /** A flow whose other end shows this certificate, if it is over TLS. */
  private up(flow: number, transport: Transport, certificate: PeerCertificate | undefined): Omit<FlowUp, 'local' | 'remote'> {
    return { type: 'flow-up', flow, transport, ticket: undefined, ...(transport === 'tls' && certificate !== undefined ? { certificate } : {}) }
  }

  private toTerminal(input: NetworkIn): void {
    if (input.type === 'bytes' && this.flows.has(input.flow)) this.terminal.input(this.now, input)
  }

  private open(): number {
    this.flows.add(++this.flowLast)
    return this.flowLast
  }

  /** One thing after another: neither side is called from within the other. */
  private later(what: () => void): void {
    this.queue.push(what)
    if (this.working) return
    this.working = true
    let steps = 0
    for (let next = this.queue.shift(); next !== undefined; next = this.queue.shift()) {
      mustSettle(++steps, this.pending)
      next()
    }
    this.working = false
  }

  private readonly pending = (): string => `after ${this.requests.length} requests, the last ${this.methods().slice(-4).join(', ')}; open are ${JSON.stringify(this.left())}`
}

/** An answer may share its write with a report. */
function reportless(bytes: Buffer): Buffer {
  return Buffer.from(bytes.toString('latin1').replace(/MSRP (\S+) REPORT\r\n[^]*?\r\n-------\1\$\r\n/g, ''), 'latin1')
}
