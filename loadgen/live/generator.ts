/**
 * The load generator: submits each attempt of a plan at its planned time. Timers and answers wake it, and it never spins;
 * being late never shifts an open schedule, it only shows as lag. Writes the initiator's journal; draws no conclusions.
 */
import { performance } from 'node:perf_hooks'
import { journalLine } from '../../core/kit/journal.js'
import { MICROS_PER_MILLI, type Micros, type WallMillis } from '../../core/kit/time.js'
import { monoMicros } from '../../core/live/clock.js'
import type { JournalWriter } from '../../core/live/journal.js'
import type { Arrivals } from '../arrivals.js'
import type { RateChange, RateChanged } from '../rate-course.js'
import type { SubmissionTemplate } from '../submission.js'
import type { Lifetimes, TrafficPlan } from '../traffic.js'
import type { Recorder } from './recorder.js'
import { SubmissionClient, type Submission } from './submission-client.js'
import { Tally } from './tally.js'

export interface GeneratorOptions {
  /** The PAP endpoint. */
  readonly url: URL
  readonly arrivals: Arrivals
  /** What each attempt is; what it does not know ahead is drawn as attempts come. */
  readonly plan: TrafficPlan
  readonly plain: SubmissionTemplate
  readonly expiring: SubmissionTemplate
  /** Of attempts whose content has a size of its own: undefined for one as large as all others. */
  readonly sized?: (attempt: number) => Templates | undefined
  /** At most so many connections to the gateway; of a closed load one for each initiator. */
  readonly connectionsMax?: number
  /** deliver-before from the planned time, of the rows that have it. */
  readonly lifetimes: Lifetimes
  readonly journal: JournalWriter
  /** Takes the time from plan to answer, for the live view. */
  readonly submit: Recorder
}

