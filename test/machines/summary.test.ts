/** What a terminal shows: figures in a screenful, 80 columns, no escape where none is wanted. */
import { describe, expect, it } from 'vitest'
import { summaryLines } from '../../loadgen/summary.js'
import { sampleRecord } from '../reports/sample-record.js'

// eslint-disable-next-line no-control-regex -- escapes are what is looked for
const ESCAPES = /\x1b\[[0-9;]*m/g

const bare = (line: string): string => line.replace(ESCAPES, '').replace(/ +/g, ' ').trim()

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
