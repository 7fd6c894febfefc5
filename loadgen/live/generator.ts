/**
 * The load generator: submits each attempt of a plan at its planned time, open loop. Timers and answers wake it, and it
 * never spins; being late never shifts the schedule, it only shows as lag. Writes the initiator's journal; draws no
 * conclusions.
 */
import { performance } from 'node:perf_hooks'
import { journalLine } from '../../core/kit/journal.js'
import { MICROS_PER_MILLI, type Micros, type WallMillis } from '../../core/kit/time.js'
import { monoMicros } from '../../core/live/clock.js'
import type { JournalWriter } from '../../core/live/journal.js'
import { due, wait } from '../pacing.js'
import type { SubmissionTemplate } from '../submission.js'
import type { Lifetimes, TrafficPlan } from '../traffic.js'
import type { Recorder } from './recorder.js'
import { SubmissionClient, type Submission } from './submission-client.js'

export interface GeneratorOptions {
  /** The PAP endpoint. */
  readonly url: URL
  readonly offsets: Float64Array
  readonly plan: TrafficPlan
  readonly plain: SubmissionTemplate
  readonly expiring: SubmissionTemplate
  /** deliver-before from the planned time, of the rows that have it. */
  readonly lifetimes: Lifetimes
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
const RESULT_CODE = /<response-result[^>]*\scode\s*=\s*["'](\d{4})["']/

export class Generator {
  readonly counts: GeneratorCounts = { planned: 0, sent: 0, accepted: 0, refused: 0, unanswered: 0, shed: 0 }
  private readonly client: SubmissionClient
  private readonly plainHead: string
  private readonly expiringHead: string
  private startedAt: Micros = 0
  private startedWall: WallMillis = 0
  private next = 0
  private outstanding = 0
  private stopped = false
  private timer: NodeJS.Timeout | undefined
  private finish: (() => void) | undefined
  private loop = performance.eventLoopUtilization()

  constructor(readonly options: GeneratorOptions) {
    this.client = new SubmissionClient(options.url, { connectionsMax: CONNECTIONS_MAX, answerTimeoutMillis: ANSWER_TIMEOUT_MILLIS })
    this.plainHead = this.client.head(options.plain.contentType)
    this.expiringHead = this.client.head(options.expiring.contentType)
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
    this.client.close()
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
    const { plan, offsets, journal, lifetimes } = this.options
    const plannedAt = this.startedAt + offsets[attempt]!
    const pushId = plan.pushId(attempt)
    const address = plan.address(attempt)
    const row = plan.row(attempt)
    const lifetimeMicros = lifetimes[plan.row(plan.original(attempt) ?? attempt)]
    const expires = lifetimeMicros !== undefined
    this.counts.planned++
    let body: string
    if (expires) {
      // Whole seconds on the wire: the next one.
      const deliverBefore = Math.ceil((this.startedWall + (offsets[attempt]! + lifetimeMicros) / MICROS_PER_MILLI) / 1_000) * 1_000
      const deliverBeforeAt = this.startedAt + (deliverBefore - this.startedWall) * MICROS_PER_MILLI
      journal.line(journalLine(plannedAt, 'planned', pushId, address, row, String(attempt), String(Math.round(deliverBeforeAt))))
      body = this.options.expiring.text(pushId, address, deliverBefore)
    } else {
      journal.line(journalLine(plannedAt, 'planned', pushId, address, row, String(attempt)))
      body = this.options.plain.text(pushId, address)
    }
    if (this.outstanding >= OUTSTANDING_MAX) {
      this.counts.shed++
      this.counts.unanswered++
      journal.line(journalLine(monoMicros(), 'unanswered', pushId, address, 'dropped by the generator', String(attempt)))
      return
    }
    this.outstanding++
    this.client.submit(new Exchange(this, attempt, pushId, address, plannedAt, expires ? this.expiringHead : this.plainHead, body))
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
    // Timers count whole milliseconds, and answers come in between: each takes one attempt with it that has fallen due.
    if (!this.stopped && this.options.offsets[this.next]! <= at - this.startedAt) this.send(this.next++)
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
class Exchange implements Submission {
  constructor(
    private readonly generator: Generator, readonly attempt: number, readonly pushId: string, readonly address: string, readonly plannedAt: Micros,
    readonly head: string, readonly body: string,
  ) {}

  onSent(): void {
    this.generator.onSent(this)
  }

  onAnswered(status: number, body: string): void {
    this.generator.onAnswered(this, status, body)
  }

  onUnanswered(reason: string): void {
    this.generator.onUnanswered(this, reason)
  }
}
