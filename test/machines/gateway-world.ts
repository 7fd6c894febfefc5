/**
 * Scaffolding for the gateway's machine tests: drives one Gateway by hand, with a store that has a durable and a pending
 * half, a core network that answers as the test says, and virtual time. Small on purpose; the simulated world has its own.
 */
import { SeededEntropy } from '../../core/kit/entropy.js'
import { TICK } from '../../core/kit/machine.js'
import type { NetworkIn, NetworkOut } from '../../core/kit/network.js'
import type { Micros, WallMillis } from '../../core/kit/time.js'
import type { MimeHeader } from '../../core/mime/part.js'
import { encodeSubmission } from '../../core/pap/submission.js'
import { pushMessage, type PushMessage } from '../../core/pap/documents.js'
import { decodePap } from '../../core/pap/decode.js'
import { systemCrypto } from '../../core/live/crypto.js'
import type { ContentReply, GatewayIn, GatewayOut, PapReply } from '../../core/push/contract.js'
import { Gateway } from '../../core/push/gateway.js'
import { DEFAULT_SESSIONS } from '../../core/push/bindings/session-settings.js'
import { DEFAULT_SETTINGS, type GatewaySettings } from '../../core/push/settings.js'
import { StreamFramer } from '../../core/sip/framing.js'
import { composed } from '../../core/sip/header-text.js'
import { Header } from '../../core/sip/header-names.js'
import { SipMessage } from '../../core/sip/message.js'
import { responseTo, writeMessage } from '../../core/sip/write.js'
import type { Content } from '../../core/store/content.js'
import type { StoreOperation, StoreOut, StoreRow } from '../../core/store/operations.js'
import { mustSettle } from './settling.js'

export const START_WALL: WallMillis = 1_773_300_000_000
export const PEER = '127.0.0.9'

export const SETTINGS: GatewaySettings = {
  ...DEFAULT_SETTINGS,
  senderAddress: 'http://ppg.example/pap',
  servedDomains: ['ppg.example'],
  identityRules: [
    { type: 'USER', pattern: '*', uri: 'sip:*@ims.example' },
    { type: 'PLMN', pattern: '+*', uri: 'sip:+*@ims.example;user=phone' },
  ],
  sipDomains: ['ims.example'],
  nextHops: [{ transport: 'tcp', address: PEER, port: 5060 }],
  trustedPeers: [PEER],
  sipAddress: '127.0.0.1:5070',
  msrpAddress: '127.0.0.1:2855',
  // Session mode is for the tests that ask for it.
  sessions: { ...DEFAULT_SESSIONS, max: 0 },
  identity: 'sip:push@ppg.example',
}

/** A request the gateway sent, to be answered by the test. */
export interface Sent {
  readonly request: SipMessage
  readonly flow: number
}

/** What the core network says to a request: a status, a whole response, or nothing. */
export type CoreNetwork = (request: SipMessage, world: GatewayWorld) => number | SipMessage | undefined

export interface WorldOptions {
  readonly settings?: Partial<GatewaySettings>
  readonly core?: CoreNetwork
  /** The initiator's HTTP status for a notification; undefined leaves it unanswered. */
  readonly notified?: (url: string, body: string) => number | 'failed' | undefined
  readonly seed?: number
}

export class MapStore {
  /** Flushed rows by key in latin1, which sorts as octets do. */
  readonly durable = new Map<string, Buffer>()

  apply(operations: readonly StoreOperation[]): void {
    for (const operation of operations) {
      if (operation.type === 'put') this.durable.set(operation.key.toString('latin1'), Buffer.from(operation.value))
      else this.durable.delete(operation.key.toString('latin1'))
    }
  }

  scan(from: Buffer, to: Buffer, limit: number): StoreRow[] {
    const [low, high] = [from.toString('latin1'), to.toString('latin1')]
    return [...this.durable.keys()].filter((key) => key >= low && key < high).sort().slice(0, limit)
      .map((key) => ({ key: Buffer.from(key, 'latin1'), value: this.durable.get(key)! }))
  }

  rows(kind: string): number {
    return [...this.durable.keys()].filter((key) => key.startsWith(kind)).length
  }
}

