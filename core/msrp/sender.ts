/**
 * What one session has to send: whose chunk is next, and how much may be out unanswered. Messages under way take turns chunk by
 * chunk, so a short one passes a long one; a content is read only when its octets can go out. RFC 4975 sections 5.1 and 7.1.1.
 */
import { Fifo } from '../kit/fifo.js'
import type { Now } from '../kit/time.js'
import type { Connection } from './connection.js'
import type { FailureCause, SendOptions } from './contract.js'
import type { Core } from './core.js'
import { endLine, sendHead } from './write.js'
import { Outgoing } from './outgoing.js'
import type { Session } from './session.js'
import { Transaction } from './transactions.js'

/** RFC 4975 section 7.1.1: a longer SEND must be one that can be interrupted, which `*` for its end says. */
const UNINTERRUPTIBLE_BYTES_MAX = 2_048
/** Content up to this size is copied behind its head: one write of a few kilobytes costs less than three. */
const COPIED_BYTES_MAX = 4_096

const HYPHENS = '-------'
const NOTHING = Buffer.alloc(0)

export class Sender {
  /** Every message without an outcome, by Message-ID. */
  private readonly messages = new Map<string, Outgoing>()
  /** Messages whose turn it is, in order; ended ones are passed over. */
  private readonly ready = new Fifo<Outgoing>()
  /** Messages of several chunks that wait for a place. */
  private readonly later = new Fifo<Outgoing>()
  private places: number
  private unansweredBytes = 0

  constructor(private readonly core: Core, private readonly session: Session) {
    this.places = core.limits.interleavedMessages
  }

  /** Is there something to send now, but for the connection? */
  get hasWork(): boolean {
    return this.ready.length > 0 && this.unansweredBytes < this.core.limits.unansweredBytes
  }

  send(now: Now, options: SendOptions): Outgoing {
    const outgoing = new Outgoing(this.core, this.session, options)
    const { flaw } = outgoing
    if (flaw !== undefined) outgoing.fail(now, 'unsendable', flaw)
    else if (this.session.state === 'down') outgoing.fail(now, this.session.failure, 'the session is over')
    else if (this.messages.has(options.messageId)) outgoing.fail(now, 'unsendable', `a message ${options.messageId} is still under way in this session`)
    else {
      this.messages.set(options.messageId, outgoing)
      const { size } = options.source
      if (size !== undefined && size <= this.core.limits.chunkBytes) this.ready.push(outgoing)
      else this.enqueue(outgoing)
    }
    return outgoing
  }

  /** Messages whose source had nothing at hand are asked again. */
  resume(): void {
    for (const outgoing of this.messages.values()) {
      if (!outgoing.isStalled) continue
      outgoing.isStalled = false
      this.ready.push(outgoing)
    }
  }

  byId(messageId: string): Outgoing | undefined {
    return this.messages.get(messageId)
  }

  /** Sends the next chunk; returns its octets of content, at least 1 when anything went out. */
  step(now: Now, connection: Connection, toPath: string): number {
    let outgoing = this.ready.shift()
    while (outgoing !== undefined && outgoing.state !== 'sending') outgoing = this.ready.shift()
    if (outgoing === undefined) return 0
    const { source, sentBytes } = outgoing
    const { chunkBytes } = this.core.limits
    const wanted = source.size === undefined ? chunkBytes : Math.min(chunkBytes, source.size - sentBytes)
    const content = wanted === 0 ? NOTHING : source.read(sentBytes, wanted)
    if (content === undefined) {
      outgoing.isStalled = true
      return 0
    }
    const body = content.length > wanted ? content.subarray(0, wanted) : content
    if (body.length < wanted && source.size !== undefined) {
      this.abandon(now, outgoing, 'source', `the content ended after ${sentBytes + body.length} of ${source.size} octets`)
      return 0
    }
    const isLast = source.size === undefined ? body.length < wanted : sentBytes + body.length === source.size
    this.chunk(now, connection, toPath, outgoing, body, isLast)
    if (!isLast) this.ready.push(outgoing)
    return body.length + 1
  }

  /** A chunk was answered, or never will be. */
  settle(bytes: number): void {
    this.unansweredBytes -= bytes
  }

