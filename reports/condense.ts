/** Long runs at a bounded size: seconds are gathered into buckets for pictures and tables; the record keeps every second. */
import type { RunRecord } from './record.js'

type Interval = RunRecord['intervals'][number]

export const POINTS_MAX = 240

/** How many seconds one point of a picture stands for. */
export function bucketSeconds(record: RunRecord): number {
  return Math.max(1, Math.ceil(record.intervals.length / POINTS_MAX))
}

/**
 * At most `POINTS_MAX` intervals. Counts become the bucket's mean per second; in flight and latencies become those of
 * its worst second, because percentiles of different seconds must not be averaged.
 */
export function condensed(record: RunRecord): readonly Interval[] {
  const size = bucketSeconds(record)
  if (size === 1) return record.intervals
  const buckets: Interval[] = []
  for (let start = 0; start < record.intervals.length; start += size) buckets.push(merge(record.intervals.slice(start, start + size)))
  return buckets
}

function merge(seconds: readonly Interval[]): Interval {
  const mean = (value: (interval: Interval) => number) => Math.round(seconds.reduce((sum, interval) => sum + value(interval), 0) / seconds.length)
  const worst = (value: (interval: Interval) => number) => Math.max(...seconds.map(value))
  const names = new Set(seconds.flatMap(({ outcomes }) => Object.keys(outcomes)))
  return {
    second: seconds[0]!.second,
    planned: mean((i) => i.planned), sent: mean((i) => i.sent), accepted: mean((i) => i.accepted), refused: mean((i) => i.refused), delivered: mean((i) => i.delivered),
    outcomes: Object.fromEntries([...names].map((name) => [name, mean((i) => i.outcomes[name] ?? 0)])),
    inFlight: worst((i) => i.inFlight), lagP99Us: worst((i) => i.lagP99Us), submitP50Us: worst((i) => i.submitP50Us), submitP99Us: worst((i) => i.submitP99Us),
    endToEndP50Us: worst((i) => i.endToEndP50Us), endToEndP99Us: worst((i) => i.endToEndP99Us),
  }
}
