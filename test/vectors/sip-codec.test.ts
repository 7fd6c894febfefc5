/** Parsing, writing, framing and plain values beyond the torture messages: identities, limits, and arbitrary octets. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { HEAD_BYTES_MAX, MESSAGE_BYTES_MAX, StreamFramer, datagramMessage } from '../../core/sip/framing.js'
import { COMPACT_NAMES, HEADER_NAMES, Header, type HeaderId } from '../../core/sip/header-names.js'
import { composed } from '../../core/sip/header-text.js'
import { formatDate, parseDate } from '../../core/sip/date.js'
import { SipMessage } from '../../core/sip/message.js'
import { HEADER_LINES_MAX, parseMessage } from '../../core/sip/parse.js'
import { validateRequest, validateResponse } from '../../core/sip/validate.js'
import { allValues, cseqNumber, firstValue, integerOf, listsToken, mediaType, parseCSeq, removeFirstValue, splitValues } from '../../core/sip/values.js'
import { answerTo, reasonPhrase, responseTo, writeMessage } from '../../core/sip/write.js'
import { octets, request } from './sip-torture-valid.js'

/**
 * Of processor time, not of the clock, which a busy machine runs out. What a regular expression does cannot be counted: one that goes back
 * and forth over 60,000 characters takes seconds, where ours take a millisecond.
 */
const CPU_MICROS_MAX = 500_000

