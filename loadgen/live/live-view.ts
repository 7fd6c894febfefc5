/**
 * The picture of a run in progress on a terminal, and the one line per interval where there is no terminal. Makes
 * lines from progress, as wide and as many as fit; redraw.ts says how they get there.
 */
import { count, duration, rate } from '../../reports/format.js'
import { cutTo, styled, widthOf, type Style } from '../text-style.js'
import { SATURATED_SHARE } from '../verdict.js'
import type { Counted, Course, CoursePoint, Rates } from './course.js'
import { PHASES, type Delays, type Phase, type Progress } from './progress.js'

const PHASE_WORDS: Readonly<Record<Phase, string>> = { start: 'start', register: 'register', 'warm-up': 'warm up', load: 'load', drain: 'drain', report: 'report' }

/** Where the picture is shown. */
export interface Screen {
  readonly columns: number
  readonly rows: number
  readonly colour: boolean
}

export interface Scene {
  readonly progress: Progress
  readonly course: Course
  /** Seconds by phase, of those that are over. */
  readonly took: ReadonlyMap<Phase, number>
  /** The last line: what one can do. */
  readonly hint: string
}

/** Lines that belong together; where there is no room for all, those of the highest rank go first. */
interface Block {
  readonly rank: number
  readonly lines: readonly string[]
}

/** Narrower than this there are no bars beside the rates. */
const WIDE_COLUMNS = 72

/** No line is wider than the screen, and one row stays free below; the number of lines stays the same from the load on. */
export function liveLines(scene: Scene, screen: Screen): string[] {
  const { progress } = scene
  // A line as wide as the terminal would wrap on some.
  const columns = screen.columns - 1
  const view = new View(scene, columns, styled(screen.colour))
  const space: Block = { rank: 8, lines: [''] }
  const blocks: Block[] = [{ rank: 9, lines: [''] }, { rank: 0, lines: [view.head()] }, { rank: 4, lines: [view.phases()] }]
  if (progress.planned > 0) {
    blocks.push(
      space, { rank: 1, lines: view.rates() }, { rank: 3, lines: view.waiting() },
      space, { rank: 2, lines: view.delays() }, space, { rank: 5, lines: view.parts() }, space, { rank: 6, lines: view.causes() }, space, { rank: 7, lines: [view.hint()] },
    )
  }
  return fitted(blocks, Math.max(1, screen.rows - 1)).map((line) => cutTo(line, columns))
}

function fitted(blocks: readonly Block[], rows: number): string[] {
  let kept = blocks
  const height = (): number => kept.reduce((sum, { lines }) => sum + lines.length, 0)
  while (height() > rows && kept.length > 1) {
    const last = Math.max(...kept.map(({ rank }) => rank))
    kept = kept.filter(({ rank }) => rank !== last)
  }
  return kept.flatMap(({ lines }) => lines).slice(0, rows)
}

const NAME_CELLS = 12
const FIGURE_CELLS = 10
const TOTAL_CELLS = 13
const BAR_CELLS = 28
const NARROW_BAR_CELLS = 8
const PART_NAME_CELLS = 10
const PART_BAR_CELLS = 10
const PART_CELLS = PART_NAME_CELLS + PART_BAR_CELLS + 6 + 11
const CAUSE_LINES = 2

/** How a row's bars are told apart; a row in the last one is to be looked at. */
type Tone = 'dim' | 'accent' | 'fine' | 'warn'

class View {
  private readonly isWide: boolean

  constructor(private readonly scene: Scene, private readonly columns: number, private readonly style: Style) {
    this.isWide = columns >= WIDE_COLUMNS - 1
  }

  head(): string {
    const { progress } = this.scene
    const { style } = this
    return ` ${style.bold(progress.scenario)}  ${style.accent(PHASE_WORDS[progress.phase])}  ${this.current(progress)}`
  }

  private current({ elapsedSeconds, expectedSeconds, leftSeconds, phase, registered, devices }: Progress): string {
    const cells = this.isWide ? BAR_CELLS : NARROW_BAR_CELLS
    const left = leftSeconds === undefined ? '' : phase === 'drain' ? `at most ${Math.ceil(leftSeconds)} s` : `${clock(leftSeconds)} left`
    if (phase === 'register') return `${this.bar(devices === 0 ? 0 : registered / devices, cells)}  ${count(registered)} of ${count(devices)} devices`
    if (expectedSeconds === undefined || phase === 'drain') return `${elapsedSeconds.toFixed(1)} s  ${left}`.trimEnd()
    const share = Math.min(1, elapsedSeconds / Math.max(expectedSeconds, 0.001))
    return `${this.bar(share, cells)} ${`${Math.floor(share * 100)} %`.padStart(5)}  ${left}`
  }

