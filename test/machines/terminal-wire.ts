/**
 * A fleet and the small registrar on one wire in time that only moves when told: every octet arrives at once and in
 * order. Tests look at what each side said and can cut the wire.
 */
import { Schema } from 'effect'
import { SeededEntropy } from '../../core/kit/entropy.js'
import { Fifo } from '../../core/kit/fifo.js'
import { TICK } from '../../core/kit/machine.js'
import type { Endpoint, FlowId, NetworkOut } from '../../core/kit/network.js'
import type { PeerCertificate } from '../../core/kit/peer-certificate.js'
import type { Micros, Now } from '../../core/kit/time.js'
import { systemCrypto } from '../../core/live/crypto.js'
import type { SipMessage } from '../../core/sip/message.js'
import { PopulationConfig, populationOf } from '../../sim/live/population-config.js'
import { Fleet } from '../../sim/terminal/fleet.js'
import type { FleetIn, FleetOut, FleetSettings, Settled } from '../../sim/terminal/fleet-contract.js'
import type { Population } from '../../sim/terminal/population.js'
import type { Terminal } from '../../sim/terminal/terminal.js'
import { MSRP_TICKET_FIRST } from '../../core/msrp/contract.js'
import { mustSettle } from './settling.js'
import { MSRP_PLACE, TerminalGateway } from './terminal-gateway.js'
import { SmallRegistrar, type Push, type RegistrarIn, type RegistrarOut, type SmallRegistrarSettings } from '../live/small-registrar.js'

const PROXY: Endpoint = { address: '192.0.2.5', port: 5060 }
/** Shown by the fleet where its settings give it this fingerprint, and by the gateway unless a test says otherwise. */
export const SHOWN: PeerCertificate = { sha256: Array.from({ length: 32 }, (_, index) => (index + 200).toString(16).toUpperCase()).join(':'), validFrom: 0, validTo: 4e12 }

const DEVICES: Endpoint = { address: '198.51.100.11', port: 40_000 }

export type Noted = Extract<FleetOut, { type: 'journal' }>

export interface TerminalWireOptions {
  readonly population?: typeof PopulationConfig.Encoded
  readonly fleet?: Partial<FleetSettings>
  readonly registrar?: Partial<SmallRegistrarSettings>
}

export class TerminalWire {
  readonly population: Population
  readonly fleet: Fleet
  readonly registrar: SmallRegistrar
  readonly gateway: TerminalGateway
  readonly journal: Noted[] = []
  readonly settled: Settled[] = []
  /** What was to be fetched. */
  readonly fetches: Extract<FleetOut, { type: 'fetch' }>[] = []
  readonly answers = new Map<number, { readonly status: number; readonly response: SipMessage | undefined }>()
  /** The fleet's last message on the wire. */
  lastSent = ''
  /** Connections the fleet asks for come up; else they fail. */
  reachable = true
  /** What the gateway shows over TLS. */
  gatewayShows = SHOWN
  mono: Micros = 1_000_000
  private readonly inputs = new Fifo<() => void>()
  private isRunning = false
  private flows = 0
  private sipFlow: FlowId = 0
  private tickets = 0
  /** Flows of MSRP, which lead to the gateway. */
  private readonly msrpFlows = new Set<FlowId>()

  constructor(options: TerminalWireOptions = {}) {
    this.population = populationOf(Schema.decodeSync(PopulationConfig)({ subscribers: 10, devicesPerSubscriber: { 1: 1 }, ...options.population }))
    const settings: FleetSettings = {
      shard: { index: 0, count: 1 }, proxy: PROXY, transport: 'tcp', connections: 1, backoff: { baseMicros: 30_000_000, maxMicros: 1_800_000_000 }, ...options.fleet,
    }
    this.fleet = new Fleet(settings, this.population, new SeededEntropy(1, 'fleet'), systemCrypto)
    this.registrar = new SmallRegistrar({
      domain: 'home1.example', algorithms: ['SHA-256', 'MD5'], passwordOf: (impi) => `secret-${impi.slice(4, 10)}`, expirySeconds: 3_600, ...options.registrar,
    }, new SeededEntropy(1, 'registrar'), systemCrypto)
    this.registrar.keepRegisters = true
    this.gateway = new TerminalGateway(this.registrar)
    if (settings.transport === 'udp') this.bringUp('udp', undefined)
    this.tellFleet(TICK)
  }

