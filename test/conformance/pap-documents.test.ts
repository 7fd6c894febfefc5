/** PAP documents: what is read, what is refused and with which answer, and that everything we write is valid. */
import { describe, expect, it } from 'vitest'
import { answerToFault, answerWhole } from '../../core/pap/answers.js'
import { decodePap, type PapDocument, type PapFault } from '../../core/pap/decode.js'
import { DEFAULT_QUALITY, pushMessage, type PapMessage } from '../../core/pap/documents.js'
import { encodePap } from '../../core/pap/encode.js'
import { decodeSubmission } from '../../core/pap/submission.js'
import { BAD, GOOD } from './pap-examples.js'
import { complaintOf, prologue } from './pap-oracle.js'

function decoded(xml: string | Buffer): PapDocument {
  const result = decodePap(xml)
  if (!result.ok) throw new Error(result.desc)
  return result
}

function refused(xml: string): PapFault {
  const result = decodePap(xml)
  if (result.ok) throw new Error(`accepted as ${result.message.type}`)
  return result
}

describe('reading', () => {
  it.each(Object.keys(GOOD))('%s: valid by the DTD, read, and written again to the same values', (name) => {
    expect(complaintOf(GOOD[name]!)).toBeUndefined()
    const document = decoded(GOOD[name]!)
    expect(document.form).toBe('2.0')
    const written = encodePap(document.message, '2.0', document.productName)
    expect(complaintOf(written)).toBeUndefined()
    expect(decoded(written)).toEqual(document)
  })

  it('takes a push-message apart: literals, instants, unescaped values', () => {
    const document = decoded(GOOD['E1 push to three addresses within a time window']!)
    expect(document.productName).toBe('Beacon/1.4')
    expect(document.message).toEqual({
      type: 'push-message',
      pushId: 'fog/2031-77@beacon.example',
      replacePushId: undefined,
      replaceMethod: 'all',
      deliverBefore: Date.UTC(2031, 1, 3, 8, 30),
      deliverAfter: Date.UTC(2031, 1, 3, 5),
      sourceReference: 'Fog watch, north',
      notifyRequestedTo: 'https://beacon.example/pap?run=77&zone=n',
      progressNotesRequested: true,
      addresses: [
        'WAPPUSH=+46701230042/TYPE=PLMN@ppg.lighthouse.example',
        'WAPPUSH=sip%3Aelsa.n%40ims.lighthouse.example/TYPE=USER@ppg.lighthouse.example',
        'WAPPUSH=198.51.100.7/TYPE=IPv4@ppg.lighthouse.example',
      ],
      qualityOfService: {
        priority: 'high', deliveryMethod: 'confirmed', network: 'GSM', networkRequired: false, bearer: 'GPRS', bearerRequired: false,
      },
    })
  })

  it('applies the defaults of the DTD, which nobody loads', () => {
    const { message } = decoded('<pap><push-message push-id="d"><address address-value="sip:a@b.example"/><quality-of-service/></push-message></pap>')
    expect(message).toMatchObject({
      replaceMethod: 'all', progressNotesRequested: false,
      qualityOfService: { priority: 'medium', deliveryMethod: 'notspecified', networkRequired: false, bearerRequired: false },
    })
  })

  it('takes 1000 addresses', () => {
    const { message } = decoded(`<pap><push-message push-id="m">${'<address address-value="sip:a@b.example"/>'.repeat(1000)}</push-message></pap>`)
    expect(message.type === 'push-message' && message.addresses.length).toBe(1000)
  })

  it('passes over elements and attributes that a higher minor version may have added, in 2.1 to 2.3 only', () => {
    const body = '<pap extra="1"><push-message push-id="v" multicast="true"><hint/><address address-value="sip:a@b.example" scope="x"/><hint><x/></hint>' +
      '<quality-of-service class="7"/><hint/></push-message></pap>'
    for (const version of ['2.1', '2.2', '2.3']) {
      expect(decoded(prologue(version) + body).message).toMatchObject({ pushId: 'v', addresses: ['sip:a@b.example'], qualityOfService: { priority: 'medium' } })
    }
    expect(refused(prologue('2.0') + body).code).toBe(2000)
    expect(refused(prologue('2.1') + body.replaceAll('sip:a@b.example" scope="x"/>', 'x"/><address/>')).desc).toMatch(/address-value/)
  })

  it('reads UTF-16 by byte order mark, ISO-8859-1 and US-ASCII by declaration, and refuses what it cannot or must not read', () => {
    const xml = (encoding: string, id: string) => `<?xml version="1.0" encoding="${encoding}"?><pap><cancel-message push-id="${id}"/></pap>`
    const idOf = (bytes: Buffer) => { const { message } = decoded(bytes); return message.type === 'cancel-message' && message.pushId }
    const utf16 = Buffer.from(`\ufeff${xml('UTF-16', 'grüße-€')}`, 'utf16le')
    expect(idOf(utf16)).toBe('grüße-€')
    expect(idOf(Buffer.from(utf16).swap16())).toBe('grüße-€')
    expect(idOf(Buffer.from(xml('iso-8859-1', 'grüße'), 'latin1'))).toBe('grüße')
    expect(idOf(Buffer.from(xml('US-ASCII', 'plain')))).toBe('plain')
    expect(idOf(Buffer.from(`\ufeff  \n${xml('UTF-8', '€ \ufffd 𐐷')}`))).toBe('€ \ufffd 𐐷')
    const faultOf = (bytes: Buffer) => { const result = decodePap(bytes); return result.ok ? 'accepted' : result.desc }
    expect(faultOf(Buffer.from(xml('windows-1252', 'x')))).toMatch(/"windows-1252" is not supported/)
    expect(faultOf(Buffer.from(xml('US-ASCII', 'grüße')))).toMatch(/claims US-ASCII/)
    expect(faultOf(Buffer.from(xml('UTF-8', 'grüße'), 'latin1'))).toMatch(/not valid UTF-8/)
    expect(faultOf(Buffer.from(xml('UTF-16', 'x')))).toMatch(/byte order mark/)
    expect(faultOf(Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from('<a/>', 'utf16le'), Buffer.from([0x00, 0xd8])]))).toMatch(/not valid UTF-16/)
    expect(faultOf(Buffer.from(xml('UTF-8', 'a\0b')))).toMatch(/disallowed character/)
    expect(faultOf(Buffer.from(xml('UTF-8', 'a&#0;b')))).toMatch(/malformed character entity/)
  })
})

