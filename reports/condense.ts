/** Long runs at a bounded size: seconds are gathered into buckets for pictures and tables; the record keeps every second. */
import type { RunRecord } from './record.js'

type Interval = RunRecord['intervals'][number]

export const POINTS_MAX = 240

/** How many intervals one point of a picture stands for. */
export function bucketSize(record: RunRecord): number {
  return Math.max(1, Math.ceil(record.intervals.length / POINTS_MAX))
}

/** How people call the intervals, and the sign of their unit. */
export function intervalUnit({ intervalSeconds = 1 }: RunRecord): { readonly name: string; readonly sign: string } {
  if (intervalSeconds === 1) return { name: 'second', sign: 's' }
  return intervalSeconds === 3_600 ? { name: 'hour', sign: 'h' } : { name: `interval of ${intervalSeconds} s`, sign: `× ${intervalSeconds} s` }
}

/**
 * At most `POINTS_MAX` intervals. Counts become the bucket's mean per second; in flight and latencies become those of
 * its worst interval, because percentiles of different ones must not be averaged.
 */
export function condensed(record: RunRecord): readonly Interval[] {
  const { intervals, intervalSeconds = 1 } = record
  const size = bucketSize(record)
  if (size === 1 && intervalSeconds === 1) return intervals
  const buckets: Interval[] = []
  for (let start = 0; start < intervals.length; start += size) buckets.push(merge(intervals.slice(start, start + size), intervalSeconds))
  return buckets
}

function merge(seconds: readonly Interval[], lengthSeconds: number): Interval {
  const mean = (value: (interval: Interval) => number) => {
    const perSecond = seconds.reduce((sum, interval) => sum + value(interval), 0) / seconds.length / lengthSeconds
    return lengthSeconds === 1 ? Math.round(perSecond) : Math.round(perSecond * 100) / 100
  }
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
