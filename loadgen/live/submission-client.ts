/**
 * The generator's side of HTTP/1.1, and no more than it needs: POSTs to one origin over connections kept open, one
 * submission under way on each, the one used last taken first. A submission is written at most once: what became of it
 * when its connection broke nobody knows, so it is reported unanswered and never sent again. Knows no push.
 */
import { connect, type Socket } from 'node:net'
import { Fifo } from '../../core/kit/fifo.js'
import { AnswerReader } from './answer-reader.js'

/** One POST, and who is told of it. Told `onSent` at most once, then one of the others exactly once. */
export interface Submission {
  /** As `SubmissionClient.head` made it. */
  readonly head: string
  /** One character per octet. */
  readonly body: string
  /** It is handed to the socket of an open connection. */
  onSent(): void
  /** @param body one character per octet, the first 16,384 of them */
  onAnswered(status: number, body: string): void
  /** @param reason one of few, or a system error's code */
  onUnanswered(reason: string): void
}

export interface SubmissionClientSettings {
  /** Connections are opened as they are needed, up to so many. */
  readonly connectionsMax: number
  /** To connect, and from the request to the end of its answer. */
  readonly answerTimeoutMillis: number
}

/** The timer that looks for late answers looks so often within their time: an answer may be late by that much. */
const LOOKS_PER_TIMEOUT = 30
const READ_BYTES = 4_096
/** A connection unused for longer may be closed by the server just as it is used; where the server tells its time, so much less than that. */
const IDLE_MILLIS_MAX = 60_000
const IDLE_MARGIN_MILLIS = 1_500

export class SubmissionClient {
  private readonly origin: string
  /** Every connection that is open or being opened. */
  private readonly connections = new Set<Connection>()
  /** The one used last at the end. */
  private readonly unused: Connection[] = []
  private readonly waiting = new Fifo<Submission>()
  private connecting = 0
  private closed = false
  private readonly timer: NodeJS.Timeout
  /** Looks for late answers so far: the clock of this client. */
  private looks = 0
  readonly lookMillis: number
  private readonly host: string
  private readonly port: number

  /** @throws for a URL that is not http */
  constructor(url: URL, private readonly settings: SubmissionClientSettings) {
    if (url.protocol !== 'http:') throw new Error(`the generator submits over http alone; the gateway's address is ${url.href}`)
    this.origin = `POST ${url.pathname}${url.search} HTTP/1.1\r\nHost: ${url.host}\r\n`
    this.host = url.hostname.replace(/^\[|\]$/g, '')
    this.port = url.port === '' ? 80 : Number(url.port)
    this.lookMillis = Math.ceil(settings.answerTimeoutMillis / LOOKS_PER_TIMEOUT)
    this.timer = setInterval(this.look, this.lookMillis).unref()
  }

  /** The head of every submission of this media type, but for its length. */
  head(contentType: string): string {
    return `${this.origin}Content-Type: ${contentType}\r\nContent-Length: `
  }

  /** Sends at once where a connection is free; otherwise in the order given, as connections become free. */
  submit(submission: Submission): void {
    if (this.closed) return submission.onUnanswered('given up')
    const connection = this.takeUnused()
    if (connection !== undefined) return connection.send(submission, this.looks)
    this.waiting.push(submission)
    this.openAsNeeded()
  }

  /** Gives up every submission without an answer. May be called again. */
  close(): void {
    this.closed = true
    clearInterval(this.timer)
    for (const connection of this.connections) connection.end('given up')
    for (let submission = this.waiting.shift(); submission !== undefined; submission = this.waiting.shift()) submission.onUnanswered('given up')
  }

  /** A connection is open, or its answer has come. */
  free(connection: Connection): void {
    const submission = this.waiting.shift()
    if (submission !== undefined) return connection.send(submission, this.looks)
    connection.since = this.looks
    this.unused.push(connection)
  }

  opened(connection: Connection): void {
    this.connecting--
    this.free(connection)
  }

  /** It never opened: as many submissions fail as connections do. */
  failed(connection: Connection, reason: string): void {
    this.connecting--
    this.connections.delete(connection)
    this.waiting.shift()?.onUnanswered(reason)
    this.openAsNeeded()
  }

