/**
 * The distribution of latency by mode as staircases, a panel for each mode with a band that holds the whole true one at once (Dvoretzky,
 * Kiefer and Wolfowitz), the other modes thin behind it. The band counts trials, not pushes: pushes of one trial are not independent.
 */
import { duration, shareText } from '../format.js'
import { dkwHalfWidth } from '../statistics/ecdf.js'
import { band, linearScale, logScale, path, stairs, svg, text, xAxis, yAxis, type Frame, type Scale } from '../svg.js'
import { table } from '../table.js'

export interface Distribution {
  readonly name: string
  readonly className: string
  /** [microseconds, share that took no longer], ascending. */
  readonly points: readonly (readonly [number, number])[]
  readonly trials: number
}

const WIDTH = 960
const PANEL_HEIGHT = 240
const COLUMNS_MAX = 3
const LEFT = 56
const SHARES = [0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999]

export function ecdfPicture(name: string, given: readonly Distribution[], level: number): string {
  const shown = withPoints(given)
  if (shown.length === 0) return ''
  const columns = Math.min(COLUMNS_MAX, shown.length)
  const height = PANEL_HEIGHT * Math.ceil(shown.length / columns)
  const values = shown.flatMap(({ points }) => points.map(([micros]) => Math.max(1, micros)))
  const range = [Math.min(...values), Math.max(...values, Math.min(...values) * 1.1)] as const
  const panels = shown.map((mode, index) => {
    const row = Math.floor(index / columns)
    const column = index % columns
    const room = WIDTH / columns
    const frame: Frame = { width: WIDTH, height, left: column * room + LEFT, right: WIDTH - (column + 1) * room + 14, top: row * PANEL_HEIGHT + 26, bottom: height - (row + 1) * PANEL_HEIGHT + 48 }
    return panel(mode, shown, frame, range, level)
  })
  return svg({ width: WIDTH, height, left: 0, right: 0, top: 0, bottom: 0 }, name, panels.join(''))
}

function panel(mode: Distribution, all: readonly Distribution[], frame: Frame, [least, most]: readonly [number, number], level: number): string {
  const x = logScale(least, most, frame.left, frame.width - frame.right)
  const y = linearScale(0, 1, frame.height - frame.bottom, frame.top, 4)
  const course = ({ points }: Distribution, by = 0) => stairs(points.map(([micros, share]) => [x.at(Math.max(1, micros)), y.at(Math.min(1, Math.max(0, share + by)))] as const))
  const half = dkwHalfWidth(mode.trials, level)
  const base = frame.height - frame.bottom
  return [
    band(course(mode, half), course(mode, -half), `faint ${mode.className}`), yAxis(frame, y, shareText), ...all.filter((other) => other !== mode).map((other) => path(course(other), 'line thin c0')),
    path(course(mode), `line ${mode.className}`), text(frame.left, frame.top - 10, `${mode.name}, ${mode.trials} ${mode.trials === 1 ? 'trial' : 'trials'}`, `class="name ${mode.className}"`),
    xAxis({ ...frame, height: base + 48, bottom: 48 }, { ...x, ticks: fewTicks(x, frame) }, duration, 'latency end to end'),
  ].join('')
}

/** No closer than their labels are wide. */
function fewTicks({ at, ticks }: Scale, frame: Frame): number[] {
  const kept: number[] = []
  for (const tick of ticks) if ((kept.length === 0 || at(tick) - at(kept[kept.length - 1]!) > 60) && at(tick) < frame.width - frame.right - 16) kept.push(tick)
  return kept
}

function withPoints(given: readonly Distribution[]): Distribution[] {
  return given.filter(({ points, trials }) => points.length > 0 && trials > 0)
}

/** How long it took so large a share, at most. */
export function ecdfTable(given: readonly Distribution[], level: number): string {
  const shown = withPoints(given)
  return shown.length === 0 ? '' : table(['<mode', 'trials', 'band ±', ...SHARES.map(shareText)], shown.map(({ name, points, trials }) => [
    name, String(trials), shareText(Math.min(1, dkwHalfWidth(trials, level))),
    ...SHARES.map((share) => { const point = points.find(([, reached]) => reached >= share); return point === undefined ? '–' : duration(point[0]) }),
  ]), 'Latency end to end by mode: how long so large a share took at most')
}
