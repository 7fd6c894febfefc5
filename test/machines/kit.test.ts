/** The kit everything stands on: deadlines fire in a fixed order, queues keep theirs, chance repeats from a seed, journals survive a tear. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SeededEntropy } from '../../core/kit/entropy.js'
import { Fifo } from '../../core/kit/fifo.js'
import { DeadlineHeap, type Deadline } from '../../core/kit/heap.js'
import { JOURNAL_EVENTS, journalLine, parseJournalLine } from '../../core/kit/journal.js'

describe('the deadline heap', () => {
  it('gives deadlines back in order of time, and equal times in the order they were armed, whatever was cancelled between', () => {
    fc.assert(fc.property(fc.array(fc.record({ at: fc.nat(20), cancel: fc.boolean() }), { maxLength: 200 }), (entries) => {
      const heap = new DeadlineHeap<number>()
      const armed: Deadline<number>[] = entries.map(({ at }, index) => heap.arm(at, index))
      entries.forEach(({ cancel }, index) => { if (cancel) heap.cancel(armed[index]!) })
      const expected = entries.map(({ at, cancel }, index) => ({ at, cancel, index })).filter(({ cancel }) => !cancel)
        .sort((a, b) => a.at - b.at || a.index - b.index).map(({ index }) => index)
      const fired: number[] = []
      for (let owner = heap.popDue(100); owner !== undefined; owner = heap.popDue(100)) fired.push(owner)
      expect(fired).toEqual(expected)
      expect(heap.next()).toBe(Infinity)
    }))
  })

  it('fires nothing early, and cancelling twice or after firing changes nothing', () => {
    const heap = new DeadlineHeap<string>()
    const first = heap.arm(10, 'first')
    const second = heap.arm(20, 'second')
    expect(heap.popDue(9)).toBeUndefined()
    expect(heap.popDue(10)).toBe('first')
    heap.cancel(first)
    heap.cancel(second)
    heap.cancel(second)
    expect(heap.size).toBe(0)
  })
})

describe('the queue', () => {
  it('is first in, first out over any mix of pushes and shifts', () => {
    fc.assert(fc.property(fc.array(fc.boolean(), { maxLength: 5000 }), (steps) => {
      const queue = new Fifo<number>()
      let pushed = 0
      let shifted = 0
      for (const push of steps) {
        if (push) queue.push(pushed++)
        else if (shifted < pushed) expect(queue.shift()).toBe(shifted++)
        else expect(queue.shift()).toBeUndefined()
      }
      expect(queue.length).toBe(pushed - shifted)
      expect(queue.peek()).toBe(shifted < pushed ? shifted : undefined)
    }), { numRuns: 30 })
  })
})

describe('seeded chance', () => {
  it('repeats for one seed and label, and differs between labels', () => {
    const draw = (entropy: SeededEntropy) => [entropy.token(64), entropy.unit(), entropy.bytes(4).toString('hex')]
    expect(draw(new SeededEntropy(7).fork('ims'))).toEqual(draw(new SeededEntropy(7).fork('ims')))
    expect(draw(new SeededEntropy(7).fork('ims'))).not.toEqual(draw(new SeededEntropy(7).fork('terminals')))
    expect(draw(new SeededEntropy(8))).not.toEqual(draw(new SeededEntropy(7)))
  })

  it('is uniform enough to draw arrivals from: mean and spread of 100,000 draws', () => {
    const entropy = new SeededEntropy(1)
    const draws = Array.from({ length: 100_000 }, () => entropy.unit())
    const mean = draws.reduce((sum, value) => sum + value, 0) / draws.length
    expect(mean).toBeGreaterThan(0.495)
    expect(mean).toBeLessThan(0.505)
    const tenths = new Array<number>(10).fill(0)
    for (const value of draws) tenths[Math.floor(value * 10)]! += 1
    for (const tenth of tenths) expect(Math.abs(tenth - 10_000)).toBeLessThan(500)
  })
})

describe('journal lines', () => {
  it('carry any push-id, address and detail through, line breaks and tabs included', () => {
    const any = fc.string({ unit: 'binary', maxLength: 40 })
    fc.assert(fc.property(fc.nat(), fc.constantFrom(...JOURNAL_EVENTS), any, any, fc.array(any, { maxLength: 4 }), (mono, event, pushId, address, details) => {
      const line = journalLine(mono, event, pushId, address, ...details)
      expect(line.slice(0, -1)).not.toContain('\n')
      expect(parseJournalLine(line.slice(0, -1))).toEqual({ mono, event, pushId, address, details })
    }))
  })

  it('that were torn or are foreign are not mistaken for events', () => {
    expect(parseJournalLine('1234\taccep')).toBeUndefined()
    expect(parseJournalLine('1234\taccepted\tp1')).toBeUndefined()
    expect(parseJournalLine('hello world')).toBeUndefined()
    expect(parseJournalLine('')).toBeUndefined()
  })
})
