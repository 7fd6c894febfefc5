/** The arrival process: planned ahead, true to its rate and its seed, deaf to how late the sender is. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SeededEntropy } from '../../core/kit/entropy.js'
import { FixedArrivals } from '../../loadgen/arrivals.js'
import { schedule } from '../../loadgen/pacing.js'
import { RateClock, bursts, diurnal, expectedAttempts, peakRate, ramp, spike, stairs, steady, type RateSegment } from '../../loadgen/rate-curve.js'

const SECOND = 1_000_000

describe('the schedule', () => {
  it('is ascending, inside its duration and in whole microseconds, whatever the rate', () => {
    fc.assert(fc.property(fc.constantFrom('constant' as const, 'poisson' as const), fc.double({ min: 0.5, max: 5_000, noNaN: true }), fc.integer({ min: 1, max: 4 }), fc.nat(), (arrival, rate, seconds, seed) => {
      const offsets = schedule(arrival, steady(rate, seconds * SECOND), new SeededEntropy(seed))
      for (let index = 0; index < offsets.length; index++) {
        const at = offsets[index]!
        if (!Number.isInteger(at) || at < 0 || at >= seconds * SECOND || (index > 0 && at < offsets[index - 1]!)) return false
      }
      return true
    }), { numRuns: 60 })
  })

  it('spaces constant arrivals evenly: 200/s for 3 s is 600 attempts, one each 5 ms', () => {
    const offsets = schedule('constant', steady(200, 3 * SECOND), new SeededEntropy(1))
    expect(offsets.length).toBe(600)
    expect([...offsets].every((at, index) => at === index * 5_000)).toBe(true)
  })

  it('draws Poisson arrivals with the mean asked for and a variance equal to it', () => {
    const offsets = schedule('poisson', steady(1_000, 60 * SECOND), new SeededEntropy(7))
    const perSecond = new Array<number>(60).fill(0)
    for (const at of offsets) perSecond[Math.floor(at / SECOND)]!++
    const mean = offsets.length / 60
    const variance = perSecond.reduce((sum, count) => sum + (count - mean) ** 2, 0) / 59
    expect(mean).toBeGreaterThan(980)
    expect(mean).toBeLessThan(1_020)
    // The index of dispersion of a Poisson process is 1; of an even one 0.
    expect(variance / mean).toBeGreaterThan(0.6)
    expect(variance / mean).toBeLessThan(1.6)
  })

  it('is the same for the same seed and another for another', () => {
    const draw = (seed: number) => [...schedule('poisson', steady(100, SECOND), new SeededEntropy(seed))]
    expect(draw(3)).toEqual(draw(3))
    expect(draw(3)).not.toEqual(draw(4))
  })
})

/** Attempts by second of a schedule. */
function bySecond(offsets: Float64Array, seconds: number): number[] {
  const counts = new Array<number>(seconds).fill(0)
  for (const at of offsets) counts[Math.floor(at / SECOND)]!++
  return counts
}

const even = (segments: readonly RateSegment[]): Float64Array => schedule('constant', segments, new SeededEntropy(1))

