/**
 * A message that crosses between two machines of one process without becoming octets: what the parser would have made of
 * what `writeMessage` would have written, and how many octets that were. Knows both forms; no transport.
 */
import type { Carried } from '../kit/network.js'
import { Header, type HeaderId } from './header-names.js'
import { type HeaderText, numberText } from './header-text.js'
import type { SipMessage } from './message.js'
import { writtenOctets } from './write.js'

export class CarriedMessage implements Carried {
  private constructor(private readonly message: SipMessage, readonly length: number) {}

  /** The message gets its Content-Length, as one that is written has it, and is copied: its sender may go on changing it. */
  static of(message: SipMessage): CarriedMessage {
    // RFC 3261 section 20.14: Content-Length is that of the body, on one line. The sender's own list of lines has room for it, a copy's would have to grow.
    message.set(Header.ContentLength, numberText(message.bodyLength))
    return new CarriedMessage(message.clone(), writtenOctets(message))
  }

  /** Of the request, or of the one that is answered. */
  get method(): string {
    return this.message.method
  }

  /** Its status code; 0 of a request. */
  get status(): number {
    return this.message.status
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
