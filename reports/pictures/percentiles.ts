/** The percentile plot: latency over 1/(1 - percentile), both axes logarithmic, one curve per milestone or per run (after Tene's HdrHistogram plot). */
import { duration } from '../format.js'
import type { RunRecord } from '../record.js'
import { STAGE_TEXTS } from '../stages.js'
import { logScale, path, spread, svg, text, xAxis, yAxis, type Frame } from '../svg.js'
import { table } from '../table.js'

const FRAME: Frame = { width: 960, height: 420, left: 72, right: 128, top: 16, bottom: 48 }
const NAME_LENGTH_MAX = 17

export interface Curve {
  readonly name: string
  readonly className: string
  /** [percentile 0 to 100, microseconds], ascending. */
  readonly points: readonly (readonly [number, number])[]
  /** In place of the name in the picture; empty where another of its colour is named. */
  readonly label?: string
}

export function milestonesPicture(record: RunRecord): string {
  return percentilePicture('Latency by percentile for each milestone', curvesOf(record))
}

function curvesOf(record: RunRecord): Curve[] {
  return STAGE_TEXTS.map(({ key, name, className }) => ({ name, className, points: record.curves[key] ?? [] }))
}

/** Empty when no curve has a point. */
export function percentilePicture(name: string, given: readonly Curve[]): string {
  const curves = given.filter(({ points }) => points.length > 0)
  if (curves.length === 0) return ''
  const values = curves.flatMap(({ points }) => points.map(([, micros]) => Math.max(1, micros)))
  const y = logScale(Math.min(...values), Math.max(...values) * 1.1, FRAME.height - FRAME.bottom, FRAME.top)
  const odds = curves.flatMap(({ points }) => points.filter(([percentile]) => percentile < 100).map(([percentile]) => 100 / (100 - percentile)))
  const x = logScale(1, Math.max(100, ...odds), FRAME.left, FRAME.width - FRAME.right)
  const lines = curves.map(({ className, points }) => {
    const drawn = points.filter(([percentile]) => percentile < 100).map(([percentile, micros]) => [x.at(100 / (100 - percentile)), y.at(Math.max(1, micros))] as const)
    return path(drawn, `line ${className}`)
  })
  const named = curves.filter(({ label }) => label !== '')
  const ends = named.map(({ points }) => y.at(Math.max(1, points[points.length - 1]![1])))
  const names = spread(ends, 16, FRAME.top + 8, FRAME.height - FRAME.bottom)
    .map((at, index) => text(FRAME.width - FRAME.right + 10, at + 4, shortened(named[index]!.label ?? named[index]!.name), `class="name ${named[index]!.className}"`))
  const decades = { ...x, ticks: x.ticks.filter((tick) => Number.isInteger(Math.log10(tick)) || tick === 2) }
  return svg(FRAME, name, [
    yAxis(FRAME, y, duration), xAxis(FRAME, decades, (tick) => `${Number((100 - 100 / tick).toPrecision(8))} %`, 'percentile of pushes'), ...lines, ...names,
  ].join(''))
}

function shortened(name: string): string {
  return name.length <= NAME_LENGTH_MAX ? name : `${name.slice(0, NAME_LENGTH_MAX - 1)}…`
}

export function curvesTable(record: RunRecord): string {
  return percentileTable(curvesOf(record))
}

/** A row per percentile, a column per curve. */
export function percentileTable(given: readonly Curve[]): string {
  const curves = given.filter(({ points }) => points.length > 0)
  const percentiles = [...new Set(curves.flatMap(({ points }) => points.map(([percentile]) => percentile)))].sort((a, b) => a - b)
  const values = curves.map(({ points }) => new Map(points))
  return table(['percentile', ...curves.map(({ name }) => name)], percentiles.map((percentile) => [
    `${percentile} %`, ...values.map((value) => { const micros = value.get(percentile); return micros === undefined ? '–' : duration(micros) }),
  ]), 'Latency by percentile')
}
