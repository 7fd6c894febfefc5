/** How an MSRP endpoint sends: chunks, turns, windows, slow drivers and slow sources, answers, reports and their absence (RFC 4975 section 7.1). */
import { describe, expect, it } from 'vitest'
import { FLOW_BYTES_MAX } from '../../core/kit/network.js'
import type { ContentSource, MsrpSession } from '../../core/msrp/contract.js'
import { content, message, octetAt, Pair, virtualContent } from './msrp-pair.js'

const MIB = 1_048_576

/** What the left side wrote: transact-id, Message-ID, range, octets of content, flag of each SEND with content. */
function chunks(pair: Pair): { id: string; message: string; range: string; length: number; flag: string }[] {
  return [...pair.left.wire.matchAll(/MSRP (\S+) SEND\r\n(?:[^\r]+\r\n)*?Message-ID: (\S+)\r\n(?:[^\r]+\r\n)*?Byte-Range: (\S+)\r\n(?:[^\r]+\r\n)+\r\n([^]*?)\r\n-------\1([$+#])\r\n/g)]
    .map(([, id, messageId, range, body, flag]) => ({ id: id!, message: messageId!, range: range!, length: body!.length, flag: flag! }))
}

/** The peer's response to a SEND of session `a`, by hand. */
function answer(a: MsrpSession, id: string, status: number): string {
  return `MSRP ${id} ${status}\r\nTo-Path: ${a.uri}\r\nFrom-Path: msrp://10.0.0.2:2855/b;tcp\r\n-------${id}$\r\n`
}

/** The peer's report on push-0001 of session `a`, by hand. */
function report(a: MsrpSession, range: string, status = '000 200 OK'): string {
  return `MSRP rep1 REPORT\r\nTo-Path: ${a.uri}\r\nFrom-Path: msrp://10.0.0.2:2855/b;tcp\r\nMessage-ID: push-0001\r\nByte-Range: ${range}\r\nStatus: ${status}\r\n-------rep1$\r\n`
}

/** A pair with one session on which nothing is moving yet. */
function bound(limits = {}): { pair: Pair; a: MsrpSession; b: MsrpSession } {
  const pair = new Pair(limits)
  const [a, b] = pair.sessions()
  pair.run()
  pair.left.wire = ''
  pair.right.wire = ''
  return { pair, a, b }
}

describe('chunks', () => {
  it('of a short content are one that cannot be interrupted, with its end', () => {
    const { pair, a } = bound()
    a.send(pair.now, message('push-0001', content('x'.repeat(2_048))))
    a.send(pair.now, message('push-0002', content('x'.repeat(2_049))))
    a.send(pair.now, message('push-0003', content('')))
    pair.run()
    expect(chunks(pair).map(({ range, flag }) => `${range} ${flag}`)).toEqual(['1-2048/2048 $', '1-*/2049 $', '1-0/0 $'])
    expect(pair.left.user.outcomes.map(([, { type }]) => type)).toEqual(['confirmed', 'confirmed', 'confirmed'])
  })

  it('of a longer content each continue the last, the end marked on the last alone', () => {
    const { pair, a } = bound({ chunkBytes: 2_048 })
    a.send(pair.now, message('push-0001', content('x'.repeat(5_000))))
    pair.run()
    expect(chunks(pair).map(({ range, length, flag }) => `${range} ${length} ${flag}`)).toEqual(['1-*/5000 2048 +', '2049-*/5000 2048 +', '4097-5000/5000 904 $'])
    expect(pair.right.wire.match(/ 200 OK\r\nTo/g)).toHaveLength(3)
    expect(pair.right.wire).toContain('Byte-Range: 1-5000/5000')
  })

  it('of a content of unknown size end where the source ends, also on the edge of a chunk', () => {
    for (const size of [0, 1, 2_047, 2_048, 4_096, 5_000]) {
      const { pair, a } = bound({ chunkBytes: 2_048 })
      const bytes = Buffer.alloc(size, 'y')
      a.send(pair.now, message('push-0001', { size: undefined, read: (offset, length) => bytes.subarray(offset, offset + length) }))
      pair.run()
      expect(pair.left.outcome('push-0001')).toEqual({ type: 'confirmed' })
      expect(pair.right.user.received[0]).toMatchObject({ state: 'complete', bytes })
      expect(chunks(pair).slice(0, -1).every(({ range }) => range.endsWith('/*'))).toBe(true)
      expect(chunks(pair).at(-1)!.range).toMatch(new RegExp(`/${size}$`))
    }
  })

  it('carry what the message asks for on every one of them', () => {
    const { pair, a } = bound({ chunkBytes: 2_048 })
    a.send(pair.now, message('push-0001', content('x'.repeat(5_000)), { failureReport: 'partial', headers: [{ name: 'Content-Disposition', value: 'attachment' }] }))
    pair.run()
    for (const line of ['Success-Report: yes', 'Failure-Report: partial', 'Content-Disposition: attachment', 'Content-Type: text/plain']) expect(pair.left.wire.split(`${line}\r\n`)).toHaveLength(4)
    expect(pair.right.wire).not.toContain(' 200 OK\r\nTo')
    expect(pair.left.outcome('push-0001')).toEqual({ type: 'confirmed' })
  })

  it('never have an end-line of their own in their content', () => {
    const { pair, a } = bound()
    // The content repeats what is on the wire: every transact-id used so far, as an end-line.
    for (let round = 0; round < 5; round++) {
      a.send(pair.now, message(`push-${round}`, content(`x\r\n${chunks(pair).map(({ id }) => `-------${id}$\r\n`).join('')}`)))
      pair.run()
      expect(pair.right.user.received[round]!.state).toBe('complete')
    }
  })

  it('are given another transact-id when the content holds the first as an end-line', () => {
    const { pair, a } = bound()
    const ids: string[] = []
    const taken = pair.left.wire
    a.send(pair.now, message('push-0000', content('y')))
    pair.run()
    ids.push(chunks(pair)[0]!.id)
    expect(taken).toBe('')
    // The same chance again: a second pair draws the same identifiers.
    const again = bound()
    again.a.send(again.pair.now, message('push-0000', content(`before\r\n-------${ids[0]}$\r\nMSRP evil SEND`)))
    again.pair.run()
    expect(chunks(again.pair)[0]!.id).not.toBe(ids[0])
    expect(again.pair.right.user.received[0]).toMatchObject({ state: 'complete', bytes: Buffer.from(`before\r\n-------${ids[0]}$\r\nMSRP evil SEND`) })
  })
})

describe('several messages', () => {
  it('take turns chunk by chunk, so a short one does not wait for a long one', () => {
    const { pair, a } = bound()
    pair.keepsWire = false
    pair.right.user.gathers = false
    const order: string[] = []
    pair.left.user.onOutcomeMore = (_now, { messageId }) => order.push(messageId)
    a.send(pair.now, message('long-0001', virtualContent(100 * MIB)))
    a.send(pair.now, message('short-01', content('short')))
    a.send(pair.now, message('middle-1', virtualContent(MIB)))
    pair.run()
    expect(order).toEqual(['short-01', 'middle-1', 'long-0001'])
  })

  it('share the connection evenly, between sessions and within one', () => {
    const pair = new Pair({ chunkBytes: 2_048, unansweredBytes: 4_096 })
    const [a] = pair.sessions()
    const [b] = pair.sessions()
    pair.run()
    pair.left.wire = ''
    for (const [session, name] of [[a, 'aa'], [b, 'bb']] as const) for (const index of [1, 2]) session.send(pair.now, message(`${name}-${index}`, content('x'.repeat(20_480))))
    pair.run()
    const written = chunks(pair).map((chunk) => chunk.message)
    expect(written).toHaveLength(40)
    for (const id of ['aa-1', 'aa-2', 'bb-1', 'bb-2']) expect(written.slice(-8)).toContain(id)
  })

  it('wait for a place when they are long, never when they are short', () => {
    const { pair, a } = bound({ chunkBytes: 2_048, unansweredBytes: 8_192, interleavedMessages: 2 })
    for (const index of [1, 2, 3]) a.send(pair.now, message(`long-${index}`, content('x'.repeat(40_000))))
    a.send(pair.now, message('short', content('x')))
    pair.run()
    const written = chunks(pair).map((chunk) => chunk.message)
    expect(written.indexOf('long-3')).toBeGreaterThan(Math.min(written.lastIndexOf('long-1'), written.lastIndexOf('long-2')))
    expect(written.indexOf('short')).toBeLessThan(20)
    expect(pair.left.user.outcomes.map(([, { type }]) => type)).toEqual(['confirmed', 'confirmed', 'confirmed', 'confirmed'])
  })

  it('give up their places when they are cancelled while they wait', () => {
    const { pair, a } = bound({ chunkBytes: 2_048, unansweredBytes: 8_192, interleavedMessages: 1 })
    pair.held = true
    const sent = [1, 2, 3].map((index) => a.send(pair.now, message(`long-${index}`, content('x'.repeat(40_000)))))
    a.cancel(pair.now, sent[1]!)
    a.cancel(pair.now, sent[0]!)
    pair.held = false
    pair.run()
    expect(pair.left.user.outcomes.map(([id, { type }]) => `${id} ${type}`)).toEqual(['long-2 failed', 'long-1 failed', 'long-3 confirmed'])
    expect(pair.right.user.received.map(({ state }) => state)).toEqual(['the sender gave it up', 'complete'])
  })
})

describe('100 MB', () => {
  it('go through whole while no more than the window is ever under way', () => {
    const { pair, a } = bound()
    pair.keepsWire = false
    pair.right.user.gathers = false
    let next = 0
    let wrong = 0
    pair.right.user.onBytesMore = (_now, _message, offset, bytes) => {
      if (offset !== next) wrong++
      next = offset + bytes.length
      if (bytes[0] !== octetAt(offset) || bytes[bytes.length - 1] !== octetAt(next - 1)) wrong++
    }
    a.send(pair.now, message('push-0001', virtualContent(100 * MIB)))
    pair.run()
    expect(wrong).toBe(0)
    expect(next).toBe(100 * MIB)
    expect(pair.left.outcome('push-0001')).toEqual({ type: 'confirmed' })
    expect(pair.left.queuedMost).toBeLessThan(524_288 + 65_536 + 8_192)
  })

  it('to a peer that takes nothing stop at the window, and read no further', () => {
    const { pair, a } = bound()
    let read = 0
    const source = virtualContent(100 * MIB)
    pair.held = true
    a.send(pair.now, message('push-0001', { size: source.size, read: (offset, length) => { read = offset + length; return source.read(offset, length) } }))
    pair.pass(10_000_000)
    expect(read).toBe(524_288)
    expect(pair.left.outcome('push-0001')).toBeUndefined()
    pair.held = false
    pair.right.user.gathers = false
    pair.keepsWire = false
    pair.run()
    expect(pair.left.outcome('push-0001')).toEqual({ type: 'confirmed' })
  })

  it('that nobody answers stop when the driver is full, and go on when it has room', () => {
    const { pair, a } = bound()
    pair.keepsWire = false
    pair.right.user.gathers = false
    pair.held = true
    a.send(pair.now, message('push-0001', virtualContent(100 * MIB), { failureReport: 'no' }))
    pair.run()
    expect(pair.left.queuedBytes).toBeGreaterThan(FLOW_BYTES_MAX)
    expect(pair.left.queuedBytes).toBeLessThan(FLOW_BYTES_MAX + 1.1 * MIB)
    pair.held = false
    pair.run()
    expect(pair.left.outcome('push-0001')).toEqual({ type: 'confirmed' })
    expect(pair.left.queuedMost).toBeLessThan(FLOW_BYTES_MAX + 2.2 * MIB)
  })

  it('asked for in many messages within one turn are handed over a bounded amount at a time', () => {
    const { pair, a } = bound()
    pair.keepsWire = false
    pair.right.user.gathers = false
    for (let index = 0; index < 100; index++) a.send(pair.now, message(`push-${index}`, virtualContent(65_536), { failureReport: 'no' }))
    expect(pair.left.queuedBytes).toBeLessThan(1.2 * MIB)
    pair.run()
    expect(pair.left.user.outcomes).toHaveLength(100)
  })

  it('wait while the driver is full, to the last octet', () => {
    const { pair, a } = bound()
    pair.left.endpoint.input(pair.now, { type: 'full', flow: 1 })
    a.send(pair.now, message('push-0001', content('x'), { failureReport: 'no' }))
    a.resume(pair.now)
    pair.pass(60_000_000)
    expect(pair.left.wire).toBe('')
    pair.left.endpoint.input(pair.now, { type: 'writable', flow: 1 })
    expect(chunks(pair)).toHaveLength(1)
  })

  it('do not hold up the answers to what comes the other way', () => {
    const { pair, a, b } = bound()
    pair.keepsWire = false
    pair.right.user.gathers = false
    a.send(pair.now, message('push-0001', virtualContent(100 * MIB)))
    b.send(pair.now, message('back-001', content('x')))
    const order: string[] = []
    for (const side of [pair.left, pair.right]) side.user.onOutcomeMore = (_now, { messageId }) => order.push(messageId)
    pair.run()
    expect(order).toEqual(['back-001', 'push-0001'])
  })
})

describe('a source', () => {
  it('with nothing at hand is asked again after resume, and others go on meanwhile', () => {
    const { pair, a } = bound({ chunkBytes: 2_048 })
    const bytes = Buffer.alloc(6_000, 'z')
    let available = 3_000
    const reads: number[] = []
    const source: ContentSource = { size: bytes.length, read: (offset, length) => { reads.push(offset); return offset + length <= available ? bytes.subarray(offset, offset + length) : undefined } }
    a.send(pair.now, message('slow-001', source))
    a.send(pair.now, message('fast-001', content('x'.repeat(10_000))))
    pair.run()
    expect(pair.left.outcome('fast-001')).toEqual({ type: 'confirmed' })
    expect(reads).toEqual([0, 2_048])
    pair.pass(1_000_000)
    expect(reads).toEqual([0, 2_048])
    available = 6_000
    a.resume(pair.now)
    pair.run()
    expect(pair.left.outcome('slow-001')).toEqual({ type: 'confirmed' })
    expect(pair.right.user.received.find(({ messageId }) => messageId === 'slow-001')!.bytes).toEqual(bytes)
  })

  it('that has nothing at hand when the connection comes up lets the session be bound all the same', () => {
    const pair = new Pair()
    const [a, b] = pair.sessions()
    let ready = false
    a.send(pair.now, message('slow-001', { size: 3, read: () => (ready ? Buffer.from('abc') : undefined) }))
    pair.run()
    expect(b.state).toBe('bound')
    ready = true
    a.resume(pair.now)
    pair.run()
    expect(pair.left.outcome('slow-001')).toEqual({ type: 'confirmed' })
  })

  it('that ends before its size fails the message and takes back what was sent', () => {
    const { pair, a } = bound({ chunkBytes: 2_048 })
    const bytes = Buffer.alloc(3_000)
    a.send(pair.now, message('push-0001', { size: 5_000, read: (offset, length) => bytes.subarray(offset, offset + length) }))
    pair.run()
    expect(pair.left.outcome('push-0001')).toEqual({ type: 'failed', cause: 'source', reason: 'the content ended after 3000 of 5000 octets' })
    expect(pair.right.user.received[0]!.state).toBe('the sender gave it up')
  })

  it('that gives more than it was asked for is cut', () => {
    const { pair, a } = bound()
    a.send(pair.now, message('push-0001', { size: 3, read: () => Buffer.from('abcdef') }))
    pair.run()
    expect(pair.right.user.received[0]!.bytes.toString()).toBe('abc')
  })
})

describe('an outcome', () => {
  it('is sent, when no report was asked for, once every SEND was answered', () => {
    const { pair, a } = bound({ chunkBytes: 2_048 })
    a.send(pair.now, message('push-0001', content('x'.repeat(5_000)), { successReport: false }))
    pair.held = true
    pair.run()
    expect(pair.left.outcome('push-0001')).toBeUndefined()
    pair.held = false
    pair.run()
    expect(pair.left.outcome('push-0001')).toEqual({ type: 'sent' })
    expect(pair.right.wire).not.toContain('REPORT')
  })

  it.each(['no', 'partial'] as const)('is sent, when neither report nor answer was asked for (%s), once everything was written, but never from within the call', (failureReport) => {
    const { pair, a } = bound()
    a.send(pair.now, message('push-0001', content('x'), { successReport: false, failureReport }))
    expect(pair.left.outcome('push-0001')).toBeUndefined()
    expect(pair.left.endpoint.deadline()).toBeLessThanOrEqual(pair.now.mono)
    pair.run()
    expect(pair.left.outcome('push-0001')).toEqual({ type: 'sent' })
    expect(pair.right.wire).toBe('')
  })

  it('is refused with the status of whichever chunk, and the rest is taken back', () => {
    const { pair, a } = bound({ chunkBytes: 2_048, unansweredBytes: 4_096 })
    pair.right.user.onBytesMore = (now, incoming, offset) => { if (offset === 4_096) incoming.session.refuse(now, incoming, 413) }
    a.send(pair.now, message('push-0001', content('x'.repeat(100_000))))
    pair.run()
    expect(pair.left.outcome('push-0001')).toEqual({ type: 'refused', status: 413, comment: 'Stop Sending' })
    const written = chunks(pair)
    expect(written.at(-1)).toMatchObject({ length: 0, flag: '#' })
    expect(written.length).toBeLessThan(8)
    expect(pair.left.user.outcomes).toHaveLength(1)
    // The session goes on.
    a.send(pair.now, message('push-0002', content('x')))
    pair.run()
    expect(pair.left.outcome('push-0002')).toEqual({ type: 'confirmed' })
  })

  it('is refused by the type, even where only errors are answered', () => {
    const pair = new Pair()
    const [a] = pair.sessions({}, { acceptTypes: ['text/plain'] })
    a.send(pair.now, message('push-0001', content('x'), { contentType: 'image/png' }))
    a.send(pair.now, message('push-0002', content('x'), { contentType: 'image/gif', failureReport: 'partial' }))
    pair.run()
    expect(pair.left.user.outcomes).toEqual([['push-0001', { type: 'refused', status: 415, comment: 'Unsupported Media Type' }], ['push-0002', { type: 'refused', status: 415, comment: 'Unsupported Media Type' }]])
  })

  it('fails when a SEND is not answered within 30 seconds, once, and the session stays', () => {
    const { pair, a } = bound()
    pair.held = true
    a.send(pair.now, message('push-0001', content('x')))
    pair.pass(29_999_999)
    expect(pair.left.outcome('push-0001')).toBeUndefined()
    pair.pass(1)
    expect(pair.left.outcome('push-0001')).toEqual({ type: 'failed', cause: 'timeout', reason: 'a SEND was not answered within 30 s' })
    pair.held = false
    pair.run()
    expect(pair.left.user.outcomes).toHaveLength(1)
    expect(a.state).toBe('bound')
  })

  it.each([false, true])('is not a timeout as long as answers come, however slow the link (report asked for: %s)', (successReport) => {
    const { pair, a } = bound({ chunkBytes: 2_048, unansweredBytes: 16_384 })
    a.send(pair.now, message('push-0001', content('x'.repeat(16_384)), { successReport }))
    // One chunk each 20 seconds, all handed to the driver at once.
    const ids = chunks(pair).map(({ id }) => id)
    expect(ids).toHaveLength(8)
    pair.held = true
    for (const id of ids) {
      pair.pass(20_000_000)
      pair.inject(pair.left, 1, answer(a, id, 200))
    }
    if (!successReport) expect(pair.left.outcome('push-0001')).toEqual({ type: 'sent' })
    pair.pass(20_000_000)
    pair.inject(pair.left, 1, report(a, '1-16384/16384'))
    expect(pair.left.outcome('push-0001')).toEqual({ type: successReport ? 'confirmed' : 'sent' })
  })

  it('waits for its report only after the last answer, which may be long behind those of other sessions', () => {
    const { pair, a } = bound()
    const [c] = pair.sessions()
    pair.run()
    pair.left.wire = ''
    pair.held = true
    c.send(pair.now, message('other-01', content('x'), { successReport: false }))
    a.send(pair.now, message('push-0001', content('x')))
    const [other, own] = chunks(pair)
    pair.pass(20_000_000)
    pair.inject(pair.left, 1, answer(c, other!.id, 200))
    pair.pass(25_000_000)
    pair.inject(pair.left, 1, answer(a, own!.id, 200))
    pair.pass(25_000_000)
    pair.inject(pair.left, 1, report(a, '1-1/1'))
    expect(pair.left.outcome('push-0001')).toEqual({ type: 'confirmed' })
  })

  it('is a timeout for a SEND that was passed over, though later ones are answered', () => {
    const { pair, a } = bound()
    a.send(pair.now, message('push-0001', content('x'), { successReport: false }))
    a.send(pair.now, message('push-0002', content('y'), { successReport: false }))
    const [, second] = chunks(pair)
    pair.held = true
    pair.pass(20_000_000)
    pair.inject(pair.left, 1, answer(a, second!.id, 200))
    pair.pass(10_000_000)
    expect(pair.left.outcome('push-0002')).toEqual({ type: 'sent' })
    expect(pair.left.outcome('push-0001')).toMatchObject({ cause: 'timeout' })
  })

  it('fails as no-report when all was answered and no report comes, each part of one giving more time', () => {
    const { pair, a } = bound()
    a.send(pair.now, message('push-0001', content('x'.repeat(100))))
    const { id } = chunks(pair)[0]!
    pair.held = true
    pair.inject(pair.left, 1, answer(a, id, 200))
    pair.pass(20_000_000)
    pair.inject(pair.left, 1, report(a, '1-50/100'))
    pair.pass(29_999_999)
    expect(pair.left.outcome('push-0001')).toBeUndefined()
    pair.pass(1)
    expect(pair.left.outcome('push-0001')).toMatchObject({ type: 'failed', cause: 'no-report' })
  })

  it('is confirmed by reports over parts in any order, and only when they cover all of it', () => {
    const { pair, a } = bound()
    a.send(pair.now, message('push-0001', content('x'.repeat(100))))
    pair.held = true
    for (const [range, status] of [['61-100/100'], ['1-*/100'], ['1-60/100', '001 200 OK'], ['10-60/100'], ['101-5000/5000']] as const) pair.inject(pair.left, 1, report(a, range, status))
    expect(pair.left.outcome('push-0001')).toBeUndefined()
    pair.inject(pair.left, 1, report(a, '1-9/100'))
    expect(pair.left.outcome('push-0001')).toEqual({ type: 'confirmed' })
    pair.inject(pair.left, 1, report(a, '1-100/100'))
    expect(pair.left.user.outcomes).toHaveLength(1)
  })

  it('cannot be confirmed by a report over octets that were not sent yet', () => {
    const { pair, a } = bound({ chunkBytes: 2_048, unansweredBytes: 4_096 })
    pair.held = true
    a.send(pair.now, message('push-0001', content('x'.repeat(10_000))))
    pair.inject(pair.left, 1, report(a, '1-10000/10000'))
    for (let round = 0; round < 5; round++) for (const { id } of chunks(pair)) pair.inject(pair.left, 1, answer(a, id, 200))
    expect(chunks(pair).at(-1)!.flag).toBe('$')
    expect(pair.left.outcome('push-0001')).toBeUndefined()
    pair.held = false
    pair.run()
    expect(pair.left.outcome('push-0001')).toEqual({ type: 'confirmed' })
  })

  it('is a timeout when the peer says 408, and the session\'s end when it says 481 or 506', () => {
    for (const [status, outcome, downs] of [
      [408, { type: 'failed', cause: 'timeout', reason: 'the peer answered 408' }, 0], [481, { type: 'refused', status: 481, comment: '' }, 1], [506, { type: 'refused', status: 506, comment: '' }, 1],
    ] as const) {
      const { pair, a } = bound()
      pair.held = true
      a.send(pair.now, message('push-0001', content('x')))
      pair.inject(pair.left, 1, answer(a, chunks(pair)[0]!.id, status))
      expect(pair.left.outcome('push-0001')).toEqual(outcome)
      expect(pair.left.user.downs).toHaveLength(downs)
    }
  })

  it('of a message that asks for errors only takes no notice of a 200 all the same', () => {
    const { pair, a } = bound()
    pair.held = true
    a.send(pair.now, message('push-0001', content('x'), { failureReport: 'partial' }))
    pair.pass(10_000_000)
    pair.inject(pair.left, 1, answer(a, chunks(pair)[0]!.id, 200))
    pair.pass(19_999_999)
    expect(pair.left.outcome('push-0001')).toBeUndefined()
    pair.pass(1)
    expect(pair.left.outcome('push-0001')).toMatchObject({ cause: 'no-report' })
  })

  it('is refused by a failure report after the 200', () => {
    const { pair, a } = bound()
    pair.held = true
    a.send(pair.now, message('push-0001', content('x')))
    pair.inject(pair.left, 1, report(a, '1-1/1', '000 403 Forbidden'))
    expect(pair.left.outcome('push-0001')).toEqual({ type: 'refused', status: 403, comment: 'Forbidden' })
  })

  it('of a cancelled message is cancelled, whatever comes later', () => {
    const { pair, a } = bound({ chunkBytes: 2_048, unansweredBytes: 4_096 })
    pair.held = true
    const sent = a.send(pair.now, message('push-0001', content('x'.repeat(10_000))))
    a.cancel(pair.now, sent)
    expect(pair.left.outcome('push-0001')).toEqual({ type: 'failed', cause: 'cancelled', reason: 'cancelled' })
    a.cancel(pair.now, sent)
    pair.held = false
    pair.run()
    expect(pair.left.user.outcomes).toHaveLength(1)
    expect(pair.right.user.received[0]!.state).toBe('the sender gave it up')
  })

  it('of what cannot be written is unsendable, and nothing of it is', () => {
    const { pair, a } = bound()
    const wrong = [
      message('abc', content('x')), message('push-0001', content('x'), { contentType: 'text/plain\r\nX: y' }), message('push-0002', content('x'), { headers: [{ name: 'X', value: 'y\r\nZ: w' }] }),
      message('push-0003', content('x'), { headers: [{ name: 'X:', value: 'y' }] }), message('push-0004', { size: -1, read: () => undefined }), message('push-0005', content('x'), { contentType: 'text' }),
    ]
    for (const options of wrong) a.send(pair.now, options)
    pair.run()
    expect(pair.left.user.outcomes.map(([, outcome]) => outcome.type === 'failed' && outcome.cause)).toEqual(wrong.map(() => 'unsendable'))
    expect(pair.left.wire).toBe('')
  })

  it('of a second message of the same Message-ID under way is unsendable; after the first it may go again', () => {
    const { pair, a } = bound()
    a.send(pair.now, message('push-0001', content('x')))
    a.send(pair.now, message('push-0001', content('x')))
    pair.run()
    expect(pair.left.user.outcomes.map(([, { type }]) => type)).toEqual(['failed', 'confirmed'])
    a.send(pair.now, message('push-0001', content('x')))
    pair.run()
    expect(pair.left.user.outcomes.at(-1)![1]).toEqual({ type: 'confirmed' })
    expect(pair.right.user.received).toHaveLength(1)
  })

  it('of each of very many messages that wait for one place comes, without one call inside the other', () => {
    const { pair, a } = bound({ interleavedMessages: 1 })
    pair.keepsWire = false
    pair.held = true
    // Who does not know his size needs a place however short he is.
    const source: ContentSource = { size: undefined, read: (offset) => Buffer.from('x').subarray(offset) }
    for (let index = 0; index < 20_000; index++) a.send(pair.now, message(`push-${index}`, source, { successReport: false, failureReport: 'no' }))
    pair.held = false
    pair.run()
    expect(pair.left.user.outcomes).toHaveLength(20_000)
    expect(pair.right.user.received).toHaveLength(20_000)
  })

  it('told to a user that sends again at once comes for each, in bounded turns', () => {
    const { pair, a } = bound()
    let count = 0
    pair.left.user.onOutcomeMore = (now) => {
      if (++count < 1_000) a.send(now, message(`push-${count}`, content('x'), { successReport: false, failureReport: 'no' }))
    }
    a.send(pair.now, message('push-0', content('x'), { successReport: false, failureReport: 'no' }))
    pair.left.endpoint.tick(pair.now)
    expect(count).toBe(1)
    pair.run()
    expect(count).toBe(1_000)
  })
})
