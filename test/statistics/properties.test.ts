/** What must hold for any values: the order of bounds, what a higher level does, and that neither the unit nor the order of trials matters. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SeededEntropy } from '../../core/kit/entropy.js'
import { bootstrap } from '../../reports/statistics/bootstrap.js'
import { shuffle } from '../../reports/statistics/chance.js'
import { changePoints, strongestSplit } from '../../reports/statistics/change-points.js'
import { binomialQuantile, studentQuantile } from '../../reports/statistics/distributions.js'
import { ecdf } from '../../reports/statistics/ecdf.js'
import { heldOutErrors } from '../../reports/statistics/held-out.js'
import { holm } from '../../reports/statistics/holm.js'
import { fitLine, fitThroughOrigin } from '../../reports/statistics/line.js'
import { mean, median, quantile } from '../../reports/statistics/location.js'
import { mannWhitney } from '../../reports/statistics/mann-whitney.js'
import { MisuseError } from '../../reports/statistics/misuse.js'
import { normalCdf, normalQuantile } from '../../reports/statistics/normal.js'
import { quantileInterval } from '../../reports/statistics/order-statistics.js'
import { cleanAttemptsToResolve, clopperPearson, resolvableShare, wilson } from '../../reports/statistics/proportion.js'
import { erlangB, erlangC, mg1, mmc, serversForBlocking } from '../../reports/statistics/queueing.js'
import { blockedRatioOf, ratioOf } from '../../reports/statistics/ratio.js'
import { fitScalability, scalabilityAt } from '../../reports/statistics/scalability.js'
import { furtherTrials, meanInterval } from '../../reports/statistics/student.js'
import { isGrowing, trend } from '../../reports/statistics/trend.js'
import { warmUp } from '../../reports/statistics/warm-up.js'

/** Whole numbers, so that scaling by a power of two is exact and any difference is ours. */
const value = fc.integer({ min: 1, max: 100_000 })
const trials = fc.array(value, { minLength: 2, maxLength: 12 })
const level = fc.integer({ min: 500, max: 999 }).map((thousandths) => thousandths / 1000)
const counts = fc.integer({ min: 1, max: 5000 }).chain((attempts) => fc.tuple(fc.integer({ min: 0, max: attempts }), fc.constant(attempts)))

const unitOf = (seed: number): (() => number) => {
  const entropy = new SeededEntropy(seed)
  return () => entropy.unit()
}
const resampling = (at = 0.95, seed = 1): { level: number; resamples: number; unit: () => number } => ({ level: at, resamples: 200, unit: unitOf(seed) })
function holds<T extends unknown[]>(arbitraries: { [K in keyof T]: fc.Arbitrary<T[K]> }, check: (...values: T) => void, numRuns = 200): void {
  fc.assert(fc.property(fc.tuple<T>(...arbitraries), (values) => check(...values)), { numRuns })
}

