/** An endpoint and its connections: bytes in any split, the 1,300-octet rule, queues and deaths. */
import { describe, expect, it } from 'vitest'
import type { NetworkOut } from '../../core/kit/network.js'
import { ENDPOINT_TICKET_FIRST, FLOW_QUEUE_BYTES_MAX } from '../../core/sip/endpoint-flows.js'
import { UDP_REQUEST_BYTES_MAX } from '../../core/sip/endpoint-wire.js'
import { Header } from '../../core/sip/header-names.js'
import { SipMessage } from '../../core/sip/message.js'
import { writeMessage } from '../../core/sip/write.js'
import { ALICE, BOB, Clock, LINK, Link, Peer, SECOND, answering, hopTo, requestOf } from './sip-peers.js'

const connects = (out: readonly NetworkOut[]): Extract<NetworkOut, { type: 'connect' }>[] => out.filter((each) => each.type === 'connect')

describe('over TCP', () => {
  it('two requests and their answers survive a split at every octet', () => {
    const clock = new Clock()
    const sender = new Peer(clock, ALICE)
    sender.up('tcp', BOB)
    for (const id of ['one', 'two']) sender.endpoint.request(clock, requestOf('MESSAGE', id, `body of ${id}`), hopTo(BOB, 'tcp', LINK))
    const stream = Buffer.from(sender.sent().join(''), 'latin1')
    for (let cut = 0; cut <= stream.length; cut++) {
      const bob = new Peer(clock, BOB)
      bob.up('tcp', ALICE)
      answering(bob, 200)
      const octets = Buffer.from(stream)
      bob.receive(octets.subarray(0, cut))
      // What was handed over may be used again by its owner.
      octets.fill(0, 0, cut)
      bob.receive(octets.subarray(cut))
      expect(bob.requests.map(({ request }) => [request.get(Header.CallId), request.body.toString()])).toEqual([['one', 'body of one'], ['two', 'body of two']])
      expect(bob.sent().length).toBe(2)
    }
  })

  it('a whole exchange leaves no transaction and no timer behind', () => {
    const link = new Link('tcp')
    answering(link.bob, 200)
    link.alice.endpoint.request(link.clock, requestOf('MESSAGE'), hopTo(BOB, 'tcp', LINK))
    link.run(SECOND)
    expect(link.alice.statuses).toEqual([200])
    for (const peer of [link.alice, link.bob]) expect([peer.endpoint.openTransactions, peer.endpoint.deadline()]).toEqual([0, Infinity])
  })

  it('a keep-alive is answered (RFC 5626 section 4.4.1)', () => {
    const peer = new Peer(new Clock(), ALICE)
    peer.up('tcp', BOB)
    peer.receive('\r\n')
    expect(peer.sent()).toEqual([])
    peer.receive('\r\n\r\n\r\n')
    expect(peer.sent()).toEqual(['\r\n', '\r\n'])
  })

  it('each lane of a hop has a connection of its own', () => {
    const peer = new Peer(new Clock(), ALICE)
    for (const lane of [0, 1, 0, 1]) peer.endpoint.request(peer.clock, requestOf('MESSAGE', `${lane}`), { ...hopTo(BOB, 'tcp'), lane })
    expect(connects(peer.out).map(({ remote }) => remote)).toEqual([BOB, BOB])
  })

  it('one connection serves a hop; requests wait for it and then go out in order', () => {
    const peer = new Peer(new Clock(), ALICE)
    for (const id of ['1', '2']) peer.endpoint.request(peer.clock, requestOf('MESSAGE', id), hopTo(BOB, 'tcp'))
    expect(peer.out).toEqual([{ type: 'connect', ticket: ENDPOINT_TICKET_FIRST, transport: 'tcp', remote: BOB }])
    peer.out.length = 0
    peer.up('tcp', BOB, 5, ENDPOINT_TICKET_FIRST)
    peer.endpoint.request(peer.clock, requestOf('MESSAGE', '3'), hopTo(BOB, 'tcp'))
    expect(peer.out.map((out) => out.type === 'transmit' && out.flow)).toEqual([5, 5, 5])
    expect(peer.sent().map((sent) => /Call-ID: (.)/.exec(sent)![1])).toEqual(['1', '2', '3'])
  })

  it('a refused connection fails what waited for it, at once and once; the next request tries anew', () => {
    const peer = new Peer(new Clock(), ALICE)
    peer.endpoint.request(peer.clock, requestOf('MESSAGE'), hopTo(BOB, 'tcp'))
    peer.endpoint.input(peer.clock, { type: 'connect-failed', ticket: ENDPOINT_TICKET_FIRST, reason: 'refused' })
    expect(peer.failures.map(({ failure, at }) => [failure, at])).toEqual([['transport', 0]])
    peer.endpoint.request(peer.clock, requestOf('MESSAGE'), hopTo(BOB, 'tcp'))
    expect(connects(peer.out).length).toBe(2)
    peer.wait(40 * SECOND)
    expect(peer.failures.map(({ failure }) => failure)).toEqual(['transport', 'timeout'])
  })

  it('a connection that dies in flight fails its transactions, those of other connections live', () => {
    const peer = new Peer(new Clock(), ALICE)
    peer.up('tcp', BOB, 1)
    peer.up('tcp', { address: '127.0.0.1', port: 9 }, 2)
    const [one, two, other] = [1, 1, 2].map((flow) => peer.endpoint.request(peer.clock, requestOf('MESSAGE', String(flow)), hopTo(BOB, 'tcp', flow)))
    peer.endpoint.input(peer.clock, { type: 'flow-down', flow: 1, reason: 'reset' })
    expect(new Set(peer.failures.map(({ transaction }) => transaction))).toEqual(new Set([one, two]))
    expect(peer.failures.map(({ failure }) => failure)).toEqual(['transport', 'transport'])
    expect(peer.down).toEqual([1])
    expect([peer.endpoint.openTransactions, other!.request.method]).toEqual([1, 'MESSAGE'])
  })

  it('a user that sends again from within the failure meets a new connection', () => {
    const peer = new Peer(new Clock(), ALICE)
    peer.endpoint.request(peer.clock, requestOf('MESSAGE'), hopTo(BOB, 'tcp'))
    peer.up('tcp', BOB, 5, ENDPOINT_TICKET_FIRST)
    peer.out.length = 0
    const again = peer.onFailure.bind(peer)
    let repeats = 0
    peer.onFailure = (now, transaction, failure) => {
      again(now, transaction, failure)
      if (repeats++ === 0) peer.endpoint.request(now, requestOf('MESSAGE', 'again'), hopTo(BOB, 'tcp'))
    }
    peer.endpoint.input(peer.clock, { type: 'flow-down', flow: 5, reason: 'reset' })
    expect([peer.failures.length, connects(peer.out).length]).toEqual([1, 1])
  })

  it('a hop that names a flow which is gone fails on the next tick, never within the call', () => {
    const peer = new Peer(new Clock(), ALICE)
    const transaction = peer.endpoint.request(peer.clock, requestOf('MESSAGE'), hopTo(BOB, 'tcp', 77))
    expect([peer.failures, peer.endpoint.deadline()]).toEqual([[], 0])
    peer.endpoint.tick(peer.clock)
    expect(peer.failures.map((each) => [each.transaction, each.failure])).toEqual([[transaction, 'transport']])
    expect([peer.out, peer.endpoint.openTransactions]).toEqual([[], 0])
  })

  it('a full connection holds what comes, up to its limit, and lets it go when writable', () => {
    const peer = new Peer(new Clock(), ALICE)
    peer.up('tcp', BOB)
    peer.endpoint.input(peer.clock, { type: 'full', flow: LINK })
    const body = 'x'.repeat(100_000)
    for (let count = 0; count < 11; count++) peer.endpoint.request(peer.clock, requestOf('MESSAGE', String(count), body), hopTo(BOB, 'tcp', LINK))
    peer.endpoint.tick(peer.clock)
    expect(peer.sent()).toEqual([])
    const kept = Math.floor(FLOW_QUEUE_BYTES_MAX / 100_400)
    expect(peer.failures.map(({ failure }) => failure)).toEqual(Array.from({ length: 11 - kept }, () => 'transport'))
    peer.endpoint.input(peer.clock, { type: 'writable', flow: LINK })
    expect(peer.sent().length).toBe(kept)
  })

  it('inputs for flows nobody knows are ignored', () => {
    const peer = new Peer(new Clock(), ALICE)
    peer.receive('x', undefined, 9)
    for (const type of ['full', 'writable'] as const) peer.endpoint.input(peer.clock, { type, flow: 9 })
    peer.endpoint.input(peer.clock, { type: 'flow-down', flow: 9, reason: '' })
    peer.endpoint.input(peer.clock, { type: 'connect-failed', ticket: 9, reason: '' })
    expect([peer.out, peer.down]).toEqual([[], []])
  })
})

