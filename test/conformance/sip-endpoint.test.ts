/** What an endpoint does with single messages: where answers go, what is refused and how, what is dropped (RFC 3261 sections 8, 9, 17, 18; RFC 3581). */
import { describe, expect, it } from 'vitest'
import type { Transport } from '../../core/kit/network.js'
import { Header } from '../../core/sip/header-names.js'
import { responseTo } from '../../core/sip/write.js'
import { ALICE, BOB, Clock, LINK, Peer, SECOND, answering, hopTo, requestOf } from '../machines/sip-peers.js'

function peerOver(transport: Transport, options: ConstructorParameters<typeof Peer>[2] = {}): Peer {
  const peer = new Peer(new Clock(), ALICE, options)
  peer.up(transport, transport === 'udp' ? undefined : BOB)
  answering(peer, 200)
  return peer
}

interface Parts {
  method?: string
  via?: string
  uri?: string
  to?: string
  cseq?: string
  version?: string
  callId?: string
  more?: string
}

function text({ method = 'MESSAGE', via = 'SIP/2.0/UDP 127.0.0.1:5062;branch=z9hG4bKx1', uri = 'sip:alice@127.0.0.1:5061', to = '<sip:alice@example.net>', cseq = `1 ${method}`, version = 'SIP/2.0', callId = 'in-1', more = '' }: Parts = {}): string {
  return `${method} ${uri} ${version}\r\nVia: ${via}\r\nMax-Forwards: 70\r\nFrom: <sip:bob@example.net>;tag=b9\r\nTo: ${to}\r\nCall-ID: ${callId}\r\nCSeq: ${cseq}\r\n${more}Content-Length: 0\r\n\r\n`
}

/** The one datagram a peer answered with: where it went and its text. */
function answerOf(peer: Peer): { to: unknown; text: string } {
  const [out, ...rest] = peer.out.splice(0)
  expect(rest).toEqual([])
  if (out?.type !== 'transmit') throw new Error('nothing was sent')
  return { to: out.to === undefined ? undefined : { address: out.to.address, port: out.to.port }, text: out.bytes.toString('latin1') }
}

describe('a response over UDP', () => {
  it('goes to the source address and the port of sent-by', () => {
    const peer = peerOver('udp')
    peer.receive(text({ via: 'SIP/2.0/UDP phone.example.net:6000;branch=z9hG4bKx1' }), { address: '127.0.0.9', port: 40_000 })
    const { to, text: answer } = answerOf(peer)
    expect(to).toEqual({ address: '127.0.0.9', port: 6_000 })
    expect(answer).toContain('Via: SIP/2.0/UDP phone.example.net:6000;branch=z9hG4bKx1;received=127.0.0.9\r\n')
  })

  it('goes to port 5060 when sent-by names none', () => {
    const peer = peerOver('udp')
    peer.receive(text({ via: 'SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKx1' }), { address: '127.0.0.1', port: 40_000 })
    expect(answerOf(peer).to).toEqual({ address: '127.0.0.1', port: 5_060 })
  })

  it('goes back to the source port when rport asks, and says so even when received is equal (RFC 3581)', () => {
    const peer = peerOver('udp')
    peer.receive(text({ via: 'SIP/2.0/UDP 127.0.0.1:5062;rport;branch=z9hG4bKx1' }), { address: '127.0.0.1', port: 40_000 })
    const { to, text: answer } = answerOf(peer)
    expect(to).toEqual({ address: '127.0.0.1', port: 40_000 })
    expect(answer).toMatch(/rport=40000/)
    expect(answer).toMatch(/received=127\.0\.0\.1/)
  })

  it('goes to maddr when there is one', () => {
    const peer = peerOver('udp')
    peer.receive(text({ via: 'SIP/2.0/UDP 127.0.0.1:5062;maddr=127.0.0.77;branch=z9hG4bKx1' }), BOB)
    expect(answerOf(peer).to).toEqual({ address: '127.0.0.77', port: 5_062 })
  })
})