describe('intervals', () => {
  it('of a share: inside 0 to 1, around what was seen, wider at a higher level, mirrored with success and failure; the exact one is the wider', () => {
    holds([counts, level, level], ([successes, attempts], one, other) => {
      for (const make of [wilson, clopperPearson]) {
        const narrow = make(successes, attempts, Math.min(one, other))!
        const wide = make(successes, attempts, Math.max(one, other))!
        const share = successes / attempts
        expect(0 <= wide.low && wide.low <= narrow.low && narrow.low <= share && share <= narrow.high && narrow.high <= wide.high && wide.high <= 1).toBe(true)
        expect(make(attempts - successes, attempts, one)!.low).toBeCloseTo(1 - make(successes, attempts, one)!.high, 10)
      }
    })
    expect([wilson(8, 10, 0.95)!.low.toFixed(3), wilson(8, 10, 0.95)!.high.toFixed(3)]).toEqual(['0.490', '0.943'])
    expect([wilson(0, 0, 0.95), clopperPearson(0, 0, 0.95)]).toEqual([undefined, undefined])
  })

  it('of a mean: around it, wider at a higher level, in the unit of the trials', () => {
    holds([trials, level, level], (values, one, other) => {
      const narrow = meanInterval(values, Math.min(one, other))
      const wide = meanInterval(values, Math.max(one, other))
      expect(wide.low <= narrow.low && narrow.low <= narrow.mean && narrow.mean <= narrow.high && narrow.high <= wide.high).toBe(true)
      const inOtherUnit = meanInterval(values.map((each) => each * 1024), one)
      expect(inOtherUnit.high).toBe(meanInterval(values, one).high * 1024)
    })
  })

  it('of a quantile: of the sample or infinite, in order, wider at a higher level, whatever order the values came in', () => {
    holds([trials, fc.double({ min: 0.01, max: 0.99, noNaN: true }), level, level], (values, share, one, other) => {
      const narrow = quantileInterval(values, share, Math.min(one, other))
      const wide = quantileInterval(values, share, Math.max(one, other))
      expect(wide.low <= narrow.low && narrow.low <= narrow.high && narrow.high <= wide.high).toBe(true)
      expect(quantileInterval(values.toReversed(), share, one)).toEqual(quantileInterval(values, share, one))
    })
  })

  it('by bootstrap: in order, inside what was seen, wider at a higher level, scaled with the unit, the same for the same seed', () => {
    holds([trials, level, level, fc.integer()], (values, one, other, seed) => {
      for (const statistic of [mean, median, quantile(0.9)]) {
        const narrow = bootstrap(values, statistic, resampling(Math.min(one, other), seed))
        const wide = bootstrap(values, statistic, resampling(Math.max(one, other), seed))
        const scaled = bootstrap(values.map((each) => each * 4), statistic, resampling(Math.min(one, other), seed))
        for (const kind of ['percentile', 'expanded', 'bca'] as const) {
          const [inner, outer] = [narrow[kind], wide[kind]]
          if (inner === undefined || outer === undefined) continue
          expect(outer.low <= inner.low && inner.low <= inner.high && inner.high <= outer.high).toBe(true)
          expect(Math.min(...values) <= outer.low * (1 + 1e-12) && outer.high <= Math.max(...values) * (1 + 1e-12)).toBe(true)
          expect(scaled[kind]).toEqual({ low: inner.low * 4, high: inner.high * 4 })
        }
        expect(narrow.expanded.low <= narrow.percentile.low && narrow.percentile.high <= narrow.expanded.high).toBe(true)
        expect(bootstrap(values, statistic, resampling(Math.min(one, other), seed))).toEqual(narrow)
      }
    }, 50)
  })

  it('of a ratio: 1 of equals, unchanged when both sides change their unit', () => {
    holds([trials, trials, fc.integer()], (a, b, seed) => {
      const times = (values: number[]): number[] => values.map((each) => each * 256)
      for (const statistic of [mean, median]) {
        expect(ratioOf(times(a), times(b), statistic, resampling(0.9, seed))).toEqual(ratioOf(a, b, statistic, resampling(0.9, seed)))
        const blocks = a.slice(0, Math.min(a.length, b.length)).map((of, index) => ({ a: [of], b: [b[index]!] }))
        const scaled = blocks.map((block) => ({ a: times(block.a), b: times(block.b) }))
        expect(blockedRatioOf(scaled, statistic, resampling(0.9, seed))).toEqual(blockedRatioOf(blocks, statistic, resampling(0.9, seed)))
        const same = blockedRatioOf(blocks.map((block) => ({ a: block.a, b: block.a })), statistic, resampling(0.9, seed))
        expect(same).toEqual({ estimate: 1, percentile: { low: 1, high: 1 }, expanded: { low: 1, high: 1 }, bca: { low: 1, high: 1 } })
      }
    }, 50)
  })

  it('the staircase rises from above 0 to 1 inside its band, whatever order the values came in', () => {
    holds([trials, level], (values, at) => {
      const stairs = ecdf(values, at)
      expect(stairs.share.at(-1)).toBe(1)
      stairs.values.forEach((each, index) => {
        expect(index === 0 || (each > stairs.values[index - 1]! && stairs.share[index]! > stairs.share[index - 1]!)).toBe(true)
        expect(stairs.low[index]! >= 0 && stairs.low[index]! <= stairs.share[index]! && stairs.share[index]! <= stairs.high[index]! && stairs.high[index]! <= 1).toBe(true)
      })
      expect(ecdf(values.toReversed(), at)).toEqual(stairs)
    })
  })
})

