/**
 * What the statistics refuse. A caller who asks for an interval of no values has a mistake of his own, and an answer made
 * up for him would stand in a report; so misuse throws, and says what would have been right.
 */

/** A statistic was asked of values for which it has no meaning. */
export class MisuseError extends Error {
  override readonly name = 'MisuseError'
}

export function demand(condition: boolean, what: string): asserts condition {
  if (!condition) throw new MisuseError(what)
}

/** A confidence level or another share that must lie strictly between 0 and 1. */
export function demandShare(share: number, name: string): void {
  demand(share > 0 && share < 1, `${name} must lie between 0 and 1, both excluded; it is ${share}`)
}

/** At least `least` values, all of them finite numbers. */
export function demandValues(values: ArrayLike<number>, least: number, name: string): void {
  demand(values.length >= least, `${name} must hold at least ${least} values; there are ${values.length}`)
  for (let index = 0; index < values.length; index++) {
    if (!Number.isFinite(values[index])) throw new MisuseError(`${name} must be finite numbers; value ${index} is ${values[index]}`)
  }
}

/** A whole number of at least `least`. */
export function demandCount(count: number, least: number, name: string): void {
  demand(Number.isSafeInteger(count) && count >= least, `${name} must be a whole number of at least ${least}; it is ${count}`)
}
