/** Retransmission and timeout as they look on the wire, second by second (RFC 3261 section 17, RFC 4320, RFC 6026). */
import { describe, expect, it } from 'vitest'
import type { SipTimerValues } from '../../core/sip/endpoint-contract.js'
import { Header } from '../../core/sip/header-names.js'
import { responseTo } from '../../core/sip/write.js'
import { ALICE, BOB, Clock, LINK, Peer, SECOND, answering, hopTo, requestOf } from './sip-peers.js'

/** An endpoint on a UDP socket whose peer is us, and the instants at which it sent something. */
function alone(timers?: SipTimerValues): { peer: Peer; instants: number[]; wait: (seconds: number) => void } {
  const peer = new Peer(new Clock(), ALICE, timers === undefined ? {} : { timers })
  peer.up('udp')
  const instants: number[] = []
  const note = (): void => peer.sent().forEach(() => instants.push(peer.clock.mono / SECOND))
  return { peer, instants, wait: (seconds) => (note(), peer.wait(seconds * SECOND, note)) }
}

/** The request as a peer at BOB would send it over UDP. */
function arriving(method: string, branch = 'z9hG4bKx1', extra = ''): string {
  return `${method} sip:alice@127.0.0.1:5061 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5062;branch=${branch}\r\nMax-Forwards: 70\r\nFrom: <sip:bob@example.net>;tag=b9\r\n`
    + `To: <sip:alice@example.net>${extra}\r\nCall-ID: in-1\r\nCSeq: 1 ${method}\r\nContent-Length: 0\r\n\r\n`
}

describe('a request over UDP that nobody answers', () => {
  it('is sent eleven times on the schedule of timer E, and times out at 32 s by timer F', () => {
    const { peer, instants, wait } = alone()
    const context = {}
    peer.endpoint.request(peer.clock, requestOf('MESSAGE'), hopTo(BOB, 'udp'), context)
    wait(60)
    expect(instants).toEqual([0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5])
    expect(peer.failures.map(({ failure, at, transaction }) => [failure, at / SECOND, transaction.context])).toEqual([['timeout', 32, context]])
    expect(peer.endpoint.openTransactions).toBe(0)
    expect(peer.endpoint.deadline()).toBe(Infinity)
  })

  it('keeps the ceiling T2 and the end 64*T1 of the timers it was given', () => {
    const { peer, instants, wait } = alone({ t1: SECOND / 10, t2: SECOND / 2, t4: SECOND })
    peer.endpoint.request(peer.clock, requestOf('MESSAGE'), hopTo(BOB, 'udp'))
    wait(10)
    expect(instants.slice(0, 6)).toEqual([0, 0.1, 0.3, 0.7, 1.2, 1.7])
    expect(peer.failures.map(({ failure, at }) => [failure, at / SECOND])).toEqual([['timeout', 6.4]])
  })

  it('of INVITE doubles without bound (timer A) until timer B', () => {
    const { peer, instants, wait } = alone()
    peer.endpoint.request(peer.clock, requestOf('INVITE'), hopTo(BOB, 'udp'))
    wait(60)
    expect(instants).toEqual([0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5])
    expect(peer.failures.map(({ failure, at }) => [failure, at / SECOND])).toEqual([['timeout', 32]])
  })

  it('after a 100 is repeated every T2 and still times out at 32 s', () => {
    const { peer, instants, wait } = alone()
    const { request } = peer.endpoint.request(peer.clock, requestOf('MESSAGE'), hopTo(BOB, 'udp'))
    wait(1)
    peer.receive(`SIP/2.0 100 Trying\r\nVia: ${request.get(Header.Via)}\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:b@b>\r\nCall-ID: call-1\r\nCSeq: 1 MESSAGE\r\n\r\n`, BOB)
    wait(60)
    expect(instants).toEqual([0, 0.5, 1.5, 5.5, 9.5, 13.5, 17.5, 21.5, 25.5, 29.5])
    expect(peer.responses).toEqual([])
    expect(peer.failures.length).toBe(1)
  })

  it('over TCP is sent once and times out all the same', () => {
    const peer = new Peer(new Clock(), ALICE)
    peer.up('tcp', BOB)
    peer.endpoint.request(peer.clock, requestOf('MESSAGE'), hopTo(BOB, 'tcp', LINK))
    expect(peer.sent().length).toBe(1)
    peer.wait(40 * SECOND)
    expect(peer.sent()).toEqual([])
    expect(peer.failures[0]).toMatchObject({ failure: 'timeout', at: 32 * SECOND })
  })
})

