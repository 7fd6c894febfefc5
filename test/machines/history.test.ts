/** The history of runs: lines that are only ever added, damage that costs one line, and changes found at the run that brought them. */
import { describe, expect, it } from 'vitest'
import { Schema } from 'effect'
import fc from 'fast-check'
import { SeededEntropy } from '../../core/kit/entropy.js'
import { HistoryAnswer } from '../../reports/answers/history.js'
import { csv } from '../../loadgen/csv.js'
import { readCsv } from '../../loadgen/csv-reader.js'
import { historyAnswer } from '../../loadgen/history/changes.js'
import { columnsOf, HISTORY_HEADER, historyLine, readHistory } from '../../loadgen/history/rows.js'
import { historyLines } from '../../loadgen/history/summary.js'
import { sampleRecord } from '../reports/sample-record.js'

const HEAD = csv(HISTORY_HEADER, [])

/** A history of so many runs of the sample, each with a CPU per push of its own. */
function history(count: number, cpuMicros: (index: number) => number, valid: (index: number) => boolean = () => true): string {
  return HEAD + Array.from({ length: count }, (_, index) => {
    const record = sampleRecord({
      startedAt: `2026-03-${String(1 + Math.floor(index / 20)).padStart(2, '0')}T${String(index % 20).padStart(2, '0')}:00:00Z`,
      verdict: valid(index) ? { valid: true, reasons: [] } : { valid: false, reasons: ['lag'] },
      work: { gateway: { seconds: 10, cpuSeconds: cpuMicros(index) / 1_000, counts: { accepted: 10_000 } } },
    })
    return historyLine({ ...record, disclosure: { ...record.disclosure, commit: `commit${index}` } }, `runs/${index}`, 'series1', HISTORY_HEADER)
  }).join('')
}

const noise = (index: number): number => { const entropy = new SeededEntropy(index, 'noise'); return 4 * (entropy.unit() + entropy.unit() - 1) }
const lines = (text: string): string => historyLines(historyAnswer(readHistory(text, 'history.csv')), false).join('\n')

describe('a history', () => {
  it('tells since which commit a figure is worse, and finds nothing where nothing changed', () => {
    const changed = historyAnswer(readHistory(history(30, (index) => (index < 18 ? 100 : 112) + noise(index)), 'history.csv'))
    const cpu = changed.series[0]!.metrics.find(({ name }) => name === 'parts.gateway.cpuPerPush')!
    expect(cpu.changes).toMatchObject([{ index: 18, commit: 'commit18', commitBefore: 'commit17', verdict: 'worse' }])
    expect(cpu.changes[0]!.after / cpu.changes[0]!.before).toBeCloseTo(1.12, 1)
    expect(Schema.decodeUnknownSync(HistoryAnswer, { onExcessProperty: 'error' })(JSON.parse(JSON.stringify(changed)))).toEqual(changed)
    expect(changed.series[0]!.metrics.flatMap(({ name, changes }) => (name === cpu.name ? [] : changes))).toEqual([])
    expect(lines(history(30, (index) => 100 + noise(index)))).toContain('no change')
  })

  it('passes over invalid runs, and says how many', () => {
    const answer = historyAnswer(readHistory(history(30, (index) => (index % 3 === 0 ? 900 : 100 + noise(index)), (index) => index % 3 !== 0), 'history.csv'))
    expect(answer.series[0]).toMatchObject({ leftOut: 10 })
    expect(answer.series[0]!.runs).toHaveLength(20)
    expect(answer.series[0]!.metrics.flatMap(({ changes }) => changes)).toEqual([])
  })

  it('of few runs says how many are needed', () => {
    expect(lines(history(3, () => 100))).toContain('too few runs to see a change: 10 are needed')
    expect(lines(HEAD)).toContain('no run yet')
  })

  it('with a torn or foreign line loses that line and names it', () => {
    const whole = history(4, () => 100).split('\n')
    const torn = readHistory([...whole.slice(0, 3), whole[3]!.slice(0, 30), ...whole.slice(4)].join('\n') + whole[2]!.slice(0, 40), 'h.csv')
    expect(torn.rows.map(({ commit }) => commit)).toEqual(['commit0', 'commit1', 'commit3'])
    expect(torn.problems).toEqual([expect.stringMatching(/^h\.csv:4 \d+ cells, where the header has 20; it is passed over$/), 'h.csv:6 the last line is torn; it is passed over'])
    const wrong = whole[2]!.split(',')
    wrong[8] = 'fast'
    expect(readHistory([...whole.slice(0, 2), wrong.join(','), ''].join('\n'), 'h.csv').problems).toEqual(['h.csv:3 a cell is not what its column says; it is passed over'])
  })

  it('keeps the columns a file has, in its order, and refuses a file that is none', () => {
    const header = [...HISTORY_HEADER.slice(0, 8), 'submit.p99', 'endToEnd.p50', 'somebody elses']
    const line = historyLine(sampleRecord(), 'runs/1', 's', header)
    expect(line.trim().split(',').slice(8)).toEqual(['7600', '3700', ''])
    expect(() => columnsOf('date,value\n', 'history.csv')).toThrow('history.csv:1 is no history of pushbench: it has no column "time"; nothing was written to it')
  })

  it('begins with a time, attributes and numbers in every row, as Apache Otava reads it', () => {
    const [header, ...rows] = readCsv(history(3, () => 100))
    expect(header!.cells[0]).toBe('time')
    for (const { cells } of rows) {
      expect(Number.isNaN(Date.parse(cells[0]!))).toBe(false)
      expect(cells.slice(8).every((cell) => cell === '' || Number.isFinite(Number(cell)))).toBe(true)
    }
  })
})

describe('comma-separated values', () => {
  it('are read as they were written, whatever stands in a cell', () => {
    fc.assert(fc.property(fc.array(fc.array(fc.string({ unit: fc.constantFrom('a', ',', '"', '\n', ' ', 'ü') }), { minLength: 2, maxLength: 4 }), { maxLength: 5 }), (rows) => {
      expect(readCsv(csv(['x', 'y'], rows)).slice(1).map(({ cells, torn }) => [cells, torn])).toEqual(rows.map((cells) => [cells, false]))
    }))
  })
})
