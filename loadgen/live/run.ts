/**
 * One run from start to record: parts up, population registered, load, drain, parts down, journals joined. Whatever
 * happens on the way - a part dies, Ctrl-C - the parts are ended and a record says how far it came.
 */
import { writeFile } from 'node:fs/promises'
import { MICROS_PER_MILLI, MICROS_PER_SECOND, type Micros } from '../../core/kit/time.js'
import { monoMicros } from '../../core/live/clock.js'
import { JournalWriter } from '../../core/live/journal.js'
import type { RunRecord } from '../../reports/record.js'
import type { WordResult } from '../../sim/live/terminals-service.js'
import type { Scenario } from '../scenario.js'
import type { RegisteredPopulation } from '../verdict.js'
import { Promises } from './abort-rules.js'
import type { Generator } from './generator.js'
import { generatorOf } from './loading.js'
import { freePort, machineFacts } from './machine.js'
import { NotificationListener } from './notification-listener.js'
import { gatewayConfigOf, imsConfigOf, populationFor, terminalsConfigOf } from './part-configs.js'
import { Parts } from './parts.js'
import type { Watcher } from './progress.js'
import { recordOf } from './record.js'
import { Reporter } from './reporter.js'
import { RunFolder } from './run-folder.js'
import { scenarioToYaml } from './scenario-file.js'
import { traceOf, type TraceFile } from './trace-file.js'

export interface RunOptions {
  readonly scenario: Scenario
  readonly folder: RunFolder
  readonly watcher: Watcher
  /** What was changed before the run, for the disclosure. */
  readonly deviations: readonly string[]
  /** Aborted once: drain and report. The reason is what the record says. */
  readonly interrupt: AbortSignal
  /** Aborted when the result is clear before the load is over: it ends there, and the run counts as far as it went. The reason is what the record says. */
  readonly enough?: AbortSignal
  /** Aborted: end at once, without a report. */
  readonly kill: AbortSignal
}

export interface RunResult {
  readonly record: RunRecord
  readonly folder: string
}

/** From planning the first attempt to its planned time: enough for the plan to be made and the first timer to be set. */
const LEAD_MICROS: Micros = 200_000
/**
 * How long the slowest device is waited for besides its turn: silence until timer F (RFC 3261 section 17.1.2.2), the longest first wait
 * (RFC 5626 section 4.5), and as much again. The load begins as soon as all are there.
 */
const REGISTER_MICROS_MIN: Micros = 2 * (32 + 30) * MICROS_PER_SECOND
/** What the TLS connections of one subscriber's devices may take of a busy machine, each its own. */
const HANDSHAKES_MICROS: Micros = 100_000
/** Also how long no notification may come before the last one is taken for the last. */
const DRAIN_POLL_MILLIS = 500
/** How long the devices' subscriptions may take to stand after they are registered. */
const SUBSCRIBE_MICROS_MAX: Micros = 30 * MICROS_PER_SECOND

export async function run(given: RunOptions): Promise<RunResult> {
  const startedAt = new Date()
  const promises = new Promises(given)
  const { options } = promises
  const { folder } = options
  const trace = await traceOf(options.scenario)
  if (trace !== undefined) await writeFile(folder.file('trace.csv'), trace.text)
  const parts = new Parts((name, counters) => reporter.sampled(name, counters))
  const reporter = new Reporter(options.scenario, options.watcher, parts)
  const killed = new Promise<never>((_resolve, reject) => {
    options.kill.addEventListener('abort', () => reject(new Error('stopped at once')), { once: true })
  })
  // Nobody may be waiting for it when it comes.
  killed.catch(() => {})
  const active = new Run(promises, parts, reporter, startedAt, trace)
  try {
    return await Promise.race([active.perform(), killed])
  } finally {
    reporter.end()
    await parts.kill()
    await active.close()
    await folder.removeStore()
  }
}

class Run {
  private readonly journal: JournalWriter
  private readonly scenarioYaml: string
  private population: RegisteredPopulation = { provisioned: 0, registered: 0, refused: 0, waiting: 0, registrationSeconds: 0 }
  private window = { from: 0, to: 0 }
  private windowStartedAt = 0
  private drainSeconds = 0
  private readonly failures: string[] = []
  private generator: Generator | undefined
  private listener: NotificationListener | undefined

  private cutAt = 'the run'
  private readonly options: RunOptions

