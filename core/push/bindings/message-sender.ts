/**
 * The MESSAGE of an attempt on its way to the next hop, whichever binding it belongs to: a content, a piece of one or a
 * reference. Knows how a delivery's target becomes a request; not when it goes, nor what an answer means.
 */
import type { Now } from '../../kit/time.js'
import { MessageBuilder } from '../../ota/message.js'
import type { SipEndpointContract } from '../../sip/endpoint-contract.js'
import type { SubmissionRecord } from '../../store/records.js'
import type { GatewayContext } from '../context.js'
import type { Delivery } from '../delivery/delivery.js'
import type { HopState } from '../delivery/hops.js'
import type { Requester } from '../sip-user.js'

const FROM_TAG_BITS = 64

export class MessageSender {
  private readonly messages: MessageBuilder

  constructor(private readonly context: GatewayContext, private readonly endpoint: SipEndpointContract) {
    this.messages = new MessageBuilder(context.identity)
  }

  /**
   * @param content what the MESSAGE carries: the submission, or one made of it
   * @param asker who is told of the answer; the delivery itself stands for its binding (sip-user.ts)
   */
  send(now: Now, delivery: Delivery, content: SubmissionRecord, cseq: number, { hop, route }: HopState, asker: Delivery | Requester): void {
    const { target } = delivery.queue
    const message = this.messages.build(now.wall, {
      submission: content, recipient: delivery.recipient, requestUri: target.uri, isGruu: target.gruu !== 'none',
      cseq, fromTag: this.context.entropy.token(FROM_TAG_BITS), route,
    })
    this.endpoint.request(now, message, hop, asker)
  }
}
