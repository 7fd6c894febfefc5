/**
 * One SEND that waits for its answer (RFC 4975 section 7.1.1): who is told, and how long it may take. The 30 seconds count from when
 * the request is out, which a sender on a slow link cannot see; so they count from the last answer to something sent before it.
 */
import type { Deadline } from '../kit/heap.js'
import type { Micros, Now } from '../kit/time.js'
import type { Connection } from './connection.js'
import type { Core, Expiring } from './core.js'
import type { Outgoing } from './outgoing.js'
import type { Session } from './session.js'

export class Transaction implements Expiring {
  private deadline: Deadline<Expiring>
  private readonly sequence: number

  /**
   * @param outgoing whose chunk it is; undefined for the SEND that binds the connection
   * @param bytes of content that count against the session's unanswered octets
   */
  constructor(
    private readonly core: Core,
    now: Now,
    readonly id: string,
    readonly session: Session,
    readonly connection: Connection,
    readonly outgoing: Outgoing | undefined,
    readonly bytes: number,
  ) {
    this.sequence = connection.nextSequence()
    this.deadline = core.heap.arm(now.mono + core.limits.answerMicros, this)
    core.transactions.set(id, this)
  }

  /** The peer's response has come. */
  answered(now: Now, status: number, comment: string): void {
    this.forget()
    this.core.heap.cancel(this.deadline)
    this.connection.answeredUpTo(this.sequence, now)
    this.session.answered(now, this, status, comment)
  }

  expire(now: Now): void {
    const waitUntil: Micros = this.connection.lastAnswerBefore(this.sequence) + this.core.limits.answerMicros
    if (waitUntil > now.mono && this.session.state !== 'down') {
      this.deadline = this.core.heap.arm(waitUntil, this)
      return
    }
    this.forget()
    this.session.unanswered(now, this)
  }

  private forget(): void {
    this.core.transactions.delete(this.id)
  }
}