describe('a MESSAGE that arrives over UDP', () => {
  it('that its user gives up is as if never heard: no 100, no timer, and a repeat is told again', () => {
    const { peer } = alone()
    peer.receive(arriving('MESSAGE'), BOB)
    peer.endpoint.abandon(peer.requests[0]!)
    expect([peer.endpoint.openTransactions, peer.endpoint.deadline()]).toEqual([0, Infinity])
    peer.wait(5 * SECOND)
    expect(peer.sent()).toEqual([])
    peer.receive(arriving('MESSAGE'), BOB)
    expect(peer.requests.length).toBe(2)
    peer.endpoint.abandon(peer.requests[0]!)
    expect(peer.endpoint.openTransactions).toBe(1)
  })

  it('repeated within timer J gets the same octets again and is not told twice', () => {
    const { peer } = alone()
    answering(peer, 200)
    peer.receive(arriving('MESSAGE'), BOB)
    const [first] = peer.sent()
    for (const at of [1, 5, 31.9]) {
      peer.wait(at * SECOND)
      peer.receive(arriving('MESSAGE'), BOB)
      expect(peer.sent()).toEqual([first])
    }
    expect(peer.requests.length).toBe(1)
    peer.wait(32 * SECOND)
    expect(peer.endpoint.openTransactions).toBe(0)
    peer.receive(arriving('MESSAGE'), BOB)
    expect(peer.requests.length).toBe(2)
  })

  it('keeps no more of an answered request than its answer: the user keeps its own', () => {
    const { peer } = alone()
    answering(peer, 200)
    peer.receive(arriving('MESSAGE'), BOB)
    expect(peer.requests[0]!.request.method).toBe('MESSAGE')
    expect(peer.endpoint.openTransactions).toBe(1)
    // The stand-in answers repeats; the user's transaction is over.
    peer.sent()
    peer.endpoint.respond(peer.clock, peer.requests[0]!, responseTo(peer.requests[0]!.request, 500))
    expect(peer.sent()).toEqual([])
  })

  it('gets no 100 before 3.5 s, then one, and no final response after 32 s (RFC 4320)', () => {
    const { peer, instants, wait } = alone()
    peer.receive(arriving('MESSAGE'), BOB)
    peer.endpoint.respond(peer.clock, peer.requests[0]!, responseTo(peer.requests[0]!.request, 180))
    peer.endpoint.respond(peer.clock, peer.requests[0]!, responseTo(peer.requests[0]!.request, 100))
    wait(3)
    peer.receive(arriving('MESSAGE'), BOB)
    wait(10)
    expect(instants).toEqual([3.5])
    peer.receive(arriving('MESSAGE'), BOB)
    expect(peer.sent()[0]).toMatch(/^SIP\/2.0 100 Trying\r\n/)
    peer.endpoint.respond(peer.clock, peer.requests[0]!, responseTo(peer.requests[0]!.request, 408))
    expect(peer.sent()).toEqual([])
    wait(33)
    peer.endpoint.respond(peer.clock, peer.requests[0]!, responseTo(peer.requests[0]!.request, 200))
    expect(peer.sent()).toEqual([])
    expect(peer.endpoint.openTransactions).toBe(0)
  })

  it('answered at once arms nothing but timer J', () => {
    const { peer } = alone()
    answering(peer, 202)
    peer.receive(arriving('MESSAGE'), BOB)
    expect(peer.endpoint.deadline()).toBe(32 * SECOND)
  })
})