  phases(): string {
    const { progress, took } = this.scene
    const { style } = this
    const words = PHASES.map((phase) => {
      const done = took.get(phase)
      if (phase === progress.phase) return style.accent(`▸ ${PHASE_WORDS[phase]}`)
      return done === undefined ? style.dim(`· ${PHASE_WORDS[phase]}`) : `${style.fine('✔')} ${PHASE_WORDS[phase]}${style.dim(` ${clock(done)}`)}`
    })
    return ` ${(this.isWide ? words : words.slice(PHASES.indexOf(progress.phase))).join('  ')}`
  }

  rates(): string[] {
    const { course: { recent }, progress } = this.scene
    const cells = this.barCells()
    const shown = recent.slice(-cells)
    const highest = Math.max(1, ...shown.flatMap(({ rates }) => [rates.planned, rates.accepted, rates.delivered, rates.notAccepted, rates.otherwise]))
    const row = (name: string, counted: Counted, total: number, tone: Tone): string =>
      this.row(name, `${count(this.scene.course.rates.of(counted))}/s`, count(total), shown, ({ rates }) => rates[counted], highest, tone)
    const head = this.isWide ? `   last ${cells} s, up to ${count(highest)}/s` : ''
    return [
      this.style.dim(`   ${' '.repeat(NAME_CELLS)}${'now'.padStart(FIGURE_CELLS)}${'so far'.padStart(TOTAL_CELLS)}${head}`),
      row('planned', 'planned', progress.planned, 'dim'),
      row('accepted', 'accepted', progress.accepted, 'accent'),
      row('delivered', 'delivered', progress.delivered, 'fine'),
      // A traffic set may ask for refusals and expiries; nobody asks for silence.
      row('not accepted', 'notAccepted', progress.refused + progress.unanswered, progress.unanswered > 0 ? 'warn' : 'dim'),
      row('other ends', 'otherwise', progress.otherOutcomes, 'dim'),
    ]
  }

  waiting(): string[] {
    const { course: { recent }, progress } = this.scene
    const shown = recent.slice(-this.barCells())
    const row = (name: string, now: number, value: (point: CoursePoint) => number): string => this.row(name, count(now), '', shown, value, Math.max(1, ...shown.map(value)), 'accent')
    return [row('in flight', progress.inFlight, ({ inFlight }) => inFlight), row('for offline', progress.waiting, ({ waiting }) => waiting)]
  }

  private barCells(): number {
    return Math.max(10, this.columns - 3 - NAME_CELLS - FIGURE_CELLS - TOTAL_CELLS - 3)
  }

  private row(name: string, now: string, total: string, points: readonly CoursePoint[], value: (point: CoursePoint) => number, highest: number, tone: Tone): string {
    const { style } = this
    const figures = `${now.padStart(FIGURE_CELLS)}${total.padStart(TOTAL_CELLS)}`
    const bars = this.isWide ? `   ${style[tone](points.map((point) => level(value(point) / highest)).join('').padStart(this.barCells()))}` : ''
    return `   ${style.dim(name.padEnd(NAME_CELLS))}${tone === 'warn' ? style.warn(figures) : figures}${bars}`
  }

  delays(): string[] {
    const { answered, resultNow, result, submitP50Us, submitP99Us } = this.scene.progress
    const wide = (name: string, now: Pick<Delays, 'p50Us' | 'p99Us'>, all: Delays): string =>
      `   ${this.style.dim(name.padEnd(NAME_CELLS + 3))}${[now.p50Us, now.p99Us, all.p50Us, all.p90Us, all.p99Us, all.maxUs].map((micros) => delay(micros).padStart(FIGURE_CELLS)).join('')}`
    const narrow = (name: string, all: Delays): string => `   ${this.style.dim(name.padEnd(NAME_CELLS))}${delay(all.p50Us).padStart(FIGURE_CELLS)}${delay(all.p99Us).padStart(TOTAL_CELLS)}`
    const now = { p50Us: submitP50Us, p99Us: submitP99Us }
    if (!this.isWide) return [this.style.dim(`   ${'so far'.padEnd(NAME_CELLS)}${'p50'.padStart(FIGURE_CELLS)}${'p99'.padStart(TOTAL_CELLS)}`), narrow('to answer', answered), narrow('to result', result)]
    const heads = ['p50 now', 'p99 now', 'p50', 'p90', 'p99', 'max'].map((head) => head.padStart(FIGURE_CELLS)).join('')
    return [this.style.dim(`   ${'from planned'.padEnd(NAME_CELLS + 3)}${heads}`), wide('to answer', now, answered), wide('to result', resultNow, result)]
  }

