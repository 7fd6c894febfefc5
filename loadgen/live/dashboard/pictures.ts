/** The pictures of a run in progress: the same lines and colours as in the report, over the seconds since the run began. Knows its course, not how it gets to a page. */
import { count, duration } from '../../../reports/format.js'
import { legend, linearScale, logScale, path, rect, svg, text, xAxis, yAxis, type Frame, type LegendEntry, type Scale } from '../../../reports/svg.js'
import type { CoursePoint } from '../course.js'
import { PHASE_NAMES } from './words.js'

const FRAME: Frame = { width: 640, height: 280, left: 66, right: 16, top: 46, bottom: 44 }

interface Curve extends LegendEntry {
  readonly lineClass: string
  readonly value: (point: CoursePoint) => number
}

const key = (name: string, colour: string, value: Curve['value']): Curve => ({ name, className: `key ${colour}`, lineClass: `line ${colour}`, value })

const RATES: readonly Curve[] = [
  key('planned', 'c0', ({ rates }) => rates.planned), key('accepted', 'c1', ({ rates }) => rates.accepted), key('delivered', 'c3', ({ rates }) => rates.delivered),
  key('not accepted', 'c4', ({ rates }) => rates.notAccepted), key('ended otherwise', 'c5', ({ rates }) => rates.otherwise),
]
const DELAYS: readonly Curve[] = [
  key('to answer p99', 'c1 dashed', ({ answerP99Us }) => answerP99Us), key('to result p50', 'c3', ({ resultP50Us }) => resultP50Us), key('to result p99', 'c3 dashed', ({ resultP99Us }) => resultP99Us),
]
const HELD: readonly Curve[] = [key('in flight', 'c1', ({ inFlight }) => inFlight), key('for offline recipients', 'c2', ({ waiting }) => waiting)]
const PART_COLOURS = ['c2', 'c1', 'c3', 'c4', 'c5', 'c0']

export function ratesPicture(points: readonly CoursePoint[]): string {
  return linear('Pushes per second since the run began', points, RATES, highest(points, RATES, 1) * 1.08, count)
}

/** A second in which nothing ended has no delay. */
export function delaysPicture(points: readonly CoursePoint[]): string {
  const values = points.flatMap((point) => DELAYS.map(({ value }) => value(point))).filter((value) => value > 0)
  const y = logScale(Math.min(1_000, ...values), Math.max(10_000, ...values) * 1.2, FRAME.height - FRAME.bottom, FRAME.top)
  return picture('Delays from the planned time, second by second', points, DELAYS, y, duration, (value) => value > 0)
}

export function heldPicture(points: readonly CoursePoint[]): string {
  return linear('Pushes accepted and without an outcome', points, HELD, highest(points, HELD, 10) * 1.08, count)
}

export function busyPicture(points: readonly CoursePoint[]): string {
  const names = Object.keys(points.at(-1)?.busy ?? {})
  const curves = names.map((name, index) => key(name, PART_COLOURS[index % PART_COLOURS.length]!, ({ busy }) => 100 * (busy[name] ?? 0)))
  return linear('Busy share of each part’s busiest event loop', points, curves, 100, (value) => `${value} %`)
}

function highest(points: readonly CoursePoint[], curves: readonly Curve[], least: number): number {
  return points.reduce((most, point) => curves.reduce((top, { value }) => Math.max(top, value(point)), most), least)
}

function linear(name: string, points: readonly CoursePoint[], curves: readonly Curve[], top: number, label: (value: number) => string): string {
  return picture(name, points, curves, linearScale(0, top, FRAME.height - FRAME.bottom, FRAME.top, 4), label, () => true)
}

function picture(name: string, points: readonly CoursePoint[], curves: readonly Curve[], y: Scale, label: (value: number) => string, isThere: (value: number) => boolean): string {
  const last = points.at(-1)
  const x = linearScale(0, Math.max(30, last === undefined ? 0 : last.fromSecond + last.seconds), FRAME.left, FRAME.width - FRAME.right, 6)
  const middle = ({ fromSecond, seconds }: CoursePoint): number => x.at(fromSecond + seconds / 2)
  return svg(FRAME, name, [
    phases(points, x), yAxis(FRAME, y, label), xAxis(FRAME, x, (tick) => `${tick} s`, 'since the run began'), legend(FRAME, curves),
    ...curves.map(({ value, lineClass }) => path(points.filter((point) => isThere(value(point))).map((point) => [middle(point), y.at(value(point))] as const), lineClass)),
  ].join(''))
}

/** Every other phase on a shaded ground, named where there is room. */
function phases(points: readonly CoursePoint[], x: Scale): string {
  const stretches: { readonly name: string; readonly from: number; to: number }[] = []
  for (const { phase, fromSecond, seconds } of points) {
    const name = PHASE_NAMES[phase]
    const last = stretches.at(-1)
    if (last?.name === name) last.to = fromSecond + seconds
    else stretches.push({ name, from: fromSecond, to: fromSecond + seconds })
  }
  return stretches.map(({ name, from, to }, index) => {
    const left = x.at(from)
    const width = x.at(to) - left
    const ground = index % 2 === 1 ? rect(left, FRAME.top, width, FRAME.height - FRAME.bottom - FRAME.top, 'track') : ''
    return ground + (width > name.length * 7 + 8 ? text(left + 4, FRAME.top - 6, name) : '')
  }).join('')
}
