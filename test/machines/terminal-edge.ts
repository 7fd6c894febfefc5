/**
 * One device that registers by RFC 5626, and an edge proxy of which the test says whether it accepts connections, answers
 * keep-alives and takes part in RFC 5626. Time moves when told.
 */
import { Schema } from 'effect'
import { SeededEntropy } from '../../core/kit/entropy.js'
import { TICK } from '../../core/kit/machine.js'
import type { Endpoint, FlowId, NetworkOut, Transport } from '../../core/kit/network.js'
import type { Micros } from '../../core/kit/time.js'
import { systemCrypto } from '../../core/live/crypto.js'
import { Header } from '../../core/sip/header-names.js'
import { composed } from '../../core/sip/header-text.js'
import type { SipMessage } from '../../core/sip/message.js'
import { parseMessage } from '../../core/sip/parse.js'
import { bindingAnswer, isStun, readStun } from '../../core/sip/stun.js'
import { responseTo, writeMessage } from '../../core/sip/write.js'
import { PopulationConfig, populationOf } from '../../sim/live/population-config.js'
import { Fleet } from '../../sim/terminal/fleet.js'
import type { FleetIn } from '../../sim/terminal/fleet-contract.js'

export const SECOND: Micros = 1_000_000
export const HOME = { address: '192.0.2.5', port: 5_060 }
export const VISITED = { id: 'visited1.example', proxy: { address: '192.0.2.6', port: 5_060 } }

export interface EdgeOptions {
  readonly flows?: number
  readonly furtherProxy?: Endpoint
}

export class Edge {
  readonly fleet: Fleet
  readonly registers: { readonly flow: FlowId; readonly message: SipMessage }[] = []
  readonly answers: SipMessage[] = []
  readonly pings: Micros[] = []
  /** Flows of the pings, and over UDP what they hold. */
  readonly pinged: { readonly flow: FlowId; readonly bytes: Buffer; readonly to: Endpoint | undefined }[] = []
  readonly opened: { readonly flow: FlowId; readonly proxy: string }[] = []
  readonly closed: FlowId[] = []
  reachable = true
  pongs = true
  outbound = true
  /** Told in each 200. */
  flowTimer = ''
  /** Contacts of other bindings, listed before the one just registered. */
  readonly others: string[] = []
  /** Proxies that accept no connection, by port. */
  readonly deaf = new Set<number>()
  /** Where a NAT lets a datagram of each socket come from. */
  readonly mapped = new Map<FlowId, Endpoint>()
  readonly journal: string[] = []
  mono = SECOND
  private readonly remotes = new Map<FlowId, Endpoint>()
  private flows = 0

  constructor(readonly transport: Transport = 'tcp', options: EdgeOptions = {}) {
    const population = populationOf(Schema.decodeSync(PopulationConfig)({ subscribers: 1, devicesPerSubscriber: { 1: 1 }, access: { ownConnections: 1 } }))
    const settings = { shard: { index: 0, count: 1 }, proxy: HOME, visited: [VISITED], transport, connections: 1, ...options, backoff: { baseMicros: 30 * SECOND, maxMicros: 1_800 * SECOND } }
    this.fleet = new Fleet(settings, population, new SeededEntropy(3), systemCrypto)
    for (let socket = 0; transport === 'udp' && socket < (options.flows ?? 1); socket++) {
      this.tell({ type: 'flow-up', flow: ++this.flows, transport: 'udp', local: { address: '198.51.100.1', port: 40_000 + socket }, remote: undefined, ticket: undefined })
    }
    this.tell(TICK)
  }

  tell(input: FleetIn): void {
    this.fleet.handle({ mono: this.mono, wall: this.mono / 1_000 }, input)
    for (let out = this.fleet.poll(); out !== undefined; out = this.fleet.poll()) {
      if (out.type === 'connect' || out.type === 'transmit' || out.type === 'close') this.network(out)
      else if (out.type === 'journal') this.journal.push(`${out.event}${out.event === 'received' ? ` ${out.pushId} ${out.details[3]}` : ''}`)
    }
  }