  /** An open connection is closed. */
  gone(connection: Connection): void {
    this.connections.delete(connection)
    const place = this.unused.indexOf(connection)
    if (place >= 0) this.unused.splice(place, 1)
    this.openAsNeeded()
  }

  private takeUnused(): Connection | undefined {
    for (let connection = this.unused.pop(); connection !== undefined; connection = this.unused.pop()) {
      if ((this.looks - connection.since) * this.lookMillis < connection.idleMillis) return connection
      connection.end('')
    }
    return undefined
  }

  private openAsNeeded(): void {
    while (!this.closed && this.connecting < this.waiting.length && this.connections.size < this.settings.connectionsMax) {
      this.connecting++
      this.connections.add(new Connection(this, this.host, this.port, this.looks))
    }
  }

  private readonly look = (): void => {
    this.looks++
    for (const connection of this.connections) {
      if (connection.waits && this.looks - connection.since > LOOKS_PER_TIMEOUT) connection.end('no answer in time')
    }
  }
}

/** One connection to the gateway. It ends once; whoever ends it first says why. */
class Connection {
  idleMillis = IDLE_MILLIS_MAX
  /** When it was opened, last written to or last answered, whichever is the latest, in looks of the client. */
  since: number
  private readonly socket: Socket
  private readonly reader = new AnswerReader()
  private submission: Submission | undefined
  private state: 'opening' | 'open' | 'ended' = 'opening'

  constructor(private readonly client: SubmissionClient, host: string, port: number, looks: number) {
    this.since = looks
    this.socket = connect({ host, port, noDelay: true, onread: { buffer: Buffer.allocUnsafeSlow(READ_BYTES), callback: this.onRead } })
    this.socket.on('connect', this.onConnect)
    this.socket.on('end', this.onEnd)
    this.socket.on('error', this.onError)
    this.socket.on('close', this.onClose)
  }

  /** Whether something is to come: the connection itself, or an answer. */
  get waits(): boolean {
    return this.state === 'opening' || this.submission !== undefined
  }

  send(submission: Submission, looks: number): void {
    this.since = looks
    this.submission = submission
    this.reader.reset()
    submission.onSent()
    this.socket.write(`${submission.head}${submission.body.length}\r\n\r\n${submission.body}`, 'latin1')
  }

  /** Closes the connection; a submission on it is unanswered for this reason. */
  end(reason: string): void {
    if (this.state === 'ended') return
    const { state, submission } = this
    this.state = 'ended'
    this.submission = undefined
    this.socket.destroy()
    if (state === 'opening') return this.client.failed(this, reason)
    this.client.gone(this)
    submission?.onUnanswered(reason)
  }

  private readonly onConnect = (): void => {
    if (this.state !== 'opening') return
    this.state = 'open'
    this.client.opened(this)
  }

  private readonly onRead = (length: number, buffer: Uint8Array): boolean => {
    // Nothing was asked: a server that says something all the same, such as 408, is about to close.
    if (this.submission === undefined) this.end('')
    else if (this.reader.take(buffer as Buffer, length)) this.answered(this.submission)
    return true
  }

  /** The answer is over. Whoever waits for a connection gets this one before the answer is told. */
  private answered(submission: Submission): void {
    const { fault, status, body, reusable, idleSeconds } = this.reader
    if (fault !== undefined) return this.end(fault)
    this.submission = undefined
    this.idleMillis = idleSeconds === undefined ? IDLE_MILLIS_MAX : Math.min(IDLE_MILLIS_MAX, Math.max(0, idleSeconds * 1_000 - IDLE_MARGIN_MILLIS))
    // An answer that came before the whole request had left says nothing about the rest of it.
    if (reusable && this.socket.writableLength === 0) this.client.free(this)
    else this.end('')
    submission.onAnswered(status, body)
  }

  private readonly onEnd = (): void => {
    if (this.submission !== undefined && this.reader.end()) this.answered(this.submission)
    else this.end(this.reader.begun ? 'closed within the answer' : 'closed before an answer')
  }

  private readonly onError = (error: NodeJS.ErrnoException): void => {
    this.end(error.code ?? error.message)
  }

  private readonly onClose = (): void => {
    this.end('closed before an answer')
  }
}
