/**
 * The search for the design objective capacity: stairs to bracket it, bisection to narrow the bracket, then several independent
 * bisections with seeds of their own, whose spread is the interval, then loads beyond it for the overload curve. Decides which
 * trial is next; who performs it is not its business (ETSI TS 186 008-2 section 6.4 has the steps and the notion of capacity).
 */
import { assert } from '../../core/kit/assert.js'
import { MICROS_PER_SECOND } from '../../core/kit/time.js'
import { CAPACITY_SCHEMA_VERSION, type CapacityAnswer, type CapacityTrialRow } from '../../reports/answers/capacity.js'
import type { RunRecord } from '../../reports/record.js'
import { cleanAttemptsToResolve } from '../../reports/statistics/proportion.js'
import { meanInterval } from '../../reports/statistics/student.js'
import { SEED_MAX, type Scenario } from '../scenario.js'
import type { Trial, TrialPlanner, TrialStep } from '../trials.js'
import { judge, type Judged } from './judge.js'

export interface CapacityOptions {
  /** Its rate is where the search begins; its duration is that of a trial, unless more is needed to see the limit. */
  readonly scenario: Scenario
  /** As it is written to the answer. */
  readonly scenarioYaml: string
  readonly startedAt: string
  readonly command: string
  /** Never asked for more; beyond, "at least" is the answer. */
  readonly perSecondMax: number
  /** Independent bisections at the edge, at least 2. */
  readonly replicates: number
  /** Multiples of the capacity measured for the overload curve. */
  readonly overload: readonly number[]
}

/** Bisection ends when the failed rate is within this ratio of the passed one: 2.5 %. */
const RESOLUTION = 1.025
/** A bracket this narrow is where the replicates begin, and by this they step. */
const NARROW = 1.1
const LEVEL = 0.95
const STAIR = 2
const STAIRS_MAX = 16
const EDGE_STEPS_MAX = 8
/** A trial that says nothing is repeated this often, with another seed, before the search gives up. */
const REPEATS_MAX = 2
const PER_SECOND_MIN = 1
/** Longer than this no trial is, whatever the limit takes to be seen. */
const TRIAL_SECONDS_MAX = 120
/** Of a bracket of one stair: bisections until it is narrow, and of a narrow one until it is resolved. */
const NARROWINGS = Math.ceil(Math.log2(Math.log(STAIR) / Math.log(NARROW)))
const HALVINGS = Math.ceil(Math.log2(Math.log(NARROW) / Math.log(RESOLUTION)))

type Phase = CapacityTrialRow['phase']

interface Ask {
  readonly phase: Phase
  readonly perSecond: number
  readonly replicate: number | undefined
}

interface Bracket {
  readonly passed: number
  readonly failed: number
}

/** How the search ends, without what describes it. */
type Finding = Pick<CapacityAnswer, 'outcome'> & Partial<Pick<CapacityAnswer, 'capacity' | 'bound' | 'why'>>

/** At this rate the instruments, not the system, were at their limit. */
class Limited {
  constructor(readonly perSecond: number, readonly why: string) {}
}

/** Ends a search from within: nothing further can be learnt. */
class Ended {
  constructor(readonly finding: Finding) {}
}

export class CapacitySearch implements TrialPlanner<CapacityAnswer> {
  private readonly trials: CapacityTrialRow[] = []
  private readonly course: Generator<Ask, Finding | Ended, Judged>
  private asked: { readonly ask: Ask; readonly trial: Trial } | undefined
  private finding: Finding | undefined
  private disclosure: CapacityAnswer['disclosure']
  private bestPassed = 0

  constructor(private readonly options: CapacityOptions) {
    assert(options.replicates >= 2, 'an interval needs two bisections or more')
    this.course = this.search()
    this.advance(this.course.next())
  }

  next(): TrialStep<CapacityAnswer> {
    return this.asked === undefined ? { type: 'answer', answer: this.answer() } : { type: 'trial', trial: this.asked.trial }
  }

  tell(trial: Trial, record: RunRecord): void {
    const { asked } = this
    assert(asked?.trial.id === trial.id, 'what is told was asked for')
    this.disclosure ??= record.disclosure
    const { ask } = asked
    const judged = judge(record, this.options.scenario.objective.inadequatelyHandled, LEVEL)
    this.trials.push({ id: trial.id, phase: ask.phase, ...(ask.replicate === undefined ? {} : { replicate: ask.replicate }), perSecond: ask.perSecond, seed: trial.scenario.seed, ...judged })
    if (judged.result === 'passed') this.bestPassed = Math.max(this.bestPassed, ask.perSecond)
    this.advance(this.course.next(judged))
  }

  progress(): { readonly done: number; readonly atMost: number } {
    const { replicates, overload } = this.options
    const all = STAIRS_MAX + NARROWINGS + replicates * (1 + EDGE_STEPS_MAX + HALVINGS) + overload.length
    return { done: this.trials.length, atMost: this.finding === undefined ? (1 + REPEATS_MAX) * all : this.trials.length }
  }