  get now(): Now {
    return { mono: this.mono, wall: 1_800_000_000_000 + Math.floor(this.mono / 1_000) }
  }

  tellFleet(input: FleetIn): void {
    this.inputs.push(() => {
      this.fleet.handle(this.now, input)
      for (let out = this.fleet.poll(); out !== undefined; out = this.fleet.poll()) this.fromFleet(out)
    })
    this.run()
  }

  tellRegistrar(input: RegistrarIn): void {
    this.inputs.push(() => {
      this.registrar.handle(this.now, input)
      this.drainGateway()
    })
    this.run()
  }

  /** Lets the gateway do something. */
  act<Result>(what: (gateway: TerminalGateway, now: Now) => Result): Result {
    let result: Result | undefined
    this.inputs.push(() => {
      result = what(this.gateway, this.now)
      this.drainGateway()
    })
    this.run()
    return result as Result
  }

  private drainGateway(): void {
    for (let out = this.registrar.poll(); out !== undefined; out = this.registrar.poll()) this.fromRegistrar(out)
    for (const out of this.gateway.out.splice(0)) {
      if (out.type === 'transmit') this.tellFleet({ type: 'bytes', flow: out.flow, bytes: out.bytes })
      else if (out.type === 'close') this.closeMsrp(out.flow)
    }
  }

  /** One input after the other: a machine's outputs are drained before anyone hears of them. */
  private run(): void {
    if (this.isRunning) return
    this.isRunning = true
    let steps = 0
    for (let next = this.inputs.shift(); next !== undefined; next = this.inputs.shift()) {
      mustSettle(++steps, this.pending)
      next()
    }
    this.isRunning = false
  }

  /** Lets time pass, waking each side when it asked to be woken. */
  pass(micros: Micros): void {
    const end = this.mono + micros
    for (let turns = 0; ; turns++) {
      mustSettle(turns, this.pending)
      const next = Math.min(this.fleet.deadline(), this.registrar.deadline(), this.gateway.deadline())
      if (next > end) break
      this.mono = Math.max(this.mono, next)
      if (this.fleet.deadline() <= this.mono) this.tellFleet(TICK)
      if (this.registrar.deadline() <= this.mono) this.tellRegistrar(TICK)
      if (this.gateway.deadline() <= this.mono) this.act((gateway, now) => gateway.tick(now))
    }
    this.mono = end
  }

  private readonly pending = (): string => {
    const wants = [this.fleet, this.registrar, this.gateway].map((machine) => machine.deadline() - this.mono)
    return `fleet, registrar and gateway want to be woken in ${wants.join(', ')} µs; last sent was ${this.lastSent.split('\r\n', 1)[0]!}`
  }

  /** Registers everybody who is to be on and returns how that went. */
  register(perSecond = 1_000, withinMicros = 60_000_000): Settled | undefined {
    this.tellFleet({ type: 'register', ticket: ++this.tickets, perSecond, withinMicros })
    this.pass(2_000_000)
    return this.settled.find((each) => each.ticket === this.tickets)
  }

  /** Sends a push to a subscriber's device; returns the ticket its answer comes under. */
  push(subscriber: number, push: Partial<Push> = {}): number {
    const ticket = ++this.tickets
    const contact = [...this.registrar.bindings.keys()].find((uri) => uri.startsWith(`sip:ue-${subscriber}-0@`)) ?? ''
    this.tellRegistrar({ type: 'push', push: { ticket, contact, target: this.population.impu(subscriber), pushId: `p${ticket}@test`, ...push } })
    return ticket
  }

  statusOf(ticket: number): number | undefined {
    return this.answers.get(ticket)?.status
  }

