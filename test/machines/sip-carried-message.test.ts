/** A message that crosses whole is what its octets would have been read as, as long as they would have been, and its own. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CarriedMessage } from '../../core/sip/carried-message.js'
import { Header, type HeaderId } from '../../core/sip/header-names.js'
import { composed } from '../../core/sip/header-text.js'
import { SipMessage } from '../../core/sip/message.js'
import { parseMessage } from '../../core/sip/parse.js'
import { SipParts, type SipPart } from '../../core/sip/sip-parts.js'
import { writeMessage } from '../../core/sip/write.js'
import { splitMultipart } from '../../core/mime/multipart.js'

const NAMED = [Header.Via, Header.Route, Header.From, Header.To, Header.CallId, Header.Contact, Header.XPushId, Header.ContentLength] as const
const word = fc.stringMatching(/^[A-Za-z0-9;=<>@:.-]{1,30}$/)
const line = fc.oneof(
  fc.tuple(fc.constantFrom<HeaderId>(...NAMED), word),
  fc.tuple(fc.constant<HeaderId>(Header.Other), word.map((text) => `X-Anything: ${text}`)),
)
const message = fc.record({ isRequest: fc.boolean(), lines: fc.array(line, { maxLength: 12 }), body: fc.uint8Array({ maxLength: 60 }), asText: fc.boolean() }).map(({ isRequest, lines, body, asText }) => {
  const made = new SipMessage(isRequest ? { method: 'MESSAGE', requestUri: 'sip:a@b.example' } : { method: 'MESSAGE', status: 480, reason: 'Temporarily Unavailable' })
  for (const [id, value] of lines) made.append(id, composed(value))
  made.append(Header.CSeq, composed('1 MESSAGE'))
  if (asText) made.setBodyText(Buffer.from(body).toString('latin1'))
  else made.body = Buffer.from(body)
  return made
})

const seen = ({ method, requestUri, status, reason, ids, values, body }: SipMessage): unknown => ({ method, requestUri, status, reason, ids, values, body })

describe('a message carried whole', () => {
  it('is what its octets say, and knows how many they are', () => {
    fc.assert(fc.property(message, (sent) => {
      const octets = writeMessage(sent)
      const carried = CarriedMessage.of(sent)
      expect(seen(carried.received())).toEqual(seen(parseMessage(octets).message!))
      expect(carried.length).toBe(octets.length)
    }), { numRuns: 300 })
  })

  it('does not change when its sender, or another receiver, changes theirs', () => {
    const sent = new SipMessage({ method: 'MESSAGE', requestUri: 'sip:a@b.example' }).append(Header.Via, composed('one'))
    const carried = CarriedMessage.of(sent)
    sent.replaceFirst(Header.Via, composed('two'))
    carried.received().replaceFirst(Header.Via, composed('three'))
    expect(carried.received().get(Header.Via)).toBe('one')
  })
})

describe('a body of messages', () => {
  const part = fc.oneof<fc.Arbitrary<SipPart>[]>(
    message.map((held) => ({ type: 'message/sip', message: held })),
    fc.uint8Array({ maxLength: 40 }).map((octets) => ({ type: 'application/octet-stream', octets: Buffer.from(octets) })),
  )

  it('is as long as it says, alone or as a multipart that reads as its parts, and gives the messages themselves where nobody wrote it', () => {
    fc.assert(fc.property(fc.array(part, { minLength: 1, maxLength: 3 }), (parts) => {
      const body = new SipParts(parts, 'part-0123456789abcdef')
      const octets = body.write()
      expect(body.length).toBe(octets.length)
      const written = parts.map((each) => ('message' in each ? writeMessage(each.message) : each.octets))
      if (parts.length === 1) expect([body.contentType, octets]).toEqual([parts[0]!.type, written[0]])
      else expect(splitMultipart(octets, 'part-0123456789abcdef').parts.map((each) => each.body)).toEqual(written)
      expect(body.messages).toEqual(parts.flatMap((each) => ('message' in each ? [each.message] : [])))
    }), { numRuns: 300 })
  })

  it('crosses whole within its message, and is octets for whoever asks', () => {
    const held = new SipMessage({ method: 'REGISTER', requestUri: 'sip:b.example' }).append(Header.CSeq, composed('7 REGISTER'))
    const sent = new SipMessage({ method: 'REGISTER', requestUri: 'sip:as.example' })
    const body = new SipParts([{ type: 'message/sip', message: held }], '')
    sent.setComposedBody(body)
    const carried = CarriedMessage.of(sent)
    const received = carried.received()
    expect(carried.length).toBe(writeMessage(sent).length)
    expect(received.composedBody).toBe(body)
    expect(received.body).toEqual(writeMessage(held))
    received.body = Buffer.from('other')
    expect([received.composedBody, received.bodyLength]).toEqual([undefined, 5])
  })
})
