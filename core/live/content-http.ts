/**
 * The HTTP side of content indirection (RFC 4483): terminals fetch hosted contents by GET, whole or in ranges (RFC 9110), from
 * a URL that only they were told. It knows HTTP, sizes and time limits; which content a URL stands for is the gateway's word.
 * A content counts as fetched once every octet of it was handed to the transport for one token, in one answer or in several.
 */
import { createServer, IncomingMessage, ServerResponse, type RequestListener } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { Socket } from 'node:net'
import { ChurnMap } from '../kit/churn-map.js'
import type { Endpoint } from '../kit/network.js'
import { MICROS_PER_SECOND, type Micros } from '../kit/time.js'
import type { ContentReply, GatewayIn } from '../push/contract.js'
import { contentSize, isInline } from '../store/content.js'
import { isFresh, rangeOf, type ByteRange } from './byte-range.js'
import { monoMicros } from './clock.js'
import { Coverage } from './coverage.js'
import { HttpDoor } from './listening.js'
import type { TlsMaterial } from './tls.js'

const CONNECTIONS_MAX = 4_096
const WINDOW_OCTETS = 64 * 1024
const RETRY_AFTER_SECONDS = 2
const HEADERS_TIMEOUT_MILLIS = 10_000
const KEEP_ALIVE_MILLIS = 30_000
const TIMEOUT_CHECK_MILLIS = 1_000
/** How long answers under way may take once closing has begun. */
const CLOSE_MILLIS = 2_000
/** The last segment of the path; whatever stands before it is the operator's public URL. */
const TOKEN = /\/([A-Za-z0-9_-]{48})(?:\?.*)?$/

export interface ContentHttpLimits {
  /** Answers with a body under way at a time; beyond, 503. With the window it bounds the octets held for slow readers. */
  readonly bodiesMax: number
  /** A reader that takes nothing for so long is cut. */
  readonly stallMillis: number
  /** An answer may take this long, and as long as its octets need at the rate below. */
  readonly bodyMicros: Micros
  /** What a slow radio link still does. */
  readonly octetsPerSecondMin: number
}

export const CONTENT_HTTP_LIMITS: ContentHttpLimits = { bodiesMax: 1_024, stallMillis: 30_000, bodyMicros: 60 * MICROS_PER_SECOND, octetsPerSecondMin: 1_000 }

type ContentInput = Extract<GatewayIn, { readonly type: 'content-request' | 'content-fetched' }>
/** `length` octets of a content file from `offset` on; rejects when they are not there. */
export type ReadContent = (id: string, offset: number, length: number) => Promise<Buffer>
type Found = Extract<ContentReply, { readonly status: 200 }>

export interface ContentHttpCounters {
  requests: number
  /** Answered with a 4xx or 503. */
  refused: number
  /** Contents of which every octet was sent. */
  fetched: number
  /** Answers that were cut, by either side. */
  broken: number
}

export class ContentListener {
  readonly counters: ContentHttpCounters = { requests: 0, refused: 0, fetched: 0, broken: 0 }
  private readonly exchanges = new ChurnMap<Exchange, number>(0)
  private readonly coverage = new Coverage()
  private readonly sockets = new Set<Socket>()
  private readonly closedOctets = { in: 0, out: 0 }
  private readonly door: HttpDoor
  private readonly watch: NodeJS.Timeout
  private idLast = 0
  private bodies = 0