describe('an INVITE that arrives over UDP', () => {
  it('gets 100 at once, and a refusal again on the schedule of timer G until timer H', () => {
    const { peer, instants, wait } = alone()
    peer.receive(arriving('INVITE'), BOB)
    expect(peer.sent()[0]).toMatch(/^SIP\/2.0 100 Trying\r\n/)
    peer.endpoint.respond(peer.clock, peer.requests[0]!, responseTo(peer.requests[0]!.request, 486, undefined, 't'))
    wait(60)
    expect(instants).toEqual([0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5])
    expect(peer.endpoint.openTransactions).toBe(0)
  })

  it('is quiet after the ACK, which the user does not see, and gone after timer I', () => {
    const { peer, instants, wait } = alone()
    answering(peer, 486)
    peer.receive(arriving('INVITE'), BOB)
    wait(1)
    peer.receive(arriving('ACK', 'z9hG4bKx1', ';tag=b1'), BOB)
    wait(5.9)
    expect(instants).toEqual([0, 0.5])
    expect([peer.acks, peer.endpoint.openTransactions]).toEqual([[], 1])
    wait(6.1)
    expect(peer.endpoint.openTransactions).toBe(0)
  })

  it('after a 2xx absorbs repeats, lets the user repeat its 2xx, and passes the ACK up (RFC 6026)', () => {
    const { peer } = alone()
    answering(peer, 200)
    peer.receive(arriving('INVITE'), BOB)
    expect(peer.sent().length).toBe(1)
    peer.receive(arriving('INVITE'), BOB)
    expect(peer.sent()).toEqual([])
    peer.endpoint.respond(peer.clock, peer.requests[0]!, responseTo(peer.requests[0]!.request, 200, undefined, 'b1'))
    expect(peer.sent().length).toBe(1)
    peer.receive(arriving('ACK', 'z9hG4bKx1', ';tag=b1'), BOB)
    peer.receive(arriving('ACK', 'z9hG4bKother', ';tag=b1'), BOB)
    expect([peer.acks.length, peer.requests.length]).toEqual([2, 1])
    peer.wait(32 * SECOND)
    expect(peer.endpoint.openTransactions).toBe(0)
  })
})

describe('an INVITE we sent over UDP', () => {
  const answerWith = (peer: Peer, via: string, status: number): void =>
    peer.receive(`SIP/2.0 ${status} X\r\nVia: ${via}\r\nFrom: <sip:alice@example.net>;tag=a1\r\nTo: <sip:bob@example.net>;tag=b1\r\nCall-ID: call-1\r\nCSeq: 1 INVITE\r\n\r\n`, BOB)

  it('acknowledges every repeat of a refusal with the same branch, for 32 s', () => {
    const { peer } = alone()
    const via = peer.endpoint.request(peer.clock, requestOf('INVITE'), hopTo(BOB, 'udp')).request.get(Header.Via)!
    peer.sent()
    for (let repeat = 0; repeat < 3; repeat++) {
      answerWith(peer, via, 486)
      const [ack] = peer.sent()
      expect(ack).toContain(`Via: ${via}\r\n`)
      expect(ack).toMatch(/^ACK sip:bob@127.0.0.1:5062 SIP\/2.0\r\n/)
      expect(ack).toContain('To: <sip:bob@example.net>;tag=b1\r\n')
      expect(ack).toContain('CSeq: 1 ACK\r\n')
    }
    expect(peer.statuses).toEqual([486])
    peer.wait(32 * SECOND)
    expect(peer.endpoint.openTransactions).toBe(0)
  })

  it('passes up every 2xx for 64*T1 and acknowledges none itself', () => {
    const { peer } = alone()
    const via = peer.endpoint.request(peer.clock, requestOf('INVITE'), hopTo(BOB, 'udp')).request.get(Header.Via)!
    peer.sent()
    for (const status of [180, 200, 200]) answerWith(peer, via, status)
    expect(peer.statuses).toEqual([180, 200, 200])
    expect(peer.sent()).toEqual([])
    peer.wait(32 * SECOND)
    expect(peer.endpoint.openTransactions).toBe(0)
  })

  it('is cancelled only after a provisional response, and given up 32 s later (RFC 3261 section 9.1)', () => {
    const { peer } = alone()
    const transaction = peer.endpoint.request(peer.clock, requestOf('INVITE'), hopTo(BOB, 'udp'))
    peer.sent()
    peer.endpoint.cancel(peer.clock, transaction)
    expect(peer.sent()).toEqual([])
    answerWith(peer, transaction.request.get(Header.Via)!, 180)
    const [cancel] = peer.sent()
    expect(cancel).toMatch(/^CANCEL sip:bob@127.0.0.1:5062 SIP\/2.0\r\n/)
    expect(cancel).toContain(`Via: ${transaction.request.get(Header.Via)}\r\n`)
    peer.endpoint.cancel(peer.clock, transaction)
    expect(peer.sent()).toEqual([])
    peer.wait(40 * SECOND)
    expect(peer.failures.map(({ failure, at }) => [failure, at / SECOND])).toEqual([['timeout', 32]])
    expect(peer.endpoint.openTransactions).toBe(0)
  })
})
