/**
 * How much was handled inadequately at each rate: every step or trial with its Wilson interval, against the limit. The share
 * is drawn by its logarithm, with none at all on the ground line; a mark's shape says how the step was judged.
 */
import { rate, shareText } from '../format.js'
import { legend, line, logScale, mark, rect, svg, text, upright, xAxis, yAxis, type Frame, type MarkShape, type Scale } from '../svg.js'

export const JUDGEMENTS = ['passed', 'failed', 'left out'] as const
export type Judgement = (typeof JUDGEMENTS)[number]

export interface Step {
  readonly perSecond: number
  readonly share: number
  readonly interval: { readonly low: number; readonly high: number } | undefined
  readonly judgement: Judgement
}

/** A capacity and its interval, drawn upright over the rates. */
export interface Capacity {
  readonly perSecond: number
  readonly low: number
  readonly high: number
}

const FRAME: Frame = { width: 960, height: 340, left: 72, right: 24, top: 34, bottom: 48 }
/** Between the ground line, which is 0, and where the logarithm begins. */
const ZERO_GAP = 18

export const JUDGED: Readonly<Record<Judgement, { readonly shape: MarkShape; readonly className: string }>> = {
  passed: { shape: 'dot', className: 'good' }, failed: { shape: 'cross', className: 'bad' }, 'left out': { shape: 'ring', className: 'c0' },
}

export function judgedLegend(frame: Frame, judgements: readonly Judgement[]): string {
  return legend(frame, JUDGEMENTS.filter((name) => judgements.includes(name)).map((name) => ({ name, ...JUDGED[name] })))
}

/** A logarithmic scale over rates with a little air on both sides. */
export function ratesScale(rates: readonly number[], frame: Frame): Scale {
  const low = Math.min(...rates)
  const high = Math.max(...rates)
  const air = Math.max(1.02, (high / low) ** 0.05)
  const scale = logScale(low / air, high * air, frame.left, frame.width - frame.right)
  // Over less than a factor of three a decade's ticks are too few.
  if (scale.ticks.length >= 3) return scale
  const steps = Array.from({ length: 5 }, (_, index) => Number((low * (high / low) ** (index / 4)).toPrecision(3)))
  return { at: scale.at, ticks: [...new Set(steps)] }
}

/** Of the interval, so that it lies within the scale. */
export function boundsOf(capacity: Capacity | undefined): number[] {
  return capacity === undefined ? [] : [capacity.low, capacity.high].filter((bound) => bound > 0)
}

/** The capacity over the height of a frame. */
export function capacityBand(capacity: Capacity | undefined, x: Scale, frame: Frame): string {
  if (capacity === undefined) return ''
  const { perSecond, low, high } = capacity
  const bottom = frame.height - frame.bottom
  return rect(x.at(low), frame.top, x.at(high) - x.at(low), bottom - frame.top, 'faint c1', capacityText(capacity)) + line(x.at(perSecond), frame.top, x.at(perSecond), bottom, 'line c1')
}

/** Named over the right end of a frame, where nothing else is. */
export function capacityName(capacity: Capacity | undefined, frame: Frame): string {
  return capacity === undefined ? '' : text(frame.width - frame.right, 14.5, capacityText(capacity), 'text-anchor="end" class="name c1"')
}

function capacityText({ perSecond, low, high }: Capacity): string {
  return `DOC ${rate(perSecond)}, ${rate(low)} to ${rate(high)}`
}

/** @param limit the share up to which a step passes; @param name of the picture, for who cannot see it */
export function stepsPicture(name: string, steps: readonly Step[], limit: number, capacity: Capacity | undefined, xCaption = 'offered, attempts per second'): string {
  if (steps.length === 0) return ''
  const shares = steps.flatMap(({ share, interval }) => [share, interval?.low ?? share]).filter((share) => share > 0)
  const floor = 10 ** Math.floor(Math.log10(Math.min(limit > 0 ? limit / 5 : 1e-3, ...shares.map((share) => Math.max(share, 1e-5)))))
  const top = Math.min(1, Math.max(limit * 3, floor * 10, ...steps.map(({ share, interval }) => interval?.high ?? share)))
  const base = FRAME.height - FRAME.bottom
  const log = logScale(floor, top, base - ZERO_GAP, FRAME.top)
  const y: Scale = { at: (share) => (share <= 0 ? base : log.at(share)), ticks: [0, ...log.ticks.filter((tick) => tick > 0)] }
  const x = ratesScale([...steps.map(({ perSecond }) => perSecond), ...boundsOf(capacity)], FRAME)
  const marks = steps.map(({ perSecond, share, interval, judgement }) => {
    const { shape, className } = JUDGED[judgement]
    const whisker = interval === undefined ? '' : upright(x.at(perSecond), y.at(interval.low), y.at(interval.high), `line thin ${className}`)
    const bounds = interval === undefined ? '' : `, interval ${shareText(interval.low)} to ${shareText(interval.high)}`
    return whisker + mark(shape, x.at(perSecond), y.at(share), className, `${rate(perSecond)}: ${shareText(share)}${bounds}, ${judgement}`)
  })
  const limitLine = line(FRAME.left, y.at(limit), FRAME.width - FRAME.right, y.at(limit), 'line thin dashed bad')
    + text(FRAME.width - FRAME.right, y.at(limit) - 6, `limit ${shareText(limit)}`, 'text-anchor="end" class="name bad"')
  return svg(FRAME, name, [
    yAxis(FRAME, y, shareText), xAxis(FRAME, x, rate, xCaption), judgedLegend(FRAME, steps.map(({ judgement }) => judgement)),
    capacityBand(capacity, x, FRAME), capacityName(capacity, FRAME), limitLine, ...marks,
  ].join(''))
}
