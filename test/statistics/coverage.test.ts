/** Whether intervals and tests keep their word: over a thousand seeded repetitions with a known truth, 95 % intervals cover it in 93 to 97 of 100, and a 5 % test is wrong in about 5. */
import { describe, expect, it } from 'vitest'
import { SeededEntropy } from '../../core/kit/entropy.js'
import { bootstrap, type BootstrapIntervals } from '../../reports/statistics/bootstrap.js'
import { changePoints } from '../../reports/statistics/change-points.js'
import { ecdf } from '../../reports/statistics/ecdf.js'
import type { Interval } from '../../reports/statistics/interval.js'
import { mean, median } from '../../reports/statistics/location.js'
import { mannWhitney } from '../../reports/statistics/mann-whitney.js'
import { normalCdf } from '../../reports/statistics/normal.js'
import { quantileInterval } from '../../reports/statistics/order-statistics.js'
import { clopperPearson, wilson } from '../../reports/statistics/proportion.js'
import { blockedRatioOf, ratioOf } from '../../reports/statistics/ratio.js'
import { meanInterval } from '../../reports/statistics/student.js'
import { isGrowing } from '../../reports/statistics/trend.js'
import { warmUp } from '../../reports/statistics/warm-up.js'

const RUNS = 1000

class Chance {
  private readonly entropy: SeededEntropy

  constructor(seed: number) {
    this.entropy = new SeededEntropy(seed, 'coverage')
  }

  readonly unit = (): number => this.entropy.unit()

  normal(centre = 0, spread = 1): number {
    return centre + spread * Math.sqrt(-2 * Math.log(1 - this.unit())) * Math.cos(2 * Math.PI * this.unit())
  }

  normals(count: number, centre = 0, spread = 1): number[] {
    return Array.from({ length: count }, () => this.normal(centre, spread))
  }
}

/** The share of repetitions in which the interval held the truth. */
function coverage(seed: number, truth: number, make: (chance: Chance) => Interval): number {
  const chance = new Chance(seed)
  let covered = 0
  for (let run = 0; run < RUNS; run++) {
    const { low, high } = make(chance)
    if (low <= truth && truth <= high) covered++
  }
  return covered / RUNS
}

/** How often something was said. */
function rate(seed: number, runs: number, says: (chance: Chance) => boolean): number {
  const chance = new Chance(seed)
  let said = 0
  for (let run = 0; run < runs; run++) if (says(chance)) said++
  return said / runs
}

function expectKept(covered: number): void {
  expect(covered).toBeGreaterThanOrEqual(0.93)
  expect(covered).toBeLessThanOrEqual(0.97)
}

describe('95 % intervals cover the truth in 93 to 97 of 100 repetitions', { timeout: 120_000 }, () => {
  const resampling = ({ unit }: Chance): { level: number; resamples: number; unit: () => number } => ({ level: 0.95, resamples: 400, unit })
  const draw = (kind: 'percentile' | 'expanded' | 'bca', make: (chance: Chance) => BootstrapIntervals) => (chance: Chance) => make(chance)[kind]!

  it('percentile bootstrap and BCa of the mean of 50 trials', () => {
    expectKept(coverage(1, 100, draw('percentile', (chance) => bootstrap(chance.normals(50, 100, 15), mean, resampling(chance)))))
    expectKept(coverage(2, 100, draw('bca', (chance) => bootstrap(chance.normals(50, 100, 15), mean, resampling(chance)))))
  })

  it('percentile bootstrap of the median of 41 trials', () => {
    expectKept(coverage(3, 100, draw('percentile', (chance) => bootstrap(chance.normals(41, 100, 15), median, resampling(chance)))))
  })

  it('BCa where the percentile bootstrap leans to one side: a skewed mean', () => {
    const lognormal = (chance: Chance): number[] => chance.normals(100, 0, 0.5).map(Math.exp)
    expectKept(coverage(4, Math.exp(0.125), draw('bca', (chance) => bootstrap(lognormal(chance), mean, resampling(chance)))))
  })

  it('expanded bootstrap of as few as eight trials, where the plain one covers under 90 and BCa no more', () => {
    const eight = (chance: Chance): BootstrapIntervals => bootstrap(chance.normals(8, 100, 15), mean, { ...resampling(chance), resamples: 2000 })
    expectKept(coverage(5, 100, draw('expanded', eight)))
    expect(coverage(5, 100, draw('percentile', eight))).toBeLessThan(0.9)
    expect(coverage(5, 100, draw('bca', eight))).toBeLessThan(0.9)
  })

  it('ratio of means of five trials against eight of another spread', () => {
    expectKept(coverage(6, 1.1, draw('expanded', (chance) => ratioOf(chance.normals(5, 110, 8), chance.normals(8, 100, 4), mean, { ...resampling(chance), resamples: 2000 }))))
  })

  it('ratio of medians of twenty trials a side', () => {
    expectKept(coverage(7, 1.1, draw('bca', (chance) => ratioOf(chance.normals(20, 110, 8), chance.normals(20, 100, 8), median, resampling(chance)))))
  })

  it('ratio over ABBA blocks while the machine drifts by a third, which the same trials without blocks would count as noise', () => {
    const blocks = (chance: Chance): { a: number[]; b: number[] }[] => Array.from({ length: 8 }, (_, block) => {
      const at = (place: number, level: number): number => (1 + (block * 4 + place) / 96) * (level + chance.normal(0, 3))
      return { a: [at(0, 110), at(3, 110)], b: [at(1, 100), at(2, 100)] }
    })
    expectKept(coverage(8, 1.1, draw('expanded', (chance) => blockedRatioOf(blocks(chance), mean, { ...resampling(chance), resamples: 2000 }))))
    const chance = new Chance(9)
    const plan = blocks(chance)
    const blocked = blockedRatioOf(plan, mean, resampling(chance)).expanded
    const apart = ratioOf(plan.flatMap(({ a }) => a), plan.flatMap(({ b }) => b), mean, resampling(chance)).expanded
    expect(blocked.high - blocked.low).toBeLessThan((apart.high - apart.low) / 2)
  })

  it("Student's of a mean, Wilson's and Clopper and Pearson's of a share, order statistics' of a median", () => {
    expectKept(coverage(10, 100, (chance) => meanInterval(chance.normals(6, 100, 15), 0.95)))
    const successes = (chance: Chance, share: number, attempts: number): number => Array.from({ length: attempts }, () => (chance.unit() < share ? 1 : 0)).reduce<number>((sum, one) => sum + one, 0)
    expectKept(coverage(11, 0.2, (chance) => wilson(successes(chance, 0.2, 200), 200, 0.95)!))
    // Exact means never below its level, and above it where counts are few.
    expect(coverage(12, 0.1, (chance) => clopperPearson(successes(chance, 0.1, 20), 20, 0.95)!)).toBeGreaterThanOrEqual(0.945)
    expect(coverage(13, 100, (chance) => quantileInterval(chance.normals(50, 100, 15), 0.5, 0.95))).toBeGreaterThanOrEqual(0.945)
  })

  it('the band around a staircase holds the whole true distribution', () => {
    const inside = rate(14, RUNS, (chance) => {
      const { values, share, low, high } = ecdf(chance.normals(80), 0.95)
      // The true curve is inside when it is at each step, seen from the left and from the right.
      return values.every((value, index) => normalCdf(value) <= high[index === 0 ? 0 : index - 1]! + (index === 0 ? share[0]! : 0) && normalCdf(value) >= low[index]!)
    })
    expect(inside).toBeGreaterThanOrEqual(0.94)
    expect(inside).toBeLessThanOrEqual(0.98)
  })
})

