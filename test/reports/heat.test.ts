/** The heat map keeps what it was told: every latency in the row and column it belongs to, in few columns however long the run. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { COLUMNS_MAX, HeatCounter, leastOfRow, rowOf, ROWS_PER_DECADE } from '../../reports/heat.js'
import { heatPicture, heatTable } from '../../reports/pictures/heat-map.js'
import { sampleHeat, sampleRecord } from './sample-record.js'

const MINUTES_10 = 600_000_000

describe('the heat map of latencies', () => {
  it('puts every latency into the row whose bounds it lies between', () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: MINUTES_10 }), (micros) => {
      const row = rowOf(micros)
      expect(micros).toBeGreaterThanOrEqual(leastOfRow(row, ROWS_PER_DECADE) * (1 - 1e-9))
      expect(micros).toBeLessThan(leastOfRow(row + 1, ROWS_PER_DECADE) * (1 + 1e-9))
    }))
    expect(rowOf(0)).toBe(0)
  })

  it('loses none of them and makes none up, at whatever length, in at most so many columns', () => {
    const sample = fc.record({ second: fc.nat(4_999), micros: fc.nat(MINUTES_10) })
    fc.assert(fc.property(fc.integer({ min: 1, max: 5_000 }), fc.array(sample, { minLength: 1, maxLength: 50 }), (seconds, samples) => {
      const heat = new HeatCounter(seconds)
      const within = samples.map((each) => ({ ...each, second: each.second % seconds }))
      for (const { second, micros } of within) heat.add(second, micros)
      const { columns, columnSeconds } = heat.heatMap('endToEnd')!
      expect(columns.length).toBeLessThanOrEqual(COLUMNS_MAX)
      expect(columns.flatMap(({ counts }) => counts).reduce((sum, times) => sum + times, 0)).toBe(samples.length)
      for (const { second, micros } of within) {
        const { lowestRow, counts } = columns[Math.floor(second / columnSeconds)]!
        expect(counts[rowOf(micros) - lowestRow]).toBeGreaterThan(0)
      }
    }))
  })

  it('leaves out what lies outside of the measured seconds, and is absent when nothing was measured', () => {
    const heat = new HeatCounter(10)
    heat.add(10, 500)
    expect(heat.heatMap('endToEnd')).toBeUndefined()
    expect(heatPicture(sampleRecordWithout())).toBe('')
    expect(heatTable(sampleRecordWithout())).toBe('')
  })

  it('shows a single late push beside thousands in time', () => {
    const heat = new HeatCounter(60)
    for (let push = 0; push < 5_000; push++) heat.add(push % 60, 4_000)
    const inTime = heatPicture(sampleRecord({ heatMap: heat.heatMap('endToEnd')! }))
    heat.add(30, 2_000_000)
    const withLate = heatPicture(sampleRecord({ heatMap: heat.heatMap('endToEnd')! }))
    expect(drawn(inTime)).not.toContain('h1')
    expect(drawn(withLate)).toContain('h1')
  })

  it('draws neighbours of one shade as one bar: an hour of the same takes no more than a minute of it', () => {
    const bars = (seconds: number) => {
      const heat = new HeatCounter(seconds)
      for (let second = 0; second < seconds; second++) heat.add(second, 4_000)
      return heatPicture(sampleRecord({ heatMap: heat.heatMap('endToEnd')! })).match(/z/g)!.length
    }
    expect(bars(3_600)).toBe(bars(60))
    expect(heatPicture(sampleRecord({ heatMap: sampleHeat(3_600) })).length).toBeLessThan(250_000)
  })
})

/** The shades of the cells, without those of the key. */
function drawn(picture: string): string[] {
  return [...picture.matchAll(/<path d="[^"]*" class="(h\d)" shape-rendering/g)].map(([, shade]) => shade!)
}

function sampleRecordWithout(): ReturnType<typeof sampleRecord> {
  const { heatMap, ...record } = sampleRecord()
  return record
}
