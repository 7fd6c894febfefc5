/**
 * The ways of a fleet's terminals into the network: which flow serves whom, connections of one terminal that are opened
 * when it registers (RFC 5626 section 4.2.1) and closed when it leaves, keep-alive, and handover to another network.
 * Knows terminals and flows; what a REGISTER says is the fleet's.
 */
import type { Entropy } from '../../core/kit/entropy.js'
import type { Endpoint, FlowId, FlowUp, NetworkOut } from '../../core/kit/network.js'
import type { Micros, Now } from '../../core/kit/time.js'
import type { Hop } from '../../core/sip/endpoint-contract.js'
import { readStun } from '../../core/sip/stun.js'
import { FleetFlows, FlowSlot } from './fleet-flows.js'
import type { FleetSettings } from './fleet-contract.js'
import type { FlowRegistration, TerminalHost } from './flow-registration.js'
import { KeepAlive, KeepAlives } from './keep-alive.js'
import type { TerminalEvent, TerminalState } from './registration-table.js'
import { networkNumber, type Roster } from './roster.js'
import type { Terminal } from './terminal.js'

/** What the ways ask of the fleet. */
export interface WaysHost extends TerminalHost {
  readonly entropy: Entropy
  readonly roster: Roster
  emit(out: NetworkOut): void
  /** Wakes `wake` below. */
  wakeAt(sleeper: object, at: Micros): void
  /** This flow of the terminal is gone, or, undefined, all it has are about to be; it has not been told yet. */
  flowLost(now: Now, terminal: Terminal, flow: FlowId | undefined): void
  /** No flow could be opened for its REGISTER. */
  cannotRegister(now: Now, registration: FlowRegistration): void
}

/** States in which a device is about to end its registration, and does that where it is. */
const LEAVING: ReadonlySet<TerminalState> = new Set(['leaving', 'deregistering', 'returning'])

export class Ways {
  private readonly flows: FleetFlows
  private readonly keepAlives: KeepAlives

  constructor(private readonly settings: FleetSettings, private readonly host: WaysHost) {
    const { entropy, roster } = host
    this.flows = new FleetFlows(settings, roster.owners, entropy, (out) => host.emit(out), (slot, at) => host.wakeAt(slot, at))
    this.keepAlives = new KeepAlives({
      entropy, emit: (out) => host.emit(out), wakeAt: (keepAlive, at) => host.wakeAt(keepAlive, at), failed: (now, slot) => this.failed(now, slot),
    })
  }

  get sentBy(): string {
    return this.flows.sentBy
  }

  get upCount(): number {
    return this.flows.upCount
  }

  /** Connections being opened. */
  get openingCount(): number {
    return this.flows.openingCount
  }

  /** Are all the shared flows up? */
  get areUp(): boolean {
    return this.flows.areUp
  }

  of(registration: FlowRegistration): FlowSlot {
    return this.flows.slots[registration.flowSlot]!
  }

  /** Of a terminal's flows the first that it is registered over and that is up; its first when there is none. */
  best(terminal: Terminal): FlowSlot {
    const first = this.of(terminal)
    if (terminal.isBound && first.hop !== undefined) return first
    for (const flow of terminal.further ?? []) if (flow.isBound && this.of(flow).hop !== undefined) return this.of(flow)
    return first
  }

  isUp(flow: FlowId): boolean {
    return this.flows.isUp(flow)
  }

  /** Did it come over one of the terminal's flows, from the proxy at its end? */
  isFromProxy(terminal: Terminal, source: Hop): boolean {
    if (this.flows.isFromProxy(this.of(terminal), source)) return true
    return terminal.further?.some((flow) => this.flows.isFromProxy(this.of(flow), source)) === true
  }

  /** Did it come from a network the terminal is not in any more? */
  isFromElsewhere(terminal: Terminal, source: Hop): boolean {
    return this.flows.isFromElsewhere(this.of(terminal), source)
  }

  /** False when there is nobody of ours to wake. */
  wake(now: Now, sleeper: object): boolean {
    if (sleeper instanceof FlowSlot) this.flows.connect(sleeper)
    else if (sleeper instanceof KeepAlive) this.keepAlives.wake(now, sleeper)
    else return false
    return true
  }

  /** Octets came over this flow. */
  heard(now: Now, flow: FlowId): void {
    const slot = this.keepAlives.isAwaiting ? this.flows.slotOf(flow) : undefined
    if (slot !== undefined) this.keepAlives.heard(now, slot)
  }

