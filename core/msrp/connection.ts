/**
 * One connection and the sessions that share it (RFC 4975 section 5.4): what goes out and in which order, when it goes on after
 * the driver was full, how long it stays without a session. What comes in is the reception's to read.
 */
import { ChurnMap } from '../kit/churn-map.js'
import { Fifo } from '../kit/fifo.js'
import type { Deadline } from '../kit/heap.js'
import type { FlowId } from '../kit/network.js'
import type { PeerCertificate } from '../kit/peer-certificate.js'
import type { Micros, Now } from '../kit/time.js'
import type { DownCause, MsrpTransport } from './contract.js'
import type { Core, Expiring } from './core.js'
import { Reception } from './reception.js'
import type { Session } from './session.js'

/** Content handed to the driver for one connection in one turn of the machine; more waits for the next, so that others get theirs. */
export const TURN_BYTES_MAX = 1_048_576
/** Answers and reports that may wait while the driver is full: a peer that sends on without reading loses its connection. */
export const CONTROL_BYTES_MAX = 262_144

/** What a connection tells the endpoint, which knows it by flow and by peer. */
export interface ConnectionOwner {
  /** It is to be closed and forgotten; the flow's own end needs no word any more. */
  closed(connection: Connection): void
}

export class Connection implements Expiring {
  /** -1 while connecting. */
  flow: FlowId = -1
  /** What the peer showed, over TLS. */
  certificate: PeerCertificate | undefined
  private isUp = false
  private isFull = false
  private isOver = false
  private isHurried = false
  private isPumping = false
  private turn = -1
  private turnBytesLeft = 0
  private readonly sessions = new ChurnMap<Session, number>(0)
  /** Sessions that have something to send, each once, in order of their turns. */
  private readonly ready = new Fifo<Session>()
  private readonly waiting = new Fifo<Buffer>()
  private waitingBytes = 0
  private readonly reception: Reception
  private idle: Deadline<Expiring> | undefined
  private sequence = 0
  private answeredSequence = 0
  private answeredAt: Micros = -Infinity

  /** @param poolKey where it leads, when it was opened by us */
  constructor(private readonly core: Core, private readonly owner: ConnectionOwner, readonly transport: MsrpTransport, readonly poolKey: string | undefined) {
    this.reception = new Reception(core, this)
  }

  /** The flow is there. */
  up(now: Now, flow: FlowId, certificate: PeerCertificate | undefined): void {
    this.flow = flow
    this.certificate = certificate
    this.isUp = true
    for (const session of [...this.sessions.values()]) session.connectionUp(now)
    if (this.isOver) return
    if (this.sessions.size === 0) this.armIdle(now)
    this.pump(now)
  }

  get isOpen(): boolean {
    return this.isUp && !this.isOver
  }

  /** May content be handed to the driver? */
  get takesContent(): boolean {
    return this.isOpen && !this.isFull
  }

  received(now: Now, bytes: Buffer): void {
    this.reception.read(now, bytes)
  }

  full(): void {
    this.isFull = true
  }

  writable(now: Now): void {
    this.isFull = false
    while (!this.isFull) {
      const bytes = this.waiting.shift()
      if (bytes === undefined) break
      this.waitingBytes -= bytes.length
      this.transmit(bytes)
    }
    this.pump(now)
  }

  /** It ended, or never came up: so do its sessions (RFC 4975 section 5.4). */
  over(now: Now, cause: DownCause, reason: string): void {
    this.isOver = true
    this.isUp = false
    if (this.idle !== undefined) this.core.heap.cancel(this.idle)
    this.reception.stop()
    for (const session of [...this.sessions.values()]) session.end(now, cause, reason)
  }

  /** Ends it from this side, with all its sessions. */
  break(now: Now, reason: string): void {
    if (this.isOver) return
    this.owner.closed(this)
    this.over(now, 'connection', reason)
  }

  /** Whoever is there is not the peer of a session that would have been served here: it is let go, unless other sessions know it. */
  distrust(now: Now, reason: string): void {
    if (this.sessions.size === 0) this.break(now, reason)
  }

  attach(session: Session): void {
    this.sessions.set(session.number, session)
    if (this.idle !== undefined) this.core.heap.cancel(this.idle)
    this.idle = undefined
  }

  detach(now: Now, session: Session): void {
    this.sessions.delete(session.number)
    if (this.sessions.size === 0 && this.isOpen) this.armIdle(now)
  }

  expire(now: Now): void {
    this.idle = undefined
    this.break(now, 'no session used it any more')
  }

  /** A session has something to send. */
  offer(now: Now, session: Session): void {
    if (!session.isOffered) {
      session.isOffered = true
      this.ready.push(session)
    }
    this.pump(now)
  }

  goOn(now: Now): void {
    this.isHurried = false
    this.pump(now)
  }

  /** Octets straight to the driver. */
  transmit(bytes: Buffer): void {
    this.core.emit({ type: 'transmit', flow: this.flow, bytes })
  }

  /** An answer, a report or a request without content, or several `messages` at once: ahead of all content that has not gone out (RFC 4975 section 7.1.1). */
  control(text: string, messages = 1): void {
    if (!this.isOpen) return
    this.core.messagesOut += messages
    const bytes = Buffer.from(text)
    if (!this.isFull) this.transmit(bytes)
    else {
      this.waiting.push(bytes)
      this.waitingBytes += bytes.length
    }
  }

  /** Does the peer take what it is owed? */
  get isClogged(): boolean {
    return this.waitingBytes > CONTROL_BYTES_MAX
  }

  /** Places a request in the order of all that is sent here, from 1. */
  nextSequence(): number {
    return ++this.sequence
  }

  answeredUpTo(sequence: number, now: Now): void {
    this.answeredSequence = Math.max(this.answeredSequence, sequence)
    this.answeredAt = now.mono
  }

  /** When an answer last came, if nothing sent after this request was answered yet; else -Infinity: it was passed over. */
  lastAnswerBefore(sequence: number): Micros {
    return this.answeredSequence < sequence ? this.answeredAt : -Infinity
  }

  private pump(now: Now): void {
    if (!this.isOpen || this.isPumping) return
    this.isPumping = true
    this.serve(now)
    this.isPumping = false
    if (this.isFull || this.isHurried || this.ready.length === 0) return
    this.isHurried = true
    this.core.hurry(now, this)
  }

  private serve(now: Now): void {
    if (this.turn !== this.core.turn) {
      this.turn = this.core.turn
      this.turnBytesLeft = TURN_BYTES_MAX
    }
    while (this.turnBytesLeft > 0 && !this.isFull) {
      const session = this.ready.shift()
      if (session === undefined) return
      session.isOffered = false
      this.turnBytesLeft -= session.step(now, this)
      if (session.hasWork && !session.isOffered) {
        session.isOffered = true
        this.ready.push(session)
      }
    }
  }

  /**
   * Only its opener begins sessions over it, so its opener closes it: the other side, which cannot see that the next session's first SEND
   * is on its way, would take that session's connection from under it.
   */
  private armIdle(now: Now): void {
    const { idleMicros, answerMicros } = this.core.limits
    if (this.idle !== undefined) this.core.heap.cancel(this.idle)
    this.idle = this.core.heap.arm(now.mono + (this.poolKey === undefined ? answerMicros : idleMicros), this)
  }
}
