/** A model against what was measured: every measured point, the model's value in the same place, and the gap between them drawn. Knows points, not how the model was made. */
import { legend, line, linearScale, mark, path, svg, text, xAxis, yAxis, type Frame } from '../svg.js'

export interface Model {
  readonly name: string
  readonly caption: string
  readonly points: readonly { readonly x: number; readonly measured: number; readonly fitted: number; readonly title: string }[]
  readonly xLabel: (value: number) => string
  readonly yLabel: (value: number) => string
  /** The model's error in words, shown beside it. */
  readonly error: string
}

const FRAME: Frame = { width: 960, height: 320, left: 84, right: 24, top: 34, bottom: 48 }

export function modelPicture({ name, caption, points, xLabel, yLabel, error }: Model): string {
  if (points.length === 0) return ''
  const sorted = [...points].sort((a, b) => a.x - b.x)
  const x = linearScale(0, Math.max(...points.map((point) => point.x), 0) * 1.03 || 1, FRAME.left, FRAME.width - FRAME.right, 6)
  const y = linearScale(0, Math.max(...points.flatMap(({ measured, fitted }) => [measured, fitted])) * 1.12 || 1, FRAME.height - FRAME.bottom, FRAME.top)
  return svg(FRAME, name, [
    yAxis(FRAME, y, yLabel), xAxis(FRAME, x, xLabel, caption), legend(FRAME, [{ name: 'measured', className: 'c3', shape: 'dot' }, { name: 'model', className: 'c1', shape: 'ring' }]),
    path(sorted.map((point) => [x.at(point.x), y.at(point.fitted)] as const), 'line thin c1'),
    ...sorted.map(({ x: at, measured, fitted, title }) => line(x.at(at), y.at(measured), x.at(at), y.at(fitted), 'line thin bad') + mark('ring', x.at(at), y.at(fitted), 'c1', title) + mark('dot', x.at(at), y.at(measured), 'c3', title)),
    text(FRAME.width - FRAME.right, 14.5, error, 'text-anchor="end" class="figure"'),
  ].join(''))
}