describe('planning of trials', () => {
  it('further trials are the fewest that suffice, and fewer the wider an interval may be', () => {
    holds([fc.integer({ min: 2, max: 50 }), fc.double({ min: 0.01, max: 1, noNaN: true }), fc.double({ min: 0.005, max: 1, noNaN: true }), level], (done, half, wanted, at) => {
      const further = furtherTrials(done, half, wanted, at)
      const widthAfter = (n: number): number => (half * (studentQuantile((1 + at) / 2, n - 1) / Math.sqrt(n))) / (studentQuantile((1 + at) / 2, done - 1) / Math.sqrt(done))
      if (further === 0) expect(half).toBeLessThanOrEqual(wanted)
      else expect(widthAfter(done + further) <= wanted * (1 + 1e-9) && widthAfter(done + further - 1) > wanted * (1 - 1e-9)).toBe(true)
      expect(furtherTrials(done, half, wanted * 1.5, at)).toBeLessThanOrEqual(further)
    })
  })

  it('attempts to resolve a share, and the share they resolve, undo each other', () => {
    holds([fc.double({ min: 1e-5, max: 0.5, noNaN: true }), level], (share, at) => {
      const attempts = cleanAttemptsToResolve(share, at)
      expect(resolvableShare(attempts, at)).toBeLessThanOrEqual(share * (1 + 1e-12))
      if (attempts > 1) expect(resolvableShare(attempts - 1, at)).toBeGreaterThan(share * (1 - 1e-12))
    })
  })
})

describe('tests', () => {
  it('Mann-Whitney: mirrored when the sides change places, untouched by unit and order', () => {
    holds([trials, trials], (a, b) => {
      const ours = mannWhitney(a, b)
      const mirrored = mannWhitney(b, a)
      expect(mirrored.pValue).toBeCloseTo(ours.pValue, 12)
      expect([mirrored.u, mirrored.cliffsDelta, mirrored.shift]).toEqual([a.length * b.length - ours.u, expect.closeTo(-ours.cliffsDelta, 12), expect.closeTo(-ours.shift, 9)])
      expect(mannWhitney(a.map((each) => each * 8).toReversed(), b.map((each) => each * 8))).toEqual({ ...ours, shift: ours.shift * 8 })
      expect(ours.pValue >= 0 && ours.pValue <= 1 && Math.abs(ours.cliffsDelta) <= 1).toBe(true)
    })
  })

  it('Holm: never below the p value, in the same order, the smallest as Bonferroni would have it', () => {
    holds([fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 20 })], (pValues) => {
      const adjusted = holm(pValues)
      pValues.forEach((p, i) => {
        expect(adjusted[i]! >= p && adjusted[i]! <= 1).toBe(true)
        pValues.forEach((q, j) => expect(p < q ? adjusted[i]! <= adjusted[j]! : true).toBe(true))
      })
      expect(Math.min(...adjusted)).toBe(Math.min(1, Math.min(...pValues) * pValues.length))
    })
  })

  it('trend: reversed in time it is the opposite, in another unit the same', () => {
    holds([fc.array(value, { minLength: 10, maxLength: 30 })], (series) => {
      const ours = trend(series)
      const back = trend(series.toReversed())
      expect([back.s, back.slope, back.pValue]).toEqual([0 - ours.s, expect.closeTo(-ours.slope, 6), ours.pValue])
      expect(trend(series.map((each) => each * 2))).toEqual({ ...ours, slope: ours.slope * 2 })
      expect(isGrowing(series, 0.05, 0) && isGrowing(series.toReversed(), 0.05, 0)).toBe(false)
    })
  })
})

describe('chance', () => {
  it('puts values into each order equally often, and touches none outside of the stretch', () => {
    const unit = unitOf(7)
    const seen = new Map<string, number>()
    for (let run = 0; run < 6000; run++) {
      const values = Float64Array.of(9, 1, 2, 3, 9)
      shuffle(values, 1, 4, unit)
      seen.set(values.join(''), (seen.get(values.join('')) ?? 0) + 1)
    }
    expect([...seen.keys()].sort()).toEqual(['91239', '91329', '92139', '92319', '93129', '93219'])
    for (const times of seen.values()) expect(Math.abs(times - 1000)).toBeLessThan(120)
  })
})

