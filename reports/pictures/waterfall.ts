/** The stage waterfall: when the median push reaches each milestone, and when 99 of 100 have, counted from its planned time. */
import { duration } from '../format.js'
import type { RunRecord } from '../record.js'
import { STAGE_TEXTS } from '../stages.js'
import { line, linearScale, rect, svg, text, xAxis, type Frame } from '../svg.js'

const ROW = 34

export function waterfallPicture(record: RunRecord): string {
  const rows = STAGE_TEXTS.flatMap((stage) => {
    const summary = record.stages[stage.key]
    return summary === undefined || summary.count === 0 ? [] : [{ stage, summary }]
  })
  if (rows.length === 0) return ''
  const frame: Frame = { width: 960, height: 24 + rows.length * ROW + 48, left: 128, right: 150, top: 8, bottom: 48 }
  const x = linearScale(0, Math.max(...rows.map(({ summary }) => summary.p99Us), 1), frame.left, frame.width - frame.right, 6)
  let reached = 0
  const bars = rows.map(({ stage, summary }, index) => {
    const y = frame.top + index * ROW
    const from = Math.min(reached, summary.p50Us)
    reached = Math.max(reached, summary.p50Us)
    const middle = y + ROW / 2
    return [
      text(frame.left - 10, middle + 4, stage.name, 'text-anchor="end"'),
      rect(x.at(0), y + 8, x.at(from) - x.at(0), ROW - 16, 'track'),
      rect(x.at(from), y + 8, Math.max(2, x.at(summary.p50Us) - x.at(from)), ROW - 16, stage.className, `${stage.meaning}: median ${duration(summary.p50Us)}`),
      line(x.at(summary.p50Us), middle, x.at(summary.p99Us), middle, 'whisker'),
      line(x.at(summary.p99Us), y + 10, x.at(summary.p99Us), y + ROW - 10, 'whisker'),
      text(frame.width - frame.right + 10, middle + 4, `${duration(summary.p50Us)} · p99 ${duration(summary.p99Us)}`, 'class="figure"'),
    ].join('')
  })
  return svg(frame, 'Time from the planned instant to each milestone: median and 99th percentile',
    bars.join('') + xAxis(frame, x, duration, 'time since the planned instant; whisker to the 99th percentile'))
}
