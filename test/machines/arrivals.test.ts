/** What a generator takes its attempts from: every shape of a load, a rate changed by hand, initiators that wait for their answers. */
import fc from 'fast-check'
import { Schema } from 'effect'
import { describe, expect, it } from 'vitest'
import { SeededEntropy } from '../../core/kit/entropy.js'
import { ClosedArrivals, ScheduledArrivals, type Arrivals } from '../../loadgen/arrivals.js'
import { curveOf, offeredBy, plannedLoad, stepsOf } from '../../loadgen/load-shape.js'
import { RateCourse } from '../../loadgen/rate-course.js'
import { expectedAttempts, ramp, stairs, steady } from '../../loadgen/rate-curve.js'
import { ROWS, Scenario, type ScenarioWritten } from '../../loadgen/scenario.js'
import { readTrace } from '../../loadgen/trace.js'
import { TrafficPlan, sharesOf, type AddressPool } from '../../loadgen/traffic.js'

const SECOND = 1_000_000
const scenario = (written: ScenarioWritten): Scenario => Schema.decodeUnknownSync(Scenario)(written)

function all(arrivals: Arrivals): number[] {
  const taken: number[] = []
  while (arrivals.next() !== Infinity) taken.push(arrivals.take())
  return taken
}

function bySecond(offsets: readonly number[], seconds: number): number[] {
  const counts = new Array<number>(seconds).fill(0)
  for (const at of offsets) counts[Math.floor(at / SECOND)]!++
  return counts
}