  /** @param report takes each question, answered by `reply`, and each fetch that ended */
  constructor(
    private readonly read: ReadContent,
    private readonly report: (input: ContentInput) => void,
    tls: TlsMaterial | undefined = undefined,
    private readonly limits: ContentHttpLimits = CONTENT_HTTP_LIMITS,
  ) {
    const options = {
      IncomingMessage, ServerResponse: Exchange, noDelay: true, headersTimeout: HEADERS_TIMEOUT_MILLIS, requestTimeout: HEADERS_TIMEOUT_MILLIS,
      keepAliveTimeout: KEEP_ALIVE_MILLIS, connectionsCheckingInterval: TIMEOUT_CHECK_MILLIS,
    }
    const listener = this.onRequest as RequestListener<typeof IncomingMessage, typeof Exchange>
    const server = tls === undefined ? createServer(options, listener) : createTlsServer({ ...options, ...tls.files }, listener)
    server.maxConnections = CONNECTIONS_MAX
    // Whoever opens a connection and says nothing, or stops reading, is cut; what a socket still says after that concerns nobody.
    server.setTimeout(limits.stallMillis, (socket) => socket.destroy())
    server.on('connection', (socket: Socket) => this.opened(socket))
    this.door = new HttpDoor(server)
    this.watch = setInterval(() => this.cutLate(), TIMEOUT_CHECK_MILLIS)
    this.watch.unref()
  }

  get bodiesUnderWay(): number {
    return this.bodies
  }

  /** Octets that crossed this listener's connections so far, heads and TLS included. */
  octets(): { readonly in: number; readonly out: number } {
    const total = { ...this.closedOctets }
    for (const socket of this.sockets) {
      total.in += socket.bytesRead
      total.out += socket.bytesWritten
    }
    return total
  }

  /** Listens on the wanted port, or on a free one where that is taken (or 0). */
  listen(wanted: Endpoint): Promise<Endpoint> {
    return this.door.listen(wanted)
  }

  /** The gateway's word on a question; nothing happens when the one who asked has gone. */
  reply(reply: ContentReply): void {
    const exchange = this.exchanges.get(reply.id)
    if (exchange === undefined) return
    if (reply.status !== 200) return this.refuse(exchange, reply.status, reply.status === 410 ? 'this content has run out' : 'there is no such content')
    void this.answer(exchange, reply)
  }

  /** Ends everything; answers under way get a moment, then are cut. */
  async close(): Promise<void> {
    clearInterval(this.watch)
    await this.door.close(this.exchanges.size === 0 ? 0 : CLOSE_MILLIS)
  }

  private opened(socket: Socket): void {
    this.sockets.add(socket)
    socket.once('close', () => {
      this.sockets.delete(socket)
      this.closedOctets.in += socket.bytesRead
      this.closedOctets.out += socket.bytesWritten
    })
  }

