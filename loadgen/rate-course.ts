/**
 * A rate that people change while a run goes on: faster, slower, held where it is, let go again. What lies ahead is always the
 * scenario's own curve times a factor, or the rate that is held. Knows rates and instants, not what is attempted.
 */
import type { Micros } from '../core/kit/time.js'
import { steady, type RateSegment } from './rate-curve.js'

export type RateChange =
  | { readonly type: 'factor'; readonly factor: number }
  | { readonly type: 'rate'; readonly perSecond: number }
  /** The rate stays what it is now, whatever the curve would do. */
  | { readonly type: 'hold' }
  /** The curve goes on from where it would be by now. */
  | { readonly type: 'release' }

export interface RateChanged {
  readonly atMicros: Micros
  readonly what: 'rate' | 'held' | 'released'
  /** Attempts per second from here on, or where the curve goes on. */
  readonly perSecond: number
}

/** What a person may ask for by hand, per second. */
const PER_SECOND_MIN = 0.1
const PER_SECOND_MAX = 100_000

interface State {
  readonly factor: number
  readonly held: number | undefined
}

export class RateCourse {
  private state: State = { factor: 1, held: undefined }
  private before: State = this.state
  private readonly length: Micros

  constructor(private readonly curve: readonly RateSegment[]) {
    this.length = curve.reduce((sum, { micros }) => sum + micros, 0)
  }

  rateAt(at: Micros): number {
    return this.state.held ?? this.curveAt(at) * this.state.factor
  }

  /** In words why nothing changes. */
  change(at: Micros, change: RateChange): RateChanged | string {
    const { state } = this
    if (at >= this.length) return 'the load is over'
    const now = this.rateAt(at)
    if (change.type === 'hold' || change.type === 'release') {
      const isHeld = state.held !== undefined
      if (isHeld === (change.type === 'hold')) return isHeld ? 'the rate is held already' : 'the rate is not held'
      this.become({ ...state, held: isHeld ? undefined : now })
      return { atMicros: at, what: isHeld ? 'released' : 'held', perSecond: this.rateAt(at) }
    }
    if (now === 0) return 'there is no load just now whose rate could be changed'
    const perSecond = change.type === 'rate' ? change.perSecond : now * change.factor
    if (!(perSecond >= PER_SECOND_MIN && perSecond <= PER_SECOND_MAX)) return `${perSecond}/s is not between ${PER_SECOND_MIN}/s and ${PER_SECOND_MAX}/s`
    this.become(state.held === undefined ? { ...state, factor: perSecond / this.curveAt(at) } : { ...state, held: perSecond })
    return { atMicros: at, what: 'rate', perSecond }
  }

  /** Takes the last change back. */
  undo(): void {
    this.state = this.before
  }

  /** What lies ahead of an instant, beginning there. */
  ahead(at: Micros): RateSegment[] {
    const { factor, held } = this.state
    if (held !== undefined) return steady(held, this.length - at)
    let begins = 0
    return this.curve.flatMap(({ micros, from, to }): RateSegment[] => {
      const gone = Math.max(0, at - begins)
      begins += micros
      if (gone >= micros) return []
      return [{ micros: micros - gone, from: factor * (from + (to - from) * gone / micros), to: factor * to }]
    })
  }

  private become(state: State): void {
    this.before = this.state
    this.state = state
  }

  private curveAt(at: Micros): number {
    let begins = 0
    for (const { micros, from, to } of this.curve) {
      if (at < begins + micros) return from + (to - from) * (at - begins) / micros
      begins += micros
    }
    return 0
  }
}
