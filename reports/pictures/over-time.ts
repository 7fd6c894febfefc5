/** Pictures along the measured seconds: rates, latency with the generator's lag, and outcomes stacked. One point or bar a second, or a bucket of seconds in a long run. */
import { bucketSize, condensed, intervalUnit } from '../condense.js'
import { count, duration } from '../format.js'
import type { RunRecord } from '../record.js'
import { OUTCOME_CLASSES } from '../stages.js'
import { band, legend, linearScale, logScale, path, rect, svg, xAxis, yAxis, type Frame, type LegendEntry, type Scale } from '../svg.js'

const FRAME: Frame = { width: 960, height: 300, left: 72, right: 24, top: 34, bottom: 48 }
type Interval = RunRecord['intervals'][number]

function seconds(record: RunRecord): Scale {
  return linearScale(0, Math.max(1, record.intervals.length), FRAME.left, FRAME.width - FRAME.right, 8)
}

function picture(record: RunRecord, name: string, y: Scale, label: (value: number) => string, entries: readonly LegendEntry[], content: string): string {
  return svg(FRAME, name, yAxis(FRAME, y, label) + xAxis(FRAME, seconds(record), (tick) => `${tick} ${intervalUnit(record).sign}`, caption(record)) + legend(FRAME, entries) + content)
}

function caption(record: RunRecord): string {
  const size = bucketSize(record)
  const { name, sign } = intervalUnit(record)
  return size === 1 ? `${name}s after the warm-up` : `${name}s after the warm-up; each point is ${size} ${sign}: mean rate, worst latency`
}

/** The middle of each second against a value of it. */
function curve(record: RunRecord, y: Scale, value: (interval: Interval) => number, className: string): string {
  const x = seconds(record)
  return path(condensed(record).map((interval) => [x.at(interval.second + bucketSize(record) / 2), y.at(value(interval))] as const), className)
}

/** The rates' frame, and below it that of the generator's lag, over the same seconds. */
const RATES: Frame = { ...FRAME, height: 420, bottom: 152 }
const LAG: Frame = { ...FRAME, height: 420, top: 306 }

export function ratesPicture(record: RunRecord): string {
  if (record.intervals.length === 0) return ''
  const intervals = condensed(record)
  const top = Math.max(1, ...intervals.flatMap(({ planned, accepted, delivered }) => [planned, accepted, delivered]))
  const y = linearScale(0, top * 1.08, RATES.height - RATES.bottom, RATES.top)
  const late = linearScale(0, Math.max(1_000, ...intervals.map(({ lagP99Us }) => lagP99Us)) * 1.08, LAG.height - LAG.bottom, LAG.top, 2)
  const entries = [
    { name: 'offered', className: 'key c0' }, { name: 'accepted', className: 'key c1' }, { name: 'delivered', className: 'key c3' }, { name: 'generator lag p99', className: 'key c4' },
  ]
  const x = seconds(record)
  const lag = intervals.map((interval) => [x.at(interval.second + bucketSize(record) / 2), late.at(interval.lagP99Us)] as const)
  return svg(RATES, 'Offered, accepted and delivered pushes per second, and how late the generator was', [
    yAxis(RATES, y, count), yAxis(LAG, late, duration), xAxis(LAG, x, (tick) => `${tick} ${intervalUnit(record).sign}`, caption(record)), legend(RATES, entries),
    curve(record, y, ({ planned }) => planned, 'line c0'), curve(record, y, ({ accepted }) => accepted, 'line c1'), curve(record, y, ({ delivered }) => delivered, 'line c3'),
    band(lag, lag.map(([at]) => [at, late.at(0)] as const), 'faint c4'), path(lag, 'line c4'),
  ].join(''))
}

export function latencyPicture(record: RunRecord): string {
  const parts = [
    { name: 'end to end p50', className: 'c3', value: (interval: Interval) => interval.endToEndP50Us },
    { name: 'end to end p99', className: 'c3 dashed', value: (interval: Interval) => interval.endToEndP99Us },
    { name: 'accepted p99', className: 'c1 dashed', value: (interval: Interval) => interval.submitP99Us },
    { name: 'generator lag p99', className: 'c0 dashed', value: (interval: Interval) => interval.lagP99Us },
  ]
  const values = condensed(record).flatMap((interval) => parts.map(({ value }) => value(interval))).filter((value) => value > 0)
  if (values.length === 0) return ''
  const y = logScale(Math.min(...values), Math.max(...values) * 1.2, FRAME.height - FRAME.bottom, FRAME.top)
  const entries = parts.map(({ name, className }) => ({ name, className: `key ${className}` }))
  return picture(record, `Latency per ${intervalUnit(record).name}`, y, duration, entries, parts.map(({ className, value }) => curve(record, y, value, `line ${className}`)).join(''))
}

export function outcomesPicture(record: RunRecord): string {
  const seen = OUTCOME_CLASSES.filter(([name]) => record.intervals.some((interval) => outcomeCount(interval, name) > 0))
  if (seen.length === 0) return ''
  const top = Math.max(1, ...condensed(record).map((interval) => seen.reduce((sum, [name]) => sum + outcomeCount(interval, name), 0)))
  const unit = intervalUnit(record).name
  const x = seconds(record)
  const y = linearScale(0, top * 1.08, FRAME.height - FRAME.bottom, FRAME.top)
  const width = Math.max(1, x.at(bucketSize(record)) - x.at(0) - 1)
  const bars = condensed(record).flatMap((interval) => {
    let below = 0
    return seen.flatMap(([name, className]) => {
      const value = outcomeCount(interval, name)
      if (value === 0) return []
      const bar = rect(x.at(interval.second), y.at(below + value), width, y.at(below) - y.at(below + value), className, `${unit} ${interval.second}: ${value} ${name}`)
      below += value
      return [bar]
    })
  })
  return picture(record, 'Final outcomes per second, stacked', y, count, seen.map(([name, className]) => ({ name, className })), bars.join(''))
}

export function outcomeCount(interval: Interval, name: string): number {
  return name === 'delivered' ? interval.delivered : (interval.outcomes[name] ?? 0)
}
