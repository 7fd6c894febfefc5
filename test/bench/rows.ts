/**
 * What the bench promises: the rows with their limits, and how repeated measurements become one row. Arithmetic only;
 * it knows neither processes nor files.
 */
import { assert } from '../../core/kit/assert.js'

/** One row of bench.json. `floor` is the bare cost of the same traffic in the same run, null where there is none. */
export interface BenchRow {
  readonly name: string
  /** The median of the repeats. */
  readonly value: number
  readonly min: number
  readonly max: number
  readonly repeats: number
  readonly unit: string
  readonly floor: number | null
  /** value / floor */
  readonly ratio: number | null
}

/** A row that was promised and cannot be had: `reason` says why, as `value` stands in bench.json too. */
export interface MissingRow {
  readonly name: string
  readonly value: 'n/a'
  readonly unit: string
  readonly reason: string
}

export type Row = BenchRow | MissingRow

/** What one benchmark measured: each repeat's value, and each repeat of its floor measured in between. */
export interface Measured {
  readonly name: string
  readonly unit: string
  readonly values: readonly number[]
  readonly floors: readonly number[]
  /** What min, max and repeats are taken from, where `values` holds one figure made of several measurements. */
  readonly range?: readonly number[]
}

/** What cannot be measured, and why. */
export interface Missing {
  readonly name: string
  readonly unit: string
  readonly reason: string
}

export interface Limit {
  readonly bound: 'at most' | 'at least'
  readonly value: number
}

/** On the machine where the libraries were measured; a slower one is judged by the ratio to its own floor. */
export const LIMITS: Readonly<Record<string, Limit>> = {
  'gateway.push.cpuUs': { bound: 'at most', value: 85 },
  'gateway.push.perSecond': { bound: 'at least', value: 9_000 },
  'gateway.notified.cpuUs': { bound: 'at most', value: 120 },
  'ims.message.cpuUs.udp': { bound: 'at most', value: 55 },
  'ims.message.cpuUs.tcp': { bound: 'at most', value: 25 },
  'ims.register.cpuUs': { bound: 'at most', value: 45 },
  'ims.binding.bytes': { bound: 'at most', value: 2_000 },
  'terminal.answer.cpuUs.udp': { bound: 'at most', value: 20 },
  'terminal.idle.bytes': { bound: 'at most', value: 3_000 },
  'sip.parse.perSecond': { bound: 'at least', value: 600_000 },
  'msrp.stream.ratio': { bound: 'at least', value: 0.5 },
  'msrp.reuse.ratio': { bound: 'at least', value: 3 },
  'event.subscription.bytes': { bound: 'at most', value: 6_000 },
  'generator.lag.p99Us': { bound: 'at most', value: 2_000 },
  'generator.lag20k.p99Us': { bound: 'at most', value: 5_000 },
  'measure.record.ns': { bound: 'at most', value: 100 },
  'measure.share': { bound: 'at most', value: 3 },
  'simulate.million.seconds': { bound: 'at most', value: 600 },
  'simulate.million.bytes': { bound: 'at most', value: 8_000_000_000 },
  'gateway.pending.bytes': { bound: 'at most', value: 400 },
  'gateway.restart.seconds': { bound: 'at most', value: 2 },
  'gateway.flatness': { bound: 'at most', value: 1.15 },
}

/** The middle value, or the mean of the two middle ones. */
export function median(values: readonly number[]): number {
  assert(values.length > 0, 'a median needs a value')
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** Four significant digits: no measurement here is better than that. */
export function rounded(value: number): number {
  return Number(value.toPrecision(4))
}

export function rowOf(result: Measured | Missing): Row {
  return 'reason' in result ? { name: result.name, value: 'n/a', unit: result.unit, reason: result.reason } : measuredRow(result)
}

function measuredRow({ name, unit, values, floors, range = values }: Measured): BenchRow {
  const value = median(values)
  const floor = floors.length === 0 ? null : median(floors)
  return {
    name, value: rounded(value), min: rounded(Math.min(...range)), max: rounded(Math.max(...range)), repeats: range.length, unit,
    floor: floor === null ? null : rounded(floor), ratio: floor === null || floor === 0 ? null : rounded(value / floor),
  }
}

export type Verdict = 'met' | 'missed' | 'no limit'

export function verdictOf(name: string, value: number): Verdict {
  const limit = LIMITS[name]
  if (limit === undefined) return 'no limit'
  return (limit.bound === 'at most' ? value <= limit.value : value >= limit.value) ? 'met' : 'missed'
}

/** How far from its limit a value lies, as a share of the limit; positive is to spare, negative is missing. */
export function marginOf(name: string, value: number): number {
  const limit = LIMITS[name]
  if (limit === undefined) return 0
  return (limit.bound === 'at most' ? limit.value - value : value - limit.value) / limit.value
}

/** The larger over the smaller of two costs that ought to be equal, from interleaved pairs: the median of the pairs' ratios. */
export function unevenness(small: readonly number[], large: readonly number[]): number {
  const ratio = median(small.map((cost, index) => large[index]! / cost))
  return Math.max(ratio, 1 / ratio)
}