  /** What the search has, as an answer: also before its end, for one that is stopped. */
  answer(): CapacityAnswer {
    const { scenario, scenarioYaml, startedAt, command } = this.options
    const finding = this.finding ?? { outcome: 'unmeasured', why: 'the search was stopped before its end', ...(this.bestPassed > 0 ? { bound: this.bestPassed } : {}) }
    const constraint = constraintOf(this.trials)
    const { online } = scenario.traffic
    return {
      kind: 'capacity', schemaVersion: CAPACITY_SCHEMA_VERSION, scenario: scenario.name, seed: scenario.seed, startedAt,
      limit: scenario.objective.inadequatelyHandled, resolution: RESOLUTION, level: LEVEL, ...finding,
      ...(online.share > 0 ? { delayLimitUs: online.delayLimit } : {}),
      ...(constraint === undefined ? {} : { constraint }),
      trials: this.trials, ...(this.disclosure === undefined ? {} : { disclosure: this.disclosure }), scenarioYaml, command,
    }
  }

  private advance(step: IteratorResult<Ask, Finding | Ended>): void {
    if (step.done === true) {
      this.finding = step.value instanceof Ended ? step.value.finding : step.value
      this.asked = undefined
    } else this.asked = { ask: step.value, trial: this.trialOf(step.value) }
  }

  private trialOf(ask: Ask): Trial {
    const { scenario } = this.options
    const index = this.trials.length
    const { phase, perSecond } = ask
    const seconds = Math.min(TRIAL_SECONDS_MAX, Math.ceil(cleanAttemptsToResolve(scenario.objective.inadequatelyHandled, LEVEL) / perSecond))
    const load: Scenario['load'] = { ...scenario.load, shape: 'steady', rate: perSecond, duration: Math.max(scenario.load.duration, seconds * MICROS_PER_SECOND) }
    return {
      id: `${String(index + 1).padStart(2, '0')}-${phase}-${perSecond}`,
      words: `${phase}: ${perSecond}/s`,
      // Another seed for each: two trials at one rate are not the same trial twice.
      scenario: { ...scenario, seed: (scenario.seed + index + 1) % (SEED_MAX + 1), load },
    }
  }

  private *search(): Generator<Ask, Finding | Ended, Judged> {
    const bracket = yield* this.bracket()
    if (bracket instanceof Ended) return bracket
    const narrow = yield* this.halve(bracket, NARROW, 'narrow', undefined)
    if (narrow instanceof Ended) return narrow
    const edges: number[] = []
    for (let replicate = 1; replicate <= this.options.replicates; replicate++) {
      const edge = yield* this.edge(narrow, replicate)
      if (edge instanceof Ended) return edge
      edges.push(Math.sqrt(edge.passed * edge.failed))
    }
    const capacity = capacityOf(edges)
    for (const factor of this.options.overload) yield { phase: 'overload', perSecond: rounded(capacity.perSecond * factor), replicate: undefined }
    return { outcome: 'found', capacity }
  }

  /** Stairs up from where it begins until a rate fails, or down until one passes. */
  private *bracket(): Generator<Ask, Bracket | Ended, Judged> {
    const { scenario, perSecondMax } = this.options
    let rate = rounded(Math.min(scenario.load.rate, perSecondMax))
    let bracket: Partial<Bracket> = {}
    for (let step = 0; step < STAIRS_MAX; step++) {
      const passed = yield* this.ask({ phase: 'stairs', perSecond: rate, replicate: undefined })
      if (passed instanceof Limited && bracket.passed !== undefined) return yield* this.below(bracket.passed, passed)
      if (typeof passed !== 'boolean') return ended(passed)
      bracket = passed ? { ...bracket, passed: rate } : { ...bracket, failed: rate }
      if (bracket.passed !== undefined && bracket.failed !== undefined) return { passed: bracket.passed, failed: bracket.failed }
      if (passed && rate >= perSecondMax) return new Ended({ outcome: 'at-least', bound: rate, why: `no higher rate than ${perSecondMax}/s was asked for` })
      if (!passed && rate <= PER_SECOND_MIN) return new Ended({ outcome: 'at-most', bound: rate, why: `it failed even at ${rate}/s` })
      rate = rounded(passed ? Math.min(rate * STAIR, perSecondMax) : Math.max(rate / STAIR, PER_SECOND_MIN))
    }
    return new Ended(bracket.passed === undefined
      ? { outcome: 'at-most', bound: bracket.failed!, why: `it failed at every rate down to ${bracket.failed}/s` }
      : { outcome: 'at-least', bound: bracket.passed, why: `it passed at every rate up to ${bracket.passed}/s` })
  }

  /** Bisection on the logarithm of the rate until the bracket is as narrow as `ratio`. */
  private *halve(from: Bracket, ratio: number, phase: Phase, replicate: number | undefined): Generator<Ask, Bracket | Ended, Judged> {
    let bracket = from
    while (bracket.failed / bracket.passed > ratio) {
      const middle = rounded(Math.sqrt(bracket.passed * bracket.failed))
      // So low a rate that three digits cannot tell them apart.
      if (middle <= bracket.passed || middle >= bracket.failed) break
      const passed = yield* this.ask({ phase, perSecond: middle, replicate })
      if (typeof passed !== 'boolean') return ended(passed, bracket.passed)
      bracket = passed ? { ...bracket, passed: middle } : { ...bracket, failed: middle }
    }
    return bracket
  }

