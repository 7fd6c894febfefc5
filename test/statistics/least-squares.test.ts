/** Linear laws of several quantities: exact where the data are, right beside the line of one quantity, and never below nothing. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SeededEntropy } from '../../core/kit/entropy.js'
import { fitLinearLaw, type Observation } from '../../reports/statistics/least-squares.js'

const amount = fc.double({ min: 0.1, max: 100, noNaN: true })

describe('a linear law', () => {
  it('finds the coefficients that exact data were made with', () => {
    fc.assert(fc.property(fc.array(amount, { minLength: 3, maxLength: 3 }), fc.integer({ min: 0, max: 1_000 }), (coefficients, seed) => {
      const entropy = new SeededEntropy(seed, 'x')
      const observations = Array.from({ length: 8 }, (): Observation => {
        const x = [1, 100 * entropy.unit(), 10 * entropy.unit()]
        return { x, y: x.reduce((sum, value, index) => sum + value * coefficients[index]!, 0) }
      })
      const law = fitLinearLaw(observations)!
      return law.coefficients.every((value, index) => Math.abs(value / coefficients[index]! - 1) < 1e-6)
    }), { numRuns: 100 })
  })

  it('of one quantity is the mean of y / x, with Student’s interval, by hand', () => {
    // Relative residuals: b minimises Σ (b x / y - 1)²; with x / y = 1, 0.5: b = (1 + 0.5) / (1 + 0.25) = 1.2.
    const law = fitLinearLaw([{ x: [1], y: 1 }, { x: [1], y: 2 }])!
    expect(law.coefficients[0]).toBeCloseTo(1.2, 12)
    // s² = (0.2² + 0.4²) / 1 = 0.2, its variance s² / 1.25 = 0.16; t(0.975, 1) = 12.706.
    const { low, high } = law.coefficientInterval(0, 0.95)!
    expect((high - low) / 2).toBeCloseTo(12.7062 * 0.4, 3)
    expect(law.at([2])).toBeCloseTo(2.4, 12)
  })

  it('holds a coefficient at 0 that would be below, and fits the rest again', () => {
    const observations = [1, 2, 3, 4, 5].map((x): Observation => ({ x: [1, x], y: 10 * x - 1 }))
    const { coefficients } = fitLinearLaw(observations)!
    expect(coefficients[0]).toBe(0)
    expect(coefficients[1]).toBeGreaterThan(9)
    expect(coefficients[1]).toBeLessThan(10)
  })

  it('cannot tell apart what always goes together, and says so', () => {
    expect(fitLinearLaw([1, 2, 3, 4].map((x) => ({ x: [x, 2 * x], y: 3 * x })))).toBeUndefined()
    expect(fitLinearLaw([1, 2, 3, 4].map((x) => ({ x: [x, 0], y: 3 * x })))!.coefficients).toEqual([expect.closeTo(3, 9), 0])
  })

  it('covers the true mean in about 95 of 100 cases', () => {
    let inside = 0
    for (let seed = 0; seed < 1_000; seed++) {
      const entropy = new SeededEntropy(seed, 'noise')
      const normal = (): number => Array.from({ length: 12 }, () => entropy.unit()).reduce((sum, value) => sum + value, -6)
      const observations = [1, 2, 4, 8, 16, 32].map((x): Observation => ({ x: [1, x], y: (5 + 2 * x) * (1 + 0.02 * normal()) }))
      const { low, high } = fitLinearLaw(observations)!.interval([1, 10], 0.95)!
      if (low <= 25 && 25 <= high) inside++
    }
    expect(inside).toBeGreaterThan(925)
    expect(inside).toBeLessThan(970)
  })

  it('refuses values that have no relative residual', () => {
    expect(() => fitLinearLaw([{ x: [1], y: 0 }])).toThrow(/above 0; one is 0/)
    expect(() => fitLinearLaw([{ x: [1], y: 1 }, { x: [1, 2], y: 1 }])).toThrow(/the same quantities/)
  })
})
