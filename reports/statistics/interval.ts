/** An interval in the unit of what it is an interval of. What it covers, and at which level, its maker says. */
export interface Interval {
  readonly low: number
  readonly high: number
}
