/** Two sides of trials for each measure, as dots in two lanes over one axis: how far they scatter, and whether they lie apart. All as ratios to the mean of the first side. */
import { times } from '../format.js'
import { leftOf, legend, line, logScale, mark, niceTicks, svg, text, xAxis, type Frame } from '../svg.js'

export interface Lane {
  readonly name: string
  readonly a: readonly number[]
  readonly b: readonly number[]
  /** By which all values are divided; above 0. */
  readonly unit: number
}

const ROW = 40

/** Measures in which a value is 0 have no ratio and are left out. */
export function lanesPicture(name: string, given: readonly Lane[]): string {
  const lanes = given.filter(({ a, b, unit }) => unit > 0 && [...a, ...b].every((value) => value > 0))
  if (lanes.length === 0) return ''
  const frame: Frame = { width: 960, height: 34 + lanes.length * ROW + 48, left: leftOf(lanes.map((lane) => lane.name)), right: 40, top: 34, bottom: 48 }
  const ratios = lanes.flatMap(({ a, b, unit }) => [...a, ...b].map((value) => value / unit))
  const low = Math.min(0.98, ...ratios) / 1.02
  const high = Math.max(1.02, ...ratios) * 1.02
  const log = logScale(low, high, frame.left, frame.width - frame.right)
  const x = high / low > 12 ? log : { at: log.at, ticks: niceTicks(low, high, 6).filter((tick) => tick >= low) }
  const bottom = frame.height - frame.bottom
  const dots = lanes.map((lane, index) => {
    const y = frame.top + index * ROW
    const side = (values: readonly number[], at: number, className: string, words: string) => values.map((value, trial) => mark('dot', x.at(value / lane.unit), at, className, `${lane.name}, ${words} ${trial + 1}: ${times(value / lane.unit)}`)).join('')
    return text(frame.left - 12, y + ROW / 2 + 4, lane.name, 'text-anchor="end"') + line(frame.left, y + ROW, frame.width - frame.right, y + ROW, 'grid') + side(lane.a, y + 13, 'seen c1', 'A') + side(lane.b, y + 28, 'seen c4', 'B')
  })
  const grid = x.ticks.map((tick) => line(x.at(tick), frame.top, x.at(tick), bottom, tick === 1 ? 'axis' : 'grid')).join('')
  return svg(frame, name, [
    grid, xAxis(frame, x, (tick) => `${Number(tick.toPrecision(3))} ×`, 'relative to the mean of A'), legend(frame, [{ name: 'trials of A', className: 'c1', shape: 'dot' }, { name: 'trials of B', className: 'c4', shape: 'dot' }]), ...dots,
  ].join(''))
}
