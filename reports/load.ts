/** What a run's record says of its load, for the page and the summary: a closed one, a replay, a rate changed by hand, steps. Knows the record alone. */
import { count, duration, percent, rate } from './format.js'
import { stepsPicture } from './pictures/steps.js'
import type { RunRecord, Step } from './record.js'
import { table } from './table.js'

/** What a reader of latencies must know of the load, in sentences; none of an open load at a rate nobody changed. */
export function loadSentences({ load, rateChanges = [] }: RunRecord): string[] {
  const sentences: string[] = []
  if (load?.type === 'closed') {
    sentences.push(`A closed load: ${count(load.initiators ?? 0)} initiators, each thinking ${duration((load.thinkSeconds ?? 0) * 1e6)} after its answer. A slow system is asked less, so there is no planned time that it could miss: latencies are not comparable with those of an open load.`)
  }
  if (load?.trace !== undefined) sentences.push(`A replay of ${load.trace.file} (${count(load.trace.attempts)} attempts, SHA-256 ${load.trace.sha256.slice(0, 12)}).`)
  if (rateChanges.length > 0) {
    const changes = rateChanges.map(({ atSeconds, what, perSecond }) => `${what === 'rate' ? 'to' : `${what} at`} ${rate(perSecond)} at ${atSeconds.toFixed(1)} s`)
    sentences.push(`The rate was changed by hand: ${changes.join(', ')}.`)
  }
  return sentences
}

/** A step as the cells of a row: rate, window, attempts, IHS with its interval, delivered, p50, p99. */
export function stepCells(step: typeof Step.Type): string[] {
  const { perSecond, fromSecond, toSecond, trimmedSeconds, attempts, inadequatelyHandled, interval, deliveredPerSecond, p50Us, p99Us } = step
  return [
    rate(perSecond), `${seconds(fromSecond + trimmedSeconds)} to ${seconds(toSecond)} s`, count(attempts), percent(inadequatelyHandled, attempts),
    interval === undefined ? '–' : `${(100 * interval.low).toFixed(2)} to ${(100 * interval.high).toFixed(2)} %`, rate(deliveredPerSecond),
    p50Us === undefined ? '–' : duration(p50Us), p99Us === undefined ? '–' : duration(p99Us),
  ]
}

export function stepsTable({ steps = [] }: RunRecord): string {
  if (steps.length === 0) return ''
  const rows = steps.map((step) => [...stepCells(step), step.stationary ? 'stationary' : step.why ?? 'not stationary'])
  return table(['step', 'measured', 'attempts', 'IHS', '95 % interval', 'delivered', 'e2e p50', 'e2e p99', '<came to rest'], rows, 'Results by step')
}

/** IHS by step with its interval, against the limit of the run; steps that never came to rest are left out of judgement. */
export function stepsFigure({ steps = [], thresholds = [] }: RunRecord): string {
  const limit = (thresholds.find(({ name }) => name === 'inadequately handled attempts')?.limit ?? 0) / 100
  return steps.length === 0 ? '' : stepsPicture('Inadequately handled attempts by step', steps.map((step) => {
    const share = step.attempts === 0 ? 0 : step.inadequatelyHandled / step.attempts
    return { perSecond: step.perSecond, share, interval: step.interval, judgement: !step.stationary ? 'left out' : share <= limit ? 'passed' : 'failed' }
  }), limit, undefined)
}

function seconds(value: number): string {
  return String(Math.round(value * 10) / 10)
}