  constructor(
    private readonly promises: Promises, private readonly parts: Parts, private readonly reporter: Reporter, private readonly startedAt: Date,
    private readonly trace: TraceFile | undefined,
  ) {
    const { options } = promises
    this.options = options
    this.scenarioYaml = scenarioToYaml(options.scenario)
    options.interrupt.addEventListener('abort', () => { this.cutAt = reporter.position }, { once: true })
    this.journal = new JournalWriter(options.folder.journal('initiator'), (error) => this.failures.push(error.message))
  }

  async perform(): Promise<RunResult> {
    const { options } = this
    const { folder } = options
    await writeFile(folder.file('scenario.yaml'), this.scenarioYaml)
    try {
      await this.unlessCutShort(() => this.startParts())
      await this.unlessCutShort(() => this.register())
      await this.load()
      await this.drain()
    } catch (error) {
      this.failures.push(error instanceof Error ? error.message : String(error))
    }
    this.reporter.enter('report', undefined)
    await this.stopParts()
    const record = this.promises.judge(await recordOf({
      scenario: options.scenario, scenarioYaml: this.scenarioYaml, folder, startedAt: this.startedAt, window: this.window, windowStartedAt: this.windowStartedAt,
      drainSeconds: this.drainSeconds, parts: this.parts, population: this.population, heldSamples: this.reporter.heldSamples,
      interrupted: this.interruption(), endedEarly: this.endedEarly(), failures: [...new Set([...this.failures, ...this.parts.failures])], deviations: options.deviations, machine: machineFacts(),
      trace: this.trace, rateChanges: this.generator?.changes ?? [],
    }))
    await writeFile(folder.file('run.json'), `${JSON.stringify(record, undefined, 1)}\n`)
    return { record, folder: folder.path }
  }

  /** Lets go of sockets and files, however far the run came. */
  async close(): Promise<void> {
    await this.generator?.close()
    await this.listener?.close()
    await this.journal.close()
  }

  private async startParts(): Promise<void> {
    const { options: { scenario, folder }, parts, reporter } = this
    reporter.enter('start', undefined)
    // The core network and the gateway must know of each other before either is up.
    const sip = { address: '127.0.0.1', port: await freePort() }
    const ims = await parts.start('ims', imsConfigOf(scenario, sip), folder.journal('ims'))
    const gateway = await parts.start('gateway', gatewayConfigOf(scenario, sip, ims, folder.store, scenario.capture ? folder.file('gateway.pcap') : undefined), folder.journal('gateway'))
    // The gateway takes another port where its own is taken, and the core network would tell nobody of registrations.
    if (gateway[scenario.gateway.transport === 'tls' ? 'sipTls' : 'sip'] !== `${sip.address}:${sip.port}`) throw new Error(`port ${sip.port}, which the core network knows the gateway by, was taken meanwhile; run again`)
    await parts.start('terminals', terminalsConfigOf(scenario, ims), folder.journal('terminals'))
    this.listener = await NotificationListener.listen(this.journal)
    this.generator = generatorOf({
      scenario, trace: this.trace?.trace, pap: new URL(gateway['pap']!), notifyUrl: this.listener.url, runId: `${scenario.name}-${this.startedAt.getTime().toString(36)}`, journal: this.journal,
    })
    reporter.generating(this.generator, this.listener)
  }

  private async register(): Promise<void> {
    const { scenario } = this.options
    const population = populationFor(scenario)
    const perSecond = scenario.terminals.registrationRate
    this.reporter.enter('register', population.size / perSecond)
    const { transport, ownConnections } = scenario.terminals
    const each = 2 * MICROS_PER_SECOND / perSecond + (transport === 'tls' ? ownConnections * HANDSHAKES_MICROS : 0)
    const withinMicros = Math.round(REGISTER_MICROS_MIN + each * population.size)
    const begunAt = monoMicros()
    const { wanted, done, refused, pending } = await this.parts.perform('terminals', 'register', { perSecond, withinMicros }) as WordResult
    const registrationSeconds = Math.round((monoMicros() - begunAt) / MICROS_PER_MILLI) / 1_000
    this.population = { provisioned: wanted, registered: done, refused, waiting: pending, registrationSeconds }
    if (scenario.population.subscribing > 0) await this.subscribed()
  }

