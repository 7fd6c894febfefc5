/**
 * Terminals that are sent damaged INVITEs, NOTIFYs, REFERs, references and pieces, and damaged MSRP on their sessions: nothing is
 * thrown, a good session still goes through, and no session, subscription or assembly stays behind.
 */
import { describe, expect, it } from 'vitest'
import { contentOf, sending } from '../machines/terminal-gateway.js'
import { TerminalWire } from '../machines/terminal-wire.js'
import { damaged, drawn, noise } from './octets.js'
import fc from 'fast-check'

const SECOND = 1_000_000
const SEED = 91
const PROXY = { address: '192.0.2.5', port: 5060 }

const SDP = 'v=0\r\no=push 1 1 IN IP4 192.0.2.6\r\ns=-\r\nc=IN IP4 192.0.2.6\r\nt=0 0\r\nm=message 2855 TCP/MSRP *\r\na=path:msrp://192.0.2.6:2855/s1;tcp\r\na=accept-types:*\r\na=setup:actpass\r\n'
  + 'a=file-selector:name:"a.si" type:text/vnd.wap.si size:5 hash:sha-1:11:F6:AD:8E:C5:2A:29:84:AB:AA:FD:7C:3B:51:65:03:78:5C:20:72\r\na=file-transfer-id:t1\r\n'

function request(method: string, uri: string, number: number, headers: readonly string[], body = ''): string {
  return [
    `${method} ${uri} SIP/2.0`, `Via: SIP/2.0/UDP 192.0.2.5:5060;branch=z9hG4bKh${number}`, 'Max-Forwards: 70', 'From: <sip:push@home1.example>;tag=h', 'To: <sip:user000000@home1.example>',
    `Call-ID: h${number}`, `CSeq: 1 ${method}`, 'Contact: <sip:gateway@192.0.2.5:5060>', 'P-Asserted-Identity: <sip:push@home1.example>', ...headers, `Content-Length: ${body.length}`, '', body,
  ].join('\r\n')
}

function texts(contact: string): string[] {
  return [
    request('INVITE', contact, 1, ['Content-Type: application/sdp', 'X-Push-Id: h@pi'], SDP),
    request('NOTIFY', contact, 2, ['Event: oma-push;event-app-id="push.sia"', 'Subscription-State: active;expires=60', 'Content-Type: text/vnd.wap.si'], 'x'),
    request('REFER', contact, 3, ['Refer-To: <sip:push2@home1.example;method=SUBSCRIBE?Event=oma-push%3Bevent-app-id%3D%22push.sia%22&Replaces=a%3Bto-tag%3Db%3Bfrom-tag%3Dc>', 'Refer-Sub: false']),
    request('OPTIONS', contact, 4, ['Accept: application/sdp']),
    request('MESSAGE', contact, 5, ['Content-Type: message/external-body;access-type="URL";expiration="Thu, 12 Mar 2099 12:00:00 GMT";URL="http://192.0.2.6/c";size=3;hash=11F6AD8EC52A2984ABAAFD7C3B516503785C2072'], 'Content-Type: text/plain\r\n\r\n'),
    request('MESSAGE', contact, 6, ['Content-Type: message/partial; id="w"; number=1; total=2'], 'Content-Type: text/plain\r\n\r\nx'),
    request('BYE', contact, 7, []), request('CANCEL', contact, 1, []), request('ACK', contact, 1, []),
  ]
}

describe('terminals with bindings, sent damaged requests', () => {
  it('throw nothing, answer a good OPTIONS afterwards, and keep nothing', () => {
    const wire = new TerminalWire({ population: { subscribers: 1, events: { share: 1 } }, fleet: { transport: 'udp' } })
    wire.register()
    const contact = [...wire.registrar.bindings.keys()][0]!
    for (const [index, octets] of drawn(fc.oneof(damaged(texts(contact)), noise), 1_500, SEED).entries()) {
      // Each with a branch of its own, so that none is taken for a repeat.
      const own = octets.toString('latin1').replace('z9hG4bKh', `z9hG4bKh${index}x`).replace('Call-ID: h', `Call-ID: h${index}x`)
      wire.tellFleet({ type: 'bytes', flow: 1, bytes: Buffer.from(own, 'latin1'), from: PROXY })
    }
    for (const { ticket } of wire.fetches) wire.tellFleet({ type: 'fetch-failed', ticket, reason: 'none of it is there' })
    wire.tellFleet({ type: 'switch', subscriber: 0, to: 'off' })
    wire.pass(700 * SECOND)
    const { sessions, mediaSessions, mediaConnections, subscriptions, fetches, segments } = wire.fleet.counters
    expect({ sessions, mediaSessions, mediaConnections, subscriptions, fetches, segments }).toEqual({ sessions: 0, mediaSessions: 0, mediaConnections: 0, subscriptions: 0, fetches: 0, segments: 0 })
    wire.tellFleet({ type: 'switch', subscriber: 0, to: 'on' })
    wire.act((gateway, now) => gateway.send(now, gateway.request('OPTIONS', [...wire.registrar.bindings.keys()][0]!, wire.population.impu(0))))
    expect(wire.gateway.answers).toMatchObject([{ status: 200 }])
  })
})

describe('terminals in a session, sent damaged MSRP', () => {
  it('lose that connection at most, and take the next session', () => {
    const wire = new TerminalWire({ population: { subscribers: 1 } })
    wire.register()
    const call = () => wire.act((gateway, now) => gateway.call(now, [...wire.registrar.bindings.keys()][0]!, wire.population.impu(0), {}))
    for (let round = 0; round < 40; round++) {
      const one = call()
      const frame = `MSRP t${round}aaa SEND\r\nTo-Path: ${one.line().path[0]!}\r\nFrom-Path: ${one.msrp[0]!.uri}\r\nMessage-ID: m${round}aaa\r\nSuccess-Report: yes\r\nByte-Range: 1-*/10\r\nContent-Type: text/plain\r\n\r\n0123456789\r\n-------t${round}aaa$\r\n`
      for (const octets of drawn(fc.oneof(damaged([frame]), noise), 25, SEED + round)) wire.writeMsrp(octets)
      wire.act((gateway, now) => gateway.invites.close(now, one.invite!))
      wire.pass(40 * SECOND)
    }
    const good = call()
    wire.act((_gateway, now) => void good.msrp[0]!.send(now, sending('m001', contentOf(10_000))))
    wire.pass(SECOND)
    expect(good.outcomes).toEqual([{ type: 'confirmed' }])
    wire.act((gateway, now) => gateway.invites.close(now, good.invite!))
    wire.pass(100 * SECOND)
    expect(wire.fleet.counters).toMatchObject({ sessions: 0, mediaSessions: 0, mediaConnections: 0, transactions: 0 })
  })
})
