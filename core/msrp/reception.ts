/**
 * What comes in on one connection: each request finds its session or its refusal, each response its transaction (RFC 4975
 * sections 7.2 and 7.3). Answers are written here and nowhere else. Contents go on to the session's receiver.
 */
import type { Now } from '../kit/time.js'
import type { Connection } from './connection.js'
import type { Core } from './core.js'
import type { ContinuationFlag } from './end-line.js'
import { MsrpFramer, type FrameSink } from './framing.js'
import type { MsrpMessage } from './message.js'
import type { Session } from './session.js'
import { firstOf, parseUri, sameUri } from './uri.js'
import { report, response } from './write.js'

/** RFC 4975 section 7.1: only SEND may carry more. */
const OTHER_BODY_BYTES_MAX = 10_240

export class Reception implements FrameSink {
  private readonly framer = new MsrpFramer(this)
  private now: Now = { mono: 0, wall: 0 }
  /** What is being received. */
  private message: MsrpMessage | undefined
  /** Whose SEND is being received; undefined when it was refused at its head. */
  private session: Session | undefined
  private hasBody = false
  /** What the request being received is refused with; 200 so far. */
  private status = 200
  private isAnswered = false
  private otherBytes = 0
  /** The session found last, which is mostly the next one too. */
  private last: Session | undefined

  constructor(private readonly core: Core, private readonly connection: Connection) {}

  read(now: Now, bytes: Buffer): void {
    this.now = now
    this.framer.push(bytes)
    if (this.connection.isClogged) this.connection.break(now, 'the peer sends without reading what it is answered')
  }

  stop(): void {
    this.framer.stop()
  }

  onHead(message: MsrpMessage, hasBody: boolean): void {
    this.core.messagesIn++
    this.message = message
    this.session = undefined
    this.hasBody = hasBody
    this.status = 200
    this.isAnswered = false
    this.otherBytes = 0
    if (message.status !== 0) return
    if (message.fault !== undefined) {
      // Without paths nobody can be answered.
      if (message.fromPath === '') this.onBroken(undefined, message.fault.what)
      else this.status = message.fault.status
    } else if (message.method === 'SEND') this.status = this.beginSend(message)
    else if (message.method !== 'REPORT') this.status = 501
    // Not at the end: a sender of much should hear early that it is for nothing (section 10.5).
    if (this.status !== 200) this.answer(message, this.status)
  }

  onBody(bytes: Buffer): void {
    if (this.session !== undefined) {
      if (this.status !== 200) return
      this.status = this.session.receiver.body(this.now, bytes)
      if (this.status !== 200) this.answer(this.message!, this.status)
      return
    }
    if (this.message?.method === 'SEND') return
    this.otherBytes += bytes.length
    if (this.otherBytes > OTHER_BODY_BYTES_MAX) this.connection.break(this.now, `a body of more than ${OTHER_BODY_BYTES_MAX} octets in what is no SEND`)
  }

  onEnd(message: MsrpMessage, flag: ContinuationFlag): void {
    if (message.status !== 0) {
      if (message.fault === undefined) this.answered(message)
    } else if (message.method === 'REPORT') {
      // Section 7.1.2: a REPORT is never answered, whatever is wrong with it.
      const session = message.fault === undefined ? this.find(message.toPath) : undefined
      if (session?.connection === this.connection) session.report(this.now, message)
    } else if (this.session !== undefined) this.endSend(this.session, message, flag)
  }

  onBroken(message: MsrpMessage | undefined, what: string): void {
    if (message !== undefined && message.status === 0 && message.fromPath !== '') this.answer(message, 400)
    this.connection.break(this.now, `unreadable: ${what}`)
  }

  private beginSend(message: MsrpMessage): number {
    const session = this.find(message.toPath)
    // Section 7.3: no such session, or one that another connection serves.
    if (session === undefined) return 481
    if (session.connection === undefined) {
      if (!session.bind(this.now, this.connection)) return 403
    } else if (session.connection !== this.connection) return 506
    // Faster than its description: whether it is the one is not known yet.
    if (!session.isTrusted && this.hasBody) return 403
    this.session = session
    return session.receiver.begin(this.now, message, this.hasBody)
  }

  private endSend(session: Session, message: MsrpMessage, flag: ContinuationFlag): void {
    const { receiver } = session
    const status = receiver.end(this.now, message, flag, this.hasBody)
    let text = this.answerTo(message, this.status === 200 ? status : this.status)
    let messages = text === '' ? 0 : 1
    // Section 7.1.2: back along all the URIs it came from.
    if (receiver.due !== undefined) {
      text += report(this.core.newTransactionId(), message.fromPath, session.uri, message.messageId, receiver.due, 200)
      messages++
    }
    receiver.due = undefined
    if (text !== '') this.connection.control(text, messages)
  }

  private answered({ transactionId, status, comment }: MsrpMessage): void {
    const transaction = this.core.transactions.get(transactionId)
    if (transaction !== undefined && transaction.connection === this.connection) transaction.answered(this.now, status, comment)
  }

  /** The session a path leads to. We are no relay: a path that goes on behind us leads to none. */
  private find(toPath: string): Session | undefined {
    if (this.last !== undefined && this.last.uri === toPath && this.last.state !== 'down') return this.last
    const uri = parseUri(toPath)
    if (uri?.sessionId === undefined || uri.transport !== this.connection.transport) return undefined
    const session = this.core.sessions.get(uri.sessionId)
    if (session === undefined || !sameUri(uri, session.own)) return undefined
    this.last = session
    return session
  }

  private answer(message: MsrpMessage, status: number): void {
    const text = this.answerTo(message, status)
    if (text !== '') this.connection.control(text)
  }

  /** Sections 7.1.1 and 7.2: as the Failure-Report of a SEND asks; a REPORT never. '' when there is none, or it was given. */
  private answerTo({ method, failureReport, fromPath, toPath, transactionId }: MsrpMessage, status: number): string {
    if (this.isAnswered || method === 'REPORT') return ''
    this.isAnswered = true
    const isSend = method === 'SEND'
    if (isSend && (failureReport === 'no' || (failureReport === 'partial' && status === 200))) return ''
    return response(transactionId, status, isSend ? firstOf(fromPath) : fromPath, toPath)
  }
}
