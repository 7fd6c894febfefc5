/** The plain answer of a dialog usage to a request it has no use for: a status, and a tag of its own where To has none (RFC 3261 section 8.2.6.2). */
import type { Entropy } from '../kit/entropy.js'
import type { Now } from '../kit/time.js'
import type { ServerTransaction, SipEndpointContract } from './endpoint-contract.js'
import { Header } from './header-names.js'
import { composed } from './header-text.js'
import type { SipMessage } from './message.js'
import { responseTo } from './write.js'

/** Random bits of a tag (RFC 3261 section 19.3 asks for 32). */
export const TAG_BITS = 80

/** What a usage that has too much to keep asks for: its dialogs last, so a few seconds change nothing. */
const BUSY_SECONDS = composed('60')

interface Answering {
  readonly endpoint: Pick<SipEndpointContract, 'respond'>
  readonly entropy: Entropy
}

export function plainResponse({ entropy }: Pick<Answering, 'entropy'>, request: SipMessage, status: number): SipMessage {
  return responseTo(request, status, undefined, entropy.token(TAG_BITS))
}

/** Too much is kept here already: a 503 that says when to ask again, without which it would mean no more than 500 (RFC 3261 section 21.5.4). */
export function busyResponse(by: Pick<Answering, 'entropy'>, request: SipMessage): SipMessage {
  return plainResponse(by, request, 503).append(Header.RetryAfter, BUSY_SECONDS)
}

export function answer(now: Now, by: Answering, transaction: ServerTransaction, status: number): undefined {
  by.endpoint.respond(now, transaction, plainResponse(by, transaction.request, status))
  return undefined
}
