/** The arrival process: planned ahead, true to its rate and its seed, deaf to how late the sender is. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SeededEntropy } from '../../core/kit/entropy.js'
import { due, schedule, wait } from '../../loadgen/pacing.js'

const SECOND = 1_000_000

describe('the schedule', () => {
  it('is ascending, inside its duration and in whole microseconds, whatever the rate', () => {
    fc.assert(fc.property(fc.constantFrom('constant' as const, 'poisson' as const), fc.double({ min: 0.5, max: 5_000, noNaN: true }), fc.integer({ min: 1, max: 4 }), fc.nat(), (arrival, rate, seconds, seed) => {
      const offsets = schedule(arrival, rate, seconds * SECOND, new SeededEntropy(seed))
      for (let index = 0; index < offsets.length; index++) {
        const at = offsets[index]!
        if (!Number.isInteger(at) || at < 0 || at >= seconds * SECOND || (index > 0 && at < offsets[index - 1]!)) return false
      }
      return true
    }), { numRuns: 60 })
  })

  it('spaces constant arrivals evenly: 200/s for 3 s is 600 attempts, one each 5 ms', () => {
    const offsets = schedule('constant', 200, 3 * SECOND, new SeededEntropy(1))
    expect(offsets.length).toBe(600)
    expect([...offsets].every((at, index) => at === index * 5_000)).toBe(true)
  })

  it('draws Poisson arrivals with the mean asked for and a variance equal to it', () => {
    const offsets = schedule('poisson', 1_000, 60 * SECOND, new SeededEntropy(7))
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
    const draw = (seed: number) => [...schedule('poisson', 100, SECOND, new SeededEntropy(seed))]
    expect(draw(3)).toEqual(draw(3))
    expect(draw(3)).not.toEqual(draw(4))
  })
})

describe('a late generator', () => {
  const offsets = schedule('constant', 1_000, SECOND, new SeededEntropy(1))

  it('sends everything that is due in one batch and does not shift the schedule', () => {
    expect(due(offsets, 0, 0)).toBe(1)
    expect(due(offsets, 1, 250_000)).toBe(250)
    expect(due(offsets, 251, 250_500)).toBe(0)
    expect(wait(offsets, 251, 250_500)).toBe(500)
  })

  it('waits for nothing when an attempt is due, and for ever after the last', () => {
    expect(wait(offsets, 5, 900_000)).toBe(0)
    expect(wait(offsets, 1_000, 2 * SECOND)).toBe(Infinity)
    expect(due(offsets, 1_000, 2 * SECOND)).toBe(0)
  })
})
