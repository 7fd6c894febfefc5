/** Every figure of a run as CSV, one line each: name, value in the base unit, unit, and what it is. Also the list of what thresholds may speak of. */
import type { RunRecord } from '../../reports/record.js'
import { csv } from '../csv.js'
import { METRICS } from '../metrics.js'

const UNIT_WORDS = { micros: 'us', share: '1', count: '', perSecond: '/s', octets: 'B' } as const

/** A figure the run does not have is an empty cell. */
export function figuresCsv(record: RunRecord): string {
  return csv(['figure', 'value', 'unit', 'better', 'meaning'], [...METRICS.values()].map(({ name, unit, better, meaning, of }) => [name, of(record), UNIT_WORDS[unit], better, meaning]))
}
