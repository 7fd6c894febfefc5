/** A submission split as it comes says the same as one that is split whole, wherever the network cut it and however it is spoilt. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeSubmission } from '../../core/pap/submission.js'
import { SubmissionStream } from '../../core/pap/submission-stream.js'

const CONTROL = '<?xml version="1.0"?><!DOCTYPE pap PUBLIC "-//WAPFORUM//DTD PAP 2.0//EN" "http://www.wapforum.org/DTD/pap_2.0.dtd">'
  + '<pap><push-message push-id="p1"><address address-value="WAPPUSH=anna/TYPE=USER@ppg.example"/></push-message></pap>'
const TYPE = 'multipart/related; boundary=b1; type=application/xml'

/** What the initiator is told, or control and content. */
function whole(body: Buffer): unknown {
  const decoded = decodeSubmission(TYPE, body)
  return decoded.ok ? [decoded.control, decoded.content.contentType, decoded.content.headers, decoded.content.body.toString('latin1'), decoded.capabilities?.toString('latin1')] : decoded.desc
}

function streamed(body: Buffer, cuts: readonly number[]): unknown {
  const pieces: Buffer[] = []
  const stream = new SubmissionStream('b1', (bytes) => pieces.push(Buffer.from(bytes)))
  let at = 0
  for (const cut of [...cuts, body.length].sort((a, b) => a - b)) {
    // Given away after the call, as a network does.
    const piece = Buffer.from(body.subarray(at, cut))
    stream.push(piece)
    piece.fill(0)
    at = Math.max(at, cut)
  }
  const end = stream.end()
  const decoded = decodeSubmission(TYPE, end.body, end.contentFault)
  if (!decoded.ok) return decoded.desc
  return [decoded.control, decoded.content.contentType, decoded.content.headers, Buffer.concat(pieces).toString('latin1'), decoded.capabilities?.toString('latin1')]
}

const post = (...lines: string[]): Buffer => Buffer.from(lines.join('\r\n'), 'latin1')
const start = ['--b1', 'Content-Type: application/xml', '', CONTROL, '--b1']

describe('a submission that streams in', () => {
  const bodies: readonly (readonly [what: string, body: Buffer])[] = [
    ['as it should be', post(...start, 'Content-Type: text/plain', '', 'one\r\ntwo', '--b1--', '')],
    ['with capabilities', post(...start, 'Content-Type: text/plain', '', 'x', '--b1', 'Content-Type: application/xml', '', '<rdf/>', '--b1--', '')],
    ['with preamble, epilogue and padding', post('hello', ...start.slice(0, 4), '--b1 \t ', 'Content-Type: text/plain', '', 'x', '--b1-- ', 'bye')],
    ['with lines that end in LF', Buffer.from(post(...start, 'Content-Type: text/plain', '', 'x', '--b1--', '').toString('latin1').replaceAll('\r\n', '\n'))],
    ['whose content looks like delimiters', post(...start, 'Content-Type: text/plain', '', ' --b1', '--b1x', '--b1-', '--b', '--b1--x', '\r', '--b1--', '')],
    ['whose content is empty', post(...start, 'Content-Type: text/plain', '', '', '--b1--', '')],
    ['whose content has no headers but markup', post(...start, 'Content-Type: text/vnd.wap.sl', '<sl/>', '--b1--', '')],
    ['in base64', post(...start, 'Content-Type: text/plain', 'Content-Transfer-Encoding: base64', '', 'aGVsbG8g\r\nd29ybGQ=', '--b1--', '')],
    ['in base64 that goes on after its padding', post(...start, 'Content-Type: text/plain', 'Content-Transfer-Encoding: base64', '', 'aGVsbA==aGVsbG8g', '--b1--', '')],
    ['in base64 with a foreign octet', post(...start, 'Content-Type: text/plain', 'Content-Transfer-Encoding: base64', '', 'aGVs!G8g', '--b1--', '')],
    ['in base64 cut off', post(...start, 'Content-Type: text/plain', 'Content-Transfer-Encoding: base64', '', 'aGVsb', '--b1--', '')],
    ['in quoted-printable', post(...start, 'Content-Type: text/plain', 'Content-Transfer-Encoding: quoted-printable', '', 'a=20b  \r\nsoft=\r\nbreak=3D', '--b1--', '')],
    ['in an encoding nobody knows', post(...start, 'Content-Type: text/plain', 'Content-Transfer-Encoding: x-zip', '', 'zzz', '--b1--', '')],
    ['without Content-Type', post(...start, 'X: y', '', 'zzz', '--b1--', '')],
    ['with a header that is none', post(...start, 'nonsense here', '', 'zzz', '--b1--', '')],
    ['cut off in its content', post(...start, 'Content-Type: text/plain', '', 'zzz')],
    ['with one part', post(...start.slice(0, 4), '--b1--', '')],
    ['with four parts', post(...start, 'Content-Type: text/plain', '', 'x', '--b1', '', 'y', '--b1', '', 'z', '--b1--', '')],
    ['that is empty', Buffer.alloc(0)],
  ]
  for (const [what, body] of bodies) {
    it(`${what} means the same cut anywhere`, () => {
      const expected = whole(body)
      for (let cut = 0; cut <= body.length; cut++) expect(streamed(body, [cut])).toEqual(expected)
      expect(streamed(body, Array.from({ length: body.length }, (_, at) => at))).toEqual(expected)
    })
  }

  it('means the same whatever its content is and wherever it is cut', () => {
    const part = fc.constantFrom('--b1', '\r\n--b1', '\n--b1', '--b1--', '\r\n', '\n', '\r', '-', '--', 'b1', 'x', ' ', 'Content-Type: a/b', '<')
    fc.assert(fc.property(fc.array(part, { maxLength: 30 }), fc.array(fc.nat({ max: 600 }), { maxLength: 8 }), (parts, cuts) => {
      const body = Buffer.concat([post(...start, 'Content-Type: text/plain', '', ''), Buffer.from(parts.join('')), post('', '--b1--', '')])
      expect(streamed(body, cuts.map((cut) => Math.min(cut, body.length)))).toEqual(whole(body))
    }), { numRuns: 1_000 })
  })

  it('keeps what is no content, and nothing of the content', () => {
    const stream = new SubmissionStream('b1', () => {})
    stream.push(post(...start, 'Content-Type: text/plain', '', ''))
    stream.push(Buffer.alloc(65_536, 'x'))
    const before = stream.octetsKept
    for (let count = 0; count < 100; count++) stream.push(Buffer.alloc(65_536, 'x'))
    expect(stream.octetsKept).toBe(before)
  })
})
