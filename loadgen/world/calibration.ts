/**
 * From measured runs of one scenario to a world that behaves as they did: what each part's processor spent on a push and on a
 * registration, and what a push took beyond that - event loops that wait to be scheduled, system calls, flushes - as
 * distributions and not as means. Queues are not part of it: they arise in the world, from the load it is given. Knows records, no file.
 */
import { hashText } from '../../core/kit/entropy.js'
import type { Carried } from '../../core/kit/network.js'
import type { Micros } from '../../core/kit/time.js'
import { CarriedMessage } from '../../core/sip/carried-message.js'
import { Header } from '../../core/sip/header-names.js'
import type { RunRecord } from '../../reports/record.js'
import { median } from '../../reports/statistics/location.js'
import type { PushWorldOptions } from '../../sim/world/push-world.js'
import { TYPICAL_COSTS, costAtRate, type PartCosts, type ServiceCosts } from './services.js'

/** [percentile 0 to 100, microseconds], ascending, as the record has them. */
export type Curve = readonly (readonly [number, number])[]

/** By stage, planned time to there. */
export interface StageCurves {
  readonly submit: Curve
  readonly firstSip: Curve
  readonly endToEnd: Curve
}

/** What a push takes beyond service times and queues, microseconds, at each percentile of `PERCENTILES`. */
export interface Residuals {
  /** Planned time until the gateway begins. */
  readonly submission: readonly number[]
  /** The answer's way back. */
  readonly answer: readonly number[]
  /** From the gateway to the terminal. */
  readonly delivery: readonly number[]
}

/** Dense towards the end, where the percentiles people ask for are. */
export const PERCENTILES: readonly number[] = [
  ...Array.from({ length: 95 }, (_, percent) => percent), ...Array.from({ length: 40 }, (_, tenth) => 95 + tenth / 10), ...Array.from({ length: 10 }, (_, tenth) => 99 + tenth / 10), 99.95, 99.99, 100,
]

export const NO_RESIDUALS: Residuals = { submission: PERCENTILES.map(() => 0), answer: PERCENTILES.map(() => 0), delivery: PERCENTILES.map(() => 0) }

/** Undefined when a record does not say what its parts did in the window. */
export function costsOf(records: readonly Pick<RunRecord, 'work'>[]): ServiceCosts | undefined {
  const works = records.flatMap(({ work }) => (work === undefined ? [] : [work]))
  const sum = (part: keyof ServiceCosts, figure: (work: PartWork) => number): number => works.reduce((so, work) => so + (work[part] === undefined ? 0 : figure(work[part])), 0)
  const pushesPerSecond = sum('gateway', ({ counts, seconds }) => (counts['accepted'] ?? 0) / seconds) / works.length
  const registrationsPerSecond = sum('gateway', ({ counts, seconds }) => (counts['registrations'] ?? 0) / seconds) / works.length
  if (works.length < records.length || !(pushesPerSecond > 0)) return undefined
  const costs = (part: keyof ServiceCosts): PartCosts => {
    const { pushMicros, registrationMicros } = TYPICAL_COSTS[part]
    // One rate of each is known: what a registration costs in pushes is taken to be as is typical.
    const ratio = registrationMicros / pushMicros
    const used = sum(part, ({ cpuSeconds, seconds }) => cpuSeconds / seconds) / works.length * 1e6
    const registrations = registrationsPerSecond === 0 ? 0 : registrationsPerSecond * ratio * costAtRate(part, registrationsPerSecond)
    const push = used / (pushesPerSecond * costAtRate(part, pushesPerSecond) + registrations)
    return { pushMicros: push, registrationMicros: push * ratio }
  }
  return { gateway: costs('gateway'), ims: costs('ims'), terminals: costs('terminals') }
}

type PartWork = NonNullable<RunRecord['work']>[string]

const CURVES = ['submit', 'firstSip', 'endToEnd'] as const satisfies readonly (keyof StageCurves)[]

