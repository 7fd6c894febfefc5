/**
 * Whether a stretch of load came to rest: where its transient ends (MSER-5), and whether what is in flight and the latency both go on
 * growing, which is over-saturation. Knows the joined journals and a window, not what the load was.
 */
import type { Micros } from '../../core/kit/time.js'
import { isGrowing } from '../../reports/statistics/trend.js'
import { warmUp } from '../../reports/statistics/warm-up.js'
import { intervalsOf } from './intervals.js'
import { ONLINE_ROWS, type Window } from './measures.js'
import type { RowName } from '../scenario.js'
import type { Tables } from './tables.js'

/** A window in equal pieces. */
export interface Course {
  readonly pieceMicros: Micros
  readonly delivered: Float64Array
  /** Held by the gateway at the end of each. */
  readonly inFlight: Float64Array
  /** Of what was planned in each: to the terminal, or to the answer where no push was to reach anybody; that of the one before where none was. */
  readonly latency: Float64Array
}

/** Enough for MSER-5 to be wrong in 2 of 100, and few enough for a test over all pairs. */
const PIECES = 300
const PIECE_MICROS_MIN: Micros = 20_000
const LATENCY_PERCENT = 95

/** @param pieceMicros at least so long each; as many as are useful when absent */
export function courseOf(tables: Tables, window: Window, pieceMicros: Micros = PIECE_MICROS_MIN): Course {
  const length = Math.max(pieceMicros, Math.ceil((window.to - window.from) / PIECES))
  // A last piece that is shorter than the others would look like a drop.
  const count = Math.max(1, Math.floor((window.to - window.from) / length))
  const whole = { from: window.from, to: window.from + count * length }
  const counts = intervalsOf(tables, whole, length).slice(0, count)
  return {
    pieceMicros: length,
    delivered: Float64Array.from(counts, ({ delivered }) => delivered),
    inFlight: Float64Array.from(counts, ({ inFlight }) => inFlight),
    latency: latencies(tables, whole, length, count),
  }
}

function latencies({ attempts, deliveries }: Tables, window: Window, length: Micros, count: number): Float64Array {
  const ends: number[][] = Array.from({ length: count }, () => [])
  const answers: number[][] = Array.from({ length: count }, () => [])
  for (let attempt = 0; attempt < attempts.length; attempt++) {
    const plannedAt = attempts.plannedAt.get(attempt)
    if (!(plannedAt >= window.from && plannedAt < window.to)) continue
    const piece = Math.floor((plannedAt - window.from) / length)
    const answer = attempts.answeredAt.get(attempt) - plannedAt
    if (answer >= 0) answers[piece]!.push(answer)
    const end = deliveries.receivedAt.get(attempts.delivery.get(attempt)) - plannedAt
    if (end >= 0 && ONLINE_ROWS.has(attempts.rowNames.name(attempts.row.get(attempt)) as RowName)) ends[piece]!.push(end)
  }
  const chosen = ends.some((samples) => samples.length > 0) ? ends : answers
  let before = 0
  return Float64Array.from(chosen, (samples) => (before = samples.length === 0 ? before : percentile(samples, LATENCY_PERCENT)))
}

/** The smallest value that so many percent of them do not exceed. Sorts them. */
export function percentile(samples: number[] | Float64Array, percent: number): number {
  samples.sort((a, b) => a - b)
  return samples[Math.max(0, Math.ceil(samples.length * percent / 100) - 1)]!
}

export interface Rest {
  /** How much of the begin is transient. */
  readonly trimmedMicros: Micros
  readonly stationary: boolean
  readonly why?: string
}

/** Where the transient ends, and whether what comes after it is steady. */
export function restOf(course: Course): Rest {
  const goodput = warmUp(course.delivered)
  const latency = warmUp(course.latency)
  const unsettled = goodput.verdict !== 'steady' ? ['goodput', goodput.verdict] : latency.verdict !== 'steady' ? ['latency', latency.verdict] : undefined
  if (unsettled !== undefined) {
    const why = unsettled[1] === 'too short' ? 'too short to tell whether it came to rest' : `its ${unsettled[0]} never settled: more than half of the step would have to be left out`
    return { trimmedMicros: 0, stationary: false, why }
  }
  const truncated = Math.max(goodput.truncated, latency.truncated)
  const trimmedMicros = truncated * course.pieceMicros
  const why = growthOf(course, truncated)
  return why === undefined ? { trimmedMicros, stationary: true } : { trimmedMicros, stationary: false, why }
}

/** Fewer pieces show no trend. */
const PIECES_MIN = 10
/** Chance alone grows like this, in both, once in 10,000 windows. */
const SIGNIFICANCE = 0.01
/** A rise of half the median: less does not matter yet. */
const TOLERATED = 0.5

/** What is in flight, and how long it takes: growth of both is more load than can be carried. At least ten values each. */
export function bothGrow(inFlight: ArrayLike<number>, latency: ArrayLike<number>): boolean {
  return isGrowing(inFlight, SIGNIFICANCE, TOLERATED) && isGrowing(latency, SIGNIFICANCE, TOLERATED)
}

/** In words that both went on growing; undefined when they did not, or when nobody can tell. @param from pieces to leave out */
export function growthOf({ inFlight, latency }: Course, from = 0): string | undefined {
  const held = inFlight.subarray(from)
  const delays = latency.subarray(from)
  if (held.length < PIECES_MIN || !bothGrow(held, delays)) return undefined
  return `not stationary: in flight from ${held[0]} to ${held.at(-1)}, latency (p${LATENCY_PERCENT}) from ${millis(delays[0]!)} to ${millis(delays.at(-1)!)}, both growing`
}

function millis(micros: number): string {
  return `${Math.round(micros / 1_000)} ms`
}
