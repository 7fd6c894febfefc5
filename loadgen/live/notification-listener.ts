/**
 * The initiator's ear: takes result notifications over HTTP, answers each with resultnotification-response 1000 and
 * writes `notified` into the initiator's journal. It believes nothing else and keeps nothing.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { journalLine } from '../../core/kit/journal.js'
import type { Micros } from '../../core/kit/time.js'
import { monoMicros } from '../../core/live/clock.js'
import { decodePap } from '../../core/pap/decode.js'
import { encodePap } from '../../core/pap/encode.js'
import type { JournalWriter } from '../../core/live/journal.js'

const BODY_BYTES_MAX = 65_536

/** What a notification says of one push, and when it came. */
export interface Result {
  readonly at: Micros
  readonly pushId: string
  readonly messageState: string
  readonly code: number
  readonly desc: string | undefined
}

export class NotificationListener {
  /** Result notifications taken, repeats included. */
  received = 0
  /** Requests that were none. */
  refused = 0
  /** Told of each result as it comes. */
  onResult: ((result: Result) => void) | undefined

  private constructor(private readonly server: Server, private readonly journal: JournalWriter) {
    server.on('request', (request, response) => this.take(request, response))
    server.keepAliveTimeout = 60_000
  }

  static listen(journal: JournalWriter): Promise<NotificationListener> {
    const server = createServer()
    return new Promise((resolve, reject) => {
      server.once('error', reject)
      server.listen(0, '127.0.0.1', () => resolve(new NotificationListener(server, journal)))
    })
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/notifications`
  }

  close(): Promise<void> {
    this.server.closeAllConnections()
    // A second close only reports that it is one.
    return new Promise((resolve) => this.server.close(() => resolve()))
  }

  private take(request: IncomingMessage, response: ServerResponse): void {
    const chunks: Buffer[] = []
    let octets = 0
    request.on('data', (chunk: Buffer) => {
      octets += chunk.length
      if (octets <= BODY_BYTES_MAX) chunks.push(chunk)
    })
    request.on('error', () => response.destroy())
    request.on('end', () => {
      if (request.method !== 'POST' || octets > BODY_BYTES_MAX) return this.refuse(response, request.method === 'POST' ? 413 : 405)
      this.answer(Buffer.concat(chunks), response)
    })
  }

  private answer(body: Buffer, response: ServerResponse): void {
    const at = monoMicros()
    const document = decodePap(body)
    if (!document.ok || document.message.type !== 'resultnotification-message') return this.refuse(response, 400)
    const { pushId, address, messageState, code, desc } = document.message
    this.received++
    this.onResult?.({ at, pushId, messageState, code, desc })
    const confirmed = messageState !== 'delivered' ? '-' : /unconfirmed/i.test(desc ?? '') ? 'unconfirmed' : 'confirmed'
    this.journal.line(journalLine(at, 'notified', pushId, address, messageState, String(code), confirmed))
    const answer = encodePap({ type: 'resultnotification-response', pushId, code: 1000, address }, document.form)
    response.writeHead(202, { 'content-type': 'application/xml', 'content-length': Buffer.byteLength(answer) }).end(answer)
  }

  private refuse(response: ServerResponse, status: number): void {
    this.refused++
    response.writeHead(status, { 'content-length': 0 }).end()
  }
}
