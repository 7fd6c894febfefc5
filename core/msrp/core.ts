/**
 * What the parts of one MSRP endpoint share: limits, chance, timers, the tables of sessions and transactions, and the order in
 * which the user is told. News waits here until the machine has finished what it was doing, so that a user may call back at any time.
 */
import { ChurnMap } from '../kit/churn-map.js'
import type { Entropy } from '../kit/entropy.js'
import { Fifo } from '../kit/fifo.js'
import { DeadlineHeap } from '../kit/heap.js'
import type { NetworkOut } from '../kit/network.js'
import type { Micros, Now } from '../kit/time.js'
import type { Connection } from './connection.js'
import { DEFAULT_LIMITS, type DownCause, type MsrpEndpointOptions, type MsrpLimits, type MsrpUser, type OutgoingMessage, type SendOutcome } from './contract.js'
import type { Session } from './session.js'
import type { Transaction } from './transactions.js'

/** Bits of chance in a transact-id (RFC 4975 section 7.1 asks for 64) and in a session-id (section 14.1 asks for 80). */
const TRANSACTION_BITS = 65
const SESSION_BITS = 100

/** Whatever a deadline may belong to. */
export interface Expiring {
  expire(now: Now): void
}

type News =
  | { readonly outgoing: OutgoingMessage; readonly outcome: SendOutcome }
  | { readonly session: Session; readonly cause: DownCause | undefined; readonly reason: string }

export class Core {
  readonly limits: MsrpLimits
  readonly entropy: Entropy
  readonly user: MsrpUser
  readonly emit: (out: NetworkOut) => void
  readonly heap = new DeadlineHeap<Expiring>()
  readonly sessions: ChurnMap<Session>
  readonly transactions: ChurnMap<Transaction>
  private readonly news = new Fifo<News>()
  /** Connections that have more to send than one turn allows. */
  private readonly hurried = new Fifo<Connection>()
  /** When the oldest of `news` and `hurried` was left to the next turn. */
  private leftAt: Micros = Infinity
  private busy = false
  /** Requests and responses, each chunk being a request, that came in as far as their head and that went out. */
  messagesIn = 0
  messagesOut = 0
  /** Counts the machine's turns: the driver says what it thinks of one, `full` perhaps, before the next. */
  turn = 0

  constructor(options: MsrpEndpointOptions) {
    this.limits = { ...DEFAULT_LIMITS, ...options.limits }
    this.entropy = options.entropy
    this.user = options.user
    this.emit = options.emit
    const seed = options.entropy.bytes(4).readInt32BE(0)
    this.sessions = new ChurnMap(seed)
    this.transactions = new ChurnMap(seed)
  }

  newTransactionId(): string {
    return this.entropy.token(TRANSACTION_BITS)
  }

  newSessionId(): string {
    return this.entropy.token(SESSION_BITS)
  }

  deadline(): Micros {
    return Math.min(this.heap.next(), this.leftAt)
  }

  /** A turn of the machine begins: the user is told nothing out of turn until `leave`. */
  enter(): void {
    this.busy = true
    this.turn++
  }

  leave(now: Now): void {
    this.tell(now)
    this.busy = false
  }

  /** After a call of the user's that may have news: told at once, unless a turn is under way, which tells it. */
  settle(now: Now): void {
    if (this.busy) return
    this.busy = true
    this.leave(now)
  }

  outcome(now: Now, outgoing: OutgoingMessage, outcome: SendOutcome): void {
    this.add(now, { outgoing, outcome })
  }

  bound(now: Now, session: Session): void {
    this.add(now, { session, cause: undefined, reason: '' })
  }

  down(now: Now, session: Session, cause: DownCause, reason: string): void {
    this.add(now, { session, cause, reason })
  }

  /** The connection has more to send: it goes on at the next tick, so that others get their turn. */
  hurry(now: Now, connection: Connection): void {
    this.hurried.push(connection)
    this.leftAt = Math.min(this.leftAt, now.mono)
  }

  /** The deadlines that have come, and what the last turn left. */
  tick(now: Now): void {
    this.leftAt = Infinity
    for (let due = this.heap.popDue(now.mono); due !== undefined; due = this.heap.popDue(now.mono)) due.expire(now)
    for (let count = this.hurried.length; count > 0; count--) this.hurried.shift()!.goOn(now)
    if (this.hurried.length > 0) this.leftAt = now.mono
  }

  private add(now: Now, news: News): void {
    this.news.push(news)
    this.leftAt = Math.min(this.leftAt, now.mono)
  }

  /** What the user's own calls add meanwhile is left to the next turn: a user that sends again at every `sent` gets no turn without end. */
  private tell(now: Now): void {
    if (this.hurried.length === 0) this.leftAt = Infinity
    for (let count = this.news.length; count > 0; count--) {
      const news = this.news.shift()!
      if ('outgoing' in news) this.user.onOutcome(now, news.outgoing, news.outcome)
      else if (news.cause !== undefined) this.user.onDown(now, news.session, news.cause, news.reason)
      // Between binding and telling the session may have ended.
      else if (news.session.state === 'bound') this.user.onBound(now, news.session)
    }
    if (this.news.length > 0) this.leftAt = Math.min(this.leftAt, now.mono)
  }
}