/** One size of content, with and without deliver-before. */
export interface Templates {
  readonly plain: SubmissionTemplate
  readonly expiring: SubmissionTemplate
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
export const CONNECTIONS_MAX = 256
/** Unanswered submissions beyond this are not sent: the attempt is dropped, and the run says so. */
const OUTSTANDING_MAX = 20_000
/** Attempts sent in one turn of the event loop. */
const BATCH_MAX = 256
const ANSWER_TIMEOUT_MILLIS = 30_000
const RESULT_CODE = /<response-result[^>]*\scode\s*=\s*["'](\d{4})["']/

export class Generator {
  readonly counts: GeneratorCounts = { planned: 0, sent: 0, accepted: 0, refused: 0, unanswered: 0, shed: 0 }
  /** Why attempts were not accepted. */
  readonly causes = new Tally()
  /** How the rate was changed by hand, in the order of time. */
  readonly changes: RateChanged[] = []
  private readonly client: SubmissionClient
  /** Heads of requests by Content-Type, which differ in their boundaries alone. */
  private readonly heads = new Map<string, string>()
  private startedAt: Micros = 0
  private startedWall: WallMillis = 0
  private next = 0
  private outstanding = 0
  private stopped = false
  private timer: NodeJS.Timeout | undefined
  private immediate: NodeJS.Immediate | undefined
  private finish: (() => void) | undefined
  private loop = performance.eventLoopUtilization()

  constructor(readonly options: GeneratorOptions) {
    this.client = new SubmissionClient(options.url, { connectionsMax: options.connectionsMax ?? CONNECTIONS_MAX, answerTimeoutMillis: ANSWER_TIMEOUT_MILLIS })
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

  /**
   * Changes the rate from now on, or holds it, or lets it go on; what is due by now is sent all the same. In words why nothing changed:
   * the load has no rate, has not begun or is over.
   */
  changeRate(change: RateChange): RateChanged | string {
    const elapsed = Math.floor(monoMicros() - this.startedAt)
    if (this.finish === undefined || this.stopped || elapsed < 0) return 'there is no load under way'
    const changed = this.options.arrivals.change(elapsed, change)
    if (typeof changed === 'string') return changed
    this.changes.push(changed)
    this.wake()
    return changed
  }

  /** When an attempt was or will be due, by the host's monotonic clock. */
  plannedAt(attempt: number): Micros {
    return this.startedAt + this.options.plan.offset(attempt)
  }

  /** Attempts per second that are wanted now; undefined where no rate is set. */
  get wantedPerSecond(): number | undefined {
    const elapsed = monoMicros() - this.startedAt
    return this.finish === undefined || this.stopped || elapsed < 0 ? undefined : this.options.arrivals.rateAt(elapsed)
  }

  /** Plans nothing more; what is sent is still awaited. */
  stop(): void {
    this.stopped = true
    this.disarm()
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
    this.disarm()
    const { arrivals } = this.options
    const elapsed = monoMicros() - this.startedAt
    for (let sent = 0; sent < BATCH_MAX && arrivals.next() <= elapsed; sent++) this.send()
    const next = arrivals.next()
    if (next === Infinity) return this.settle()
    this.arm(next - (monoMicros() - this.startedAt))
  }

  private arm(pause: Micros): void {
    // What fell due meanwhile goes out in the next turn of the event loop, after the answers that came: a generator that is
    // late must not stop listening. Otherwise a timer sleeps: it counts whole milliseconds, so rounding down and waking once
    // more keeps the lag below one.
    if (pause <= 0) this.immediate = setImmediate(this.wake)
    else this.timer = setTimeout(this.wake, Math.max(1, Math.floor(pause / MICROS_PER_MILLI)))
  }

  private disarm(): void {
    clearTimeout(this.timer)
    clearImmediate(this.immediate)
  }

  private send(): void {
    const { plan, arrivals, journal, lifetimes } = this.options
    const attempt = this.next++
    const offset = arrivals.take()
    if (attempt === plan.length) plan.draw(offset)
    const plannedAt = this.startedAt + offset
    const pushId = plan.pushId(attempt)
    const address = plan.address(attempt)
    const row = plan.row(attempt)
    const lifetimeMicros = lifetimes[plan.row(plan.original(attempt) ?? attempt)]
    const templates = this.options.sized?.(attempt) ?? this.options
    this.counts.planned++
    let template = templates.plain
    let body: string
    if (lifetimeMicros !== undefined) {
      // Whole seconds on the wire: the next one.
      const deliverBefore = Math.ceil((this.startedWall + (offset + lifetimeMicros) / MICROS_PER_MILLI) / 1_000) * 1_000
      const deliverBeforeAt = this.startedAt + (deliverBefore - this.startedWall) * MICROS_PER_MILLI
      journal.line(journalLine(plannedAt, 'planned', pushId, address, row, String(attempt), String(Math.round(deliverBeforeAt))))
      template = templates.expiring
      body = template.text(pushId, address, deliverBefore)
    } else {
      journal.line(journalLine(plannedAt, 'planned', pushId, address, row, String(attempt)))
      body = template.text(pushId, address)
    }
    if (this.outstanding >= OUTSTANDING_MAX) {
      this.counts.shed++
      this.counts.unanswered++
      journal.line(journalLine(monoMicros(), 'unanswered', pushId, address, 'dropped by the generator', String(attempt)))
      return
    }
    this.outstanding++
    this.client.submit(new Exchange(this, attempt, pushId, address, plannedAt, monoMicros(), this.headOf(template), body))
  }

  private headOf({ contentType }: SubmissionTemplate): string {
    let head = this.heads.get(contentType)
    if (head === undefined) this.heads.set(contentType, (head = this.client.head(contentType)))
    return head
  }

  onSent(exchange: Exchange): void {
    this.counts.sent++
    const at = monoMicros()
    this.options.journal.line(journalLine(at, 'sent', exchange.pushId, exchange.address, String(exchange.attempt), String(Math.round(at - exchange.takenAt))))
  }

  onAnswered(exchange: Exchange, status: number, body: string): void {
    const at = monoMicros()
    const code = status === 202 || status === 200 ? RESULT_CODE.exec(body)?.[1] : undefined
    const answer = code ?? (status === 202 || status === 200 ? 'unreadable' : `http-${status}`)
    if (code !== undefined && code.startsWith('1')) this.counts.accepted++
    else {
      this.counts.refused++
      this.causes.add(refusal(answer))
    }
    this.options.submit.record(at - exchange.plannedAt)
    this.options.journal.line(journalLine(at, 'answered', exchange.pushId, exchange.address, answer, String(exchange.attempt)))
    // Timers count whole milliseconds, and answers come in between: each takes one attempt with it that has fallen due.
    if (!this.stopped && this.options.arrivals.next() <= at - this.startedAt) this.send()
    this.done(at)
  }

  onUnanswered(exchange: Exchange, reason: string): void {
    const at = monoMicros()
    this.counts.unanswered++
    this.causes.add(`unanswered: ${reason}`)
    this.options.journal.line(journalLine(at, 'unanswered', exchange.pushId, exchange.address, reason, String(exchange.attempt)))
    this.done(at)
  }

  private done(at: Micros): void {
    const { arrivals } = this.options
    this.outstanding--
    if (arrivals.ended(at - this.startedAt) && !this.stopped) {
      this.disarm()
      this.arm(arrivals.next() - (monoMicros() - this.startedAt))
    }
    this.settle()
  }

  private settle(): void {
    if (this.outstanding > 0 || (!this.stopped && this.options.arrivals.next() !== Infinity)) return
    this.finish?.()
    this.finish = undefined
  }
}

function refusal(answer: string): string {
  return answer.startsWith('http-') ? `refused: HTTP ${answer.slice(5)}` : `refused: PAP ${answer}`
}

/** One submission under way. */
class Exchange implements Submission {
  constructor(
    private readonly generator: Generator, readonly attempt: number, readonly pushId: string, readonly address: string, readonly plannedAt: Micros,
    /** From here on it may wait for a connection. */
    readonly takenAt: Micros,
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
