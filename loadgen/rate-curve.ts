/**
 * How the rate of attempts changes over a run: every shape (steady, ramp, stairs, spike, day, bursts) becomes the same thing,
 * segments within which the rate runs straight from one value to another. Pacing needs no more than their integral.
 * Knows rates and times, not what is attempted.
 */
import { assert } from '../core/kit/assert.js'
import type { SeededEntropy } from '../core/kit/entropy.js'
import { MICROS_PER_SECOND, type Micros } from '../core/kit/time.js'

export interface RateSegment {
  readonly micros: Micros
  /** Attempts per second where the segment begins and where it ends. */
  readonly from: number
  readonly to: number
}

/** The same rate all the time. */
export function steady(perSecond: number, micros: Micros): RateSegment[] {
  return [{ micros, from: perSecond, to: perSecond }]
}

export function ramp(from: number, to: number, micros: Micros): RateSegment[] {
  return [{ micros, from, to }]
}

/** Each rate held equally long, one after another. */
export function stairs(rates: readonly number[], micros: Micros): RateSegment[] {
  return cut(micros, rates.length).map((length, step) => ({ micros: length, from: rates[step]!, to: rates[step]! }))
}

/** `perSecond`, but `factor` times as much from `at` on for `length`. */
export function spike(perSecond: number, factor: number, at: Micros, length: Micros, micros: Micros): RateSegment[] {
  assert(at >= 0 && length > 0 && at + length <= micros, 'a spike lies within its run')
  return [steady(perSecond, at), steady(perSecond * factor, length), steady(perSecond, micros - at - length)].flat().filter((segment) => segment.micros > 0)
}

const DAY_MICROS: Micros = 86_400 * MICROS_PER_SECOND
/** A day in quarters of an hour: straight pieces stay within 0.1 % of the peak of the curve they stand for. */
const DAY_PIECES = 96

/**
 * A day's curve around its mean: one sine, highest at `busiest` after the begin of each day. `startsAt` is the time of day
 * at which the run begins; a run may be shorter or longer than a day.
 * @param peakToMean the busiest moment over the mean, 1 to 2
 * @param dayMicros how long the day takes: less for one that passes faster; times of day stay those of a whole day
 */
export function diurnal(mean: number, peakToMean: number, busiest: Micros, startsAt: Micros, micros: Micros, dayMicros: Micros = DAY_MICROS): RateSegment[] {
  assert(peakToMean >= 1 && peakToMean <= 2, 'a sine around its mean has a peak of at most twice the mean')
  const rate = (at: Micros): number => mean * (1 + (peakToMean - 1) * Math.cos(2 * Math.PI * ((startsAt - busiest) / DAY_MICROS + at / dayMicros)))
  const pieces = Math.max(1, Math.ceil(micros / dayMicros * DAY_PIECES))
  let at = 0
  return cut(micros, pieces).map((length) => {
    const segment = { micros: length, from: rate(at), to: rate(at + length) }
    at += length
    return segment
  })
}

/**
 * Bursts: a Markov-modulated process of two states, calm and burst, each lasting an exponential time, the first calm. The rates are
 * such that the mean over both is `mean` and a burst has `factor` times the rate of calm.
 */
export function bursts(mean: number, factor: number, calmMicros: Micros, burstMicros: Micros, micros: Micros, entropy: SeededEntropy): RateSegment[] {
  const calm = mean * (calmMicros + burstMicros) / (calmMicros + factor * burstMicros)
  const segments: RateSegment[] = []
  for (let left = micros, isBurst = false; left > 0; isBurst = !isBurst) {
    const length = Math.min(left, Math.max(1, Math.round(entropy.exponential(isBurst ? burstMicros : calmMicros))))
    segments.push(...steady(isBurst ? calm * factor : calm, length))
    left -= length
  }
  return segments
}

/** Attempts the segments hold: the integral of their rates. */
export function expectedAttempts(segments: readonly RateSegment[]): number {
  return segments.reduce((sum, { micros, from, to }) => sum + (from + to) / 2 * micros / MICROS_PER_SECOND, 0)
}

/** The highest rate anywhere. */
export function peakRate(segments: readonly RateSegment[]): number {
  return segments.reduce((peak, { from, to }) => Math.max(peak, from, to), 0)
}

/** Where, over ascending counts, the integral of the rates reaches each of them: the inverse a schedule is made by. */
export class RateClock {
  private index = 0
  /** Offset and attempts where the current segment begins. */
  private startMicros: Micros = 0
  private before = 0

  constructor(private readonly segments: readonly RateSegment[]) {}

  /** The offset at which `attempts` attempts are due; `Infinity` behind the last. Asked with ascending values. */
  at(attempts: number): Micros {
    for (; this.index < this.segments.length; this.index++) {
      const segment = this.segments[this.index]!
      const within = (segment.from + segment.to) / 2 * segment.micros / MICROS_PER_SECOND
      if (attempts - this.before < within) return this.startMicros + reached(segment, attempts - this.before)
      this.before += within
      this.startMicros += segment.micros
    }
    return Infinity
  }
}

/** How far into a segment its integral reaches `attempts`: rate straight, integral a parabola. */
function reached({ micros, from, to }: RateSegment, attempts: number): Micros {
  const slope = (to - from) / micros
  const wanted = attempts * MICROS_PER_SECOND
  // The form of the quadratic formula that stays exact where the slope is next to nothing.
  return wanted === 0 ? 0 : 2 * wanted / (from + Math.sqrt(Math.max(0, from * from + 2 * slope * wanted)))
}

/** `micros` in whole pieces as equal as can be. */
function cut(micros: Micros, pieces: number): Micros[] {
  return Array.from({ length: pieces }, (_unused, piece) => Math.floor(micros * (piece + 1) / pieces) - Math.floor(micros * piece / pieces))
}
