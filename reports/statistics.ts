/** What may be concluded from counts. Pure functions; each names its source. */

export interface Interval95 {
  readonly low: number
  readonly high: number
}

const Z95 = 1.959963984540054

/**
 * Wilson's score interval at 95 % for a proportion (E. B. Wilson 1927), without continuity correction.
 * Undefined when nothing was tried: no attempts, no statement.
 */
export function wilson95(successes: number, attempts: number): Interval95 | undefined {
  if (attempts <= 0) return undefined
  const share = successes / attempts
  const z2 = Z95 * Z95
  const centre = (share + z2 / (2 * attempts)) / (1 + z2 / attempts)
  const half = (Z95 / (1 + z2 / attempts)) * Math.sqrt((share * (1 - share)) / attempts + z2 / (4 * attempts * attempts))
  return { low: successes === 0 ? 0 : centre - half, high: successes === attempts ? 1 : centre + half }
}
