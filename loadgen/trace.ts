/**
 * A trace to be replayed: comma-separated lines with a header, each an attempt at an offset in seconds, and, where wanted, its row of the
 * traffic set and the size of its content. What is wrong in it is told by line. Knows text, no file.
 */
import { MICROS_PER_SECOND, type Micros } from '../core/kit/time.js'
import { ATTEMPTS_MAX } from './pacing.js'
import { CONTENT_OCTETS_MAX, ROWS, type RowName } from './scenario.js'

export interface Trace {
  /** From the begin of the load, ascending, in microseconds. */
  readonly offsets: Float64Array
  /** Index into ROWS by attempt, or NO_ROW: the traffic set's shares decide. */
  readonly rows: Uint8Array
  /** Octets by attempt, or -1: as the scenario says. */
  readonly sizes: Int32Array
}

export const NO_ROW = 255
const COLUMNS = ['offset', 'row', 'size'] as const
type Column = (typeof COLUMNS)[number]

export interface TraceProblem {
  /** From 1. */
  readonly line: number
  readonly message: string
}

export type TraceRead = { readonly ok: true; readonly trace: Trace } | { readonly ok: false; readonly problems: readonly TraceProblem[] }

/** Whoever sees so many has seen what is wrong. */
const PROBLEMS_MAX = 10
/** A year. */
const OFFSET_MICROS_MAX: Micros = 366 * 86_400 * MICROS_PER_SECOND
/** Each size costs a template of its own. */
const SIZES_MAX = 200

export function readTrace(text: string): TraceRead {
  const lines = text.split(/\r?\n/)
  while (lines.length > 0 && lines.at(-1)!.trim() === '') lines.pop()
  const header = (lines[0] ?? '').split(',').map(cellOf)
  const wrong = wrongHeader(header)
  if (wrong !== undefined) return { ok: false, problems: [{ line: 1, message: wrong }] }
  if (lines.length === 1) return { ok: false, problems: [{ line: 1, message: 'there is nothing below the header: a line for each attempt' }] }
  if (lines.length - 1 > ATTEMPTS_MAX) return { ok: false, problems: [{ line: ATTEMPTS_MAX + 2, message: `more than the ${ATTEMPTS_MAX} attempts one run can hold` }] }
  const reader = new Reader(header as Column[], lines.length - 1)
  for (let index = 1; index < lines.length && reader.problems.length < PROBLEMS_MAX; index++) reader.line(index + 1, lines[index]!)
  const { problems, trace } = reader
  return problems.length === 0 ? { ok: true, trace } : { ok: false, problems }
}

function wrongHeader(header: readonly string[]): string | undefined {
  const unknown = header.find((name) => !COLUMNS.some((column) => column === name))
  if (unknown !== undefined) return `the header names the columns: ${COLUMNS.join(', ')}; "${unknown}" is none of them`
  if (!header.includes('offset')) return 'there is no column "offset": seconds from the begin of the load'
  const twice = header.find((name, index) => header.indexOf(name) !== index)
  return twice === undefined ? undefined : `the column "${twice}" is there twice`
}

class Reader {
  readonly problems: TraceProblem[] = []
  readonly trace: Trace
  private readonly sizes = new Set<number>()
  private before: Micros = 0
  private count = 0

  constructor(private readonly columns: readonly Column[], attempts: number) {
    this.trace = { offsets: new Float64Array(attempts), rows: new Uint8Array(attempts).fill(NO_ROW), sizes: new Int32Array(attempts).fill(-1) }
  }

  line(line: number, text: string): void {
    const problem = this.take(text.split(',').map(cellOf))
    if (problem !== undefined) this.problems.push({ line, message: problem })
    this.count++
  }

  private take(cells: readonly string[]): string | undefined {
    if (cells.length !== this.columns.length) return `${cells.length} cells, where the header has ${this.columns.length}`
    for (let index = 0; index < cells.length; index++) {
      const problem = this.cell(this.columns[index]!, cells[index]!)
      if (problem !== undefined) return problem
    }
    return undefined
  }

  private cell(column: Column, text: string): string | undefined {
    switch (column) {
      case 'offset': return this.offset(text)
      case 'row': return this.row(text)
      case 'size': return this.size(text)
    }
  }

  private offset(text: string): string | undefined {
    const micros = NUMBER.test(text) ? Math.round(Number(text) * MICROS_PER_SECOND) : NaN
    if (!(micros <= OFFSET_MICROS_MAX)) return `"${text}" is no offset: seconds from the begin of the load, such as 12.345`
    if (micros < this.before) return `${text} lies before the line above it: a trace is in the order of time`
    this.trace.offsets[this.count] = this.before = micros
    return undefined
  }

  /** Empty: the traffic set's shares decide. */
  private row(text: string): string | undefined {
    if (text === '') return undefined
    const row = ROWS.indexOf(text as RowName)
    if (row < 0) return `"${text}" is no row of the traffic set: ${ROWS.join(', ')}`
    this.trace.rows[this.count] = row
    return undefined
  }

  /** Empty: push.size. */
  private size(text: string): string | undefined {
    if (text === '') return undefined
    const octets = /^\d{1,12}$/.test(text) ? Number(text) : NaN
    if (!(octets <= CONTENT_OCTETS_MAX)) return `"${text}" is no size: octets, at most ${CONTENT_OCTETS_MAX}`
    this.sizes.add(octets)
    if (this.sizes.size > SIZES_MAX) return `more than ${SIZES_MAX} different sizes; round them`
    this.trace.sizes[this.count] = octets
    return undefined
  }
}

const NUMBER = /^\d{1,12}(\.\d{1,12})?$/

function cellOf(text: string): string {
  const trimmed = text.trim()
  return trimmed.startsWith('"') && trimmed.endsWith('"') && trimmed.length > 1 ? trimmed.slice(1, -1) : trimmed
}
