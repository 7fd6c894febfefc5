/** Content in pieces over a constrained bearer, and content by reference: what a terminal puts together, fetches, checks and drops. */
import { describe, expect, it } from 'vitest'
import fc from 'fast-check'
import { referenceBody, referenceType } from '../../core/ota/indirection.js'
import { Header } from '../../core/sip/header-names.js'
import { FETCHES_MAX } from '../../sim/terminal/fetches.js'
import { ASSEMBLIES_MAX, PIECES_MAX } from '../../sim/terminal/segments.js'
import { standardLines } from '../live/small-registrar.js'
import { TerminalWire } from './terminal-wire.js'

const SECOND = 1_000_000
const others = standardLines('home1.example').filter(([id]) => id !== Header.ContentType)

function registered(population: (ConstructorParameters<typeof TerminalWire>[0] & object)['population'] = {}): TerminalWire {
  const wire = new TerminalWire({ population: { subscribers: 1, ...population } })
  wire.register()
  return wire
}

function push(wire: TerminalWire, contentType: string, body: string, pushId = 'a@pi'): number | undefined {
  return wire.statusOf(wire.push(0, { pushId, body, lines: [...others, [Header.ContentType, contentType]] }))
}

function piece(wire: TerminalWire, number: number, total: number | undefined, body: string, id = 'w1'): number | undefined {
  return push(wire, `message/partial; id="${id}"; number=${number}${total === undefined ? '' : `; total=${total}`}`, body)
}

const received = (wire: TerminalWire): (readonly string[])[] => wire.journal.filter(({ event }) => event === 'received').map(({ pushId, details }) => [pushId, ...details.slice(2)])
const ENTITY = 'Content-Type: text/vnd.wap.si\r\n\r\n<si>content in pieces</si>'

describe('content in pieces (message/partial, RFC 2046 5.2.2)', () => {
  it('is received when its last piece has come, in whatever order, each answered 200, repeats included', () => {
    fc.assert(fc.property(fc.shuffledSubarray([1, 2, 3, 4, 5], { minLength: 5 }), fc.integer({ min: 1, max: 5 }), (order, again) => {
      const wire = registered()
      const cut = (number: number): string => ENTITY.slice((number - 1) * 12, number === 5 ? undefined : number * 12)
      for (const [index, number] of order.entries()) {
        expect(piece(wire, number, 5, cut(number))).toBe(200)
        if (index < 4) {
          if (number === again) expect(piece(wire, number, 5, cut(number))).toBe(200)
          expect(received(wire)).toEqual([])
        }
      }
      expect(received(wire)).toEqual([['a@pi', '200', 'first', 'message']])
      expect(wire.fleet.counters).toMatchObject({ segments: 0, received: 1 })
    }), { numRuns: 20 })
  })

  it('needs its total in the last piece only', () => {
    const wire = registered()
    expect([piece(wire, 1, undefined, ENTITY.slice(0, 20)), piece(wire, 2, 2, ENTITY.slice(20))]).toEqual([200, 200])
    expect(received(wire)).toHaveLength(1)
  })

  it('of a type the device does not take, or that is no entity, is refused with its last piece', () => {
    const wire = registered()
    expect([piece(wire, 1, 2, 'Content-Type: image/'), piece(wire, 2, 2, 'png\r\n\r\nx')]).toEqual([200, 415])
    expect([piece(wire, 1, 2, 'no header '), piece(wire, 2, 2, 'at all\r\n\r\n', 'w1')]).toEqual([200, 400])
    expect(received(wire).map(([, status]) => status)).toEqual(['415', '400'])
    expect(wire.fleet.counters.segments).toBe(0)
  })

  it.each(['message/partial', 'message/partial; id=x', 'message/partial; number=1; total=2', 'message/partial; id=x; number=0; total=2', 'message/partial; id=x; number=3; total=2',
    'message/partial; id=x; number=one; total=2', 'message/partial; id=x; number=1; total=-1'])('that says %s is malformed', (type) => {
    const wire = registered()
    expect(push(wire, type, 'x')).toBe(400)
    expect(wire.fleet.counters.segments).toBe(0)
  })

  it('with two totals, too many pieces, or too large is given up', () => {
    const wire = registered({ capabilities: [{ sizeMax: 1_000 }] })
    expect([piece(wire, 1, 3, 'a'), piece(wire, 2, 4, 'b')]).toEqual([200, 400])
    expect(piece(wire, 1, PIECES_MAX + 1, 'a')).toBe(413)
    expect([piece(wire, 1, 3, 'a'.repeat(900)), piece(wire, 2, 3, 'b'.repeat(200))]).toEqual([200, 413])
    expect(wire.fleet.counters.segments).toBe(0)
  })

  it('that never becomes whole is dropped after two minutes, and with the terminal', () => {
    const wire = registered()
    piece(wire, 1, 2, 'a')
    wire.pass(119 * SECOND)
    expect(wire.fleet.counters.segments).toBe(1)
    wire.pass(2 * SECOND)
    expect(wire.fleet.counters).toMatchObject({ segments: 0, segmentsLost: 1 })
    piece(wire, 1, 2, 'a')
    wire.tellFleet({ type: 'switch', subscriber: 0, to: 'off' })
    expect(wire.fleet.counters).toMatchObject({ segments: 0, segmentsLost: 2 })
  })

  it('from a sender of many beginnings takes bounded memory', () => {
    const wire = registered()
    wire.fleet.counters.received = 0
    const statuses = new Set<number | undefined>()
    for (let index = 0; index < ASSEMBLIES_MAX; index++) statuses.add(piece(wire, 1, 2, 'a', `w${index}`))
    expect([...statuses]).toEqual([200])
    expect(piece(wire, 1, 2, 'a', 'one more')).toBe(486)
    expect(wire.fleet.counters.segments).toBe(ASSEMBLIES_MAX)
    wire.pass(121 * SECOND)
    expect(wire.fleet.counters.segments).toBe(0)
  })
})