  terminal(index = 0): Terminal {
    return this.fleet.roster.terminals[index]!
  }

  /** Ends the SIP connection that came up last, on both sides. */
  cut(): void {
    const flow = this.sipFlow
    this.tellRegistrar({ type: 'flow-down', flow, reason: 'cut' })
    this.tellFleet({ type: 'flow-down', flow, reason: 'cut' })
  }

  private bringUpMsrp({ ticket, remote, transport }: Extract<FleetOut, { type: 'connect' }>): void {
    const flow: FlowId = ++this.flows
    const isReached = this.reachable && remote.address === MSRP_PLACE.address && remote.port === MSRP_PLACE.port
    if (!isReached) return this.tellFleet({ type: 'connect-failed', ticket, reason: 'unreachable' })
    this.msrpFlows.add(flow)
    this.act((gateway, now) => gateway.msrp.input(now, { type: 'flow-up', flow, transport, local: MSRP_PLACE, remote: DEVICES, ticket: undefined, ...(transport === 'tls' ? { certificate: SHOWN } : {}) }))
    this.tellFleet({ type: 'flow-up', flow, transport, local: DEVICES, remote, ticket, ...(transport === 'tls' ? { certificate: this.gatewayShows } : {}) })
  }

  /** Ends an MSRP connection on both sides. */
  closeMsrp(flow: FlowId = [...this.msrpFlows].at(-1)!): void {
    if (!this.msrpFlows.delete(flow)) return
    this.act((gateway, now) => gateway.msrp.input(now, { type: 'flow-down', flow, reason: 'closed' }))
    this.tellFleet({ type: 'flow-down', flow, reason: 'closed' })
  }

  /** Octets to the fleet over the MSRP connection that came up last. */
  writeMsrp(bytes: Buffer): void {
    const flow = [...this.msrpFlows].at(-1)
    if (flow !== undefined) this.tellFleet({ type: 'bytes', flow, bytes })
  }

  get msrpConnections(): number {
    return this.msrpFlows.size
  }

  private bringUp(transport: 'udp' | 'tcp', ticket: number | undefined): void {
    const flow: FlowId = ++this.flows
    this.sipFlow = flow
    const ends = (from: Endpoint, to: Endpoint) => ({ type: 'flow-up', flow, transport, local: from, remote: transport === 'tcp' ? to : undefined }) as const
    this.tellRegistrar({ ...ends(PROXY, DEVICES), ticket: undefined })
    this.tellFleet({ ...ends(DEVICES, PROXY), ticket })
  }

  private fromFleet(out: FleetOut): void {
    if (out.type === 'journal') this.journal.push(out)
    else if (out.type === 'settled') this.settled.push(out)
    else if (out.type === 'fetch') this.fetches.push(out)
    else if (out.type === 'connect' && out.ticket >= MSRP_TICKET_FIRST) this.bringUpMsrp(out)
    else if (out.type === 'close') this.closeMsrp(out.flow)
    else if (out.type === 'connect') {
      if (this.reachable) this.bringUp('tcp', out.ticket)
      else this.tellFleet({ type: 'connect-failed', ticket: out.ticket, reason: 'unreachable' })
    } else {
      if (this.msrpFlows.has(out.flow)) return this.act((gateway, now) => gateway.msrp.input(now, { type: 'bytes', flow: out.flow, bytes: out.bytes }))
      this.lastSent = out.bytes.toString('latin1')
      this.carry(out, (input) => this.tellRegistrar(input), DEVICES)
    }
  }

  private fromRegistrar(out: RegistrarOut): void {
    if (out.type === 'answered') this.answers.set(out.ticket, out)
    else this.carry(out, (input) => this.tellFleet(input), PROXY)
  }

  private carry(out: NetworkOut, tell: (input: FleetIn & RegistrarIn) => void, from: Endpoint): void {
    if (out.type === 'transmit') tell({ type: 'bytes', flow: out.flow, bytes: out.bytes, ...(out.to === undefined ? {} : { from }) })
  }
}
