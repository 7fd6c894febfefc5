/**
 * Pager mode as a binding: the MESSAGE of a delivery goes to the next hop, and what comes back is handed to the verdicts.
 * Knows SIP requests; what an answer means is verdicts.ts, when attempts happen is deliveries.ts.
 */
import type { Now } from '../../kit/time.js'
import { MessageBuilder } from '../../ota/message.js'
import type { ClientFailure, ClientTransaction, SipEndpointContract } from '../../sip/endpoint-contract.js'
import type { SipMessage } from '../../sip/message.js'
import { isInline } from '../../store/content.js'
import type { SubmissionRecord } from '../../store/records.js'
import type { AttemptStart } from '../delivery/attempt-start.js'
import type { Binding } from './binding.js'
import type { GatewayContext } from '../context.js'
import type { Delivery } from '../delivery/delivery.js'
import type { Silence } from '../delivery/outcomes.js'
import type { Requester } from '../sip-user.js'
import type { Verdicts } from '../delivery/verdicts.js'

const FROM_TAG_BITS = 64

export class MessageBinding implements Binding, Requester {
  readonly name = 'message'
  private readonly messages: MessageBuilder

  constructor(
    private readonly context: GatewayContext,
    private readonly endpoint: SipEndpointContract,
    private readonly starts: AttemptStart,
    private readonly verdicts: Verdicts,
  ) {
    this.messages = new MessageBuilder(context.identity)
  }

  /** A content in a file goes otherwise. */
  canSend(_now: Now, _delivery: Delivery, submission: SubmissionRecord): boolean {
    return isInline(submission.content)
  }

  send(now: Now, delivery: Delivery, submission: SubmissionRecord): void {
    const { target } = delivery.queue
    const hop = this.starts.hop(now, delivery)
    if (hop === undefined) return
    const message = this.messages.build(now.wall, {
      submission, recipient: delivery.recipient, requestUri: target.uri, isGruu: target.gruu !== 'none',
      cseq: this.starts.begin(now, delivery, submission), fromTag: this.context.entropy.token(FROM_TAG_BITS), route: hop.route,
    })
    this.endpoint.request(now, message, hop.hop, delivery)
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
