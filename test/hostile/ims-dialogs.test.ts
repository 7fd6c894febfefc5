/** Calls and dialogs through the core from peers that send rubbish: no octets bring it down, and nothing stays behind when time has passed. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Header } from '../../core/sip/header-names.js'
import { AOR, Answerer, Call, PUSH, left, send, took } from '../machines/ims-calls.js'
import { ImsHarness, PORTS } from '../machines/ims-harness.js'

const PIECES = ['', '<', '>', ';', ',', '@', '%', '"', ';lr', ';tag=', ';tag=x', 'sip:', 'tel:+1', 'Route: ', '\r\n', ' ', '0', '-1', '99999999999', 'gr=', ';gr', 'ACK', 'CANCEL', 'INVITE', 'SUBSCRIBE', 'Event: reg\r\n', 'Expires: 0\r\n']

describe.each(['collapsed', 'split'] as const)('a %s core', (mode) => {
  it('outlives calls, ACKs, CANCELs, BYEs and subscriptions with pieces put into them or cut out', () => {
    const piece = fc.oneof(fc.constantFrom(...PIECES), fc.string({ maxLength: 4 }))
    const edit = fc.record({ message: fc.nat(), at: fc.double({ min: 0, max: 1, noNaN: true }), cut: fc.nat(12), piece, from: fc.constantFrom('registered', 'stranger', 'gateway', 'core') })
    fc.assert(fc.property(fc.array(edit, { minLength: 1, maxLength: 12 }), (edits) => {
      const { harness, peers, octets } = traffic(mode)
      for (const { message, at, cut, piece: text, from } of edits) {
        const original = octets[message % octets.length]!.toString('latin1')
        const index = Math.floor(at * original.length)
        harness.input(peers[from](), Buffer.from(original.slice(0, index) + text + original.slice(index + cut), 'latin1'))
      }
      // Timers B, C and those of transactions; the reg subscription runs out too.
      harness.pass(4_000)
      expect(left(harness)).toEqual({})
      expect(harness.core.counters()['scscf.regSubscriptions']).toBe(0)
    }), { numRuns: 60 })
  })
})

/** One call, one BYE and one subscription as they were sent, and peers that can send them again. */
function traffic(mode: 'collapsed' | 'split') {
  const harness = new ImsHarness((settings) => ({ ...settings, mode, regEvent: { ...settings.regEvent, watchers: [PUSH], expiresMaxSeconds: 3_600 } }))
  const ue = harness.tcp(PORTS.pcscf)
  expect(ue.register({ expires: 60_000 }).status).toBe(200)
  const gateway = harness.tcp(PORTS.icscf)
  const octets: Buffer[] = []
  const input = harness.input.bind(harness)
  harness.input = (peer, bytes) => {
    octets.push(bytes)
    input(peer, bytes)
  }
  const call = new Call(harness, gateway, AOR)
  const answerer = new Answerer(harness, ue, took(ue, 'INVITE'))
  answerer.answer(180)
  call.cancel()
  answerer.answer(200)
  const dialog = call.dialog(gateway.received.find((message) => message.status === 200 && message.method === 'INVITE')!)
  send(harness, gateway, dialog.ack(1))
  send(harness, ue, answerer.dialog().request('BYE'))
  gateway.request(`SUBSCRIBE ${AOR}`, `Max-Forwards: 70\nFrom: <${PUSH}>;tag=s\nTo: <${AOR}>\nCall-ID: s\nCSeq: 1 SUBSCRIBE\nContact: <sip:127.0.0.3:9;transport=tcp>\nP-Asserted-Identity: <${PUSH}>\nEvent: reg\nExpires: 600`)
  harness.input = input
  expect(octets.some((each) => each.includes('Route: <sip:'))).toBe(true)
  expect(gateway.received.some((message) => message.get(Header.Expires) === '600')).toBe(true)
  // A stream that was given rubbish may wait for more or be closed, so most edits come over one of their own.
  return { harness, octets, peers: { registered: () => ue, stranger: () => harness.tcp(PORTS.pcscf), gateway: () => harness.tcp(PORTS.icscf), core: () => harness.tcp(PORTS.core) } }
}
