/**
 * The operator's door over HTTP, for a gateway that runs alone: JSON in, JSON out. Nobody is asked who he is, so it is opened
 * only where the configuration says so, and is meant for the host itself. Knows HTTP; what the words do is operator.ts.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Endpoint } from '../kit/network.js'
import { HttpDoor } from './listening.js'
import { OperatorMistake, type OperatorWord } from './operator.js'

const BODY_OCTETS_MAX = 4_096
const CONNECTIONS_MAX = 16
const REQUEST_TIMEOUT_MILLIS = 10_000
const CLOSE_MILLIS = 1_000

interface Place {
  readonly method: 'GET' | 'POST'
  readonly word: OperatorWord
}

const PLACES: ReadonlyMap<string, Place> = new Map([
  ['/subscriptions', { method: 'GET', word: 'subscriptions' }],
  ['/subscriptions/move', { method: 'POST', word: 'move-subscriptions' }],
  ['/subscriptions/end', { method: 'POST', word: 'end-subscriptions' }],
])

export class OperatorListener {
  private readonly door: HttpDoor

  /** @param perform what a word answers; an OperatorMistake is answered 400 with its message */
  constructor(private readonly perform: (word: OperatorWord, argument: unknown) => unknown) {
    const server = createServer({ headersTimeout: REQUEST_TIMEOUT_MILLIS, requestTimeout: REQUEST_TIMEOUT_MILLIS, connectionsCheckingInterval: 1_000 }, (request, response) => this.answer(request, response))
    server.maxConnections = CONNECTIONS_MAX
    this.door = new HttpDoor(server)
  }

  /** Listens on the wanted port, or on a free one where that is taken (or 0). */
  listen(wanted: Endpoint): Promise<Endpoint> {
    return this.door.listen(wanted)
  }

  close(): Promise<void> {
    return this.door.close(CLOSE_MILLIS)
  }

  private answer(request: IncomingMessage, response: ServerResponse): void {
    const place = PLACES.get((request.url ?? '').split('?')[0]!)
    if (place === undefined) return refuse(response, 404, `there is ${[...PLACES].map(([path, { method }]) => `${method} ${path}`).join(', ')}`)
    if (request.method !== place.method) {
      response.setHeader('Allow', place.method)
      return refuse(response, 405, `this is asked by ${place.method}`)
    }
    // A page in the operator's browser can send neither this type nor a request to another host without being asked first.
    if (place.method === 'POST' && !/^application\/json\s*(?:;|$)/i.test(request.headers['content-type'] ?? '')) return refuse(response, 415, 'what is asked comes as application/json')
    if (!/^(?:localhost|[\d.]+|\[[\d.A-Fa-f:]+\])(?::\d+)?$/i.test(request.headers.host ?? '')) return refuse(response, 421, 'this door is asked by its address')
    const chunks: Buffer[] = []
    let octets = 0
    request.on('data', (chunk: Buffer) => {
      octets += chunk.length
      if (octets <= BODY_OCTETS_MAX) chunks.push(chunk)
      else if (!response.writableEnded) refuse(response, 413, `a question has at most ${BODY_OCTETS_MAX} octets`)
    })
    request.on('end', () => {
      if (!response.writableEnded) this.carryOut(place.word, Buffer.concat(chunks).toString('utf8'), response)
    })
  }

  private carryOut(word: OperatorWord, body: string, response: ServerResponse): void {
    let argument: unknown
    try {
      argument = body.trim() === '' ? undefined : JSON.parse(body)
    } catch {
      return refuse(response, 400, 'what is asked is not JSON')
    }
    try {
      say(response, 200, this.perform(word, argument))
    } catch (error) {
      if (!(error instanceof OperatorMistake)) throw error
      refuse(response, 400, error.message)
    }
  }
}

function refuse(response: ServerResponse, status: number, error: string): void {
  response.shouldKeepAlive = false
  say(response, status, { error })
}

function say(response: ServerResponse, status: number, answer: unknown): void {
  const text = `${JSON.stringify(answer, undefined, 2)}\n`
  response.writeHead(status, ['Content-Type', 'application/json', 'Content-Length', String(Buffer.byteLength(text))])
  response.end(text)
}
