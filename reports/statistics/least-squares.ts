/**
 * A linear law of several quantities by weighted least squares: processor time against pushes, octets and registrations, say. No
 * coefficient is below 0, since no work is undone by more of it. Knows numbers, not what is counted.
 */
import { studentQuantile } from './distributions.js'
import type { Interval } from './interval.js'
import { demand, demandShare } from './misuse.js'

export interface Observation {
  /** One value for each quantity, in the same order in every observation. */
  readonly x: readonly number[]
  readonly y: number
}

export interface LinearLaw {
  /** One for each quantity; 0 where the data would have it below 0, or where it never varied from 0. */
  readonly coefficients: readonly number[]
  /** Degrees of freedom left; with 0 there are no intervals. */
  readonly freedom: number
  /** y at these quantities. */
  at(x: readonly number[]): number
  /** The interval of the mean of y there; undefined without freedom. */
  interval(x: readonly number[], level: number): Interval | undefined
  /** The interval of one coefficient; undefined without freedom. */
  coefficientInterval(index: number, level: number): Interval | undefined
}

/**
 * The law y = Σ bᵢ xᵢ with the least squares of *relative* residuals, each observation weighing by 1 / y² (Draper and Smith, "Applied regression
 * analysis", chapter 9), and no bᵢ below 0: of those that would be, the most negative is held at 0 and the rest fitted again. Every y above 0. Undefined
 * when the observations cannot tell the quantities apart. Intervals are those of the law without what is held at 0.
 */
export function fitLinearLaw(observations: readonly Observation[]): LinearLaw | undefined {
  const width = observations[0]?.x.length ?? 0
  for (const { x, y } of observations) {
    demand(x.length === width && x.every(Number.isFinite), 'every observation must have the same quantities, all of them finite numbers')
    demand(y > 0 && Number.isFinite(y), `relative residuals need values above 0; one is ${y}`)
  }
  let active = Array.from({ length: width }, (_, index) => index).filter((index) => observations.some(({ x }) => x[index] !== 0))
  for (;;) {
    const inverse = inverseOf(observations, active)
    if (inverse === undefined) return undefined
    const moments = active.map((index) => observations.reduce((sum, { x, y }) => sum + x[index]! / y, 0))
    const fitted = inverse.map((row) => row.reduce((sum, value, column) => sum + value * moments[column]!, 0))
    const lowest = fitted.reduce((least, value, position) => (value < fitted[least]! ? position : least), 0)
    if (fitted.length === 0 || fitted[lowest]! >= 0) return lawOf(observations, width, active, fitted, inverse)
    active = active.filter((_, position) => position !== lowest)
  }
}

function lawOf(observations: readonly Observation[], width: number, active: readonly number[], fitted: readonly number[], inverse: readonly (readonly number[])[]): LinearLaw {
  const coefficients = new Array<number>(width).fill(0)
  active.forEach((index, position) => { coefficients[index] = fitted[position]! })
  const at = (x: readonly number[]): number => coefficients.reduce((sum, coefficient, index) => sum + coefficient * x[index]!, 0)
  const freedom = observations.length - active.length
  const variance = observations.reduce((sum, { x, y }) => sum + (at(x) / y - 1) ** 2, 0) / freedom
  const half = (x: readonly number[], level: number): number => {
    const own = active.map((index) => x[index]!)
    const spread = inverse.reduce((sum, row, position) => sum + own[position]! * row.reduce((inner, value, column) => inner + value * own[column]!, 0), 0)
    return studentQuantile((1 + level) / 2, freedom) * Math.sqrt(variance * spread)
  }
  const around = (centre: number, x: readonly number[], level: number): Interval | undefined => {
    demandShare(level, 'the level')
    if (freedom < 1) return undefined
    const width = half(x, level)
    return { low: centre - width, high: centre + width }
  }
  return {
    coefficients, freedom, at,
    interval: (x, level) => around(at(x), x, level),
    coefficientInterval: (index, level) => around(coefficients[index]!, coefficients.map((_, other) => (other === index ? 1 : 0)), level),
  }
}

/** Below this share of what it was, a pivot is rounding: the quantities are one another's sums. */
const SINGULAR = 1e-9

/** (XᵀWX)⁻¹ of the active quantities by Gauss and Jordan, the columns scaled; undefined when it has none. */
function inverseOf(observations: readonly Observation[], active: readonly number[]): number[][] | undefined {
  const scales = active.map((index) => Math.sqrt(observations.reduce((sum, { x, y }) => sum + (x[index]! / y) ** 2, 0)))
  const rows = active.map((row, r) => [
    ...active.map((column, c) => observations.reduce((sum, { x, y }) => sum + (x[row]! / y) * (x[column]! / y), 0) / (scales[r]! * scales[c]!)),
    ...active.map((column) => (column === row ? 1 : 0)),
  ])
  for (let pivot = 0; pivot < rows.length; pivot++) {
    let best = pivot
    for (let row = pivot + 1; row < rows.length; row++) if (Math.abs(rows[row]![pivot]!) > Math.abs(rows[best]![pivot]!)) best = row
    const chosen = rows[best]!
    if (Math.abs(chosen[pivot]!) < SINGULAR) return undefined
    rows[best] = rows[pivot]!
    rows[pivot] = chosen.map((value) => value / chosen[pivot]!)
    for (let row = 0; row < rows.length; row++) {
      if (row === pivot) continue
      const factor = rows[row]![pivot]!
      rows[row] = rows[row]!.map((value, column) => value - factor * rows[pivot]![column]!)
    }
  }
  return rows.map((row, r) => row.slice(rows.length).map((value, c) => value / (scales[r]! * scales[c]!)))
}