describe('the shapes of a load', () => {
  const load = (written: NonNullable<ScenarioWritten['load']>) => scenario({ load: { arrival: 'constant', rate: '10/s', warmUp: '1s', duration: '4s', ...written } })
  const counts = (given: Scenario): number[] => bySecond(all(plannedLoad(given, new SeededEntropy(1), undefined).arrivals), 5)

  it.each<[string, NonNullable<ScenarioWritten['load']>, number[]]>([
    ['steady', {}, [10, 10, 10, 10, 10]],
    ['ramp', { shape: 'ramp', ramp: { to: '50/s' } }, [10, 15, 25, 35, 45]],
    ['stairs', { shape: 'stairs', stairs: { increment: '20/s', steps: 2 } }, [10, 10, 10, 30, 30]],
    ['spike', { shape: 'spike', spike: { factor: 4, at: '1s', length: '1s' } }, [10, 10, 40, 10, 10]],
    ['campaign', { shape: 'campaign', campaign: { recipients: 60, window: '2s' } }, [10, 30, 30, 0, 0]],
  ])('%s: the warm-up, and then its curve', (_shape, written, expected) => {
    expect(counts(load(written))).toEqual(expected)
    expect(offeredBy(load(written), undefined).attempts).toBeCloseTo(expected.reduce((sum, value) => sum + value), 6)
  })

  it('a warm-up may be faster than the load, but for its last second and with so many octets a second at most; what is measured stays as it was', () => {
    const slow = { arrival: 'constant', rate: '10/s', warmUp: '3s', duration: '2s' } as const
    const fast = scenario({ load: { ...slow, warmUpRate: '40/s' } })
    expect(counts(fast)).toEqual([40, 40, 10, 10, 10])
    expect(offeredBy(fast, undefined)).toMatchObject({ attempts: 110, measured: 20, peakPerSecond: 40 })
    expect(counts(scenario({ load: { ...slow, warmUpRate: '40/s' }, push: { size: '1MiB' } }))).toEqual([16, 16, 10, 10, 10])
    expect(counts(scenario({ load: { ...slow, warmUpRate: '5/s' } }))).toEqual([10, 10, 10, 10, 10])
    expect(counts(scenario({ load: { ...slow, warmUp: '1s', duration: '4s', warmUpRate: '40/s' } }))).toEqual([10, 10, 10, 10, 10])
    expect(counts(scenario({ load: { ...slow, warmUpRate: '40/s', shape: 'campaign', campaign: { recipients: 60, window: '2s' } } }))).toEqual([40, 40, 10, 30, 30])
  })

  it('day: passes as fast as it is asked to, from the time of day it is asked to begin at', () => {
    const day = load({ shape: 'day', day: { peak: 2, busiest: '12h', startsAt: '12h', length: '10s' } })
    const curve = curveOf(day, undefined)
    expect(curve[0]!.from).toBeCloseTo(20, 6)
    expect(curve.at(-1)!.to).toBeCloseTo(0, 6)
    expect(expectedAttempts(curve)).toBeCloseTo(50, 0)
  })

  it('bursts: drawn from the seed, with the mean that was asked for', () => {
    const bursts = scenario({ load: { arrival: 'constant', rate: '10/s', warmUp: '0s', duration: '3000s', shape: 'bursts', bursts: { factor: 5, calm: '3s', burst: '1s' } } })
    const draw = (seed: number) => all(plannedLoad(bursts, new SeededEntropy(seed), undefined).arrivals)
    expect(draw(1)).toEqual(draw(1))
    expect(draw(1)).not.toEqual(draw(2))
    expect(Math.abs(draw(1).length / 30_000 - 1)).toBeLessThan(0.1)
    expect(offeredBy(bursts, undefined).peakPerSecond).toBeCloseTo(25, 9)
  })

  it('stairs have steps to be judged by, each with its rate and its time; no other shape has', () => {
    expect(stepsOf(load({ shape: 'stairs', stairs: { increment: '20/s', steps: 2 } }).load)).toEqual([
      { perSecond: 10, from: 0, to: 2 * SECOND }, { perSecond: 30, from: 2 * SECOND, to: 4 * SECOND },
    ])
    expect(stepsOf(load({}).load)).toEqual([])
  })

  it('a campaign reaches everybody once, each row with exactly its share, whatever the seed', () => {
    const pool = (name: string, size: number): AddressPool => ({ size, address: (index) => `${name}-${index}` })
    const recipients = { online: pool('online', 60), fanOut: pool('several', 30), gruu: pool('gruu', 1), offlineReturns: pool('away', 15), expires: pool('absent', 1), anyone: pool('anyone', 1), misbehaving: pool('bad', 1) }
    const given = scenario({
      load: { rate: '20/s', warmUp: '2s', duration: '4s', shape: 'campaign', campaign: { recipients: 100, window: '3s' } },
      traffic: { online: { share: '60%' }, fanOut: { share: '25%' }, offlineReturns: { share: '15%' } },
    })
    fc.assert(fc.property(fc.nat(), (seed) => {
      const { arrivals, settings } = plannedLoad(given, new SeededEntropy(seed), undefined)
      const plan = new TrafficPlan(new Float64Array(), sharesOf(given.traffic), recipients, new SeededEntropy(seed), 'run', settings)
      const offsets = all(arrivals)
      for (const offset of offsets) plan.draw(offset)
      const campaign = offsets.flatMap((at, attempt) => (at >= 2 * SECOND ? [attempt] : []))
      const rows = ROWS.map((row) => campaign.filter((attempt) => plan.row(attempt) === row).length)
      return campaign.length === 100 && new Set(campaign.map((attempt) => plan.address(attempt))).size === 100
        && rows[ROWS.indexOf('online')] === 60 && rows[ROWS.indexOf('fanOut')] === 25 && rows[ROWS.indexOf('offlineReturns')] === 15
        && offsets.every((at) => at < 5 * SECOND)
    }), { numRuns: 50 })
  })

  it('a replay has the instants of its trace, faster where that is asked, and the rows it names', () => {
    const read = readTrace('offset,row\n0.5,online\n1.5,\n1.5,expires\n9,online\n')
    if (!read.ok) throw new Error('the trace is right')
    const given = load({ shape: 'replay', replay: { file: 'trace.csv', speed: 2 } })
    const { arrivals, settings } = plannedLoad(given, new SeededEntropy(1), read.trace)
    // Five seconds of load are ten of the trace, at twice its speed.
    expect(all(arrivals)).toEqual([250_000, 750_000, 750_000, 4_500_000])
    expect([...settings.rows!].map((row) => ROWS[row])).toEqual(['online', undefined, 'expires', 'online'])
    expect(offeredBy(given, read.trace)).toEqual({ attempts: 4, measured: 1, peakPerSecond: 3 })
    expect(arrivals.change(0, { type: 'factor', factor: 2 })).toBe('the rate of a trace is what it is')
  })
})

