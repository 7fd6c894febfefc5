/** Peers that lie, stop, never end or send noise: the MSRP endpoint neither throws nor hangs nor grows, and others notice nothing. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RawPeer, PEER } from '../machines/msrp-raw-peer.js'

const RUNS = { numRuns: 500 }

/** A whole SEND, as a peer of this session would write it. */
function sample(peer: RawPeer): string {
  return `${peer.head('abcd', ['Message-ID: msg-1', 'Success-Report: yes', 'Byte-Range: 1-5/5', 'Content-Type: text/plain'])}\r\nhello\r\n-------abcd$\r\n`
}

/** The endpoint still serves a second session on a second connection. */
function stillServes(peer: RawPeer): void {
  const session = peer.endpoint.session({ transport: 'tcp', acceptTypes: ['*'] })
  session.start(peer.now, 'passive', PEER)
  peer.connect()
  peer.take()
  peer.send('after', ['Message-ID: after-1', 'Content-Type: text/plain'], 'x', '$', session.uri)
  expect(peer.answers()).toEqual({ after: 200 })
}

describe('a hostile peer', () => {
  it('sends noise', () => {
    fc.assert(fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 10 }), (arrivals) => {
      const peer = new RawPeer()
      for (const bytes of arrivals) peer.give(Buffer.from(bytes))
      stillServes(peer)
    }), RUNS)
  })

  it('sends pieces of MSRP in any order', () => {
    const piece = fc.constantFrom(
      'MSRP abcd SEND\r\n', 'MSRP abcd 200 OK\r\n', 'MSRP abcd REPORT\r\n', 'MSRP abcd', ' ', '\r\n', '\n', '\r', 'To-Path: ', 'From-Path: ', `${PEER}\r\n`, 'msrp://192.0.2.40:2855/x;tcp\r\n', 'Message-ID: abcd\r\n',
      'Byte-Range: 1-*/*\r\n', 'Byte-Range: 999999999999999-999999999999999/0\r\n', 'Content-Type: a/b\r\n\r\n', '-------abcd$\r\n', '-------abcd', '-------', '+\r\n', '#\r\n', 'Status: 000 200\r\n', 'Success-Report: yes\r\n', ':', 'é')
    fc.assert(fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
      const peer = new RawPeer()
      for (const text of pieces) peer.give(text)
      stillServes(peer)
    }), { numRuns: 2_000 })
  })

  it('changes, drops or doubles octets of a good message', () => {
    fc.assert(fc.property(fc.array(fc.tuple(fc.nat(), fc.constantFrom('drop', 'double', 'change'), fc.nat({ max: 255 })), { minLength: 1, maxLength: 4 }), (edits) => {
      const peer = new RawPeer()
      const octets = [...Buffer.from(sample(peer), 'latin1')]
      for (const [place, kind, octet] of edits) {
        const at = place % octets.length
        if (kind === 'drop') octets.splice(at, 1)
        else if (kind === 'double') octets.splice(at, 0, octets[at]!)
        else octets[at] = octet
      }
      peer.give(Buffer.from(octets)).give(sample(peer))
      stillServes(peer)
    }), { numRuns: 2_000 })
  })

  it('stops at every octet of a message', () => {
    const length = sample(new RawPeer()).length
    for (let end = 0; end < length; end++) {
      const peer = new RawPeer()
      peer.give(sample(peer).slice(0, end))
      peer.endpoint.input(peer.now, { type: 'flow-down', flow: 1, reason: 'gone' })
      expect(peer.endpoint.connections).toBe(0)
      expect(peer.user.received.every(({ state }) => state === 'gone')).toBe(true)
      expect(peer.user.received.length).toBeLessThan(2)
    }
  })

  it('sends a line without end, a head without end, headers without end, and is cut off', () => {
    const peer = new RawPeer()
    for (const text of ['x'.repeat(1_000), 'a: b\r\n'.repeat(200), 'MSRP abcd SEND\r\n'.repeat(100)]) {
      peer.connect()
      peer.give('MSRP abcd SEND\r\n')
      let given = 0
      while (!peer.closes.includes(peer.flow) && given < 100_000) {
        peer.give(text)
        given += text.length
      }
      expect(given).toBeLessThan(20_000)
    }
    stillServes(peer)
  })

  it('sends a body without end: it hears 413, and nothing of it is kept', () => {
    const peer = new RawPeer({ maxSize: 1_000_000 })
    peer.user.gathers = false
    peer.give(`${peer.head('abcd', ['Message-ID: msg-1', 'Content-Type: a/b'])}\r\n`)
    const block = Buffer.alloc(65_536, '\r\n-------abc')
    const before = process.memoryUsage()
    for (let count = 0; count < 2_000; count++) peer.give(block)
    const after = process.memoryUsage()
    expect(peer.answers()).toEqual({ abcd: 413 })
    expect(after.arrayBuffers - before.arrayBuffers).toBeLessThan(16_000_000)
    peer.give('\r\n-------abcd$\r\n')
    stillServes(peer)
  })

  it('opens messages and leaves them, in chunks with gaps, up to the bound', () => {
    const peer = new RawPeer()
    for (let index = 0; index < 500; index++) peer.chunk(`tid-${index}`, `msg-${index}`, `${index + 2}-*/*`, 'x', '+')
    expect(peer.user.received).toHaveLength(64)
    expect(Object.values(peer.answers()).filter((status) => status === 413)).toHaveLength(436)
    peer.endpoint.input(peer.now, { type: 'flow-down', flow: 1, reason: 'gone' })
    expect(peer.user.received.every(({ state }) => state === 'gone')).toBe(true)
  })

  it('answers what was never sent, twice, or on another connection', () => {
    const peer = new RawPeer()
    peer.send('bind', ['Message-ID: bind'], undefined)
    const options = { contentType: 'a/b', source: { size: 1, read: () => Buffer.from('x') }, successReport: false, failureReport: 'yes' } as const
    peer.take()
    peer.session.send(peer.now, { ...options, messageId: 'push-0001' })
    const [, id] = /^MSRP (\S+) SEND/m.exec(peer.take())!
    const answer = (transactionId: string, status: number): string => `MSRP ${transactionId} ${status}\r\nTo-Path: ${peer.session.uri}\r\nFrom-Path: ${PEER}\r\n-------${transactionId}$\r\n`
    const own = peer.flow
    peer.connect()
    peer.give(answer(id!, 413)).give(answer('none', 481))
    peer.give(`${peer.head('rep1', ['Message-ID: push-0001', 'Byte-Range: 1-1/1', 'Status: 000 413'], undefined, 'REPORT')}-------rep1$\r\n`)
    expect(peer.user.outcomes).toEqual([])
    peer.give(answer('none', 481), own).give(answer(id!, 200), own).give(answer(id!, 413), own)
    expect(peer.user.outcomes).toEqual([['push-0001', { type: 'sent' }]])
    expect(peer.user.downs).toEqual([])
  })
})
