/**
 * What every attempt begins with, whatever its binding: a next hop that is awake, a CSeq above those of all earlier
 * attempts at this recipient, the counts and the journal's line. Knows no message.
 */
import type { Now } from '../../kit/time.js'
import type { SubmissionRecord } from '../../store/records.js'
import type { GatewayContext } from '../context.js'
import type { Delivery } from './delivery.js'
import type { Deliveries } from './deliveries.js'
import type { Hops, HopState } from './hops.js'

/** CSeq grows with time, so that a retry after a restart, which knows no count, is higher all the same. */
const CSEQ_PER_MILLIS = 100
const CSEQ_MAX = 2_000_000_000

export class AttemptStart {
  constructor(private readonly context: GatewayContext, private readonly deliveries: Deliveries, private readonly hops: Hops) {}

  /** The next hop for a request outside a dialog. Undefined when all rest: then the attempt is over, and goes again when one is awake. */
  hop(now: Now, delivery: Delivery): HopState | undefined {
    const hop = this.hops.pick(now)
    if (hop !== undefined) return hop
    delivery.probe = true
    this.deliveries.again(now, delivery)
    return undefined
  }

  /** Called when the request goes; returns the CSeq it has to have if it goes outside a dialog. */
  begin(now: Now, delivery: Delivery, submission: SubmissionRecord): number {
    const { counters, out } = this.context
    const sinceAccepted = Math.floor(Math.max(0, now.wall - submission.acceptedAt) / CSEQ_PER_MILLIS)
    delivery.cseq = Math.max(delivery.cseq, Math.min(sinceAccepted, CSEQ_MAX)) + 1
    counters.sipRequests++
    if (delivery.tries > 0) counters.sipRetries++
    out.journal('sip-out', submission.pushId, submission.recipients[delivery.recipient]!.literal, delivery.queue.target.uri, delivery.binding)
    return delivery.cseq
  }

  /** The CSeq of one more request of the same attempt. */
  further(delivery: Delivery): number {
    this.context.counters.sipRequests++
    return ++delivery.cseq
  }
}
