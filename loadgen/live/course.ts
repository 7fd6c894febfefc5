/**
 * The course of a run so far, for pictures: rates over the last seconds, one point a second lately, and the whole run in a bounded
 * number of points. Knows progress as it was told, not how it is shown.
 */
import type { Phase, Progress } from './progress.js'

const WINDOW_SECONDS = 2.5
/** A part tells its counts once a second: without a new one for longer than this, nothing happens. */
const SILENCE_SECONDS = 1.5

export type Counted = 'planned' | 'accepted' | 'delivered' | 'notAccepted' | 'otherwise'

const COUNTS: Readonly<Record<Counted, (progress: Progress) => number>> = {
  planned: ({ planned }) => planned,
  accepted: ({ accepted }) => accepted,
  delivered: ({ delivered }) => delivered,
  notAccepted: ({ refused, unanswered }) => refused + unanswered,
  otherwise: ({ otherOutcomes }) => otherOutcomes,
}

/** What happened per second lately. Counts arrive at their own pace, so a rate is taken between instants at which its count changed. */
export class Rates {
  private readonly seen: Progress[] = []

  look(progress: Progress): void {
    this.seen.push(progress)
    while (progress.runSeconds - this.seen[0]!.runSeconds > WINDOW_SECONDS) this.seen.shift()
  }

  of(counted: Counted): number {
    const { seen } = this
    const count = COUNTS[counted]
    const changes = seen.filter((progress, index) => index === 0 || count(progress) !== count(seen[index - 1]!))
    const first = changes[0]
    const last = changes.at(-1)
    if (first === undefined || last === undefined || last === first || seen.at(-1)!.runSeconds - last.runSeconds > SILENCE_SECONDS) return 0
    // The first one in sight may have changed long before; with more of them it is left out.
    const from = changes.length > 2 ? changes[1]! : first
    return Math.max(0, Math.round((count(last) - count(from)) / (last.runSeconds - from.runSeconds)))
  }
}

/** A stretch of the run: rates are means over it, everything else is the highest in it. */
export interface CoursePoint {
  /** From the begin of the run. */
  readonly fromSecond: number
  readonly seconds: number
  readonly phase: Phase
  readonly rates: Readonly<Record<Counted, number>>
  readonly inFlight: number
  readonly waiting: number
  readonly answerP99Us: number
  readonly resultP50Us: number
  readonly resultP99Us: number
  /** By part: busy share of its busiest event loop. */
  readonly busy: Readonly<Record<string, number>>
}

const RECENT_SECONDS = 120
/** Half as many are left when there would be more: two points become one. */
const POINTS_MAX = 160

export class Course {
  readonly rates = new Rates()
  /** One point a second, the latest last. */
  readonly recent: CoursePoint[] = []
  /** The whole run. */
  private whole: CoursePoint[] = []
  private gathered: CoursePoint | undefined
  private stretch = 1
  private seconds = 0

  look(progress: Progress): void {
    this.rates.look(progress)
    if (Math.floor(progress.runSeconds) <= this.seconds) return
    const fromSecond = this.seconds
    this.seconds = Math.floor(progress.runSeconds)
    this.take(pointOf(progress, this.rates, fromSecond, this.seconds - fromSecond))
  }

  /** At most `POINTS_MAX` and one. */
  points(): readonly CoursePoint[] {
    return this.gathered === undefined ? this.whole : [...this.whole, this.gathered]
  }

  private take(point: CoursePoint): void {
    this.recent.push(point)
    if (this.recent.length > RECENT_SECONDS) this.recent.shift()
    this.gathered = this.gathered === undefined ? point : merged(this.gathered, point)
    if (this.gathered.seconds < this.stretch) return
    this.whole.push(this.gathered)
    this.gathered = undefined
    if (this.whole.length < POINTS_MAX) return
    this.stretch *= 2
    this.whole = Array.from({ length: POINTS_MAX / 2 }, (_unused, index) => merged(this.whole[2 * index]!, this.whole[2 * index + 1]!))
  }
}

function pointOf(progress: Progress, rates: Rates, fromSecond: number, seconds: number): CoursePoint {
  const { phase, inFlight, waiting, submitP99Us, resultNow, parts } = progress
  return {
    fromSecond, seconds, phase, inFlight, waiting,
    rates: { planned: rates.of('planned'), accepted: rates.of('accepted'), delivered: rates.of('delivered'), notAccepted: rates.of('notAccepted'), otherwise: rates.of('otherwise') },
    answerP99Us: submitP99Us, resultP50Us: resultNow.p50Us, resultP99Us: resultNow.p99Us,
    busy: Object.fromEntries(parts.map(({ name, busy }) => [name, busy])),
  }
}

function merged(one: CoursePoint, other: CoursePoint): CoursePoint {
  const seconds = one.seconds + other.seconds
  const mean = (counted: Counted): number => (one.rates[counted] * one.seconds + other.rates[counted] * other.seconds) / seconds
  return {
    fromSecond: one.fromSecond, seconds, phase: other.phase,
    rates: { planned: mean('planned'), accepted: mean('accepted'), delivered: mean('delivered'), notAccepted: mean('notAccepted'), otherwise: mean('otherwise') },
    inFlight: Math.max(one.inFlight, other.inFlight), waiting: Math.max(one.waiting, other.waiting),
    answerP99Us: Math.max(one.answerP99Us, other.answerP99Us), resultP50Us: Math.max(one.resultP50Us, other.resultP50Us), resultP99Us: Math.max(one.resultP99Us, other.resultP99Us),
    busy: Object.fromEntries([...new Set([...Object.keys(one.busy), ...Object.keys(other.busy)])].map((name) => [name, Math.max(one.busy[name] ?? 0, other.busy[name] ?? 0)])),
  }
}
