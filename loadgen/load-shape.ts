/**
 * From what a scenario says of its load to the instants of its attempts: each shape's curve over warm-up and measured window, and the
 * arrivals that follow it. Knows rates and times, not what is attempted.
 */
import type { SeededEntropy } from '../core/kit/entropy.js'
import { MICROS_PER_SECOND, type Micros } from '../core/kit/time.js'
import { ClosedArrivals, FixedArrivals, ScheduledArrivals, type Arrivals } from './arrivals.js'
import { schedule } from './pacing.js'
import { bursts, diurnal, expectedAttempts, peakRate, ramp, spike, stairs, steady, type RateSegment } from './rate-curve.js'
import type { Scenario } from './scenario.js'
import type { Trace } from './trace.js'
import type { PlanSettings } from './traffic.js'

type Load = Scenario['load']

/** However fast the warm-up is to be: octets of content a second. */
const WARM_UP_OCTETS = 16 * 1024 * 1024
/** The end of a fast warm-up: what it left is over when the window begins. */
const CALM_MICROS: Micros = MICROS_PER_SECOND

/** The warm-up: at the rate with which the window begins, or faster but for its end. */
function warmUpOf({ rate, warmUp, warmUpRate }: Load, octets: number): RateSegment[] {
  const fast = Math.min(warmUpRate, WARM_UP_OCTETS / Math.max(1, octets))
  if (fast <= rate || warmUp <= CALM_MICROS) return warmUp === 0 ? [] : steady(rate, warmUp)
  return [...steady(fast, warmUp - CALM_MICROS), ...steady(rate, CALM_MICROS)]
}

/**
 * The rate over warm-up and measured window. A replay has none; bursts and a day have no warm-up of another rate.
 * @param entropy draws the bursts; without it they are told by their mean
 */
export function curveOf({ load, push: { size } }: Pick<Scenario, 'load' | 'push'>, entropy: SeededEntropy | undefined): RateSegment[] {
  const { rate, warmUp, duration } = load
  const before = warmUpOf(load, size)
  switch (load.shape) {
    case 'steady': return before.length > 1 ? [...before, ...steady(rate, duration)] : steady(rate, warmUp + duration)
    case 'ramp': return [...before, ...ramp(rate, load.ramp.to, duration)]
    case 'stairs': return [...before, ...stairs(stepRates(load), duration)]
    case 'spike': return [...before, ...spike(rate, load.spike.factor, load.spike.at, load.spike.length, duration)]
    case 'bursts': return entropy === undefined ? steady(rate, warmUp + duration) : bursts(rate, load.bursts.factor, load.bursts.calm, load.bursts.burst, warmUp + duration, entropy)
    case 'day': return diurnal(rate, load.day.peak, load.day.busiest, load.day.startsAt, warmUp + duration, load.day.length)
    case 'campaign': return [...before, ...steady(load.campaign.recipients * MICROS_PER_SECOND / load.campaign.window, load.campaign.window)]
    case 'replay': return []
  }
}

function stepRates({ rate, stairs: { increment, steps } }: Load): number[] {
  return Array.from({ length: steps }, (_unused, step) => rate + step * increment)
}

/** A stretch of the measured window with one rate. */
export interface Step {
  readonly perSecond: number
  /** From the begin of the measured window. */
  readonly from: Micros
  readonly to: Micros
}

/** The steps of a stair, each to be judged by itself; none of any other load. */
export function stepsOf(load: Load): readonly Step[] {
  if (load.shape !== 'stairs' || isClosed(load)) return []
  let from = 0
  return stairs(stepRates(load), load.duration).map(({ micros, from: perSecond }): Step => {
    const step = { perSecond, from, to: from + micros }
    from = step.to
    return step
  })
}

export function isClosed(load: Load): boolean {
  return load.closed.initiators > 0
}

/** What a load comes to as far as it can be told before. */
export interface Offered {
  readonly attempts: number
  /** Of them in the measured window. */
  readonly measured: number
  readonly peakPerSecond: number
}

/** No answer comes sooner: what bounds a closed load from above. */
const SOONEST_MICROS: Micros = 1_000

