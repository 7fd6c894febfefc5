/**
 * Pager mode as a binding: the MESSAGE of a delivery goes to the next hop, and what comes back is handed to the verdicts.
 * Knows SIP requests; what an answer means is verdicts.ts, when attempts happen is deliveries.ts.
 */
import type { Now } from '../../kit/time.js'
import type { ClientFailure, ClientTransaction } from '../../sip/endpoint-contract.js'
import type { SipMessage } from '../../sip/message.js'
import { isInline } from '../../store/content.js'
import type { SubmissionRecord } from '../../store/records.js'
import type { AttemptStart } from '../delivery/attempt-start.js'
import type { Binding } from './binding.js'
import type { MessageSender } from './message-sender.js'
import type { Delivery } from '../delivery/delivery.js'
import type { Silence } from '../delivery/outcomes.js'
import type { Requester } from '../sip-user.js'
import type { Verdicts } from '../delivery/verdicts.js'

export class MessageBinding implements Binding, Requester {
  readonly name = 'message'

  constructor(private readonly messages: MessageSender, private readonly starts: AttemptStart, private readonly verdicts: Verdicts) {}

  /** A content in a file goes otherwise. */
  canSend(_now: Now, _delivery: Delivery, submission: SubmissionRecord): boolean {
    return isInline(submission.content)
  }

  send(now: Now, delivery: Delivery, submission: SubmissionRecord): void {
    const hop = this.starts.hop(now, delivery)
    if (hop !== undefined) this.messages.send(now, delivery, submission, this.starts.begin(now, delivery, submission), hop, delivery)
  }

  responded(now: Now, transaction: ClientTransaction, response: SipMessage): void {
    if (response.status >= 200) this.ended(now, transaction, response.status, response)
  }

  failed(now: Now, transaction: ClientTransaction, failure: ClientFailure): void {
    this.ended(now, transaction, failure, undefined)
  }

  private ended(now: Now, { hop, context }: ClientTransaction, status: number | Silence, response: SipMessage | undefined): void {
    const delivery = context as Delivery
    const { submission } = delivery
    if (delivery.state !== 'attempting' || submission === undefined) return
    this.verdicts.act(now, delivery, submission, { binding: 'message', status, response, hop })
  }
}
