/**
 * Stationary or growing? A rank test for a monotone trend and the slope that goes with it, over series of in-flight or latency: growth in both
 * is over-saturation, and a step that grows has no steady state to report. Knows equally spaced values, not what they measure.
 */
import { mean, median } from './location.js'
import { demand, demandShare, demandValues } from './misuse.js'
import { normalCdf } from './normal.js'
import { sumOverTies } from './ties.js'

/** Below this the normal approximation of S is too coarse (R. Gilbert, "Statistical methods for environmental pollution monitoring", 1987, 16.4). */
const LEAST_VALUES = 10

export interface Trend {
  /** Kendall's S: pairs that rise less pairs that fall. */
  readonly s: number
  /** The median slope over all pairs, in the values' unit per step (P. Sen, "Estimates of the regression coefficient based on Kendall's tau", 1968). */
  readonly slope: number
  /** Two-sided, taking the values as independent. */
  readonly pValue: number
  /** One-sided, for growth, with the variance widened by how much neighbours resemble each other once the slope is taken out. */
  readonly growthPValue: number
}

/**
 * The test of Mann and Kendall (H. Mann, "Nonparametric tests against trend", Econometrica 1945; ties and continuity: M. Kendall, "Rank correlation
 * methods", chapter 4) with Theil and Sen's slope. Neighbouring seconds resemble each other, which makes chance look like a trend; `growthPValue`
 * corrects for it by the lag-1 correlation of what the slope leaves (S. Yue and C. Wang, "The Mann-Kendall test modified by effective sample size",
 * Water Resources Management 2004). At least ten values; every pair is looked at, so condense more than a few thousand.
 */
export function trend(series: ArrayLike<number>): Trend {
  demandValues(series, LEAST_VALUES, 'the series')
  const count = series.length
  const slopes = new Float64Array((count * (count - 1)) / 2)
  let s = 0
  let pair = 0
  for (let early = 0; early < count; early++) {
    for (let late = early + 1; late < count; late++) {
      const rise = series[late]! - series[early]!
      s += Math.sign(rise)
      slopes[pair++] = rise / (late - early)
    }
  }
  const slope = median(slopes)
  const tied = sumOverTies(Float64Array.from(series), (size) => size * (size - 1) * (2 * size + 5))
  const variance = (count * (count - 1) * (2 * count + 5) - tied) / 18
  const widened = variance * correlationFactor(series, slope)
  return {
    s, slope,
    pValue: variance === 0 ? 1 : Math.min(1, 2 * normalCdf(-Math.max(0, Math.abs(s) - 1) / Math.sqrt(variance))),
    growthPValue: variance === 0 ? 1 : normalCdf(-(s - Math.sign(s)) / Math.sqrt(widened)),
  }
}

/**
 * Whether a series grows rather than being stationary: chance alone rises like this in at most `significance` of series, and the rise from first to
 * last value is more than `tolerated` of the median, so that a slope too small to matter is none. Over-saturation is growth of both in-flight and latency.
 */
export function isGrowing(series: ArrayLike<number>, significance: number, tolerated: number): boolean {
  demandShare(significance, 'the significance')
  demand(tolerated >= 0, `the rise tolerated is a share of the median of at least 0; it is ${tolerated}`)
  const { slope, growthPValue } = trend(series)
  return growthPValue <= significance && slope * (series.length - 1) > tolerated * Math.abs(median(Float64Array.from(series)))
}

/** By how much the variance of S grows when neighbours correlate by ρ: 1 + 2 Σ (1 - k / n) ρ^k (Yue and Wang 2004). At least 1. */
function correlationFactor(series: ArrayLike<number>, slope: number): number {
  const count = series.length
  const rho = Math.min(lagOneCorrelation(Float64Array.from(series, (value, index) => value - slope * index)), 0.99)
  if (rho <= 0) return 1
  let factor = 1
  let power = 1
  for (let lag = 1; lag < count && power > 1e-12; lag++) {
    power *= rho
    factor += 2 * (1 - lag / count) * power
  }
  return factor
}

/** With the correction for how much a short series understates it (F. Marriott and J. Pope, "Bias in the estimation of autocorrelations", Biometrika 1954). */
function lagOneCorrelation(values: Float64Array): number {
  const centre = mean(values)
  let squares = 0
  let products = 0
  for (let index = 0; index < values.length; index++) {
    squares += (values[index]! - centre) ** 2
    if (index > 0) products += (values[index]! - centre) * (values[index - 1]! - centre)
  }
  return squares === 0 ? 0 : (products / squares * values.length + 1) / (values.length - 3)
}
