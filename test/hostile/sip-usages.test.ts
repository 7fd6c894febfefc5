/**
 * Sessions and subscriptions on a link that changes what it carries: lines lost, doubled, swapped between messages, numbers
 * and tags altered, messages repeated late. Nothing throws, and once both owners have closed what they have, nothing stays.
 */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { composed } from '../../core/sip/header-text.js'
import { SECOND } from '../machines/sip-peers.js'
import { BOB, UsageLink } from '../machines/usage-peers.js'

interface Change {
  readonly kind: 'none' | 'drop line' | 'double line' | 'line of another' | 'digit' | 'letter' | 'status' | 'late copy'
  readonly at: number
}

const CHANGES: readonly Change['kind'][] = ['none', 'none', 'drop line', 'double line', 'line of another', 'digit', 'letter', 'status', 'late copy']
const STATUSES = [100, 180, 200, 202, 302, 408, 481, 487, 491, 500, 503, 603]
const change = fc.record({ kind: fc.constantFrom(...CHANGES), at: fc.nat(10_000) })

function changed(text: string, { kind, at }: Change, before: readonly string[]): string {
  const lines = text.split('\r\n')
  const index = at % lines.length
  switch (kind) {
    case 'drop line': lines.splice(index, 1); break
    case 'double line': lines.splice(index, 0, lines[index]!); break
    case 'line of another': {
      const other = before.length === 0 ? lines : before[at % before.length]!.split('\r\n')
      lines[index] = other[index % other.length]!
      break
    }
    case 'digit': return text.replace(/\d/g, (digit, offset: number) => (offset % 97 === at % 97 ? String((Number(digit) + 1) % 10) : digit))
    case 'letter': return `${text.slice(0, at % text.length)}x${text.slice((at % text.length) + 1)}`
    case 'status': return text.replace(/^SIP\/2\.0 \d+/, `SIP/2.0 ${STATUSES[at % STATUSES.length]}`)
    case 'late copy': return before.length === 0 ? text : before[at % before.length]!
    case 'none': break
  }
  return lines.join('\r\n')
}

/** A link that changes the nth message on its way. */
function garbling(changes: readonly Change[]): UsageLink {
  const link = new UsageLink('udp', () => [20_000])
  const before: string[] = []
  let nth = 0
  for (const peer of [link.alice, link.bob]) {
    const original = peer.receive.bind(peer)
    peer.receive = (bytes, from, flow) => {
      const text = bytes.toString('latin1')
      original(changed(text, changes[nth++] ?? { kind: 'none', at: 0 }, before), from, flow)
      before.push(text)
    }
  }
  return link
}

describe('a link that changes what it carries', () => {
  it('breaks no session', () => {
    fc.assert(fc.property(fc.array(change, { maxLength: 30 }), fc.boolean(), fc.boolean(), (changes, reinvites, bobCloses) => {
      const link = garbling(changes)
      link.bob.accepting()
      link.alice.onOffer = (now, session) => link.alice.sessions.refuse(now, session, link.alice.sessions.response(session, 488))
      const session = link.alice.invite(BOB)
      link.run(SECOND)
      if (reinvites) link.alice.sessions.reinvite(link.clock, session, composed('application/sdp'), Buffer.from('x'))
      if (bobCloses) for (const theirs of link.bob.offers) link.bob.sessions.close(link.clock, theirs)
      link.run(link.clock.mono + 200 * SECOND)
      link.alice.sessions.close(link.clock, session)
      for (const peer of [link.alice, link.bob]) for (const theirs of peer.offers) peer.sessions.close(link.clock, theirs)
      link.run(link.clock.mono + 400 * SECOND)
      expect([link.alice.sessions.size, link.bob.sessions.size]).toEqual([0, 0])
    }), { numRuns: 400 })
  })

  it('breaks no subscription', () => {
    fc.assert(fc.property(fc.array(change, { maxLength: 30 }), fc.boolean(), (changes, refreshes) => {
      const link = garbling(changes)
      link.alice.accepting()
      link.bob.accepting()
      const subscription = link.alice.subscribe(BOB, 100)
      for (let turn = 0; turn < 4; turn++) {
        link.run(link.clock.mono + SECOND)
        for (const theirs of link.bob.subscriptions) if (theirs.canNotify) link.bob.notifier.notify(link.clock, theirs, { body: Buffer.from('x'), contentType: composed('text/plain') }, 'push')
        if (refreshes) link.alice.subscriber.refresh(link.clock, subscription)
      }
      link.alice.subscriber.unsubscribe(link.clock, subscription)
      for (const peer of [link.alice, link.bob]) for (const theirs of peer.subscriptions) peer.notifier.terminate(link.clock, theirs, { reason: 'deactivated' })
      link.run(link.clock.mono + 400 * SECOND)
      expect([link.alice.left, link.bob.left]).toEqual([0, 0])
    }), { numRuns: 400 })
  })
})
