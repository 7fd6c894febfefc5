/**
 * The ways of a fleet's terminals into the network: which flow serves whom, connections of one terminal that are opened
 * when it registers (RFC 5626 section 4.2.1) and closed when it leaves, keep-alive, and handover to another network.
 * Knows terminals and flows; what a REGISTER says is the fleet's.
 */
import type { Entropy } from '../../core/kit/entropy.js'
import type { FlowId, FlowUp, NetworkOut } from '../../core/kit/network.js'
import type { Micros, Now } from '../../core/kit/time.js'
import type { Hop } from '../../core/sip/endpoint-contract.js'
import { FleetFlows, FlowSlot } from './fleet-flows.js'
import type { FleetSettings } from './fleet-contract.js'
import { KeepAlive, KeepAlives } from './keep-alive.js'
import type { TerminalEvent, TerminalState } from './registration-table.js'
import { networkNumber, type Roster } from './roster.js'
import type { Terminal, TerminalHost } from './terminal.js'

/** What the ways ask of the fleet. */
export interface WaysHost extends TerminalHost {
  readonly entropy: Entropy
  readonly roster: Roster
  emit(out: NetworkOut): void
  /** Wakes `wake` below. */
  wakeAt(sleeper: object, at: Micros): void
  /** The flow of this terminal is gone, or is about to be; it has not been told yet. */
  flowLost(now: Now, terminal: Terminal): void
  /** No flow could be opened for its REGISTER. */
  cannotRegister(now: Now, terminal: Terminal): void
}

/** States in which a device is about to end its registration, and does that where it is. */
const LEAVING: ReadonlySet<TerminalState> = new Set(['leaving', 'deregistering', 'returning'])

export class Ways {
  private readonly flows: FleetFlows
  private readonly keepAlives: KeepAlives

  constructor(private readonly settings: FleetSettings, private readonly host: WaysHost) {
    const { entropy, roster } = host
    this.flows = new FleetFlows(settings, roster.owners, entropy, (out) => host.emit(out), (slot, at) => host.wakeAt(slot, at))
    this.keepAlives = new KeepAlives(entropy, (out) => host.emit(out), (keepAlive, at) => host.wakeAt(keepAlive, at))
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

  of(terminal: Terminal): FlowSlot {
    return this.flows.slots[terminal.flowSlot]!
  }

  isFromProxy(terminal: Terminal, source: Hop): boolean {
    return this.flows.isFromProxy(this.of(terminal), source)
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
    this.keepAlives.heard(now, flow)
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
    this.keepAlives.end(flow)
    for (const slot of this.flows.down(now, flow)) {
      for (const terminal of slot.owner === undefined ? this.host.roster.terminals : [slot.owner]) {
        if (terminal.flowSlot !== slot.index) continue
        this.host.flowLost(now, terminal)
        terminal.fire(now, 'flow-lost', this.host)
      }
    }
  }

  /** The way a REGISTER takes now; undefined when there is none. `later`: `sendRegister` is called again when its flow is up. */
  toRegister(terminal: Terminal, expirySeconds: number): Hop | undefined | 'later' {
    const slot = this.of(terminal)
    if (slot.owner === undefined || (slot.hop !== undefined && !slot.isSilent)) return slot.hop
    if (slot.isSilent) this.leave(slot)
    slot.awaitedExpirySeconds = expirySeconds
    this.flows.connect(slot)
    return 'later'
  }

  /** A registrar has said that it takes part in RFC 5626 (section 4.4: only then a flow is kept alive). */
  keepAlive(now: Now, terminal: Terminal): void {
    this.keepAlives.begin(now, this.of(terminal))
  }

  /** The terminal is off. */
  off(terminal: Terminal, event: TerminalEvent): void {
    const slot = this.of(terminal)
    if (slot.owner === undefined) return
    if (event !== 'vanish' || slot.flow === undefined) this.leave(slot)
    else {
      // Who vanishes closes nothing: the network finds out by itself.
      slot.isSilent = true
      this.keepAlives.end(slot.flow)
    }
  }

  /** Handover: the same device, Call-ID and reg-id in another network (undefined: home). What it does just now to leave it does where it is. */
  move(now: Now, terminal: Terminal, id: string | undefined): void {
    const network = networkNumber(this.settings.visited ?? [], id)
    if (terminal.network === network || LEAVING.has(terminal.state)) return
    const slot = this.of(terminal)
    this.host.flowLost(now, terminal)
    terminal.network = network
    if (slot.owner === undefined) terminal.flowSlot = this.flows.sharedIn(network, slot.index).index
    else {
      this.leave(slot)
      slot.network = network
    }
    terminal.fire(now, 'moved', this.host)
  }

  /** Closes it, or gives up opening it. */
  private leave(slot: FlowSlot): void {
    if (slot.flow !== undefined) this.keepAlives.end(slot.flow)
    this.flows.leave(slot)
  }
}