/** The median of the runs at each percentile. Undefined when one of them has no such curves. */
export function curvesOf(records: readonly Pick<RunRecord, 'curves'>[]): StageCurves | undefined {
  const told = (stage: keyof StageCurves): Curve | undefined => {
    const curves = records.flatMap(({ curves }) => (curves[stage] === undefined ? [] : [curves[stage]]))
    return curves.length === 0 || curves.length < records.length ? undefined : PERCENTILES.map((percent) => [percent, medianOf(curves.map((curve) => at(curve, percent)))])
  }
  const [submit, firstSip, endToEnd] = CURVES.map(told)
  return submit === undefined || firstSip === undefined || endToEnd === undefined ? undefined : { submit, firstSip, endToEnd }
}

/**
 * What the measured runs took beyond what the world took for the same load with the same costs: the difference of their
 * quantiles, stage by stage. A push that is slow in one stage is taken to be slow in all: an event loop that is late is late for all it does.
 */
export function residualsBetween(measured: StageCurves, simulated: StageCurves, before: Residuals = NO_RESIDUALS): Residuals {
  const missing = (stage: keyof StageCurves, percent: number): number => at(measured[stage], percent) - at(simulated[stage], percent)
  return {
    submission: PERCENTILES.map((percent, index) => positive(before.submission[index]! + missing('firstSip', percent))),
    answer: PERCENTILES.map((percent, index) => positive(before.answer[index]! + missing('submit', percent) - missing('firstSip', percent))),
    delivery: PERCENTILES.map((percent, index) => positive(before.delivery[index]! + missing('endToEnd', percent) - missing('firstSip', percent))),
  }
}

/** The delays of a world by these residuals: each push has its own percentile, by the number in its push-id, the same at each stage. */
export function delaysOf(residuals: Residuals): Required<Pick<PushWorldOptions, 'delay' | 'httpMicros'>> {
  return {
    httpMicros: (way, pushId) => (way === 'submit' ? of(residuals.submission, pushId) : way === 'answer' ? of(residuals.answer, pushId) : 0),
    delay: (from, to, carried) => (from === 'ims' && to === 'terminals' ? of(residuals.delivery, pushIdOf(carried)) : 0),
  }
}

function pushIdOf(carried: Carried): string | undefined {
  return carried instanceof CarriedMessage ? carried.header(Header.XPushId) : undefined
}

function of(values: readonly number[], pushId: string | undefined): Micros {
  if (pushId === undefined) return 0
  const percent = 100 * (numberIn(pushId) * GOLDEN % 1)
  let low = 0
  let high = PERCENTILES.length - 1
  while (high - low > 1) {
    const middle = (low + high) >> 1
    if (PERCENTILES[middle]! <= percent) low = middle
    else high = middle
  }
  const share = (percent - PERCENTILES[low]!) / (PERCENTILES[high]! - PERCENTILES[low]!)
  return Math.round(values[low]! + share * (values[high]! - values[low]!))
}

/** Multiples of it, without their whole parts, cover all percentiles as evenly as can be, in no order that a queue could notice. */
const GOLDEN = (Math.sqrt(5) - 1) / 2

/** The number before the `@`; of a push-id without one, its hash. */
function numberIn(pushId: string): number {
  const end = pushId.indexOf('@')
  let at = end
  while (at > 0 && pushId.charCodeAt(at - 1) >= 48 && pushId.charCodeAt(at - 1) <= 57) at--
  return at === end ? hashText(pushId) : Number(pushId.slice(at, end))
}

/** The curve at a percentile, straight between its points. */
export function at(curve: Curve, percent: number): number {
  let index = 0
  while (index < curve.length - 1 && curve[index + 1]![0] <= percent) index++
  const [from, low] = curve[index]!
  const next = curve[index + 1]
  return next === undefined ? low : low + (percent - from) / (next[0] - from) * (next[1] - low)
}

/** Of at least one. */
export function medianOf(values: readonly number[]): number {
  return median(Float64Array.from(values))
}

function positive(micros: number): number {
  return Math.max(0, micros)
}
