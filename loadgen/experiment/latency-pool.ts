/**
 * Latencies of the trials of each cell as one distribution: of every trial the share that took no longer, weighted by its samples. Percentiles
 * are never averaged. Knows the percentile curves that records hold, not the samples behind them.
 */
import type { RunRecord } from '../../reports/record.js'

type Curve = RunRecord['curves'][string]

/** A staircase of more steps is not finer to the eye. */
const POINTS_MAX = 64

export class LatencyPool {
  private readonly curves = new Map<string, { readonly curve: Curve; readonly samples: number }[]>()

  add(cell: string, { curves, stages }: RunRecord): void {
    const curve = curves['endToEnd']
    const samples = stages['endToEnd']?.count ?? 0
    if (curve === undefined || curve.length === 0 || samples === 0) return
    const known = this.curves.get(cell) ?? []
    known.push({ curve, samples })
    this.curves.set(cell, known)
  }

  /** [microseconds, share that took no longer], ascending; undefined when nothing is known of the cell. */
  of(cell: string): [number, number][] | undefined {
    const known = this.curves.get(cell)
    if (known === undefined) return undefined
    const values = [...new Set(known.flatMap(({ curve }) => curve.map(([, micros]) => micros)))].sort((a, b) => a - b)
    const all = known.reduce((sum, { samples }) => sum + samples, 0)
    return thinned(values).map((micros) => [micros, Math.min(1, known.reduce((sum, { curve, samples }) => sum + samples * shareUpTo(curve, micros), 0) / all)])
  }
}

function shareUpTo(curve: Curve, micros: number): number {
  let share = 0
  for (const [percentile, value] of curve) if (value <= micros) share = Math.max(share, percentile / 100)
  return share
}

function thinned(values: readonly number[]): number[] {
  if (values.length <= POINTS_MAX) return [...values]
  return Array.from({ length: POINTS_MAX }, (_, index) => values[Math.round(index * (values.length - 1) / (POINTS_MAX - 1))]!)
}
