/**
 * The histograms of one shard of a simulated day, and of several added up: by stage, by row of the traffic set, by binding, and
 * coarser ones by interval. They cross between threads compressed. Knows durations, not how they came about.
 */
import { build, encodeIntoCompressedBase64, type Histogram } from 'hdr-histogram-js'
import { ROW_STAGE, type SampleSink, type StageName } from '../reconcile/measures.js'
import type { IntervalLatencies } from './measurements.js'
import { HIGHEST_MICROS, curveOf, decodeHistogram, newHistogram, summaryOf } from './recorder.js'

/** `stage:<name>`, `row:<name>`, `binding:<name>`, and `<interval>:<stage>`. */
export type EncodedHistograms = Readonly<Record<string, string>>

/** Stages whose latencies the record shows for each interval. */
const SHOWN: ReadonlySet<StageName> = new Set(['lag', 'submit', 'endToEnd'])

export class ShardHistograms {
  private readonly tables = new Map<string, Histogram>()

  constructor(private readonly intervalSeconds: number) {}

  readonly take: SampleSink = (stage, row, second, micros) => {
    record(this.of(`stage:${stage}`), micros)
    if (ROW_STAGE[row] === stage) record(this.of(`row:${row}`), micros)
    if (SHOWN.has(stage)) record(this.ofInterval(Math.floor(second / this.intervalSeconds), stage), micros)
  }

  readonly takeBinding = (binding: string, micros: number): void => record(this.of(`binding:${binding}`), micros)

  encode(): EncodedHistograms {
    return Object.fromEntries([...this.tables].map(([name, histogram]) => [name, encodeIntoCompressedBase64(histogram)]))
  }

  add(encoded: EncodedHistograms): void {
    for (const [name, base64] of Object.entries(encoded)) {
      const histogram = decodeHistogram(base64)
      if (histogram === undefined) continue
      const whole = this.tables.get(name)
      if (whole === undefined) this.tables.set(name, histogram)
      else whole.add(histogram)
    }
  }

  /** Those whose name begins so, with the rest of their names. */
  summaries(kind: 'stage' | 'row' | 'binding'): Record<string, ReturnType<typeof summaryOf>> {
    return Object.fromEntries(this.named(kind).map(([name, histogram]) => [name, summaryOf(histogram)]))
  }

  curves(): Record<string, [number, number][]> {
    return Object.fromEntries(this.named('stage').map(([name, histogram]) => [name, curveOf(histogram)]))
  }

  interval(index: number): IntervalLatencies {
    const at = (stage: StageName, percent: number): number => {
      const histogram = this.tables.get(`${index}:${stage}`)
      return histogram === undefined || histogram.totalCount === 0 ? 0 : Math.round(histogram.getValueAtPercentile(percent))
    }
    return { lagP99Us: at('lag', 99), submitP50Us: at('submit', 50), submitP99Us: at('submit', 99), endToEndP50Us: at('endToEnd', 50), endToEndP99Us: at('endToEnd', 99) }
  }

  private named(kind: string): [string, Histogram][] {
    return [...this.tables].filter(([name]) => name.startsWith(`${kind}:`)).map(([name, histogram]) => [name.slice(kind.length + 1), histogram])
  }

  private of(name: string): Histogram {
    let histogram = this.tables.get(name)
    if (histogram === undefined) this.tables.set(name, (histogram = newHistogram()))
    return histogram
  }

  /** Two digits: an hour has 3,600 of them, and a point of a picture needs no more. */
  private ofInterval(index: number, stage: StageName): Histogram {
    const name = `${index}:${stage}`
    let histogram = this.tables.get(name)
    if (histogram === undefined) {
      histogram = build({ bitBucketSize: 32, lowestDiscernibleValue: 1, highestTrackableValue: HIGHEST_MICROS, numberOfSignificantValueDigits: 2, autoResize: false, useWebAssembly: false })
      this.tables.set(name, histogram)
    }
    return histogram
  }
}

function record(histogram: Histogram, micros: number): void {
  histogram.recordValue(Math.min(Math.round(micros), HIGHEST_MICROS))
}
