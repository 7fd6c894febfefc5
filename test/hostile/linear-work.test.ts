/** What a hostile peer has us do grows as what it sends does, and not as the square of it: counted, since a busy machine makes any time long. */
import { workOf } from './work.js'
import { describe, expect, it } from 'vitest'
import { parsePath } from '../../core/msrp/uri.js'
import { HEAD_BYTES_MAX, StreamFramer } from '../../core/sip/framing.js'
import { RawPeer } from '../machines/msrp-raw-peer.js'

/** Each of so many pieces may cost that much; ten times as many ten times as much, and a little that is done once. */
function expectLinear(cost: (count: number) => number, count: number, each: number): void {
  const few = cost(count)
  expect(few).toBeLessThan(each * count)
  expect(cost(10 * count)).toBeLessThan(10 * few + 1_000)
}

function inPieces(bytes: Buffer, octets: number): Buffer[] {
  return Array.from({ length: Math.ceil(bytes.length / octets) }, (_, index) => bytes.subarray(index * octets, (index + 1) * octets))
}

describe('a body over MSRP that almost ends, again and again,', () => {
  it.each([1, 7, 1_000_000])('costs in proportion to its length, in arrivals of %i octets', (octets) => {
    const body = '\r\n-------abcd\r\n-------abcd$\r\r'
    expectLinear((count) => {
      const peer = new RawPeer()
      peer.user.gathers = false
      peer.give(`${peer.head('abcd', ['Message-ID: msg-1', 'Content-Type: a/b'])}\r\n`)
      const arrivals = inPieces(Buffer.from(body.repeat(count)), octets)
      const work = workOf(() => { for (const arrival of arrivals) peer.give(arrival) })
      expect(peer.user.received).toMatchObject([{ state: 'open' }])
      return work
    }, 60, 30 * body.length)
  })
})

describe('a head over MSRP', () => {
  it.each(['x', 'a: b\r\n'])('of %j again and again up to the limit costs in proportion to its length, in arrivals of one octet', (piece) => {
    expectLinear((count) => {
      const peer = new RawPeer()
      peer.give('MSRP abcd SEND\r\n')
      const arrivals = inPieces(Buffer.alloc(count, piece), 1)
      const work = workOf(() => { for (const arrival of arrivals) peer.give(arrival) })
      expect(peer.closes).toEqual([])
      return work
    }, 1_600, 60)
  })
})

describe('an MSRP path', () => {
  it.each(['a@', 'a', 'a/b;', ' ', 'msrp://h:1/a;tcp '])('made of %o without end costs in proportion to its length', (piece) => {
    for (const text of [piece.repeat(10_000), `msrp://${piece.repeat(10_000)}`, `msrp://h:1/${piece.repeat(10_000)}`]) expect(workOf(() => parsePath(text))).toBeLessThan(4 * text.length)
  })
})

describe('a SIP head', () => {
  it.each([1, 7])('that comes in arrivals of %i octets up to the limit costs in proportion to its length', (octets) => {
    expectLinear((count) => {
      const framer = new StreamFramer()
      const arrivals = inPieces(Buffer.alloc(count, 'a'), octets)
      const work = workOf(() => {
        for (const arrival of arrivals) {
          framer.push(arrival)
          framer.next()
        }
      })
      expect(framer.fatal).toBeUndefined()
      return work
    }, Math.floor(HEAD_BYTES_MAX / 10), 30)
  })
})
