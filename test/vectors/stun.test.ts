/** STUN as keep-alive needs it: RFC 5769's samples, every way to cut them short, and octets of any kind. */
import { createHmac } from 'node:crypto'
import { crc32 } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bindingAnswer, bindingRequest, isStun, readStun } from '../../core/sip/stun.js'

const octets = (hex: string): Buffer => Buffer.from(hex.replace(/\s+/g, ''), 'hex')

const TRANSACTION = octets('b7e7a701 bc34d686 fa87dfae')

/** RFC 5769 section 2.1. */
const REQUEST = octets(`
  00010058 2112a442 b7e7a701 bc34d686 fa87dfae 80220010 5354554e 20746573 7420636c 69656e74 00240004 6e0001ff 80290008 932ff9b1 51263b36
  00060009 6576746a 3a683676 59202020 00080014 9aeaa70c bfd8cb56 781ef2b5 b2d3f249 c1b571a2 80280004 e57a3bcf`)
/** Section 2.2. */
const RESPONSE = octets(`
  0101003c 2112a442 b7e7a701 bc34d686 fa87dfae 8022000b 74657374 20766563 746f7220 00200008 0001a147 e112a643
  00080014 2b91f599 fd9e90c3 8c7489f9 2af9ba53 f06be7d7 80280004 c07d4c96`)
/** Section 2.3. */
const RESPONSE_6 = octets(`
  01010048 2112a442 b7e7a701 bc34d686 fa87dfae 8022000b 74657374 20766563 746f7220 00200014 0002a147 0113a9fa a5d3f179 bc25f4b5 bed2b9d9
  00080014 a382954e 4be67bf1 1784c97c 8292c275 bfe3ed41 80280004 c8fb0b4c`)

const PLACES = fc.record({
  address: fc.oneof(fc.ipV4(), fc.array(fc.integer({ min: 0, max: 0xffff }), { minLength: 8, maxLength: 8 }).map((groups) => groups.map((group) => group.toString(16)).join(':'))),
  port: fc.integer({ min: 0, max: 65_535 }),
})
const TRANSACTIONS = fc.uint8Array({ minLength: 12, maxLength: 12 })

describe('the samples of RFC 5769', () => {
  it('are written down here as they are there: their own MESSAGE-INTEGRITY and FINGERPRINT hold', () => {
    for (const sample of [REQUEST, RESPONSE, RESPONSE_6]) {
      const covered = Buffer.from(sample.subarray(0, -32))
      covered.writeUInt16BE(sample.length - 28, 2)
      expect(createHmac('sha1', 'VOkJxbRl1RmTxUk/WvJxBt').update(covered).digest('hex')).toBe(sample.subarray(-28, -8).toString('hex'))
      expect((crc32(sample.subarray(0, -8)) ^ 0x5354554e) >>> 0).toBe(sample.readUInt32BE(sample.length - 4))
    }
  })

  it('say where the server saw the request come from, over IPv4 and IPv6', () => {
    expect(readStun(RESPONSE)).toEqual({ kind: 'success', transaction: TRANSACTION, mapped: { address: '192.0.2.1', port: 32_853 }, errorCode: 0, unknown: [] })
    expect(readStun(RESPONSE_6)!.mapped).toEqual({ address: '2001:db8:1234:5678:11:2233:4455:6677', port: 32_853 })
  })

  it('the request of an ICE agent asks for what no SIP port knows: 420 names PRIORITY', () => {
    const request = readStun(REQUEST)!
    expect(request).toMatchObject({ kind: 'request', transaction: TRANSACTION, unknown: [0x0024] })
    const answer = readStun(bindingAnswer(request, { address: '192.0.2.1', port: 5_060 }))!
    expect(answer).toMatchObject({ kind: 'error', errorCode: 420, mapped: undefined, transaction: TRANSACTION })
  })

  it('cut short at any octet are no message, nor are they with an octet more', () => {
    for (const sample of [REQUEST, RESPONSE, RESPONSE_6]) {
      for (let length = 0; length < sample.length; length++) expect(readStun(sample.subarray(0, length)), `${length} octets`).toBeUndefined()
      expect(readStun(Buffer.concat([sample, Buffer.alloc(1)]))).toBeUndefined()
    }
  })

  it('with an attribute cut short inside a whole message are none', () => {
    for (let length = 24; length < RESPONSE.length; length += 4) {
      const cut = Buffer.from(RESPONSE.subarray(0, length))
      cut.writeUInt16BE(length - 20, 2)
      const isWhole = [36, 48, 72].includes(length)
      expect(readStun(cut) !== undefined, `${length} octets`).toBe(isWhole)
    }
  })
})

describe('a datagram on a SIP port', () => {
  it('is STUN by its first two bits and the magic cookie, never by one of them alone', () => {
    expect([REQUEST, RESPONSE].every(isStun)).toBe(true)
    const isSip = ['\r\n\r\n', 'OPTIONS sip:a@b SIP/2.0\r\nVia: x\r\n\r\n', '\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n'].map((text) => isStun(Buffer.from(text)))
    expect(isSip).toEqual([false, false, false])
    for (const bits of [0x40, 0x80, 0xc0]) {
      const other = Buffer.from(RESPONSE)
      other[0] = other[0]! | bits
      expect(isStun(other)).toBe(false)
    }
  })

  it('that is a Binding request is answered with where it came from', () => {
    fc.assert(fc.property(TRANSACTIONS, PLACES, (transaction, from) => {
      const request = readStun(bindingRequest(transaction))!
      expect(request).toMatchObject({ kind: 'request', mapped: undefined, unknown: [] })
      expect(readStun(bindingAnswer(request, from))).toEqual({ kind: 'success', transaction: Buffer.from(transaction), mapped: from, errorCode: 0, unknown: [] })
    }))
  })

  it('of any octets is read or dropped, and never throws', () => {
    const headed = fc.tuple(fc.constantFrom(REQUEST, RESPONSE, RESPONSE_6), fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 8 })).map(([sample, changes]) => {
      const bytes = Buffer.from(sample)
      for (const [at, octet] of changes) bytes[at % bytes.length] = octet
      return bytes
    })
    fc.assert(fc.property(fc.oneof(fc.uint8Array({ maxLength: 600 }).map((each) => Buffer.from(each)), headed), (bytes) => {
      const message = readStun(bytes)
      if (message === undefined) return
      expect(message.transaction).toHaveLength(12)
      if (message.kind === 'request') expect(readStun(bindingAnswer(message, { address: '192.0.2.1', port: 1 }))).toBeDefined()
    }), { numRuns: 3_000 })
  })
})
