/**
 * The regularised incomplete beta function, from which Student's, the beta and the binomial distribution follow. Right to eleven digits or more
 * for parameters up to a hundred million, and in both tails.
 */
import { MisuseError } from './misuse.js'

export interface BetaTails {
  /** I_x(a, b), the part below x. */
  readonly lower: number
  /** The part above, which is not computed as a difference from 1. */
  readonly upper: number
  /** x^a y^b / B(a, b): the density times x y. */
  readonly power: number
}

/** Both tails at x, with y = 1 - x given by the caller, who may know it better than 1 - x would be. a and b above 0, x and y from 0 to 1. */
export function betaTails(x: number, y: number, a: number, b: number): BetaTails {
  const power = x > 0 && y > 0 ? betaPower(x, y, a, b) : 0
  // On this side of its mean the fraction converges fast (DLMF 8.17.22).
  if (x * (a + b + 2) <= a + 1) {
    const lower = (power / a) * fraction(x, a, b)
    return { lower, upper: 1 - lower, power }
  }
  const upper = (power / b) * fraction(y, b, a)
  return { lower: 1 - upper, upper, power }
}

/** The continued fraction of DLMF 8.17.22, evaluated forwards (Lentz's method). Takes some √max(a, b) steps. */
function fraction(x: number, a: number, b: number): number {
  const limit = 200 + 20 * Math.sqrt(Math.max(a, b))
  let upper = 1
  let under = 1 - ((a + b) * x) / (a + 1)
  under = 1 / under
  let value = under
  for (let m = 1; m < limit; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m))
    under = 1 / (1 + even * under)
    upper = 1 + even / upper
    value *= under * upper
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1))
    under = 1 / (1 + odd * under)
    upper = 1 + odd / upper
    value *= under * upper
    if (Math.abs(under * upper - 1) < 1e-15) return value
  }
  throw new MisuseError(`the incomplete beta function of ${a} and ${b} did not settle at ${x}`)
}

/** x^a y^b / B(a, b) without gamma functions, whose logarithms would cancel: Stirling's formula for each, and its error taken from its series. */
function betaPower(x: number, y: number, a: number, b: number): number {
  const difference = x * b - y * a
  // Near the mean both logarithms are small and nearly cancel; far from it log1p would have lost the digits of x.
  const ofX = difference < -0.5 * a ? Math.log((x * (a + b)) / a) : Math.log1p(difference / a)
  const ofY = difference > 0.5 * b ? Math.log((y * (a + b)) / b) : Math.log1p(-difference / b)
  const exponent = a * ofX + b * ofY + stirlingError(a + b) - stirlingError(a) - stirlingError(b)
  return Math.sqrt((a * b) / (2 * Math.PI * (a + b))) * Math.exp(exponent)
}

/** Coefficients of DLMF 5.11.1 without their signs, the last first. */
const STIRLING = [1 / 156, 691 / 360360, 1 / 1188, 1 / 1680, 1 / 1260, 1 / 360, 1 / 12]

/** ln Γ(a) less Stirling's formula for it: the series of DLMF 5.11.1 from 12 on, and up to there by Γ(a + 1) = a Γ(a). */
function stirlingError(a: number): number {
  let error = 0
  let at = a
  for (; at < 12; at++) error += (at + 0.5) * Math.log1p(1 / at) - 1
  const square = 1 / (at * at)
  let series = 0
  for (const term of STIRLING) series = term - square * series
  return error + series / at
}
