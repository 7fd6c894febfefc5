/** Properties of MSRP in both directions: whatever the split, the interleaving, the chunking or the order, contents come out as they went in. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Ranges } from '../../core/msrp/ranges.js'
import { content, message, Pair } from './msrp-pair.js'
import { RawPeer } from './msrp-raw-peer.js'

/** Octets that look like what frames them, as often as not. */
const awkward = fc.array(fc.constantFrom('\r\n', '\r', '-------', '\r\n-------', '$\r\n', 'MSRP abcd SEND\r\n', 'x', 'yyyyyyyyyyyyyyyyyyyyyyyy', '\0'), { maxLength: 400 }).map((parts) => Buffer.from(parts.join(''), 'latin1'))

/** Pieces of these sizes, over and over. */
function cutBy(sizes: readonly number[]): (bytes: Buffer) => Buffer[] {
  let turn = 0
  return (bytes) => {
    const pieces: Buffer[] = []
    for (let at = 0; at < bytes.length; ) {
      const size = sizes[turn++ % sizes.length]!
      // A copy of its own, as long as one arrival lives.
      pieces.push(Buffer.from(bytes.subarray(at, at + size)))
      at += size
    }
    return pieces
  }
}

describe('any contents', () => {
  it('sent both ways at once, in any chunks, through any pieces, arrive whole and are told once', () => {
    fc.assert(fc.property(
      fc.array(fc.record({ bytes: awkward, left: fc.boolean(), session: fc.nat({ max: 2 }), success: fc.boolean(), failure: fc.constantFrom('yes', 'no', 'partial') }), { minLength: 1, maxLength: 8 }),
      fc.array(fc.integer({ min: 1, max: 3_000 }), { minLength: 1, maxLength: 10 }),
      fc.integer({ min: 1, max: 4_000 }), fc.integer({ min: 1, max: 6_000 }), fc.integer({ min: 1, max: 4 }),
      (messages, sizes, chunkBytes, unansweredBytes, interleavedMessages) => {
        const pair = new Pair({ chunkBytes, unansweredBytes, interleavedMessages })
        pair.cut = cutBy(sizes)
        const sessions = [pair.sessions(), pair.sessions({ incrementalReports: true }, { incrementalReports: true }), pair.sessions()]
        messages.forEach(({ bytes, left, session, success, failure }, index) =>
          sessions[session]![left ? 0 : 1].send(pair.now, message(`push-${index}`, content(bytes), { successReport: success, failureReport: failure })))
        pair.run()
        messages.forEach(({ bytes, left, success }, index) => {
          const [from, to] = left ? [pair.left, pair.right] : [pair.right, pair.left]
          expect(from.user.outcomes.filter(([id]) => id === `push-${index}`)).toEqual([[`push-${index}`, { type: success ? 'confirmed' : 'sent' }]])
          expect(to.user.received.filter(({ messageId }) => messageId === `push-${index}`)).toMatchObject([{ state: 'complete', bytes }])
        })
        // No answer was asked of anything that is still waited for, but errors of `partial`.
        for (const all of sessions) for (const session of all) session.close(pair.now)
        pair.pass(30_000_000)
        for (const { endpoint } of [pair.left, pair.right]) {
          expect(endpoint.deadline()).toBe(Infinity)
          expect(endpoint.connections).toBe(0)
        }
      }), { numRuns: 300 })
  })

  it('cut off at any moment end every message exactly once', () => {
    fc.assert(fc.property(fc.array(awkward, { minLength: 1, maxLength: 5 }), fc.nat({ max: 60 }), fc.integer({ min: 1, max: 500 }), (contents, arrivals, size) => {
      const pair = new Pair({ chunkBytes: 600, unansweredBytes: 1_200 })
      const [a] = pair.sessions()
      let left = arrivals
      const cut = cutBy([size])
      pair.cut = (bytes) => {
        const pieces = cut(bytes).slice(0, left)
        left -= pieces.length
        return pieces
      }
      contents.forEach((bytes, index) => a.send(pair.now, message(`push-${index}`, content(bytes))))
      pair.run()
      for (const flow of pair.openFlows) pair.drop(flow)
      pair.run()
      expect(pair.left.user.outcomes.map(([id]) => id).sort()).toEqual(contents.map((_bytes, index) => `push-${index}`))
      expect(pair.right.user.received.every(({ state }) => state !== 'open')).toBe(true)
      expect(pair.left.endpoint).toMatchObject({ openSessions: 0, connections: 0 })
    }), { numRuns: 300 })
  })

  it('from a peer that sends chunks in any order, twice or overlapping, are put together', () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 200 }), fc.array(fc.tuple(fc.nat({ max: 200 }), fc.integer({ min: 1, max: 60 })), { maxLength: 12 }), fc.integer({ min: 1, max: 30 }), (size, extra, step) => {
      const bytes = Buffer.from(Array.from({ length: size }, (_, index) => 97 + (index % 26)))
      const pieces: [number, number][] = extra.map(([from, length]): [number, number] => [Math.min(from, size - 1), Math.min(from + length, size - 1)]).filter(([from, to]) => to > from)
      for (let from = 0; from < size - 1; from += step) pieces.push([from, Math.min(from + step, size - 1)])
      const peer = new RawPeer()
      pieces.forEach(([from, to], index) => peer.chunk(`tid-${index}`, 'push-0001', `${from + 1}-*/*`, bytes.toString('latin1', from, to), '+'))
      expect(peer.user.received.every(({ state }) => state === 'open')).toBe(true)
      peer.chunk('last', 'push-0001', `${size}-*/*`, bytes.toString('latin1', size - 1), '$')
      expect(peer.user.received).toMatchObject([{ state: 'complete', bytes }])
    }), { numRuns: 300 })
  })
})

describe('ranges', () => {
  it('know of every octet whether it is there, and hold no more runs than there are', () => {
    fc.assert(fc.property(fc.array(fc.tuple(fc.nat({ max: 60 }), fc.nat({ max: 12 })), { maxLength: 30 }), (adds) => {
      const ranges = new Ranges()
      const there = new Set<number>()
      for (const [from, length] of adds) {
        ranges.add(from, from + length)
        for (let at = from; at < from + length; at++) there.add(at)
        let covered = 0
        while (there.has(covered)) covered++
        expect(ranges.coversTo(covered)).toBe(true)
        expect(ranges.coversTo(covered + 1)).toBe(false)
        expect(ranges.count).toBe([...there].filter((octet) => !there.has(octet - 1)).length)
      }
    }), { numRuns: 500 })
  })
})
