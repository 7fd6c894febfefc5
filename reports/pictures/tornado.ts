/** How much each input matters: the result with the input a fifth smaller and a fifth larger, the most telling input on top. */
import { leftOf, legend, line, linearScale, rect, svg, text, xAxis, type Frame } from '../svg.js'

export interface Lever {
  readonly name: string
  readonly less: number
  readonly more: number
}

const ROW = 28

export function tornadoPicture(name: string, levers: readonly Lever[], now: number, label: (value: number) => string, caption: string): string {
  if (levers.length === 0) return ''
  const sorted = [...levers].sort((a, b) => Math.abs(b.more - b.less) - Math.abs(a.more - a.less))
  const frame: Frame = { width: 960, height: 34 + sorted.length * ROW + 48, left: leftOf(sorted.map((lever) => lever.name)), right: 60, top: 34, bottom: 48 }
  const values = [now, ...sorted.flatMap(({ less, more }) => [less, more])]
  const air = (Math.max(...values) - Math.min(...values)) * 0.06 || Math.max(now, 1) * 0.1
  const x = linearScale(Math.max(0, Math.min(...values) - air), Math.max(...values) + air, frame.left, frame.width - frame.right, 6)
  const bottom = frame.height - frame.bottom
  const bars = sorted.map((lever, index) => {
    const y = frame.top + index * ROW
    const bar = (value: number, className: string, words: string) => rect(Math.min(x.at(now), x.at(value)), y + 6, Math.abs(x.at(value) - x.at(now)), ROW - 12, className, `${lever.name}, ${words}: ${label(value)}`)
    return text(frame.left - 12, y + ROW / 2 + 4, lever.name, 'text-anchor="end"') + bar(lever.less, 'c1', 'a fifth less') + bar(lever.more, 'c4', 'a fifth more')
  })
  const grid = x.ticks.map((tick) => line(x.at(tick), frame.top, x.at(tick), bottom, 'grid')).join('')
  return svg(frame, name, grid + bars.join('') + line(x.at(now), frame.top, x.at(now), bottom, 'axis') + xAxis(frame, x, label, caption)
    + legend(frame, [{ name: 'a fifth less', className: 'key c1' }, { name: 'a fifth more', className: 'key c4' }]))
}