export class GatewayWorld {
  mono: Micros = 1_000_000
  wall: WallMillis = START_WALL
  gateway!: Gateway
  readonly store: MapStore
  readonly replies: PapReply[] = []
  readonly notifies: { readonly ticket: number; readonly url: string; readonly body: string }[] = []
  readonly journal: { readonly event: string; readonly pushId: string; readonly address: string; readonly details: readonly string[] }[] = []
  readonly sent: Sent[] = []
  readonly responses: SipMessage[] = []
  /** Answers to fetches of hosted contents. */
  readonly fetches: ContentReply[] = []
  drained = false
  /** Content files by id. */
  readonly contents = new Map<string, Buffer>()
  readonly reads: { readonly offset: number; readonly length: number }[] = []
  core: CoreNetwork
  /** Commits wait for `flush` when set. */
  holdCommits = false
  /** Reads wait for `releaseReads` when set. */
  holdReads = false
  storeIsFull = false
  refuseConnections = false
  /** Called after each output taken from the machine; may throw `Crash`. */
  afterOutput: (out: GatewayOut) => void = () => {}
  /** Takes what goes to somebody else than the core network. */
  peer: (out: NetworkOut) => boolean = () => false
  private readonly waitingCommits: { readonly ticket: number; readonly operations: readonly StoreOperation[] }[] = []
  private readonly waitingReads: { readonly ticket: number; readonly key: Buffer }[] = []
  private readonly todo: GatewayIn[] = []
  private flow = 0
  private framers = new Map<number, StreamFramer>()
  private requestId = 0

  constructor(readonly options: WorldOptions = {}, store = new MapStore()) {
    this.store = store
    this.core = options.core ?? (() => 200)
    this.boot()
  }

  /** A new process over what was flushed. */
  boot(): void {
    const settings = { ...SETTINGS, ...this.options.settings }
    this.gateway = new Gateway({ settings, entropy: new SeededEntropy((this.options.seed ?? 1) + this.flow), crypto: systemCrypto })
    this.todo.length = 0
    this.waitingCommits.length = 0
    this.waitingReads.length = 0
    this.framers = new Map()
    this.input({ type: 'flow-up', flow: ++this.flow, transport: 'udp', local: { address: '127.0.0.1', port: 5070 }, remote: undefined, ticket: undefined })
  }

  input(input: GatewayIn): void {
    this.todo.push(input)
    let steps = 0
    for (let next = this.todo.shift(); next !== undefined; next = this.todo.shift()) {
      mustSettle(++steps, this.pending)
      this.gateway.handle({ mono: this.mono, wall: this.wall }, next)
      for (let out = this.gateway.poll(); out !== undefined; out = this.gateway.poll()) {
        mustSettle(++steps, this.pending)
        this.take(out)
        this.afterOutput(out)
      }
    }
  }

  /** Lets time pass, waking the machine whenever it asks for it. */
  advance(micros: Micros): void {
    const end = this.mono + micros
    for (let turns = 0; this.gateway.deadline() <= end; turns++) {
      mustSettle(turns, this.pending)
      this.moveTo(Math.max(this.mono, this.gateway.deadline()))
      this.input(TICK)
    }
    this.moveTo(end)
  }

  submit(fields: Partial<PushMessage> & Pick<PushMessage, 'pushId' | 'addresses'>, content: { readonly type?: string; readonly app?: string; readonly body?: string; readonly initiator?: string; readonly headers?: readonly MimeHeader[] } = {}): number {
    const headers = [...(content.headers ?? []), ...(content.app === undefined ? [] : [{ name: 'X-Wap-Application-Id', value: content.app }])]
    const { contentType, body } = encodeSubmission(pushMessage(fields), { contentType: content.type ?? 'text/plain', headers, body: Buffer.from(content.body ?? 'hello') })
    return this.post(contentType, body, content.initiator)
  }

  post(contentType: string, body: Buffer, initiator = 'pi', content?: Content): number {
    this.input({ type: 'pap-request', id: ++this.requestId, initiator, contentType, body, ...(content === undefined ? {} : { content }) })
    return this.requestId
  }

  /** The code of the push-response to a request, `503`, or undefined while there is no answer. */
  code(id: number): number | undefined {
    const reply = this.replies.find((each) => each.id === id)
    if (reply === undefined || reply.status === 503) return reply?.status
    const document = decodePap(reply.body)
    if (!document.ok) throw new Error(document.desc)
    const { message } = document
    return message.type === 'push-response' ? message.result.code : 'code' in message ? message.code : undefined
  }

  /** Lets the oldest waiting commits through. */
  flush(count = Infinity): void {
    for (let done = 0; done < count && this.waitingCommits.length > 0; done++) {
      const { ticket, operations } = this.waitingCommits.shift()!
      this.store.apply(operations)
      this.input({ type: 'committed', ticket })
    }
  }