  /** One independent bisection: from the middle of what is known outwards until it is bracketed anew, then inwards. */
  private *edge(known: Bracket, replicate: number): Generator<Ask, Bracket | Ended, Judged> {
    let rate = rounded(Math.sqrt(known.passed * known.failed))
    let bracket: Partial<Bracket> = {}
    for (let step = 0; step <= EDGE_STEPS_MAX; step++) {
      const passed = yield* this.ask({ phase: 'edge', perSecond: rate, replicate })
      if (typeof passed !== 'boolean') return ended(passed, known.passed)
      bracket = passed ? { ...bracket, passed: rate } : { ...bracket, failed: rate }
      if (bracket.passed !== undefined && bracket.failed !== undefined) return yield* this.halve({ passed: bracket.passed, failed: bracket.failed }, RESOLUTION, 'edge', replicate)
      rate = rounded(passed ? rate * NARROW : rate / NARROW)
    }
    return new Ended({ outcome: 'unmeasured', why: `the edge moved by more than ${NARROW}^${EDGE_STEPS_MAX} between one bisection and the next: the system, or the machine, is not the same from trial to trial` })
  }

  /** The instruments gave out first: looks between there and what passed for a rate at which the system does. */
  private *below(from: number, limit: Limited): Generator<Ask, Bracket | Ended, Judged> {
    let passed = from
    let limited = limit
    while (limited.perSecond / passed > NARROW) {
      const middle = rounded(Math.sqrt(passed * limited.perSecond))
      if (middle <= passed || middle >= limited.perSecond) break
      const said = yield* this.ask({ phase: 'stairs', perSecond: middle, replicate: undefined })
      if (said instanceof Ended) return said
      if (said === false) return { passed, failed: middle }
      if (said === true) passed = middle
      else limited = said
    }
    return ended(limited, passed)
  }

  /** Whether a rate passes, asked again where a trial says nothing: also where the instruments were late at a rate not far from others at which they were not. */
  private *ask(ask: Ask): Generator<Ask, boolean | Limited | Ended, Judged> {
    let judged = yield ask
    const repeats = { invalid: REPEATS_MAX, instrument: ask.phase === 'stairs' ? 0 : 1, passed: 0, failed: 0 }
    for (let repeat = 0; repeat < repeats[judged.result]; repeat++) judged = yield ask
    if (judged.result === 'passed') return true
    if (judged.result === 'failed') return false
    if (judged.result === 'invalid') return new Ended({ outcome: 'unmeasured', why: `${1 + REPEATS_MAX} trials at ${ask.perSecond}/s were invalid; the last: ${judged.why}` })
    return new Limited(ask.perSecond, judged.why!)
  }
}

/** @param passed the highest rate that is known to pass below, where there is one */
function ended(said: Limited | Ended, passed?: number): Ended {
  if (said instanceof Ended) return said
  const { perSecond, why } = said
  return new Ended(passed === undefined
    ? { outcome: 'unmeasured', why: `the instruments were at their limit at ${perSecond}/s: ${why}` }
    : { outcome: 'at-least', bound: passed, why: `beyond it the instruments, not the system under test, were the limit; at ${perSecond}/s: ${why}` })
}

/** Geometric mean with Student's interval on the logarithm; no narrower than what one bisection resolves. */
function capacityOf(edges: readonly number[]): NonNullable<CapacityAnswer['capacity']> {
  const { mean, low, high } = meanInterval(edges.map(Math.log), LEVEL)
  const least = Math.log(RESOLUTION) / 2
  const round = (log: number): number => Math.round(Math.exp(log) * 10) / 10
  return { perSecond: round(mean), low: round(Math.min(low, mean - least)), high: round(Math.max(high, mean + least)), replicates: edges.map((edge) => Math.round(edge * 10) / 10) }
}

/** What the failed trials at the edge have in common: the part that was busiest in most of them, and why they failed. */
function constraintOf(trials: readonly CapacityTrialRow[]): string | undefined {
  const failed = trials.filter(({ phase, result }) => result === 'failed' && phase !== 'overload').slice(-5)
  const last = failed.at(-1)
  if (last === undefined) return undefined
  const parts = failed.flatMap(({ busiest }) => (busiest === undefined ? [] : [busiest]))
  const names = [...new Set(parts.map(({ part }) => part))].sort((a, b) => parts.filter(({ part }) => part === b).length - parts.filter(({ part }) => part === a).length)
  const [name] = names
  if (name === undefined) return last.why
  const share = Math.max(...parts.filter(({ part }) => part === name).map((part) => part.share))
  return `${last.why}; busiest was the ${name}, up to ${Math.round(100 * share)} % of its event loop`
}

/** Three digits: rates for people. Rising and falling rates stay apart by far more than this. */
function rounded(perSecond: number): number {
  return Math.max(PER_SECOND_MIN, Number(perSecond.toPrecision(3)))
}
