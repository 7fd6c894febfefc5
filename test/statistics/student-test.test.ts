/** Student's and Welch's tests: the p values scipy has (ttest_ind with equal_var=False, ttest_1samp), and what must hold of any values. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { welchTest, zeroMeanTest } from '../../reports/statistics/student-test.js'

const [A, B] = [[10.1, 10.4, 9.8, 10.9, 10.2], [11.2, 11.0, 12.1, 10.8, 11.9, 11.4]]

describe('tests of a difference', () => {
  it('have the p values of scipy', () => {
    expect(welchTest(A, B)).toBeCloseTo(0.0029165621979804855, 12)
    expect(zeroMeanTest([0.1, 0.05, -0.02, 0.08])).toBeCloseTo(0.13942801020440762, 12)
  })

  it('do not depend on which side is which, on the unit, or on an order', () => {
    const values = fc.array(fc.integer({ min: 1, max: 1_000 }), { minLength: 2, maxLength: 9 })
    fc.assert(fc.property(values, values, (a, b) => {
      const p = welchTest(a, b)
      expect(p >= 0 && p <= 1).toBe(true)
      expect(welchTest(b, a)).toBeCloseTo(p, 10)
      expect(welchTest(a.map((each) => 1024 * each), b.map((each) => 1024 * each))).toBeCloseTo(p, 10)
      expect(zeroMeanTest([...a].reverse().map((each) => -each))).toBeCloseTo(zeroMeanTest(a), 10)
    }))
  })

  it('are certain of a difference without any spread, and of none where there is none', () => {
    expect([welchTest([2, 2], [3, 3]), welchTest([2, 2], [2, 2]), zeroMeanTest([0, 0]), zeroMeanTest([1, 1])]).toEqual([0, 1, 1, 0])
    expect(() => welchTest([1], [1, 2])).toThrow('the values of A must hold at least 2 values')
  })
})