  private readonly onRequest = (request: IncomingMessage, exchange: Exchange): void => {
    this.counters.requests += 1
    const { method, headers } = request
    const token = TOKEN.exec(request.url ?? '')?.[1]
    // RFC 9110 section 9.3.1: content in a GET means nothing; nobody here reads it.
    if (headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) !== 0) {
      exchange.shouldKeepAlive = false
      return this.refuse(exchange, 400, 'a content is fetched without sending one')
    }
    if (method !== 'GET' && method !== 'HEAD') return this.refuse(exchange, 405, 'contents are fetched by GET', ['Allow', 'GET, HEAD'])
    if (token === undefined) return this.refuse(exchange, 404, 'there is no such content')
    const id = ++this.idLast
    exchange.begin(id, token, request, monoMicros() + this.limits.bodyMicros)
    exchange.on('close', () => this.ended(exchange))
    this.exchanges.set(id, exchange)
    this.report({ type: 'content-request', id, token })
  }

  private async answer(exchange: Exchange, reply: Found): Promise<void> {
    const size = contentSize(reply.content)
    const etag = `"${reply.sha1}"`
    const { method, headers } = exchange.asked!
    const common = ['ETag', etag, 'Accept-Ranges', 'bytes', 'Cache-Control', 'private', 'Expires', new Date(reply.expiresAt).toUTCString()]
    if (isFresh(headers['if-none-match'], etag)) return this.head(exchange, 304, common)
    // RFC 9110 section 14.2: Range is for GET; section 13.1.5: with If-Range only while the content is the same.
    const ifRange = headers['if-range']
    const range = method === 'GET' && (ifRange === undefined || ifRange === etag) ? rangeOf(headers.range, size) : 'whole'
    if (range === 'unsatisfiable') return this.refuse(exchange, 416, 'the content has no such octets', [...common, 'Content-Range', `bytes */${size}`])
    const part: ByteRange = range === 'whole' ? { start: 0, end: size } : range
    const described = [...common, 'Content-Type', headerText(reply.contentType), 'X-Content-Type-Options', 'nosniff', 'Content-Length', String(part.end - part.start)]
    if (method === 'HEAD') return this.head(exchange, 200, described)
    if (this.bodies >= this.limits.bodiesMax) return this.refuse(exchange, 503, 'too many contents are being fetched', ['Retry-After', String(RETRY_AFTER_SECONDS)])
    this.bodies += 1
    exchange.body = { part, size }
    exchange.lateAt += Math.ceil((part.end - part.start) / this.limits.octetsPerSecondMin) * MICROS_PER_SECOND
    if (this.door.isShut) exchange.shouldKeepAlive = false
    exchange.writeHead(range === 'whole' ? 200 : 206, range === 'whole' ? described : [...described, 'Content-Range', `bytes ${part.start}-${part.end - 1}/${size}`])
    await this.send(exchange, reply, part)
  }

  /** In windows, the next one read only when the one before has gone to the system. */
  private async send(exchange: Exchange, { content }: Found, { start, end }: ByteRange): Promise<void> {
    if (isInline(content)) {
      exchange.end(content.subarray(start, end))
      return
    }
    try {
      for (let at = start; at < end && !exchange.destroyed; at += WINDOW_OCTETS) {
        const octets = await this.read(content.id, at, Math.min(WINDOW_OCTETS, end - at))
        if (!exchange.destroyed && !exchange.write(octets)) await exchange.room()
      }
      exchange.end()
    } catch {
      // The length was promised: only a broken connection tells the reader that the rest will not come.
      exchange.destroy()
    }
  }

  private ended(exchange: Exchange): void {
    this.exchanges.delete(exchange.id)
    const { body } = exchange
    if (body === undefined) return
    this.bodies -= 1
    const { token } = exchange
    if (!exchange.writableFinished) {
      this.counters.broken += 1
      this.report({ type: 'content-fetched', token, complete: false })
    } else if (this.coverage.covers(token, body.part, body.size)) {
      this.counters.fetched += 1
      this.report({ type: 'content-fetched', token, complete: true })
    }
  }

  private cutLate(): void {
    const now = monoMicros()
    const late = [...this.exchanges.values()].filter((exchange) => exchange.lateAt <= now)
    for (const exchange of late) exchange.socket?.destroy()
  }

  private head(exchange: Exchange, status: 200 | 304, headers: readonly string[]): void {
    exchange.writeHead(status, [...headers])
    exchange.end()
  }

  private refuse(exchange: Exchange, status: number, why: string, headers: readonly string[] = []): void {
    this.counters.refused += 1
    const body = `${why}\n`
    exchange.writeHead(status, [...headers, 'Content-Type', 'text/plain; charset=utf-8', 'Content-Length', String(Buffer.byteLength(body))])
    exchange.end(body)
  }
}

/** What an initiator wrote, as a header can hold it. */
function headerText(text: string): string {
  const octets = Buffer.from(text, 'utf8').toString('latin1')
  return /^[\t\x20-\x7e\x80-\xff]+$/.test(octets) ? octets : 'application/octet-stream'
}

/** One question and its answer. */
class Exchange extends ServerResponse<IncomingMessage> {
  id = 0
  token = ''
  asked: { readonly method: string; readonly headers: IncomingMessage['headers'] } | undefined
  /** Set once a body is being sent. */
  body: { readonly part: ByteRange; readonly size: number } | undefined
  lateAt: Micros = Infinity

  begin(id: number, token: string, { method, headers }: IncomingMessage, lateAt: Micros): void {
    this.id = id
    this.token = token
    this.asked = { method: method!, headers }
    this.lateAt = lateAt
  }

  /** Resolves when more can be written, or when nobody reads any more. */
  room(): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        this.off('drain', done)
        this.off('close', done)
        resolve()
      }
      this.on('drain', done)
      this.on('close', done)
    })
  }
}
