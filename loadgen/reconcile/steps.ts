/** The steps of a stair, each judged by itself: its transient left out, its attempts counted, and whether it came to rest. Knows the joined journals. */
import type { Step as StepRow } from '../../reports/record.js'
import { wilson } from '../../reports/statistics/proportion.js'
import type { Micros } from '../../core/kit/time.js'
import { ROWS, type RowName } from '../scenario.js'
import type { Step } from '../load-shape.js'
import { intervalsOf } from './intervals.js'
import { measure, type Expectation, type Window } from './measures.js'
import { courseOf, percentile, restOf } from './steady-state.js'
import type { Tables } from './tables.js'

const SECOND = 1_000_000
const LEVEL = 0.95

/** One row for each step that was begun. */
export function stepRows(tables: Tables, window: Window, steps: readonly Step[], limits: Readonly<Record<RowName, Micros>>, expectation: Expectation): (typeof StepRow.Type)[] {
  return steps.filter(({ from }) => window.from + from < window.to).map((step) => {
    const whole = { from: window.from + step.from, to: Math.min(window.to, window.from + step.to) }
    const rest = restOf(courseOf(tables, whole))
    const kept = { from: whole.from + rest.trimmedMicros, to: whole.to }
    const delays: number[] = []
    const rows = measure(tables, kept, limits, (stage, _row, _second, micros) => { if (stage === 'endToEnd') delays.push(micros) }, expectation)
    const sum = (key: 'attempts' | 'inadequatelyHandled'): number => ROWS.reduce((total, row) => total + rows[row][key], 0)
    const [attempts, inadequatelyHandled] = [sum('attempts'), sum('inadequatelyHandled')]
    const interval = wilson(inadequatelyHandled, attempts, LEVEL)
    const [seconds] = intervalsOf(tables, kept, kept.to - kept.from)
    return {
      perSecond: round(step.perSecond), fromSecond: round(step.from / SECOND), toSecond: round((whole.to - window.from) / SECOND), trimmedSeconds: round(rest.trimmedMicros / SECOND),
      attempts, inadequatelyHandled, ...(interval === undefined ? {} : { interval: { low: interval.low, high: interval.high } }),
      deliveredPerSecond: round(seconds!.delivered * SECOND / (kept.to - kept.from)),
      ...(delays.length === 0 ? {} : { p50Us: percentile(delays, 50), p99Us: percentile(delays, 99) }),
      stationary: rest.stationary, ...(rest.why === undefined ? {} : { why: rest.why }),
    }
  })
}

function round(value: number): number {
  return Math.round(value * 1_000) / 1_000
}
