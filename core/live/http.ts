/**
 * The HTTP side of PAP (WAP-247 section 13): takes whole submissions by POST and hands them on by number, answers when
 * the reply with that number comes. It knows HTTP, sizes and time limits; what a document says is none of its business.
 */
import { createServer, IncomingMessage, ServerResponse, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { ChurnMap } from '../kit/churn-map.js'
import type { Endpoint } from '../kit/network.js'
import type { Micros } from '../kit/time.js'
import type { PapReply, PapRequest } from '../push/contract.js'
import { monoMicros } from './clock.js'

/** What a submission may weigh unless configured otherwise. */
export const BODY_BYTES_MAX = 1024 * 1024

/** A refused body is read and thrown away up to so many times the limit, so that its sender sees the answer; beyond, it is cut. */
const REFUSED_BODY_FACTOR = 8

const PATHS: ReadonlySet<string> = new Set(['/pap', '/wappush'])
const CONTENT_TYPES = /^\s*(?:multipart\/|[\w.+-]+\/(?:[\w.+-]+\+)?xml\s*(?:;|$))/i
const CONNECTIONS_MAX = 10_000
const HEADERS_TIMEOUT_MILLIS = 10_000
const REQUEST_TIMEOUT_MILLIS = 30_000
const KEEP_ALIVE_MILLIS = 75_000
const TIMEOUT_CHECK_MILLIS = 1_000
/** How long exchanges may take to finish once closing has begun. */
const CLOSE_MILLIS = 5_000

export interface HttpSettings {
  readonly bodyBytesMax: number
}

export interface HttpCounters {
  requests: number
  /** Refused here with a 4xx, before the gateway saw them. */
  refused: number
  /** The initiator went away before its answer; the submission itself stands. */
  clientsGone: number
}

export class PapListener {
  readonly counters: HttpCounters = { requests: 0, refused: 0, clientsGone: 0 }
  private readonly exchanges = new ChurnMap<PapResponse, number>(0)
  private readonly server: Server<typeof PapIncoming, typeof PapResponse>
  private idLast = 0
  private closed: Promise<void> | undefined

  /**
   * @param report takes each whole submission; may answer it by `reply` at once or at any later time
   * @param onReply told how long each exchange took from its headers to its answer
   */
  constructor(
    private readonly settings: HttpSettings,
    private readonly report: (request: PapRequest) => void,
    private readonly onReply?: (micros: Micros) => void,
  ) {
    this.server = createServer({
      IncomingMessage: PapIncoming, ServerResponse: PapResponse, noDelay: true,
      headersTimeout: HEADERS_TIMEOUT_MILLIS, requestTimeout: REQUEST_TIMEOUT_MILLIS,
      keepAliveTimeout: KEEP_ALIVE_MILLIS, connectionsCheckingInterval: TIMEOUT_CHECK_MILLIS,
    }, this.onRequest)
    this.server.maxConnections = CONNECTIONS_MAX
  }

  /** Listens on the wanted port, or on a free one where that is taken (or 0). */
  async listen(wanted: Endpoint): Promise<Endpoint> {
    try {
      return await this.bind(wanted)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
      return this.bind({ address: wanted.address, port: 0 })
    }
  }

  /** The answer to the submission with this number; nothing happens when its client has gone. */
  reply(reply: PapReply): void {
    const response = this.exchanges.get(reply.id)
    if (response === undefined) return
    this.exchanges.delete(reply.id)
    this.onReply?.(monoMicros() - response.startedAt)
    if (this.closed !== undefined) response.shouldKeepAlive = false
    const octets = Buffer.byteLength(reply.body)
    const length = String(octets)
    if (reply.status === 202) response.writeHead(202, ['Content-Type', 'application/xml', 'Content-Length', length])
    else response.writeHead(503, ['Retry-After', String(reply.retryAfterSeconds ?? 1), 'Content-Length', length])
    endInOneWrite(response, reply.body, octets === reply.body.length ? 'latin1' : 'utf8')
  }

  /** Takes no new connection; those open may still be answered. */
  stopAccepting(): void {
    if (this.closed !== undefined) return
    this.closed = new Promise((resolve) => { this.server.close(() => resolve()) })
    this.server.closeIdleConnections()
  }

  /** Ends everything; exchanges still open get a moment, then are cut. */
  async close(): Promise<void> {
    this.stopAccepting()
    this.server.closeIdleConnections()
    const cut = setTimeout(() => this.server.closeAllConnections(), this.exchanges.size === 0 ? 0 : CLOSE_MILLIS)
    await this.closed
    clearTimeout(cut)
  }

  private bind(wanted: Endpoint): Promise<Endpoint> {
    return new Promise((resolve, reject) => {
      this.server.once('error', reject)
      this.server.listen({ host: wanted.address, port: wanted.port, backlog: 1_024 }, () => {
        this.server.off('error', reject)
        this.server.on('error', () => {})
        resolve({ address: wanted.address, port: (this.server.address() as AddressInfo).port })
      })
    })
  }

  private readonly onRequest = (request: PapIncoming, response: PapResponse): void => {
    this.counters.requests += 1
    if (!PATHS.has(pathOf(request.url ?? ''))) return this.refuse(response, 404, 'PAP is served at /pap')
    // WAP-247 section 13.1: PAP operations are POSTs.
    if (request.method !== 'POST') return this.refuse(response, 405, 'PAP is submitted by POST', ['Allow', 'POST'])
    const headers = request.headers
    const declared = headers['content-length']
    if (declared === undefined && headers['transfer-encoding'] === undefined) {
      return this.refuse(response, 411, 'a submission says its length (Content-Length) or comes in chunks')
    }
    const contentType = headers['content-type'] ?? ''
    if (!CONTENT_TYPES.test(contentType)) return this.refuse(response, 415, 'a submission is multipart/related or application/xml')
    if (Number(declared) > this.settings.bodyBytesMax * REFUSED_BODY_FACTOR) {
      response.shouldKeepAlive = false
      return this.refuse(response, 413, this.tooLarge())
    }
    request.listener = this
    request.response = response
    response.startedAt = monoMicros()
    request.on('data', onData)
    request.on('end', onEnd)
  }

  /** A whole body has come. */
  complete(request: PapIncoming, response: PapResponse): void {
    if (request.bodyBytes > this.settings.bodyBytesMax) return this.refuse(response, 413, this.tooLarge())
    const id = ++this.idLast
    const body = request.chunks.length === 1 ? request.chunks[0]! : Buffer.concat(request.chunks, request.bodyBytes)
    request.chunks = NO_CHUNKS
    response.exchange = id
    response.listener = this
    response.on('close', onResponseClose)
    this.exchanges.set(id, response)
    this.report({ type: 'pap-request', id, initiator: 'anonymous', contentType: request.headers['content-type'] ?? '', body })
  }

  /** Keeps a chunk while the body is within its limit; throws away what is beyond, and cuts who never ends. */
  take(request: PapIncoming, chunk: Buffer): void {
    request.bodyBytes += chunk.length
    if (request.bodyBytes <= this.settings.bodyBytesMax) request.chunks.push(chunk)
    else {
      request.chunks = []
      if (request.bodyBytes > this.settings.bodyBytesMax * REFUSED_BODY_FACTOR) {
        this.counters.refused += 1
        request.destroy()
      }
    }
  }

  gone(exchange: number): void {
    if (this.exchanges.delete(exchange)) this.counters.clientsGone += 1
  }

  private refuse(response: PapResponse, status: number, why: string, headers: readonly string[] = []): void {
    this.counters.refused += 1
    const body = `${why}\n`
    response.writeHead(status, [...headers, 'Content-Type', 'text/plain; charset=utf-8', 'Content-Length', String(Buffer.byteLength(body))])
    response.end(body)
  }

  private tooLarge(): string {
    return `a submission holds at most ${this.settings.bodyBytesMax} octets here`
  }
}

const NO_CHUNKS: Buffer[] = []

/** A request with its body so far. State on the object and shared handlers: no closure per request. */
class PapIncoming extends IncomingMessage {
  listener: PapListener | undefined
  response: PapResponse | undefined
  chunks: Buffer[] = []
  bodyBytes = 0
}

class PapResponse extends ServerResponse<PapIncoming> {
  listener: PapListener | undefined
  exchange = 0
  startedAt: Micros = 0
}

/**
 * `end` with a body adds an empty piece behind head and body, so that the system gets a list of pieces; written before the
 * end they are one text. Without a socket (an answer whose turn on a pipelined connection has not come) Node keeps them.
 */
function endInOneWrite(response: PapResponse, body: string, encoding: 'latin1' | 'utf8'): void {
  const { socket } = response
  if (socket === null || body === '') {
    response.end(body, encoding)
    return
  }
  socket.cork()
  response.write(body, encoding)
  socket.uncork()
  response.end()
}

function onData(this: PapIncoming, chunk: Buffer): void {
  this.listener!.take(this, chunk)
}

function onEnd(this: PapIncoming): void {
  this.listener!.complete(this, this.response!)
}

function onResponseClose(this: PapResponse): void {
  this.listener!.gone(this.exchange)
}

/** The path of a request target in origin form or absolute form (RFC 9112 section 3.2), without its query. */
function pathOf(target: string): string {
  if (PATHS.has(target)) return target
  const path = /^https?:\/\//i.test(target) ? target.replace(/^https?:\/\/[^/?]*/i, '') : target
  const query = path.indexOf('?')
  return query === -1 ? path : path.slice(0, query)
}
