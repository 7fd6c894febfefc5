/** INVITE sessions of two user agents over a link, whole and in every way they can go wrong: RFC 3261 sections 9, 13, 14 and 15. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Header } from '../../core/sip/header-names.js'
import { composed } from '../../core/sip/header-text.js'
import { responseTo, writeMessage } from '../../core/sip/write.js'
import { SECOND } from './sip-peers.js'
import { BOB, UsageLink } from './usage-peers.js'

const TYPE = composed('application/sdp')

/** A session that stands. */
function standing(transport: 'udp' | 'tcp' = 'tcp') {
  const link = new UsageLink(transport)
  link.bob.accepting()
  const session = link.alice.invite(BOB)
  link.run(SECOND)
  return { link, session, theirs: link.bob.offers[0]! }
}

function sentBy(link: UsageLink, method: string): number {
  return [...link.alice.requests, ...link.bob.requests].filter(({ request }) => request.method === method).length
}

describe('a session', () => {
  it('stands after INVITE, 200 and ACK, and ends with the caller\'s BYE', () => {
    const { link, session } = standing()
    expect(link.stories).toEqual({ alice: ['answer 200'], bob: ['confirmed'] })
    link.alice.sessions.close(link.clock, session)
    link.settle()
    expect(link.stories).toEqual({ alice: ['ended: closed'], bob: ['ended: BYE'] })
    expect([link.alice.left, link.bob.left, link.alice.endpoint.openTransactions, link.bob.endpoint.openTransactions]).toEqual([0, 0, 0, 0])
  })

  it('ends with the callee\'s BYE', () => {
    const { link, theirs } = standing()
    link.bob.sessions.close(link.clock, theirs)
    link.settle()
    expect(link.stories).toEqual({ alice: ['answer 200', 'ended: BYE'], bob: ['confirmed', 'ended: closed'] })
    expect([link.alice.left, link.bob.left]).toEqual([0, 0])
  })

  it('ends once for each side where both say BYE at the same time', () => {
    const { link, session, theirs } = standing()
    link.alice.sessions.close(link.clock, session)
    link.bob.sessions.close(link.clock, theirs)
    link.settle()
    expect(link.stories).toEqual({ alice: ['answer 200', 'ended: closed'], bob: ['confirmed', 'ended: closed'] })
    expect([link.alice.left, link.bob.left]).toEqual([0, 0])
  })

  it('tells progress before the answer', () => {
    const link = new UsageLink('tcp')
    link.bob.onOffer = (now, session) => link.bob.sessions.progress(now, session, link.bob.sessions.response(session, 180))
    link.alice.invite(BOB)
    link.run(SECOND)
    link.bob.sessions.accept(link.clock, link.bob.offers[0]!, link.bob.sessions.response(link.bob.offers[0]!, 200))
    link.run(2 * SECOND)
    expect(link.stories.alice).toEqual(['progress 180', 'answer 200'])
  })

  it('answers OPTIONS within it', () => {
    const { link, session } = standing()
    link.alice.endpoint.request(link.clock, session.dialog!.request('OPTIONS'), link.alice.hop(BOB))
    link.run(2 * SECOND)
    expect(link.stories.bob).toEqual(['confirmed', 'OPTIONS in dialog'])
  })

  it('is refused, with nothing left behind', () => {
    const link = new UsageLink('udp')
    link.bob.onOffer = (now, session) => link.bob.sessions.refuse(now, session, link.bob.sessions.response(session, 488))
    link.alice.invite(BOB)
    link.settle()
    expect(link.stories).toEqual({ alice: ['refused 488', 'ended: refused'], bob: ['ended: refused'] })
    expect([link.alice.left, link.bob.left, link.alice.endpoint.openTransactions, link.bob.endpoint.openTransactions]).toEqual([0, 0, 0, 0])
  })

  it('times out where nobody answers', () => {
    const link = new UsageLink('udp', () => [])
    link.alice.invite(BOB)
    link.settle()
    expect([link.stories.alice, link.alice.left]).toEqual([['refused timeout', 'ended: refused'], 0])
  })

  it('is refused by a callee that closes what it has not answered', () => {
    const link = new UsageLink('tcp')
    link.alice.invite(BOB)
    link.run(SECOND)
    link.bob.sessions.close(link.clock, link.bob.offers[0]!)
    link.settle()
    expect(link.stories.alice).toEqual(['refused 480', 'ended: refused'])
  })

  it('is not taken beyond the bound, nor begun', () => {
    const link = new UsageLink('tcp', undefined, { most: 1 })
    link.bob.accepting()
    link.alice.invite(BOB)
    link.run(SECOND)
    expect(link.alice.sessions.invite(link.clock, link.alice.outOfDialog('INVITE', BOB), link.alice.hop(BOB), undefined)).toBeUndefined()
    link.alice.endpoint.request(link.clock, link.alice.outOfDialog('INVITE', BOB), link.alice.hop(BOB))
    link.run(2 * SECOND)
    expect(link.bob.sessions.size).toBe(1)
  })
})

