/** The table of transactions and tickets does what a Map does, whatever comes and goes. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ChurnMap } from '../../core/kit/churn-map.js'

describe('a ChurnMap', () => {
  it('agrees with a Map after any sequence of sets and deletes', () => {
    const step = fc.record({ key: fc.integer({ min: 0, max: 300 }).map((number) => `z9hG4bK${number}`), remove: fc.boolean() })
    fc.assert(fc.property(fc.array(step, { maxLength: 600 }), fc.integer(), (steps, seed) => {
      const wanted = new Map<string, number>()
      const map = new ChurnMap<number>(seed)
      steps.forEach(({ key, remove }, index) => {
        if (remove) expect(map.delete(key)).toBe(wanted.delete(key))
        else {
          map.set(key, index)
          wanted.set(key, index)
        }
        expect(map.size).toBe(wanted.size)
      })
      for (let number = 0; number <= 300; number++) {
        expect(map.get(`z9hG4bK${number}`)).toBe(wanted.get(`z9hG4bK${number}`))
        expect(map.has(`z9hG4bK${number}`)).toBe(wanted.has(`z9hG4bK${number}`))
      }
    }))
  })

  it('grows past its first table and empties again', () => {
    const map = new ChurnMap<number>(7)
    for (let number = 0; number < 10_000; number++) map.set(`key ${number}`, number)
    expect(map.size).toBe(10_000)
    for (let number = 0; number < 10_000; number++) {
      expect(map.get(`key ${number}`)).toBe(number)
      expect(map.delete(`key ${number}`)).toBe(true)
    }
    expect(map.size).toBe(0)
  })

  it('takes numbers that follow each other by any step, as tickets and sequences do', () => {
    for (const step of [1, 7, 2_048]) {
      const map = new ChurnMap<string, number>(0)
      const first = 1_700_000_000_000 * 2_048
      for (let number = 0; number < 20_000; number++) {
        map.set(first + number * step, `value ${number}`)
        if (number >= 500) expect(map.delete(first + (number - 500) * step)).toBe(true)
      }
      expect(map.size).toBe(500)
      expect([...map.values()].sort()).toEqual(Array.from({ length: 500 }, (_, index) => `value ${19_500 + index}`).sort())
      expect(map.get(first + 19_999 * step)).toBe('value 19999')
      expect(map.get(first + 19_499 * step)).toBeUndefined()
    }
  })
})
