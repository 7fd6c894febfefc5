/**
 * A small writer of SVG: scales, axes and shapes as text. Colours are CSS classes, so that one picture serves
 * light, dark and print. Knows geometry, not what is drawn.
 */

export interface Frame {
  readonly width: number
  readonly height: number
  readonly left: number
  readonly right: number
  readonly top: number
  readonly bottom: number
}

/** Maps a value to a coordinate, with the values worth a tick. */
export interface Scale {
  readonly at: (value: number) => number
  readonly ticks: readonly number[]
}

export function linearScale(low: number, high: number, from: number, to: number, tickCount = 5): Scale {
  const span = high > low ? high - low : 1
  return { at: (value) => from + ((value - low) / span) * (to - from), ticks: niceTicks(low, high > low ? high : low + 1, tickCount) }
}

/** Base 10; values at or below `low` are drawn at `low`. Ticks are 1, 2 and 5 per decade over few decades, else powers of ten. */
export function logScale(low: number, high: number, from: number, to: number): Scale {
  const bottom = Math.log10(low)
  const span = Math.max(Math.log10(high) - bottom, 1e-9)
  const ticks: number[] = []
  for (let power = Math.floor(bottom); power <= Math.ceil(bottom + span); power++) {
    for (const step of span > 3 ? [1] : [1, 2, 5]) {
      const value = step * 10 ** power
      if (value >= low * 0.999 && value <= high * 1.001) ticks.push(value)
    }
  }
  return { at: (value) => from + ((Math.log10(Math.max(value, low)) - bottom) / span) * (to - from), ticks }
}

/** Round numbers between low and high, about `wanted` of them. */
export function niceTicks(low: number, high: number, wanted: number): number[] {
  const raw = (high - low) / Math.max(1, wanted)
  const power = 10 ** Math.floor(Math.log10(raw))
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= raw * 0.999) ?? 10 * power
  const ticks: number[] = []
  for (let index = Math.ceil(low / step - 1e-9); index * step <= high * (1 + 1e-9); index++) ticks.push(Number((index * step).toPrecision(12)))
  return ticks
}

export function escapeText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}

/** A coordinate with at most one decimal, so that the page stays small. */
export function px(value: number): string {
  return Number(value.toFixed(1)).toString()
}

export function text(x: number, y: number, content: string, attributes = ''): string {
  return `<text x="${px(x)}" y="${px(y)}"${attributes === '' ? '' : ` ${attributes}`}>${escapeText(content)}</text>`
}

export function line(x1: number, y1: number, x2: number, y2: number, className: string): string {
  return `<line x1="${px(x1)}" y1="${px(y1)}" x2="${px(x2)}" y2="${px(y2)}" class="${className}"/>`
}

export function rect(x: number, y: number, width: number, height: number, className: string, title?: string): string {
  const box = `x="${px(x)}" y="${px(y)}" width="${px(Math.max(0, width))}" height="${px(Math.max(0, height))}" class="${className}"`
  return title === undefined ? `<rect ${box}/>` : `<rect ${box}><title>${escapeText(title)}</title></rect>`
}

export function path(points: readonly (readonly [number, number])[], className: string): string {
  if (points.length === 0) return ''
  return `<path d="M${points.map(([x, y]) => `${px(x)} ${px(y)}`).join('L')}" class="${className}"/>`
}

/** What lies between two lines over the same places, for instance an interval around a curve. */
export function band(upper: readonly (readonly [number, number])[], lower: readonly (readonly [number, number])[], className: string): string {
  if (upper.length === 0) return ''
  return `<path d="M${[...upper, ...[...lower].reverse()].map(([x, y]) => `${px(x)} ${px(y)}`).join('L')}Z" class="${className}"/>`
}

/** Told apart by shape as well as by colour: filled, hollow, or crossed. */
export type MarkShape = 'dot' | 'ring' | 'cross'