describe('the 2xx', () => {
  it.each(['udp', 'tcp'] as const)('is sent again over %s from T1 to T2 until 64*T1, then BYE (RFC 3261 13.3.1.4)', (transport) => {
    // Alice is deaf to answers: everything from bob is lost.
    let fromBob = 0
    const link: UsageLink = new UsageLink(transport)
    link.bob.accepting()
    const original = link.alice.receive.bind(link.alice)
    const at: number[] = []
    link.alice.receive = (bytes, from, flow) => {
      const text = bytes.toString('latin1')
      if (text.startsWith('SIP/2.0 200') && text.includes('INVITE')) at.push(Math.round(link.clock.mono / 1_000))
      else if (text.startsWith('BYE')) {
        fromBob += 1
        original(bytes, from, flow)
      }
    }
    const session = link.alice.invite(BOB)
    link.run(100 * SECOND)
    const start = at[0]!
    expect(at.map((millis) => (millis - start) / 1_000)).toEqual([0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5])
    expect(fromBob).toBeGreaterThan(0)
    expect(link.stories.bob).toEqual(['ended: no ACK'])
    expect([link.bob.left, session.state]).toEqual([0, 'terminated'])
  })

  it('repeated is acknowledged again, even after the session is over', () => {
    const { link, session } = standing('udp')
    const acks = link.bob.acks.length
    const ok = link.bob.sessions
    link.alice.sessions.close(link.clock, session)
    link.run(2 * SECOND)
    expect(ok.size).toBe(0)
    const invite = link.bob.requests[0]!
    const again = responseTo(invite.request, 200).set(Header.To, link.bob.acks[0]!.get(Header.To)!).append(Header.Contact, link.bob.contact)
    link.bob.endpoint.respond(link.clock, invite, again)
    link.run(3 * SECOND)
    expect(link.bob.acks.length).toBe(acks + 1)
    expect(sentBy(link, 'BYE')).toBe(1)
  })

  it('without a Contact makes no session', () => {
    const link = new UsageLink('tcp')
    link.bob.onRequest = (now, transaction) => link.bob.respond(now, transaction, 200)
    link.alice.invite(BOB)
    link.settle()
    expect([link.stories.alice, link.alice.left]).toEqual([['refused 200', 'ended: refused'], 0])
  })

  it('of another branch is acknowledged and left with a BYE, once', () => {
    const { link } = standing('udp')
    const invite = link.bob.requests[0]!
    const sent: string[] = []
    for (const tag of ['branch2', 'branch2', 'branch3']) {
      const other = responseTo(invite.request, 200, undefined, tag).append(Header.Contact, composed(`<sip:127.0.0.1:5062;branch=${tag}>`))
      link.alice.receive(writeMessage(other), BOB)
      sent.push(...link.alice.sent().map((text) => `${text.split(' ')[0]} ${/To:.*tag=(\w+)/.exec(text)![1]}`))
    }
    expect(sent).toEqual(['ACK branch2', 'BYE branch2', 'ACK branch2', 'ACK branch3', 'BYE branch3'])
    expect(link.stories.alice).toEqual(['answer 200'])
  })
})

