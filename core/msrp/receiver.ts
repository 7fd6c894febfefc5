/**
 * What one session receives: which messages are open, which octets of them are there, what each SEND is answered (RFC 4975
 * section 7.3). Contents pass through to the user; nothing of them is kept.
 */
import type { Now } from '../kit/time.js'
import type { ContentHeader, IncomingMessage, MsrpSession, SessionOptions } from './contract.js'
import { RECEIVED_BYTES_MAX } from './contract.js'
import type { Core } from './core.js'
import type { ContinuationFlag } from './end-line.js'
import { Endings } from './endings.js'
import { OPEN, type MsrpMessage } from './message.js'
import { Ranges } from './ranges.js'

export class Incoming implements IncomingMessage {
  context: unknown = undefined
  readonly there = new Ranges()
  /** Octets in all, once a chunk that ends with `$` has told. */
  total = OPEN

  constructor(
    readonly session: MsrpSession,
    readonly messageId: string,
    readonly contentType: string,
    readonly headers: readonly ContentHeader[],
    readonly sizeHint: number | undefined,
    /** Acknowledged without being shown. */
    public isDiscarded: boolean,
  ) {}
}

export class Receiver {
  private readonly open = new Map<string, Incoming>()
  private readonly endings: Endings
  /** The Byte-Range of the success REPORT that the SEND just ended brings about. */
  due: string | undefined
  /** Whose chunk is being received. */
  private current: Incoming | undefined
  private start = 0
  private offset = 0
  private readonly maxSize: number
  /** The type accepted last, which is mostly the next one too. */
  private acceptedType = ''

  constructor(private readonly core: Core, private readonly session: MsrpSession, private readonly options: SessionOptions) {
    this.maxSize = options.maxSize ?? RECEIVED_BYTES_MAX
    this.endings = new Endings(core.limits.rememberedMessages)
  }

  /** The head of a SEND; returns 200, or the status that refuses it. */
  begin(now: Now, message: MsrpMessage, hasBody: boolean): number {
    this.current = undefined
    const { messageId } = message
    if (messageId === '') return 400
    // Section 5.4: a SEND without content only says that the connection is this session's.
    if (!hasBody) return 200
    this.start = this.offset = Math.max(0, message.rangeStart - 1)
    if (this.endings.of(messageId) !== undefined) return this.statusOf(messageId)
    const known = this.open.get(messageId)
    if (known !== undefined) {
      this.current = known
      return 200
    }
    if (message.contentType === '') return 400
    return this.beginMessage(now, message)
  }

  /** Octets of the content of that SEND, as they come; returns 200, or the status that refuses the rest. */
  body(now: Now, bytes: Buffer): number {
    const incoming = this.current
    if (incoming === undefined || bytes.length === 0) return 200
    const { offset } = this
    this.offset += bytes.length
    if (this.offset > this.maxSize) return this.stop(now, incoming, 413, `it is longer than ${this.maxSize} octets`)
    incoming.there.add(offset, this.offset)
    if (incoming.there.count > this.core.limits.gaps) return this.stop(now, incoming, 413, `more than ${this.core.limits.gaps} gaps in it`)
    if (!incoming.isDiscarded) this.core.user.onBytes(now, incoming, offset, bytes)
    return this.current === incoming ? 200 : this.statusOf(incoming.messageId)
  }

  /** The end-line of that SEND; returns the status that answers it, and sets `due`. */
  end(now: Now, message: MsrpMessage, flag: ContinuationFlag, hasBody: boolean): number {
    const { messageId } = message
    const incoming = this.current ?? (flag === '#' ? this.open.get(messageId) : undefined)
    this.current = undefined
    this.due = undefined
    if (this.session.state === 'down') return 481
    if (incoming === undefined) return hasBody ? this.endOfKnown(message, flag) : 200
    if (flag === '#') {
      this.drop(now, incoming, 'the sender gave it up')
      return 200
    }
    // Section 7.3.1: the last octet of the chunk with `$` is the last of the message, whatever its Byte-Range says.
    if (flag === '$') incoming.total = this.offset
    const { total } = incoming
    const isComplete = total !== OPEN && incoming.there.coversTo(total)
    const status = isComplete ? this.complete(now, incoming) : 200
    if (!message.successReport || status !== 200) return status
    // Section 7.1.2: one report for the whole message, or one for each chunk.
    if (this.options.incrementalReports === true && this.offset > this.start) this.due = `${this.start + 1}-${this.offset}/${total === OPEN ? '*' : total}`
    else if (isComplete) this.due = `1-${total}/${total}`
    return 200
  }

