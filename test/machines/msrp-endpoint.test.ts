/** Two MSRP endpoints on a pipe: binding, chunks, reports, refusals, failures, as RFC 4975 tells them. */
import { describe, expect, it } from 'vitest'
import { content, message, Pair } from './msrp-pair.js'

describe('an MSRP session', () => {
  it('delivers a message and confirms it by a success report over every octet', () => {
    const pair = new Pair()
    const [a] = pair.sessions()
    a.send(pair.now, message('push-0001', content('OMA push'), { headers: [{ name: 'Content-Disposition', value: 'attachment; filename="é"' }] }))
    pair.run()
    expect(pair.left.outcome('push-0001')).toEqual({ type: 'confirmed' })
    expect(pair.right.user.received).toMatchObject([{ messageId: 'push-0001', contentType: 'text/plain', bytes: Buffer.from('OMA push'), state: 'complete' }])
    expect(pair.right.user.received[0]!.headers).toEqual([{ name: 'Content-Disposition', value: 'attachment; filename="é"' }])
    expect(pair.left.user.bound).toHaveLength(1)
    expect(pair.right.user.bound).toHaveLength(1)
  })
})
