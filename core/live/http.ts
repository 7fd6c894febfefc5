/**
 * The HTTP side of PAP (WAP-247 section 13): takes whole submissions by POST and hands them on by number, answers when
 * the reply with that number comes. It knows HTTP, sizes and time limits; what a document says is none of its business.
 */
import { createServer, type Server } from 'node:http'
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https'
import { tooLarge, type Initiator, type TurnedAway } from '../border/border.js'
import { ChurnMap } from '../kit/churn-map.js'
import type { Endpoint } from '../kit/network.js'
import type { Micros } from '../kit/time.js'
import type { PapReply, PapRequest } from '../push/contract.js'
import { CONTENT_INLINE_MAX } from '../store/content.js'
import { monoMicros } from './clock.js'
import type { ContentStore } from './content-store.js'
import type { Gate } from './gate.js'
import { LargeSubmission, streamedBoundary } from './large-submission.js'
import { HttpDoor } from './listening.js'
import { NO_CHUNKS, PapIncoming, PapResponse, endInOneWrite, onData, onEnd, onRequestClose, onResponseClose, type ExchangeOwner } from './pap-exchange.js'
import { Receiving } from './receiving.js'
import { serverOptions, TLS_VERSION_MIN, type TlsMaterial } from './tls.js'
import { piecePassed } from './young-garbage.js'

/** What a submission may weigh unless configured otherwise. */
export const BODY_BYTES_MAX = 1024 * 1024

/** From here on a multipart/related body is split as it streams in, if its content may be stored. Octets. */
const STREAMED_FROM = CONTENT_INLINE_MAX + 16 * 1024
/** Large submissions coming in at one time; beyond, 503. Each holds up to about 1 MiB on its way to the disk. */
const UPLOADS_MAX = 64
/** What a large body must bring in each time a small one has to be whole in; it must be whole itself after the other. */
const UPLOAD_OCTETS_MIN = 64 * 1024
const UPLOAD_TIMEOUT_MILLIS = 3_600_000
const UPLOAD_RETRY_SECONDS = 2
/** Quoted-printable may make three octets of one. */
const ENCODED_FACTOR = 3

/** A refused body is read and thrown away up to so many times the limit, so that its sender sees the answer; beyond, it is cut. */
const REFUSED_BODY_FACTOR = 8

const PATHS: ReadonlySet<string> = new Set(['/pap', '/wappush'])
const CONTENT_TYPES = /^\s*(?:multipart\/|[\w.+-]+\/(?:[\w.+-]+\+)?xml\s*(?:;|$))/i
/** A body without a length, or longer than this, is not waited for when its sender is turned away: the connection ends. */
const UNWANTED_BODY_MAX = 64 * 1024
const KEEP_ALIVE_MILLIS = 75_000
const TIMEOUT_CHECK_MILLIS = 1_000
/** How long exchanges may take to finish once closing has begun. */
const CLOSE_MILLIS = 5_000

type PapServer = Server<typeof PapIncoming, typeof PapResponse>
type PapTlsServer = TlsServer<typeof PapIncoming, typeof PapResponse>

/** How long and how many a listener bears with; each counts for itself over TCP and over TLS. */
export interface HttpLimits {
  /** Connections open at a time; those beyond are closed at once. */
  readonly connectionsMax: number
  /** A request's head must be whole after this. */
  readonly headersMillis: number
  /** A body must be whole after this, whether it is wanted or not. */
  readonly bodyMicros: Micros
  /** A connection on which nothing moves for so long is closed, whoever it is that waits. */
  readonly stillMillis: number
}

export const HTTP_LIMITS: HttpLimits = { connectionsMax: 10_000, headersMillis: 10_000, bodyMicros: 30_000_000, stillMillis: 120_000 }

export interface HttpSettings {
  /** Octets of a submission, its content apart where that is stored as it comes. */
  readonly bodyBytesMax: number
  /** Where content goes that is too large to be held, and its limit in octets. Absent: nothing larger than `bodyBytesMax` is taken. */
  readonly content?: { readonly store: ContentStore; readonly bytesMax: number }
  /** Who asks initiators who they are; absent where nobody does. */
  readonly gate?: Gate
  /** For the listener over TLS, where there is one. */
  readonly tls?: TlsMaterial
  readonly limits?: HttpLimits
}

/** Who submits where nobody is asked. */
const UNASKED = 'anonymous'

export interface HttpCounters {
  requests: number
  /** Refused here with a 4xx, before the gateway saw them. */
  refused: number
  /** The initiator went away before its answer; the submission itself stands. */
  clientsGone: number
}

