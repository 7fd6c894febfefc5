/** The figures of a plan as CSV (RFC 4180): one row each, with what they rest on. */
import type { PlanAnswer } from '../../reports/answers/plan.js'
import { csv } from '../csv.js'

export function planCsv({ outputs }: PlanAnswer): string {
  return csv(['name', 'value', 'low', 'high', 'unit', 'words', 'rests', 'how', 'extrapolated'],
    outputs.map(({ name, value, low, high, unit, words, rests, how, extrapolated }) => [name, value, low, high, unit, words, rests.join(' '), how, extrapolated]))
}