describe('a rate that changes', () => {
  it('ramps straight: as many attempts in each second as its middle says', () => {
    expect(bySecond(even(ramp(100, 500, 4 * SECOND)), 4)).toEqual([150, 250, 350, 450])
    expect(bySecond(even(ramp(500, 100, 4 * SECOND)), 4)).toEqual([450, 350, 250, 150])
  })

  it('climbs stairs, each step as long as the next and at its own rate', () => {
    expect(bySecond(even(stairs([10, 20, 40], 6 * SECOND)), 6)).toEqual([10, 10, 20, 20, 40, 40])
  })

  it('has a spike where it was asked for, and only there', () => {
    expect(bySecond(even(spike(10, 8, 2 * SECOND, SECOND, 5 * SECOND)), 5)).toEqual([10, 10, 80, 10, 10])
    expect(spike(10, 2, 0, SECOND, SECOND)).toEqual(steady(20, SECOND))
  })

  it('follows a day: its mean over the day, its peak at the busiest hour, its low twelve hours later', () => {
    const hour = 3_600 * SECOND
    const day = diurnal(2, 1.8, 20 * hour, 0, 24 * hour)
    expect(expectedAttempts(day)).toBeCloseTo(2 * 86_400, 6)
    expect(peakRate(day)).toBeCloseTo(3.6, 9)
    const perHour = (at: number): number => expectedAttempts(day.slice(at * 4, at * 4 + 4))
    expect(perHour(20)).toBeGreaterThan(3.5 * 3_600)
    expect(perHour(8)).toBeLessThan(0.5 * 3_600)
    // The run may begin at any time of the day: at the busiest, it is busiest at once.
    expect(diurnal(2, 1.8, 20 * hour, 20 * hour, hour)[0]!.from).toBeCloseTo(3.6, 9)
  })

  it('bursts with the mean asked for, and a burst as much above calm as asked for', () => {
    const segments = bursts(100, 10, 9 * SECOND, SECOND, 20_000 * SECOND, new SeededEntropy(3))
    const mean = expectedAttempts(segments) / 20_000
    expect(mean).toBeGreaterThan(95)
    expect(mean).toBeLessThan(105)
    const rates = [...new Set(segments.map(({ from }) => from))].sort((a, b) => a - b)
    expect(rates).toHaveLength(2)
    expect(rates[1]! / rates[0]!).toBeCloseTo(10, 9)
    expect(segments.reduce((sum, { micros }) => sum + micros, 0)).toBe(20_000 * SECOND)
  })

  it('is a Poisson process of its rate at every moment: counts of a ramp lie around it as widely as their means', () => {
    const seconds = 200
    const counts = bySecond(schedule('poisson', ramp(100, 900, seconds * SECOND), new SeededEntropy(11)), seconds)
    const dispersion = counts.reduce((sum, count, second) => sum + (count - (100 + 4 * (second + 0.5))) ** 2 / (100 + 4 * (second + 0.5)), 0) / seconds
    // Chi-square over 200 seconds: a mean of 1, a standard deviation of 0.1.
    expect(dispersion).toBeGreaterThan(0.7)
    expect(dispersion).toBeLessThan(1.3)
  })

  it('inverts its integral wherever it is asked, whatever the segments', () => {
    const segment = fc.record({ micros: fc.integer({ min: 1, max: 10_000_000 }), from: fc.double({ min: 0, max: 5_000, noNaN: true }), to: fc.double({ min: 0.1, max: 5_000, noNaN: true }) })
    fc.assert(fc.property(fc.array(segment, { minLength: 1, maxLength: 6 }), fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (segments, share) => {
      const attempts = share * expectedAttempts(segments)
      const at = new RateClock(segments).at(attempts)
      if (at === Infinity) return share > 1 - 1e-9
      let left = at
      let sum = 0
      for (const { micros, from, to } of segments) {
        const part = Math.min(left, micros)
        sum += (from + (from + (to - from) * part / micros)) / 2 * part / SECOND
        left -= part
      }
      return Math.abs(sum - attempts) <= 1e-6 * Math.max(1, attempts)
    }))
  })
})

describe('a late generator', () => {
  it('takes everything that is due one after another, and the schedule does not shift', () => {
    const arrivals = new FixedArrivals(schedule('constant', steady(1_000, SECOND), new SeededEntropy(1)), 'a test')
    const taken: number[] = []
    while (arrivals.next() <= 250_000) taken.push(arrivals.take())
    expect(taken).toEqual(Array.from({ length: 251 }, (_, index) => index * 1_000))
    expect(arrivals.next()).toBe(251_000)
    while (arrivals.next() !== Infinity) taken.push(arrivals.take())
    expect(taken).toHaveLength(1_000)
  })
})
