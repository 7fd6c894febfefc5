/**
 * The torture conditions of RFC 4475 and RFC 5118 in messages of our own: each gets its expected answer as a datagram, over a
 * stream in one piece, over a stream split in two at every octet, and over a stream octet by octet.
 */
import { describe, expect, it } from 'vitest'
import { StreamFramer, datagramMessage } from '../../core/sip/framing.js'
import type { SipMessage } from '../../core/sip/message.js'
import type { ParseResult, SipProblem } from '../../core/sip/problem.js'
import { validateRequest, validateResponse } from '../../core/sip/validate.js'
import { answerTo, writeMessage } from '../../core/sip/write.js'
import { DECIDED_ELSEWHERE, REFUSED, REFUSED_RESPONSES, type Refusal } from './sip-torture-invalid.js'
import { VALID, VALID_RESPONSES, octets, request } from './sip-torture-valid.js'

function verdict(result: ParseResult): SipProblem | undefined {
  if (result.problem !== undefined) return result.problem
  return result.message.isRequest ? validateRequest(result.message) : validateResponse(result.message)
}

/** The first result of a stream that gets these pieces; each piece is overwritten afterwards, as a driver may do. */
function overStream(pieces: readonly Buffer[]): { result: ParseResult | undefined; framer: StreamFramer } {
  const framer = new StreamFramer()
  let result: ParseResult | undefined
  for (const piece of pieces) {
    const bytes = Buffer.from(piece)
    framer.push(bytes)
    for (let next = framer.next(); next !== undefined; next = framer.next()) result ??= next
    bytes.fill(0x3f)
  }
  return { result, framer }
}

function everySplit(bytes: Buffer): Buffer[][] {
  const splits = [[bytes], Array.from(bytes, (_, index) => bytes.subarray(index, index + 1))]
  for (let at = 1; at < bytes.length; at++) splits.push([bytes.subarray(0, at), bytes.subarray(at)])
  return splits
}

function same(a: SipMessage, b: SipMessage): boolean {
  return a.method === b.method && a.requestUri === b.requestUri && a.status === b.status && a.reason === b.reason && a.body.equals(b.body) &&
    a.ids.join() === b.ids.join() && a.values.join('\n') === b.values.join('\n')
}

describe('legal, however strange', () => {
  for (const vector of [...VALID, ...VALID_RESPONSES]) {
    it(`${vector.name}: ${vector.shows}`, () => {
      const bytes = octets(vector.text)
      const whole = datagramMessage(bytes)!
      expect(verdict(whole)?.what).toBeUndefined()
      const message = whole.message!
      vector.check?.(message)
      const copy = datagramMessage(writeMessage(message))!.message!
      expect(same(message, copy)).toBe(true)
      for (const pieces of everySplit(bytes)) {
        const { result, framer } = overStream(pieces)
        if (result?.message === undefined || !same(message, result.message) || framer.fatal !== undefined) expect.fail(`split into ${pieces.map((piece) => piece.length).join()}`)
      }
    })
  }
})

describe('refused with the right answer', () => {
  for (const refusal of [...REFUSED, ...REFUSED_RESPONSES]) {
    it(`${refusal.name}: ${refusal.shows}: ${refusal.answer}`, () => {
      const bytes = octets(refusal.text)
      expectAnswer(verdict(datagramMessage(bytes)!), refusal)
      for (const pieces of everySplit(bytes)) {
        const { result, framer } = overStream(pieces)
        expect(framer.fatal !== undefined).toBe(refusal.breaksStream === true)
        expectAnswer(framer.fatal ?? (result === undefined ? undefined : verdict(result)), refusal)
      }
    })
  }
})

function expectAnswer(problem: SipProblem | undefined, refusal: Refusal): void {
  expect(problem?.what).toContain(refusal.says)
  const answer = answerTo(problem!)
  if (refusal.answer === 'drop') return expect(answer).toBeUndefined()
  expect(problem!.status).toBe(refusal.answer)
  const response = datagramMessage(answer!)!.message!
  expect(response.status).toBe(refusal.answer)
}