const token = fc.stringMatching(/^[A-Za-z0-9.!%*_+`'~-]{1,12}$/)
const lineText = fc.stringMatching(/^[!-~\u00a0-\u00ff]([ -~\u00a0-\u00ff]{0,40}[!-~\u00a0-\u00ff])?$/)
const line = fc.oneof(
  fc.tuple(fc.integer({ min: 1, max: HEADER_NAMES.length - 1 }).filter((id) => id !== Header.ContentLength && id !== Header.CSeq), fc.oneof(lineText, fc.constant(''))),
  fc.tuple(fc.constant(Header.Other), fc.tuple(token.map((name) => `X-${name}`), lineText).map(([name, text]) => `${name}: ${text}`)),
)
const message = fc.record({
  start: fc.oneof(
    fc.record({ method: token, requestUri: fc.stringMatching(/^[!-~]{1,40}$/) }),
    fc.record({ method: fc.constant('MESSAGE'), status: fc.integer({ min: 100, max: 699 }), reason: fc.stringMatching(/^[ -~\u00a0-\u00ff]{0,20}$/) }),
  ),
  lines: fc.array(line, { maxLength: 20 }),
  body: fc.uint8Array({ maxLength: 200 }),
}).map(({ start, lines, body }) => {
  const made = new SipMessage(start, lines.map(([id]) => id as HeaderId), lines.map(([, text]) => composed(text)), Buffer.from(body))
  return made.append(Header.CSeq, composed(`1 ${start.method}`)).append(Header.ContentLength, composed(String(body.length)))
})

const shape = ({ method, requestUri, status, reason, ids, values, body }: SipMessage) => ({ method, requestUri, status, reason, ids, values, body: body.toString('hex') })

describe('properties', () => {
  it('a written message reads back as it was', () => {
    fc.assert(fc.property(message, (made) => {
      const read = parseMessage(writeMessage(made))
      expect(read.problem).toBeUndefined()
      expect(shape(read.message!)).toEqual(shape(made))
    }), { numRuns: 500 })
  })

  it('several messages on a stream come out whole however it is cut', () => {
    fc.assert(fc.property(fc.array(message, { minLength: 1, maxLength: 4 }), fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1 }), (made, cuts) => {
      const wire = Buffer.concat(made.map(writeMessage))
      const framer = new StreamFramer()
      const read: SipMessage[] = []
      for (let at = 0, turn = 0; at < wire.length; turn++) {
        const piece = Buffer.from(wire.subarray(at, (at += cuts[turn % cuts.length]!)))
        framer.push(piece)
        for (let next = framer.next(); next !== undefined; next = framer.next()) read.push(next.message!)
        piece.fill(0)
      }
      expect(read.map(shape)).toEqual(made.map(shape))
    }), { numRuns: 200 })
  })

  const fragment = fc.constantFrom('SIP/2.0', ' ', '\r\n', '\n', '\r', '\0', ':', ';', ',', '"', '\\', '<', '>', 'sip:', '@', '[', ']', '%', '=', '\r\n ', '\r\n\r\n',
    'Via: ', 'v:', 'To:', 'f: ', 'CSeq: 1 ', 'l: 3', 'Content-Length: ', 'Contact: ', 'Route:', 'INVITE', 'SIP/2.0 200 OK', 'tag', 'a', '1', 'z9hG4bK')
  const noise = fc.oneof(fc.uint8Array({ maxLength: 400 }).map((bytes) => Buffer.from(bytes)), fc.array(fragment, { maxLength: 120 }).map((parts) => Buffer.from(parts.join(''), 'latin1')))
  it('arbitrary octets never make the codec throw, nor hold it for long', () => {
    fc.assert(fc.property(noise, (bytes) => {
      expectSwift(() => {
        judge(bytes)
        const framer = new StreamFramer()
        framer.push(bytes)
        while (framer.next() !== undefined);
        if (framer.fatal !== undefined) answerTo(framer.fatal)
      })
    }), { numRuns: 3_000 })
  })
  it('a sound message with some octets changed never makes the codec throw', () => {
    const sound = octets(request('MESSAGE', 'sip:south.example', 'Contact: "a" <sip:a@b>;q=1\nRoute: <sip:c;lr>', 'body'))
    fc.assert(fc.property(fc.array(fc.tuple(fc.nat(sound.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 }), (changes) => {
      const bytes = Buffer.from(sound)
      for (const [at, octet] of changes) bytes[at] = octet
      judge(bytes)
    }), { numRuns: 3_000 })
  })
})

/** The quickest of three runs counts: in any one of them the collector of garbage may have been at work. */
function expectSwift(run: () => void): void {
  let quickest = Infinity
  for (let turn = 0; turn < 3 && quickest >= CPU_MICROS_MAX; turn++) {
    const before = process.cpuUsage().user
    run()
    quickest = Math.min(quickest, process.cpuUsage().user - before)
  }
  expect(quickest).toBeLessThan(CPU_MICROS_MAX)
}

function judge(bytes: Buffer): void {
  const { message: read, problem } = datagramMessage(bytes) ?? {}
  const found = problem ?? (read === undefined ? undefined : read.isRequest ? validateRequest(read) : validateResponse(read))
  if (found !== undefined) answerTo(found)
  else if (read !== undefined) writeMessage(responseTo(read, 200, undefined, 'tag'))
}

describe('hostile values hold nobody for long:', () => {
  const long = 60_000
  it.each([
    ['spaces in a value', `Subject: a${' '.repeat(long)}b`],
    ['folds', `Subject: a${'\n x'.repeat(long / 4)}`],
    ['lone CRs', `Subject: ${'\r'.repeat(long)}`],
    ['NULs', `Subject: ${'\\\0'.repeat(long / 2)}`],
    ['parameters', `Contact: <sip:a@b>${';p=1'.repeat(long / 4)},`],
    ['quoted parameters', `Contact: <sip:a@b>${';p="a;b"'.repeat(long / 8)};`],
    ['an open quote with escapes', `Contact: "${'\\"'.repeat(long / 2)}`],
    ['display tokens', `Contact: ${'a '.repeat(long / 2)}`],
    ['one display token', `Contact: ${'a'.repeat(long)}`],
    ['commas', `Route: ${'<sip:a>,'.repeat(long / 8)}<`],
    ['escapes in a URI', `Contact: <sip:${'%41'.repeat(long / 3)}%@b>`],
    ['brackets', `Via: SIP/2.0/UDP [${':'.repeat(long)}`],
    ['spaces around slashes', `v: SIP${' '.repeat(long)}x`],
    ['digits', `CSeq: ${'1'.repeat(long)}`],
  ])('%s', (_, hostile) => {
    const bytes = Buffer.from(request('MESSAGE', `sip:${'u'.repeat(100)}@b`, hostile).replace('Content-Length: *', 'Content-Length: 0').replace(/\n/g, '\r\n'), 'latin1')
    expectSwift(() => judge(bytes))
  })
})