describe('a response over TCP', () => {
  it('goes back over the connection of the request', () => {
    const peer = peerOver('tcp')
    peer.receive(text({ via: 'SIP/2.0/TCP 127.0.0.1:5062;branch=z9hG4bKx1' }))
    expect(answerOf(peer).text).toMatch(/^SIP\/2.0 200 OK\r\n/)
  })

  it('goes over a new connection to received and the sent-by port when that one is gone', () => {
    const peer = peerOver('tcp')
    peer.answer = undefined
    peer.receive(text({ via: 'SIP/2.0/TCP 127.0.0.1:7000;branch=z9hG4bKx1' }))
    peer.endpoint.input(peer.clock, { type: 'flow-down', flow: LINK, reason: 'gone' })
    peer.endpoint.respond(peer.clock, peer.requests[0]!, responseTo(peer.requests[0]!.request, 200, undefined, 'b1'))
    const [connect] = peer.out.splice(0)
    expect(connect).toMatchObject({ type: 'connect', transport: 'tcp', remote: { address: '127.0.0.1', port: 7_000 } })
    peer.up('tcp', { address: '127.0.0.1', port: 7_000 }, 2, connect?.type === 'connect' ? connect.ticket : 0)
    expect(answerOf(peer).text).toMatch(/^SIP\/2.0 200 OK\r\n/)
  })
})