  /** Devices subscribe once they are registered: the load begins when the gateway holds what they asked for, and no more comes. */
  private async subscribed(): Promise<void> {
    const { parts } = this
    const until = monoMicros() + SUBSCRIBE_MICROS_MAX
    for (let sample = parts.samples('gateway'), before = -1; monoMicros() < until && !this.cutShort();) {
      await Promise.race([wait(DRAIN_POLL_MILLIS), parts.failed])
      if (parts.samples('gateway') === sample) continue
      sample = parts.samples('gateway')
      const standing = parts.counters.gateway?.['subscriptions'] ?? 0
      if (standing > 0 && standing === before && standing >= (parts.counters.terminals?.['subscriptions'] ?? 0)) return
      before = standing
    }
  }

  private async load(): Promise<void> {
    const { generator, options: { scenario: { load } }, parts, reporter } = this
    if (generator === undefined || this.cutShort()) return
    const startAt = monoMicros() + LEAD_MICROS
    this.window = { from: startAt + load.warmUp, to: startAt + load.warmUp + load.duration }
    this.windowStartedAt = Date.now() + Math.round((this.window.from - monoMicros()) / MICROS_PER_MILLI)
    const running = generator.run(startAt)
    const interrupted = Promise.race([aborted(this.options.interrupt), aborted(this.options.enough)])
    reporter.enter('warm-up', load.warmUp / MICROS_PER_SECOND)
    const warmUp = wait((this.window.from - monoMicros()) / MICROS_PER_MILLI)
    await Promise.race([warmUp, interrupted, parts.failed])
    if (!this.cutShort()) {
      parts.forgetPeaks()
      reporter.measuring(true)
      reporter.enter('load', load.duration / MICROS_PER_SECOND)
      const over = wait((this.window.to - monoMicros()) / MICROS_PER_MILLI)
      await Promise.race([over, interrupted, parts.failed])
      reporter.measuring(false)
      parts.work.close()
    }
    if (this.cutShort() || this.endedEarly() !== undefined) {
      generator.stop()
      this.window = { from: Math.min(this.window.from, monoMicros()), to: Math.min(this.window.to, monoMicros()) }
    }
    reporter.enter('drain', load.drainMax / MICROS_PER_SECOND)
    await Promise.race([running, parts.failed, wait(load.drainMax / MICROS_PER_MILLI)])
  }

  /** Until the gateway says that it holds nothing without an outcome and no notification comes any more, or the time is over. */
  private async drain(): Promise<void> {
    const { parts, reporter } = this
    const begunAt = monoMicros()
    const until = begunAt + this.options.scenario.load.drainMax
    const before = parts.samples('gateway')
    let notified = -1
    while (monoMicros() < until && parts.failures.length === 0) {
      const idle = parts.samples('gateway') > before && parts.counters.gateway?.['inFlight'] === 0
      if (idle && reporter.notified === notified) break
      notified = reporter.notified
      await Promise.race([wait(DRAIN_POLL_MILLIS), parts.failed])
    }
    this.drainSeconds = (monoMicros() - begunAt) / MICROS_PER_SECOND
  }

  private async stopParts(): Promise<void> {
    const { parts } = this
    parts.note('generator', parts.ofGenerator(0))
    // Whoever is asked goes before whoever asks could hear of it: no part's journal misses what another one saw.
    await this.generator?.close()
    await parts.stop('gateway')
    await parts.stop('terminals')
    await parts.stop('ims')
    await this.close()
  }

  private async unlessCutShort(step: () => Promise<void>): Promise<void> {
    if (this.cutShort()) return
    // Starting and registering can be given up half way; the parts are ended in any case.
    await Promise.race([step(), aborted(this.options.interrupt), this.parts.failed])
  }

  private cutShort(): boolean {
    return this.options.interrupt.aborted || this.parts.failures.length > 0
  }

  private endedEarly(): string | undefined {
    const { enough } = this.options
    return enough?.aborted === true ? String(enough.reason) : undefined
  }

  private interruption(): string | undefined {
    const { interrupt } = this.options
    if (interrupt.aborted) return `${String(interrupt.reason)} during ${this.cutAt}`
    const [failure] = this.parts.failures
    return failure === undefined ? undefined : failure.split('\n')[0]
  }
}

/** The timer keeps no process alive: what is waited for may be over long before, and the parts keep it alive meanwhile. */
function wait(millis: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, Math.max(0, millis)).unref()
  })
}

function aborted(signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (signal === undefined) return
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