describe('limits', () => {
  const headOf = (size: number) => {
    const frame = octets(request('MESSAGE', 'sip:south.example', 'X: ?')).toString('latin1')
    return Buffer.from(frame.replace('?', 'x'.repeat(size - frame.length + 1)), 'latin1')
  }
  it(`a head of ${HEAD_BYTES_MAX} octets is taken, one more is answered 513 and ends the stream`, () => {
    for (const cut of [1, 7]) {
      const framer = new StreamFramer()
      const fits = headOf(HEAD_BYTES_MAX)
      framer.push(fits.subarray(0, fits.length - cut))
      expect(framer.next()).toBeUndefined()
      framer.push(fits.subarray(fits.length - cut))
      expect(framer.next()?.message?.method).toBe('MESSAGE')
      framer.push(headOf(HEAD_BYTES_MAX + 1))
      expect(framer.next()).toBeUndefined()
      expect(framer.fatal).toMatchObject({ of: 'request', status: 513 })
      expect(answerTo(framer.fatal!)!.toString('latin1')).toContain('Call-ID: torture-1@north.example\r\n')
      framer.push(fits)
      expect(framer.next()).toBeUndefined()
    }
  })
  it('a head that never ends is answered 513 as soon as it is too long', () => {
    const framer = new StreamFramer()
    framer.push(headOf(HEAD_BYTES_MAX + 200).subarray(0, HEAD_BYTES_MAX + 1))
    expect(framer.next()).toBeUndefined()
    expect(framer.fatal?.status).toBe(513)
  })
  it(`a message of ${MESSAGE_BYTES_MAX} octets is taken, one more is answered 513 before its body came`, () => {
    const head = request('MESSAGE', 'sip:south.example', '').replace(/\n/g, '\r\n')
    const headBytes = head.length + 5
    const body = MESSAGE_BYTES_MAX - headBytes
    const framer = new StreamFramer()
    framer.push(Buffer.from(head.replace('*', String(body))))
    expect(framer.next()).toBeUndefined()
    framer.push(Buffer.alloc(body))
    expect(framer.next()?.message?.body.length).toBe(body)
    framer.push(Buffer.from(head.replace('*', String(body + 1))))
    expect(framer.next()).toBeUndefined()
    expect(framer.fatal?.status).toBe(513)
  })
  it(`${HEADER_LINES_MAX} header lines are taken, one more is answered 400`, () => {
    const lines = (count: number) => octets(request('MESSAGE', 'sip:south.example', Array.from({ length: count - 7 }, (_, index) => `X-${index}: 1`).join('\n')))
    expect(parseMessage(lines(HEADER_LINES_MAX)).message?.ids.length).toBe(HEADER_LINES_MAX)
    expect(parseMessage(lines(HEADER_LINES_MAX + 1)).problem).toMatchObject({ status: 400 })
  })
  it.each([['CSeq: 7 ', 'CSeq: 2147483647 '], ['Max-Forwards: 70', 'Max-Forwards: 255'], ['Call-ID', 'Expires: 4294967295\nCall-ID']])('the largest number allowed in place of %s', (before, after) => {
    const read = parseMessage(octets(request('MESSAGE', 'sip:south.example', '').replace(before, after))).message!
    expect(validateRequest(read)).toBeUndefined()
  })
})

describe('keep-alives, RFC 5626 section 3.5.1', () => {
  it('counts pings between messages, however they are cut, and never a single line break', () => {
    const framer = new StreamFramer()
    const wire = Buffer.concat([Buffer.from('\r\n\r\n'), octets(request('MESSAGE', 'sip:a.example', '', 'x\n\n')), Buffer.from('\r\n\r\n\r\n\r\n'), octets(request('INFO', 'sip:a.example', '')), Buffer.from('\r\n')])
    const read: string[] = []
    for (const octet of wire) {
      framer.push(Buffer.from([octet]))
      for (let next = framer.next(); next !== undefined; next = framer.next()) read.push(next.message!.method)
    }
    expect([read, framer.pings]).toEqual([['MESSAGE', 'INFO'], 3])
  })
  it('a datagram of line breaks is no message', () => expect([datagramMessage(Buffer.from('\r\n\r\n')), datagramMessage(Buffer.alloc(0))]).toEqual([undefined, undefined]))
})

describe('header names', () => {
  it('every name of the table is known in any letter case, and compact', () => {
    const names = [...HEADER_NAMES.map((name, id) => [name, id] as const).slice(1), ...Object.entries(COMPACT_NAMES)]
    for (const [name, id] of names) {
      if (id === Header.ContentLength) continue
      for (const written of [name, name.toLowerCase(), name.toUpperCase(), `${name} \t`]) {
        expect(parseMessage(Buffer.from(`MESSAGE sip:a SIP/2.0\r\n${written}: v\r\n\r\n`)).message?.ids).toEqual([id])
      }
      for (const other of [`${name}x`, `x${name}`, `${name}_`]) {
        expect(parseMessage(Buffer.from(`MESSAGE sip:a SIP/2.0\r\n${other}: v\r\n\r\n`)).message?.values).toEqual([`${other}: v`])
      }
    }
  })
})

