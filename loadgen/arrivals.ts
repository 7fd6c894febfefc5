/**
 * What a generator takes its attempts from, one after another: a schedule known ahead, one whose rate is changed by hand on the way,
 * or initiators that wait for their answers. Knows instants from the start of the load, not what is sent at them.
 */
import { DeadlineHeap } from '../core/kit/heap.js'
import type { SeededEntropy } from '../core/kit/entropy.js'
import { Fifo } from '../core/kit/fifo.js'
import type { Micros } from '../core/kit/time.js'
import { ATTEMPTS_MAX, Steps, schedule, type Arrival } from './pacing.js'
import { expectedAttempts, type RateSegment } from './rate-curve.js'
import { RateCourse, type RateChange, type RateChanged } from './rate-course.js'

export interface Arrivals {
  /** When the next attempt is due; `Infinity` when none is: after the last, or until an attempt under way has ended. */
  next(): Micros
  /** Takes the next attempt, which there has to be, and returns its planned time. */
  take(): Micros
  /** An attempt was answered or given up. Whether the next one is due sooner because of it. */
  ended(elapsed: Micros): boolean
  /** A change of the rate from this instant on; in words why there is none. */
  change(at: Micros, change: RateChange): RateChanged | string
  /** Attempts per second that are wanted at an instant; undefined where nobody has set a rate. */
  rateAt(at: Micros): number | undefined
}

/** Instants that are what they are: a trace, a campaign. */
export class FixedArrivals implements Arrivals {
  private taken = 0

  /** @param offsets ascending; `what` has them, in words for who would change them */
  constructor(private readonly offsets: Float64Array, private readonly what: string) {}

  next(): Micros {
    return this.taken < this.offsets.length ? this.offsets[this.taken]! : Infinity
  }

  take(): Micros {
    return this.offsets[this.taken++]!
  }

  ended(): boolean {
    return false
  }

  change(): string {
    return `the rate of ${this.what} is what it is`
  }

  rateAt(): undefined {
    return undefined
  }
}

/** A schedule by a rate, computed ahead; from the first change on, step by step, so that a change costs nothing. */
export class ScheduledArrivals implements Arrivals {
  private readonly offsets: Float64Array
  private readonly course: RateCourse
  private taken = 0
  /** Due before a change and not taken by then: a late sender sends them all the same. */
  private readonly late = new Fifo<Micros>()
  private steps: Steps | undefined
  private changedAt: Micros = 0
  private upcoming: Micros = Infinity
  private changes = 0

  constructor(private readonly arrival: Arrival, segments: readonly RateSegment[], private readonly entropy: SeededEntropy) {
    this.offsets = schedule(arrival, segments, entropy)
    this.course = new RateCourse(segments)
  }

  next(): Micros {
    return this.late.peek() ?? this.upcomingOne()
  }

  take(): Micros {
    return this.late.shift() ?? this.advance()
  }

  ended(): boolean {
    return false
  }

  change(at: Micros, change: RateChange): RateChanged | string {
    const changed = this.course.change(at, change)
    if (typeof changed === 'string') return changed
    const ahead = this.course.ahead(at)
    if (this.taken + expectedAttempts(ahead) > ATTEMPTS_MAX) {
      this.course.undo()
      return `${changed.perSecond}/s until the end would be more than the ${ATTEMPTS_MAX} attempts one run can hold`
    }
    while (this.upcomingOne() <= at) this.late.push(this.advance())
    const entropy = this.entropy.fork(`change-${++this.changes}`)
    // Neither does every change send an attempt at once, nor does one change after another put the next one off for ever.
    this.steps = new Steps(this.arrival, ahead, entropy, this.arrival === 'constant' ? entropy.unit() : entropy.exponential(1))
    this.changedAt = at
    this.upcoming = at + this.steps.next()
    return changed
  }

  rateAt(at: Micros): number {
    return this.course.rateAt(at)
  }

  private upcomingOne(): Micros {
    if (this.steps !== undefined) return this.upcoming
    return this.taken < this.offsets.length ? this.offsets[this.taken]! : Infinity
  }

  private advance(): Micros {
    const at = this.upcomingOne()
    this.taken++
    if (this.steps !== undefined) this.upcoming = this.changedAt + this.steps.next()
    return at
  }
}

/** What a closed load has instead of a rate. */
export interface ClosedLoad {
  /** Each has at most one attempt under way. */
  readonly initiators: number
  /** From an answer to the initiator's next attempt, on average: always so long with constant arrivals, exponential otherwise. */
  readonly thinkMicros: Micros
}

/** Initiators without a think time begin one after another within this time, not all at once. */
const ENTRY_MICROS_MIN: Micros = 100_000

/**
 * A closed load: who waits for an answer asks for nothing, so a slow system is asked less. An attempt's planned time is the end
 * of its initiator's think time, which a slow system puts off with everything else.
 */
export class ClosedArrivals implements Arrivals {
  private readonly thinking = new DeadlineHeap<undefined>()
  private taken = 0

  /** @param until no attempt begins from here on */
  constructor(private readonly load: ClosedLoad, private readonly arrival: Arrival, private readonly until: Micros, private readonly entropy: SeededEntropy) {
    const entry = Math.max(load.thinkMicros, ENTRY_MICROS_MIN)
    for (let initiator = 0; initiator < load.initiators; initiator++) this.thinking.arm(Math.floor(entry * entropy.unit()), undefined)
  }

  next(): Micros {
    const at = this.thinking.next()
    return at < this.until && this.taken < ATTEMPTS_MAX ? at : Infinity
  }

  take(): Micros {
    const at = this.thinking.next()
    this.thinking.popDue(at)
    this.taken++
    return at
  }

  ended(elapsed: Micros): boolean {
    const { thinkMicros } = this.load
    const before = this.next()
    this.thinking.arm(Math.floor(elapsed + (this.arrival === 'constant' ? thinkMicros : this.entropy.exponential(thinkMicros))), undefined)
    return this.next() < before
  }

  change(): string {
    return 'a closed load has no rate: its initiators go on as soon as they are answered and have thought'
  }

  rateAt(): undefined {
    return undefined
  }
}