export class PapListener implements ExchangeOwner {
  readonly counters: HttpCounters = { requests: 0, refused: 0, clientsGone: 0 }
  private readonly exchanges = new ChurnMap<PapResponse, number>(0)
  private readonly door: HttpDoor
  private readonly tlsDoor: HttpDoor | undefined
  private readonly tlsServer: PapTlsServer | undefined
  private readonly limits: HttpLimits
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
    const { tls, gate, limits = HTTP_LIMITS } = settings
    this.limits = limits
    const options = {
      IncomingMessage: PapIncoming, ServerResponse: PapResponse, noDelay: true,
      headersTimeout: limits.headersMillis, requestTimeout: UPLOAD_TIMEOUT_MILLIS,
      keepAliveTimeout: KEEP_ALIVE_MILLIS, connectionsCheckingInterval: TIMEOUT_CHECK_MILLIS,
    }
    this.door = new HttpDoor(this.bounded(createServer(options, this.onRequest)))
    if (tls !== undefined) {
      const asks = tls.clients === 'certified' || gate?.asksCertificates === true
      this.tlsServer = this.bounded(createTlsServer({ ...options, ...serverOptions(tls), requestCert: asks }, this.onRequest))
      this.tlsDoor = new HttpDoor(this.tlsServer)
    }
    this.overdueCheck = setInterval(() => this.refuseOverdue(), TIMEOUT_CHECK_MILLIS).unref()
  }

  /** Listens on the wanted port, or on a free one where that is taken (or 0). */
  listen(wanted: Endpoint): Promise<Endpoint> {
    return this.door.listen(wanted)
  }

  /** The same over TLS; there must be certificates. */
  listenTls(wanted: Endpoint): Promise<Endpoint> {
    return this.tlsDoor!.listen(wanted)
  }

  /** Other certificates for the connections that are opened from now on. */
  renewTls({ files }: TlsMaterial): void {
    this.tlsServer?.setSecureContext({ ...files, minVersion: TLS_VERSION_MIN })
  }

  private bounded<Made extends PapServer | PapTlsServer>(server: Made): Made {
    server.maxConnections = this.limits.connectionsMax
    server.setTimeout(this.limits.stillMillis)
    server.on('checkContinue', this.onExpect)
    return server
  }

  /** The answer to the submission with this number; nothing happens when its client has gone. */
  reply(reply: PapReply): void {
    const response = this.exchanges.get(reply.id)
    if (response === undefined) return
    this.exchanges.delete(reply.id)
    this.release(response)
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
    this.tlsDoor?.shut()
  }

  /** Ends everything; exchanges still open get a moment, then are cut. */
  async close(): Promise<void> {
    const patience = this.exchanges.size === 0 ? 0 : CLOSE_MILLIS
    await Promise.all([this.door.close(patience), this.tlsDoor?.close(patience)])
    clearInterval(this.overdueCheck)
  }

  private readonly onRequest = (request: PapIncoming, response: PapResponse): void => {
    this.counters.requests += 1
    request.listener = this
    request.response = response
    if (!PATHS.has(pathOf(request.url ?? ''))) return this.refuseUnread(request, 404, 'PAP is served at /pap')
    // WAP-247 section 13.1: PAP operations are POSTs.
    if (request.method !== 'POST') return this.refuseUnread(request, 405, 'PAP is submitted by POST', ['Allow', 'POST'])
    if (this.settings.gate === undefined) this.receive(request, response)
    else this.settings.gate.enter(request)
  }

  /** RFC 9110 section 10.1.1: who asks before sending a body hears whether it is wanted. */
  private readonly onExpect = (request: PapIncoming, response: PapResponse): void => {
    request.expectsContinue = true
    this.onRequest(request, response)
  }

  /** Its sender is known. He may have gone while it was found out who he is. */
  letIn(request: PapIncoming, response: PapResponse, initiator: Initiator): void {
    response.initiator = initiator
    response.isCounted = true
    response.on('close', onResponseClose)
    response.listener = this
    if (request.socket.destroyed) return this.release(response)
    request.octetsMax = initiator.settings.bodyOctetsMax
    this.receive(request, response)
  }

  turnAway(request: PapIncoming, { status, why, challenges, retryAfterSeconds }: TurnedAway): void {
    const headers = challenges.flatMap((challenge) => ['WWW-Authenticate', challenge])
    if (retryAfterSeconds > 0) headers.push('Retry-After', String(retryAfterSeconds))
    this.refuseUnread(request, status, why, headers)
  }

  private receive(request: PapIncoming, response: PapResponse): void {
    const headers = request.headers
    const declared = headers['content-length']
    if (declared === undefined && headers['transfer-encoding'] === undefined) {
      return this.refuseUnread(request, 411, 'a submission says its length (Content-Length) or comes in chunks')
    }
    const contentType = headers['content-type'] ?? ''
    if (!CONTENT_TYPES.test(contentType)) return this.refuseUnread(request, 415, 'a submission is multipart/related or application/xml')
    if (this.isTooLong(Number(declared), contentType)) return this.refuseUnread(request, 413, this.tooLarge())
    if (request.expectsContinue) response.writeContinue()
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
    if (request.bodyBytes > request.octetsMax) return this.refuse(response, 413, tooLarge(response.initiator!))
    if (request.bodyBytes > this.settings.bodyBytesMax) return this.refuse(response, 413, this.tooLarge())
    const body = request.chunks.length === 1 ? request.chunks[0]! : Buffer.concat(request.chunks, request.bodyBytes)
    request.chunks = NO_CHUNKS
    this.report({ type: 'pap-request', id: this.open(response), initiator: response.initiator?.name ?? UNASKED, contentType: request.headers['content-type'] ?? '', body })
  }

  private async completeLarge(request: PapIncoming, large: LargeSubmission, response: PapResponse): Promise<void> {
    try {
      const document = await large.finish()
      if (document === undefined) return this.refuse(response, 413, this.tooLarge())
      const { body, content, contentFault } = document
      const fault = contentFault === undefined ? {} : { contentFault }
      this.report({ type: 'pap-request', id: this.open(response), initiator: response.initiator?.name ?? UNASKED, contentType: request.headers['content-type'] ?? '', body, content, ...fault })
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
    if (response.listener === undefined) response.on('close', onResponseClose)
    response.listener = this
    this.exchanges.set(id, response)
    return id
  }

  /** Keeps a chunk while the body is within its limit; throws away what is beyond, and cuts who never ends. */
  take(request: PapIncoming, chunk: Buffer): void {
    request.bodyBytes += chunk.length
    if (request.bodyBytes > request.octetsMax) return this.tooMuch(request)
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

  /** More than its sender may submit: thrown away, so that he sees the answer, and cut where it does not end. */
  private tooMuch(request: PapIncoming): void {
    request.chunks = NO_CHUNKS
    this.dropLarge(request)
    if (request.bodyBytes <= request.octetsMax * REFUSED_BODY_FACTOR) return
    this.counters.refused += 1
    request.destroy()
  }

  private dropLarge(request: PapIncoming): void {
    if (request.large === undefined) return
    request.large.discard()
    request.large = undefined
    this.uploads -= 1
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
    const instant = monoMicros() - this.limits.bodyMicros
    for (let request = this.receiving.overdue(instant); request !== undefined; request = this.receiving.overdue(instant)) {
      const response = request.response!
      this.release(response)
      // Answered long ago, and still its body trickles in.
      if (response.writableEnded) request.destroy()
      if (request.destroyed || response.writableEnded) continue
      response.shouldKeepAlive = false
      this.refuse(response, 408, 'the submission did not come in time')
      request.large?.discard()
    }
  }

  /** A large one is over; what came of it is of no use unless it is being completed. */
  ended(request: PapIncoming): void {
    this.receiving.remove(request)
    this.dropLarge(request)
  }

  gone(response: PapResponse): void {
    this.release(response)
    if (this.exchanges.delete(response.exchange)) this.counters.clientsGone += 1
  }

  /** Its initiator may submit another one. */
  private release(response: PapResponse): void {
    if (!response.isCounted) return
    response.isCounted = false
    this.settings.gate!.left(response.initiator!)
  }

  /** Answers before the body was read; what comes of it is thrown away, for as long as a body may take. */
  private refuseUnread(request: PapIncoming, status: number, why: string, headers: readonly string[] = []): void {
    const response = request.response!
    const declared = Number(request.headers['content-length'] ?? (request.headers['transfer-encoding'] === undefined ? 0 : Infinity))
    if (declared > UNWANTED_BODY_MAX || request.expectsContinue) response.shouldKeepAlive = false
    else if (declared > 0) {
      this.receiving.await(request, monoMicros())
      request.on('end', onEnd)
      request.resume()
    }
    this.refuse(response, status, why, headers)
  }

  private refuse(response: PapResponse, status: number, why: string, headers: readonly string[] = []): void {
    this.counters.refused += 1
    this.release(response)
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

/** The path of a request target in origin form or absolute form (RFC 9112 section 3.2), without its query. */
function pathOf(target: string): string {
  if (PATHS.has(target)) return target
  const path = /^https?:\/\//i.test(target) ? target.replace(/^https?:\/\/[^/?]*/i, '') : target
  const query = path.indexOf('?')
  return query === -1 ? path : path.slice(0, query)
}
