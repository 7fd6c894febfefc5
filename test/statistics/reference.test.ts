/** Our intervals and tests give the values of scipy, statsmodels and slow textbook forms, to nine digits. */
import { describe, expect, it } from 'vitest'
import { SeededEntropy } from '../../core/kit/entropy.js'
import { bootstrap } from '../../reports/statistics/bootstrap.js'
import { changePoints, strongestSplit } from '../../reports/statistics/change-points.js'
import { betaQuantile, binomialQuantile, studentQuantile } from '../../reports/statistics/distributions.js'
import { ecdf } from '../../reports/statistics/ecdf.js'
import { holm } from '../../reports/statistics/holm.js'
import { mean, median, quantileOfSorted, sortedCopy } from '../../reports/statistics/location.js'
import { mannWhitney } from '../../reports/statistics/mann-whitney.js'
import { normalCdf, normalQuantile } from '../../reports/statistics/normal.js'
import { quantileInterval } from '../../reports/statistics/order-statistics.js'
import { cleanAttemptsToResolve, clopperPearson, wilson } from '../../reports/statistics/proportion.js'
import { ratioOf } from '../../reports/statistics/ratio.js'
import { furtherTrials, meanInterval } from '../../reports/statistics/student.js'
import { trend } from '../../reports/statistics/trend.js'
import { warmUp } from '../../reports/statistics/warm-up.js'
import { expectClose, reference } from './oracle.js'

describe('distributions, against scipy', () => {
  it('normal, Student, beta and binomial, far into the tails', () => {
    const { distributions } = reference
    for (const [z, p] of distributions.normalCdf) expectClose(normalCdf(z!), p!, `normal below ${z}`)
    for (const [p, z] of distributions.normalQuantile) expectClose(normalQuantile(p!), z!, `normal quantile ${p}`, 1e-15)
    for (const [p, freedom, t] of distributions.studentQuantile) expectClose(studentQuantile(p!, freedom!), t!, `Student quantile ${p} with ${freedom}`)
    for (const [p, a, b, x] of distributions.betaQuantile) expectClose(betaQuantile(p!, a!, b!), x!, `beta quantile ${p} of ${a}, ${b}`)
    for (const [p, n, q, k] of distributions.binomialQuantile) expect(binomialQuantile(p!, n!, q!), `binomial quantile ${p} of ${n} at ${q}`).toBe(k)
  })
})

describe('shares, means and quantiles, against statsmodels and scipy', () => {
  it('Wilson and Clopper-Pearson intervals of a share', () => {
    for (const { successes, attempts, level, wilson: w, clopperPearson: c } of reference.proportions.intervals) {
      const what = `${successes} of ${attempts} at ${level}`
      expectClose(wilson(successes, attempts, level)!.low, w[0], `Wilson low of ${what}`, 1e-16)
      expectClose(wilson(successes, attempts, level)!.high, w[1], `Wilson high of ${what}`)
      expectClose(clopperPearson(successes, attempts, level)!.low, c[0], `Clopper-Pearson low of ${what}`)
      expectClose(clopperPearson(successes, attempts, level)!.high, c[1], `Clopper-Pearson high of ${what}`)
    }
  })

  it('attempts it takes to resolve a share', () => {
    for (const { share, level, attempts } of reference.proportions.clean) expect(cleanAttemptsToResolve(share, level)).toBe(attempts)
    expect(cleanAttemptsToResolve(0.001, 0.95)).toBe(2995)
  })

  it('Student intervals of a mean, and trials still to be run', () => {
    for (const { values, level, ...theirs } of reference.students.intervals) {
      const ours = meanInterval(values, level)
      for (const key of ['mean', 'low', 'high'] as const) expectClose(ours[key], theirs[key], `${key} at ${level}`)
      // Of values around a thousand million, numbers of sixteen digits keep seven of their spread.
      expectClose(ours.standardDeviation, theirs.standardDeviation, 'standard deviation', theirs.mean > 1e8 ? 1e-6 : 0)
    }
    for (const { done, half, wanted, level, further } of reference.students.further) expect(furtherTrials(done, half, wanted, level)).toBe(further)
  })

  it('quantiles, and their intervals between order statistics', () => {
    for (const { values, share, quantile: theirs } of reference.quantiles.points) expectClose(quantileOfSorted(sortedCopy(values), share), theirs, `quantile ${share} of ${values.length}`)
    for (const { values, share, level, low, high } of reference.quantiles.intervals) {
      expect(quantileInterval(values, share, level), `quantile ${share} of ${values.length} at ${level}`).toEqual({ low: low ?? -Infinity, high: high ?? Infinity })
    }
  })

  it('the staircase with its band', () => {
    for (const { sample, level, values, share, low, high } of reference.ecdfs) {
      const ours = ecdf(sample, level)
      expect([...ours.values]).toEqual(values)
      values.forEach((value, index) => {
        expectClose(ours.share[index]!, share[index]!, `share at ${value}`)
        expectClose(ours.low[index]!, low[index]!, `band below at ${value}`, 1e-15)
        expectClose(ours.high[index]!, high[index]!, `band above at ${value}`)
      })
    }
  })
})

