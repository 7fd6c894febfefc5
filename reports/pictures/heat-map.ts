/** The heat map: when each latency occurred and how often, darker for more. Neighbours of one shade are drawn as one bar, so an hour costs no more than a minute. */
import { count, duration, percent } from '../format.js'
import { leastOfRow } from '../heat.js'
import type { HeatMap, RunRecord } from '../record.js'
import { linearScale, logScale, px, rect, svg, text, xAxis, yAxis, type Frame } from '../svg.js'
import { table } from '../table.js'

const FRAME: Frame = { width: 960, height: 330, left: 72, right: 24, top: 34, bottom: 48 }
/** Each shade is a class `h1` to `h7` of the style sheet. */
const SHADES = 7

export function heatPicture({ heatMap }: RunRecord): string {
  if (heatMap === undefined) return ''
  const { columns, columnSeconds, rowsPerDecade } = heatMap
  const [lowest, highest] = rowsOf(heatMap)
  const x = linearScale(0, columns.length * columnSeconds, FRAME.left, FRAME.width - FRAME.right, 8)
  const y = logScale(leastOfRow(lowest, rowsPerDecade), leastOfRow(highest + 1, rowsPerDecade), FRAME.height - FRAME.bottom, FRAME.top)
  const most = Math.max(...columns.flatMap(({ counts }) => counts))
  const paths = Array.from({ length: SHADES + 1 }, () => '')
  for (let row = lowest; row <= highest; row++) {
    const top = y.at(leastOfRow(row + 1, rowsPerDecade))
    const height = px(y.at(leastOfRow(row, rowsPerDecade)) - top)
    let column = 0
    while (column < columns.length) {
      const shade = shadeOf(countAt(heatMap, column, row), most)
      const from = column
      while (column < columns.length && shadeOf(countAt(heatMap, column, row), most) === shade) column++
      const left = x.at(from * columnSeconds)
      const width = px(x.at(column * columnSeconds) - left)
      if (shade > 0) paths[shade] += `M${px(left)} ${px(top)}h${width}v${height}h-${width}z`
    }
  }
  const cells = paths.map((d, shade) => (d === '' ? '' : `<path d="${d}" class="h${shade}" shape-rendering="crispEdges"/>`)).join('')
  const caption = columnSeconds === 1 ? 'seconds after the warm-up, by planned time' : `seconds after the warm-up, by planned time; each column is ${columnSeconds} s`
  return svg(FRAME, 'Latency end to end over time: how often each occurred when', yAxis(FRAME, y, duration) + cells + key(most) + xAxis(FRAME, x, (tick) => `${tick} s`, caption))
}

/** 0 where nothing was; the rest by the logarithm, so that a single late push is seen beside a thousand in time. */
function shadeOf(times: number, most: number): number {
  return times === 0 ? 0 : Math.min(SHADES, 1 + Math.floor((SHADES * Math.log(times)) / Math.max(Math.log(most), 1)))
}

function countAt({ columns }: HeatMap, column: number, row: number): number {
  const { lowestRow, counts } = columns[column]!
  return counts[row - lowestRow] ?? 0
}

function rowsOf({ columns }: HeatMap): [lowest: number, highest: number] {
  const used = columns.filter(({ counts }) => counts.length > 0)
  return [Math.min(...used.map(({ lowestRow }) => lowestRow)), Math.max(...used.map(({ lowestRow, counts }) => lowestRow + counts.length - 1))]
}

function key(most: number): string {
  const squares = Array.from({ length: SHADES }, (_, index) => rect(FRAME.left + 34 + index * 16, 4, 16, 12, `h${index + 1}`)).join('')
  return text(FRAME.left, 14.5, 'one') + squares + text(FRAME.left + 40 + SHADES * 16, 14.5, `${count(most)} in a cell`)
}

/** The map's rows summed over time: how many pushes took how long. */
export function heatTable({ heatMap }: RunRecord): string {
  if (heatMap === undefined) return ''
  const { columns, columnSeconds, rowsPerDecade } = heatMap
  const [lowest, highest] = rowsOf(heatMap)
  const sums = Array.from({ length: highest - lowest + 1 }, (_, index) => columns.reduce((sum, _column, at) => sum + countAt(heatMap, at, lowest + index), 0))
  const all = sums.reduce((sum, value) => sum + value, 0)
  let below = 0
  return table(['from', 'to', 'pushes', 'share', 'at most so long', '<most of them around'], sums.map((sum, index) => {
    below += sum
    const busiest = columns.reduce((best, _column, at) => (countAt(heatMap, at, lowest + index) > countAt(heatMap, best, lowest + index) ? at : best), 0)
    return [duration(leastOfRow(lowest + index, rowsPerDecade)), duration(leastOfRow(lowest + index + 1, rowsPerDecade)), count(sum), percent(sum, all), percent(below, all),
      sum === 0 ? '–' : `second ${busiest * columnSeconds}`]
  }), 'Pushes by latency end to end')
}
