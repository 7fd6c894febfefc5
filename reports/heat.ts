/**
 * The grid of the latency heat map: which row a latency belongs to, and what a row stands for. Rows are equal steps of
 * the logarithm, so that microseconds and minutes share one picture; the record keeps counts by row and column.
 */
import type { HeatMap } from './record.js'

export const ROWS_PER_DECADE = 10

/** At most so many columns, however long the run: each is one second, or the same number of seconds in a long run. */
export const COLUMNS_MAX = 240

export function rowOf(micros: number): number {
  return Math.floor(Math.log10(Math.max(1, micros)) * ROWS_PER_DECADE)
}

/** The least latency of a row, in microseconds; that of the next row is where it ends. */
export function leastOfRow(row: number, rowsPerDecade: number): number {
  return 10 ** (row / rowsPerDecade)
}

/** Counts latencies by time and row, for the record. */
export class HeatCounter {
  private readonly columns: number[][]
  private readonly columnSeconds: number

  constructor(seconds: number) {
    this.columnSeconds = Math.max(1, Math.ceil(seconds / COLUMNS_MAX))
    this.columns = Array.from({ length: Math.ceil(seconds / this.columnSeconds) }, () => [])
  }

  /** What lies outside the counted seconds is left out. */
  add(second: number, micros: number): void {
    const column = this.columns[Math.floor(second / this.columnSeconds)]
    if (column === undefined) return
    const row = rowOf(micros)
    while (column.length <= row) column.push(0)
    column[row]!++
  }

  /** Undefined when nothing was counted. */
  heatMap(stage: string): HeatMap | undefined {
    if (this.columns.every((column) => column.length === 0)) return undefined
    const columns = this.columns.map((column) => {
      const first = column.findIndex((times) => times > 0)
      return first < 0 ? { lowestRow: 0, counts: [] } : { lowestRow: first, counts: column.slice(first) }
    })
    return { stage, columnSeconds: this.columnSeconds, rowsPerDecade: ROWS_PER_DECADE, columns }
  }
}
