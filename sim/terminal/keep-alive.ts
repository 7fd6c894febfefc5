/**
 * Keep-alive of flows that were registered with outbound (RFC 5626 sections 3.5 and 4.4): over streams a double CRLF that a
 * CRLF answers, over UDP a STUN Binding request; at random times the Flow-Timer allows. Says when a flow has failed: no
 * answer, or a NAT has changed what the other side sees. Knows flows and octets, not who uses them.
 */
import type { Entropy } from '../../core/kit/entropy.js'
import type { Endpoint, FlowId, NetworkOut } from '../../core/kit/network.js'
import { MICROS_PER_SECOND, type Micros, type Now } from '../../core/kit/time.js'
import { STUN_TRANSACTION_OCTETS, bindingRequest, type StunMessage } from '../../core/sip/stun.js'
import type { FlowSlot } from './fleet-flows.js'

/** RFC 5626 sections 4.4.1 and 4.4.2: where no Flow-Timer says otherwise. */
const STREAM_SECONDS = { from: 95, to: 120 } as const
const DATAGRAM_SECONDS = { from: 24, to: 29 } as const
/** RFC 5626 section 4.4: between 80 and 100 % of a Flow-Timer. */
const FLOW_TIMER_FROM = 0.8
/** RFC 5626 section 4.4.1: no answer for so long, and the flow has failed. */
const PONG_WITHIN_MICROS: Micros = 10 * MICROS_PER_SECOND
/** RFC 8489 section 6.2.1: RTO, Rc and Rm. */
const STUN_RTO_MICROS: Micros = MICROS_PER_SECOND / 2
const STUN_REQUESTS = 7
const STUN_LAST_WAIT = 16

const PING = '\r\n\r\n'

/** One flow that is kept alive; what the fleet's heap wakes. */
export class KeepAlive {
  /** What it waits for now; a wake before that was for something that is over. */
  dueAt: Micros = 0
  /** Pings sent that nothing has answered. */
  unanswered = 0
  /** STUN: of the request that is sent until it is answered, and what the last answer said. */
  transaction: Buffer | undefined = undefined
  mapped: Endpoint | undefined = undefined

  /** @param flowTimerSeconds undefined where nobody told one */
  constructor(readonly slot: FlowSlot, readonly flow: FlowId, public flowTimerSeconds: number | undefined) {}
}

export interface KeepAliveHost {
  readonly entropy: Entropy
  emit(out: NetworkOut): void
  wakeAt(keepAlive: KeepAlive, at: Micros): void
  /** The flow has failed; it is not kept alive any more. */
  failed(now: Now, slot: FlowSlot): void
}

export class KeepAlives {
  private readonly bySlot = new Map<FlowSlot, KeepAlive>()
  /** Flows whose answer is awaited. */
  private awaiting = 0

  constructor(private readonly host: KeepAliveHost) {}

  /** While this is false, what comes need not be looked at. */
  get isAwaiting(): boolean {
    return this.awaiting > 0
  }

  /** The slot's flow is to be kept alive from now on, as often as the Flow-Timer says; it may be already. */
  begin(now: Now, slot: FlowSlot, flowTimerSeconds: number | undefined): void {
    const { flow } = slot
    if (flow === undefined) return
    const known = this.bySlot.get(slot)
    if (known === undefined) {
      const keepAlive = new KeepAlive(slot, flow, flowTimerSeconds)
      this.bySlot.set(slot, keepAlive)
      this.rest(now, keepAlive)
    } else if (known.flowTimerSeconds !== flowTimerSeconds) {
      known.flowTimerSeconds = flowTimerSeconds
      if (known.unanswered === 0) this.rest(now, known)
    }
  }

  /** Its flow is gone, or silent from now on. */
  end(slot: FlowSlot): void {
    const keepAlive = this.bySlot.get(slot)
    if (keepAlive === undefined) return
    if (keepAlive.unanswered > 0) this.awaiting -= 1
    this.bySlot.delete(slot)
  }

  /** Octets came over a stream: whatever they are, the flow lives. */
  heard(now: Now, slot: FlowSlot): void {
    const keepAlive = this.bySlot.get(slot)
    if (keepAlive === undefined || keepAlive.unanswered === 0) return
    this.awaiting -= 1
    this.rest(now, keepAlive)
  }

  /** A STUN message came from where the slot's requests go. One that answers nothing is dropped. */
  stun(now: Now, slot: FlowSlot, { kind, transaction, mapped, unknown }: StunMessage): void {
    const keepAlive = this.bySlot.get(slot)
    if (keepAlive?.transaction === undefined || !keepAlive.transaction.equals(transaction)) return
    // RFC 8489 section 6.3.3: what it does not understand makes an answer no success.
    if (kind !== 'success' || mapped === undefined || unknown.length > 0) return
    const before = keepAlive.mapped
    // RFC 5626 section 4.4.2: behind another address, nothing that was registered leads here.
    if (before !== undefined && (before.address !== mapped.address || before.port !== mapped.port)) return this.fail(now, keepAlive)
    keepAlive.mapped = mapped
    this.awaiting -= 1
    this.rest(now, keepAlive)
  }

  wake(now: Now, keepAlive: KeepAlive): void {
    const { slot } = keepAlive
    if (this.bySlot.get(slot) !== keepAlive || now.mono < keepAlive.dueAt || slot.hop === undefined) return
    const isDatagram = slot.hop.transport === 'udp'
    if (keepAlive.unanswered >= (isDatagram ? STUN_REQUESTS : 1)) return this.fail(now, keepAlive)
    if (isDatagram) this.ask(keepAlive, slot.hop)
    else this.host.emit({ type: 'transmit', flow: keepAlive.flow, bytes: Buffer.from(PING, 'latin1') })
    keepAlive.unanswered += 1
    if (keepAlive.unanswered === 1) this.awaiting += 1
    this.due(keepAlive, now.mono + (isDatagram ? stunWaitMicros(keepAlive.unanswered) : PONG_WITHIN_MICROS))
  }

  /** The same request until it is answered (RFC 8489 section 6.2.1). */
  private ask(keepAlive: KeepAlive, { address, port }: Endpoint): void {
    keepAlive.transaction ??= this.host.entropy.bytes(STUN_TRANSACTION_OCTETS)
    this.host.emit({ type: 'transmit', flow: keepAlive.flow, bytes: bindingRequest(keepAlive.transaction), to: { address, port } })
  }

  private fail(now: Now, { slot }: KeepAlive): void {
    this.end(slot)
    this.host.failed(now, slot)
  }

  private rest(now: Now, keepAlive: KeepAlive): void {
    keepAlive.unanswered = 0
    keepAlive.transaction = undefined
    const { slot, flowTimerSeconds: timer } = keepAlive
    const { from, to } = timer !== undefined ? { from: FLOW_TIMER_FROM * timer, to: timer } : slot.hop?.transport === 'udp' ? DATAGRAM_SECONDS : STREAM_SECONDS
    this.due(keepAlive, now.mono + Math.round((from + this.host.entropy.unit() * (to - from)) * MICROS_PER_SECOND))
  }

  private due(keepAlive: KeepAlive, at: Micros): void {
    keepAlive.dueAt = at
    this.host.wakeAt(keepAlive, at)
  }
}

/** How long the n-th request, from 1 on, is given. */
function stunWaitMicros(sent: number): Micros {
  return STUN_RTO_MICROS * (sent < STUN_REQUESTS ? 2 ** (sent - 1) : STUN_LAST_WAIT)
}