export function mark(shape: MarkShape, x: number, y: number, className: string, title: string): string {
  const named = `<title>${escapeText(title)}</title>`
  if (shape === 'cross') return `<path d="M${px(x - 4)} ${px(y - 4)}l8 8m0 -8l-8 8" class="line ${className}">${named}</path>`
  return `<circle cx="${px(x)}" cy="${px(y)}" r="4.5" class="${shape === 'ring' ? 'line ring ' : ''}${className}">${named}</circle>`
}

/** An interval drawn upright, with a short stroke at each end. */
export function upright(x: number, y1: number, y2: number, className: string): string {
  return `<path d="M${px(x - 3)} ${px(y1)}h6m-3 0V${px(y2)}m-3 0h6" class="${className}"/>`
}

/** An interval drawn lying. */
export function lying(x1: number, x2: number, y: number, className: string): string {
  return `<path d="M${px(x1)} ${px(y - 4)}v8m0 -4H${px(x2)}m0 -4v8" class="${className}"/>`
}

/** The coordinates of a staircase through the points: level from each point to the next, where it steps. */
export function stairs(points: readonly (readonly [number, number])[]): (readonly [number, number])[] {
  return points.flatMap(([x, y], index) => (index === 0 ? [[x, y] as const] : [[x, points[index - 1]![1]] as const, [x, y] as const]))
}

/** Horizontal grid lines with their labels left of the frame. */
export function yAxis(frame: Frame, scale: Scale, label: (value: number) => string): string {
  return scale.ticks.map((tick) => {
    const y = scale.at(tick)
    return line(frame.left, y, frame.width - frame.right, y, 'grid') + text(frame.left - 8, y + 4, label(tick), 'text-anchor="end"')
  }).join('')
}

/** Tick labels under the frame, with a base line and a caption. */
export function xAxis(frame: Frame, scale: Scale, label: (value: number) => string, caption: string): string {
  const base = frame.height - frame.bottom
  const ticks = scale.ticks.map((tick) => {
    const x = scale.at(tick)
    return line(x, base, x, base + 5, 'axis') + text(x, base + 19, label(tick), 'text-anchor="middle"')
  }).join('')
  return `${line(frame.left, base, frame.width - frame.right, base, 'axis')}${ticks}${text((frame.left + frame.width - frame.right) / 2, frame.height - 4, caption, 'text-anchor="middle" class="caption"')}`
}

export interface LegendEntry {
  readonly name: string
  readonly className: string
  /** Drawn in place of the coloured square. */
  readonly shape?: MarkShape
}

/** One row of colour keys, above the frame. */
export function legend(frame: Frame, entries: readonly LegendEntry[]): string {
  let x = frame.left
  return entries.map(({ name, className, shape }) => {
    const key = (shape === undefined ? rect(x, 4, 12, 12, className) : mark(shape, x + 6, 10, className, name)) + text(x + 17, 14.5, name)
    x += 34 + name.length * 7.4
    return key
  }).join('')
}

/** Room for names left of a frame, by the longest; what is longer than the room is cut by whoever draws it. */
export function leftOf(names: readonly string[]): number {
  return Math.min(330, Math.max(120, 24 + Math.max(...names.map((name) => name.length)) * 7))
}

/** Names close to each other at the right edge are pushed apart so that none covers another. */
export function spread(wanted: readonly number[], gap: number, low: number, high: number): number[] {
  const order = wanted.map((y, index) => ({ y: Math.min(Math.max(y, low), high), index })).sort((a, b) => a.y - b.y)
  for (let index = 1; index < order.length; index++) order[index]!.y = Math.max(order[index]!.y, order[index - 1]!.y + gap)
  const overflow = order.length === 0 ? 0 : Math.max(0, order[order.length - 1]!.y - high)
  for (let index = order.length - 1, limit = Infinity; overflow > 0 && index >= 0; index--) {
    order[index]!.y = Math.min(order[index]!.y, index === order.length - 1 ? high : limit)
    limit = order[index]!.y - gap
  }
  const placed: number[] = []
  for (const { y, index } of order) placed[index] = y
  return placed
}

export function svg(frame: Frame, name: string, content: string): string {
  return `<svg viewBox="0 0 ${frame.width} ${frame.height}" role="img" aria-label="${escapeText(name)}">${content}</svg>`
}