/** Bursts by their mean, a closed load by its think time: an upper bound. @param trace the one of a replay */
export function offeredBy(scenario: Pick<Scenario, 'load' | 'push'>, trace: Trace | undefined): Offered {
  const { load } = scenario
  const { warmUp, duration, closed } = load
  const evenly = (perSecond: number): Offered => ({
    attempts: perSecond * (warmUp + duration) / MICROS_PER_SECOND, measured: perSecond * duration / MICROS_PER_SECOND, peakPerSecond: perSecond,
  })
  if (isClosed(load)) return evenly(closed.initiators * MICROS_PER_SECOND / (closed.think + SOONEST_MICROS))
  if (load.shape === 'replay') return replayed(load, trace)
  if (load.shape === 'bursts') {
    const { factor, calm, burst } = load.bursts
    return { ...evenly(load.rate), peakPerSecond: factor * load.rate * (calm + burst) / (calm + factor * burst) }
  }
  const curve = curveOf(scenario, undefined)
  const attempts = expectedAttempts(curve)
  // A day's warm-up has hardly another rate than its begin.
  const before = load.shape === 'day' ? steady(curve[0]!.from, warmUp) : warmUpOf(load, scenario.push.size)
  return { attempts, measured: attempts - expectedAttempts(before), peakPerSecond: peakRate(curve) }
}

function replayed(load: Load, trace: Trace | undefined): Offered {
  const offsets = offsetsOf(load, trace)
  const bySecond = new Map<number, number>()
  for (const at of offsets) bySecond.set(Math.floor(at / MICROS_PER_SECOND), (bySecond.get(Math.floor(at / MICROS_PER_SECOND)) ?? 0) + 1)
  return { attempts: offsets.length, measured: offsets.filter((at) => at >= load.warmUp).length, peakPerSecond: Math.max(0, ...bySecond.values()) }
}

/** When attempts are made, and what that decides of each. */
export interface PlannedLoad {
  readonly arrivals: Arrivals
  readonly settings: PlanSettings
}

/** The attempts of a load, drawn from its seed. @param trace the one of a replay */
export function plannedLoad(scenario: Scenario, entropy: SeededEntropy, trace: Trace | undefined): PlannedLoad {
  const { load, push: { inARow } } = scenario
  const { arrival, warmUp, duration, closed } = load
  if (isClosed(load)) {
    const arrivals = new ClosedArrivals({ initiators: closed.initiators, thinkMicros: closed.think }, arrival, warmUp + duration, entropy)
    return { arrivals, settings: { inARow } }
  }
  if (load.shape === 'replay') return { arrivals: new FixedArrivals(offsetsOf(load, trace), 'a trace'), settings: { inARow, ...(trace === undefined ? {} : { rows: trace.rows }) } }
  if (load.shape === 'campaign') {
    const { recipients } = load.campaign
    const offsets = campaignOffsets(scenario, entropy)
    return { arrivals: new FixedArrivals(offsets, 'a campaign'), settings: { once: { from: offsets.length - recipients, attempts: recipients } } }
  }
  return { arrivals: new ScheduledArrivals(arrival, curveOf(scenario, entropy.fork('bursts')), entropy), settings: { inARow } }
}

/** The instants of a trace at the speed asked for; what comes after the end of the load is left out. */
function offsetsOf({ warmUp, duration, replay }: Load, trace: Trace | undefined): Float64Array {
  return (trace?.offsets ?? new Float64Array()).map((at) => Math.floor(at / replay.speed)).filter((at) => at < warmUp + duration)
}

/** The warm-up, and then exactly as many as there are recipients: evenly, or as a Poisson process of just so many arrivals falls. */
function campaignOffsets({ load, push: { size } }: Scenario, entropy: SeededEntropy): Float64Array {
  const { arrival, warmUp, campaign: { recipients, window } } = load
  const before = warmUp === 0 ? new Float64Array() : schedule(arrival, warmUpOf(load, size), entropy)
  const offsets = new Float64Array(before.length + recipients)
  offsets.set(before)
  for (let index = 0; index < recipients; index++) {
    offsets[before.length + index] = warmUp + Math.floor(window * (arrival === 'constant' ? index / recipients : entropy.unit()))
  }
  offsets.subarray(before.length).sort()
  return offsets
}
