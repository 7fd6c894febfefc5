/**
 * One MSRP session: its URI, its peer's path, its connection, from the offer to its end (RFC 4975 section 5.4, RFC 6135). Composes
 * the sending and the receiving half; knows no flows and no octets.
 */
import type { Deadline } from '../kit/heap.js'
import type { Now } from '../kit/time.js'
import type { Connection } from './connection.js'
import type { DownCause, FailureCause, IncomingMessage, MsrpSession, OutgoingMessage, SendOptions, SessionOptions, SetupRole } from './contract.js'
import type { Core, Expiring } from './core.js'
import type { MsrpMessage } from './message.js'
import { Outgoing } from './outgoing.js'
import { distrustOf } from './peer.js'
import { Incoming, Receiver } from './receiver.js'
import { Sender } from './sender.js'
import { Transaction } from './transactions.js'
import { addressOf, MSRP_PORT, parsePath, type MsrpUri } from './uri.js'
import { bodilessSend } from './write.js'

/** How the end of a session is told to its messages. */
const FAILURES: Readonly<Record<DownCause, FailureCause>> = {
  connect: 'connection', connection: 'connection', unbound: 'session', refused: 'session',
  handshake: 'handshake', uncertified: 'uncertified', fingerprint: 'fingerprint', expired: 'expired',
}

/** What a session asks of the endpoint: a connection to this place, open or being opened; undefined when there are too many. */
export type Connect = (session: Session, address: string, port: number) => Connection | undefined

export class Session implements MsrpSession, Expiring {
  context: unknown
  readonly lane: number
  state: MsrpSession['state'] = 'new'
  connection: Connection | undefined
  /** '' until `start`. */
  peerPath = ''
  /** Is it among those its connection is to serve next? The connection keeps this. */
  isOffered = false
  /** Over TLS: whether the peer showed what its description names. Over TCP nobody can tell, and nobody asks. */
  isTrusted: boolean
  private fingerprints: readonly string[] = []
  /** What becomes of a message that is sent in it after its end. */
  failure: FailureCause = 'session'
  readonly sender: Sender
  readonly receiver: Receiver
  private role: SetupRole | undefined
  private deadline: Deadline<Expiring> | undefined

  constructor(
    private readonly core: Core,
    private readonly connect: Connect,
    /** Of all sessions of this endpoint. */
    readonly number: number,
    /** Our own URI, read. */
    readonly own: MsrpUri,
    options: SessionOptions,
  ) {
    this.context = options.context
    this.lane = options.lane ?? 0
    this.isTrusted = own.transport === 'tcp'
    this.sender = new Sender(core, this)
    this.receiver = new Receiver(core, this, options)
  }

  get uri(): string {
    return this.own.text
  }

  get hasWork(): boolean {
    return this.state === 'bound' && this.peerPath !== '' && this.sender.hasWork
  }

  start(now: Now, role: SetupRole, peerPath: string, fingerprints: readonly string[] = []): boolean {
    const path = parsePath(peerPath)
    if (this.role !== undefined || this.state === 'down' || path === undefined || path[0]!.transport !== this.own.transport) return false
    const address = addressOf(path[0]!)
    if (role === 'active' && address === undefined) return false
    if (!this.isTrusted && fingerprints.length === 0) return false
    this.fingerprints = fingerprints
    this.role = role
    this.peerPath = path.map((uri) => uri.text).join(' ')
    if (this.state === 'bound') {
      if (this.admits(now, this.connection!)) this.offer(now)
      return true
    }
    this.state = 'starting'
    this.deadline = this.core.heap.arm(now.mono + this.core.limits.answerMicros, this)
    if (role === 'active') this.open(now, address!, path[0]!.port ?? MSRP_PORT)
    return true
  }

  /** The peer's first request named this session: its connection is ours (RFC 4975 section 5.4). False, and the session is over, when the peer is another. */
  bind(now: Now, connection: Connection): boolean {
    if (!this.admits(now, connection)) return false
    this.connection = connection
    connection.attach(this)
    this.bound(now)
    this.offer(now)
    return true
  }

  /** The connection we asked for has come up. The active side sends at once, so that the peer knows whose it is. */
  connectionUp(now: Now): void {
    const { connection } = this
    if (connection === undefined || !this.admits(now, connection)) return
    this.bound(now)
    if (!connection.takesContent || this.step(now, connection) === 0) this.sendBinding(now, connection)
    this.offer(now)
  }

  send(now: Now, options: SendOptions): OutgoingMessage {
    const outgoing = this.sender.send(now, options)
    this.offer(now)
    return outgoing
  }

  resume(now: Now): void {
    this.sender.resume()
    this.offer(now)
  }

  cancel(now: Now, message: OutgoingMessage): void {
    if (message instanceof Outgoing && message.session === this && message.state !== 'ended') this.sender.abandon(now, message, 'cancelled', 'cancelled')
    this.core.settle(now)
  }