describe('series', () => {
  it('growth too small to matter is none, however certain', () => {
    const series = Array.from({ length: 30 }, (_, second) => 1000 + second)
    expect(isGrowing(series, 0.05, 0.05)).toBe(false)
    expect(isGrowing(series, 0.05, 0.02)).toBe(true)
  })

  it('warm-up: in fives, never more than half with a verdict, whatever the unit', () => {
    holds([fc.array(value, { minLength: 0, maxLength: 150 })], (series) => {
      const ours = warmUp(series)
      expect(ours.truncated % 5).toBe(0)
      if (ours.verdict === 'steady') expect(ours.truncated / 5).toBeLessThanOrEqual(Math.floor(series.length / 5) / 2)
      const scaled = warmUp(series.map((each) => each * 16))
      expect([scaled.truncated, scaled.verdict]).toEqual([ours.truncated, ours.verdict])
    })
  })

  it('change points: in order, apart by the shortest segment, whatever the unit and the zero', () => {
    holds([fc.array(fc.integer({ min: 0, max: 50 }), { minLength: 0, maxLength: 40 }), fc.integer({ min: 2, max: 6 }), fc.integer()], (series, leastSegment, seed) => {
      const search = { significance: 0.2, permutations: 29, leastSegment, unit: unitOf(seed) }
      const found = changePoints(series, search)
      const borders = [0, ...found.map(({ index }) => index), series.length]
      if (found.length > 0) borders.slice(1).forEach((border, index) => expect(border - borders[index]!).toBeGreaterThanOrEqual(leastSegment))
      expect(changePoints(series.map((each) => each * 4), { ...search, unit: unitOf(seed) })).toEqual(found.map((change) => ({ ...change, divergence: change.divergence * 4 })))
      expect(strongestSplit(series.map((each) => each + 1024), leastSegment)).toEqual(strongestSplit(series, leastSegment))
    }, 50)
  })
})

describe('models', () => {
  it('the scalability law finds what made the points, in any unit of throughput', () => {
    const made = fc.record({ lambda: fc.double({ min: 10, max: 1e5, noNaN: true }), sigma: fc.double({ min: 0.001, max: 0.5, noNaN: true }), kappa: fc.double({ min: 1e-5, max: 0.05, noNaN: true }) })
    holds([made], (law) => {
      const points = [1, 2, 3, 4, 6, 8, 12, 16].map((x) => ({ x, y: scalabilityAt(law, x) }))
      const fit = fitScalability(points)
      expect([fit.lambda / law.lambda, fit.sigma / law.sigma, fit.kappa / law.kappa]).toEqual([1, 1, 1].map((each) => expect.closeTo(each, 6)))
      const doubled = fitScalability(points.map(({ x, y }) => ({ x, y: y * 2 })))
      expect(doubled.sigma / fit.sigma).toBeCloseTo(1, 6)
    }, 50)
  })

  it('the scalability law never has a coefficient below 0, whatever the points', () => {
    holds([fc.array(value, { minLength: 3, maxLength: 8 })], (throughputs) => {
      const points = throughputs.map((y, index) => ({ x: index + 1, y }))
      const { lambda, sigma, kappa, residual, peak } = fitScalability(points)
      expect(lambda > 0 && sigma >= 0 && kappa >= 0 && residual >= 0 && [lambda, sigma, kappa, residual].every(Number.isFinite)).toBe(true)
      expect(peak === undefined || (peak.x >= 1 && Number.isFinite(peak.y))).toBe(true)
    })
  })

  it('lines find what made the points, and are right where they were not fitted', () => {
    holds([fc.integer({ min: -50, max: 50 }), fc.integer({ min: 1, max: 50 })], (intercept, slope) => {
      const points = [1, 2, 5, 9].map((x) => ({ x, y: intercept + slope * x }))
      const line = fitLine(points, 0.95)
      expect([line.intercept, line.slope, line.residual]).toEqual([expect.closeTo(intercept, 9), expect.closeTo(slope, 9), expect.closeTo(0, 9)])
      const proportional = points.map(({ x }) => ({ x, y: slope * x }))
      for (const error of heldOutErrors(proportional, (others) => (x) => fitThroughOrigin(others, 0.95).slope * x)) expect(error).toBeCloseTo(0, 12)
    })
  })

  it('queues: losses and waits shrink with servers and grow with load; one server and exponential service agree in both formulas', () => {
    holds([fc.integer({ min: 1, max: 200 }), fc.double({ min: 0.01, max: 300, noNaN: true })], (servers, erlangs) => {
      expect(erlangB(servers + 1, erlangs)).toBeLessThanOrEqual(erlangB(servers, erlangs))
      expect(erlangB(servers, erlangs * 1.1)).toBeGreaterThanOrEqual(erlangB(servers, erlangs))
      expect(erlangC(servers, erlangs)).toBeGreaterThanOrEqual(erlangB(servers, erlangs))
      expect(mmc(erlangs, 1, servers).meanWait).toBeGreaterThanOrEqual(mmc(erlangs, 1, servers + 1).meanWait)
      const share = erlangs / 301
      expect(mg1(share, 1, 1).meanWait / mmc(share, 1, 1).meanWait).toBeCloseTo(1, 9)
    })
  })

  it('binomial: of an odd number of fair tosses exactly half of the cases lie at or below the middle, however the sum is rounded', () => {
    for (let n = 1; n < 1000; n += 2) expect(binomialQuantile(0.5, n, 0.5)).toBe((n - 1) / 2)
  })

  it('normal: the quantile undoes the distribution', () => {
    holds([fc.double({ min: -8, max: 5, noNaN: true })], (z) => {
      expect(normalQuantile(normalCdf(z))).toBeCloseTo(z, 8)
    })
  })
})

