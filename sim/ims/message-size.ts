/** How large a message becomes on the wire, reckoned without writing it: asked of every request towards a UDP terminal. */
import { HEADER_NAMES, Header } from '../../core/sip/header-names.js'
import { startLine, type SipMessage } from '../../core/sip/message.js'

/** `z9hG4bK` and 80 random bits, five a character. */
const BRANCH_CHARACTERS = 23

/** Octets of the request once this node's UDP Via (`host:port` as sent-by) stands on top. */
export function octetsWithVia(message: SipMessage, sentBy: string): number {
  let octets = startLine(message).length + 4 + message.body.length
  let hasLength = false
  for (let index = 0; index < message.ids.length; index++) {
    const id = message.ids[index]!
    if (id === Header.ContentLength) hasLength = true
    octets += HEADER_NAMES[id]!.length + (id === Header.Other ? 2 : 4) + message.values[index]!.length
  }
  if (!hasLength) octets += 'Content-Length: \r\n'.length + String(message.body.length).length
  return octets + 'Via: SIP/2.0/UDP ;branch=;rport\r\n'.length + sentBy.length + BRANCH_CHARACTERS
}
