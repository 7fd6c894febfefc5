/**
 * The MSRP connections of a fleet's terminals: one endpoint they share, and one for each misbehaviour that shows in MSRP, on
 * connections of its own, so that a bad peer costs a good one nothing. Knows flows and endpoints, not what is received.
 */
import type { FlowId, NetworkIn, NetworkOut } from '../../core/kit/network.js'
import type { Micros, Now } from '../../core/kit/time.js'
import { MSRP_TICKET_FIRST, type MsrpSession, type MsrpUser, type SessionOptions } from '../../core/msrp/contract.js'
import { MsrpEndpoint } from '../../core/msrp/endpoint.js'
import type { UsageHost } from './host.js'
import type { Misbehaviour } from './misbehaviour.js'
import { reportedLess } from './wrong-ranges.js'

/** Tickets of one endpoint's connects; the next one's begin behind them. */
const TICKETS_PER_LANE = 100_000_000

/** Misbehaviours that show in what leaves over a connection, or in its end. */
const CROOKED: readonly (Misbehaviour | undefined)[] = [undefined, 'answers-twice', 'closes-mid-chunk', 'wrong-ranges']

class Lane {
  readonly endpoint: MsrpEndpoint
  readonly flows = new Set<FlowId>()

  constructor(readonly index: number, readonly misbehaviour: Misbehaviour | undefined, host: UsageHost, user: MsrpUser) {
    this.endpoint = new MsrpEndpoint({
      // Terminals accept no connection, so nobody is told where one would go.
      ours: () => 'terminals.invalid:9', accepts: () => false, entropy: host.entropy, user, emit: (out) => this.emit(host, out),
    })
  }

  private emit(host: UsageHost, out: NetworkOut): void {
    if (out.type === 'connect') return host.emit({ ...out, ticket: out.ticket + this.index * TICKETS_PER_LANE })
    if (out.type !== 'transmit') return host.emit(out)
    if (this.misbehaviour === 'wrong-ranges') return host.emit({ ...out, bytes: reportedLess(out.bytes) })
    host.emit(out)
    if (this.misbehaviour === 'answers-twice') host.emit({ ...out, bytes: Buffer.from(out.bytes) })
  }
}

export class Media {
  private readonly lanes: (Lane | undefined)[] = []
  private readonly byFlow = new Map<FlowId, Lane>()

  constructor(private readonly host: UsageHost, private readonly user: MsrpUser) {}

  get openSessions(): number {
    return this.lanes.reduce((total, lane) => total + (lane?.endpoint.openSessions ?? 0), 0)
  }

  get connections(): number {
    return this.lanes.reduce((total, lane) => total + (lane?.endpoint.connections ?? 0), 0)
  }

  deadline(): Micros {
    return this.lanes.reduce((next, lane) => Math.min(next, lane?.endpoint.deadline() ?? Infinity), Infinity)
  }

  tick(now: Now): void {
    for (const lane of this.lanes) lane?.endpoint.tick(now)
  }

  session(misbehaviour: Misbehaviour | undefined, options: SessionOptions): MsrpSession {
    const index = Math.max(0, CROOKED.indexOf(misbehaviour))
    const lane = (this.lanes[index] ??= new Lane(index, CROOKED[index], this.host, this.user))
    return lane.endpoint.session(options)
  }

  /** False for what is no connection of ours. */
  input(now: Now, input: NetworkIn): boolean {
    if (input.type === 'flow-up' || input.type === 'connect-failed') {
      const lane = input.ticket === undefined ? undefined : this.lanes[Math.floor((input.ticket - MSRP_TICKET_FIRST) / TICKETS_PER_LANE)]
      if (lane === undefined) return false
      if (input.type === 'flow-up') {
        this.byFlow.set(input.flow, lane)
        lane.flows.add(input.flow)
      }
      lane.endpoint.input(now, { ...input, ticket: input.ticket! - lane.index * TICKETS_PER_LANE })
      return true
    }
    const lane = this.byFlow.get(input.flow)
    if (lane === undefined) return false
    if (input.type === 'flow-down') {
      this.byFlow.delete(input.flow)
      lane.flows.delete(input.flow)
    }
    lane.endpoint.input(now, input)
    return true
  }

  /** Closes the connections of those who close in the middle. */
  cut(): void {
    for (const lane of this.lanes) {
      if (lane?.misbehaviour !== 'closes-mid-chunk') continue
      for (const flow of lane.flows) this.host.emit({ type: 'close', flow })
    }
  }
}
