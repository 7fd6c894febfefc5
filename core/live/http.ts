/**
 * The HTTP side of PAP (WAP-247 section 13): takes whole submissions by POST and hands them on by number, answers when
 * the reply with that number comes. It knows HTTP, sizes and time limits; what a document says is none of its business.
 */
import { createServer, IncomingMessage, ServerResponse } from 'node:http'
import { ChurnMap } from '../kit/churn-map.js'
import type { Endpoint } from '../kit/network.js'
import type { Micros } from '../kit/time.js'
import type { PapReply, PapRequest } from '../push/contract.js'
import { CONTENT_INLINE_MAX } from '../store/content.js'
import { monoMicros } from './clock.js'
import type { ContentStore } from './content-store.js'
import { LargeSubmission, streamedBoundary } from './large-submission.js'
import { HttpDoor } from './listening.js'
import { Receiving, type Awaited } from './receiving.js'
import { piecePassed } from './young-garbage.js'

/** What a submission may weigh unless configured otherwise. */
export const BODY_BYTES_MAX = 1024 * 1024

/** From here on a multipart/related body is split as it streams in, if its content may be stored. Octets. */
const STREAMED_FROM = CONTENT_INLINE_MAX + 16 * 1024
/** Large submissions coming in at one time; beyond, 503. Each holds up to about 1 MiB on its way to the disk. */
const UPLOADS_MAX = 64
/** A body must be whole after BODY_TIMEOUT; a large one must bring so many octets in each such time, and be whole after the other. */
const UPLOAD_OCTETS_MIN = 64 * 1024
const BODY_TIMEOUT_MICROS: Micros = 30_000_000
const UPLOAD_TIMEOUT_MILLIS = 3_600_000
const UPLOAD_RETRY_SECONDS = 2
/** Quoted-printable may make three octets of one. */
const ENCODED_FACTOR = 3

/** A refused body is read and thrown away up to so many times the limit, so that its sender sees the answer; beyond, it is cut. */
const REFUSED_BODY_FACTOR = 8

const PATHS: ReadonlySet<string> = new Set(['/pap', '/wappush'])
const CONTENT_TYPES = /^\s*(?:multipart\/|[\w.+-]+\/(?:[\w.+-]+\+)?xml\s*(?:;|$))/i
const CONNECTIONS_MAX = 10_000
const HEADERS_TIMEOUT_MILLIS = 10_000
const KEEP_ALIVE_MILLIS = 75_000
const TIMEOUT_CHECK_MILLIS = 1_000
/** How long exchanges may take to finish once closing has begun. */
const CLOSE_MILLIS = 5_000

export interface HttpSettings {
  /** Octets of a submission, its content apart where that is stored as it comes. */
  readonly bodyBytesMax: number
  /** Where content goes that is too large to be held, and its limit in octets. Absent: nothing larger than `bodyBytesMax` is taken. */
  readonly content?: { readonly store: ContentStore; readonly bytesMax: number }
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
  private readonly door: HttpDoor
  private readonly receiving = new Receiving<PapIncoming>()
  private readonly overdueCheck: NodeJS.Timeout
  private uploads = 0
  private idLast = 0

  /**
   * @param report takes each whole submission; may answer it by `reply` at once or at any later time
   * @param onReply told how long each exchange took from its headers to its answer
   */
  constructor(
    private readonly settings: HttpSettings,
    private readonly report: (request: PapRequest) => void,
    private readonly onReply?: (micros: Micros) => void,
  ) {
    const server = createServer({
      IncomingMessage: PapIncoming, ServerResponse: PapResponse, noDelay: true,
      headersTimeout: HEADERS_TIMEOUT_MILLIS, requestTimeout: UPLOAD_TIMEOUT_MILLIS,
      keepAliveTimeout: KEEP_ALIVE_MILLIS, connectionsCheckingInterval: TIMEOUT_CHECK_MILLIS,
    }, this.onRequest)
    server.maxConnections = CONNECTIONS_MAX
    this.door = new HttpDoor(server)
    this.overdueCheck = setInterval(() => this.refuseOverdue(), TIMEOUT_CHECK_MILLIS).unref()
  }

