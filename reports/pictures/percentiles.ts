/** The percentile plot: latency over 1/(1 - percentile), both axes logarithmic, one curve per milestone (after Tene's HdrHistogram plot). */
import { duration } from '../format.js'
import type { RunRecord } from '../record.js'
import { STAGE_TEXTS } from '../stages.js'
import { logScale, path, spread, svg, text, xAxis, yAxis, type Frame } from '../svg.js'

const FRAME: Frame = { width: 960, height: 420, left: 72, right: 128, top: 16, bottom: 48 }

export function percentilePicture(record: RunRecord): string {
  const curves = STAGE_TEXTS.flatMap((stage) => {
    const points = record.curves[stage.key] ?? []
    return points.length === 0 ? [] : [{ stage, points }]
  })
  if (curves.length === 0) return ''
  const values = curves.flatMap(({ points }) => points.map(([, micros]) => Math.max(1, micros)))
  const y = logScale(Math.min(...values), Math.max(...values) * 1.1, FRAME.height - FRAME.bottom, FRAME.top)
  const odds = curves.flatMap(({ points }) => points.filter(([percentile]) => percentile < 100).map(([percentile]) => 100 / (100 - percentile)))
  const x = logScale(1, Math.max(100, ...odds), FRAME.left, FRAME.width - FRAME.right)
  const lines = curves.map(({ stage, points }) => {
    const drawn = points.filter(([percentile]) => percentile < 100).map(([percentile, micros]) => [x.at(100 / (100 - percentile)), y.at(Math.max(1, micros))] as const)
    return path(drawn, `line ${stage.className}`)
  })
  const ends = curves.map(({ points }) => y.at(Math.max(1, points[points.length - 1]![1])))
  const names = spread(ends, 16, FRAME.top + 8, FRAME.height - FRAME.bottom)
    .map((at, index) => text(FRAME.width - FRAME.right + 10, at + 4, curves[index]!.stage.name, `class="name ${curves[index]!.stage.className}"`))
  const decades = { ...x, ticks: x.ticks.filter((tick) => Number.isInteger(Math.log10(tick)) || tick === 2) }
  return svg(FRAME, 'Latency by percentile for each milestone', [
    yAxis(FRAME, y, duration), xAxis(FRAME, decades, (tick) => `${Number((100 - 100 / tick).toPrecision(8))} %`, 'percentile of pushes'), ...lines, ...names,
  ].join(''))
}