describe('a request that cannot be used', () => {
  it.each([
    ['without Call-ID gets 400', text().replace(/Call-ID.*\r\n/, ''), 400],
    ['with another method in CSeq gets 400', text({ cseq: '1 INVITE' }), 400],
    ['of another version gets 505', text({ version: 'SIP/7.0' }), 505],
    ['to a URI of unknown scheme gets 416', text({ uri: 'nobodyknowsthis:x' }), 416],
    ['with a branch of the cookie alone gets 400', text({ via: 'SIP/2.0/UDP 127.0.0.1:5062;branch=z9hG4bK' }), 400],
  ])('%s', (_, request, status) => {
    const peer = peerOver('udp')
    peer.receive(request, BOB)
    const { to, text: answer } = answerOf(peer)
    expect(to).toEqual(BOB)
    expect(answer).toMatch(new RegExp(`^SIP/2.0 ${status} `))
    expect(answer).toContain('Via: SIP/2.0/UDP 127.0.0.1:5062;branch=z9hG4bK')
    expect(peer.requests).toEqual([])
    expect(peer.endpoint.openTransactions).toBe(0)
    peer.receive(request, BOB)
    expect(answerOf(peer).text).toBe(answer)
  })

  it.each([
    ['has no Via', text().replace(/Via.*\r\n/, '')],
    ['has a Via that cannot be read', text({ via: 'nonsense' })],
    ['is an ACK', text({ method: 'ACK', cseq: 'x ACK' })],
    ['is no SIP at all', 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['is a keep-alive', '\r\n\r\n'],
    ['is empty', ''],
  ])('is dropped in silence when it %s', (_, request) => {
    const peer = peerOver('udp')
    peer.receive(request, BOB)
    expect(peer.out).toEqual([])
    expect(peer.requests).toEqual([])
    expect(peer.acks).toEqual([])
  })

  it('on a stream without Content-Length is answered 400 and the connection closed', () => {
    const peer = peerOver('tcp')
    peer.receive(text({ via: 'SIP/2.0/TCP 127.0.0.1:5062;branch=z9hG4bKx1' }).replace('Content-Length: 0\r\n', ''))
    expect(peer.out.map((out) => out.type)).toEqual(['transmit', 'close'])
    expect(peer.sent()[0]).toMatch(/^SIP\/2.0 400 /)
    // RFC 3261 18.3: nobody knows where the next message begins, so what looks like one is none.
    peer.receive(text({ via: 'SIP/2.0/TCP 127.0.0.1:5062;branch=z9hG4bKx2' }))
    expect(peer.requests).toEqual([])
  })
})

describe('a response', () => {
  const sentMessage = (transport: Transport = 'udp'): { peer: Peer; via: string } => {
    const peer = peerOver(transport)
    const { request } = peer.endpoint.request(peer.clock, requestOf('MESSAGE'), hopTo(BOB, transport))
    peer.sent()
    return { peer, via: request.get(Header.Via)! }
  }
  const ok = (via: string, cseq = '1 MESSAGE', more = ''): string =>
    `SIP/2.0 200 OK\r\nVia: ${via}\r\n${more}From: <sip:alice@example.net>;tag=a1\r\nTo: <sip:bob@example.net>;tag=b1\r\nCall-ID: call-1\r\nCSeq: ${cseq}\r\nContent-Length: 0\r\n\r\n`

  it('is matched with received and rport behind our Via, and with its parameters in another order', () => {
    for (const change of [(via: string) => `${via}=5061;received=127.0.0.1`, (via: string) => via.replace(/(;branch=[^;]+);rport/, ';rport=5061$1'), (via: string) => via.replace('SIP/2.0/UDP', 'SIP / 2.0 / UDP')]) {
      const { peer, via } = sentMessage()
      peer.receive(ok(change(via)), BOB)
      expect(peer.statuses).toEqual([200])
    }
  })

  it.each([
    ['the branch is not ours', (via: string) => ok(via.replace(/branch=[^;]+/, 'branch=z9hG4bKforeign'))],
    ['the port of sent-by is not ours', (via: string) => ok(via.replace('127.0.0.1:5061', '127.0.0.1:9'))],
    ['the host of sent-by is not ours', (via: string) => ok(via.replace('127.0.0.1:5061', '127.0.0.2:5061'))],
    ['the CSeq method is not ours', (via: string) => ok(via, '1 OPTIONS')],
    ['it holds a second Via', (via: string) => ok(via, '1 MESSAGE', 'Via: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bKy\r\n')],
    ['it holds a second Via on the same line', (via: string) => ok(`${via}, SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bKy`)],
    ['it is malformed', (via: string) => ok(via, '4294967296 MESSAGE')],
    ['it has no Via', (via: string) => ok(via).replace(/Via.*\r\n/, '')],
  ])('is dropped when %s', (_, response) => {
    const { peer, via } = sentMessage()
    peer.receive(response(via), BOB)
    expect([peer.statuses, peer.out]).toEqual([[], []])
    peer.receive(ok(via), BOB)
    expect(peer.statuses).toEqual([200])
  })

  it('has a sent-by compared as host names are, and with that of its own transport (RFC 3261 section 18.1.2)', () => {
    const peer = peerOver('udp', { sentBy: (transport) => (transport === 'udp' ? 'Alice.example.net:5061' : 'streams.example.net') })
    const via = peer.endpoint.request(peer.clock, requestOf('MESSAGE'), hopTo(BOB, 'udp')).request.get(Header.Via)!
    peer.sent()
    peer.receive(ok(via.replace('UDP', 'TCP')), BOB)
    peer.receive(ok(via.replace('UDP', 'SCTP')), BOB)
    expect(peer.statuses).toEqual([])
    peer.receive(ok(via.replace('Alice.example.net', 'aLICE.example.NET')), BOB)
    expect(peer.statuses).toEqual([200])
  })

  it('repeated is told once', () => {
    const { peer, via } = sentMessage()
    for (let count = 0; count < 3; count++) peer.receive(ok(via), BOB)
    expect(peer.statuses).toEqual([200])
    expect(peer.endpoint.openTransactions).toBe(1)
    peer.wait(5 * SECOND)
    expect(peer.endpoint.openTransactions).toBe(0)
  })
})

describe('CANCEL', () => {
  it('of an INVITE is answered 200 and told once; the INVITE is the user\'s to answer', () => {
    const peer = peerOver('udp')
    peer.answer = undefined
    peer.receive(text({ method: 'INVITE' }), BOB)
    peer.sent()
    for (let count = 0; count < 2; count++) {
      peer.receive(text({ method: 'CANCEL' }), BOB)
      expect(answerOf(peer).text).toMatch(/^SIP\/2.0 200 OK\r\n[^]*CSeq: 1 CANCEL\r\n/)
    }
    expect(peer.cancelled).toEqual(peer.requests)
    peer.endpoint.respond(peer.clock, peer.requests[0]!, responseTo(peer.requests[0]!.request, 487, undefined, 'b1'))
    expect(answerOf(peer).text).toMatch(/^SIP\/2.0 487 /)
  })

  it('of nothing known is answered 481', () => {
    const peer = peerOver('udp')
    peer.receive(text({ method: 'CANCEL' }), BOB)
    expect(answerOf(peer).text).toMatch(/^SIP\/2.0 481 /)
    expect(peer.cancelled).toEqual([])
  })
})

describe('requests are told apart', () => {
  it('by branch, sent-by and method (RFC 3261 section 17.2.3)', () => {
    const peer = peerOver('udp')
    peer.receive(text(), BOB)
    peer.receive(text({ via: 'SIP/2.0/UDP 127.0.0.1:5062;branch=z9hG4bKx2' }), BOB)
    peer.receive(text({ via: 'SIP/2.0/UDP 127.0.0.1:5063;branch=z9hG4bKx1' }), BOB)
    peer.receive(text({ method: 'OPTIONS' }), BOB)
    expect(peer.requests.length).toBe(4)
    peer.receive(text({ via: 'SIP/2.0/UDP 127.0.0.1:5062;x=y;branch=z9hG4bKx1' }), BOB)
    expect(peer.requests.length).toBe(4)
  })

  it('of an RFC 2543 peer by Request-URI, From tag, Call-ID, CSeq and Via', () => {
    const via = 'SIP/2.0/UDP 127.0.0.1:5062;branch=1'
    const peer = peerOver('udp')
    answering(peer, 486)
    peer.receive(text({ method: 'INVITE', via }), BOB)
    peer.receive(text({ method: 'INVITE', via }), BOB)
    expect(peer.requests.length).toBe(1)
    peer.receive(text({ method: 'ACK', via, to: '<sip:alice@example.net>;tag=b1' }), BOB)
    expect(peer.acks).toEqual([])
    peer.receive(text({ method: 'INVITE', via, callId: 'in-2' }), BOB)
    peer.receive(text({ method: 'INVITE', via: 'SIP/2.0/UDP 127.0.0.1:5062' }), BOB)
    expect(peer.requests.length).toBe(3)
  })

  it('and for a user agent the same one by another way is merged: 482, unless it is for another of its users', () => {
    const other = 'SIP/2.0/UDP 127.0.0.1:5062;branch=z9hG4bKother'
    const agent = peerOver('udp', { refuseMerged: true })
    agent.receive(text(), BOB)
    agent.sent()
    agent.receive(text({ via: other }), BOB)
    expect(answerOf(agent).text).toMatch(/^SIP\/2.0 482 /)
    agent.receive(text({ via: other, uri: 'sip:carol@127.0.0.1:5061' }), BOB)
    agent.receive(text({ via: `${other}2`, to: '<sip:alice@example.net>;tag=x' }), BOB)
    expect(agent.requests.length).toBe(3)
    agent.wait(33 * SECOND)
    agent.receive(text({ via: other }), BOB)
    expect(agent.requests.length).toBe(4)
    const proxy = peerOver('udp')
    proxy.receive(text(), BOB)
    proxy.receive(text({ via: other }), BOB)
    expect(proxy.requests.length).toBe(2)
  })
})

describe('a response that came in for a forwarded request', () => {
  it('goes out without our Via, and with the Vias of the request as it came', () => {
    const peer = peerOver('udp')
    peer.answer = undefined
    const via = 'SIP/2.0/UDP 127.0.0.1:5062;branch=z9hG4bKx1'
    const below = 'SIP/2.0/TCP far.example.net;branch=z9hG4bKfar'
    for (const joined of [false, true]) {
      const id = joined ? '2' : '1'
      peer.receive(text({ via: joined ? `${via}${id}, ${below}` : `${via}${id}`, more: joined ? '' : `Via: ${below}\r\n` }), BOB)
      const copy = peer.requests.at(-1)!.request.clone()
      const forwarded = peer.endpoint.request(peer.clock, copy, hopTo({ address: '127.0.0.1', port: 5_099 }, 'udp'))
      const vias = forwarded.request.getAll(Header.Via)
      peer.sent()
      peer.receive(`SIP/2.0 200 OK\r\nVia: ${vias.join(joined ? '\r\nVia: ' : ', ')}\r\nFrom: <sip:bob@example.net>;tag=b9\r\nTo: <sip:alice@example.net>;tag=z\r\nCall-ID: in-1\r\nCSeq: 1 MESSAGE\r\n\r\n`, BOB)
      peer.endpoint.respond(peer.clock, peer.requests.at(-1)!, peer.responses.at(-1)!.response)
      const lines = answerOf(peer).text.split('\r\n').filter((line) => line.startsWith('Via:'))
      expect(lines.join(', ').replaceAll('Via: ', '')).toBe(`${via}${id}, ${below}`)
    }
  })
})

describe('a message sent without a transaction', () => {
  it('gets a branch of its own when it is a request, and nothing when it is a response', () => {
    const peer = peerOver('udp')
    peer.endpoint.send(peer.clock, requestOf('ACK'), hopTo(BOB, 'udp'))
    peer.endpoint.send(peer.clock, requestOf('ACK'), hopTo(BOB, 'udp'))
    const [one, two] = peer.sent().map((ack) => /branch=([^;]+);rport/.exec(ack)![1])
    expect(one).not.toBe(two)
    peer.endpoint.send(peer.clock, responseTo(requestOf('MESSAGE'), 200), hopTo(BOB, 'udp'))
    expect(peer.sent()[0]).not.toContain('Via')
    expect(peer.endpoint.openTransactions).toBe(0)
  })
})