  refuse(incoming: Incoming, status: number): void {
    if (this.open.get(incoming.messageId) !== incoming) return
    this.close(incoming)
    this.endings.refused(incoming.messageId, status)
  }

  abortAll(now: Now, reason: string): void {
    for (const incoming of this.open.values()) this.drop(now, incoming, reason)
  }

  private beginMessage(now: Now, message: MsrpMessage): number {
    const { messageId, contentType, headers, total } = message
    if (contentType !== this.acceptedType && !accepts(this.options.acceptTypes, contentType)) return this.refuseNew(messageId, 415)
    this.acceptedType = contentType
    if (total > this.maxSize || this.open.size >= this.core.limits.openMessages) return this.refuseNew(messageId, 413)
    const incoming = new Incoming(this.session, messageId, contentType, headers, total === OPEN ? undefined : total, false)
    this.open.set(messageId, incoming)
    const verdict = this.core.user.onMessage(now, incoming)
    if (this.open.get(messageId) !== incoming) return this.statusOf(messageId)
    if (typeof verdict === 'number' && verdict !== 200) {
      this.refuse(incoming, verdict)
      return verdict
    }
    incoming.isDiscarded = verdict === 'discard'
    this.current = incoming
    return 200
  }

  private complete(now: Now, incoming: Incoming): number {
    this.close(incoming)
    const status = incoming.isDiscarded ? 200 : this.core.user.onComplete(now, incoming, incoming.total)
    if (status === 200) this.endings.completed(incoming.messageId, incoming.total)
    else this.endings.refused(incoming.messageId, status)
    return status
  }

  private refuseNew(messageId: string, status: number): number {
    this.endings.refused(messageId, status)
    return status
  }

  private stop(now: Now, incoming: Incoming, status: number, reason: string): number {
    this.refuse(incoming, status)
    if (!incoming.isDiscarded) this.core.user.onAborted(now, incoming, reason)
    return status
  }

  private close(incoming: Incoming): void {
    this.open.delete(incoming.messageId)
    if (this.current === incoming) this.current = undefined
  }

  private drop(now: Now, incoming: Incoming, reason: string): void {
    this.close(incoming)
    if (!incoming.isDiscarded) this.core.user.onAborted(now, incoming, reason)
  }

  /** A chunk of a message that has ended already. */
  private endOfKnown({ messageId, successReport }: MsrpMessage, flag: ContinuationFlag): number {
    const end = this.endings.of(messageId)
    if (end === undefined) return 200
    if (end < 0) {
      // The last of what was refused: should it come again, it is judged again.
      if (flag !== '+') this.endings.forget(messageId)
      return -end
    }
    // Section 7.3.1: a duplicate is acknowledged like the first, and not shown.
    if (flag === '$' && successReport) this.due = `1-${end}/${end}`
    return 200
  }

  /** After the user was asked: it may have refused the message or ended the session. */
  private statusOf(messageId: string): number {
    const end = this.endings.of(messageId)
    if (end !== undefined && end < 0) return -end
    return this.session.state === 'down' ? 481 : 200
  }
}

/** Is this type among those of `a=accept-types`, parameters aside (RFC 4975 section 8.6)? */
function accepts(types: readonly string[], contentType: string): boolean {
  const semicolon = contentType.indexOf(';')
  const type = (semicolon < 0 ? contentType : contentType.slice(0, semicolon)).trim().toLowerCase()
  return types.some((entry) => {
    const wanted = entry.toLowerCase()
    return wanted === '*' || wanted === type || (wanted.endsWith('/*') && type.startsWith(wanted.slice(0, -1)))
  })
}