describe('a rate changed by hand', () => {
  const arrivals = (segments = steady(100, 10 * SECOND)) => new ScheduledArrivals('constant', segments, new SeededEntropy(1))
  const until = (given: Arrivals, at: number): number[] => {
    const taken: number[] = []
    while (given.next() <= at) taken.push(given.take())
    return taken
  }

  it('holds from that moment to the end of the load, which stays where it is; what was due before is neither lost nor moved', () => {
    const changed = arrivals()
    const before = until(changed, 3 * SECOND)
    expect(changed.change(4 * SECOND, { type: 'factor', factor: 3 })).toEqual({ atMicros: 4 * SECOND, what: 'rate', perSecond: 300 })
    const after = all(changed)
    const counts = bySecond([...before, ...after], 10)
    expect(counts.slice(0, 4)).toEqual([100, 100, 100, 100])
    for (const perSecond of counts.slice(4)) expect(Math.abs(perSecond - 300)).toBeLessThanOrEqual(1)
    expect([...before, ...after].every((at, index, list) => Number.isInteger(at) && (index === 0 || at >= list[index - 1]!))).toBe(true)
    expect(after.at(-1)).toBeLessThan(10 * SECOND)
  })

  it('scales what the curve would do; held, a stair stays on its step, and let go it is where it would be by now', () => {
    const changed = arrivals(stairs([10, 20, 40, 80], 8 * SECOND))
    expect(changed.change(1 * SECOND, { type: 'factor', factor: 2 })).toMatchObject({ perSecond: 20 })
    expect(changed.rateAt(2.5 * SECOND)).toBe(40)
    expect(changed.change(3 * SECOND, { type: 'hold' })).toMatchObject({ what: 'held', perSecond: 40 })
    expect(changed.rateAt(7 * SECOND)).toBe(40)
    expect(changed.change(3.5 * SECOND, { type: 'hold' })).toBe('the rate is held already')
    expect(changed.change(5 * SECOND, { type: 'release' })).toMatchObject({ what: 'released', perSecond: 80 })
    expect(changed.rateAt(7 * SECOND)).toBe(160)
    const counts = bySecond(all(changed), 8)
    for (const [second, expected] of [[1, 20], [2, 40], [3, 40], [4, 40], [5, 80], [6, 160], [7, 160]] as const) expect(Math.abs(counts[second]! - expected), `second ${second}`).toBeLessThanOrEqual(1)
  })

  it('is refused where it cannot be, in words, and nothing changes', () => {
    const changed = arrivals()
    expect(changed.change(0, { type: 'rate', perSecond: 1e9 })).toContain('is not between')
    expect(changed.change(0, { type: 'release' })).toBe('the rate is not held')
    expect(changed.change(10 * SECOND, { type: 'hold' })).toBe('the load is over')
    const long = new ScheduledArrivals('constant', steady(100, 100_000 * SECOND), new SeededEntropy(1))
    expect(long.change(0, { type: 'rate', perSecond: 50_000 })).toContain('more than the 20000000 attempts')
    expect(long.rateAt(5)).toBe(100)
    expect(bySecond(all(changed), 10)).toEqual(new Array<number>(10).fill(100))
  })

  it('has ahead of it what it says, wherever and however often it is changed', () => {
    const change = fc.oneof(fc.record({ type: fc.constant('factor' as const), factor: fc.double({ min: 0.5, max: 2, noNaN: true }) }), fc.constant({ type: 'hold' as const }), fc.constant({ type: 'release' as const }))
    fc.assert(fc.property(fc.array(fc.tuple(fc.integer({ min: 0, max: 9_999_999 }), change), { maxLength: 6 }), (changes) => {
      const course = new RateCourse(ramp(100, 300, 10 * SECOND))
      return [...changes].sort(([a], [b]) => a - b).every(([at, asked]) => {
        const told = course.change(at, asked)
        const ahead = course.ahead(at)
        const length = ahead.reduce((sum, { micros }) => sum + micros, 0)
        return Math.abs(length - (10 * SECOND - at)) < 1e-3 && (typeof told === 'string' || Math.abs(ahead[0]!.from - told.perSecond) < 1e-6 * told.perSecond)
      })
    }))
  })
})

describe('a closed load', () => {
  it('has at most one attempt under way for each initiator, and none after its end', () => {
    const closed = new ClosedArrivals({ initiators: 5, thinkMicros: 100_000 }, 'poisson', 2 * SECOND, new SeededEntropy(1))
    for (let taken = 0; taken < 5; taken++) expect(closed.take()).toBeLessThan(100_000)
    expect(closed.next()).toBe(Infinity)
    expect(closed.ended(300_000)).toBe(true)
    expect(closed.next()).toBeGreaterThan(300_000)
    closed.take()
    closed.ended(2 * SECOND)
    expect(closed.next()).toBe(Infinity)
  })

  it('asks a slow system for less: with answers after 400 ms and 100 ms of thinking, two a second from each', () => {
    const closed = new ClosedArrivals({ initiators: 10, thinkMicros: 100_000 }, 'constant', 20 * SECOND, new SeededEntropy(1))
    const answers: number[] = []
    let taken = 0
    for (;;) {
      const answer = Math.min(...answers)
      if (closed.next() <= answer && closed.next() !== Infinity) {
        taken++
        answers.push(closed.take() + 400_000)
      } else if (answers.length > 0) {
        answers.splice(answers.indexOf(answer), 1)
        closed.ended(answer)
      } else break
    }
    expect(Math.abs(taken - 400)).toBeLessThanOrEqual(10)
  })

  it('has no rate that could be changed', () => {
    const closed = new ClosedArrivals({ initiators: 1, thinkMicros: 1 }, 'constant', SECOND, new SeededEntropy(1))
    expect(closed.change()).toContain('a closed load has no rate')
  })
})
