/**
 * The load generator: submits each attempt of a plan at its planned time, open loop. It sleeps on timers between
 * batches and never spins; being late never shifts the schedule, it only shows as lag. Writes the initiator's journal;
 * draws no conclusions.
 */
import { performance } from 'node:perf_hooks'
import { Pool, type Dispatcher } from 'undici'
import { journalLine } from '../../core/kit/journal.js'
import { MICROS_PER_MILLI, type Micros, type WallMillis } from '../../core/kit/time.js'
import { monoMicros } from '../../core/live/clock.js'
import type { JournalWriter } from '../../core/live/journal.js'
import { due, wait } from '../pacing.js'
import type { SubmissionTemplate } from '../submission.js'
import type { TrafficPlan } from '../traffic.js'
import type { Recorder } from './recorder.js'

export interface GeneratorOptions {
  /** The PAP endpoint. */
  readonly url: URL
  readonly offsets: Float64Array
  readonly plan: TrafficPlan
  readonly plain: SubmissionTemplate
  readonly expiring: SubmissionTemplate
  /** deliver-before of expiring pushes, from the planned time. */
  readonly lifetimeMicros: Micros
  readonly journal: JournalWriter
  /** Takes the time from plan to answer, for the live view. */
  readonly submit: Recorder
}

/** Running totals. `late` attempts were due when the generator was stopped. */
export interface GeneratorCounts {
  planned: number
  sent: number
  accepted: number
  refused: number
  unanswered: number
  shed: number
}