describe('where the transport decides', () => {
  it('clerr: a datagram shorter than its Content-Length is answered 400, a stream waits for the rest', () => {
    const bytes = octets(request('MESSAGE', 'sip:south.example', '', 'short').replace('Content-Length: *', 'Content-Length: 999'))
    expect(datagramMessage(bytes)!.problem).toMatchObject({ status: 400, what: 'Content-Length is 999, but only 5 octets of body came' })
    const { result, framer } = overStream([bytes])
    expect([result, framer.fatal]).toEqual([undefined, undefined])
  })

  it('a response shorter than its Content-Length is dropped', () => {
    const bytes = octets('SIP/2.0 200 OK\nVia: SIP/2.0/UDP a.example;branch=z9hG4bK1\nContent-Length: 9\n\nfew')
    expect(datagramMessage(bytes)!.problem).toMatchObject({ of: 'response', status: 0 })
  })

  it('dblreq: a datagram ends at its Content-Length and the rest is dropped; a stream gives both messages', () => {
    const first = octets(request('REGISTER', 'sip:south.example', 'Contact: <sip:a@b.example>'))
    const second = octets(request('INVITE', 'sip:south.example', '', 'body'))
    const both = Buffer.concat([first, second])
    const alone = datagramMessage(both)!.message!
    expect([alone.method, alone.body.length]).toEqual(['REGISTER', 0])
    const framer = new StreamFramer()
    framer.push(both)
    expect([framer.next()!.message!.method, framer.next()!.message!.method, framer.next()]).toEqual(['REGISTER', 'INVITE', undefined])
  })

  it('a datagram without Content-Length is body to its end; a stream without it cannot be followed', () => {
    const bytes = octets(request('MESSAGE', 'sip:south.example', '', 'to the end').replace('Content-Length: *\n', ''))
    expect(datagramMessage(bytes)!.message!.body.toString()).toBe('to the end')
    const { framer } = overStream([bytes])
    expect(framer.fatal).toMatchObject({ status: 400, what: 'no Content-Length on a stream' })
    expect(answerTo(framer.fatal!)!.toString('latin1')).toContain('Call-ID: torture-1@north.example')
  })

  it('line breaks before the first line are skipped', () => {
    const bytes = Buffer.concat([Buffer.from('\r\n\r\n\r\n'), octets(request('MESSAGE', 'sip:south.example', ''))])
    expect(datagramMessage(bytes)!.message!.method).toBe('MESSAGE')
  })
})

describe('octets that no line may hold', () => {
  const plain = request('MESSAGE', 'sip:south.example', 'Subject: one?two')
  for (const [name, octet] of [['a lone CR', '\r'], ['a lone LF', '\n'], ['a NUL', '\0']] as const) {
    it(`${name} in a value is refused, and the line is not in the answer`, () => {
      const bytes = Buffer.from(octets(plain.replace('torture-1@', 'torture?1@')).toString('latin1').replace('?1@', `${octet}X: 1@`), 'latin1')
      const { problem } = datagramMessage(bytes)!
      expect(problem).toMatchObject({ status: 400 })
      const answer = answerTo(problem!)!.toString('latin1')
      expect(answer).not.toContain('X: 1')
      expect(answer).toContain('From: "Maija"')
    })
    it(`${name} in the first line is refused`, () => {
      const bytes = Buffer.from(octets(plain).toString('latin1').replace('sip:south', `sip:${octet}south`), 'latin1')
      expect(datagramMessage(bytes)!.problem?.status).toBe(400)
    })
  }

  it('no character above 255 can become a line break on the wire', () => {
    const message = datagramMessage(octets(plain))!.message!
    message.requestUri = 'sip:a@b\u010d\u010aEvil: 1'
    expect(() => writeMessage(message)).toThrow(/above 255/)
  })
})

it('every condition left to an element is one the codec lets pass', () => {
  const passing = new Set([...VALID, ...VALID_RESPONSES].map((vector) => vector.name))
  expect(Object.keys(DECIDED_ELSEWHERE).filter((name) => !passing.has(name))).toEqual([])
})
