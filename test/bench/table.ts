/** The rows as a table for people: value, noise, floor, limit, met or not and by how much. Text only. */
import { LIMITS, marginOf, verdictOf, type BenchRow, type Row } from './rows.js'

const HEADINGS = ['name', 'value', 'min..max', 'repeats', 'unit', 'floor', 'ratio', 'limit', 'met'] as const
/** Names, units and verdicts read from the left, numbers from the right. */
const LEFT: ReadonlySet<number> = new Set([0, 4, 7, 8])

/** What cannot be measured follows below, each reason once. */
export function formatTable(rows: readonly Row[]): string {
  const cells = rows.map((row) => ('reason' in row ? [row.name, row.value, '', '', row.unit, '', '', limitText(row.name), ''] : [
    row.name, number(row.value), `${number(row.min)}..${number(row.max)}`, String(row.repeats), row.unit,
    row.floor === null ? '' : number(row.floor), row.ratio === null ? '' : row.ratio.toFixed(2), limitText(row.name), verdictText(row),
  ]))
  const reasons = new Set(rows.flatMap((row) => ('reason' in row ? [`n/a: ${row.reason}`] : [])))
  return [aligned([[...HEADINGS], ...cells], LEFT), ...reasons].join('\n')
}

/** Columns as wide as their widest cell; the first row is the heading. */
export function aligned(cells: readonly (readonly string[])[], left: ReadonlySet<number>): string {
  const widths = cells[0]!.map((_, column) => Math.max(...cells.map((row) => row[column]!.length)))
  const lines = cells.map((row) => row.map((cell, column) => (left.has(column) ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!))).join('  ').trimEnd())
  lines.splice(1, 0, widths.map((width) => '-'.repeat(width)).join('  '))
  return lines.join('\n')
}

export function number(value: number): string {
  if (Math.abs(value) >= 1_000) return Math.round(value).toString().replace(/\B(?=(\d{3})+$)/g, ',')
  return Number.isInteger(value) ? String(value) : value.toFixed(value < 10 ? 2 : 1)
}

function limitText(name: string): string {
  const limit = LIMITS[name]
  return limit === undefined ? '' : `${limit.bound} ${number(limit.value)}`
}

function verdictText(row: BenchRow): string {
  const verdict = verdictOf(row.name, row.value)
  if (verdict === 'no limit') return ''
  const percent = Math.abs(marginOf(row.name, row.value) * 100)
  return verdict === 'met' ? `yes, ${percent.toFixed(0)} % to spare` : `NO, by ${percent.toFixed(percent < 10 ? 1 : 0)} %`
}
