/** A measure over the runs of a history, with where it changed for good and the mean of each stretch between. Knows values in their order, not what they are of. */
import { line, linearScale, mark, path, svg, text, xAxis, yAxis, type Frame } from '../svg.js'

export interface History {
  readonly name: string
  readonly runs: readonly { readonly value: number; readonly title: string }[]
  /** By ascending index: the first run after each change, counted from 0, and what to call it. */
  readonly changes: readonly { readonly index: number; readonly name: string }[]
  readonly label: (value: number) => string
}

const FRAME: Frame = { width: 960, height: 280, left: 84, right: 24, top: 34, bottom: 48 }

export function historyPicture({ name, runs, changes, label }: History): string {
  if (runs.length === 0) return ''
  const width = FRAME.width - FRAME.left - FRAME.right
  const at = (index: number): number => FRAME.left + ((index + 0.5) / runs.length) * width
  const highest = Math.max(...runs.map(({ value }) => value))
  const y = linearScale(0, highest > 0 ? highest * 1.12 : 1, FRAME.height - FRAME.bottom, FRAME.top)
  const every = Math.ceil(runs.length / 16)
  const x = { at: (run: number) => at(run - 1), ticks: runs.map((_, index) => index + 1).filter((run) => run === 1 || run % every === 0) }
  const borders = [0, ...changes.map(({ index }) => index), runs.length]
  const means = borders.slice(1).map((to, stretch) => {
    const from = borders[stretch]!
    const mean = runs.slice(from, to).reduce((sum, { value }) => sum + value, 0) / Math.max(1, to - from)
    return line(at(from) - width / runs.length / 2, y.at(mean), at(to - 1) + width / runs.length / 2, y.at(mean), 'line c1')
  })
  const marks = changes.map(({ index, name: change }, order) => {
    const border = at(index) - width / runs.length / 2
    const beyond = border > FRAME.width / 2
    return line(border, FRAME.top, border, FRAME.height - FRAME.bottom, 'line thin dashed bad') + text(border + (beyond ? -6 : 6), FRAME.top + 10 + 16 * (order % 3), change, `${beyond ? 'text-anchor="end" ' : ''}class="name bad"`)
  })
  return svg(FRAME, name, [
    yAxis(FRAME, y, label), xAxis(FRAME, x, String, 'runs in their order'), path(runs.map(({ value }, index) => [at(index), y.at(value)] as const), 'line thin c0'),
    ...means, ...runs.map(({ value, title }, index) => mark('dot', at(index), y.at(value), 'c0', title)), ...marks,
  ].join(''))
}
