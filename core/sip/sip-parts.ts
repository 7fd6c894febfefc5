/**
 * A body that holds SIP messages (message/sip, RFC 3261 section 27.5), alone or among other parts of a multipart/mixed: kept as messages
 * until somebody asks for octets, so that within one process nobody writes what the next one parses. Knows the form; not what the messages say.
 */
import type { ComposedBody, SipMessage } from './message.js'
import { writeMessage, writtenOctets } from './write.js'

export type SipPart =
  | { readonly type: 'message/sip'; readonly message: SipMessage }
  | { readonly type: string; readonly octets: Buffer }

export class SipParts implements ComposedBody {
  readonly contentType: string
  readonly length: number

  /**
   * @param parts at least one; their messages may not change any more
   * @param boundary of several parts (RFC 2046 section 5.1.1); no part may hold it
   */
  constructor(private readonly parts: readonly SipPart[], private readonly boundary: string) {
    const [first, ...others] = parts
    this.contentType = others.length === 0 ? first!.type : `multipart/mixed;boundary="${boundary}"`
    this.length = others.length === 0 ? octetsOf(first!) : parts.reduce((sum, part) => sum + this.headOf(part).length + octetsOf(part) + 2, this.end.length)
  }

  /** Those of its parts that are messages. */
  get messages(): SipMessage[] {
    return this.parts.flatMap((part) => ('message' in part ? [part.message] : []))
  }

  write(): Buffer {
    const [first, ...others] = this.parts
    if (others.length === 0) return writtenPart(first!)
    return Buffer.concat([...this.parts.flatMap((part) => [Buffer.from(this.headOf(part)), writtenPart(part), LINE_BREAK]), Buffer.from(this.end)])
  }

  private headOf({ type }: SipPart): string {
    return `--${this.boundary}\r\nContent-Type: ${type}\r\n\r\n`
  }

  private get end(): string {
    return `--${this.boundary}--\r\n`
  }
}

const LINE_BREAK = Buffer.from('\r\n')

function octetsOf(part: SipPart): number {
  return 'message' in part ? writtenOctets(part.message) : part.octets.length
}

function writtenPart(part: SipPart): Buffer {
  return 'message' in part ? writeMessage(part.message) : part.octets
}