describe('writing', () => {
  const base = () => parseMessage(octets(request('MESSAGE', 'sip:south.example', 'timestamp: 54\nRoute: <sip:a>', 'body'))).message!
  it('Content-Length is the body\'s length, in the place of the first line that says otherwise', () => {
    const message = base()
    message.body = Buffer.from('longer body')
    message.append(Header.ContentLength, composed('3'))
    expect(writeMessage(message).toString()).toMatch(/^(?!.*Content-Length.*Content-Length).*Content-Length: 11\r\n\r\nlonger body$/s)
    message.removeAll(Header.ContentLength)
    expect(writeMessage(message).toString()).toMatch(/Route: <sip:a>\r\nContent-Length: 11\r\n\r\nlonger body$/)
  })
  it('a response copies what section 8.2.6 names, and tags the To once', () => {
    const trying = responseTo(base(), 100)
    expect(writeMessage(trying).toString()).toBe('SIP/2.0 100 Trying\r\nVia: SIP/2.0/TCP edge.north.example;branch=z9hG4bK-torture-1\r\nFrom: "Maija" <sip:maija@north.example>;tag=m-1\r\n' +
      'To: <sip:olli@south.example>\r\nCall-ID: torture-1@north.example\r\nCSeq: 7 MESSAGE\r\ntimestamp: 54\r\nContent-Length: 0\r\n\r\n')
    const final = responseTo(base(), 200, undefined, 'mine')
    expect([final.get(Header.To), final.getOther('Timestamp'), final.method]).toEqual(['<sip:olli@south.example>;tag=mine', undefined, 'MESSAGE'])
    const tagged = base().set(Header.To, composed('<sip:olli@south.example>;tag=theirs'))
    expect(responseTo(tagged, 200, 'Fine', 'mine')).toMatchObject({ reason: 'Fine', values: expect.arrayContaining(['<sip:olli@south.example>;tag=theirs']) })
  })
  it('names statuses, known and unknown', () => expect([200, 423, 499, 699, 42].map(reasonPhrase)).toEqual(['OK', 'Interval Too Brief', 'Bad Request', 'Busy Everywhere', 'Unknown']))
  it('an ACK is never answered', () => {
    const bytes = octets(request('ACK', 'sip:south.example', '').replace(/Call-ID: .*\n/, ''))
    expect(answerTo(validateRequest(parseMessage(bytes).message!)!)).toBeUndefined()
  })
})

describe('values', () => {
  it('splits at commas outside quotes and brackets', () => {
    expect(splitValues(composed('a, "b,\\",c" ,<d,e>;f="g,h",, i'))).toEqual(['a', '"b,\\",c"', '<d,e>;f="g,h"', 'i'])
    expect([splitValues(composed('')), splitValues(composed('"open, a'))]).toEqual([[], ['"open, a']])
  })
  it('takes the topmost value off, and its line with the last', () => {
    const message = new SipMessage({ method: 'X', requestUri: 'sip:a' }).append(Header.Route, composed('<sip:a>, <sip:b>')).append(Header.Route, composed('<sip:c>'))
    const seen: (string | undefined)[] = []
    for (let turn = 0; turn < 4; turn++) {
      seen.push(firstValue(message, Header.Route))
      removeFirstValue(message, Header.Route)
    }
    expect([seen, allValues(message, Header.Route)]).toEqual([['<sip:a>', '<sip:b>', '<sip:c>', undefined], []])
  })
  it('finds tokens in lists', () => {
    const message = new SipMessage({ method: 'X', requestUri: 'sip:a' }).append(Header.Supported, composed('path , GRUU')).append(Header.Supported, composed('outbound'))
    expect(['gruu', 'PATH', 'outbound', 'out', ''].map((token) => listsToken(message, Header.Supported, token))).toEqual([true, true, true, false, false])
  })
  it('reads CSeq and integers strictly', () => {
    expect(['1 A', '0001\tA', '1A', ' 1 A', '1 A B', '1', 'A', '', '1 (', '2147483648 A'].map(parseCSeq)).toEqual([{ number: 1, method: 'A' }, { number: 1, method: 'A' }, ...Array(8).fill(undefined)])
    expect(['12 X', 'X', '2147483648 X'].map(cseqNumber)).toEqual([12, -1, -1])
    expect(['0', '255', '256', '-1', '1.0', '', '9'.repeat(400)].map((text) => integerOf(text, 255))).toEqual([0, 255, undefined, undefined, undefined, undefined, undefined])
    expect(mediaType('Text / Plain ; charset=x')).toBe('text/plain')
  })
  it('writes and reads dates of RFC 1123, and no others', () => {
    expect(formatDate(1289601809000)).toBe('Fri, 12 Nov 2010 22:43:29 GMT')
    expect(parseDate('Sat, 29 Feb 2020 00:00:00 GMT')).toBe(1582934400000)
    fc.assert(fc.property(fc.integer({ min: 0, max: 253402300799 }), (seconds) => parseDate(formatDate(seconds * 1000)) === seconds * 1000))
    for (const bad of ['Fri, 01 Jan 2010 16:00:00 EST', 'Fri, 32 Jan 2010 16:00:00 GMT', 'Sun, 29 Feb 2021 00:00:00 GMT', 'Fri, 01 Jan 2010 24:00:00 GMT', 'Fri, 01 Foo 2010 16:00:00 GMT', '']) expect(parseDate(bad)).toBeUndefined()
  })
})