  pass(micros: Micros): void {
    const until = this.mono + micros
    for (let at = this.fleet.deadline(); at <= until; at = this.fleet.deadline()) {
      this.mono = Math.max(this.mono, at)
      this.tell(TICK)
    }
    this.mono = until
  }

  to(state: 'on' | 'off' | 'vanished'): void {
    this.tell({ type: 'switch', subscriber: 0, to: state })
  }

  /** The flow of the device itself, which is opened after those that are shared. */
  get own(): FlowId {
    return this.opened.at(-1)!.flow
  }

  message(flow: FlowId, pushId = `${flow}-${this.mono}`): void {
    const text = `MESSAGE ${'sip:ue-0-0@198.51.100.1:40000'} SIP/2.0\r\nX-Push-Id: ${pushId}\r\nVia: SIP/2.0/TCP 192.0.2.5;branch=z9hG4bK${flow}-${this.mono}\r\nMax-Forwards: 9\r\nFrom: <sip:p@x>;tag=1\r\n`
      + `To: <sip:user000000@home1.example>\r\nCall-ID: ${flow}${this.mono}\r\nCSeq: 1 MESSAGE\r\nP-Asserted-Identity: <sip:p@x>\r\nContent-Length: 0\r\n\r\n`
    this.tell({ type: 'bytes', flow, bytes: Buffer.from(text) })
  }

  private network(out: NetworkOut): void {
    if (out.type === 'connect') {
      if (!this.reachable || this.deaf.has(out.remote.port)) return this.tell({ type: 'connect-failed', ticket: out.ticket, reason: 'nobody is there' })
      const flow = ++this.flows
      this.opened.push({ flow, proxy: out.remote.address })
      this.remotes.set(flow, out.remote)
      this.tell({ type: 'flow-up', flow, transport: out.transport, local: { address: '198.51.100.1', port: 40_000 + flow }, remote: out.remote, ticket: out.ticket })
    } else if (out.type === 'close') {
      this.closed.push(out.flow)
      this.tell({ type: 'flow-down', flow: out.flow, reason: 'closed' })
    } else this.octets(out.flow, out.bytes, out.to)
  }

  private octets(flow: FlowId, bytes: Buffer, to: Endpoint | undefined): void {
    if (bytes.toString() === '\r\n\r\n' || isStun(bytes)) {
      this.pings.push(this.mono)
      this.pinged.push({ flow, bytes, to })
      if (this.pongs) this.pong(flow, bytes, to)
      return
    }
    const message = parseMessage(bytes).message!
    if (!message.isRequest) {
      this.answers.push(message)
      return
    }
    this.registers.push({ flow, message })
    const response = responseTo(message, 200, undefined, 'edge')
    for (const other of this.others) response.append(Header.Contact, composed(other))
    for (const contact of message.getAll(Header.Contact)) response.append(Header.Contact, composed(`${contact};expires=${message.get(Header.Expires)}`))
    if (this.outbound) response.append(Header.Require, composed('outbound'))
    if (this.flowTimer !== '') response.append(Header.FlowTimer, composed(this.flowTimer))
    this.tell({ type: 'bytes', flow, bytes: writeMessage(response), ...(to === undefined ? {} : { from: to }) })
  }

  private pong(flow: FlowId, bytes: Buffer, to: Endpoint | undefined): void {
    if (to === undefined) return this.tell({ type: 'bytes', flow, bytes: Buffer.from('\r\n') })
    this.tell({ type: 'bytes', flow, bytes: bindingAnswer(readStun(bytes)!, this.mapped.get(flow) ?? { address: '203.0.113.1', port: 9 }), from: to })
  }

  /** Where a flow leads. */
  portOf(flow: FlowId): number | undefined {
    return this.remotes.get(flow)?.port
  }

  /** The other side ends a flow. */
  cut(flow: FlowId): void {
    this.tell({ type: 'flow-down', flow, reason: 'cut' })
  }
}
