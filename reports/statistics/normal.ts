/** The standard normal distribution: how likely a value below z is, and the other way round. Right to twelve digits or more, in the tails as well. */
import { demandShare } from './misuse.js'

const DENSITY_AT_0 = 1 / Math.sqrt(2 * Math.PI)
/** Beyond this many standard deviations the fraction converges faster than the series, and nothing cancels. */
const TAIL = 2.5
/** Levels of the fraction; at z = 2.5 thirty suffice. */
const LEVELS = 60

/** P(Z ≤ z). */
export function normalCdf(z: number): number {
  if (z > 0) return 1 - normalCdf(-z)
  const density = DENSITY_AT_0 * Math.exp((-z * z) / 2)
  if (z < -TAIL) {
    // Laplace's continued fraction (Abramowitz and Stegun 26.2.14), from its end.
    let fraction = -z
    for (let level = LEVELS; level > 0; level--) fraction = level / fraction - z
    return density / fraction
  }
  // The series z + z³/3 + z⁵/(3·5) + … (Abramowitz and Stegun 26.2.11).
  let term = z
  let sum = z
  for (let odd = 3; Math.abs(term) > 1e-17 * Math.abs(sum); odd += 2) {
    term *= (z * z) / odd
    sum += term
  }
  return 0.5 + density * sum
}

/** The z with P(Z ≤ z) = p, for 0 < p < 1: Hastings' approximation (Abramowitz and Stegun 26.2.23), then Halley's steps to full precision. */
export function normalQuantile(p: number): number {
  demandShare(p, 'a probability')
  if (p > 0.5) return -normalQuantile(1 - p)
  const t = Math.sqrt(-2 * Math.log(p))
  let z = -t + (2.515517 + t * (0.802853 + t * 0.010328)) / (1 + t * (1.432788 + t * (0.189269 + t * 0.001308)))
  for (let step = 0; step < 3; step++) {
    const newton = (normalCdf(z) - p) / (DENSITY_AT_0 * Math.exp((-z * z) / 2))
    z -= newton / (1 + (z * newton) / 2)
  }
  return z
}
