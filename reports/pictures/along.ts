/** What is measured along a quantity, one line for each mode with its intervals, and where the better one changes. Both axes logarithmic. */
import { band, legend, line, logScale, mark, path, rect, svg, text, upright, xAxis, yAxis, type Frame, type Scale } from '../svg.js'

export interface AlongPoint {
  readonly x: number
  readonly mean: number
  readonly low: number | undefined
  readonly high: number | undefined
}

export interface AlongSeries {
  readonly name: string
  readonly className: string
  /** By ascending x, all above 0. */
  readonly points: readonly AlongPoint[]
}

export interface Crossing {
  readonly at: number
  /** Bounds of what the data do not exclude; absent where they lie beyond what was measured. */
  readonly low: number | undefined
  readonly high: number | undefined
  readonly name: string
}

export interface Along {
  readonly name: string
  readonly caption: string
  readonly xLabel: (value: number) => string
  readonly yLabel: (value: number) => string
  readonly series: readonly AlongSeries[]
  readonly crossings: readonly Crossing[]
}

const FRAME: Frame = { width: 960, height: 360, left: 84, right: 24, top: 34, bottom: 48 }

export function alongPicture({ name, caption, xLabel, yLabel, series, crossings }: Along): string {
  const drawn = series.filter(({ points }) => points.length > 0)
  if (drawn.length === 0) return ''
  const all = drawn.flatMap(({ points }) => points)
  const quantities = [...new Set(all.map(({ x }) => x))].sort((a, b) => a - b)
  const bounds = all.flatMap(({ mean, low, high }) => [mean, low ?? mean, high ?? mean]).filter((value) => value > 0)
  const x = logScale(quantities[0]!, Math.max(quantities[quantities.length - 1]!, quantities[0]! * 1.01), FRAME.left + 12, FRAME.width - FRAME.right - 12)
  const y = logScale(Math.min(...bounds) / 1.1, Math.max(...bounds) * 1.15, FRAME.height - FRAME.bottom, FRAME.top)
  return svg(FRAME, name, [
    yAxis(FRAME, y, yLabel), xAxis(FRAME, { ...x, ticks: apart(quantities, x) }, xLabel, caption),
    legend(FRAME, drawn.map(({ name: mode, className }) => ({ name: mode, className: `key ${className}` }))),
    // One beyond what is drawn is told elsewhere.
    ...crossings.filter(({ at }) => at >= quantities[0]! && at <= quantities[quantities.length - 1]!).map((crossing, index) => crossed(crossing, x, index)), ...drawn.map((one) => course(one, x, y)),
  ].join(''))
}

/** The measured quantities, less those whose labels would touch. */
function apart(quantities: readonly number[], x: Scale): number[] {
  const kept: number[] = []
  for (const quantity of quantities) if (kept.length === 0 || x.at(quantity) - x.at(kept[kept.length - 1]!) >= 64) kept.push(quantity)
  return kept
}

function course({ name, className, points }: AlongSeries, x: Scale, y: Scale): string {
  const bounded = points.filter(({ low, high }) => low !== undefined && high !== undefined)
  const haze = bounded.length < 2 ? '' : band(bounded.map((point) => [x.at(point.x), y.at(point.high!)] as const), bounded.map((point) => [x.at(point.x), y.at(point.low!)] as const), `haze ${className}`)
  const whiskers = bounded.map((point) => upright(x.at(point.x), y.at(point.low!), y.at(point.high!), `line thin ${className}`)).join('')
  return haze + path(points.map((point) => [x.at(point.x), y.at(point.mean)] as const), `line ${className}`) + whiskers
    + points.map((point) => mark('dot', x.at(point.x), y.at(point.mean), className, name)).join('')
}

function crossed({ at, low, high, name }: Crossing, x: Scale, index: number): string {
  const bottom = FRAME.height - FRAME.bottom
  const left = low === undefined ? FRAME.left : Math.max(FRAME.left, x.at(low))
  const right = high === undefined ? FRAME.width - FRAME.right : Math.min(FRAME.width - FRAME.right, x.at(high))
  const beyond = x.at(at) > FRAME.width / 2
  return rect(left, FRAME.top, right - left, bottom - FRAME.top, 'track', name) + line(x.at(at), FRAME.top, x.at(at), bottom, 'line thin dashed ink')
    + text(x.at(at) + (beyond ? -6 : 6), FRAME.top + 12 + 16 * index, name, `${beyond ? 'text-anchor="end" ' : ''}class="figure"`)
}
