/** The plain answer of a dialog usage to a request it has no use for: a status, and a tag of its own where To has none (RFC 3261 section 8.2.6.2). */
import type { Entropy } from '../kit/entropy.js'
import type { Now } from '../kit/time.js'
import type { ServerTransaction, SipEndpointContract } from './endpoint-contract.js'
import type { SipMessage } from './message.js'
import { responseTo } from './write.js'

/** Random bits of a tag (RFC 3261 section 19.3 asks for 32). */
export const TAG_BITS = 80

interface Answering {
  readonly endpoint: Pick<SipEndpointContract, 'respond'>
  readonly entropy: Entropy
}

export function plainResponse({ entropy }: Answering, request: SipMessage, status: number): SipMessage {
  return responseTo(request, status, undefined, entropy.token(TAG_BITS))
}

export function answer(now: Now, by: Answering, transaction: ServerTransaction, status: number): undefined {
  by.endpoint.respond(now, transaction, plainResponse(by, transaction.request, status))
  return undefined
}