  /** Ends a message as failed, telling the peer if it has a part of it. */
  abandon(now: Now, outgoing: Outgoing, cause: FailureCause, reason: string): void {
    this.abort(outgoing)
    outgoing.fail(now, cause, reason)
  }

  /** RFC 4975 section 10.5: the peer wants no more of it, in whatever chunk. */
  refused(now: Now, outgoing: Outgoing, status: number, comment: string): void {
    this.abort(outgoing)
    outgoing.end(now, { type: 'refused', status, comment })
  }

  failAll(now: Now, cause: FailureCause, reason: string): void {
    for (const outgoing of this.messages.values()) outgoing.fail(now, cause, reason)
  }

  /** A message has its outcome; called by the message itself. */
  forget(now: Now, outgoing: Outgoing): void {
    if (this.messages.get(outgoing.messageId) === outgoing) this.messages.delete(outgoing.messageId)
    if (!outgoing.hasPlace) return
    outgoing.hasPlace = false
    this.places++
    let next = this.later.shift()
    while (next !== undefined && next.state !== 'sending') next = this.later.shift()
    if (next === undefined) return
    this.enqueue(next)
    this.session.offer(now)
  }

  private enqueue(outgoing: Outgoing): void {
    if (this.places === 0) {
      this.later.push(outgoing)
      return
    }
    this.places--
    outgoing.hasPlace = true
    this.ready.push(outgoing)
  }

  private chunk(now: Now, connection: Connection, toPath: string, outgoing: Outgoing, body: Buffer, isLast: boolean): void {
    const id = this.transactionIdFor(body)
    const { sentBytes, failureReport, source } = outgoing
    const end = sentBytes + body.length
    // Section 7.1.1: the end is `*` where the chunk may be cut short, the total where only the end will tell.
    const rangeEnd = isLast && body.length <= UNINTERRUPTIBLE_BYTES_MAX ? String(end) : '*'
    const total = source.size ?? (isLast ? end : '*')
    const head = sendHead(id, outgoing.text(toPath), `${sentBytes + 1}-${rangeEnd}/${total}`)
    const tail = `\r\n${endLine(id, isLast ? '$' : '+')}`
    this.core.messagesOut++
    if (body.length <= COPIED_BYTES_MAX) connection.transmit(joined(head, body, tail))
    else {
      connection.transmit(Buffer.from(head))
      connection.transmit(body)
      connection.transmit(Buffer.from(tail, 'latin1'))
    }
    if (failureReport !== 'no') {
      // Section 7.1.1: with `partial` an error may come, but nothing is waited for.
      const counted = failureReport === 'yes' ? body.length : 0
      this.unansweredBytes += counted
      new Transaction(this.core, now, id, this.session, connection, outgoing, counted)
    }
    outgoing.chunkSent(now, body.length, isLast, failureReport === 'yes')
  }

  /** Section 7.1: the end-line must not occur in the content. Seven octets are found several times as fast as more (end-line.ts). */
  private transactionIdFor(body: Buffer): string {
    const isSafe = !body.includes(HYPHENS)
    for (;;) {
      const id = this.core.newTransactionId()
      if (isSafe || !body.includes(HYPHENS + id, 0, 'latin1')) return id
    }
  }

  /** Section 7.1: a chunk of nothing that ends with `#` takes back what the peer has. */
  private abort(outgoing: Outgoing): void {
    const { connection, peerPath } = this.session
    if (!outgoing.isBegun || outgoing.state !== 'sending' || connection === undefined) return
    const id = this.core.newTransactionId()
    const head = sendHead(id, outgoing.text(peerPath), `${outgoing.sentBytes + 1}-*/${outgoing.source.size ?? '*'}`)
    connection.control(`${head}\r\n${endLine(id, '#')}`)
  }
}

function joined(head: string, body: Buffer, tail: string): Buffer {
  const headBytes = Buffer.byteLength(head)
  const bytes = Buffer.allocUnsafe(headBytes + body.length + tail.length)
  bytes.write(head, 0)
  body.copy(bytes, headBytes)
  bytes.write(tail, headBytes + body.length, 'latin1')
  return bytes
}
