/**
 * Histograms of durations in microseconds: 1 us to 10 minutes, 3 significant digits, merged by addition. Guards what
 * the histogram would silently take: fractions, NaN, negatives. Knows durations, not what they are of.
 */
import { build, decodeFromCompressedBase64, type Histogram } from 'hdr-histogram-js'
import type { StageSummary } from '../../reports/record.js'

export const HIGHEST_MICROS = 600_000_000

export function newHistogram(): Histogram {
  return build({ bitBucketSize: 32, lowestDiscernibleValue: 1, highestTrackableValue: HIGHEST_MICROS, numberOfSignificantValueDigits: 3, autoResize: false, useWebAssembly: false })
}

export class Recorder {
  readonly histogram: Histogram = newHistogram()
  /** Values that were no duration at all; they are counted and left out. */
  dropped = 0

  /** Rounds to whole microseconds; more than ten minutes counts as ten minutes. */
  record(micros: number): void {
    if (!(micros >= 0)) {
      this.dropped++
      return
    }
    const whole = Math.round(micros)
    this.histogram.recordValue(whole > HIGHEST_MICROS ? HIGHEST_MICROS : whole)
  }

  get count(): number {
    return this.histogram.totalCount
  }

  percentile(percent: number): number {
    return this.histogram.totalCount === 0 ? 0 : Math.round(this.histogram.getValueAtPercentile(percent))
  }

  summary(): typeof StageSummary.Type {
    return summaryOf(this.histogram)
  }

  reset(): void {
    this.histogram.reset()
  }
}

export function summaryOf(histogram: Histogram): typeof StageSummary.Type {
  const at = (percent: number): number => (histogram.totalCount === 0 ? 0 : Math.round(histogram.getValueAtPercentile(percent)))
  return { count: histogram.totalCount, p50Us: at(50), p90Us: at(90), p99Us: at(99), p999Us: at(99.9), maxUs: histogram.totalCount === 0 ? 0 : Math.round(histogram.maxValue) }
}

/** The percentiles a plot needs, denser towards 100: [percentile, microseconds], ascending, no percentile finer than the count allows. */
export function curveOf(histogram: Histogram): [number, number][] {
  if (histogram.totalCount === 0) return []
  const points: [number, number][] = []
  for (let nines = 0; nines < 5; nines++) {
    const base = 100 - 100 / 10 ** nines
    for (let tenth = 0; tenth < 9; tenth++) {
      const percent = base + tenth * 10 / 10 ** nines
      if (1 - percent / 100 < 0.5 / histogram.totalCount) break
      points.push([Math.round(percent * 1e5) / 1e5, Math.round(histogram.getValueAtPercentile(percent))])
    }
  }
  points.push([100, Math.round(histogram.maxValue)])
  return points
}

/** A part's own histogram as it came over the control channel; undefined when it cannot be read. */
export function decodeHistogram(base64: string): Histogram | undefined {
  try {
    return decodeFromCompressedBase64(base64)
  } catch {
    return undefined
  }
}