describe('bootstrap intervals', () => {
  it('of five trials come to those over all 3,125 ways to draw them again', () => {
    for (const { values, statistic, level, percentile } of reference.bootstraps.exact) {
      const ours = bootstrap(values, statistic === 'mean' ? mean : median, { level, resamples: 100_000, unit: unitOf(1) })
      expect(ours.percentile.low / percentile[0] - 1).toBeCloseTo(0, 2)
      expect(ours.percentile.high / percentile[1] - 1).toBeCloseTo(0, 2)
    }
  })

  it("come to scipy's, percentile and BCa, of one sample and of ratios, with 100,000 resamples and more", () => {
    for (const { statistic, a, b, level, percentile, bca } of reference.bootstraps.scipy) {
      const resampling = { level, resamples: 100_000, unit: unitOf(2) }
      const location = /median/i.test(statistic) ? median : mean
      const ours = statistic.startsWith('ratio') ? ratioOf(a, b, location, resampling) : bootstrap(a, location, resampling)
      const width = percentile[1] - percentile[0]
      // Both are drawn; a bound far out in the tail has a chance error of 1 % of the width. A median jumps from value to value.
      const near = location === median ? 0.04 : 0.025
      for (const [bound, theirs] of [[ours.percentile.low, percentile[0]], [ours.percentile.high, percentile[1]], [ours.bca!.low, bca[0]], [ours.bca!.high, bca[1]]] as const) {
        expect(Math.abs(bound - theirs) / width, `${statistic}: ours ${bound}, scipy ${theirs}`).toBeLessThan(near)
      }
    }
  })
})

describe('tests, against scipy and statsmodels', () => {
  it('Mann-Whitney: exact without ties, normal with ties or many trials; effect and shift', () => {
    for (const { a, b, u, p, exact, cliffsDelta, shift } of reference.rankTests) {
      const ours = mannWhitney(a, b)
      const what = `${a.length} against ${b.length}`
      expect(ours.exact, what).toBe(exact)
      expectClose(ours.u, u, `U of ${what}`)
      expectClose(ours.pValue, p, `p of ${what}`)
      expectClose(ours.cliffsDelta, cliffsDelta, `Cliff's delta of ${what}`, 1e-15)
      expectClose(ours.shift, shift, `shift of ${what}`)
    }
  })

  it('Holm', () => {
    for (const { p, adjusted } of reference.holms) holm(p).forEach((ours, index) => expectClose(ours, adjusted[index]!, `p ${p[index]} of ${p.length}`))
  })

  it('Mann-Kendall with ties, Theil-Sen, and the correction for neighbours that resemble each other', () => {
    for (const { values, s, slope, p, growth } of reference.trends) {
      const ours = trend(values)
      expect(ours.s).toBe(s)
      expectClose(ours.slope, slope, `slope of ${values.length}`, 1e-15)
      expectClose(ours.pValue, p, `p of S = ${s}`)
      expectClose(ours.growthPValue, growth, `growth of S = ${s}`)
    }
  })
})

describe('series, against their definitions without shortcuts', () => {
  it('MSER-5, and no truncation when more than half would have to go', () => {
    for (const { name, values, truncated, marginalSquare, verdict } of reference.warmUps) {
      const ours = warmUp(values)
      expect([name, ours.truncated, ours.verdict]).toEqual([name, truncated, verdict])
      if (marginalSquare !== null) expectClose(ours.marginalSquare, marginalSquare, name, name === 'large offset' ? 1e-9 : 1e-15)
    }
    expect(new Set(reference.warmUps.map(({ verdict }) => verdict))).toEqual(new Set(['steady', 'never settled', 'too short']))
  })

  it('E-divisive: the strongest split and its divergence', () => {
    for (const { values, least, index, end, divergence } of reference.changePoints.splits) {
      const ours = strongestSplit(values, least)!
      expect([ours.index, ours.end]).toEqual([index, end])
      expectClose(ours.divergence, divergence, `divergence at ${index}`)
    }
  })

  it('E-divisive: several changes one after the other, also of spread alone, and none beyond them', () => {
    for (const { values, least, found } of reference.changePoints.divided) {
      const ours = changePoints(values, { significance: 0.05, permutations: 499, leastSegment: least, unit: unitOf(3) })
      expect(ours.map(({ index }) => index)).toEqual(found.map(({ index }) => index))
      ours.forEach(({ divergence }, rank) => expectClose(divergence, found[rank]!.divergence, `divergence of change ${rank}`))
    }
  })

  it('E-divisive: the p value comes to that over all orders', () => {
    for (const { values, p } of reference.changePoints.permuted) {
      const { index } = strongestSplit(values, 2)!
      const ours = changePoints(values, { significance: 0.999, permutations: 20_000, leastSegment: 2, unit: unitOf(4) }).find((change) => change.index === index)
      expect(Math.abs(ours!.pValue - p)).toBeLessThan(0.015)
    }
  })
})

function unitOf(seed: number): () => number {
  const entropy = new SeededEntropy(seed)
  return () => entropy.unit()
}
