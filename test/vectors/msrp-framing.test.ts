/** MSRP on the wire (RFC 4975 sections 7 and 9): every rule of the grammar and every fault, whole, octet by octet and cut at every place. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { HEAD_BYTES_MAX } from '../../core/msrp/framing.js'
import { Frames, lines, read, readSplit } from './msrp-frames.js'

const TO = 'To-Path: msrp://192.0.2.40:2855/k7Qp2mVx9tR4Wc1z;tcp'
const FROM = 'From-Path: msrp://198.51.100.11:9/h3Zs8wQeT1bN6yLd;tcp'

function send(transactionId: string, headers: readonly string[], body: string | undefined, flag = '$'): string {
  const content = body === undefined ? '' : `\r\n${body}\r\n`
  return `${lines(`MSRP ${transactionId} SEND`, TO, FROM, ...headers)}${content}-------${transactionId}${flag}\r\n`
}

/** Read in every way the octets can come; all ways must agree. */
function same(text: string): Frames {
  const whole = read(text)
  for (const split of readSplit(text)) {
    expect(split.frames).toEqual(whole.frames)
    expect(split.broken).toBe(whole.broken)
  }
  return whole
}

/** The one message in these octets. */
function one(text: string) {
  const { frames, broken } = same(text)
  expect(broken).toBeUndefined()
  expect(frames).toHaveLength(1)
  return frames[0]!
}

describe('MSRP messages', () => {
  it('reads a SEND with all its headers', () => {
    const text = send('c4Wm81RkPzX3', ['Message-ID: push-000123.1', 'Success-Report: yes', 'Failure-Report: partial', 'Byte-Range: 1-*/5000', 'Content-Disposition: attachment', 'Content-Type: text/plain; charset=utf-8'], 'hello')
    const { message, body, flag } = one(text)
    expect(message).toMatchObject({
      transactionId: 'c4Wm81RkPzX3', method: 'SEND', status: 0, toPath: 'msrp://192.0.2.40:2855/k7Qp2mVx9tR4Wc1z;tcp', fromPath: 'msrp://198.51.100.11:9/h3Zs8wQeT1bN6yLd;tcp',
      messageId: 'push-000123.1', successReport: true, failureReport: 'partial', rangeStart: 1, rangeEnd: -1, total: 5_000, contentType: 'text/plain; charset=utf-8', fault: undefined,
    })
    expect(message.headers).toEqual([{ name: 'Content-Disposition', value: 'attachment' }])
    expect(body).toBe('hello')
    expect(flag).toBe('$')
  })

  it('tells a SEND without content from one with a content of no octets', () => {
    expect(one(send('b0f8Tq7Lz2Ka', ['Message-ID: bind-01'], undefined)).body).toBeUndefined()
    const empty = one(send('b0f8Tq7Lz2Ka', ['Message-ID: bind-01', 'Byte-Range: 1-0/0', 'Content-Type: text/plain'], ''))
    expect(empty.body).toBe('')
    expect(empty.message).toMatchObject({ rangeStart: 1, rangeEnd: 0, total: 0, fault: undefined })
  })

  it('takes an end-line right behind the empty line for the end of nothing', () => {
    expect(one(`${lines('MSRP abcd SEND', TO, FROM, 'Content-Type: a/b', '', '-------abcd$')}`).body).toBe('')
  })

  it.each(['$', '+', '#'])('reads the flag %s', (flag) => {
    expect(one(send('abcd1234', ['Message-ID: abcd', 'Content-Type: a/b'], 'x', flag)).flag).toBe(flag)
    expect(one(send('abcd1234', ['Message-ID: abcd'], undefined, flag)).flag).toBe(flag)
  })

  it.each([
    ['another transact-id', '-------abcd1235$'], ['no flag', '-------abcd1234'], ['an unknown flag', '-------abcd1234%'], ['something behind the flag', '-------abcd1234$ '],
    ['one hyphen more', '--------abcd1234$'], ['one hyphen fewer', '------abcd1234$'], ['a transact-id that goes on', '-------abcd12345$'],
  ])('does not take for the end-line a line with %s', (_what, line) => {
    const body = `first\r\n${line}\r\nlast`
    expect(one(send('abcd1234', ['Message-ID: abcd', 'Content-Type: a/b'], body)).body).toBe(body)
  })

  it('finds the end-line behind line breaks of all kinds', () => {
    for (const body of ['\r', '\r\n', '\r\r\n', '\n', '\r\n\r\n', '\r\n-', '\r\n-------', '\r\n-------abcd1234', '\r\n-------abcd1234$\r', '-', '-------abcd1234', '-------abcd1234+x']) {
      expect(one(send('abcd1234', ['Message-ID: abcd', 'Content-Type: a/b'], body)).body).toBe(body)
    }
  })

  it('never looks at Byte-Range for where a body ends', () => {
    for (const range of ['1-3/3', '1-5000/5000', '1-*/*', '900-1000/2']) expect(one(send('abcd', ['Message-ID: abcd', `Byte-Range: ${range}`, 'Content-Type: a/b'], 'hello')).body).toBe('hello')
  })

  it('reads a response with and without a comment, and without further headers', () => {
    expect(one(lines('MSRP d9Jx 200 OK', TO, FROM, '-------d9Jx$')).message).toMatchObject({ method: '', status: 200, comment: 'OK', fault: undefined })
    expect(one(lines('MSRP d9Jx 413', TO, FROM, '-------d9Jx$')).message).toMatchObject({ status: 413, comment: '' })
    expect(one(lines('MSRP d9Jx 481 No Such Session', TO, FROM, '-------d9Jx$')).message.comment).toBe('No Such Session')
  })

  it('reads a REPORT, and passes over a status of another namespace', () => {
    const text = (status: string) => lines('MSRP d9Jx REPORT', TO, FROM, 'Message-ID: push-1', 'Byte-Range: 1-61/61', `Status: ${status}`, '-------d9Jx$')
    expect(one(text('000 200 OK')).message).toMatchObject({ method: 'REPORT', messageId: 'push-1', rangeStart: 1, rangeEnd: 61, total: 61, reportStatus: 200, reportComment: 'OK' })
    expect(one(text('000 413')).message).toMatchObject({ reportStatus: 413, reportComment: '', fault: undefined })
    expect(one(text('001 200 OK')).message).toMatchObject({ reportStatus: 0, fault: undefined })
  })

  it('reads paths of several URIs and methods it does not know', () => {
    const path = 'msrps://relay.example:2855/aa;tcp msrp://192.0.2.1:9/bb;tcp'
    expect(one(lines('MSRP d9Jx AUTH', `To-Path: ${path}`, FROM, '-------d9Jx$')).message).toMatchObject({ method: 'AUTH', toPath: path, fault: undefined })
  })

  it('reads header names in any case and passes over spaces around values', () => {
    const { message } = one(lines('MSRP d9Jx SEND', TO.replace('To-Path: ', 'TO-PATH:   '), FROM.replace('From-Path: ', 'from-path:'), 'message-id: push-1 ', 'FAILURE-REPORT: no', '-------d9Jx$'))
    expect(message).toMatchObject({ messageId: 'push-1', failureReport: 'no', fault: undefined })
  })

  it('reads messages one behind the other, and empty lines in between', () => {
    const { frames } = same(`${send('abcd', ['Message-ID: aaaa', 'Content-Type: a/b'], 'one', '+')}\r\n\r\n${lines('MSRP efgh 200 OK', TO, FROM, '-------efgh$')}${send('ijkl', ['Message-ID: aaaa', 'Content-Type: a/b'], 'two')}`)
    expect(frames.map(({ message, body, flag }) => [message.transactionId, body, flag])).toEqual([['abcd', 'one', '+'], ['efgh', undefined, '$'], ['ijkl', 'two', '$']])
  })

  it('takes transact-ids of 4 to 32 characters and none other', () => {
    for (const length of [4, 31, 32]) expect(one(send('a'.repeat(length), ['Message-ID: abcd'], undefined)).message.transactionId).toHaveLength(length)
    for (const id of ['abc', 'a'.repeat(33), '-abcd', 'ab_cd', 'ab cd']) expect(same(send(id, ['Message-ID: abcd'], undefined)).broken).toContain('no start line')
  })
})