  parts(): string[] {
    const cells = this.scene.progress.parts.map(({ name, busy, cores }) => {
      const share = `${this.bar(busy, PART_BAR_CELLS)}${`${Math.round(busy * 100)} %`.padStart(6)}`
      return `${this.style.dim(name.padEnd(PART_NAME_CELLS))}${busy > SATURATED_SHARE ? this.style.warn(share) : share}${this.isWide ? `${cores.toFixed(2)} cores`.padStart(11) : ''}`
    })
    const perLine = this.columns >= 3 + 2 * PART_CELLS + 2 ? 2 : 1
    return Array.from({ length: Math.ceil(cells.length / perLine) }, (_unused, index) => `   ${cells.slice(index * perLine, (index + 1) * perLine).join('  ')}`)
  }

  /** What was not delivered and why, as much as two lines hold. */
  causes(): string[] {
    const { causes } = this.scene.progress
    const first = causes.length === 0 ? 'every end so far is a delivery' : ''
    const lines = [`   ${this.style.dim('why'.padEnd(NAME_CELLS))}${first}`]
    for (const { words, count: times } of causes) {
      const entry = `${count(times)} ${words}`
      const last = lines.length - 1
      if (widthOf(lines[last]!) + entry.length + 3 <= this.columns) lines[last] += `${lines[last]!.endsWith(' ') || widthOf(lines[last]!) <= 3 + NAME_CELLS ? '' : '   '}${entry}`
      else if (lines.length < CAUSE_LINES) lines.push(`   ${' '.repeat(NAME_CELLS)}${entry}`)
      else break
    }
    while (lines.length < CAUSE_LINES) lines.push('')
    return lines
  }

  hint(): string {
    const { held, wantedPerSecond } = this.scene.progress
    const wanted = wantedPerSecond === undefined ? '' : `${held ? 'held at' : 'wanted'} ${rate(wantedPerSecond)}   `
    return `   ${wanted}${this.style.dim(this.scene.hint)}`
  }

  private bar(share: number, cells: number): string {
    const eighths = Math.round(Math.min(1, Math.max(0, share)) * cells * 8)
    const full = '█'.repeat(eighths >> 3) + PARTIAL[eighths & 7]!
    return this.style.accent(full) + this.style.dim('░'.repeat(cells - full.length))
  }
}

/** Eighths of a cell, so that bars move smoothly. */
const PARTIAL = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉']
const LEVELS = ' ▁▂▃▄▅▆▇█'

/** Whatever happened is seen, however little. */
function level(share: number): string {
  return LEVELS[Math.min(8, Math.ceil(share * 8))]!
}

/** Nothing of the kind happened. */
function delay(micros: number): string {
  return micros === 0 ? '–' : duration(micros)
}

function clock(seconds: number): string {
  return seconds < 10 ? `${seconds.toFixed(1)} s` : seconds < 120 ? `${Math.ceil(seconds)} s` : duration(seconds * 1e6)
}

/** One line for logs and pipes. */
export function intervalLine(progress: Progress, rates: Rates): string {
  const { phase } = progress
  const word = phase === 'start' ? 'start the parts' : PHASE_WORDS[phase]
  const head = `${word} ${progress.elapsedSeconds.toFixed(0)} s:`
  if (phase === 'start' || phase === 'report') return `${word} ...`
  if (phase === 'register') return `${head} ${count(progress.registered)} of ${count(progress.devices)} devices`
  const left = progress.leftSeconds === undefined ? '' : `, ${phase === 'drain' ? 'at most ' : ''}${Math.ceil(progress.leftSeconds)} s left`
  const failing = rates.of('notAccepted') + rates.of('otherwise')
  return `${head} planned ${rates.of('planned')}/s, accepted ${rates.of('accepted')}/s, delivered ${rates.of('delivered')}/s, ${failing > 0 ? `failed ${failing}/s, ` : ''}in flight ${progress.inFlight}, `
    + `answer p50 ${delay(progress.submitP50Us)} p99 ${delay(progress.submitP99Us)}${left}`
}
