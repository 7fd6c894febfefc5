/** The trials in the order in which they were performed, each at its value, so that a search is followed and a drift of the machine is seen. */
import { legend, line, mark, rect, svg, text, xAxis, yAxis, type Frame, type LegendEntry, type MarkShape, type Scale } from '../svg.js'

export interface StripTrial {
  /** Undefined where the trial told no value: it is drawn on the ground line. */
  readonly value: number | undefined
  readonly shape: MarkShape
  readonly className: string
  readonly title: string
}

export interface Strip {
  readonly name: string
  readonly trials: readonly StripTrial[]
  readonly entries: readonly LegendEntry[]
  /** Made for the frame's height by `stripFrame`. */
  readonly y: Scale
  readonly label: (value: number) => string
  /** Where all values would lie if nothing changed, with the interval around it; named over the right end. */
  readonly level?: { readonly at: number; readonly low: number; readonly high: number; readonly name: string }
}

export const STRIP: Frame = { width: 960, height: 280, left: 72, right: 24, top: 34, bottom: 48 }

export function stripPicture({ name, trials, entries, y, label, level }: Strip): string {
  if (trials.length === 0) return ''
  const width = STRIP.width - STRIP.left - STRIP.right
  const at = (index: number): number => STRIP.left + ((index + 0.5) / trials.length) * width
  const every = Math.ceil(trials.length / 20)
  const x: Scale = { at: (trial) => at(trial - 1), ticks: trials.map((_, index) => index + 1).filter((trial) => trial === 1 || trial % every === 0) }
  const held = level === undefined ? '' : rect(STRIP.left, y.at(level.high), width, y.at(level.low) - y.at(level.high), 'faint c1')
    + line(STRIP.left, y.at(level.at), STRIP.width - STRIP.right, y.at(level.at), 'line thin c1') + text(STRIP.width - STRIP.right, 14.5, level.name, 'text-anchor="end" class="name c1"')
  const course = trials.map(({ value, shape, className, title }, index) => mark(shape, at(index), value === undefined ? STRIP.height - STRIP.bottom : y.at(value), className, `trial ${index + 1}: ${title}`))
  return svg(STRIP, name, yAxis(STRIP, y, label) + xAxis(STRIP, x, String, 'trials in their order') + legend(STRIP, entries) + held + course.join(''))
}
