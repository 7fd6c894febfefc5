/** Over a link that loses, doubles and reorders datagrams, each user still sees one request and one final outcome. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Transport } from '../../core/kit/network.js'
import { Header } from '../../core/sip/header-names.js'
import type { ClientTransaction } from '../../core/sip/endpoint-contract.js'
import { responseTo } from '../../core/sip/write.js'
import { BOB, LINK, Link, SECOND, hopTo, requestOf } from './sip-peers.js'

/**
 * The delays of the copies of one transmission, in milliseconds: none, one or two. RFC 3261 remembers a request for 64*T1
 * after its answer and a client sends for 63*T1, so a copy that is under way for longer than T1 may be taken for a new one.
 */
const delay = fc.integer({ min: 1, max: 450 })
const fate = fc.oneof({ weight: 3, arbitrary: fc.tuple(delay) }, { weight: 2, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: fc.tuple(delay, delay) })
const fates = fc.array(fate, { minLength: 5, maxLength: 60 })

/** Bob answers each request `answerAfter` seconds after it came; Alice cancels an INVITE that is open after a minute. */
function run(transport: Transport, method: string, status: number, nth: readonly (readonly number[])[], answerAfter: number, requests: number): Link {
  const link = new Link(transport, (count) => nth[count % nth.length]!.map((millis) => millis * 1_000))
  const { alice, bob, clock } = link
  const waiting: { at: number; answer: () => void }[] = []
  bob.answer = (now, transaction) => {
    const answer = (): void => bob.endpoint.respond(clock, transaction, responseTo(transaction.request, status, undefined, 'b1'))
    if (answerAfter === 0) answer()
    else waiting.push({ at: now.mono + answerAfter * SECOND, answer })
  }
  const open = new Set<ClientTransaction>()
  for (let count = 0; count < requests; count++) open.add(alice.endpoint.request(clock, requestOf(method, `call-${count}`), hopTo(BOB, transport, LINK), count))
  for (let at = SECOND; at <= 200 * SECOND; at += SECOND) {
    link.run(at)
    for (const due of waiting.splice(0)) {
      if (due.at <= at) due.answer()
      else waiting.push(due)
    }
    if (at !== 60 * SECOND || method !== 'INVITE') continue
    for (const { transaction } of [...alice.responses, ...alice.failures]) open.delete(transaction)
    for (const transaction of open) alice.endpoint.cancel(clock, transaction)
  }
  return link
}

describe.each([['MESSAGE', 200], ['MESSAGE', 480], ['INVITE', 404]])('%s answered %i over UDP', (method, status) => {
  it('has exactly one final outcome at the sender and at most one request at the receiver, whatever the link does', () => {
    fc.assert(fc.property(fates, fc.constantFrom(0, 2, 10, 40), fc.integer({ min: 1, max: 4 }), (nth, answerAfter, requests) => {
      const { alice, bob } = run('udp', method, status, nth, answerAfter, requests)
      const outcomes = [...alice.responses, ...alice.failures].map(({ transaction }) => transaction.context)
      expect(outcomes.sort()).toEqual(Array.from({ length: requests }, (_, count) => count))
      const calls = bob.requests.map(({ request }) => request.get(Header.CallId))
      expect(new Set(calls).size).toBe(calls.length)
      for (const peer of [alice, bob]) expect([peer.endpoint.openTransactions, peer.endpoint.deadline()]).toEqual([0, Infinity])
    }), { numRuns: 100 })
  })
})

describe('MESSAGE', () => {
  it('gets through after nine losses in a row, whichever way they go', () => {
    for (let arriving = 0; arriving < 9; arriving++) {
      const nth = Array.from({ length: 100 }, (_, count) => (count === arriving || count > 9 ? [20] : []))
      const { alice, bob } = run('udp', 'MESSAGE', 200, nth, 0, 1)
      expect([alice.statuses, alice.failures, bob.requests.length]).toEqual([[200], [], 1])
    }
  })

  it('over TCP is neither repeated nor lost', () => {
    const { alice, bob } = run('tcp', 'MESSAGE', 200, [[20]], 0, 50)
    expect([alice.statuses.length, bob.requests.length, alice.failures.length]).toEqual([50, 50, 0])
  })
})
