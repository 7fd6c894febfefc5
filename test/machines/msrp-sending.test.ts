/** How an MSRP endpoint sends: chunks, turns, windows, slow drivers and slow sources (RFC 4975 sections 5.1 and 7.1). */
import { describe, expect, it } from 'vitest'
import { FLOW_BYTES_MAX } from '../../core/kit/network.js'
import type { ContentSource } from '../../core/msrp/contract.js'
import { content, message, octetAt, Pair, virtualContent } from './msrp-pair.js'
import { answer, bound, chunks } from './msrp-sent.js'

const MIB = 1_048_576

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

  it('that is said to have more again and again has one turn at a time all the same', () => {
    const { pair, a } = bound({ chunkBytes: 2_048, unansweredBytes: 2_048 })
    let ready = false
    const bytes = Buffer.alloc(20_480, 'z')
    pair.held = true
    a.send(pair.now, message('slow-001', { size: bytes.length, read: (offset, length) => (ready ? bytes.subarray(offset, offset + length) : undefined) }))
    ready = true
    for (let times = 0; times < 4; times++) a.resume(pair.now)
    a.send(pair.now, message('fast-001', content('x'.repeat(20_480))))
    for (let answered = 0; answered < 4; answered++) pair.inject(pair.left, 1, answer(a, chunks(pair).at(-1)!.id, 200))
    expect(chunks(pair).map((chunk) => chunk.message)).toEqual(['slow-001', 'slow-001', 'fast-001', 'slow-001', 'fast-001'])
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
