/**
 * How throughput grows with nodes, cores or load: the universal scalability law (N. Gunther, "Guerrilla capacity planning", 2007, chapter 6;
 * "A general theory of computational scalability based on rational functions", 2008), fitted to measured throughput. Knows points, not how they
 * were made.
 */
import type { Point } from './line.js'
import { demand } from './misuse.js'

export interface ScalabilityFit {
  /** Throughput of one, in the unit of the points' y. */
  readonly lambda: number
  /** Contention: the share that has to queue for something only one can have. */
  readonly sigma: number
  /** Crosstalk: what every pair spends on keeping each other up to date. */
  readonly kappa: number
  /** The root of the mean squared residual, in the unit of the points' y. */
  readonly residual: number
  /** Where throughput is largest and how large it is there; undefined when it grows without end (κ = 0). */
  readonly peak: Point | undefined
}

/** X(N) = λ N / (1 + σ (N - 1) + κ N (N - 1)). */
export function scalabilityAt({ lambda, sigma, kappa }: Pick<ScalabilityFit, 'lambda' | 'sigma' | 'kappa'>, n: number): number {
  return (lambda * n) / (1 + sigma * (n - 1) + kappa * n * (n - 1))
}

/**
 * The law with the least squared error in throughput, and neither σ nor κ below 0. Points: x is N (1 or more), y throughput (above 0); at least
 * three different N. Levenberg and Marquardt's method (D. Marquardt, SIAM 1963) for each way of holding σ or κ at 0; the best of those that keep to it.
 */
export function fitScalability(points: readonly Point[]): ScalabilityFit {
  for (const { x, y } of points) demand(x >= 1 && y > 0 && Number.isFinite(x + y), `a point needs N of at least 1 and throughput above 0; one is (${x}, ${y})`)
  const different = new Set(points.map(({ x }) => x)).size
  demand(different >= 3, `the law needs throughput at 3 different N at least; there are ${different}`)
  let best: Shape | undefined
  for (const way of WAYS) {
    const fitted = descend(points, startOf(points, way), way)
    if (fitted.sigma >= 0 && fitted.kappa >= 0 && (best === undefined || squaresOf(points, fitted) < squaresOf(points, best))) best = fitted
  }
  const { sigma, kappa } = best!
  const law = { lambda: lambdaOf(points, best!), sigma, kappa }
  return { ...law, residual: Math.sqrt(squaresOf(points, best!) / points.length), peak: peakOf(law) }
}

function peakOf(law: Pick<ScalabilityFit, 'lambda' | 'sigma' | 'kappa'>): Point | undefined {
  if (law.sigma < 1 && law.kappa === 0) return undefined
  // Where dX/dN is 0: X is largest at √((1 - σ) / κ); below N = 1 there is nothing to be had.
  const n = law.sigma < 1 ? Math.max(1, Math.sqrt((1 - law.sigma) / law.kappa)) : 1
  return { x: n, y: scalabilityAt(law, n) }
}

/** σ and κ; λ follows from them by linear least squares (G. Golub and V. Pereyra, "The differentiation of pseudo-inverses", SIAM 1973). */
interface Shape {
  readonly sigma: number
  readonly kappa: number
}

/** Which of σ and κ may move; the other is 0. With neither the fit always keeps to the bounds. */
const WAYS = [{ sigma: true, kappa: true }, { sigma: true, kappa: false }, { sigma: false, kappa: true }, { sigma: false, kappa: false }] as const
type Way = (typeof WAYS)[number]

const SIGMAS = [0, 0.01, 0.03, 0.1, 0.3, 0.6, 0.9]
const KAPPAS = [0, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1]

function startOf(points: readonly Point[], way: Way): Shape {
  const grid = (way.sigma ? SIGMAS : [0]).flatMap((sigma) => (way.kappa ? KAPPAS : [0]).map((kappa) => ({ sigma, kappa })))
  return grid.reduce((best, shape) => (squaresOf(points, shape) < squaresOf(points, best) ? shape : best))
}

