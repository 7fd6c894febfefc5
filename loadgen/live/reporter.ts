/**
 * Gathers what a watcher is told while a run goes on: the phase, the generator's counts, the parts' samples. It reads
 * and forwards; nothing here ends up in a verdict but the gateway's held recipients (Little's law) and the generator's
 * busiest second.
 */
import type { Scenario } from '../scenario.js'
import { monoMicros } from '../../core/live/clock.js'
import { processResources } from '../../core/live/control.js'
import { MICROS_PER_SECOND } from '../../core/kit/time.js'
import type { Generator } from './generator.js'
import type { NotificationListener } from './notification-listener.js'
import type { PartName, Parts } from './parts.js'
import type { Phase, Progress, Watcher } from './progress.js'

const REFRESH_MILLIS = 250
const REFRESHES_PER_SECOND = 1_000 / REFRESH_MILLIS

export class Reporter {
  /** Recipients held by the gateway, one sample a second over the measured window. */
  readonly heldSamples: number[] = []
  private phase: Phase = 'start'
  private phaseFrom = monoMicros()
  private expectedSeconds: number | undefined
  private isMeasuring = false
  private refreshes = 0
  private generator: Generator | undefined
  private listener: NotificationListener | undefined
  private submit = { p50: 0, p99: 0, max: 0 }
  private readonly timer: NodeJS.Timeout

  constructor(private readonly scenario: Scenario, private readonly watcher: Watcher, private readonly parts: Parts) {
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
    this.watcher.progress(this.progress())
  }

  generating(generator: Generator, listener: NotificationListener): void {
    this.generator = generator
    this.listener = listener
  }

  /** The measured window begins or ends. */
  measuring(on: boolean): void {
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

  private refresh(): void {
    if (++this.refreshes % REFRESHES_PER_SECOND === 0) this.endSecond()
    this.watcher.progress(this.progress())
  }

  private endSecond(): void {
    const { generator } = this
    if (generator === undefined) return
    const { submit } = generator.options
    this.submit = { p50: submit.percentile(50), p99: submit.percentile(99), max: submit.percentile(100) }
    submit.reset()
    const busy = generator.utilisation()
    if (this.isMeasuring) this.parts.note('generator', { ...processResources(), loopUtilisation: busy })
  }

  private progress(): Progress {
    const { generator, parts, scenario } = this
    const gateway = parts.counters.gateway ?? {}
    const terminals = parts.counters.terminals ?? {}
    const delivered = gateway['delivered'] ?? 0
    const others = ['undeliverable', 'rejected', 'expired', 'aborted', 'timeout', 'cancelled', 'unknown'].reduce((sum, name) => sum + (gateway[name] ?? 0), 0)
    const counts = generator?.counts ?? { planned: 0, sent: 0, accepted: 0, refused: 0, unanswered: 0, shed: 0 }
    return {
      scenario: scenario.name,
      phase: this.phase,
      elapsedSeconds: this.elapsedSeconds,
      expectedSeconds: this.expectedSeconds,
      leftSeconds: this.leftSeconds(),
      registered: (terminals['registered'] ?? 0) + (terminals['reference.registered'] ?? 0),
      devices: (terminals['devices'] ?? 0) + (terminals['reference.devices'] ?? 0),
      planned: counts.planned,
      sent: counts.sent,
      accepted: counts.accepted,
      refused: counts.refused,
      unanswered: counts.unanswered,
      dropped: counts.shed,
      delivered,
      otherOutcomes: others,
      inFlight: gateway['inFlight'] ?? 0,
      waiting: gateway['waiting'] ?? 0,
      notified: this.notified,
      submitP50Us: this.submit.p50,
      submitP99Us: this.submit.p99,
      submitMaxUs: this.submit.max,
    }
  }

  private leftSeconds(): number | undefined {
    if (this.expectedSeconds === undefined) return undefined
    return Math.max(0, this.expectedSeconds - this.elapsedSeconds) + (this.phase === 'warm-up' ? this.scenario.load.duration / MICROS_PER_SECOND : 0)
  }
}