  /** Listens on the wanted port, or on a free one where that is taken (or 0). */
  listen(wanted: Endpoint): Promise<Endpoint> {
    return this.door.listen(wanted)
  }

  /** The answer to the submission with this number; nothing happens when its client has gone. */
  reply(reply: PapReply): void {
    const response = this.exchanges.get(reply.id)
    if (response === undefined) return
    this.exchanges.delete(reply.id)
    this.onReply?.(monoMicros() - response.startedAt)
    if (this.door.isShut) response.shouldKeepAlive = false
    const octets = Buffer.byteLength(reply.body)
    const length = String(octets)
    if (reply.status === 202) response.writeHead(202, ['Content-Type', reply.contentType ?? 'application/xml', 'Content-Length', length])
    else response.writeHead(503, ['Retry-After', String(reply.retryAfterSeconds ?? 1), 'Content-Length', length])
    endInOneWrite(response, reply.body, octets === reply.body.length ? 'latin1' : 'utf8')
  }

  /** Takes no new connection; those open may still be answered. */
  stopAccepting(): void {
    this.door.shut()
  }

  /** Ends everything; exchanges still open get a moment, then are cut. */
  async close(): Promise<void> {
    await this.door.close(this.exchanges.size === 0 ? 0 : CLOSE_MILLIS)
    clearInterval(this.overdueCheck)
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
    if (this.isTooLong(Number(declared), contentType)) {
      response.shouldKeepAlive = false
      return this.refuse(response, 413, this.tooLarge())
    }
    request.listener = this
    request.response = response
    response.startedAt = monoMicros()
    this.receiving.await(request, response.startedAt)
    request.on('data', onData)
    request.on('end', onEnd)
  }

  /** A whole body has come. */
  complete(request: PapIncoming, response: PapResponse): void {
    this.receiving.remove(request)
    if (response.writableEnded) return
    if (request.large !== undefined) {
      void this.completeLarge(request, request.large, response)
      request.large = undefined
      return
    }
    if (request.bodyBytes > this.settings.bodyBytesMax) return this.refuse(response, 413, this.tooLarge())
    const body = request.chunks.length === 1 ? request.chunks[0]! : Buffer.concat(request.chunks, request.bodyBytes)
    request.chunks = NO_CHUNKS
    this.report({ type: 'pap-request', id: this.open(response), initiator: 'anonymous', contentType: request.headers['content-type'] ?? '', body })
  }

  private async completeLarge(request: PapIncoming, large: LargeSubmission, response: PapResponse): Promise<void> {
    try {
      const document = await large.finish()
      if (document === undefined) return this.refuse(response, 413, this.tooLarge())
      const { body, content, contentFault } = document
      const fault = contentFault === undefined ? {} : { contentFault }
      this.report({ type: 'pap-request', id: this.open(response), initiator: 'anonymous', contentType: request.headers['content-type'] ?? '', body, content, ...fault })
    } catch {
      // The disk refused it (WAP-247 section 13.4.1: the initiator tries again).
      this.refuse(response, 503, 'the content cannot be stored now', ['Retry-After', String(UPLOAD_RETRY_SECONDS)])
    } finally {
      this.uploads -= 1
    }
  }

  private open(response: PapResponse): number {
    const id = ++this.idLast
    response.exchange = id
    response.listener = this
    response.on('close', onResponseClose)
    this.exchanges.set(id, response)
    return id
  }

  /** Keeps a chunk while the body is within its limit; throws away what is beyond, and cuts who never ends. */
  take(request: PapIncoming, chunk: Buffer): void {
    request.bodyBytes += chunk.length
    if (request.large === undefined && this.settings.content !== undefined && request.bodyBytes > STREAMED_FROM) this.enlarge(request)
    if (request.large !== undefined) return this.takeLarge(request, request.large, chunk)
    if (request.bodyBytes <= this.settings.bodyBytesMax) request.chunks.push(chunk)
    else {
      request.chunks = []
      if (request.bodyBytes > this.settings.bodyBytesMax * REFUSED_BODY_FACTOR) {
        this.counters.refused += 1
        request.destroy()
      }
    }
  }

