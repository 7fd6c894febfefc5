/** Whole submissions, as they arrive in a POST: what the gateway gets to see, and which answer a broken one gets. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { pushMessage } from '../../core/pap/documents.js'
import { encodePap } from '../../core/pap/encode.js'
import { decodeSubmission, encodeSubmission, type RefusedSubmission, type Submission } from '../../core/pap/submission.js'
import { GOOD } from './pap-examples.js'
import { complaintOf, prologue } from './pap-oracle.js'

const TYPE = 'multipart/related; boundary=b1; type="application/xml"'
const CONTROL = GOOD['E1 push to three addresses within a time window']!
const ID = 'fog/2031-77@beacon.example'
const CAPABILITIES = '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"/>'

const control = ['--b1', 'Content-Type: application/xml', '', CONTROL]
const content = ['--b1', 'Content-Type: text/plain; charset=utf-8', 'X-Wap-Application-Id: x-wap-application:mms.ua', 'Content-Language: sv', '', 'Dimma']
const post = (...lines: string[]) => Buffer.from([...lines, '--b1--', ''].join('\r\n'))

function taken(contentType: string, body: Buffer): Submission {
  const result = decodeSubmission(contentType, body)
  if (!result.ok) throw new Error(result.desc)
  return result
}

function refused(contentType: string, body: Buffer): RefusedSubmission {
  const result = decodeSubmission(contentType, body)
  if (result.ok || result.operation !== undefined) throw new Error('taken')
  expect(complaintOf(encodePap(result.answer, result.form))).toBeUndefined()
  return result
}

describe('a submission', () => {
  it('is its push-message, its content with the push headers, and its capabilities', () => {
    const submission = taken(TYPE, post(...control, ...content, '--b1', 'Content-Type: application/xml', '', CAPABILITIES))
    expect(submission).toMatchObject({
      form: '2.0',
      productName: 'Beacon/1.4',
      control: { type: 'push-message', pushId: ID, addresses: { length: 3 } },
      content: {
        contentType: 'text/plain; charset=utf-8',
        headers: [{ name: 'X-Wap-Application-Id', value: 'x-wap-application:mms.ua' }, { name: 'Content-Language', value: 'sv' }],
      },
    })
    expect(submission.content.body.toString()).toBe('Dimma')
    expect(submission.capabilities?.toString()).toBe(CAPABILITIES)
  })

  it('may have an empty content, a control entity without headers, text/xml, and any case of names', () => {
    expect(taken(TYPE, post(...control, '--b1', 'content-type: text/plain', '', '')).content.body.length).toBe(0)
    expect(taken('MULTIPART/RELATED; Boundary="b1"; type=application/xml', post('--b1', '', CONTROL, ...content)).control.pushId).toBe(ID)
    expect(taken(TYPE, post('--b1', 'CONTENT-TYPE: text/xml; charset=utf-8', '', '', ` ${CONTROL}`, ...content)).control.pushId).toBe(ID)
    expect(taken(`${TYPE}; start="<c@x>"`, post('--b1', 'Content-Type: application/xml', 'Content-ID: <c@x>', '', CONTROL, ...content)).control.pushId).toBe(ID)
  })

  it('hands the content on without its transfer encoding', () => {
    const encoded = taken(TYPE, post(...control, '--b1', 'Content-Type: image/gif', 'Content-Transfer-Encoding: base64', 'Content-Length: 4', '', 'AAH/\r\ngA=='))
    expect([...encoded.content.body]).toEqual([0, 1, 255, 128])
    expect(encoded.content.headers).toEqual([])
  })

  it('is read by the version it is in', () => {
    const first = `${prologue('1.0')}<pap><push-message push-id="o"><address address-value="a"/></push-message></pap>`
    expect(taken(TYPE, post('--b1', '', first, ...content)).form).toBe('1.0')
  })
})

describe('a broken submission', () => {
  it.each([
    ['without content', post(...control), TYPE, /part 2 is missing/],
    ['whose content has no Content-Type', post(...control, '--b1', 'X-Wap-Application-Id: 4', '', 'x'), TYPE, /part 2.*no Content-Type/],
    ['whose content has a malformed Content-Type', post(...control, '--b1', 'Content-Type: text', '', 'x'), TYPE, /malformed Content-Type/],
    ['whose content is wrong base64', post(...control, '--b1', 'Content-Type: a/b', 'Content-Transfer-Encoding: base64', '', '!!'), TYPE, /part 2.*base64/],
    ['that is cut off', post(...control, ...content).subarray(0, -9), TYPE, /part 2 has no end/],
    ['with four parts', post(...control, ...content, ...content, ...content), TYPE, /more than 3 parts/],
    ['whose start is not the first part', post(...control, ...content), `${TYPE}; start="<other>"`, /start parameter/],
    ['that is not multipart', Buffer.from(CONTROL), 'application/xml', /no content/],
    ['with a fault in the control entity', post('--b1', '', CONTROL.replace('"high"', '"urgent"'), ...content), TYPE, /priority is "urgent".*line 7/],
    ['with a control entity cut off', post('--b1', '', CONTROL.slice(0, -20), ...content), TYPE, /line \d+, column \d+/],
  ])('%s is answered by push-response 2000 under its push-id', (_, body, type, says) => {
    const { answer, desc } = refused(type, body)
    expect(desc).toMatch(says)
    expect(answer).toMatchObject({ type: 'push-response', pushId: ID, result: { code: 2000, desc } })
  })

  it.each([
    ['of another multipart type', post(...control, ...content), 'multipart/mixed; boundary=b1', /multipart\/related/],
    ['without boundary', post(...control, ...content), 'multipart/related', /no boundary/],
    ['without Content-Type', post(...control, ...content), '', /Content-Type is ""/],
    ['with another boundary', post(...control, ...content), 'multipart/related; boundary=b', /holds no line --b/],
    ['with the content first', post(...content, ...control), TYPE, /part 1 is "text\/plain; charset=utf-8" and must be the control entity/],
    ['whose control entity is empty', post('--b1', '', '', ...content), TYPE, /root element/],
    ['whose push-id is missing', post('--b1', '', CONTROL.replace(/ push-id="[^"]*"/, ''), ...content), TYPE, /push-id/],
  ])('%s is answered by badmessage-response 2000', (_, body, type, says) => {
    const { answer, desc } = refused(type, body)
    expect(desc).toMatch(says)
    expect(answer).toMatchObject({ type: 'badmessage-response', code: 2000 })
  })

  it('never throws and always gets an answer that can be written, whatever was changed, cut or doubled', () => {
    const whole = post(...control, ...content)
    const piece = fc.constantFrom('', '<', '>', '"', '&', '\0', '\r\n', '--b1', '--b1--', '<!ENTITY', ']]>')
    const change = fc.record({ at: fc.nat(whole.length - 1), remove: fc.nat(40), insert: fc.oneof(piece, fc.string({ maxLength: 4 })) })
    fc.assert(fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
      let body = whole
      for (const { at, remove, insert } of changes) body = Buffer.concat([body.subarray(0, at), Buffer.from(insert), body.subarray(at + remove)])
      const result = decodeSubmission(TYPE, body)
      if (!result.ok && result.operation === undefined) expect(encodePap(result.answer, result.form)).toMatch(/^<\?xml.*<\/pap>$/)
    }), { numRuns: 2000 })
  })
})

describe('writing a submission', () => {
  it('gives what reads back the same, valid by the DTD, whatever the content holds', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), fc.string({ minLength: 1, maxLength: 40 }), fc.boolean(), (octets, pushId, hostile) => {
      fc.pre(!/[^\t\n\r\x20-\x7e]/.test(pushId))
      const body = hostile ? Buffer.from('\r\n--pushbench-part\r\n--pushbench-part-1--\r\n') : Buffer.from(octets)
      const message = pushMessage({ pushId, addresses: ['sip:elsa@ims.example', 'tel:+46701230042'], deliverBefore: 1_900_000_000_000 })
      const pushed = { contentType: 'application/octet-stream', headers: [{ name: 'X-Wap-Application-Id', value: 'x-wap-application:mms.ua' }], body }
      const { contentType, body: posted } = encodeSubmission(message, pushed)
      const submission = taken(contentType, posted)
      expect(submission.control).toEqual(message)
      expect({ ...submission.content, body: Buffer.from(submission.content.body) }).toEqual(pushed)
      expect(complaintOf(encodePap(message, '2.0'))).toBeUndefined()
    }))
  })

  it('refuses a header that would end its line', () => {
    const pushed = { contentType: 'text/plain', headers: [{ name: 'X', value: 'a\r\nY: b' }], body: Buffer.from('') }
    expect(() => encodeSubmission(pushMessage({ pushId: 'x', addresses: ['a'] }), pushed)).toThrow(/line break/)
  })
})
