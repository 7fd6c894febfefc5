/**
 * Pager mode over a constrained bearer: the content goes in pieces (message/partial), each in a MESSAGE of its own, one after
 * another. The last one's 200 is the delivery; a piece that is not taken ends the attempt. Knows the order of pieces; how
 * they are cut is ota/segments.ts, when this way is taken select.ts, what an answer means verdicts.ts.
 */
import type { Now } from '../../kit/time.js'
import { segmentsOf } from '../../ota/segments.js'
import type { ClientFailure, ClientTransaction } from '../../sip/endpoint-contract.js'
import type { SipMessage } from '../../sip/message.js'
import type { SubmissionRecord } from '../../store/records.js'
import type { AttemptStart } from '../delivery/attempt-start.js'
import type { GatewayContext } from '../context.js'
import type { Delivery } from '../delivery/delivery.js'
import type { HopState } from '../delivery/hops.js'
import type { Silence } from '../delivery/outcomes.js'
import type { Requester } from '../sip-user.js'
import type { Verdicts } from '../delivery/verdicts.js'
import type { MessageSender } from './message-sender.js'

export class SegmentedMessages {
  constructor(
    private readonly context: GatewayContext,
    private readonly messages: MessageSender,
    private readonly starts: AttemptStart,
    private readonly verdicts: Verdicts,
  ) {}

  /** Begins an attempt; false for a content that cannot be cut so, of which nothing was sent then. */
  send(now: Now, delivery: Delivery, submission: SubmissionRecord): boolean {
    const { selection, sipAddress } = this.context.settings
    const pieces = segmentsOf(submission, `${submission.token}.${delivery.recipient}@${sipAddress}`, selection.segmentOctets)
    if (pieces === undefined) return false
    const hop = this.starts.hop(now, delivery)
    if (hop !== undefined) this.sendNext(now, new SegmentedAttempt(this, delivery, submission, pieces, hop), this.starts.begin(now, delivery, submission))
    return true
  }

  ended(now: Now, attempt: SegmentedAttempt, status: number | Silence, response: SipMessage | undefined): void {
    const { delivery, submission, hop } = attempt
    // It may have been cancelled or have expired meanwhile: no further piece goes.
    if (delivery.state !== 'attempting') return
    const isTaken = typeof status === 'number' && status < 300
    if (isTaken && !attempt.isLast) return this.sendNext(now, attempt, this.starts.further(delivery))
    this.verdicts.act(now, delivery, submission, { binding: 'message', status, response, hop: hop.hop })
  }

  private sendNext(now: Now, attempt: SegmentedAttempt, cseq: number): void {
    this.messages.send(now, attempt.delivery, attempt.next(), cseq, attempt.hop, attempt)
  }
}

/** One content under way in pieces; the context of each of its requests. */
class SegmentedAttempt implements Requester {
  private sent = 0

  constructor(
    private readonly binding: SegmentedMessages, readonly delivery: Delivery, readonly submission: SubmissionRecord,
    private readonly pieces: readonly SubmissionRecord[], readonly hop: HopState,
  ) {}

  get isLast(): boolean {
    return this.sent === this.pieces.length
  }

  next(): SubmissionRecord {
    return this.pieces[this.sent++]!
  }

  responded(now: Now, _transaction: ClientTransaction, response: SipMessage): void {
    if (response.status >= 200) this.binding.ended(now, this, response.status, response)
  }

  failed(now: Now, _transaction: ClientTransaction, failure: ClientFailure): void {
    this.binding.ended(now, this, failure, undefined)
  }
}
