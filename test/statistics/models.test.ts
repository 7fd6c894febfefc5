/** What the planner computes with: the scalability law, lines and queues, against scipy, statsmodels and the chains themselves. */
import { describe, expect, it } from 'vitest'
import { heldOutErrors } from '../../reports/statistics/held-out.js'
import { fitLine, fitThroughOrigin } from '../../reports/statistics/line.js'
import { erlangB, erlangC, little, mg1, mmc, serversForBlocking } from '../../reports/statistics/queueing.js'
import { fitScalability, scalabilityAt } from '../../reports/statistics/scalability.js'
import { expectClose, reference } from './oracle.js'

describe('the universal scalability law', () => {
  it('is fitted as scipy fits it, on its bounds as well as inside', () => {
    for (const { name, n, x, ...theirs } of reference.scalability) {
      const ours = fitScalability(n.map((at, index) => ({ x: at, y: x[index]! })))
      expectClose(ours.lambda, theirs.lambda, `λ of ${name}`)
      expectClose(ours.sigma, theirs.sigma, `σ of ${name}`, 1e-13)
      expectClose(ours.kappa, theirs.kappa, `κ of ${name}`, 1e-14)
      expectClose(ours.residual, theirs.residual, `residual of ${name}`, 1e-9)
    }
    expect(reference.scalability.some(({ sigma, kappa }) => sigma === 0 && kappa > 0)).toBe(true)
    expect(reference.scalability.some(({ sigma, kappa }) => sigma > 0 && kappa === 0)).toBe(true)
    expect(reference.scalability.some(({ sigma, kappa }) => sigma === 0 && kappa === 0)).toBe(true)
  })

  it('gives the published coefficients of SPEC SDM91', () => {
    const { n, x } = reference.scalability.find(({ name }) => name === 'sdm91')!
    const fit = fitScalability(n.map((at, index) => ({ x: at, y: x[index]! })))
    expect([fit.sigma, fit.kappa]).toEqual([expect.closeTo(0.0277, 4), expect.closeTo(0.000104, 6)])
    expect(fit.peak!.x).toBeCloseTo(96.5, 0)
  })

  it('has its peak where one more no longer helps, and none without crosstalk', () => {
    const fit = fitScalability([1, 2, 4, 8, 16].map((n) => ({ x: n, y: scalabilityAt({ lambda: 1000, sigma: 0.05, kappa: 0.002 }, n) })))
    const { x, y } = fit.peak!
    expect(scalabilityAt(fit, x * 0.99)).toBeLessThan(y)
    expect(scalabilityAt(fit, x * 1.01)).toBeLessThan(y)
    expect(fitScalability([1, 2, 4].map((n) => ({ x: n, y: 100 * n }))).peak).toBeUndefined()
    expect(fitScalability([1, 2, 4].map((n) => ({ x: n, y: 100 }))).peak!.x).toBeCloseTo(1, 6)
  })

  it('is quoted with its error on points it has not seen', () => {
    const points = [1, 2, 4, 8, 16].map((n) => ({ x: n, y: scalabilityAt({ lambda: 500, sigma: 0.03, kappa: 0.001 }, n) }))
    const fit = (others: readonly { x: number; y: number }[]): ((n: number) => number) => (n) => scalabilityAt(fitScalability(others), n)
    for (const error of heldOutErrors(points, fit)) expect(Math.abs(error)).toBeLessThan(1e-6)
    const bent = points.map((point, index) => (index === 4 ? { ...point, y: point.y / 2 } : point))
    expect(heldOutErrors(bent, fit)[4]).toBeCloseTo(1, 6)
  })
})

describe('lines', () => {
  it('are fitted as statsmodels fits them, affine and through the origin', () => {
    for (const { x, y, level, line, origin } of reference.lines) {
      const points = x.map((at, index) => ({ x: at, y: y[index]! }))
      // With all x near a million, the intercept is a small difference of large products, in statsmodels as well.
      const floor = x[0]! > 1e5 ? 1e-5 : 1e-13
      const ours = fitLine(points, level)
      expectClose(ours.intercept, line.intercept, 'intercept', floor * 10)
      expectClose(ours.slope, line.slope, 'slope', floor * 1e-5)
      expectClose(ours.residual, line.residual, 'residual', floor)
      expectClose(ours.slopeInterval.low, line.interval[0], 'slope, low', floor * 1e-5)
      expectClose(ours.slopeInterval.high, line.interval[1], 'slope, high', floor * 1e-5)
      const through = fitThroughOrigin(points, level)
      expect(through.intercept).toBe(0)
      expectClose(through.slope, origin.slope, 'slope through the origin')
      expectClose(through.residual, origin.residual, 'residual through the origin')
      expectClose(through.slopeInterval.low, origin.interval[0], 'slope through the origin, low', 1e-16)
      expectClose(through.slopeInterval.high, origin.interval[1], 'slope through the origin, high')
    }
  })
})

describe('queues, against the stationary distribution of each chain', () => {
  it('Erlang B: the share that finds no free slot, and the slots that keep it small', () => {
    for (const { servers, erlangs, blocked } of reference.queues.loss) {
      expectClose(erlangB(servers, erlangs), blocked, `${erlangs} erlangs on ${servers}`)
      const enough = serversForBlocking(erlangs, 0.01)
      expect(erlangB(enough, erlangs)).toBeLessThanOrEqual(0.01)
      expect(erlangB(enough - 1, erlangs)).toBeGreaterThan(0.01)
    }
    expect(erlangB(0, 3)).toBe(1)
    expect(serversForBlocking(0, 0.01)).toBe(1)
  })

  it('Erlang C and M/M/c: who waits, how long, and how many are there', () => {
    for (const { rate, service, servers, ...theirs } of reference.queues.waiting) {
      const ours = mmc(rate, service, servers)
      const what = `${rate} a second on ${servers}`
      expectClose(erlangC(servers, rate * service), theirs.waitProbability, `waiting probability of ${what}`)
      expectClose(ours.waitProbability, theirs.waitProbability, `waiting probability of ${what}`)
      expectClose(ours.meanWait, theirs.wait, `wait of ${what}`)
      expectClose(ours.meanTime, theirs.time, `time of ${what}`)
      expectClose(ours.meanWaiting, theirs.waiting, `queue of ${what}`)
      expectClose(ours.meanPresent, theirs.present, `present of ${what}`)
    }
  })

  it('M/G/1: constant, exponential and more variable service', () => {
    for (const { rate, service, variation, present } of reference.queues.general) expectClose(mg1(rate, service, variation).meanPresent, present, `${rate} a second, variation ${variation}`)
    expect(mg1(0.7, 1, 1)).toEqual(expect.objectContaining({ meanWait: expect.closeTo(mmc(0.7, 1, 1).meanWait, 12) }))
  })

  it('a load that never settles waits for ever, and that is an answer', () => {
    expect(mmc(5, 1, 5)).toEqual({ utilisation: 1, waitProbability: 1, meanWait: Infinity, meanTime: Infinity, meanWaiting: Infinity, meanPresent: Infinity })
    expect(mg1(2, 1, 0).meanPresent).toBe(Infinity)
    expect(mmc(0, 1, 3)).toEqual({ utilisation: 0, waitProbability: 0, meanWait: 0, meanTime: 1, meanWaiting: 0, meanPresent: 0 })
    expect(little(0, Infinity)).toBe(0)
    expect(little(100, 0.25)).toBe(25)
  })
})