/** Connections are opened as they are needed: one submission each at a time. */
const CONNECTIONS_MAX = 256
/** Unanswered submissions beyond this are not sent: the attempt is dropped, and the run says so. */
const OUTSTANDING_MAX = 20_000
/** Attempts sent in one turn of the event loop. */
const BATCH_MAX = 256
const ANSWER_TIMEOUT_MILLIS = 30_000
const ANSWER_CHARACTERS_MAX = 16_384
const RESULT_CODE = /<response-result[^>]*\scode\s*=\s*["'](\d{4})["']/

export class Generator {
  readonly counts: GeneratorCounts = { planned: 0, sent: 0, accepted: 0, refused: 0, unanswered: 0, shed: 0 }
  private readonly pool: Pool
  private readonly path: string
  private startedAt: Micros = 0
  private startedWall: WallMillis = 0
  private next = 0
  private outstanding = 0
  private stopped = false
  private timer: NodeJS.Timeout | undefined
  private finish: (() => void) | undefined
  private loop = performance.eventLoopUtilization()

  constructor(readonly options: GeneratorOptions) {
    const { url } = options
    this.path = url.pathname + url.search
    this.pool = new Pool(url.origin, { connections: CONNECTIONS_MAX, pipelining: 1, headersTimeout: ANSWER_TIMEOUT_MILLIS, bodyTimeout: ANSWER_TIMEOUT_MILLIS, keepAliveTimeout: 60_000 })
  }

  /** Attempts sent or dropped so far, out of the plan. */
  get progress(): number {
    return this.next
  }

  /** Runs the plan from `startAt` on; resolves when every submission is answered or given up. */
  run(startAt: Micros): Promise<void> {
    const now = monoMicros()
    this.startedAt = startAt
    this.startedWall = Date.now() + Math.round((startAt - now) / MICROS_PER_MILLI)
    return new Promise((resolve) => {
      this.finish = resolve
      this.wake()
    })
  }

  /** Plans nothing more; what is sent is still awaited. */
  stop(): void {
    this.stopped = true
    clearTimeout(this.timer)
    this.settle()
  }

  /** Busy share of this thread's event loop since the last call. */
  utilisation(): number {
    const before = this.loop
    this.loop = performance.eventLoopUtilization()
    return performance.eventLoopUtilization(this.loop, before).utilization
  }

  /** Gives up what is unanswered. May be called again. */
  async close(): Promise<void> {
    this.stop()
    if (!this.pool.destroyed) await this.pool.destroy()
  }

  private readonly wake = (): void => {
    if (this.stopped) return
    const { offsets } = this.options
    const batch = Math.min(due(offsets, this.next, monoMicros() - this.startedAt), BATCH_MAX)
    for (let index = 0; index < batch; index++) this.send(this.next++)
    const pause = wait(offsets, this.next, monoMicros() - this.startedAt)
    if (pause === Infinity) return this.settle()
    // What fell due meanwhile goes out in the next turn of the event loop, after the answers that came: a generator that is
    // late must not stop listening. Otherwise a timer sleeps: it counts whole milliseconds, so rounding down and waking once
    // more keeps the lag below one.
    if (pause === 0) setImmediate(this.wake)
    else this.timer = setTimeout(this.wake, Math.max(1, Math.floor(pause / MICROS_PER_MILLI)))
  }

  private send(attempt: number): void {
    const { plan, offsets, journal, lifetimeMicros } = this.options
    const plannedAt = this.startedAt + offsets[attempt]!
    const pushId = plan.pushId(attempt)
    const address = plan.address(attempt)
    const row = plan.row(attempt)
    const expires = plan.row(plan.original(attempt) ?? attempt) === 'expires'
    this.counts.planned++
    let body: Buffer
    if (expires) {
      // Whole seconds on the wire: the next one.
      const deliverBefore = Math.ceil((this.startedWall + (offsets[attempt]! + lifetimeMicros) / MICROS_PER_MILLI) / 1_000) * 1_000
      const deliverBeforeAt = this.startedAt + (deliverBefore - this.startedWall) * MICROS_PER_MILLI
      journal.line(journalLine(plannedAt, 'planned', pushId, address, row, String(attempt), String(Math.round(deliverBeforeAt))))
      body = this.options.expiring.body(pushId, address, deliverBefore)
    } else {
      journal.line(journalLine(plannedAt, 'planned', pushId, address, row, String(attempt)))
      body = this.options.plain.body(pushId, address)
    }
    if (this.outstanding >= OUTSTANDING_MAX) {
      this.counts.shed++
      this.counts.unanswered++
      journal.line(journalLine(monoMicros(), 'unanswered', pushId, address, 'dropped by the generator', String(attempt)))
      return
    }
    this.outstanding++
    const contentType = expires ? this.options.expiring.contentType : this.options.plain.contentType
    this.pool.dispatch({ path: this.path, method: 'POST', headers: { 'content-type': contentType }, body }, new Exchange(this, attempt, pushId, address, plannedAt))
  }

  onSent(exchange: Exchange): void {
    this.counts.sent++
    this.options.journal.line(journalLine(monoMicros(), 'sent', exchange.pushId, exchange.address, String(exchange.attempt)))
  }

  onAnswered(exchange: Exchange, status: number, body: string): void {
    const at = monoMicros()
    const code = status === 202 || status === 200 ? RESULT_CODE.exec(body)?.[1] : undefined
    const answer = code ?? (status === 202 || status === 200 ? 'unreadable' : `http-${status}`)
    if (code !== undefined && code.startsWith('1')) this.counts.accepted++
    else this.counts.refused++
    this.options.submit.record(at - exchange.plannedAt)
    this.options.journal.line(journalLine(at, 'answered', exchange.pushId, exchange.address, answer, String(exchange.attempt)))
    this.done()
  }

  onUnanswered(exchange: Exchange, reason: string): void {
    this.counts.unanswered++
    this.options.journal.line(journalLine(monoMicros(), 'unanswered', exchange.pushId, exchange.address, reason, String(exchange.attempt)))
    this.done()
  }

  private done(): void {
    this.outstanding--
    this.settle()
  }

  private settle(): void {
    if (this.outstanding > 0 || (!this.stopped && this.next < this.options.offsets.length)) return
    this.finish?.()
    this.finish = undefined
  }
}

/** One submission under way. */
class Exchange implements Dispatcher.DispatchHandler {
  private status = 0
  private body = ''

  constructor(private readonly generator: Generator, readonly attempt: number, readonly pushId: string, readonly address: string, readonly plannedAt: Micros) {}

  onRequestStart(): void {
    this.generator.onSent(this)
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number): void {
    this.status = status
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.body.length < ANSWER_CHARACTERS_MAX) this.body += chunk.toString('latin1')
  }

  onResponseEnd(): void {
    this.generator.onAnswered(this, this.status, this.body)
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.generator.onUnanswered(this, 'code' in error && typeof error.code === 'string' ? error.code : error.message)
  }
}