  /** From gathering to splitting, where the body is of a kind that can be split. */
  private enlarge(request: PapIncoming): void {
    const { content, bodyBytesMax } = this.settings
    const boundary = streamedBoundary(request.headers['content-type'] ?? '')
    if (content === undefined || boundary === undefined || request.response!.writableEnded) return
    if (this.uploads === UPLOADS_MAX) {
      request.response!.shouldKeepAlive = false
      return this.refuse(request.response!, 503, `${UPLOADS_MAX} large submissions are coming in`, ['Retry-After', String(UPLOAD_RETRY_SECONDS)])
    }
    this.uploads += 1
    const large = new LargeSubmission(boundary, { documentBytesMax: bodyBytesMax, contentBytesMax: content.bytesMax }, content.store, () => {
      if (request.isPaused()) this.progress(request)
      request.resume()
    })
    request.large = large
    request.on('close', onRequestClose)
    for (const chunk of request.chunks) large.push(chunk)
    request.chunks = NO_CHUNKS
    this.progress(request)
  }

  private takeLarge(request: PapIncoming, large: LargeSubmission, chunk: Buffer): void {
    if (!large.push(chunk)) request.pause()
    piecePassed(chunk.length)
    if (large.isTooLarge) {
      request.overBytes += chunk.length
      if (request.overBytes > this.settings.bodyBytesMax * REFUSED_BODY_FACTOR) request.destroy()
    } else if (request.bodyBytes - request.progressBytes >= UPLOAD_OCTETS_MIN) this.progress(request)
  }

  private progress(request: PapIncoming): void {
    request.progressBytes = request.bodyBytes
    this.receiving.await(request, monoMicros())
  }

  private refuseOverdue(): void {
    const instant = monoMicros() - BODY_TIMEOUT_MICROS
    for (let request = this.receiving.overdue(instant); request !== undefined; request = this.receiving.overdue(instant)) {
      const response = request.response!
      if (request.destroyed || response.writableEnded) continue
      response.shouldKeepAlive = false
      this.refuse(response, 408, 'the submission did not come in time')
      request.large?.discard()
    }
  }

  /** A large one is over; what came of it is of no use unless it is being completed. */
  ended(request: PapIncoming): void {
    this.receiving.remove(request)
    if (request.large === undefined) return
    request.large.discard()
    request.large = undefined
    this.uploads -= 1
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

  /** Whether a body claims to be more than is ever read; its type is looked at only where that decides. */
  private isTooLong(declared: number, contentType: string): boolean {
    const { bodyBytesMax, content } = this.settings
    if (!(declared > bodyBytesMax * REFUSED_BODY_FACTOR)) return false
    return content === undefined || declared > bodyBytesMax + ENCODED_FACTOR * content.bytesMax || streamedBoundary(contentType) === undefined
  }

  private tooLarge(): string {
    const { bodyBytesMax, content } = this.settings
    return `a submission holds at most ${bodyBytesMax} octets here${content === undefined ? '' : ` and a content of ${content.bytesMax}`}`
  }
}

const NO_CHUNKS: Buffer[] = []

/** A request with its body so far. State on the object and shared handlers: no closure per request. */
class PapIncoming extends IncomingMessage implements Awaited<PapIncoming> {
  listener: PapListener | undefined
  response: PapResponse | undefined
  chunks: Buffer[] = []
  bodyBytes = 0
  large: LargeSubmission | undefined
  /** What of `bodyBytes` had come when it was last seen to progress, and what came beyond its limit. */
  progressBytes = 0
  overBytes = 0
  awaitedSince: Micros = 0
  previous: PapIncoming | undefined
  next: PapIncoming | undefined
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

function onRequestClose(this: PapIncoming): void {
  this.listener!.ended(this)
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
