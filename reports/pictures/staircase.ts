/** How many nodes so many subscribers take: one staircase for each need, and where the plan stands on it. */
import { count } from '../format.js'
import { people } from '../quantity.js'
import { legend, line, linearScale, mark, path, stairs, svg, text, xAxis, yAxis, type Frame } from '../svg.js'

export interface Flight {
  readonly name: string
  readonly className: string
  /** [subscribers, nodes], ascending: from so many subscribers on it takes so many nodes. */
  readonly steps: readonly (readonly [number, number])[]
}

const FRAME: Frame = { width: 960, height: 340, left: 72, right: 24, top: 34, bottom: 48 }

/** @param end how far to draw it; @param measuredTo subscribers beyond which it is extrapolated, where it is */
export function staircasePicture(flights: readonly Flight[], plan: { readonly subscribers: number; readonly nodes: number }, end: number | undefined, measuredTo: number | undefined): string {
  const drawn = flights.filter(({ steps }) => steps.length > 0)
  if (drawn.length === 0) return ''
  const widest = Math.max(plan.subscribers, end ?? 0, ...drawn.flatMap(({ steps }) => steps.map(([subscribers]) => subscribers)))
  const x = linearScale(0, widest, FRAME.left, FRAME.width - FRAME.right, 6)
  const y = linearScale(0, Math.max(plan.nodes, ...drawn.flatMap(({ steps }) => steps.map(([, nodes]) => nodes))) * 1.12, FRAME.height - FRAME.bottom, FRAME.top)
  const lines = drawn.map(({ className, steps }) => path(stairs([...steps, [widest, steps[steps.length - 1]![1]] as const].map(([subscribers, nodes]) => [x.at(subscribers), y.at(nodes)] as const)), `line ${className}`))
  const border = measuredTo === undefined || measuredTo >= widest ? '' : line(x.at(measuredTo), FRAME.top, x.at(measuredTo), FRAME.height - FRAME.bottom, 'line thin dashed c0') + text(x.at(measuredTo) + 6, FRAME.height - FRAME.bottom - 8, 'beyond: extrapolated')
  const here = `${count(plan.subscribers)} subscribers: ${count(plan.nodes)} nodes`
  return svg(FRAME, 'Nodes by the number of subscribers', [
    yAxis(FRAME, { ...y, ticks: y.ticks.filter(Number.isInteger) }, count), xAxis(FRAME, x, people, 'subscribers'), legend(FRAME, drawn.map(({ name, className }) => ({ name, className: `key ${className}` }))),
    border, ...lines, line(x.at(plan.subscribers), y.at(plan.nodes), x.at(plan.subscribers), FRAME.height - FRAME.bottom, 'line thin dashed ink'), mark('ring', x.at(plan.subscribers), y.at(plan.nodes), 'ink', here),
    text(FRAME.width - FRAME.right, 14.5, here, 'text-anchor="end" class="figure name"'),
  ].join(''))
}
