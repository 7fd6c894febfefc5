/** The forest plot: how many times as large each measure is, with its interval, against the line of no difference. Says what was found, by colour, shape and words; not how. */
import { times } from '../format.js'
import { leftOf, line, logScale, lying, mark, niceTicks, rect, svg, text, xAxis, type Frame, type MarkShape, type Scale } from '../svg.js'

export const FINDINGS = ['better', 'worse', 'same', 'inconclusive'] as const
export type Finding = (typeof FINDINGS)[number]

export interface ForestRow {
  /** Rows of one group stand together under it. */
  readonly group?: string
  readonly name: string
  readonly ratio: number
  readonly low: number | undefined
  readonly high: number | undefined
  readonly finding: Finding
  /** Shown in place of the finding's own name. */
  readonly words?: string
}

const ROW = 26
const SHOWN: Readonly<Record<Finding, { readonly shape: MarkShape; readonly className: string }>> = {
  better: { shape: 'dot', className: 'good' }, worse: { shape: 'dot', className: 'bad' }, same: { shape: 'dot', className: 'c0' }, inconclusive: { shape: 'ring', className: 'c0' },
}

/** @param margin within which two are the same, as a ratio: 0.05 is from 1/1.05 to 1.05 */
export function forestPicture(name: string, rows: readonly ForestRow[], caption: string, margin?: number): string {
  if (rows.length === 0) return ''
  const groups = [...new Set(rows.map(({ group }) => group))]
  const lines = groups.flatMap((group) => [...(group === undefined ? [] : [group]), ...rows.filter((row) => row.group === group)])
  const frame: Frame = { width: 960, height: 12 + lines.length * ROW + 48, left: leftOf(rows.map((row) => row.name)), right: 280, top: 12, bottom: 48 }
  const x = ratioScale(rows, margin ?? 0, frame)
  const bottom = frame.height - frame.bottom
  const drawn = lines.map((shown, index) => {
    const y = frame.top + (index + 0.5) * ROW
    return typeof shown === 'string' ? text(0, y + 4, shown, 'class="figure name"') : rowOf(shown, x, y, frame)
  })
  const same = margin === undefined ? '' : rect(x.at(1 / (1 + margin)), frame.top, x.at(1 + margin) - x.at(1 / (1 + margin)), bottom - frame.top, 'track')
  const grid = x.ticks.filter((tick) => tick !== 1).map((tick) => line(x.at(tick), frame.top, x.at(tick), bottom, 'grid')).join('')
  return svg(frame, name, same + grid + line(x.at(1), frame.top, x.at(1), bottom, 'axis') + xAxis(frame, x, (tick) => `${Number(tick.toPrecision(3))} ×`, caption) + drawn.join(''))
}

function rowOf({ name, ratio, low, high, finding, words = finding }: ForestRow, x: Scale, y: number, frame: Frame): string {
  const { shape, className } = SHOWN[finding]
  const interval = low === undefined || high === undefined ? '' : lying(x.at(low), x.at(high), y, `line ${className}`)
  const figures = low === undefined || high === undefined ? times(ratio) : `${times(ratio)} (${ratioText(low)} to ${ratioText(high)})`
  return text(frame.left - 12, y + 4, name, 'text-anchor="end"') + interval + mark(shape, x.at(ratio), y, className, `${name}: ${figures}, ${words}`)
    + text(frame.width - frame.right + 14, y + 4, figures, 'class="figure"') + text(frame.width, y + 4, words, `text-anchor="end" class="name${finding === 'better' ? ' good' : finding === 'worse' ? ' bad' : ''}"`)
}

function ratioText(ratio: number): string {
  return times(ratio).replace(' ×', '')
}

/** Logarithmic, so that twice and half are equally far; the line of no difference is always in it. What lies beyond a thousandfold is drawn at the edge. */
function ratioScale(rows: readonly ForestRow[], margin: number, frame: Frame): Scale {
  const bounds = rows.flatMap(({ ratio, low, high }) => [ratio, low ?? ratio, high ?? ratio]).map((bound) => Math.min(1000, Math.max(0.001, bound)))
  const low = Math.min(1 / (1 + margin), ...bounds) / 1.03
  const high = Math.max(1 + margin, ...bounds) * 1.03
  const scale = logScale(low, high, frame.left, frame.width - frame.right)
  return {
    at: (ratio) => Math.min(frame.width - frame.right, scale.at(ratio)),
    ticks: high / low > 12 ? scale.ticks : niceTicks(low, high, 8).filter((tick) => tick > low),
  }
}
