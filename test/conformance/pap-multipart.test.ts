/** Multipart bodies: what initiators send in life, what other parsers make of it, and the properties of the splitter. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatContentType, parseContentType } from '../../core/mime/content-type.js'
import { splitMultipart } from '../../core/mime/multipart.js'
import { PART_HEADERS_BYTES_MAX, type MimeHeader, type MimePart } from '../../core/mime/part.js'
import { decodeTransfer } from '../../core/mime/transfer-encoding.js'
import { boundaryFor, writeMultipart } from '../../core/mime/write.js'
import { byDicer, byMultipasta, type JudgedPart } from './multipart-oracles.js'

const partsOf = (text: string | Buffer, boundary = 'b1') => {
  const result = splitMultipart(Buffer.from(text), boundary)
  return result.ok ? result.parts.map((part) => [part.headers.map((header) => `${header.name}=${header.value}`), part.body.toString('latin1')]) : result.message
}

const XML = '<?xml version="1.0"?><pap/>'
const WHOLE = [[['Content-Type=application/xml'], XML], [['Content-Type=text/plain', 'X-Wap-Application-Id=4'], 'hello']]
const body = (...lines: string[]) => lines.join('\r\n')
const PLAIN = body('--b1', 'Content-Type: application/xml', '', XML, '--b1', 'Content-Type: text/plain', 'X-Wap-Application-Id: 4', '', 'hello', '--b1--', '')

describe('bodies as initiators send them', () => {
  it.each([
    ['as the standard has it', PLAIN],
    ['with LF alone', PLAIN.replaceAll('\r\n', '\n')],
    ['with a preamble and an epilogue', `to be ignored\r\n--b11\r\n${PLAIN}--b1\r\nnot a part`],
    ['with padding behind the delimiters', PLAIN.replaceAll('--b1\r\n', '--b1 \t \r\n').replace('--b1--', '--b1--  ')],
    ['without line break at the very end', PLAIN.slice(0, -2)],
    ['with LF CR at the very end', `${PLAIN.slice(0, -2)}\n\r`],
    ['with indented header names', PLAIN.replaceAll('Content', '  Content').replace('X-Wap', '  X-Wap')],
    ['with one indented header name below another', PLAIN.replace('X-Wap', ' X-Wap')],
    ['without blank line before the XML', PLAIN.replace('application/xml\r\n\r\n', 'application/xml\r\n')],
    ['with blanks around the colon', PLAIN.replaceAll(': ', ' : \t')],
    ['with a blank line of blanks', PLAIN.replace('xml\r\n\r\n', 'xml\r\n  \r\n')],
  ])('%s', (_, text) => { expect(partsOf(text)).toEqual(WHOLE) })

  it('unfolds a folded header and does not take its second line for another header', () => {
    const folded = PLAIN.replace('Content-Type: text/plain', 'Content-Type: text/plain;\r\n\tcharset=utf-8;\r\n name="a:b"')
    expect(partsOf(folded)).toEqual([WHOLE[0], [['Content-Type=text/plain; charset=utf-8; name="a:b"', 'X-Wap-Application-Id=4'], 'hello']])
  })

  it('takes parts without header, without body, and without either', () => {
    expect(partsOf(body('--b1', '', 'hello', '--b1', XML, '--b1--'))).toEqual([[[], 'hello'], [[], XML]])
    expect(partsOf(body('--b1', 'Content-Type: text/plain', '', '', '--b1', 'Content-Type: text/plain', '', '--b1', '--b1--')))
      .toEqual([[['Content-Type=text/plain'], ''], [['Content-Type=text/plain'], ''], [[], '']])
  })

  it('leaves content alone that looks like a delimiter but is none', () => {
    const content = 'a--b1\r\n--b12\r\n --b1\r\n--b1-\r\n--b1--x\r\n-- b1\r\n--B1\r\n'
    expect(partsOf(body('--b1', '', content, '--b1--'))).toEqual([[[], content]])
  })

  it('keeps binary content to the octet and copies none of it', () => {
    const content = Buffer.from(Array.from({ length: 512 }, (_, index) => index % 256))
    const whole = Buffer.concat([Buffer.from('--b1\r\n\r\n'), content, Buffer.from('\r\n--b1--')])
    const result = splitMultipart(whole, 'b1')
    expect(result.ok && result.parts[0]!.body.equals(content)).toBe(true)
    expect(result.parts[0]!.body.buffer).toBe(whole.buffer)
  })

  it.each([
    ['no delimiter', 'hello', /holds no line --b1/],
    ['no closing delimiter', PLAIN.replace('--b1--', ''), /part 2 has no end/],
    ['no part', '--b1--', /no part/],
    ['four parts', `${'--b1\r\n\r\nx\r\n'.repeat(4)}--b1--`, /more than 3 parts/],
    ['a header line that is none', PLAIN.replace('X-Wap-Application-Id: 4', 'hello you'), /part 2: "hello you" is not a header field/],
    ['a bare CR in a header', PLAIN.replace('Id: 4', 'Id: 4\rX: 5'), /part 2: header line 2 holds a control character/],
    ['a NUL in a header', PLAIN.replace('Id: 4', 'Id: 4\0'), /control character/],
    ['headers that are too long', PLAIN.replace('Id: 4', `Id: ${'4'.repeat(PART_HEADERS_BYTES_MAX)}`), /part 2: its headers are longer than 16384 octets/],
  ])('refuses %s and says which part', (_, text, message) => { expect(partsOf(text)).toMatch(message) })

  it('refuses a boundary of none or more than 70 characters', () => {
    expect(partsOf(PLAIN, '')).toMatch(/1 to 70/)
    expect(partsOf(PLAIN, 'b'.repeat(71))).toMatch(/1 to 70/)
    expect(partsOf(PLAIN.replaceAll('b1', 'b'.repeat(70)), 'b'.repeat(70))).toEqual(WHOLE)
  })

  it('carries what a third-party REGISTER carries: service information and two SIP messages with headers of their own', () => {
    const sip = (start: string) => Buffer.from(`${start}\r\nCall-ID: 1@ims.example\r\nContent-Length: 0\r\n\r\n`)
    const parts: MimePart[] = [
      { headers: [{ name: 'Content-Type', value: 'application/3gpp-ims+xml' }], body: Buffer.from('<ims-3gpp version="1"/>') },
      { headers: [{ name: 'Content-Type', value: 'message/sip' }], body: sip('REGISTER sip:ims.example SIP/2.0') },
      { headers: [{ name: 'Content-Type', value: 'message/sip' }], body: sip('SIP/2.0 200 OK') },
    ]
    const boundary = boundaryFor(parts)
    const type = parseContentType(formatContentType('multipart/mixed', { boundary }))
    const result = splitMultipart(writeMultipart(parts, boundary), type!.parameters.get('boundary')!)
    expect(result.ok && comparable(result.parts)).toEqual(comparable(parts))
  })

  it('hands out the parts before a fault, so that the answer can repeat a push-id', () => {
    expect(splitMultipart(Buffer.from(PLAIN.replace('--b1--', '')), 'b1').parts.length).toBe(1)
  })
})

const BOUNDARY_CHARACTERS = 'abcXYZ019\'()+_,-./:=?'
const boundaries = fc.string({ minLength: 1, maxLength: 70, unit: fc.constantFrom(...BOUNDARY_CHARACTERS) })
const header: fc.Arbitrary<MimeHeader> = fc.record({
  name: fc.constantFrom('Content-Type', 'Content-Id', 'X-Wap-Application-Id', 'Date'),
  value: fc.string({ maxLength: 30, unit: fc.constantFrom(...'abc;=/ "x:1') }).map((text) => text.trim()),
})
const delimiterLike = fc.string({ maxLength: 40, unit: fc.constantFrom('\r', '\n', '-', '--', 'b', '\r\n--', ' ') })
const content = fc.oneof(fc.uint8Array({ maxLength: 200 }), delimiterLike.map((text) => Buffer.from(text)))
const parts: fc.Arbitrary<readonly MimePart[]> = fc.array(
  fc.record({ headers: fc.uniqueArray(header, { minLength: 1, maxLength: 3, selector: (one) => one.name }), body: content.map((bytes) => Buffer.from(bytes)) }),
  { minLength: 1, maxLength: 3 })

const comparable = (list: readonly MimePart[]): readonly JudgedPart[] =>
  list.map((part) => ({ headers: Object.fromEntries(part.headers.map((one) => [one.name.toLowerCase(), one.value])), body: Buffer.from(part.body) }))

describe('the splitter', () => {
  it('gives back what the writer wrote, for any content', () => {
    fc.assert(fc.property(parts, (list) => {
      const boundary = boundaryFor(list)
      const result = splitMultipart(writeMultipart(list, boundary), boundary)
      expect(result.ok && comparable(result.parts)).toEqual(comparable(list))
    }))
  })

  it('never throws, whatever the body, and its parts lie inside of it in order', () => {
    const pieces = fc.array(fc.constantFrom('--b1', '--b1--', '\r\n', '\n', '\r', ' ', ':', 'X: y', '<', '\0', 'hello', '--'), { maxLength: 30 })
    fc.assert(fc.property(pieces, (texts) => {
      const whole = Buffer.from(texts.join(''))
      const result = splitMultipart(whole, 'b1')
      let end = 0
      for (const part of result.parts) {
        const start = part.body.byteOffset - whole.byteOffset
        expect(start).toBeGreaterThanOrEqual(end)
        end = start + part.body.length
        expect(end).toBeLessThanOrEqual(whole.length)
      }
      expect(result.parts.length).toBeLessThanOrEqual(3)
    }), { numRuns: 2000 })
  })

  it('agrees with multipasta and Dicer on bodies of the standard form', async () => {
    // An empty part, and a body or preamble that one of the two misreads, are left to our own tests.
    await fc.assert(fc.asyncProperty(parts.filter((list) => list.every((part) => part.body.length > 0)), boundaries, async (list, wish) => {
      fc.pre(!list.some((part) => part.body.includes(`--${wish}`)))
      const whole = writeMultipart(list, wish)
      const ours = splitMultipart(whole, wish)
      const expected = ours.ok ? comparable(ours.parts) : undefined
      expect(await byDicer(whole, wish)).toEqual(expected)
      expect(byMultipasta(whole, wish)).toEqual(expected)
    }), { numRuns: 300 })
  })
})

describe('Content-Type', () => {
  it.each([
    ['multipart/related; boundary=b1; type="application/xml"', { boundary: 'b1', type: 'application/xml' }],
    ['Multipart/Related;BOUNDARY="b 1";type=application/xml', { boundary: 'b 1', type: 'application/xml' }],
    ['multipart/related;\r\n boundary="b1";\r\n\ttype="application/xml";', { boundary: 'b1', type: 'application/xml' }],
    ['multipart/related; boundary="a\\"b;c\\\\=" ; start=<x@y>', { boundary: 'a"b;c\\=', start: '<x@y>' }],
    ['multipart/related', {}],
  ])('reads %j', (text, expected) => {
    const type = parseContentType(text)
    expect(type?.mediaType).toBe('multipart/related')
    expect(Object.fromEntries(type!.parameters)).toEqual(expected)
  })

  it.each(['', 'multipart', 'multipart/', '/related', 'a/b c; x=1', 'a/b; x', 'a/b; x=', 'a/b; x="1', 'a/b; x="1"2', 'a/b; x=1; X=2', `a/b; x=${'1'.repeat(2048)}`])(
    'refuses %j', (text) => { expect(parseContentType(text)).toBeUndefined() })

  it('writes what it reads', () => {
    const values = fc.string({ minLength: 1, maxLength: 70, unit: 'grapheme-ascii' })
    fc.assert(fc.property(values, values, (boundary, type) => {
      expect(Object.fromEntries(parseContentType(formatContentType('multipart/mixed', { boundary, type }))!.parameters)).toEqual({ boundary, type })
    }))
  })
})

describe('Content-Transfer-Encoding', () => {
  const decoded = (text: string | Buffer, encoding?: string) => {
    const result = decodeTransfer(Buffer.from(text), encoding)
    return result.ok ? result.body.toString('latin1') : result.message
  }

  it('reads base64 with line breaks and quoted-printable with soft ones, for any octets', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (octets) => {
      const bytes = Buffer.from(octets)
      const quoted = [...bytes].map((octet, index) => `=${octet.toString(16).padStart(2, '0').toUpperCase()}${index % 20 === 19 ? '= \r\n' : ''}`).join('')
      expect(decoded(bytes.toString('base64').replace(/.{1,76}/g, '$&\r\n'), ' BASE64 ')).toBe(bytes.toString('latin1'))
      expect(decoded(quoted, 'quoted-printable')).toBe(bytes.toString('latin1'))
    }))
  })

  it('drops blanks that transport put at line ends, and keeps the others', () => {
    expect(decoded('a b \t\r\nc =3d  \nd=20\r\n e', 'quoted-printable')).toBe('a b\r\nc =\nd \r\n e')
    expect(decoded('trailing  ', 'quoted-printable')).toBe('trailing')
  })

  it('hands out the octets as they are for 7bit, 8bit, binary and no encoding', () => {
    for (const encoding of [undefined, '', '7bit', '8bit', 'Binary']) expect(decoded('a=b\xff', encoding)).toBe(Buffer.from('a=b\xff').toString('latin1'))
  })

  it.each([
    ['QUJD!', 'base64', /octet 33/], ['QUJDR', 'base64', /middle of a group/], ['QQ=', 'base64', /middle/],
    ['QQ==QQ==', 'base64', /after its padding/], ['QQ===', 'base64', /middle/],
    ['a=4', 'quoted-printable', /two hexadecimal digits/], ['a=XY', 'quoted-printable', /two hexadecimal digits/], ['a', 'x-uuencode', /"x-uuencode" is none of/],
  ])('refuses %j as %s', (text, encoding, message) => { expect(decoded(text, encoding)).toMatch(message) })
})
