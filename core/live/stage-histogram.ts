/** Durations a part measures of itself, by stage: 1 µs to 10 minutes, 3 significant digits. Knows durations, not what they are of. */
import { build, encodeIntoCompressedBase64, type Histogram } from 'hdr-histogram-js'
import type { Micros } from '../kit/time.js'

const HIGHEST_MICROS: Micros = 600_000_000

export class StageHistogram {
  private readonly histogram: Histogram = build({
    bitBucketSize: 32, lowestDiscernibleValue: 1, highestTrackableValue: HIGHEST_MICROS, numberOfSignificantValueDigits: 3, autoResize: false, useWebAssembly: false,
  })

  /** Whole microseconds, `count` times; more than ten minutes counts as ten minutes. */
  record(micros: Micros, count = 1): void {
    this.histogram.recordValueWithCount(micros > HIGHEST_MICROS ? HIGHEST_MICROS : micros, count)
  }

  /** As other processes take it: compressed, base64. */
  encode(): string {
    return encodeIntoCompressedBase64(this.histogram)
  }
}