  releaseReads(): void {
    this.holdReads = false
    for (const read of this.waitingReads.splice(0)) this.input(this.valueOf(read))
  }

  get commitsWaiting(): number {
    return this.waitingCommits.length
  }

  /** Answers the oldest unanswered request. */
  answer(status: number | SipMessage, sent = this.sent.shift()): void {
    if (sent === undefined) throw new Error('nothing was sent that could be answered')
    const response = typeof status === 'number' ? responseTo(sent.request, status, undefined, 'uas') : status
    this.network({ type: 'bytes', flow: sent.flow, bytes: writeMessage(response) })
  }

  network(input: NetworkIn): void {
    this.input(input)
  }

  /** A request from the core network over a connection of its own. */
  receive(request: SipMessage, from = PEER): void {
    const flow = ++this.flow
    this.framers.set(flow, new StreamFramer())
    this.input({ type: 'flow-up', flow, transport: 'tcp', local: { address: '127.0.0.1', port: 5070 }, remote: { address: from, port: 40_000 + flow }, ticket: undefined })
    this.input({ type: 'bytes', flow, bytes: writeMessage(request) })
  }

  outcomes(pushId?: string): string[] {
    return this.journal.filter((line) => line.event === 'outcome' && (pushId === undefined || line.pushId === pushId)).map((line) => `${line.details[0]} ${line.details[1]} ${line.details[2]}`)
  }

  private readonly pending = (): string => {
    const last = this.journal.slice(-3).map(({ event, pushId }) => `${event} ${pushId}`)
    return `the gateway wants to be woken in ${this.gateway.deadline() - this.mono} µs, its journal ends with ${last.join(', ')}`
  }

  private moveTo(mono: Micros): void {
    this.wall += Math.floor(mono / 1_000) - Math.floor(this.mono / 1_000)
    this.mono = mono
  }

  private take(out: GatewayOut): void {
    if ((out.type === 'connect' || out.type === 'close' || out.type === 'transmit') && this.peer(out)) return
    switch (out.type) {
      case 'commit':
      case 'read':
      case 'scan':
        return this.takeStore(out)
      case 'pap-reply':
        this.replies.push(out)
        return
      case 'journal':
        this.journal.push(out)
        return
      case 'notify': {
        this.notifies.push(out)
        const status = this.options.notified === undefined ? 200 : this.options.notified(out.url, out.body)
        if (status === 'failed') this.todo.push({ type: 'notify-failed', ticket: out.ticket, reason: 'refused' })
        else if (status !== undefined) this.todo.push({ type: 'notified', ticket: out.ticket, status, body: '' })
        return
      }
      case 'content-read': {
        this.reads.push(out)
        const bytes = this.contents.get(out.id)?.subarray(out.offset, out.offset + out.length)
        this.todo.push({ type: 'content', ticket: out.ticket, bytes: bytes === undefined ? undefined : Buffer.from(bytes) })
        return
      }
      case 'content-delete':
        this.contents.delete(out.id)
        return
      case 'content-reply':
        this.fetches.push(out)
        return
      case 'drained':
        this.drained = true
        return
      case 'connect':
        if (this.refuseConnections) this.todo.push({ type: 'connect-failed', ticket: out.ticket, reason: 'refused' })
        else this.todo.push({ type: 'flow-up', flow: ++this.flow, transport: out.transport, local: { address: '127.0.0.1', port: 50_000 }, remote: out.remote, ticket: out.ticket })
        return
      case 'close':
        return
      case 'transmit':
        return this.takeBytes(out.flow, out.bytes)
    }
  }

  private takeStore(out: StoreOut): void {
    switch (out.type) {
      case 'commit':
        if (this.storeIsFull) this.todo.push({ type: 'store-full', ticket: out.ticket })
        else if (this.holdCommits) this.waitingCommits.push(out)
        else {
          this.store.apply(out.operations)
          this.todo.push({ type: 'committed', ticket: out.ticket })
        }
        return
      case 'read':
        if (this.holdReads) this.waitingReads.push(out)
        else this.todo.push(this.valueOf(out))
        return
      case 'scan':
        this.todo.push({ type: 'rows', ticket: out.ticket, rows: this.store.scan(out.from, out.to, out.limit) })
        return
    }
  }