describe('MSRP messages with a fault', () => {
  it.each([
    ['To-Path missing', ['MSRP abcd SEND', FROM, 'Message-ID: abcd'], 'To-Path is not the first'],
    ['From-Path missing', ['MSRP abcd SEND', TO, 'Message-ID: abcd'], 'From-Path is not the second'],
    ['nothing at all', ['MSRP abcd SEND'], 'missing'],
    ['the paths the other way round', ['MSRP abcd SEND', FROM, TO], 'To-Path is not the first'],
    ['a path twice', ['MSRP abcd SEND', TO, FROM, TO], 'To-Path a second time'],
    ['a path that is no URI', ['MSRP abcd SEND', 'To-Path: sip:user@host', FROM], 'To-Path is no list'],
    ['a carriage return in a path', ['MSRP abcd SEND', TO, `${FROM}\rx`], 'From-Path is no list'],
    ['a line without a colon', ['MSRP abcd SEND', TO, FROM, 'nonsense'], 'is no header'],
    ['a name with a space', ['MSRP abcd SEND', TO, FROM, 'Message ID: abcd'], 'is no header'],
    ['a Message-ID too short', ['MSRP abcd SEND', TO, FROM, 'Message-ID: abc'], 'Message-ID is not'],
    ['a Message-ID too long', ['MSRP abcd SEND', TO, FROM, `Message-ID: ${'a'.repeat(33)}`], 'Message-ID is not'],
    ['a Message-ID twice', ['MSRP abcd SEND', TO, FROM, 'Message-ID: abcd', 'Message-ID: abcd'], 'Message-ID a second'],
    ['a range from 0', ['MSRP abcd SEND', TO, FROM, 'Byte-Range: 0-5/5'], 'Byte-Range begins'],
    ['a range that ends before it begins', ['MSRP abcd SEND', TO, FROM, 'Byte-Range: 10-5/50'], 'Byte-Range begins'],
    ['a range without a total', ['MSRP abcd SEND', TO, FROM, 'Byte-Range: 1-5'], 'Byte-Range is not'],
    ['a range nobody can count', ['MSRP abcd SEND', TO, FROM, `Byte-Range: 1-*/${'9'.repeat(16)}`], 'Byte-Range is not'],
    ['a negative range', ['MSRP abcd SEND', TO, FROM, 'Byte-Range: 1--5/5'], 'Byte-Range is not'],
    ['Success-Report partial', ['MSRP abcd SEND', TO, FROM, 'Success-Report: partial'], 'Success-Report'],
    ['Failure-Report maybe', ['MSRP abcd SEND', TO, FROM, 'Failure-Report: maybe'], 'Failure-Report'],
    ['a Status without a code', ['MSRP abcd REPORT', TO, FROM, 'Status: 200 OK'], 'Status is not'],
    ['a Content-Type without a subtype', ['MSRP abcd SEND', TO, FROM, 'Content-Type: text'], 'Content-Type is not'],
    ['too many headers', ['MSRP abcd SEND', TO, FROM, ...Array.from({ length: 63 }, (_, index) => `X-${index}: y`)], 'more than 64'],
  ])('is read to its end and found out: %s', (_name, head, what) => {
    const { frames, broken } = same(`${lines(...head)}-------abcd$\r\n${send('efgh', ['Message-ID: abcd'], undefined)}`)
    expect(broken).toBeUndefined()
    expect(frames[0]!.message.fault).toMatchObject({ status: 400 })
    expect(frames[0]!.message.fault!.what).toContain(what)
    expect(frames[1]!.message.fault).toBeUndefined()
  })

  it('finds a line feed without its carriage return, and reads on', () => {
    const { frames } = same(`MSRP abcd SEND\r\n${TO}\r\n${FROM}\nMessage-ID: abcd\r\n-------abcd$\r\n`)
    expect(frames[0]!.message.fault?.what).toContain('line feed')
  })

  it.each([
    ['SIP', 'SIP/2.0 200 OK\r\n'], ['a method in lower case', 'MSRP abcd send\r\n'], ['a status of two digits', 'MSRP abcd 20\r\n'], ['two spaces', 'MSRP  abcd SEND\r\n'],
    ['a bare line feed', 'MSRP abcd SEND\n'], ['MSRP alone', 'MSRP\r\n'],
  ])('gives up where no start line can be read: %s', (_name, text) => {
    const frames = same(text + send('efgh', ['Message-ID: abcd'], undefined))
    expect(frames.broken).toBeDefined()
    expect(frames.frames).toEqual([])
  })

  it('gives up a head without end, in one line or many', () => {
    for (const text of ['x'.repeat(HEAD_BYTES_MAX + 1), `MSRP abcd SEND\r\n${TO}\r\n${FROM}\r\nX: ${'y'.repeat(HEAD_BYTES_MAX)}`, `MSRP abcd SEND\r\n${'a: b\r\n'.repeat(HEAD_BYTES_MAX / 5)}`]) {
      expect(read(text).broken).toContain('a head of more than')
    }
    const broken = read(`MSRP abcd SEND\r\n${TO}\r\n${FROM}\r\nX: ${'y'.repeat(HEAD_BYTES_MAX)}`)
    expect(broken.brokenMessage?.fromPath).toContain('msrp://')
  })
})

