/**
 * MESSAGEs of 900 octets parsed, and read as a proxy must: top Via, Request-URI, Max-Forwards, Route, Call-ID, CSeq and
 * both tags. Beside it the bare cost: the octets decoded as latin1 and cut into lines.
 */
import { monoMicros } from '../../../core/live/clock.js'
import { Header } from '../../../core/sip/header-names.js'
import { parseNameAddr, tagOf } from '../../../core/sip/name-addr.js'
import { parseMessage } from '../../../core/sip/parse.js'
import { parseUri } from '../../../core/sip/uri.js'
import { cseqNumber, integerOf } from '../../../core/sip/values.js'
import { topVia } from '../../../core/sip/via.js'
import { serve } from './serve.js'

const MESSAGE_BYTES = 900
const VARIANTS = 64
const ROUND = 10_000

const LINES = [
  'MESSAGE sip:user7@home1.example.net;gr=urn:uuid:6f0e1c5e-0a07-4b6e-9d52-1d2a3b4c5d6e SIP/2.0',
  'Via: SIP/2.0/TCP ppg.home1.example.net:5060;branch=z9hG4bKa8f2c1d94e', 'Max-Forwards: 69', 'Route: <sip:scscf1.home1.example.net;lr>',
  'From: <sip:ppg.home1.example.net>;tag=9f3ac1e2', 'To: <sip:user7@home1.example.net;gr=urn:uuid:6f0e1c5e-0a07-4b6e-9d52-1d2a3b4c5d6e>',
  'Call-ID: 7f0a6b1c2d3e4f50@ppg.home1.example.net', 'CSeq: 1 MESSAGE', 'P-Asserted-Identity: <sip:ppg.home1.example.net>',
  'Accept-Contact: *;+g.oma.pusheventapp="mms.ua";require;explicit', 'X-Wap-Application-Id: x-wap-application:mms.ua',
  'Content-Type: application/vnd.wap.mms-message', 'X-Push-Id: push-000001@pi.example.com',
]

/** They differ, so that no text is the same object twice. */
const messages = Array.from({ length: VARIANTS }, (_, variant) => {
  const lines = LINES.map((line, index) => (index === 1 ? line + String(10 + variant) : line))
  const bodyBytes = MESSAGE_BYTES - lines.join('\r\n').length - '\r\nContent-Length: 000\r\n\r\n'.length
  return Buffer.from(`${lines.join('\r\n')}\r\nContent-Length: ${bodyBytes}\r\n\r\n${'b'.repeat(bodyBytes)}`, 'latin1')
})

let seen = 0

function parse(bytes: Buffer): void {
  const message = parseMessage(bytes).message!
  const via = topVia(message)!
  const route = parseNameAddr(message.get(Header.Route)!)!
  seen += via.branch.length + via.host.length + via.port + parseUri(message.requestUri)!.host.length + integerOf(message.get(Header.MaxForwards)!, 255)!
    + parseUri(route.uri)!.host.length + message.get(Header.CallId)!.length + cseqNumber(message.get(Header.CSeq)!)! + tagOf(message, Header.To).length + tagOf(message, Header.From).length
}

function cut(bytes: Buffer): void {
  seen += bytes.toString('latin1').split('\r\n').length
}

/** Messages per second of processor time of this process, collector included. */
function rate(work: (bytes: Buffer) => void, micros: number): number {
  const until = monoMicros() + micros
  const before = process.cpuUsage()
  let count = 0
  while (monoMicros() < until) {
    for (let index = 0; index < ROUND; index++) work(messages[index % VARIANTS]!)
    count += ROUND
  }
  const used = process.cpuUsage(before)
  return count * 1_000_000 / (used.user + used.system)
}

serve({ parse: (micros: number) => rate(parse, micros), cut: (micros: number) => rate(cut, micros), seen: () => seen })
