/**
 * One message being sent: how far it is, what was answered and reported, and its one outcome. It decides what an answer or a report
 * means for the message (RFC 4975 sections 7.1.1 to 7.1.4); when its chunks go out is the sender's business.
 */
import { assert } from '../kit/assert.js'
import type { Deadline } from '../kit/heap.js'
import type { Now } from '../kit/time.js'
import type { ContentSource, FailureCause, FailureReport, OutgoingMessage, SendOptions, SendOutcome } from './contract.js'
import type { Core, Expiring } from './core.js'
import { isContentType, isHeader, isIdent, OPEN, type MsrpMessage } from './message.js'
import { Ranges } from './ranges.js'
import type { Session } from './session.js'
import { sendText, type SendText } from './write.js'

/** `sending`: chunks are left; `written`: all were handed over; `ended`: it has its outcome. */
type State = 'sending' | 'written' | 'ended'

export class Outgoing implements OutgoingMessage, Expiring {
  readonly messageId: string
  readonly context: unknown
  readonly source: ContentSource
  readonly failureReport: FailureReport
  sentBytes = 0
  state: State = 'sending'
  /** Its source had nothing at hand when it was asked last. */
  isStalled = false
  /** It holds one of the places for messages of several chunks. */
  hasPlace = false
  /** Something of it is on its way. */
  isBegun = false
  private unanswered = 0
  private readonly reported: Ranges | undefined
  private wasReported = false
  private deadline: Deadline<Expiring> | undefined
  private written: SendText | undefined

  constructor(private readonly core: Core, readonly session: Session, private readonly options: SendOptions) {
    this.messageId = options.messageId
    this.context = options.context
    this.source = options.source
    this.failureReport = options.failureReport
    this.reported = options.successReport ? new Ranges() : undefined
  }

  /** What RFC 4975 cannot carry; undefined when all is well. */
  get flaw(): string | undefined {
    const { messageId, contentType, headers = [], source } = this.options
    if (!isIdent(messageId)) return `the Message-ID "${messageId}" is not 4 to 32 characters of letters, digits and .-+%=`
    if (!isContentType(contentType)) return `"${contentType}" is no content type`
    const wrong = headers.find(({ name, value }) => !isHeader(name, value))
    if (wrong !== undefined) return `"${wrong.name}: ${wrong.value}" is no header`
    if (source.size !== undefined && !(Number.isSafeInteger(source.size) && source.size >= 0)) return `a content cannot have ${source.size} octets`
    return undefined
  }

  /** The same for each of its chunks. */
  text(toPath: string): SendText {
    const { messageId, successReport, failureReport, contentType, headers = [] } = this.options
    return this.written ??= sendText(toPath, this.session.uri, messageId, successReport, failureReport, contentType, headers)
  }

  /** A chunk went out. @param answers is it one that will be answered whatever happens? */
  chunkSent(now: Now, bytes: number, isLast: boolean, answers: boolean): void {
    this.sentBytes += bytes
    this.isBegun = true
    if (answers) this.unanswered++
    if (!isLast) return
    this.state = 'written'
    this.check(now)
  }

  answered(now: Now): void {
    this.unanswered--
    if (this.state === 'written') this.check(now)
  }

  /** A REPORT about it (RFC 4975 section 7.1.2). */
  report(now: Now, { reportStatus, reportComment, rangeStart, rangeEnd }: MsrpMessage): void {
    if (reportStatus === 0 || this.state === 'ended') return
    // Section 7.1.4: what was answered 200 failed after all.
    if (reportStatus !== 200) return this.end(now, { type: 'refused', status: reportStatus, comment: reportComment })
    if (this.reported === undefined || rangeStart === 0 || rangeEnd === OPEN) return
    // A peer cannot have what was never sent.
    this.reported.add(rangeStart - 1, Math.min(rangeEnd, this.sentBytes))
    this.wasReported = true
    if (this.state === 'written') this.check(now)
  }

  fail(now: Now, cause: FailureCause, reason: string): void {
    this.end(now, { type: 'failed', cause, reason })
  }

  end(now: Now, outcome: SendOutcome): void {
    assert(this.state !== 'ended', `message ${this.messageId} ended twice`)
    this.state = 'ended'
    if (this.deadline !== undefined) this.core.heap.cancel(this.deadline)
    this.session.sender.forget(now, this)
    this.core.outcome(now, this, outcome)
  }

  /** The report that was asked for did not come. */
  expire(now: Now): void {
    this.deadline = undefined
    this.fail(now, 'no-report', `no report over all ${this.sentBytes} octets came within ${this.core.limits.answerMicros / 1_000_000} s`)
  }

  /** All was handed over: is that, with the answers and reports so far, an outcome? */
  private check(now: Now): void {
    if (this.reported === undefined) {
      if (this.unanswered === 0) this.end(now, { type: 'sent' })
      return
    }
    if (this.wasReported && this.reported.coversTo(this.sentBytes)) return this.end(now, { type: 'confirmed' })
    // As long as an answer is due its own timer watches; after that every report gives the next one time.
    if (this.unanswered > 0) return
    if (this.deadline !== undefined) this.core.heap.cancel(this.deadline)
    this.deadline = this.core.heap.arm(now.mono + this.core.limits.answerMicros, this)
  }
}
