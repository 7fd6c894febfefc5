/**
 * The runs a plan needs when none are at hand: rates and sizes of the plan's own contents, registrations, a larger population, pushes that
 * wait. From them the laws are fitted; then a configuration that none of them had is predicted, and only then measured. Decides which trial is
 * next; who performs it is not its business.
 */
import { Schema } from 'effect'
import { assert } from '../../core/kit/assert.js'
import type { PlanAnswer, PlanPredictionRow } from '../../reports/answers/plan.js'
import type { RunRecord } from '../../reports/record.js'
import { relativeError } from '../../reports/statistics/held-out.js'
import { meanInterval } from '../../reports/statistics/student.js'
import { formatDuration } from '../../core/live/units.js'
import { MESSAGE_OCTETS_MAX, Scenario, SEED_MAX, type ScenarioWritten } from '../scenario.js'
import type { Trial, TrialPlanner, TrialStep } from '../trials.js'
import { observe, sortedOut, type NodeLoad, type RunEvidence } from './evidence.js'
import { fitLatency } from './latency.js'
import { fitLaws, LEVEL, TOLERANCE } from './laws.js'
import type { PlanFile } from './plan-file.js'

export interface MeasureOptions {
  readonly plan: PlanFile
  readonly seed: number
  /** The highest rate measured, pushes per second. */
  readonly perSecond: number
  readonly trialSeconds: number
}

export interface Measured {
  readonly runs: readonly RunEvidence[]
  readonly heldOut: NonNullable<PlanAnswer['heldOut']> | undefined
}

/** Trials of the configuration that is predicted. */
const HELD_OUT_TRIALS = 5
/** A trial that says nothing is repeated this often, with another seed. */
const REPEATS_MAX = 2
const SUBSCRIBERS = 2_000
/** Enough devices to tell what one takes. */
const MANY_SUBSCRIBERS = 20_000
const WARM_UP_SECONDS = 5
/** Each trial begins with fresh processes: two thousand pushes go before it, so that it is not their compiling that is planned with. */
const WARM_UP_RATE = '500/s'

interface Design {
  readonly id: string
  readonly octets: number
  readonly scenario: ScenarioWritten
}

export class PlanMeasure implements TrialPlanner<Measured> {
  private readonly fits: readonly Design[]
  private readonly heldOut: Design
  private readonly runs: RunEvidence[] = []
  private readonly held: RunEvidence[] = []
  private told = 0
  private repeats = 0
  private position = 0
  private predicted: readonly PlanPredictionRow[] | undefined

  constructor(private readonly options: MeasureOptions) {
    const { plan, perSecond, trialSeconds } = options
    this.fits = designsOf(plan, perSecond, trialSeconds)
    const [small, larger] = messageSizes(plan)
    this.heldOut = steady('held-out', 0.75 * perSecond, Math.round((small + larger) / 2), plan, trialSeconds)
  }

  next(): TrialStep<Measured> {
    const design = this.fits[this.position] ?? (this.predicted?.length !== 0 && this.position < this.fits.length + HELD_OUT_TRIALS ? this.heldOut : undefined)
    if (design === undefined) return { type: 'answer', answer: this.measured() }
    const number = this.position - this.fits.length + 1
    const id = `${design.id}${design === this.heldOut ? `-${number}` : ''}${this.repeats === 0 ? '' : `-again-${this.repeats}`}`
    const scenario = Schema.decodeSync(Scenario)({ ...design.scenario, seed: (this.options.seed + this.told + 1) % (SEED_MAX + 1) })
    return { type: 'trial', trial: { id, words: `${id}: ${scenario.load.rate}/s of ${scenario.push.size} octets`, scenario } }
  }

  tell(trial: Trial, record: RunRecord): void {
    const step = this.next()
    assert(step.type === 'trial' && step.trial.id === trial.id, 'what is told was asked for')
    this.told++
    const run: RunEvidence = { file: `trials/${trial.id}/run.json`, record, octets: trial.scenario.push.size }
    const counts = sortedOut([run]).counted.length === 1
    const fitting = this.position < this.fits.length
    if (fitting) this.runs.push(run)
    else if (counts) this.held.push(run)
    if (!counts && this.repeats < REPEATS_MAX) {
      this.repeats++
      return
    }
    this.repeats = 0
    this.position++
    if (this.position === this.fits.length) this.predicted = this.predictions()
  }

