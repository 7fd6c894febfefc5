/** A message that crosses whole is what its octets would have been read as, as long as they would have been, and its own. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CarriedMessage } from '../../core/sip/carried-message.js'
import { Header, type HeaderId } from '../../core/sip/header-names.js'
import { composed } from '../../core/sip/header-text.js'
import { SipMessage } from '../../core/sip/message.js'
import { parseMessage } from '../../core/sip/parse.js'
import { writeMessage } from '../../core/sip/write.js'

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