describe('a change of mind', () => {
  it('cancels: 487, and nothing stays', () => {
    const link = new UsageLink('udp')
    link.bob.onOffer = (now, session) => link.bob.sessions.progress(now, session, link.bob.sessions.response(session, 180))
    const session = link.alice.invite(BOB)
    link.run(SECOND)
    link.alice.sessions.close(link.clock, session)
    link.settle()
    expect(link.stories).toEqual({ alice: ['progress 180', 'refused 487', 'ended: cancelled'], bob: ['ended: cancelled'] })
    expect([link.alice.left, link.bob.left]).toEqual([0, 0])
  })

  it('that crosses the 200 acknowledges it and says BYE', () => {
    const link = new UsageLink('udp', () => [100_000])
    const session = link.alice.invite(BOB)
    link.run(350_000)
    link.bob.sessions.accept(link.clock, link.bob.offers[0]!, link.bob.sessions.response(link.bob.offers[0]!, 200))
    link.alice.sessions.close(link.clock, session)
    link.settle()
    expect(link.stories).toEqual({ alice: ['ended: cancelled'], bob: ['confirmed', 'ended: BYE'] })
    expect([link.alice.left, link.bob.left]).toEqual([0, 0])
  })

  it('of the callee waits for the ACK before its BYE (RFC 3261 15)', () => {
    const link = new UsageLink('tcp', () => [100_000])
    link.bob.accepting()
    link.alice.invite(BOB)
    link.run(150_000)
    link.bob.sessions.close(link.clock, link.bob.offers[0]!)
    expect(link.bob.offers[0]!.state).toBe('closing')
    link.settle()
    expect(link.stories).toEqual({ alice: ['answer 200', 'ended: BYE'], bob: ['ended: closed'] })
    expect([link.alice.left, link.bob.left]).toEqual([0, 0])
  })
})

describe('a re-INVITE', () => {
  it('carries a new offer, answered within the session', () => {
    const { link, session } = standing()
    link.bob.onOffer = (now, theirs) => {
      const response = link.bob.sessions.response(theirs, 200).append(Header.ContentType, TYPE)
      response.body = Buffer.from('v=0')
      link.bob.sessions.accept(now, theirs, response)
    }
    expect(link.alice.sessions.reinvite(link.clock, session, TYPE, Buffer.from('offer'))).toBe(true)
    expect(link.alice.sessions.reinvite(link.clock, session, TYPE, Buffer.from('offer'))).toBe(false)
    link.run(2 * SECOND)
    expect(link.stories).toEqual({ alice: ['answer 200', 'answer 200'], bob: ['confirmed', 're-INVITE', 'confirmed'] })
    expect(link.bob.reinvites[0]!.body.toString()).toBe('offer')
    expect(link.bob.requests.map(({ request }) => request.get(Header.CSeq))).toEqual(['1 INVITE', '2 INVITE'])
    link.alice.sessions.close(link.clock, session)
    link.settle()
    expect([link.alice.left, link.bob.left]).toEqual([0, 0])
  })

  it('is not acknowledged by a late ACK of the INVITE before it', () => {
    const { link, session, theirs } = standing()
    link.bob.onOffer = undefined
    link.alice.sessions.reinvite(link.clock, session, TYPE, Buffer.from('offer'))
    link.run(2 * SECOND)
    link.bob.sessions.accept(link.clock, theirs, link.bob.sessions.response(theirs, 200))
    link.bob.onAck(link.clock, session.dialog!.ack(1))
    expect(link.stories.bob).toEqual(['confirmed', 're-INVITE'])
    link.bob.onAck(link.clock, session.dialog!.ack(2))
    expect(link.stories.bob).toEqual(['confirmed'])
  })

  it('refused leaves the session standing', () => {
    const { link, session } = standing()
    link.bob.onOffer = (now, theirs) => link.bob.sessions.refuse(now, theirs, link.bob.sessions.response(theirs, 488))
    link.alice.sessions.reinvite(link.clock, session, TYPE, Buffer.from('offer'))
    link.settle()
    expect([link.stories.alice, session.state]).toEqual([['answer 200', 'refused 488'], 'confirmed'])
  })

  it('from both sides at once is 491 for both (RFC 3261 14.2)', () => {
    const { link, session, theirs } = standing()
    link.alice.sessions.reinvite(link.clock, session, TYPE, Buffer.from('a'))
    link.bob.sessions.reinvite(link.clock, theirs, TYPE, Buffer.from('b'))
    link.settle()
    expect(link.stories).toEqual({ alice: ['answer 200', 'refused 491'], bob: ['confirmed', 'refused 491'] })
    expect([session.state, theirs.state]).toEqual(['confirmed', 'confirmed'])
  })

  it('to somebody who has forgotten the session ends it', () => {
    const { link, session } = standing()
    link.bob.onRequest = (now, transaction) => link.bob.respond(now, transaction, 481)
    link.alice.sessions.reinvite(link.clock, session, TYPE, Buffer.from('offer'))
    link.settle()
    expect([link.stories.alice, link.alice.left]).toEqual([['answer 200', 'refused 481', 'ended: lost'], 0])
  })

  it('still open goes with a BYE: 487', () => {
    const { link, session, theirs } = standing()
    link.bob.onOffer = undefined
    link.alice.sessions.reinvite(link.clock, session, TYPE, Buffer.from('offer'))
    link.run(2 * SECOND)
    link.bob.sessions.close(link.clock, theirs)
    link.settle()
    expect(link.stories).toEqual({ alice: ['answer 200', 'refused 487', 'ended: BYE'], bob: ['confirmed', 're-INVITE', 'ended: closed'] })
    expect([link.alice.left, link.bob.left, link.bob.endpoint.openTransactions]).toEqual([0, 0, 0])
  })
})

