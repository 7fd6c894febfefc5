/** The log of rows that the simulated disk keeps for days: a map to whoever asks, whatever was put, put again and deleted. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RowLog } from '../../sim/world/row-log.js'

const key = fc.integer({ min: 0, max: 300 }).map((number) => Buffer.from(`key ${number}`))
const operation = fc.oneof(
  fc.record({ type: fc.constant('put' as const), key, value: fc.uint8Array({ maxLength: 40 }).map((octets) => Buffer.from(octets)) }),
  fc.record({ type: fc.constant('delete' as const), key, value: fc.constant(Buffer.alloc(0)) }),
)

describe('a log of rows', () => {
  it('says what a map would say', () => {
    fc.assert(fc.property(fc.array(operation, { maxLength: 2_000 }), (operations) => {
      const log = new RowLog()
      const map = new Map<string, Buffer>()
      for (const { type, key: at, value } of operations) {
        const text = at.toString('latin1')
        if (type === 'put') expect(log.put(at, value)).toBe(!map.has(text))
        else expect(log.delete(at)).toBe(map.has(text))
        if (type === 'put') map.set(text, value)
        else map.delete(text)
      }
      expect(log.size).toBe(map.size)
      expect([...log.keys()].map((each) => each.toString('latin1')).sort()).toEqual([...map.keys()].sort())
      for (let number = 0; number <= 300; number++) expect(log.get(Buffer.from(`key ${number}`))).toEqual(map.get(`key ${number}`))
    }), { numRuns: 30 })
  })

  it('takes no more room for a row that is written again and fits its place', () => {
    const log = new RowLog()
    const value = Buffer.alloc(1_000, 7)
    log.put(Buffer.from('row'), value)
    // A block holds 16,000 of them.
    for (let round = 0; round < 20_000; round++) log.put(Buffer.from('row'), value.subarray(0, 900 + round % 100))
    expect(log.get(Buffer.from('row'))).toEqual(value.subarray(0, 999))
    expect(log.blockCount).toBe(1)
  })

  it('finds its rows when it has grown over many blocks', () => {
    const log = new RowLog()
    const value = Buffer.alloc(3_000, 7)
    for (let number = 0; number < 20_000; number++) log.put(Buffer.from(`row ${number}`), value)
    expect(log.size).toBe(20_000)
    for (const number of [0, 5_591, 5_592, 11_184, 19_999]) expect(log.get(Buffer.from(`row ${number}`))).toEqual(value)
    expect(log.get(Buffer.from('row 20000'))).toBeUndefined()
  })
})
