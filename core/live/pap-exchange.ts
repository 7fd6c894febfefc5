/**
 * One submission over HTTP on its way through a listener: the request with its body so far, the response that waits for the gateway's
 * word. State on the objects and shared handlers, no closure per request. What is done with them is http.ts' business.
 */
import { IncomingMessage, ServerResponse } from 'node:http'
import type { Initiator, TurnedAway } from '../border/border.js'
import type { Micros } from '../kit/time.js'
import type { Visit } from './gate.js'
import type { LargeSubmission } from './large-submission.js'
import type { Awaited } from './receiving.js'

/** Who is told what happens to them. */
export interface ExchangeOwner {
  take(request: PapIncoming, chunk: Buffer): void
  /** The whole body has come. */
  complete(request: PapIncoming, response: PapResponse): void
  /** A large one is over. */
  ended(request: PapIncoming): void
  /** The exchange is over, answered or not. */
  gone(response: PapResponse): void
  letIn(request: PapIncoming, response: PapResponse, initiator: Initiator): void
  turnAway(request: PapIncoming, why: TurnedAway): void
}

export const NO_CHUNKS: Buffer[] = []

/** A request with its body so far. State on the object and shared handlers: no closure per request. */
export class PapIncoming extends IncomingMessage implements Awaited<PapIncoming>, Visit {
  listener: ExchangeOwner | undefined
  response: PapResponse | undefined
  chunks: Buffer[] = []
  bodyBytes = 0
  /** What its initiator may submit at most. */
  octetsMax = Infinity
  /** It sends its body when it is told to continue. */
  expectsContinue = false
  large: LargeSubmission | undefined
  /** What of `bodyBytes` had come when it was last seen to progress, and what came beyond its limit. */
  progressBytes = 0
  overBytes = 0
  awaitedSince: Micros = 0
  previous: PapIncoming | undefined
  next: PapIncoming | undefined

  letIn(initiator: Initiator): void {
    this.listener!.letIn(this, this.response!, initiator)
  }

  turnAway(why: TurnedAway): void {
    this.listener!.turnAway(this, why)
  }
}

export class PapResponse extends ServerResponse<PapIncoming> {
  listener: ExchangeOwner | undefined
  /** Whose submission this answers; undefined where nobody is asked, and until it is known. */
  initiator: Initiator | undefined
  /** It counts among those of his that are in flight. */
  isCounted = false
  exchange = 0
  startedAt: Micros = 0
}

/**
 * `end` with a body adds an empty piece behind head and body, so that the system gets a list of pieces; written before the
 * end they are one text. Without a socket (an answer whose turn on a pipelined connection has not come) Node keeps them.
 */
export function endInOneWrite(response: PapResponse, body: string, encoding: 'latin1' | 'utf8'): void {
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

export function onData(this: PapIncoming, chunk: Buffer): void {
  this.listener!.take(this, chunk)
}

export function onEnd(this: PapIncoming): void {
  this.listener!.complete(this, this.response!)
}

export function onRequestClose(this: PapIncoming): void {
  this.listener!.ended(this)
}

export function onResponseClose(this: PapResponse): void {
  this.listener!.gone(this)
}