  refuse(now: Now, message: IncomingMessage, status: number): void {
    if (message instanceof Incoming && message.session === this) this.receiver.refuse(message, status)
    this.core.settle(now)
  }

  close(now: Now): void {
    this.finish(now, 'session', 'the session was closed')
    this.core.settle(now)
  }

  /** The session ends, and its owner learns of it. */
  end(now: Now, cause: DownCause, reason: string): void {
    if (this.state === 'down') return
    this.failure = FAILURES[cause]
    this.finish(now, this.failure, reason)
    this.core.down(now, this, cause, reason)
  }

  expire(now: Now): void {
    this.deadline = undefined
    const active = this.role === 'active'
    this.end(now, active ? 'connect' : 'unbound', active ? 'no connection to the peer could be opened' : `no connection came within ${this.core.limits.answerMicros / 1_000_000} s`)
  }

  /** Lets the connection know that there is something to send, if there is. */
  offer(now: Now): void {
    if (this.hasWork) this.connection?.offer(now, this)
  }

  /** The next chunk goes out; returns 0 when there was none. */
  step(now: Now, connection: Connection): number {
    return this.hasWork ? this.sender.step(now, connection, this.peerPath) : 0
  }

  /** RFC 4975 section 10. */
  answered(now: Now, { outgoing, bytes }: Transaction, status: number, comment: string): void {
    this.sender.settle(bytes)
    if (this.state === 'down') return
    if (status === 481 || status === 506 || (outgoing === undefined && status !== 200)) {
      if (outgoing !== undefined && outgoing.state !== 'ended') outgoing.end(now, { type: 'refused', status, comment })
      return this.end(now, 'refused', `the peer answered ${status} ${comment}`.trimEnd())
    }
    if (outgoing !== undefined && outgoing.state !== 'ended') {
      if (status === 200) {
        if (outgoing.failureReport === 'yes') outgoing.answered(now)
      } else if (status === 408) this.sender.abandon(now, outgoing, 'timeout', 'the peer answered 408')
      else this.sender.refused(now, outgoing, status, comment)
    }
    this.offer(now)
  }

  /** RFC 4975 section 7.1.1: 30 seconds and no answer. */
  unanswered(now: Now, { outgoing, bytes }: Transaction): void {
    this.sender.settle(bytes)
    if (this.state === 'down') return
    const within = `within ${this.core.limits.answerMicros / 1_000_000} s`
    if (outgoing === undefined) return this.end(now, 'unbound', `the peer did not answer the first SEND ${within}`)
    if (outgoing.state !== 'ended' && outgoing.failureReport === 'yes') this.sender.abandon(now, outgoing, 'timeout', `a SEND was not answered ${within}`)
    this.offer(now)
  }

  /** A REPORT for this session; one about an unknown message is ignored (RFC 4975 section 7.1.2). */
  report(now: Now, message: MsrpMessage): void {
    this.sender.byId(message.messageId)?.report(now, message)
  }

  /** May this connection serve the session? Over TLS if its peer is the one described, else the session ends; as long as nobody was described, nobody is refused. */
  private admits(now: Now, connection: Connection): boolean {
    if (this.isTrusted || this.role === undefined) return true
    const distrust = distrustOf(connection.certificate, this.fingerprints, now.wall)
    if (distrust === undefined) return this.isTrusted = true
    this.end(now, distrust.cause, distrust.reason)
    connection.distrust(now, distrust.reason)
    return false
  }

  private open(now: Now, address: string, port: number): void {
    const connection = this.connect(this, address, port)
    if (connection === undefined) {
      // Told in the next turn, never from within the call.
      this.core.heap.cancel(this.deadline!)
      this.deadline = this.core.heap.arm(now.mono, this)
      return
    }
    this.connection = connection
    connection.attach(this)
    if (connection.isOpen) this.connectionUp(now)
  }

  private bound(now: Now): void {
    this.state = 'bound'
    if (this.deadline !== undefined) this.core.heap.cancel(this.deadline)
    this.deadline = undefined
    this.core.bound(now, this)
  }

  private sendBinding(now: Now, connection: Connection): void {
    const id = this.core.newTransactionId()
    connection.control(bodilessSend(id, this.peerPath, this.uri, this.core.newTransactionId()))
    new Transaction(this.core, now, id, this, connection, undefined, 0)
  }

  private finish(now: Now, cause: FailureCause, reason: string): void {
    if (this.state === 'down') return
    this.state = 'down'
    if (this.deadline !== undefined) this.core.heap.cancel(this.deadline)
    this.core.sessions.delete(this.own.sessionId!)
    this.sender.failAll(now, cause, reason)
    this.receiver.abortAll(now, reason)
    this.connection?.detach(now, this)
  }
}
