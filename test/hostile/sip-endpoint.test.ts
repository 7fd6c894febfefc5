/** Whatever octets come in, on whatever flow and at whatever time: an endpoint never throws, answers no response, and stays bounded. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Header } from '../../core/sip/header-names.js'
import { composed } from '../../core/sip/header-text.js'
import { responseTo, writeMessage } from '../../core/sip/write.js'
import { ALICE, BOB, Clock, LINK, Peer, SECOND, hopTo, requestOf } from '../machines/sip-peers.js'

const METHODS = ['MESSAGE', 'INVITE', 'ACK', 'CANCEL', 'OPTIONS', 'REGISTER', 'x']
/** Few branches, so that requests meet transactions and each other. */
const via = (branch: number): string => `SIP/2.0/UDP 127.0.0.1:5062;branch=${branch === 0 ? 'old' : `z9hG4bK${branch}`}`

const wellFormed = fc.record({ method: fc.constantFrom(...METHODS), branch: fc.integer({ min: 0, max: 2 }), status: fc.constantFrom(0, 0, 100, 180, 200, 408, 487, 603), own: fc.integer({ min: 0, max: 3 }) })
const damage = fc.array(fc.record({ at: fc.nat(400), octet: fc.constantFrom(0, 10, 13, 32, 34, 44, 58, 59, 60, 61, 255), drop: fc.nat(3) }), { maxLength: 2 })
const step = fc.record({ message: wellFormed, damage, waitMillis: fc.constantFrom(0, 0, 100, 4_000, 40_000), respond: fc.constantFrom(0, 0, 100, 200, 404, 408) })

describe.each(['udp', 'tcp'] as const)('over %s', (transport) => {
  it('any sequence of whole and damaged messages leaves the endpoint standing', () => {
    fc.assert(fc.property(fc.array(step, { maxLength: 25 }), (steps) => {
      const peer = new Peer(new Clock(), ALICE, { refuseMerged: true })
      peer.up(transport, transport === 'udp' ? undefined : BOB)
      const ours = METHODS.slice(0, 2).flatMap((method) => [1, 2].map((count) => peer.endpoint.request(peer.clock, requestOf(method, `own-${count}`), hopTo(BOB, transport, LINK)).request))
      peer.endpoint.cancel(peer.clock, peer.endpoint.request(peer.clock, requestOf('INVITE', 'gone'), hopTo(BOB, transport, LINK)))
      for (const { message, damage: damages, waitMillis, respond } of steps) {
        const request = requestOf(message.method, `in-${message.branch}`).prepend(Header.Via, composed(via(message.branch)))
        let octets = writeMessage(message.status === 0 ? request : responseTo(ours[message.own]!, message.status, undefined, 'z'))
        for (const { at, octet, drop } of damages) octets = Buffer.concat([octets.subarray(0, at), Buffer.from([octet]), octets.subarray(at + drop)])
        peer.out.length = 0
        peer.receive(octets, transport === 'udp' ? BOB : undefined)
        // On a stream a damaged message may have swallowed the beginning of this one.
        if (message.status !== 0 && transport === 'udp' && damages.length === 0) expect(peer.sent().filter((sent) => sent.startsWith('SIP/2.0 '))).toEqual([])
        const last = peer.requests.at(-1)
        if (respond !== 0 && last !== undefined) peer.endpoint.respond(peer.clock, last, responseTo(last.request, respond, undefined, 'b1'))
        peer.wait(peer.clock.mono + waitMillis * 1_000)
      }
      peer.endpoint.input(peer.clock, { type: 'flow-down', flow: LINK, reason: 'end' })
      peer.wait(peer.clock.mono + 200 * SECOND)
      // What is left are INVITEs their user never answered.
      expect(peer.endpoint.openTransactions).toBeLessThanOrEqual(peer.requests.filter(({ request }) => request.method === 'INVITE').length)
    }), { numRuns: 300 })
  })
})