describe('a request outside any session', () => {
  it('is for somebody else', () => {
    const { link } = standing()
    const stray = link.alice.outOfDialog('BYE', BOB).set(Header.To, composed('<sip:b@example.net>;tag=nobody'))
    link.alice.endpoint.request(link.clock, stray, link.alice.hop(BOB))
    link.run(2 * SECOND)
    expect([link.bob.sessions.size, link.stories.bob]).toEqual([1, ['confirmed']])
  })

  it('with a number already used is 500 and changes nothing', () => {
    const { link, session } = standing()
    const bye = session.dialog!.request('BYE').set(Header.CSeq, composed('1 BYE'))
    link.alice.endpoint.request(link.clock, bye, link.alice.hop(BOB))
    link.run(2 * SECOND)
    expect(link.bob.sessions.size).toBe(1)
  })
})

describe('a lossy link', () => {
  it('loses, doubles and delays what it likes: both sides end exactly once and nothing stays behind', () => {
    const delays = fc.array(fc.array(fc.integer({ min: 1, max: 3_000 }), { maxLength: 2 }), { minLength: 1, maxLength: 40 })
    fc.assert(fc.property(delays, fc.integer({ min: 0, max: 5_000 }), fc.boolean(), fc.boolean(), fc.boolean(), (nth, closeAfter, aliceCloses, reinvites, slow) => {
      const link = new UsageLink('udp', (count) => (nth[count] ?? [50]).map((millis) => millis * 1_000))
      link.bob.accepting()
      if (slow) link.bob.onOffer = (now, session) => link.bob.sessions.progress(now, session, link.bob.sessions.response(session, 180))
      const session = link.alice.invite(BOB)
      link.run(closeAfter * 1_000)
      if (reinvites && session.state === 'confirmed') link.alice.sessions.reinvite(link.clock, session, TYPE, Buffer.from('x'))
      if (aliceCloses) link.alice.sessions.close(link.clock, session)
      else for (const theirs of link.bob.offers) link.bob.sessions.close(link.clock, theirs)
      link.run(link.clock.mono + 400 * SECOND)
      // Where bob never heard of the session nobody closed it.
      link.alice.sessions.close(link.clock, session)
      for (const theirs of link.bob.offers) link.bob.sessions.close(link.clock, theirs)
      link.run(link.clock.mono + 400 * SECOND)
      expect([link.alice.left, link.bob.left, link.alice.endpoint.openTransactions, link.bob.endpoint.openTransactions]).toEqual([0, 0, 0, 0])
      expect(link.alice.story.filter((line) => line.startsWith('ended')).length).toBe(1)
      expect(link.bob.story.filter((line) => line.startsWith('ended')).length).toBe(link.bob.offers.length)
    }), { numRuns: 200 })
  })
})