  progress(): { readonly done: number; readonly atMost: number } {
    return { done: this.told, atMost: this.told + (this.fits.length + HELD_OUT_TRIALS - this.position) * (1 + REPEATS_MAX) - this.repeats }
  }

  /** Told as soon as the last run that laws are fitted to is there, and before the first that is predicted is asked for; empty when no law could be fitted. */
  prediction(): readonly PlanPredictionRow[] | undefined {
    return this.predicted
  }

  get heldOutWords(): string {
    const { load, push } = Schema.decodeSync(Scenario)(this.heldOut.scenario)
    return `${load.rate}/s of ${push.size} octets by MESSAGE, which no run of the laws had; ${HELD_OUT_TRIALS} trials, trials/held-out-1 to -${HELD_OUT_TRIALS}`
  }

  /** What there is, also before the end. */
  measured(): Measured {
    const { predicted } = this
    return { runs: this.runs, heldOut: predicted === undefined || predicted.length === 0 ? undefined : { words: this.heldOutWords, predictions: predicted.map((row) => compared(row, this.held)) } }
  }

  private predictions(): PlanPredictionRow[] {
    const points = sortedOut(this.runs).counted.map(observe)
    const { gateway, wire } = fitLaws(points)
    const { load, push } = Schema.decodeSync(Scenario)(this.heldOut.scenario)
    const at: NodeLoad = { pushes: load.rate, kib: push.size / 1024, sessions: 0, registrations: 0 }
    if (gateway === undefined) return []
    const cores = gateway.at(at)
    const interval = gateway.interval(at)
    const scaled = (by: number) => (interval === undefined ? {} : { low: interval.low * by, high: interval.high * by })
    const rows: PlanPredictionRow[] = [
      { ...OF['gateway.perPush'], predicted: cores * 1e6 / load.rate, ...scaled(1e6 / load.rate), measured: [] },
      { ...OF['gateway.cores'], predicted: cores, ...scaled(1), measured: [] },
      { ...OF['delivered'], predicted: load.rate, measured: [] },
    ]
    if (wire !== undefined) rows.push({ ...OF['wire.perPush'], predicted: wire.at(at) / load.rate, measured: [] })
    for (const name of ['p50', 'p99'] as const) {
      const law = fitLatency(points, name)
      if (law?.model.verdict === 'holds') rows.push({ ...OF[`latency.${name}`], predicted: law.at(cores), measured: [] })
    }
    return rows
  }
}

const OF = {
  'gateway.perPush': { name: 'gateway.perPush', words: 'processor time of the gateway for a push', unit: 'micros' },
  'gateway.cores': { name: 'gateway.cores', words: 'processors the gateway keeps busy', unit: 'cores' },
  delivered: { name: 'delivered', words: 'delivered', unit: 'perSecond' },
  'wire.perPush': { name: 'wire.perPush', words: 'octets of SIP for a push at the gateway', unit: 'octets' },
  'latency.p50': { name: 'latency.p50', words: 'p50 to the terminal', unit: 'micros' },
  'latency.p99': { name: 'latency.p99', words: 'p99 to the terminal', unit: 'micros' },
} as const

function valueOf(name: string, run: RunEvidence): number | undefined {
  const point = observe(run)
  switch (name) {
    case 'gateway.perPush': return point.gatewayCores * 1e6 / point.pushes
    case 'gateway.cores': return point.gatewayCores
    case 'delivered': return run.record.throughput.deliveredPerSecond
    case 'wire.perPush': return point.wireOctets / point.pushes
    case 'latency.p50': return point.p50Micros
    case 'latency.p99': return point.p99Micros
    default: return undefined
  }
}

function compared(row: PlanPredictionRow, held: readonly RunEvidence[]): PlanPredictionRow {
  const measured = held.flatMap((run) => valueOf(row.name, run) ?? [])
  if (measured.length === 0) return row
  const mean = measured.reduce((sum, value) => sum + value, 0) / measured.length
  const error = relativeError(row.predicted, mean)
  const interval = measured.length < 2 ? {} : { meanLow: meanInterval(measured, LEVEL).low, meanHigh: meanInterval(measured, LEVEL).high }
  return { ...row, measured, mean, ...interval, error, holds: Math.abs(error) <= TOLERANCE }
}

