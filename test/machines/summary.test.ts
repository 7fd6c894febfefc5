/** What a terminal shows: figures in a screenful, 80 columns, no escape where none is wanted. */
import { describe, expect, it } from 'vitest'
import { Rates, intervalLine, liveLines } from '../../loadgen/live/live-view.js'
import { PHASES, type Phase, type Progress } from '../../loadgen/live/progress.js'
import { summaryLines } from '../../loadgen/summary.js'
import { sampleRecord } from '../reports/sample-record.js'

// eslint-disable-next-line no-control-regex -- escapes are what is looked for
const ESCAPES = /\x1b\[[0-9;]*m/g

const progress = (phase: Phase, change: Partial<Progress> = {}): Progress => ({
  scenario: 'reference', phase, elapsedSeconds: 12.3, expectedSeconds: 25, leftSeconds: 12.7, registered: 2_571, devices: 2_984,
  planned: 1_234_567, sent: 1_234_560, accepted: 1_200_000, refused: 34_567, unanswered: 12, dropped: 3, delivered: 1_100_000, otherOutcomes: 5_432,
  inFlight: 94_568, waiting: 94_000, notified: 1_105_432, submitP50Us: 1_234, submitP99Us: 123_456, submitMaxUs: 4_000_000, ...change,
})

const bare = (line: string): string => line.replace(ESCAPES, '').replace(/ +/g, ' ').trim()

describe('the live view', () => {
  it('fits 80 columns in every phase and keeps its height from the load on', () => {
    const rates = new Rates()
    rates.look(0, progress('load', { planned: 1_234_367 }))
    rates.look(1, progress('load'))
    const took = new Map<Phase, number>([['start', 1.2]])
    const heights = PHASES.map((phase) => {
      const lines = liveLines(progress(phase), took, rates, true)
      for (const line of lines) expect(line.replace(ESCAPES, '').length, line).toBeLessThanOrEqual(80)
      return lines.length
    })
    expect(new Set(heights).size).toBe(1)
    expect(rates.of('planned')).toBe(200)
    expect(liveLines(progress('load'), took, rates, false).join('')).not.toContain('\x1b')
  })

  it('tells logs the same in one line', () => {
    const rates = new Rates()
    expect(intervalLine(progress('load'), rates)).toBe('load 12 s: planned 0/s, accepted 0/s, delivered 0/s, in flight 94568, answer p50 1.23 ms p99 123 ms, 13 s left')
    expect(intervalLine(progress('register'), rates)).toBe('register 12 s: 2,571 of 2,984 devices')
  })
})

describe('the summary', () => {
  const record = sampleRecord()

  it('fits 80 columns, with and without colours saying the same', () => {
    const plain = summaryLines(record, false)
    for (const line of plain) expect(line.length, line).toBeLessThanOrEqual(80)
    expect(plain.join('\n')).not.toContain('\x1b')
    expect(summaryLines(record, true).map((line) => bare(line)).join('\n')).toBe(plain.map(bare).join('\n'))
  })

  it('names lost and doubled pushes and every reason against the run', () => {
    const text = summaryLines({
      ...record,
      verdict: { valid: false, reasons: ['ledger: 1 of 100 accepted pushes were lost'] },
      findings: { balanced: false, lost: [{ pushId: 'p42@x', address: 'a', why: 'accepted, without an outcome and not in flight' }], duplicated: [{ pushId: 'p13@x', address: 'a', instance: 'urn:uuid:1', copies: 2 }], notes: [] },
    }, false).join('\n')
    for (const told of ['INVALID', 'ledger: 1 of 100 accepted pushes were lost', 'lost p42@x', '2 copies of p13@x', 'NOT BALANCED']) expect(text).toContain(told)
  })
})
