/**
 * Result notifications out (PAP resultnotification-message, WAP-247 section 9): one POST each, over pooled connections
 * per origin, with time limits and a cap on what is read back. It knows URLs and HTTP; whether and when to try again
 * is the gateway's decision. Redirects are answers like any other and never followed.
 */
import { Pool, type Dispatcher } from 'undici'
import { ChurnMap } from '../kit/churn-map.js'
import type { Micros } from '../kit/time.js'
import { monoMicros } from './clock.js'
import type { NotifyGuard } from './notify-guard.js'

const CONNECT_TIMEOUT_MILLIS = 5_000
/** For the headers and between two pieces of the body. */
const READ_TIMEOUT_MILLIS = 15_000
/** For the whole of it, waiting for a free connection included: a body that trickles ends here. */
const TOTAL_TIMEOUT_MICROS: Micros = 30_000_000
const TOTAL_CHECK_MILLIS = 1_000
/** A resultnotification-response is a few hundred octets; what is beyond this is not read. */
const BODY_BYTES_MAX = 65_536
const CONNECTIONS_PER_ORIGIN = 64
const ORIGINS_MAX = 256
/** URLs remembered with their pool, so that a push costs no URL parsing. */
const TARGETS_MAX = 4_096

export interface NotifyRequest {
  readonly ticket: number
  readonly url: string
  readonly body: string
}

export type NotifyAnswer =
  | { readonly type: 'notified'; readonly ticket: number; readonly status: number; readonly body: string }
  | { readonly type: 'notify-failed'; readonly ticket: number; readonly reason: string }

interface Target {
  readonly pool: Pool
  readonly path: string
}

export class Notifier {
  private readonly pools = new Map<string, Pool>()
  private readonly targets = new Map<string, Target>()
  private readonly open = new ChurnMap<Exchange, number>(0)
  private readonly watch: NodeJS.Timeout
  private closed = false

  /**
   * @param report takes exactly one answer for each `notify`, with how long it took in microseconds; maybe from within `notify`
   * @param guard says where connections may go
   */
  constructor(private readonly report: (answer: NotifyAnswer, micros: Micros) => void, private readonly guard: NotifyGuard) {
    this.watch = setInterval(() => this.cutLate(), TOTAL_CHECK_MILLIS)
    this.watch.unref()
  }

  /** Posts `body` as application/xml. */
  notify(request: NotifyRequest): void {
    const exchange = new Exchange(request.ticket, this.settle)
    this.open.set(request.ticket, exchange)
    const target = this.targetOf(request.url)
    if (typeof target === 'string') exchange.fail(target)
    else target.pool.dispatch({ path: target.path, method: 'POST', headers: HEADERS, body: request.body }, exchange)
  }

  /** Cuts what is open; nothing is reported any more (a restarted gateway asks again). */
  async close(): Promise<void> {
    this.closed = true
    clearInterval(this.watch)
    await Promise.all([...this.pools.values()].map((pool) => pool.destroy()))
  }

  private readonly settle = (exchange: Exchange, answer: NotifyAnswer): void => {
    this.open.delete(answer.ticket)
    if (!this.closed) this.report(answer, monoMicros() - exchange.startedAt)
  }

  /** Where a URL leads, or why it leads nowhere. */
  private targetOf(url: string): Target | string {
    const known = this.targets.get(url)
    if (known !== undefined) return known
    let parsed: URL
    try {
      parsed = new URL(url)
    } catch {
      return `"${url}" is no URL`
    }
    if (parsed.protocol !== 'http:' && parsed.protocol !== 'https:') return `notifications go to http or https URLs, not to "${parsed.protocol}"`
    const barred = this.guard.literalProblem(parsed.hostname)
    if (barred !== undefined) return barred
    const pool = this.pools.get(parsed.origin) ?? this.openPool(parsed.origin)
    if (pool === undefined) return `notifications to ${ORIGINS_MAX} other servers are under way, which is the most this gateway serves at a time`
    const target = { pool, path: `${parsed.pathname}${parsed.search}` }
    if (this.targets.size >= TARGETS_MAX) this.targets.clear()
    this.targets.set(url, target)
    return target
  }

  /** Makes room by closing a pool that nobody uses just now; undefined when all are in use. */
  private openPool(origin: string): Pool | undefined {
    if (this.pools.size >= ORIGINS_MAX) {
      const idle = [...this.pools].find(([, pool]) => pool.stats.size === 0)
      if (idle === undefined) return undefined
      this.pools.delete(idle[0])
      for (const [url, target] of this.targets) if (target.pool === idle[1]) this.targets.delete(url)
      void idle[1].destroy()
    }
    const pool = new Pool(origin, {
      connections: CONNECTIONS_PER_ORIGIN, pipelining: 1, connect: { timeout: CONNECT_TIMEOUT_MILLIS, lookup: this.guard.lookup },
      headersTimeout: READ_TIMEOUT_MILLIS, bodyTimeout: READ_TIMEOUT_MILLIS,
    })
    this.pools.set(origin, pool)
    return pool
  }

  private cutLate(): void {
    const limit = monoMicros() - TOTAL_TIMEOUT_MICROS
    const late = [...this.open.values()].filter((exchange) => exchange.startedAt <= limit)
    for (const exchange of late) {
      exchange.fail(`no whole answer within ${TOTAL_TIMEOUT_MICROS / 1_000_000} s`)
    }
  }
}

const HEADERS = ['content-type', 'application/xml']

/** One notification under way, as undici's handler. It settles once, whatever undici still says afterwards. */
class Exchange implements Dispatcher.DispatchHandler {
  readonly startedAt = monoMicros()
  private controller: Dispatcher.DispatchController | undefined
  private status = 0
  private body = ''
  private chunks: Buffer[] | undefined
  private bytes = 0
  private settled = false

  constructor(private readonly ticket: number, private readonly settle: (exchange: Exchange, answer: NotifyAnswer) => void) {}

  onRequestStart(controller: Dispatcher.DispatchController): void {
    if (this.settled) controller.abort(ABORTED)
    else this.controller = controller
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number): void {
    this.status = status
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.settled) return
    this.bytes += chunk.length
    ;(this.chunks ??= []).push(chunk)
    if (this.bytes <= BODY_BYTES_MAX) return
    this.answer()
    controller.abort(ABORTED)
  }

  onResponseEnd(): void {
    this.answer()
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.fail(reasonOf(error))
  }

  fail(reason: string): void {
    if (this.settled) return
    this.settled = true
    this.controller?.abort(ABORTED)
    this.settle(this, { type: 'notify-failed', ticket: this.ticket, reason })
  }

  private answer(): void {
    if (this.settled) return
    this.settled = true
    if (this.chunks !== undefined) this.body = Buffer.concat(this.chunks, Math.min(this.bytes, BODY_BYTES_MAX)).toString()
    this.settle(this, { type: 'notified', ticket: this.ticket, status: this.status, body: this.body })
  }
}

const ABORTED = new Error('the notification was given up')

function reasonOf(error: Error): string {
  const code = (error as NodeJS.ErrnoException).code
  return code === undefined || error.message.includes(code) ? error.message : `${error.message} (${code})`
}