/** Two sizes that go by MESSAGE: the plan's smallest and its largest such, or four times the smallest where it has but one. */
function messageSizes({ contents, sessions }: PlanFile): readonly [number, number] {
  const most = Math.min(sessions.from - 1, MESSAGE_OCTETS_MAX)
  const sizes = contents.map(({ size }) => Math.max(1, Math.min(size, most)))
  const small = Math.min(...sizes)
  const large = Math.max(...sizes)
  return large > 1.5 * small ? [small, large] : [small, Math.min(4 * small, Math.max(most, 2 * small))]
}

function designsOf(plan: PlanFile, perSecond: number, seconds: number): Design[] {
  const [small, larger] = messageSizes(plan)
  const inSessions = [...new Set(plan.contents.map(({ size }) => size).filter((size) => size >= plan.sessions.from))]
  const sessionSizes = inSessions.length === 0 ? [] : [Math.min(...inSessions), ...(Math.max(...inSessions) > 1.5 * Math.min(...inSessions) ? [Math.max(...inSessions)] : [])]
  return [
    ...[1 / 4, 1 / 2, 1].map((part) => steady(`message-${label(perSecond * part)}-${small}`, perSecond * part, small, plan, seconds)),
    ...[1 / 4, 1 / 2, 1].map((part) => steady(`message-${label(perSecond * part)}-${larger}`, perSecond * part, larger, plan, seconds)),
    ...sessionSizes.flatMap((size) => [1 / 8, 1 / 4, 1 / 2].map((part) => steady(`session-${label(perSecond * part)}-${size}`, perSecond * part, size, plan, seconds))),
    ...[1 / 4, 1 / 2].flatMap((part) => [2, 5].map((period) => registering(`registering-${label(perSecond * part)}-every-${period}s`, perSecond * part, period, small, plan, seconds))),
    ...[1 / 4, 1 / 2].map((part) => peopled(`devices-${label(perSecond * part)}`, perSecond * part, small, plan, seconds)),
    ...[1, 2].map((times) => waiting(`waiting-${times}`, times * perSecond, small, plan, seconds)),
  ]
}

function label(perSecond: number): string {
  return String(Math.round(perSecond))
}

/** Everybody has one device that stays, and gets pushes at a steady rate. */
function steady(id: string, perSecond: number, octets: number, plan: PlanFile, seconds: number): Design {
  return {
    id, octets,
    scenario: {
      name: 'plan', load: { rate: `${perSecond}/s`, warmUp: `${WARM_UP_SECONDS}s`, warmUpRate: WARM_UP_RATE, duration: `${seconds}s` },
      traffic: { online: { share: '100%', delayLimit: formatDuration(plan.objective.delay) } },
      push: { size: `${octets}B`, binding: octets >= plan.sessions.from ? 'session' : 'message' },
      population: { subscribers: SUBSCRIBERS, devicesPerSubscriber: { 1: '100%' }, returning: { share: '0%' }, absent: '0%' },
      gateway: { sessionKeep: formatDuration(plan.sessions.keep) }, terminals: { reference: 0 },
    },
  }
}

/** As many devices again go off and on meanwhile. */
function registering(id: string, perSecond: number, period: number, octets: number, plan: PlanFile, seconds: number): Design {
  const { scenario, ...design } = steady(id, perSecond, octets, plan, seconds)
  const half = `${period / 2}s`
  return { ...design, scenario: { ...scenario, population: { ...scenario.population, subscribers: 1.5 * SUBSCRIBERS, returning: { share: '33%', on: half, off: half } } } }
}

function peopled(id: string, perSecond: number, octets: number, plan: PlanFile, seconds: number): Design {
  const { scenario, ...design } = steady(id, perSecond, octets, plan, seconds)
  return { ...design, scenario: { ...scenario, population: { ...scenario.population, subscribers: MANY_SUBSCRIBERS } } }
}

/** Nobody is there: everything waits until it expires, after the load. */
function waiting(id: string, perSecond: number, octets: number, plan: PlanFile, seconds: number): Design {
  const { scenario, ...design } = steady(id, perSecond, octets, plan, seconds)
  const lifetime = WARM_UP_SECONDS + seconds + 5
  return {
    ...design,
    scenario: {
      ...scenario, load: { ...scenario.load, drainMax: `${2 * lifetime + 30}s` }, traffic: { expires: { share: '100%', lifetime: `${lifetime}s`, delayLimit: '30s' } },
      population: { ...scenario.population, absent: '95%' },
    },
  }
}
