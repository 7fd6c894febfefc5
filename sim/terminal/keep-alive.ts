/**
 * Keep-alive of flows that were registered with outbound (RFC 5626 sections 3.5 and 4.4.1): a double CRLF at random
 * intervals, over streams answered by a CRLF or the flow is given up. Over UDP the double CRLF stands in for STUN: it keeps
 * a way through a NAT open, but tells no failure. Knows flows and octets.
 */
import type { Entropy } from '../../core/kit/entropy.js'
import type { FlowId, NetworkOut } from '../../core/kit/network.js'
import { MICROS_PER_SECOND, type Micros, type Now } from '../../core/kit/time.js'
import type { FlowSlot } from './fleet-flows.js'

/** RFC 5626 section 4.4.1: where nobody says otherwise, 95 to 120 s over streams; section 4.4.2: 24 to 29 s over UDP. */
const STREAM_SECONDS = { from: 95, to: 120 } as const
const DATAGRAM_SECONDS = { from: 24, to: 29 } as const
/** RFC 5626 section 4.4.1: no answer for so long, and the flow has failed. */
const PONG_WITHIN_MICROS: Micros = 10 * MICROS_PER_SECOND

const PING = '\r\n\r\n'

/** One flow that is kept alive; what the fleet's heap wakes. */
export class KeepAlive {
  isAwaiting = false
  /** What it waits for now; a wake before that was for something that is over. */
  dueAt: Micros = 0

  constructor(readonly slot: FlowSlot, readonly flow: FlowId) {}
}

export class KeepAlives {
  private readonly byFlow = new Map<FlowId, KeepAlive>()
  /** Flows whose answer is awaited: nothing else has to look at what comes. */
  private awaiting = 0

  constructor(private readonly entropy: Entropy, private readonly emit: (out: NetworkOut) => void, private readonly wakeAt: (keepAlive: KeepAlive, at: Micros) => void) {}

  /** The slot's flow is to be kept alive from now on; it may be already. */
  begin(now: Now, slot: FlowSlot): void {
    const { flow } = slot
    if (flow === undefined || this.byFlow.has(flow)) return
    const keepAlive = new KeepAlive(slot, flow)
    this.byFlow.set(flow, keepAlive)
    this.rest(now, keepAlive)
  }

  /** The flow is gone, or silent from now on. */
  end(flow: FlowId): void {
    const keepAlive = this.byFlow.get(flow)
    if (keepAlive === undefined) return
    if (keepAlive.isAwaiting) this.awaiting -= 1
    this.byFlow.delete(flow)
  }

  /** Octets came: whatever they are, the flow lives. */
  heard(now: Now, flow: FlowId): void {
    if (this.awaiting === 0) return
    const keepAlive = this.byFlow.get(flow)
    if (keepAlive?.isAwaiting !== true) return
    keepAlive.isAwaiting = false
    this.awaiting -= 1
    this.rest(now, keepAlive)
  }

  wake(now: Now, keepAlive: KeepAlive): void {
    const { flow, slot } = keepAlive
    if (this.byFlow.get(flow) !== keepAlive || now.mono < keepAlive.dueAt || slot.hop === undefined) return
    if (keepAlive.isAwaiting) {
      this.end(flow)
      this.emit({ type: 'close', flow })
      return
    }
    const bytes = Buffer.from(PING, 'latin1')
    if (slot.hop.transport === 'udp') {
      this.emit({ type: 'transmit', flow, bytes, to: { address: slot.hop.address, port: slot.hop.port } })
      this.rest(now, keepAlive)
      return
    }
    this.emit({ type: 'transmit', flow, bytes })
    keepAlive.isAwaiting = true
    this.awaiting += 1
    this.due(keepAlive, now.mono + PONG_WITHIN_MICROS)
  }

  private rest(now: Now, keepAlive: KeepAlive): void {
    const { from, to } = keepAlive.slot.hop?.transport === 'udp' ? DATAGRAM_SECONDS : STREAM_SECONDS
    this.due(keepAlive, now.mono + Math.round((from + this.entropy.unit() * (to - from)) * MICROS_PER_SECOND))
  }

  private due(keepAlive: KeepAlive, at: Micros): void {
    keepAlive.dueAt = at
    this.wakeAt(keepAlive, at)
  }
}
