/**
 * A message that crosses between two machines of one process without becoming octets: what the parser would have made of
 * what `writeMessage` would have written, and how many octets that were. Knows both forms; no transport.
 */
import type { Carried } from '../kit/network.js'
import { HEADER_NAMES, Header, type HeaderId } from './header-names.js'
import { type HeaderText, composed } from './header-text.js'
import type { SipMessage } from './message.js'

/** `SIP/2.0`, two spaces and the line break of a request line. */
const REQUEST_LINE_OCTETS = 11
/** `SIP/2.0`, two spaces, three digits and the line break of a status line. */
const STATUS_LINE_OCTETS = 14

export class CarriedMessage implements Carried {
  private constructor(private readonly message: SipMessage, readonly length: number) {}

  /** The message is copied: its sender may go on changing it. */
  static of(message: SipMessage): CarriedMessage {
    const copy = message.clone()
    const octets = copy.bodyText?.length ?? copy.body.length
    // RFC 3261 section 20.14: Content-Length is that of the body, on one line.
    const length = composed(String(octets))
    if (copy.has(Header.ContentLength)) copy.set(Header.ContentLength, length)
    else copy.append(Header.ContentLength, length)
    return new CarriedMessage(copy, headOctets(copy) + octets)
  }

  /** Of the request, or of the one that is answered. */
  get method(): string {
    return this.message.method
  }

  /** The first line with this id. */
  header(id: HeaderId): HeaderText | undefined {
    return this.message.get(id)
  }

  /** A copy for whoever receives it, since a message may be received more than once. */
  received(): SipMessage {
    return this.message.clone()
  }
}

function headOctets(message: SipMessage): number {
  const { ids, values } = message
  let octets = 2 + (message.isRequest ? message.method.length + message.requestUri.length + REQUEST_LINE_OCTETS : message.reason.length + STATUS_LINE_OCTETS)
  for (let index = 0; index < ids.length; index++) {
    const id = ids[index]!
    octets += values[index]!.length + (id === Header.Other ? 2 : HEADER_NAMES[id]!.length + 4)
  }
  return octets
}
