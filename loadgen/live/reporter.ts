/**
 * Gathers what a watcher is told while a run goes on: the phase, the generator's counts, the parts' samples, the results that
 * come in. It reads and forwards; nothing here ends up in a verdict but the gateway's held recipients (Little's law) and the
 * generator's busiest second.
 */
import type { RateChange, RateChanged } from '../rate-course.js'
import type { Scenario } from '../scenario.js'
import { monoMicros } from '../../core/live/clock.js'
import { MICROS_PER_SECOND } from '../../core/kit/time.js'
import { LiveDelays } from './delays.js'
import type { Generator } from './generator.js'
import type { NotificationListener, Result } from './notification-listener.js'
import type { PartName, Parts } from './parts.js'
import type { Phase, Progress, Watcher } from './progress.js'
import { Tally } from './tally.js'

const REFRESH_MILLIS = 250
const REFRESHES_PER_SECOND = 1_000 / REFRESH_MILLIS
const OUTCOMES = ['undeliverable', 'rejected', 'expired', 'aborted', 'timeout', 'cancelled', 'unknown'] as const
const CAUSES_TOLD = 12
/** What a result's words say of the answer behind it, such as `SIP 404`. The rest of them is for the record. */
const ANSWER = /\b(?:SIP|MSRP) \d{3}\b/

export class Reporter {
  /** Recipients held by the gateway, one sample a second over the measured window. */
  readonly heldSamples: number[] = []
  private readonly beganAt = monoMicros()
  private phase: Phase = 'start'
  private phaseFrom = this.beganAt
  private expectedSeconds: number | undefined
  private isMeasuring = false
  private refreshes = 0
  private generator: Generator | undefined
  private listener: NotificationListener | undefined
  private isHeld = false
  private readonly delays: LiveDelays
  private readonly results = new Tally()
  private readonly timer: NodeJS.Timeout

  constructor(private readonly scenario: Scenario, private readonly watcher: Watcher, private readonly parts: Parts) {
    this.delays = new LiveDelays(scenario.load)
    this.timer = setInterval(() => this.refresh(), REFRESH_MILLIS)
  }

  get notified(): number {
    return this.listener?.received ?? 0
  }

  /** Where the run is, in words for a record that was cut short. */
  get position(): string {
    return `${this.phase === 'start' ? 'the start' : `the ${this.phase}`}, after ${Math.round(this.elapsedSeconds)} s of it`
  }

  enter(phase: Phase, expectedSeconds: number | undefined): void {
    this.phase = phase
    this.phaseFrom = monoMicros()
    this.expectedSeconds = expectedSeconds
    if (phase === 'warm-up') this.watcher.steer?.((change) => this.steer(change))
    this.watcher.progress(this.progress())
  }

  generating(generator: Generator, listener: NotificationListener): void {
    this.generator = generator
    this.listener = listener
    listener.onResult = (result) => this.takeResult(generator, result)
  }

  /** The measured window begins or ends. */
  measuring(on: boolean): void {
    // The second that is under way is of the warm-up, or the last of the window.
    if (this.generator !== undefined) this.delays.endSecond(this.generator.options.submit, this.isMeasuring)
    this.isMeasuring = on
    this.generator?.utilisation()
    this.refreshes = 0
  }

  sampled(name: PartName, counters: Readonly<Record<string, number>>): void {
    if (name === 'gateway' && this.isMeasuring) this.heldSamples.push(counters['inFlight'] ?? 0)
  }

  end(): void {
    clearInterval(this.timer)
    this.watcher.end()
  }

  private get elapsedSeconds(): number {
    return (monoMicros() - this.phaseFrom) / MICROS_PER_SECOND
  }

  private steer(change: RateChange): RateChanged | string {
    const changed = this.generator?.changeRate(change) ?? 'there is no load'
    if (typeof changed !== 'string' && changed.what !== 'rate') this.isHeld = changed.what === 'held'
    return changed
  }

  private takeResult(generator: Generator, { at, pushId, messageState, code, desc = '' }: Result): void {
    const { plan } = generator.options
    const attempt = plan.attemptOf(pushId)
    if (attempt !== undefined) this.delays.takeResult(plan.row(attempt), plan.offset(attempt), at - generator.plannedAt(attempt))
    if (messageState !== 'delivered') this.results.add(`${messageState}: ${ANSWER.exec(desc)?.[0] ?? `PAP ${code}`}`)
  }

  private refresh(): void {
    if (++this.refreshes % REFRESHES_PER_SECOND === 0) this.endSecond()
    this.watcher.progress(this.progress())
  }

  private endSecond(): void {
    const { generator, parts } = this
    if (generator === undefined) return
    this.delays.endSecond(generator.options.submit, this.isMeasuring)
    const resources = parts.ofGenerator(generator.utilisation())
    parts.now.note('generator', resources, monoMicros())
    if (this.isMeasuring) parts.note('generator', resources)
  }

  private progress(): Progress {
    const { delays, generator, parts, scenario } = this
    const gateway = parts.counters.gateway ?? {}
    const terminals = parts.counters.terminals ?? {}
    const counts = generator?.counts ?? { planned: 0, sent: 0, accepted: 0, refused: 0, unanswered: 0, shed: 0 }
    return {
      scenario: scenario.name,
      runSeconds: (monoMicros() - this.beganAt) / MICROS_PER_SECOND,
      phase: this.phase,
      elapsedSeconds: this.elapsedSeconds,
      expectedSeconds: this.expectedSeconds,
      leftSeconds: this.leftSeconds(),
      registered: (terminals['registered'] ?? 0) + (terminals['reference.registered'] ?? 0),
      devices: (terminals['devices'] ?? 0) + (terminals['reference.devices'] ?? 0),
      wantedPerSecond: generator?.wantedPerSecond,
      held: this.isHeld,
      planned: counts.planned,
      sent: counts.sent,
      accepted: counts.accepted,
      refused: counts.refused,
      unanswered: counts.unanswered,
      dropped: counts.shed,
      delivered: gateway['delivered'] ?? 0,
      otherOutcomes: OUTCOMES.reduce((sum, name) => sum + (gateway[name] ?? 0), 0),
      inFlight: gateway['inFlight'] ?? 0,
      waiting: gateway['waiting'] ?? 0,
      notified: this.notified,
      submitP50Us: delays.answeredNow.p50Us,
      submitP99Us: delays.answeredNow.p99Us,
      submitMaxUs: delays.answeredNow.maxUs,
      answered: delays.answered,
      resultNow: delays.resultNow,
      result: delays.result,
      parts: parts.now.list(),
      causes: this.causes(gateway),
    }
  }

  /** Without result notifications an outcome has no cause that could be told before the journals are read. */
  private causes(gateway: Readonly<Record<string, number>>): { readonly words: string; readonly count: number }[] {
    const outcomes = this.scenario.push.notifications ? [...this.results.entries()] : OUTCOMES.map((name): [string, number] => [name, gateway[name] ?? 0])
    return [...(this.generator?.causes.entries() ?? []), ...outcomes].filter(([, count]) => count > 0)
      .sort(([, a], [, b]) => b - a).slice(0, CAUSES_TOLD).map(([words, count]) => ({ words, count }))
  }

  private leftSeconds(): number | undefined {
    if (this.expectedSeconds === undefined) return undefined
    return Math.max(0, this.expectedSeconds - this.elapsedSeconds) + (this.phase === 'warm-up' ? this.scenario.load.duration / MICROS_PER_SECOND : 0)
  }
}
