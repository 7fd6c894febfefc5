/**
 * HDR log files: one compressed histogram per second and stage, in the V2 text format that HdrHistogram's own log
 * plotter reads. Maximum values in milliseconds, as the format's readers expect of microsecond histograms.
 */
import { createWriteStream, type WriteStream } from 'node:fs'
import { HistogramLogWriter, type Histogram } from 'hdr-histogram-js'
import type { WallMillis } from '../../core/kit/time.js'

const MICROS_PER_MILLI = 1_000

export class HdrLog {
  private readonly stream: WriteStream
  private readonly writer: HistogramLogWriter

  /** @param startedAt wall-clock time of second 0 */
  constructor(path: string, stage: string, startedAt: WallMillis) {
    this.stream = createWriteStream(path)
    this.writer = new HistogramLogWriter((text: string) => { this.stream.write(text) })
    this.writer.outputComment(`[pushbench: ${stage}, values in microseconds, interval maximum in milliseconds]`)
    this.writer.outputLogFormatVersion()
    const seconds = (startedAt / 1_000).toFixed(3)
    this.writer.outputComment(`[StartTime: ${seconds} (seconds since epoch), ${new Date(startedAt).toISOString()}]`)
    this.writer.outputLegend()
  }

  /** The histogram of one second; an empty one is written too, so that the intervals stay equal. */
  interval(second: number, histogram: Histogram): void {
    this.writer.outputIntervalHistogram(histogram, second, second + 1, MICROS_PER_MILLI)
  }

  close(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.stream.once('error', reject)
      this.stream.end(() => resolve())
    })
  }
}
