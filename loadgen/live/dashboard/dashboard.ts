/**
 * A run in progress in the browsers of this machine: one page, a stream of pieces of it (server-sent events), and a place to ask for
 * another rate. Listens on 127.0.0.1 alone and answers only pages of its own. Knows HTTP and who looks; what is shown
 * is pieces.ts.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { Schema } from 'effect'
import { HttpDoor } from '../../../core/live/listening.js'
import type { RunRecord } from '../../../reports/record.js'
import { Course } from '../course.js'
import type { Progress, Steering, Watcher } from '../progress.js'
import { wordsOf } from '../steering.js'
import { Browser } from './browser.js'
import { DASHBOARD_SCRIPT, dashboardPage } from './page.js'
import { piecesOf, resultPieces, type Pieces } from './pieces.js'

const ADDRESS = '127.0.0.1'
const CONNECTIONS_MAX = 32
const REQUEST_TIMEOUT_MILLIS = 10_000
const BODY_OCTETS_MAX = 1_024
const NOTES_MAX = 20
/** Drawing costs the load generator's thread a moment: not more often than this. */
const EVERY_SECONDS = 1
/** How long browsers may take to hear of the end. */
const CLOSE_MILLIS = 2_000
const SCRIPT = '/dashboard.js'
/** Nothing is loaded from anywhere else; the report, which a browser keeps as its own, has its style inside. */
const HEADERS = {
  'Content-Security-Policy': "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'Cache-Control': 'no-store', 'X-Content-Type-Options': 'nosniff', 'Referrer-Policy': 'no-referrer', 'Cross-Origin-Resource-Policy': 'same-origin', 'Cross-Origin-Opener-Policy': 'same-origin',
}

const Change = Schema.Union(
  Schema.Struct({ type: Schema.Literal('factor'), factor: Schema.Positive }),
  Schema.Struct({ type: Schema.Literal('rate'), perSecond: Schema.Positive }),
  Schema.Struct({ type: Schema.Literal('hold', 'release') }),
)

export class Dashboard implements Watcher {
  private readonly course = new Course()
  private readonly browsers = new Set<Browser>()
  private readonly notes: string[] = []
  private readonly door: HttpDoor
  private hosts: readonly string[] = []
  private progressed: Progress | undefined
  private steering: Steering | undefined
  private pieces: Pieces = {}
  private drawnAt = -Infinity

  private constructor() {
    const server = createServer({ headersTimeout: REQUEST_TIMEOUT_MILLIS, requestTimeout: REQUEST_TIMEOUT_MILLIS }, (request, response) => this.answer(request, response))
    server.maxConnections = CONNECTIONS_MAX
    this.door = new HttpDoor(server)
  }

  /** On the wanted port, or on a free one where that is taken. */
  static async open(port: number): Promise<Dashboard> {
    const dashboard = new Dashboard()
    const bound = await dashboard.door.listen({ address: ADDRESS, port })
    dashboard.hosts = [`${ADDRESS}:${bound.port}`, `localhost:${bound.port}`]
    return dashboard
  }

  get url(): string {
    return `http://${this.hosts[0]}/`
  }

  progress(progress: Progress): void {
    const isNewPhase = progress.phase !== this.progressed?.phase
    this.course.look(progress)
    this.progressed = progress
    if (this.browsers.size > 0 && (isNewPhase || progress.runSeconds - this.drawnAt >= EVERY_SECONDS)) this.draw()
  }

  steer(steering: Steering): void {
    this.steering = steering
    this.tell((browser) => browser.tell('steer', true))
  }

  note(text: string): void {
    this.notes.push(text)
    if (this.notes.length > NOTES_MAX) this.notes.shift()
  }

  /** The result is still to come. */
  end(): void {
    this.steering = undefined
    if (this.browsers.size > 0) this.draw()
  }

  /** Shows how it ended, hands over the report, and takes its leave. */
  async close(result: { readonly record: RunRecord; readonly page: string; readonly report: string } | undefined): Promise<void> {
    if (result !== undefined) {
      const pieces = resultPieces(result.record, result.report)
      this.tell((browser) => {
        browser.tell('pieces', pieces)
        browser.tell('report', result.page)
      })
    }
    this.tell((browser) => browser.end(result === undefined ? 'The run ended without a result.' : 'The run is over; this page stays as it is.'))
    await this.door.close(CLOSE_MILLIS)
  }

  private draw(): void {
    const { course, notes, progressed: progress } = this
    if (progress === undefined) return
    this.drawnAt = progress.runSeconds
    this.pieces = piecesOf({ progress, course, notes })
    this.tell((browser) => browser.show(this.pieces))
  }

  private tell(say: (browser: Browser) => void): void {
    for (const browser of this.browsers) say(browser)
  }

  private answer(request: IncomingMessage, response: ServerResponse): void {
    for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value)
    const { host = '', origin, 'sec-fetch-site': site = 'none' } = request.headers
    // A name that somebody else's server gave this address, or a page of somebody else's.
    if (!this.hosts.includes(host)) return plain(response, 421, `this page is at ${this.url}`)
    if ((site !== 'none' && site !== 'same-origin') || (origin !== undefined && origin !== `http://${host}`)) return plain(response, 403, 'only its own page may ask')
    switch (`${request.method} ${request.url}`) {
      case 'GET /': return whole(response, 'text/html; charset=utf-8', dashboardPage(SCRIPT))
      case `GET ${SCRIPT}`: return whole(response, 'text/javascript; charset=utf-8', DASHBOARD_SCRIPT)
      case 'GET /events': return this.attach(response)
      case 'POST /rate': return this.takeChange(request, response)
      case 'GET /favicon.ico': return void response.writeHead(204).end()
      default: return plain(response, 404, `there is ${this.url}`)
    }
  }

  private attach(response: ServerResponse): void {
    const browser = new Browser(response)
    this.browsers.add(browser)
    response.on('close', () => this.browsers.delete(browser))
    browser.tell('steer', this.steering !== undefined)
    if (this.progressed !== undefined) {
      // Who comes first finds nothing drawn yet.
      this.draw()
      browser.show(this.pieces)
    }
  }

  private takeChange(request: IncomingMessage, response: ServerResponse): void {
    // A page of somebody else's cannot send this type without being asked first.
    if (!/^application\/json\s*(?:;|$)/i.test(request.headers['content-type'] ?? '')) return plain(response, 415, 'a change comes as application/json')
    let body = ''
    request.setEncoding('utf8')
    request.on('data', (text: string) => {
      if (body.length <= BODY_OCTETS_MAX) body += text
    })
    request.on('end', () => {
      const asked = body.length > BODY_OCTETS_MAX ? undefined : changeIn(body)
      if (asked === undefined) return plain(response, 400, 'a change is {"type":"rate","perSecond":200}, {"type":"factor","factor":1.1}, {"type":"hold"} or {"type":"release"}')
      plain(response, 200, this.steering === undefined ? 'there is no load under way' : wordsOf(this.steering(asked)))
    })
  }
}

function changeIn(body: string): typeof Change.Type | undefined {
  try {
    return Schema.decodeUnknownSync(Change)(JSON.parse(body))
  } catch {
    return undefined
  }
}

function plain(response: ServerResponse, status: number, words: string): void {
  response.statusCode = status
  whole(response, 'text/plain; charset=utf-8', words)
}

function whole(response: ServerResponse, type: string, content: string): void {
  response.setHeader('Content-Type', type)
  response.setHeader('Content-Length', Buffer.byteLength(content))
  response.end(content)
}