  /** A datagram that is STUN and not SIP: the answer to a keep-alive, or nothing. */
  stun(now: Now, flow: FlowId, bytes: Buffer, from: Endpoint): void {
    const message = this.keepAlives.isAwaiting ? readStun(bytes) : undefined
    if (message === undefined) return
    const source = { transport: 'udp', ...from, flow } as const
    for (const slot of this.flows.sharedOnes()) if (this.flows.isFromProxy(slot, source)) this.keepAlives.stun(now, slot, message)
  }

  /** To be told after the endpoint was: what waits for the flow is sent over it. */
  up(now: Now, input: FlowUp): void {
    const slot = this.flows.up(input)
    if (slot?.owner === undefined) return
    const { awaitedExpirySeconds } = slot
    slot.awaitedExpirySeconds = undefined
    if (awaitedExpirySeconds !== undefined) this.host.sendRegister(now, slot.owner, awaitedExpirySeconds)
  }

  connectFailed(now: Now, ticket: number): void {
    const slot = this.flows.connectFailed(now, ticket)
    if (slot?.owner === undefined || slot.awaitedExpirySeconds === undefined) return
    slot.awaitedExpirySeconds = undefined
    this.host.cannotRegister(now, slot.owner)
  }

  down(now: Now, flow: FlowId): void {
    for (const slot of this.flows.down(now, flow)) {
      this.keepAlives.end(slot)
      for (const registration of this.over(slot)) this.lost(now, registration, flow)
    }
  }

  /** Keep-alive has found a flow dead (RFC 5626 section 4.4). A socket stays, but what was registered over it leads nowhere. */
  private failed(now: Now, slot: FlowSlot): void {
    const flow = slot.flow!
    if (this.settings.transport !== 'udp') this.host.emit({ type: 'close', flow })
    else for (const registration of this.over(slot)) if (registration.regId > 0) this.lost(now, registration, flow)
  }

  private lost(now: Now, registration: FlowRegistration, flow: FlowId): void {
    this.host.flowLost(now, registration.terminal, flow)
    registration.fire(now, 'flow-lost', this.host)
  }

  /** Whose registrations go over a slot. */
  private *over(slot: FlowSlot): Generator<FlowRegistration> {
    if (slot.owner !== undefined) return yield slot.owner
    for (const terminal of this.host.roster.terminals) {
      if (terminal.flowSlot === slot.index) yield terminal
      for (const flow of terminal.further ?? []) if (flow.flowSlot === slot.index) yield flow
    }
  }

  /** The way a REGISTER takes now; undefined when there is none. `later`: `sendRegister` is called again when its flow is up. */
  toRegister(registration: FlowRegistration, expirySeconds: number): Hop | undefined | 'later' {
    const slot = this.of(registration)
    if (slot.owner === undefined || (slot.hop !== undefined && !slot.isSilent)) return slot.hop
    if (slot.isSilent) this.leave(slot)
    slot.awaitedExpirySeconds = expirySeconds
    this.flows.connect(slot)
    return 'later'
  }

  /** The network has said that it takes part in RFC 5626 (section 4.4: only then a flow is kept alive), and how often it wants to hear of it. */
  keepAlive(now: Now, registration: FlowRegistration, flowTimerSeconds: number | undefined): void {
    this.keepAlives.begin(now, this.of(registration), flowTimerSeconds)
  }

  /** The registration has ended with its device. */
  off(registration: FlowRegistration, event: TerminalEvent): void {
    const slot = this.of(registration)
    if (slot.owner === undefined) return
    if (event !== 'vanish' || slot.flow === undefined) this.leave(slot)
    else {
      // Who vanishes closes nothing: the network finds out by itself.
      slot.isSilent = true
      this.keepAlives.end(slot)
    }
  }

  /** Handover: the same device, Call-ID and reg-ids in another network (undefined: home). What it does just now to leave it does where it is. */
  move(now: Now, terminal: Terminal, id: string | undefined): void {
    const network = networkNumber(this.settings.visited ?? [], id)
    if (terminal.network === network || LEAVING.has(terminal.state)) return
    this.host.flowLost(now, terminal, undefined)
    terminal.network = network
    const registrations = [terminal, ...terminal.further ?? []]
    for (const registration of registrations) {
      const slot = this.of(registration)
      if (slot.owner === undefined) registration.flowSlot = this.flows.sharedIn(network, slot.index).index
      else {
        this.leave(slot)
        slot.network = network
      }
    }
    for (const registration of registrations) if (!LEAVING.has(registration.state)) registration.fire(now, 'moved', this.host)
  }

  /** Closes it, or gives up opening it. */
  private leave(slot: FlowSlot): void {
    this.keepAlives.end(slot)
    this.flows.leave(slot)
  }
}
