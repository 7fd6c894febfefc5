/**
 * The picture of a run in progress on a terminal, and the one line per interval where there is no terminal. Makes
 * lines from progress; screen.ts puts them there.
 */
import { count, duration } from '../../reports/format.js'
import { styled } from '../text-style.js'
import { PHASES, type Phase, type Progress } from './progress.js'

const PHASE_WORDS: Readonly<Record<Phase, string>> = { start: 'start the parts', register: 'register', 'warm-up': 'warm up', load: 'load', drain: 'drain', report: 'report' }
const BAR_CELLS = 28
/** Eighths of a cell, so that the bar moves smoothly. */
const PARTIAL = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉']

const WINDOW_SECONDS = 2.5
/** A part tells its counts once a second: without a new one for longer than this, nothing happens. */
const SILENCE_SECONDS = 1.5

/** What happened per second lately. Counts arrive at their own pace, so a rate is taken between instants at which its count changed. */
export class Rates {
  private readonly seen: { readonly at: number; readonly progress: Progress }[] = []

  /** @param at seconds on any steady clock */
  look(at: number, progress: Progress): void {
    this.seen.push({ at, progress })
    while (at - this.seen[0]!.at > WINDOW_SECONDS) this.seen.shift()
  }

  of(key: 'planned' | 'sent' | 'accepted' | 'delivered' | 'notified' | 'refused'): number {
    const { seen } = this
    const changes = seen.filter(({ progress }, index) => index === 0 || progress[key] !== seen[index - 1]!.progress[key])
    const first = changes[0]
    const last = changes.at(-1)
    if (first === undefined || last === undefined || last === first || seen.at(-1)!.at - last.at > SILENCE_SECONDS) return 0
    // The first one in sight may have changed long before; with more of them it is left out.
    const from = changes.length > 2 ? changes[1]! : first
    return Math.max(0, Math.round((last.progress[key] - from.progress[key]) / (last.at - from.at)))
  }
}

/** At most 80 columns; the number of lines stays the same from the load on. */
export function liveLines(progress: Progress, took: ReadonlyMap<Phase, number>, rates: Rates, colour: boolean): string[] {
  const style = styled(colour)
  const lines: string[] = ['']
  for (const phase of PHASES) {
    const word = PHASE_WORDS[phase].padEnd(16)
    const done = took.get(phase)
    if (phase === progress.phase) lines.push(` ${style.accent('▸')} ${style.bold(word)} ${current(progress, colour)}`)
    else if (done !== undefined) lines.push(` ${colour ? '\x1b[32m✔\x1b[39m' : '✔'} ${word} ${style.dim(`${done.toFixed(1)} s`)}`)
    else lines.push(style.dim(`   ${word}`))
  }
  if (progress.planned === 0) return lines
  const row = (name: string, perSecond: number, total: number, rest: string): string =>
    `   ${style.dim(name.padEnd(12))}${`${count(perSecond)}/s`.padStart(10)}${count(total).padStart(12)}   ${rest}`
  lines.push('',
    style.dim(`   ${''.padEnd(12)}${'now'.padStart(10)}${'so far'.padStart(12)}`),
    row('planned', rates.of('planned'), progress.planned, progress.dropped > 0 ? style.warn(`${count(progress.dropped)} dropped`) : ''),
    row('accepted', rates.of('accepted'), progress.accepted, `${count(progress.refused)} refused${progress.unanswered > 0 ? `, ${count(progress.unanswered)} unanswered` : ''}`),
    row('delivered', rates.of('delivered'), progress.delivered, `${count(progress.otherOutcomes)} ended otherwise`),
    row('notified', rates.of('notified'), progress.notified, `${count(progress.inFlight)} held, ${count(progress.waiting)} waiting`),
    `   ${style.dim('answer'.padEnd(12))}p50 ${delay(progress.submitP50Us)}   p99 ${delay(progress.submitP99Us)}   max ${delay(progress.submitMaxUs)}`)
  return lines
}

/** Nothing was answered in the last second. */
function delay(micros: number): string {
  return micros === 0 ? '–' : duration(micros)
}

function current(progress: Progress, colour: boolean): string {
  const { elapsedSeconds, expectedSeconds, phase } = progress
  const left = progress.leftSeconds === undefined ? '' : phase === 'drain' ? `at most ${Math.ceil(progress.leftSeconds)} s` : `${Math.ceil(progress.leftSeconds)} s left`
  if (phase === 'register') return `${count(progress.registered)} of ${count(progress.devices)} devices`
  if (expectedSeconds === undefined || phase === 'drain') return `${elapsedSeconds.toFixed(1)} s   ${phase === 'drain' ? left : ''}`.trimEnd()
  const share = Math.min(1, elapsedSeconds / Math.max(expectedSeconds, 0.001))
  return `${bar(share, colour)} ${`${Math.floor(share * 100)} %`.padStart(5)}   ${left}`
}

function bar(share: number, colour: boolean): string {
  const eighths = Math.round(share * BAR_CELLS * 8)
  const full = '█'.repeat(eighths >> 3) + PARTIAL[eighths & 7]!
  const empty = '░'.repeat(BAR_CELLS - full.length)
  return colour ? `\x1b[36m${full}\x1b[39m\x1b[2m${empty}\x1b[22m` : full + empty
}

/** One line for logs and pipes. */
export function intervalLine(progress: Progress, rates: Rates): string {
  const { phase } = progress
  const head = `${PHASE_WORDS[phase]} ${progress.elapsedSeconds.toFixed(0)} s:`
  if (phase === 'start' || phase === 'report') return `${PHASE_WORDS[phase]} ...`
  if (phase === 'register') return `${head} ${count(progress.registered)} of ${count(progress.devices)} devices`
  const left = progress.leftSeconds === undefined ? '' : `, ${phase === 'drain' ? 'at most ' : ''}${Math.ceil(progress.leftSeconds)} s left`
  return `${head} planned ${rates.of('planned')}/s, accepted ${rates.of('accepted')}/s, delivered ${rates.of('delivered')}/s, in flight ${progress.inFlight}, `
    + `answer p50 ${delay(progress.submitP50Us)} p99 ${delay(progress.submitP99Us)}${left}`
}
