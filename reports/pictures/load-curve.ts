/** What an offered load comes to: above, what was delivered of it; below, how long that took, with the band in which the objective lies. Both over the same rates. */
import { count, duration, rate } from '../format.js'
import { legend, line, linearScale, logScale, mark, path, rect, svg, text, xAxis, yAxis, type Frame, type Scale } from '../svg.js'
import { JUDGED, boundsOf, capacityBand, capacityName, ratesScale, type Capacity, type Judgement } from './steps.js'

export interface LoadPoint {
  readonly perSecond: number
  readonly deliveredPerSecond: number
  readonly p50Us: number | undefined
  readonly p99Us: number | undefined
  readonly judgement: Judgement
}

const UPPER: Frame = { width: 960, height: 560, left: 72, right: 24, top: 34, bottom: 312 }
const LOWER: Frame = { ...UPPER, top: 290, bottom: 48 }

/** @param delayLimitUs the delay limit of the objective, where one is known */
export function loadPicture(points: readonly LoadPoint[], capacity: Capacity | undefined, delayLimitUs: number | undefined): string {
  if (points.length === 0) return ''
  const sorted = [...points].sort((a, b) => a.perSecond - b.perSecond)
  const x = ratesScale([...sorted.map(({ perSecond }) => perSecond), ...boundsOf(capacity)], UPPER)
  return svg(UPPER, 'Delivered pushes and latency end to end against the offered load', [
    delivered(sorted, x, capacity), latency(sorted, x, capacity, delayLimitUs), xAxis(LOWER, x, rate, 'offered, attempts per second'),
    legend(UPPER, [{ name: 'delivered', className: 'key c3' }, { name: 'all that is offered', className: 'key c0' }, { name: 'end to end p50', className: 'key c4' }, { name: 'end to end p99', className: 'key c5' }]),
  ].join(''))
}

function delivered(points: readonly LoadPoint[], x: Scale, capacity: Capacity | undefined): string {
  const low = points[0]!.perSecond
  const high = points[points.length - 1]!.perSecond
  // No more than twice what was ever delivered: an overload tells what became of it, not how high it was.
  const top = Math.max(1, Math.min(high, 2 * Math.max(...points.map(({ deliveredPerSecond }) => deliveredPerSecond)))) * 1.08
  const y = linearScale(0, top, UPPER.height - UPPER.bottom, UPPER.top, 4)
  const ideal = Array.from({ length: 60 }, (_, index) => low * (high / low) ** (index / 59)).filter((perSecond) => perSecond <= top)
  return [
    yAxis(UPPER, y, count), capacityBand(capacity, x, UPPER), capacityName(capacity, UPPER),
    path(ideal.map((perSecond) => [x.at(perSecond), y.at(perSecond)] as const), 'line thin dashed c0'),
    course(points, x, y, ({ deliveredPerSecond }) => deliveredPerSecond, 'c3', (value) => `${rate(value)} delivered`),
  ].join('')
}

function latency(points: readonly LoadPoint[], x: Scale, capacity: Capacity | undefined, delayLimitUs: number | undefined): string {
  const values = points.flatMap(({ p50Us, p99Us }) => [p50Us, p99Us]).filter((value) => value !== undefined && value > 0) as number[]
  if (values.length === 0) return ''
  const y = logScale(Math.min(...values) / 1.3, Math.max(...values, delayLimitUs ?? 0) * 1.3, LOWER.height - LOWER.bottom, LOWER.top)
  const bottom = LOWER.height - LOWER.bottom
  const width = LOWER.width - LOWER.left - LOWER.right
  const objective = delayLimitUs === undefined ? '' : rect(LOWER.left, y.at(delayLimitUs), width, bottom - y.at(delayLimitUs), 'faint good')
    + line(LOWER.left, y.at(delayLimitUs), LOWER.width - LOWER.right, y.at(delayLimitUs), 'line thin dashed good') + text(LOWER.width - LOWER.right - 4, y.at(delayLimitUs) + 15, `in time: within ${duration(delayLimitUs)}`, 'text-anchor="end" class="name good"')
  return [
    objective, yAxis(LOWER, y, duration), capacityBand(capacity, x, LOWER),
    course(points, x, y, ({ p50Us }) => p50Us, 'c4', (value) => `half within ${duration(value)}`), course(points, x, y, ({ p99Us }) => p99Us, 'c5', (value) => `99 of 100 within ${duration(value)}`),
  ].join('')
}

/** A line through the mean at each rate, and every point by how it was judged. */
function course(points: readonly LoadPoint[], x: Scale, y: Scale, value: (point: LoadPoint) => number | undefined, className: string, words: (value: number) => string): string {
  const measured = points.flatMap((point) => { const at = value(point); return at === undefined || point.judgement === 'left out' ? [] : [{ ...point, at }] })
  const rates = [...new Set(measured.map(({ perSecond }) => perSecond))]
  const means = rates.map((perSecond) => {
    const same = measured.filter((point) => point.perSecond === perSecond)
    return [x.at(perSecond), y.at(same.reduce((sum, { at }) => sum + at, 0) / same.length)] as const
  })
  const marks = points.flatMap(({ perSecond, judgement, ...point }) => {
    const at = value({ perSecond, judgement, ...point })
    return at === undefined ? [] : [mark(JUDGED[judgement].shape, x.at(perSecond), y.at(at), judgement === 'left out' ? 'c0' : className, `${rate(perSecond)} offered: ${words(at)}, ${judgement}`)]
  })
  return path(means, `line thin ${className}`) + marks.join('')
}
