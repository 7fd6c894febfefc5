/** The one outcome of each MSRP message: answers, reports, their absence, refusals and cancelling (RFC 4975 sections 7.1.1 to 7.1.4). */
import { describe, expect, it } from 'vitest'
import type { ContentSource } from '../../core/msrp/contract.js'
import { content, message, Pair } from './msrp-pair.js'
import { answer, bound, chunks, report } from './msrp-sent.js'

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

  it('that a report brings after every answer lets the next long message begin', () => {
    const { pair, a } = bound({ chunkBytes: 2_048, interleavedMessages: 1 })
    pair.held = true
    for (const index of [1, 2]) a.send(pair.now, message(`push-000${index}`, content('x'.repeat(4_000))))
    for (const { id } of chunks(pair)) pair.inject(pair.left, 1, answer(a, id, 200))
    expect(chunks(pair).map(({ message: id }) => id)).toEqual(['push-0001', 'push-0001'])
    pair.inject(pair.left, 1, report(a, '1-4000/4000'))
    expect(pair.left.outcome('push-0001')).toEqual({ type: 'confirmed' })
    expect(chunks(pair).at(-1)!.message).toBe('push-0002')
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
    pair.left.endpoint.input(pair.now, { type: 'full', flow: 1 })
    // Who does not know his size needs a place however short he is.
    const source: ContentSource = { size: undefined, read: (offset) => Buffer.from('x').subarray(offset) }
    for (let index = 0; index < 20_000; index++) a.send(pair.now, message(`push-${index}`, source, { successReport: false, failureReport: 'no' }))
    pair.left.endpoint.input(pair.now, { type: 'writable', flow: 1 })
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