describe('a request over UDP', () => {
  /** A MESSAGE that is exactly `bytes` long once our Via for UDP is on it. */
  function sized(bytes: number): SipMessage {
    const peer = socket()
    const probe = peer.endpoint.request(peer.clock, requestOf('MESSAGE', 'size', 'x'.repeat(1_000)), hopTo(BOB, 'udp'))
    const short = bytes - writeMessage(probe.request).length
    return requestOf('MESSAGE', 'size', 'x'.repeat(1_000 + short))
  }
  function socket(): Peer {
    const peer = new Peer(new Clock(), ALICE)
    peer.up('udp')
    return peer
  }

  it('of 1,300 octets goes out as it is', () => {
    const peer = socket()
    const transaction = peer.endpoint.request(peer.clock, sized(UDP_REQUEST_BYTES_MAX), hopTo(BOB, 'udp'))
    expect(peer.out).toMatchObject([{ type: 'transmit', to: { port: BOB.port } }])
    expect(transaction.hop.transport).toBe('udp')
  })

  it('of 1,301 octets goes over TCP with its Via rewritten, and is not repeated', () => {
    const peer = socket()
    const transaction = peer.endpoint.request(peer.clock, sized(UDP_REQUEST_BYTES_MAX + 1), hopTo(BOB, 'udp', LINK))
    const [connect] = connects(peer.out)
    expect(peer.out.length).toBe(1)
    peer.out.length = 0
    peer.up('tcp', BOB, 2, connect!.ticket)
    const [sent] = peer.sent()
    expect(sent).toMatch(/Via: SIP\/2.0\/TCP 127.0.0.1:5061;branch=z9hG4bK[a-v\d]+\r\n/)
    expect(transaction.hop).toEqual({ transport: 'tcp', ...BOB })
    peer.wait(20 * SECOND)
    expect(peer.sent().length).toBe(0)
  })

  it('too large for UDP keeps its lane over TCP, so that one slow stream does not hold up all large ones', () => {
    const peer = socket()
    for (const lane of [0, 1, 1]) peer.endpoint.request(peer.clock, sized(UDP_REQUEST_BYTES_MAX + 1), { ...hopTo(BOB, 'udp'), lane })
    expect(connects(peer.out).map(({ remote }) => remote)).toEqual([BOB, BOB])
  })

  it('too large for UDP whose TCP is refused fails, and never goes over UDP', () => {
    const peer = socket()
    const large = sized(UDP_REQUEST_BYTES_MAX + 1)
    peer.endpoint.request(peer.clock, large, hopTo(BOB, 'udp'))
    peer.endpoint.input(peer.clock, { type: 'connect-failed', ticket: ENDPOINT_TICKET_FIRST, reason: 'refused' })
    expect(peer.failures.map(({ failure }) => failure)).toEqual(['transport'])
    peer.wait(80 * SECOND)
    expect(peer.sent().length).toBe(0)
  })

  it('without a socket, or of the other family, fails', () => {
    const peer = socket()
    peer.endpoint.request(peer.clock, requestOf('MESSAGE'), { transport: 'udp', address: '::1', port: 5_060 })
    peer.endpoint.tick(peer.clock)
    expect(peer.failures.map(({ failure }) => failure)).toEqual(['transport'])
  })

  it('to a flow that is gone fails, although another socket is up: a flow is a promise of that very path (RFC 5626)', () => {
    const peer = socket()
    peer.endpoint.request(peer.clock, requestOf('MESSAGE'), hopTo(BOB, 'udp', 77))
    peer.endpoint.send(peer.clock, requestOf('ACK'), hopTo(BOB, 'udp', 77))
    peer.endpoint.tick(peer.clock)
    expect(peer.failures.map(({ failure }) => failure)).toEqual(['transport'])
    expect(peer.out).toEqual([])
  })

  it('sent without a transaction obeys the same limit', () => {
    const peer = socket()
    peer.endpoint.send(peer.clock, sized(UDP_REQUEST_BYTES_MAX + 1), hopTo(BOB, 'udp'))
    expect(connects(peer.out).length).toBe(1)
    expect(peer.sent()).toEqual([])
  })
})
