/** Straight lines by least squares: CPU against rate, bytes against terminals. With how far the points lie from them. */
import { studentQuantile } from './distributions.js'
import type { Interval } from './interval.js'
import { demand, demandShare } from './misuse.js'

export interface Point {
  readonly x: number
  readonly y: number
}

export interface Line {
  /** y at x = 0; 0 for a line through the origin. In the unit of y. */
  readonly intercept: number
  /** In units of y per unit of x. */
  readonly slope: number
  /** The interval of the slope at the level asked for, by Student's t. */
  readonly slopeInterval: Interval
  /** What is left of y: the root of the summed squares over the degrees of freedom. */
  readonly residual: number
}

/** The line y = intercept + slope x; at least three points, at two or more different x (Draper and Smith, "Applied regression analysis", chapter 1). */
export function fitLine(points: readonly Point[], level: number): Line {
  demandPoints(points, 3, level)
  const meanX = points.reduce((sum, { x }) => sum + x, 0) / points.length
  const meanY = points.reduce((sum, { y }) => sum + y, 0) / points.length
  let xx = 0
  let xy = 0
  for (const { x, y } of points) {
    xx += (x - meanX) ** 2
    xy += (x - meanX) * (y - meanY)
  }
  demand(xx > 0, 'a line needs points at two different x')
  const slope = xy / xx
  return lineOf(points, meanY - slope * meanX, slope, xx, points.length - 2, level)
}

/** The line y = slope x: for what is nothing when there is nothing to do. At least two points, not all at x = 0. */
export function fitThroughOrigin(points: readonly Point[], level: number): Line {
  demandPoints(points, 2, level)
  let xx = 0
  let xy = 0
  for (const { x, y } of points) {
    xx += x * x
    xy += x * y
  }
  demand(xx > 0, 'a line through the origin needs a point at another x than 0')
  return lineOf(points, 0, xy / xx, xx, points.length - 1, level)
}

function lineOf(points: readonly Point[], intercept: number, slope: number, xx: number, freedom: number, level: number): Line {
  const squares = points.reduce((sum, { x, y }) => sum + (y - intercept - slope * x) ** 2, 0)
  const residual = Math.sqrt(squares / freedom)
  const half = (studentQuantile((1 + level) / 2, freedom) * residual) / Math.sqrt(xx)
  return { intercept, slope, slopeInterval: { low: slope - half, high: slope + half }, residual }
}

function demandPoints(points: readonly Point[], least: number, level: number): void {
  demand(points.length >= least, `the line needs at least ${least} points; there are ${points.length}`)
  for (const { x, y } of points) demand(Number.isFinite(x) && Number.isFinite(y), `points must be finite numbers; one is (${x}, ${y})`)
  demandShare(level, 'the level')
}