describe('tests at 5 % are wrong in about 5 of 100 repetitions in which nothing happened, and see what did', { timeout: 120_000 }, () => {
  it('Mann-Whitney', () => {
    expect(rate(20, RUNS, (chance) => mannWhitney(chance.normals(12), chance.normals(12)).pValue <= 0.05)).toBeLessThan(0.065)
    expect(rate(21, RUNS, (chance) => mannWhitney(chance.normals(12, 1.5), chance.normals(12)).pValue <= 0.05)).toBeGreaterThan(0.85)
  })

  it('E-divisive finds a change in a history without one in about 5 of 100, and finds a real one where it is', () => {
    const search = ({ unit }: Chance): Parameters<typeof changePoints>[1] => ({ significance: 0.05, permutations: 99, leastSegment: 5, unit })
    expect(rate(22, 300, (chance) => changePoints(chance.normals(30), search(chance)).length > 0)).toBeLessThan(0.09)
    const near = rate(23, 100, (chance) => changePoints([...chance.normals(20), ...chance.normals(15, 2.5)], search(chance)).some(({ index }) => Math.abs(index - 20) <= 1))
    expect(near).toBeGreaterThan(0.85)
  })

  it('growth: not seen in a busy but steady queue, whose neighbours resemble each other; seen where it drifts', () => {
    const queue = (chance: Chance, drift: number): number[] => {
      let excess = 0
      return Array.from({ length: 60 }, (_, second) => {
        excess = 0.7 * excess + chance.normal(0, 5)
        return 100 + drift * second + excess
      })
    }
    expect(rate(24, RUNS, (chance) => isGrowing(queue(chance, 0), 0.05, 0))).toBeLessThan(0.08)
    expect(rate(25, RUNS, (chance) => isGrowing(queue(chance, 1), 0.05, 0.1))).toBeGreaterThan(0.9)
    expect(rate(26, RUNS, (chance) => isGrowing(queue(chance, -1), 0.05, 0.1))).toBe(0)
  })

  it('warm-up: a steady series loses little, a ramp is cut where it ends, and one that never settles is told from both', () => {
    const ramp = (chance: Chance): number[] => Array.from({ length: 200 }, (_, second) => 1000 * Math.min(1, 0.2 + second / 25) + chance.normal(0, 20))
    expect(rate(27, RUNS, (chance) => warmUp(chance.normals(120, 1000, 20)).verdict === 'steady')).toBeGreaterThan(0.9)
    expect(rate(28, RUNS, (chance) => {
      const { truncated, verdict } = warmUp(ramp(chance))
      return verdict === 'steady' && truncated >= 20 && truncated <= 40
    })).toBeGreaterThan(0.75)
    expect(rate(29, RUNS, (chance) => warmUp(Array.from({ length: 60 }, (_, second) => 10 * second + chance.normal(0, 20))).verdict === 'never settled')).toBeGreaterThan(0.99)
  })
})