describe('content by reference (RFC 4483)', () => {
  const SHA1 = 'a9993e364706816aba3e25717850c26c9cd0d89d'
  const reference = { url: 'http://192.0.2.6:8080/c/1', expiresAt: 1_800_000_600_000, size: 3, sha1: SHA1, host: 'ppg.example' }
  const refer = (wire: TerminalWire, more: Partial<typeof reference> = {}, type = 'text/vnd.wap.si', pushId = 'a@pi'): number | undefined =>
    push(wire, referenceType({ ...reference, ...more }), referenceBody({ ...reference, ...more }, type, []).toString(), pushId)

  it('is answered 200, fetched, and received when size and hash are as announced', () => {
    const wire = registered()
    expect(refer(wire)).toBe(200)
    expect(wire.fetches).toEqual([{ type: 'fetch', ticket: 1, url: reference.url, bytesMax: 3 }])
    expect([received(wire), wire.fleet.counters.fetches]).toEqual([[], 1])
    wire.tellFleet({ type: 'fetched', ticket: 1, status: 200, bytes: 3, sha1: SHA1 })
    expect(received(wire)).toEqual([['a@pi', '200', 'first', 'indirection']])
    wire.tellFleet({ type: 'fetched', ticket: 1, status: 200, bytes: 3, sha1: SHA1 })
    expect(wire.fleet.counters).toMatchObject({ fetches: 0, fetched: 1, received: 1 })
  })

  it('that is gone, late, another content, or unreachable is noted as such and not as received', () => {
    const wire = registered()
    for (let each = 1; each <= 5; each++) refer(wire, {}, 'text/vnd.wap.si', `p${each}@pi`)
    wire.tellFleet({ type: 'fetched', ticket: 1, status: 404, bytes: 9, sha1: SHA1 })
    wire.tellFleet({ type: 'fetched', ticket: 2, status: 200, bytes: 4, sha1: SHA1 })
    wire.tellFleet({ type: 'fetched', ticket: 3, status: 200, bytes: 3, sha1: '0'.repeat(40) })
    wire.tellFleet({ type: 'fetch-failed', ticket: 4, reason: 'refused' })
    wire.tellFleet({ type: 'switch', subscriber: 0, to: 'vanished' })
    wire.tellFleet({ type: 'fetched', ticket: 5, status: 200, bytes: 3, sha1: SHA1 })
    expect(received(wire).map(([pushId, status]) => [pushId, status])).toEqual([['p1@pi', '404'], ['p2@pi', '400'], ['p3@pi', '400'], ['p4@pi', '408'], ['p5@pi', '408']])
    expect(wire.fleet.counters).toMatchObject({ fetches: 0, fetched: 0, fetchesFailed: 5, received: 0 })
    const late = registered()
    expect(refer(late, { expiresAt: 1_799_999_999_000 })).toBe(200)
    expect([late.fetches, received(late)[0]?.[1]]).toEqual([[], '410'])
  })

  it('is refused before it is fetched: 415 for its type, 513 for its size, 400 when it cannot be read, 415 by a device that fetches nothing', () => {
    const wire = registered({ capabilities: [{ sizeMax: 100 }] })
    expect([refer(wire, {}, 'image/png'), refer(wire, { size: 101 })]).toEqual([415, 513])
    for (const parameters of ['', ';access-type=URL', ';access-type=anon-ftp;URL="http://192.0.2.6/"', ';access-type=URL;URL="file:///etc/passwd"', ';access-type=URL;URL="http://192.0.2.6/";size=many',
      ';access-type=URL;URL="http://192.0.2.6/";hash=abc', ';access-type=URL;URL="http://192.0.2.6/";expiration="tomorrow"']) {
      expect(push(wire, `message/external-body${parameters}`, '\r\n')).toBe(400)
    }
    expect(wire.fetches).toEqual([])
    expect(refer(registered({ capabilities: [{ bindings: ['session'] }] }))).toBe(415)
  })

  it('is written in other cases and with URI for URL by some, and means the same', () => {
    const wire = registered()
    expect(push(wire, 'Message/External-Body; ACCESS-TYPE=url; uri="https://192.0.2.6/c"', 'Content-Type: text/plain\r\n\r\n')).toBe(200)
    expect(wire.fetches).toMatchObject([{ url: 'https://192.0.2.6/c', bytesMax: 104_857_600 }])
  })

  it('is answered 486 when as many fetches are under way as one fleet holds', () => {
    const wire = registered()
    for (let each = 0; each < FETCHES_MAX; each++) refer(wire, {}, 'text/vnd.wap.si', `p${each}@pi`)
    expect(refer(wire)).toBe(486)
  })
})
