/** Chance as these functions take it: handed in by the caller, so that the same seed gives the same interval. */

/** A uniform number in [0, 1), a new one at each call. */
export type Unit = () => number

/** Puts the values from `from` up to, not including, `to` into a random order, each order being equally likely (Fisher and Yates). */
export function shuffle(values: Float64Array, from: number, to: number, unit: Unit): void {
  for (let last = to - 1; last > from; last--) {
    const other = from + Math.floor(unit() * (last - from + 1))
    const value = values[last]!
    values[last] = values[other]!
    values[other] = value
  }
}

/** Fills `into` with values drawn from `from`, with replacement. */
export function drawAgain(from: Float64Array, into: Float64Array, unit: Unit): void {
  const count = from.length
  for (let index = 0; index < into.length; index++) into[index] = from[Math.floor(unit() * count)]!
}