describe('any octets of a body', () => {
  it('come out as they went in, in whatever pieces they arrive', () => {
    const fragment = fc.constantFrom('\r', '\n', '\r\n', '-', '-------', '\r\n-------', 'abcd1234', '\r\n-------abcd1234', '\r\n-------abcd123', '$', '+', '#', 'x', '\0', 'ÿ')
    fc.assert(fc.property(fc.array(fragment, { maxLength: 20 }), fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 60 }), (parts, sizes) => {
      // What a sender must not write (section 7.1) is left out: an end-line of its own, also one that only the break before the body completes.
      const body = parts.join('')
      fc.pre(!/-------abcd1234[$+#]\r\n/.test(`${body}\r\n`))
      const bytes = Buffer.from(send('abcd1234', ['Message-ID: abcd', 'Content-Type: a/b'], body) + send('efgh', ['Message-ID: abcd'], undefined), 'latin1')
      const frames = new Frames()
      for (let at = 0, turn = 0; at < bytes.length; turn++) {
        const size = sizes[turn % sizes.length]!
        frames.push(Buffer.from(bytes.subarray(at, at + size)))
        at += size
      }
      expect(frames.frames.map((frame) => [frame.message.transactionId, frame.body])).toEqual([['abcd1234', body], ['efgh', undefined]])
    }), { numRuns: 2_000 })
  })
})
