/** A trace to replay: what it says is taken exactly, what is wrong in it is told by line. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { NO_ROW, readTrace } from '../../loadgen/trace.js'
import { ROWS } from '../../loadgen/scenario.js'

const problems = (text: string): string[] => {
  const read = readTrace(text)
  return read.ok ? [] : read.problems.map(({ line, message }) => `${line} ${message}`)
}

describe('a trace', () => {
  it('is offsets in seconds, and rows and sizes where they are named; empty cells leave it to the scenario', () => {
    const read = readTrace('"size",offset,row\r\n300,0,online\r\n,0.25,\r\n1048576,0.250001,"expires"\r\n\r\n')
    expect(read).toMatchObject({ ok: true })
    if (!read.ok) return
    expect([...read.trace.offsets]).toEqual([0, 250_000, 250_001])
    expect([...read.trace.rows]).toEqual([ROWS.indexOf('online'), NO_ROW, ROWS.indexOf('expires')])
    expect([...read.trace.sizes]).toEqual([300, -1, 1_048_576])
  })

  it.each([
    ['no header', '0.5\n1\n', '1 the header names the columns: offset, row, size; "0.5" is none of them'],
    ['nothing at all', '', '1 the header names the columns: offset, row, size; "" is none of them'],
    ['no offsets', 'row\nonline\n', '1 there is no column "offset": seconds from the begin of the load'],
    ['a column twice', 'offset,offset\n1,1\n', '1 the column "offset" is there twice'],
    ['nothing below the header', 'offset\n', '1 there is nothing below the header: a line for each attempt'],
    ['an offset that is none', 'offset\n1\n-2\n', '3 "-2" is no offset: seconds from the begin of the load, such as 12.345'],
    ['the wrong order', 'offset\n1\n0.5\n', '3 0.5 lies before the line above it: a trace is in the order of time'],
    ['a row that is none', 'offset,row\n1,onlin\n', '2 "onlin" is no row of the traffic set'],
    ['a size that is none', 'offset,size\n1,1kB\n', '2 "1kB" is no size: octets, at most 104857600'],
    ['a torn line', 'offset,row,size\n1,online,300\n2,onl', '3 2 cells, where the header has 3'],
  ])('with %s is refused by line', (_what, text, told) => {
    expect(problems(text)[0]).toContain(told)
  })

  it('with much wrong tells the first ten places', () => {
    expect(problems(`offset\n${'x\n'.repeat(50)}`)).toHaveLength(10)
  })

  it('is read or refused, whatever stands in it', () => {
    fc.assert(fc.property(fc.string({ unit: fc.constantFrom('0', '1', '.', ',', '\n', '"', 'e', '-', 'offset', 'row', 'online', ' ', '\r') }), (text) => {
      const read = readTrace(text)
      return read.ok ? read.trace.offsets.length > 0 : read.problems.every(({ line, message }) => line >= 1 && message !== '')
    }), { numRuns: 500 })
  })
})