describe('refusing', () => {
  it.each(Object.keys(BAD))('%s', (name) => {
    const { xml, answer: expected, code, says } = BAD[name]!
    const fault = refused(xml)
    expect(fault.desc).toMatch(says)
    expect(fault.code).toBe(code)
    const answer = answerToFault(fault, Buffer.from(xml))
    expect(answer.type).toBe(expected)
    const written = encodePap(answer, fault.form)
    expect(complaintOf(written)).toBeUndefined()
    expect(decoded(written).message).toMatchObject(answer)
  })

  it('agrees with libxml2 on every valid and invalid example that both judge', () => {
    const oursAlone = ['B4 a date in another format', 'a date the calendar lacks', 'B6 a version nobody has', 'an empty push-id',
      'a push-id of 513 characters', 'more than 1000 addresses', 'a replacement in PAP 1.0', 'B3 entities declared in the internal subset']
    for (const [name, { xml }] of Object.entries(BAD)) expect([name, complaintOf(xml) === undefined]).toEqual([name, oursAlone.includes(name)])
  })

  it('repeats at most 256 characters of a bad message, without control characters', () => {
    const entity = Buffer.from(`<x\u0001\n\t${'y'.repeat(2000)}`)
    const answer = answerToFault(refused(entity.toString()), entity)
    expect(answer.type === 'badmessage-response' && answer.badMessageFragment).toBe(`<x ${'y'.repeat(253)}`)
    expect(complaintOf(encodePap(answer, '2.0'))).toBeUndefined()
  })
})

describe('writing', () => {
  it('is one line with double quotes, no whitespace between elements, and escapes that survive a parser', () => {
    const nasty = 'a<b>&"c\'d\te\nf\rg\u0000\u0001\ud800h\ufffei 𐐷'
    const xml = encodePap(pushMessage({ pushId: nasty, addresses: ['sip:"x"@b.example'], qualityOfService: { ...DEFAULT_QUALITY, network: 'GSM' } }), '2.0')
    expect(xml).not.toMatch(/\n|>\s+</)
    expect(complaintOf(xml)).toBeUndefined()
    expect(decoded(xml).message).toMatchObject({ pushId: 'a<b>&"c\'d\te\nf\rghi 𐐷', addresses: ['sip:"x"@b.example'] })
  })

  it('refuses to write what the DTD or the table of codes forbids, as our own mistake', () => {
    const wrongCode: PapMessage = { type: 'push-response', pushId: 'x', progressNotes: [], result: { code: 1000 } }
    expect(() => encodePap(wrongCode, '2.0')).toThrow(/code 1000 may not stand in response-result/)
    expect(() => encodePap(pushMessage({ pushId: 'x', addresses: [] }), '2.0')).toThrow(/without address/)
    expect(() => encodePap(pushMessage({ pushId: 'x', addresses: ['a'], replacePushId: 'y' }), '1.0')).toThrow(/PAP 1\.0/)
  })
})

describe('operations without multipart', () => {
  const answered = (xml: string): PapMessage => {
    const result = decodeSubmission('application/xml', Buffer.from(xml))
    if (result.ok || result.operation !== undefined) throw new Error('taken')
    expect(complaintOf(encodePap(result.answer, result.form))).toBeUndefined()
    return result.answer
  }

  it('are handed on as what they are: a cancel, a status query, a capability query', () => {
    const operation = (xml: string) => decodeSubmission('application/xml', Buffer.from(xml))
    expect(operation(GOOD['E4 cancel for two recipients']!)).toMatchObject({ ok: false, operation: { type: 'cancel-message', pushId: 'fog/2031-77@beacon.example' } })
    expect(operation(GOOD['E3 status query for every recipient']!)).toMatchObject({ ok: false, operation: { type: 'statusquery-message', addresses: [] } })
    expect(operation(GOOD['E5 capability query']!)).toMatchObject({ ok: false, operation: { type: 'ccq-message', queryId: 'q-9' } })
  })

  it('that name a push are answered as a whole by one result without address', () => {
    const whole = (message: Parameters<typeof answerWhole>[0]) => encodePap(answerWhole(message, { code: 2004, desc: 'none' }), '2.0')
    for (const xml of [whole({ type: 'cancel-message', pushId: 'p', addresses: ['a'] }), whole({ type: 'statusquery-message', pushId: 'p', addresses: ['a'] })]) {
      expect(complaintOf(xml)).toBeUndefined()
      expect(decoded(xml).message).toMatchObject({ pushId: 'p', results: [{ code: 2004, addresses: [] }] })
    }
  })

  it('answers a push-message without content by push-response 2000, and what is no request by badmessage-response', () => {
    expect(answered(GOOD['E6 replacement of what is still pending']!)).toMatchObject({
      type: 'push-response', pushId: 'fog/2031-78@beacon.example', result: { code: 2000 },
    })
    expect(answered(GOOD['E2 notification of a confirmed delivery']!)).toMatchObject({ type: 'badmessage-response', code: 2000 })
  })
})