  private valueOf(read: { readonly ticket: number; readonly key: Buffer }): GatewayIn {
    return { type: 'value', ticket: read.ticket, value: this.store.durable.get(read.key.toString('latin1')) }
  }

  private takeBytes(flow: number, bytes: Buffer): void {
    let framer = this.framers.get(flow)
    if (framer === undefined) this.framers.set(flow, (framer = new StreamFramer()))
    framer.push(bytes)
    for (let result = framer.next(); result !== undefined; result = framer.next()) {
      const { message } = result as { message: SipMessage | undefined }
      if (message === undefined) continue
      if (!message.isRequest) {
        this.responses.push(message)
        continue
      }
      const answer = this.core(message, this)
      if (answer === undefined) this.sent.push({ request: message, flow })
      else this.todo.push({ type: 'bytes', flow, bytes: writeMessage(typeof answer === 'number' ? responseTo(message, answer, undefined, 'uas') : answer) })
    }
  }
}

/** The PAP address of a user of the test domain. */
export function user(name: string): string {
  return `WAPPUSH=${name}/TYPE=USER@ppg.example`
}

/** An escaped SIP URI or GRUU as a PAP address. */
export function sipAddress(uri: string): string {
  return `WAPPUSH=${encodeURIComponent(uri)}/TYPE=USER@ppg.example`
}

/** Nothing is answered: the test answers by hand. */
export const silent: CoreNetwork = () => undefined

export interface TestDevice {
  readonly instance: string
  readonly publicGruu?: string
  readonly temporaryGruu?: string
  /** Feature parameters as in the Contact; the push application is `mms.ua` when absent. */
  readonly features?: string
}

let registerCount = 0

/**
 * A third-party REGISTER as the S-CSCF sends it; without `devices` no bodies are included.
 * @param repeats whether the registrar's 200 has the devices' features
 */
export function thirdPartyRegister(aor: string, expires: number, devices?: readonly TestDevice[], repeats = true): SipMessage {
  registerCount++
  const request = new SipMessage({ method: 'REGISTER', requestUri: 'sip:ppg.example' })
  request.append(Header.Via, composed(`SIP/2.0/TCP ${PEER}:5060;branch=z9hG4bKreg${registerCount}`)).append(Header.MaxForwards, composed('70'))
  request.append(Header.From, composed('<sip:scscf.ims.example>;tag=s')).append(Header.To, composed(`<${aor}>`))
  request.append(Header.CallId, composed(`reg${registerCount}@scscf`)).append(Header.CSeq, composed('1 REGISTER'))
  request.append(Header.Contact, composed('<sip:scscf.ims.example>')).append(Header.Expires, composed(String(expires)))
  if (devices === undefined) return request
  const contact = (device: TestDevice, index: number, withFeatures: boolean): string => {
    const gruus = (device.publicGruu === undefined ? '' : `;pub-gruu="${device.publicGruu}"`) + (device.temporaryGruu === undefined ? '' : `;temp-gruu="${device.temporaryGruu}"`)
    return `Contact: <sip:d${index}@192.0.2.${index + 1}>;+sip.instance="<${device.instance}>";expires=${expires}${gruus}${withFeatures ? device.features ?? ';+g.oma.pusheventapp="mms.ua,wml.ua"' : ''}`
  }
  const contacts = devices.map((device, index) => contact(device, index, repeats))
  const [registering] = devices
  const own = `REGISTER sip:ims.example SIP/2.0\r\nVia: SIP/2.0/TCP 192.0.2.1;branch=z9hG4bKu\r\nFrom: <${aor}>;tag=u\r\nTo: <${aor}>\r\nCall-ID: u@u\r\nCSeq: 1 REGISTER\r\n${registering === undefined ? '' : contact(registering, 0, true)}\r\nContent-Length: 0\r\n\r\n`
  const answer = `SIP/2.0 200 OK\r\nVia: SIP/2.0/TCP 192.0.2.1;branch=z9hG4bKu\r\nFrom: <${aor}>;tag=u\r\nTo: <${aor}>;tag=r\r\nCall-ID: u@u\r\nCSeq: 1 REGISTER\r\n${contacts.join('\r\n')}\r\nContent-Length: 0\r\n\r\n`
  request.append(Header.ContentType, composed('multipart/mixed;boundary=b1'))
  request.body = Buffer.from(`--b1\r\nContent-Type: message/sip\r\n\r\n${own}\r\n--b1\r\nContent-Type: message/sip\r\n\r\n${answer}\r\n--b1--\r\n`)
  return request
}