/** Down to where the squared error no longer falls, however small the step: ten digits of σ and κ. */
function descend(points: readonly Point[], start: Shape, way: Way): Shape {
  let shape = start
  let squares = squaresOf(points, shape)
  let damping = 1e-3
  for (let step = 0; step < 300 && damping < 1e12; step++) {
    const next = stepFrom(shape, slopesAt(points, shape, way), damping)
    const reached = squaresOf(points, next)
    if (reached < squares) {
      shape = next
      squares = reached
      damping = Math.max(damping / 10, 1e-15)
    } else damping *= 10
  }
  return shape
}

/** Half the gradient of the squared error, and the sums of products of the residuals' derivatives, by σ and κ. */
interface Slopes {
  readonly bySigma: number
  readonly byKappa: number
  readonly sigmaSigma: number
  readonly sigmaKappa: number
  readonly kappaKappa: number
}

function slopesAt(points: readonly Point[], shape: Shape, way: Way): Slopes {
  let gx = 0
  let gg = 0
  const sums = { gs: 0, gk: 0, xs: 0, xk: 0 }
  for (const { x: n, y } of points) {
    const { g, dSigma, dKappa } = formAt(n, shape, way)
    gx += g * y
    gg += g * g
    sums.gs += g * dSigma
    sums.gk += g * dKappa
    sums.xs += y * dSigma
    sums.xk += y * dKappa
  }
  const lambda = gx / gg
  const lambdaBySigma = (sums.xs - 2 * lambda * sums.gs) / gg
  const lambdaByKappa = (sums.xk - 2 * lambda * sums.gk) / gg
  const slopes = { bySigma: 0, byKappa: 0, sigmaSigma: 0, sigmaKappa: 0, kappaKappa: 0 }
  for (const { x: n, y } of points) {
    const { g, dSigma, dKappa } = formAt(n, shape, way)
    const residual = lambda * g - y
    const ofSigma = lambdaBySigma * g + lambda * dSigma
    const ofKappa = lambdaByKappa * g + lambda * dKappa
    // λ is at its own minimum, so of the residual's derivatives only those of the form have a share in the gradient.
    slopes.bySigma += residual * lambda * dSigma
    slopes.byKappa += residual * lambda * dKappa
    if (way.sigma) slopes.sigmaSigma += ofSigma * ofSigma
    if (way.sigma && way.kappa) slopes.sigmaKappa += ofSigma * ofKappa
    if (way.kappa) slopes.kappaKappa += ofKappa * ofKappa
  }
  return slopes
}

/** N / (1 + σ (N - 1) + κ N (N - 1)) and its derivatives; one that is held has none. */
function formAt(n: number, { sigma, kappa }: Shape, way: Way): { g: number; dSigma: number; dKappa: number } {
  const under = 1 + sigma * (n - 1) + kappa * n * (n - 1)
  const g = n / under
  return { g, dSigma: way.sigma ? (-g * (n - 1)) / under : 0, dKappa: way.kappa ? (-g * n * (n - 1)) / under : 0 }
}

function stepFrom({ sigma, kappa }: Shape, slopes: Slopes, damping: number): Shape {
  const { bySigma, byKappa, sigmaKappa } = slopes
  const sigmaSigma = slopes.sigmaSigma * (1 + damping) || 1
  const kappaKappa = slopes.kappaKappa * (1 + damping) || 1
  const determinant = sigmaSigma * kappaKappa - sigmaKappa * sigmaKappa
  return {
    sigma: sigma - (bySigma * kappaKappa - byKappa * sigmaKappa) / determinant,
    kappa: kappa - (byKappa * sigmaSigma - bySigma * sigmaKappa) / determinant,
  }
}

function lambdaOf(points: readonly Point[], { sigma, kappa }: Shape): number {
  let gy = 0
  let gg = 0
  for (const { x, y } of points) {
    const g = scalabilityAt({ lambda: 1, sigma, kappa }, x)
    gy += g * y
    gg += g * g
  }
  return gy / gg
}

/** The summed squared error; Infinity where the law has a pole among the points. */
function squaresOf(points: readonly Point[], shape: Shape): number {
  const lambda = lambdaOf(points, shape)
  let squares = 0
  for (const { x, y } of points) {
    const throughput = scalabilityAt({ ...shape, lambda }, x)
    if (!(throughput > 0)) return Infinity
    squares += (throughput - y) ** 2
  }
  return squares
}
