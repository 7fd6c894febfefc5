/** Histograms: nothing that is no duration gets in, merged and written figures come back as they were. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { HistogramLogReader } from 'hdr-histogram-js'
import { describe, expect, it } from 'vitest'
import { Measurements } from '../../loadgen/live/measurements.js'
import { HIGHEST_MICROS, Recorder, curveOf } from '../../loadgen/live/recorder.js'

describe('a recorder', () => {
  it('lets no NaN, negative or infinite value in, and rounds fractions', () => {
    const recorder = new Recorder()
    for (const value of [NaN, -1, -Infinity]) recorder.record(value)
    expect({ count: recorder.count, dropped: recorder.dropped }).toEqual({ count: 0, dropped: 3 })
    expect(recorder.summary()).toEqual({ count: 0, p50Us: 0, p90Us: 0, p99Us: 0, p999Us: 0, maxUs: 0 })
    recorder.record(1_000.4)
    recorder.record(Infinity)
    expect(recorder.count).toBe(2)
    expect(recorder.percentile(50)).toBe(1_000)
    expect(recorder.summary().maxUs).toBeGreaterThanOrEqual(HIGHEST_MICROS)
    expect(Object.values(recorder.summary()).every(Number.isInteger)).toBe(true)
  })

  it('keeps three significant digits from a microsecond to minutes', () => {
    for (const micros of [1, 87, 4_321, 987_654, 123_456_789]) {
      const recorder = new Recorder()
      recorder.record(micros)
      expect(Math.abs(recorder.percentile(99) - micros) / micros, String(micros)).toBeLessThan(0.001)
    }
  })

  it('draws no percentile finer than its count allows', () => {
    const recorder = new Recorder()
    for (let micros = 1; micros <= 100; micros++) recorder.record(micros)
    const curve = curveOf(recorder.histogram)
    expect(curve[0]).toEqual([0, 1])
    expect(curve.at(-1)).toEqual([100, 100])
    expect(curve.at(-2)![0]).toBeLessThanOrEqual(99.5)
    expect(curve.every(([percent], index) => index === 0 || percent > curve[index - 1]![0])).toBe(true)
  })
})

describe('the HDR log files', () => {
  it('hold one interval a second, empty ones too, and are read by the format\'s own reader', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'pushbench-hdr-'))
    const measurements = new Measurements(folder, 1_700_000_000_000, 4)
    for (const [second, micros] of [[0, 100], [0, 300], [2, 900]] as const) measurements.take('endToEnd', 'online', second, micros)
    await measurements.close()
    const reader = new HistogramLogReader(readFileSync(join(folder, 'endToEnd.hdr'), 'utf8'))
    const counts: number[] = []
    for (let histogram = reader.nextIntervalHistogram(); histogram !== null && histogram !== undefined; histogram = reader.nextIntervalHistogram()) counts.push(histogram.totalCount)
    expect(counts).toEqual([2, 0, 1, 0])
    expect(reader.startTimeSec).toBe(1_700_000_000)
    expect(measurements.intervals.map(({ endToEndP99Us }) => endToEndP99Us)).toEqual([300, 0, 900, 0])
    expect(measurements.whole().get('endToEnd')!.summary()).toMatchObject({ count: 3, maxUs: 900 })
    expect(measurements.row('online').count).toBe(3)
    rmSync(folder, { recursive: true, force: true })
  })
})
