/**
 * The history of runs as lines of CSV: one row a run, appended and never rewritten, with the time, what it was a run of, and its figures in base
 * units (microseconds, shares of 1, octets). Apache Otava reads it as it is: a time column, attributes and metrics. Knows text, no file.
 */
import { csv } from '../csv.js'
import { readCsv } from '../csv-reader.js'
import { METRICS } from '../metrics.js'
import type { RunRecord } from '../../reports/record.js'

/** `series` is the same for runs that may be compared with each other: one scenario on one machine. */
export const ATTRIBUTES = ['time', 'commit', 'pushbench', 'scenario', 'series', 'seed', 'valid', 'run'] as const

/** What is worth watching over months. A name is never taken away, so that old files keep their columns. */
export const HISTORY_METRICS = [
  'endToEnd.p50', 'endToEnd.p99', 'submit.p50', 'submit.p99', 'confirmation.p99', 'notification.p99', 'inadequatelyHandled', 'throughput.delivered',
  'parts.gateway.cpuPerPush', 'parts.ims.cpuPerPush', 'parts.gateway.memory', 'population.registrationTime',
] as const

export const HISTORY_HEADER: readonly string[] = [...ATTRIBUTES, ...HISTORY_METRICS]

export interface HistoryRow {
  readonly time: string
  readonly commit: string
  readonly scenario: string
  readonly series: string
  readonly valid: boolean
  readonly run: string
  /** By metric, what there is. */
  readonly values: ReadonlyMap<string, number>
}

export interface History {
  readonly rows: readonly HistoryRow[]
  /** Lines passed over, each with its number and why: `history.csv:12 ...`. */
  readonly problems: readonly string[]
}

/** No history: another file by that name, which nobody may write to. */
export class ForeignHistory extends Error {
  override readonly name = 'ForeignHistory'
}

/** A run's row as text with its line feed, in the columns of `header`, which may be of another version. @param run the run's folder */
export function historyLine(record: RunRecord, run: string, series: string, header: readonly string[]): string {
  const { disclosure, verdict } = record
  const attributes: Readonly<Record<string, string | number>> = {
    time: record.startedAt, commit: disclosure.commit, pushbench: disclosure.pushbench, scenario: record.scenario, series, seed: record.seed, valid: String(verdict.valid), run,
  }
  const cells = header.map((name) => attributes[name] ?? rounded(METRICS.get(name)?.of(record)))
  return csv(header, [cells]).split('\n').slice(1).join('\n')
}

/** The columns of a history that begins with this line. Throws a ForeignHistory. @param file its name, for the message */
export function columnsOf(firstLine: string, file: string): readonly string[] {
  const columns = readCsv(firstLine)[0]?.cells ?? []
  const missing = ATTRIBUTES.find((name) => !columns.includes(name))
  if (missing !== undefined) throw new ForeignHistory(`${file}:1 is no history of pushbench: it has no column "${missing}"; nothing was written to it. Move it, or give --out another folder`)
  return columns
}

/** Every row that can be read; what cannot is named and passed over. Throws a ForeignHistory. */
export function readHistory(text: string, file: string): History {
  const [header, ...lines] = readCsv(text)
  if (header === undefined) return { rows: [], problems: [] }
  const columns = columnsOf(csv(header.cells, []), file)
  const rows: HistoryRow[] = []
  const problems: string[] = []
  for (const { line, cells, torn } of lines) {
    const row = torn || cells.length !== columns.length ? undefined : rowOf(columns, cells)
    if (row !== undefined) rows.push(row)
    else problems.push(`${file}:${line} ${torn ? 'the last line is torn' : cells.length === columns.length ? 'a cell is not what its column says' : `${cells.length} cells, where the header has ${columns.length}`}; it is passed over`)
  }
  return { rows, problems }
}

function rowOf(columns: readonly string[], cells: readonly string[]): HistoryRow | undefined {
  const cell = (name: string): string => cells[columns.indexOf(name)]!
  const values = new Map<string, number>()
  for (const [index, name] of columns.entries()) {
    if (!METRICS.has(name) || cells[index] === '') continue
    const value = Number(cells[index])
    if (!Number.isFinite(value)) return undefined
    values.set(name, value)
  }
  if (!/^\d{4}-\d\d-\d\dT/.test(cell('time')) || !/^(?:true|false)$/.test(cell('valid'))) return undefined
  return { time: cell('time'), commit: cell('commit'), scenario: cell('scenario'), series: cell('series'), valid: cell('valid') === 'true', run: cell('run'), values }
}

function rounded(value: number | undefined): number | undefined {
  return value === undefined ? undefined : Number(value.toPrecision(9))
}
