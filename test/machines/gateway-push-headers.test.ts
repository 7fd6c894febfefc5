/** The headers of a pushed content on the wire to the terminal. */
import { describe, expect, it } from 'vitest'
import { pushMessage } from '../../core/pap/documents.js'
import { encodeSubmission } from '../../core/pap/submission.js'
import { Header } from '../../core/sip/header-names.js'
import type { SipMessage } from '../../core/sip/message.js'
import { GatewayWorld, user } from './gateway-world.js'

function pushWith(headers: readonly (readonly [name: string, value: string])[], deliverBefore?: number): SipMessage {
  const requests: SipMessage[] = []
  const world = new GatewayWorld({ core: (request) => { requests.push(request); return 200 } })
  const control = pushMessage({ pushId: 'p', addresses: [user('anna')], ...(deliverBefore === undefined ? {} : { deliverBefore: world.wall + deliverBefore }) })
  const { contentType, body } = encodeSubmission(control, { contentType: 'text/plain', headers: headers.map(([name, value]) => ({ name, value })), body: Buffer.from('x') })
  world.post(contentType, body)
  return requests[0]!
}

describe('push headers', () => {
  it('that SIP has a meaning of its own for travel as X-Push-<Name>, beside SIP’s own', () => {
    const message = pushWith([['Expires', 'Thu, 01 Dec 2033 16:00:00 GMT'], ['Date', 'Tue, 15 Nov 2022 08:12:31 GMT'], ['Cache-Control', 'max-age=60'], ['Age', '7']], 60_000)
    expect(message.getOther('X-Push-Expires')).toBe('Thu, 01 Dec 2033 16:00:00 GMT')
    expect(message.getOther('X-Push-Date')).toBe('Tue, 15 Nov 2022 08:12:31 GMT')
    expect(message.getOther('X-Push-Cache-Control')).toBe('max-age=60')
    expect(message.getOther('X-Push-Age')).toBe('7')
    expect(message.getAll(Header.Expires)).toEqual(['60'])
    expect(message.getAll(Header.Date)).toHaveLength(1)
    expect(message.getOther('Cache-Control')).toBeUndefined()
  })

  it('that mean the same travel under their own names', () => {
    const message = pushWith([['Content-Language', 'el'], ['Content-Location', 'http://a/b'], ['ETag', '"1"'], ['X-Wap-Content-URI', 'http://a/c'], ['X-Wap-Initiator-URI', 'http://a'], ['X-Oma-Thing', '1']])
    expect([message.getOther('Content-Language'), message.getOther('Content-Location'), message.getOther('ETag'), message.getOther('X-Oma-Thing')]).toEqual(['el', 'http://a/b', '"1"', '1'])
    expect([message.get(Header.XWapContentUri), message.get(Header.XWapInitiatorUri)]).toEqual(['http://a/c', 'http://a'])
  })

  it('that are a gateway’s to set, unknown, or about the POST stay behind', () => {
    const message = pushWith([['Push-Flag', '3'], ['Encoding-Version', '1.3'], ['X-Secret', 'a'], ['Authorization', 'Basic x'], ['Content-Disposition', 'form-data; name="f"']])
    for (const name of ['Push-Flag', 'Encoding-Version', 'X-Secret']) expect(message.getOther(name)).toBeUndefined()
    expect(message.has(Header.Authorization)).toBe(false)
    expect(message.has(Header.ContentDisposition)).toBe(false)
  })
})