describe('misuse is refused, with what would be right', () => {
  const five = [1, 2, 3, 4, 5]
  it.each<[string, () => unknown, RegExp]>([
    ['a level of 95', () => wilson(1, 2, 95), /level must lie between 0 and 1.*95/],
    ['more successes than attempts', () => clopperPearson(3, 2, 0.95), /more successes \(3\) than attempts \(2\)/],
    ['half an attempt', () => wilson(0, 1.5, 0.95), /whole number/],
    ['an interval of one trial', () => meanInterval([1], 0.95), /at least 2 values; there are 1/],
    ['a trial that is no number', () => bootstrap([1, Number.NaN, 3], mean, resampling()), /finite numbers; value 1 is NaN/],
    ['a dozen resamples', () => bootstrap(five, mean, { ...resampling(), resamples: 12 }), /at least 100/],
    ['a ratio to nothing', () => ratioOf(five, [0, 1], mean, resampling()), /B must be above 0/],
    ['a ratio of negatives', () => ratioOf([-1, 1], five, mean, resampling()), /A must not be negative/],
    ['blocks of different shape', () => blockedRatioOf([{ a: [1], b: [1] }, { a: [1, 2], b: [1] }], mean, resampling()), /every block/],
    ['a single block', () => blockedRatioOf([{ a: [1], b: [1] }], mean, resampling()), /at least 2 blocks/],
    ['a quantile of 99', () => quantile(99), /share from 0 to 1; it is 99/],
    ['no values', () => ecdf([], 0.95), /at least 1 values/],
    ['an empty side', () => mannWhitney([], five), /trials of A/],
    ['a p value of 2', () => holm([0.5, 2]), /value 1 is 2/],
    ['a trend of nine', () => trend([1, 2, 3, 4, 5, 6, 7, 8, 9]), /at least 10/],
    ['segments of one', () => changePoints(five, { significance: 0.05, permutations: 9, leastSegment: 1, unit: unitOf(1) }), /shortest segment.*at least 2/],
    ['a history without end', () => strongestSplit(new Float64Array(2001), 2), /at most 2,000/],
    ['two points of the law', () => fitScalability([{ x: 1, y: 1 }, { x: 2, y: 2 }, { x: 2, y: 2.1 }]), /3 different N at least; there are 2/],
    ['half a node', () => fitScalability([{ x: 0.5, y: 1 }, { x: 2, y: 2 }, { x: 3, y: 2 }]), /N of at least 1/],
    ['a line through one place', () => fitLine([{ x: 1, y: 1 }, { x: 1, y: 2 }, { x: 1, y: 3 }], 0.95), /two different x/],
    ['an error against nothing', () => heldOutErrors([{ x: 1, y: 0 }], () => () => 1), /share of 0/],
    ['a negative load', () => erlangB(1, -1), /erlangs of at least 0/],
    ['no losses at all', () => serversForBlocking(10, 0), /may be lost/],
    ['a service that takes no time', () => mmc(1, 0, 1), /service time/],
    ['no width at all', () => furtherTrials(5, 0.1, 0, 0.95), /above 0; it is 0/],
  ])('%s', (_, misuse, why) => {
    expect(misuse).toThrow(MisuseError)
    expect(misuse).toThrow(why)
  })
})
