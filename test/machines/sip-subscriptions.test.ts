/** Subscriptions between a subscriber and a notifier over a link, whole and in every way they can go wrong: RFC 6665, RFC 5057. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Micros } from '../../core/kit/time.js'
import { SEQUENCE_BLOCK } from '../../core/sip/dialog.js'
import { Header } from '../../core/sip/header-names.js'
import { composed } from '../../core/sip/header-text.js'
import type { SubscriptionData } from '../../core/sip/subscription-contract.js'
import { endsSubscription } from '../../core/sip/subscription-tables.js'
import { responseTo } from '../../core/sip/write.js'
import { SECOND } from './sip-peers.js'
import { BOB, UsageLink } from './usage-peers.js'

const TEXT = composed('text/plain')
const content = (text: string) => ({ contentType: TEXT, body: Buffer.from(text) })

/** Alice has subscribed at bob. */
function standing(seconds = 3_600, fate?: (nth: number) => readonly Micros[]) {
  const link = new UsageLink('udp', fate)
  link.bob.accepting()
  const subscription = link.alice.subscribe(BOB, seconds)
  link.run(SECOND)
  return { link, subscription, theirs: link.bob.subscriptions[0]! }
}

describe('a subscription', () => {
  it('stands after SUBSCRIBE, 200 and NOTIFY, and ends when the subscriber leaves', () => {
    const { link, subscription, theirs } = standing()
    expect(link.stories).toEqual({ alice: ['NOTIFY active'], bob: ['state notified: 200', 'idle'] })
    expect([subscription.state, theirs.state, theirs.expiresSeconds]).toEqual(['active', 'active', 3_600])
    link.alice.subscriber.unsubscribe(link.clock, subscription)
    link.settle()
    expect(link.stories).toEqual({ alice: ['NOTIFY terminated timeout', 'ended by notifier timeout'], bob: ['state notified: 200', 'ended: unsubscribed'] })
    expect([link.alice.left, link.bob.left, link.alice.endpoint.openTransactions, link.bob.endpoint.openTransactions]).toEqual([0, 0, 0, 0])
  })

  it('stands though the NOTIFY overtakes the 200 (RFC 6665 4.4.1)', () => {
    // Bob's first answer, to SUBSCRIBE, is slower than his NOTIFY.
    const { link, subscription } = standing(3_600, (nth) => [nth === 1 ? 400_000 : 1_000])
    expect(subscription.state).toBe('active')
    expect(link.stories.alice).toEqual(['NOTIFY active'])
  })

  it('is refreshed in time, again and again, with one NOTIFY each', () => {
    const { link, subscription } = standing(100)
    link.run(500 * SECOND)
    expect(subscription.state).toBe('active')
    const { alice, bob } = link.stories
    expect(bob.filter((line) => line === 'refreshed 100').length).toBe(9)
    expect(alice.filter((line) => line === 'NOTIFY active').length).toBe(10)
    expect(bob).not.toContain('ended: expired')
  })

  it('runs out at the notifier with a last NOTIFY', () => {
    const { link, subscription } = standing(100)
    link.alice.subscriber.forget(subscription)
    link.run(102 * SECOND)
    expect(link.stories.bob).toEqual(['state notified: 200', 'idle', 'state notified: 481', 'ended: expired'])
    expect(link.bob.left).toBe(0)
  })

  it('is shortened to what the notifier grants, and never refused for being long', () => {
    const { theirs, subscription, link } = standing(1_000_000)
    expect(theirs.expiresSeconds).toBe(86_400)
    link.run(86_000 * SECOND)
    expect([subscription.state, link.bob.story.filter((line) => line.startsWith('refreshed')).length]).toEqual(['active', 1])
  })

  it('just as long as the notifier asks for at least is long enough', () => {
    const { subscription, theirs } = standing(60)
    expect([subscription.state, theirs.state, theirs.expiresSeconds]).toEqual(['active', 'active', 60])
  })

  it('too brief is 423 with Min-Expires; 0 is a fetch, answered once', () => {
    const link = new UsageLink('udp')
    link.bob.accepting()
    link.alice.subscribe(BOB, 59)
    link.alice.subscribe(BOB, 0)
    link.settle()
    expect(link.stories).toEqual({ alice: ['ended by refusal 423', 'NOTIFY terminated timeout', 'ended by notifier timeout'], bob: ['state notified: 200', 'ended: terminated'] })
    expect([link.alice.left, link.bob.left]).toEqual([0, 0])
  })

  it('to an unknown package is 489, and the answer says what is known', () => {
    const link = new UsageLink('udp')
    link.alice.subscribe(BOB, 100, 'presence')
    const heard: (string | undefined)[] = []
    const original = link.alice.onResponse.bind(link.alice)
    link.alice.onResponse = (now, transaction, response) => {
      heard.push(`${response.status} ${response.get(Header.AllowEvents)}`)
      original(now, transaction, response)
    }
    link.settle()
    expect([heard, link.alice.left, link.bob.left]).toEqual([['489 oma-push'], 0, 0])
  })

  it('is not taken beyond the bound', () => {
    const link = new UsageLink('udp', undefined, { most: 1 })
    link.bob.accepting()
    link.alice.subscribe(BOB, 100)
    link.alice.subscribe(BOB, 100)
    link.run(SECOND)
    expect([link.bob.notifier.size, link.stories.alice]).toEqual([1, ['NOTIFY active', 'ended by refusal 503']])
  })

  it('pending becomes active when it is allowed', () => {
    const link = new UsageLink('udp')
    link.bob.onSubscription = (now, theirs) => link.bob.notifier.accept(now, theirs, { state: 'pending' })
    const subscription = link.alice.subscribe(BOB, 100)
    link.run(SECOND)
    expect(subscription.state).toBe('pending')
    link.bob.notifier.authorize(link.clock, link.bob.subscriptions[0]!)
    link.run(2 * SECOND)
    expect([link.stories.alice, subscription.state]).toEqual([['NOTIFY pending', 'NOTIFY active'], 'active'])
  })

  it('refused leaves nothing', () => {
    const link = new UsageLink('udp')
    link.bob.onSubscription = (now, theirs) => link.bob.notifier.refuse(now, theirs, responseTo(theirs.offer!, 403, undefined, 'x'))
    link.alice.subscribe(BOB, 100)
    link.settle()
    expect([link.stories.alice, link.alice.left, link.bob.left]).toEqual([['ended by refusal 403'], 0, 0])
  })

  it('without a first NOTIFY is given up by timer N (RFC 6665 4.1.2.4)', () => {
    const link = new UsageLink('udp')
    link.bob.onRequest = (now, transaction) => link.bob.respond(now, transaction, 200)
    link.alice.subscribe(BOB, 100)
    link.run(31 * SECOND)
    expect(link.alice.left).toBe(1)
    link.run(33 * SECOND)
    expect([link.stories.alice, link.alice.left]).toEqual([['ended by silence'], 0])
  })

  it('unwanted before its first NOTIFY is left as soon as that comes', () => {
    const link = new UsageLink('udp')
    const subscription = link.alice.subscribe(BOB, 100)
    link.run(SECOND)
    link.alice.subscriber.unsubscribe(link.clock, subscription)
    link.bob.notifier.accept(link.clock, link.bob.subscriptions[0]!, { state: 'active' })
    link.settle()
    expect(link.stories.alice).toEqual(['NOTIFY active', 'NOTIFY terminated timeout', 'ended by notifier timeout'])
    expect([link.alice.left, link.bob.left]).toEqual([0, 0])
  })

  it('ends with the notifier\'s reason', () => {
    const { link, theirs } = standing()
    link.bob.notifier.terminate(link.clock, theirs, { reason: 'probation', retryAfterSeconds: 30 })
    link.settle()
    expect(link.stories).toEqual({ alice: ['NOTIFY active', 'NOTIFY terminated probation', 'ended by notifier probation'], bob: ['state notified: 200', 'idle', 'state notified: 200', 'ended: terminated'] })
  })
})

describe('NOTIFYs', () => {
  it('carry contents in order, one at a time', () => {
    const { link, theirs } = standing()
    link.bob.notifier.notify(link.clock, theirs, content('one'), 'first')
    expect(theirs.canNotify).toBe(false)
    expect(() => link.bob.notifier.notify(link.clock, theirs, content('two'), 'second')).toThrow(/one NOTIFY at a time/)
    link.run(2 * SECOND)
    link.bob.notifier.notify(link.clock, theirs, content('two'), 'second')
    link.run(3 * SECOND)
    expect(link.stories).toEqual({ alice: ['NOTIFY active', 'NOTIFY active one', 'NOTIFY active two'], bob: ['state notified: 200', 'idle', 'first notified: 200', 'idle', 'second notified: 200', 'idle'] })
    expect(link.alice.notifies.map(({ request }) => request.get(Header.CSeq))).toEqual(['1 NOTIFY', '2 NOTIFY', '3 NOTIFY'])
  })

  it('owed while another is under way wait for it, and are told once', () => {
    const { link, subscription, theirs } = standing()
    link.alice.notifyStatus = undefined
    link.bob.notifier.notify(link.clock, theirs, content('slow'), 'slow')
    link.run(1.1 * SECOND)
    for (let turn = 0; turn < 3; turn++) link.alice.subscriber.refresh(link.clock, subscription)
    link.run(1.2 * SECOND)
    expect(link.alice.notifies.length).toBe(2)
    link.alice.notifyStatus = 200
    link.alice.respond(link.clock, link.alice.notifies[1]!, 200)
    link.run(1.3 * SECOND)
    expect(link.alice.notifies.length).toBe(3)
    expect(link.bob.story).toEqual(['state notified: 200', 'idle', 'refreshed 3600', 'refreshed 3600', 'refreshed 3600', 'slow notified: 200', 'state notified: 200', 'idle'])
  })

  it.each([404, 405, 410, 416, 480, 481, 482, 483, 484, 485, 489, 501, 604])('answered %i end it at once', (status) => {
    const { link, theirs } = standing()
    link.alice.notifyStatus = status
    link.bob.notifier.notify(link.clock, theirs, content('x'), 'push')
    link.settle()
    expect(link.stories.bob.slice(2)).toEqual([`push notified: ${status}`, 'ended: gone'])
    expect([link.bob.left, endsSubscription(status)]).toEqual([0, true])
  })

  it.each([400, 403, 406, 413, 415, 486, 500, 503, 600, 603])('answered %i leave it standing', (status) => {
    const { link, subscription, theirs } = standing()
    link.alice.subscriber.forget(subscription)
    const original = link.alice.onRequest.bind(link.alice)
    link.alice.onRequest = (now, transaction) => (transaction.request.method === 'NOTIFY' ? link.alice.respond(now, transaction, status) : original(now, transaction))
    link.bob.notifier.notify(link.clock, theirs, content('x'), 'push')
    link.run(5 * SECOND)
    expect(link.stories.bob.slice(2)).toEqual([`push notified: ${status}`, 'idle'])
    expect([theirs.state, theirs.canNotify, endsSubscription(status)]).toEqual(['active', true, false])
  })

  it('nobody answers end it by timer F', () => {
    const { link, theirs } = standing()
    link.alice.onRequest = () => {}
    link.bob.notifier.notify(link.clock, theirs, content('x'), 'push')
    link.settle()
    expect(link.stories.bob.slice(2)).toEqual(['push notified: timeout', 'ended: gone'])
  })

  it('that can go nowhere are told, and the subscription stands', () => {
    const link = new UsageLink('udp')
    link.bob.accepting()
    const request = link.alice.outOfDialog('SUBSCRIBE', BOB).append(Header.Event, composed('oma-push')).append(Header.Expires, composed('100'))
    request.set(Header.Contact, composed('<sip:192.0.2.1:5060;nowhere>'))
    link.alice.subscriber.subscribe(link.clock, request, link.alice.hop(BOB), undefined)
    link.run(SECOND)
    expect([link.stories.bob, link.bob.subscriptions[0]!.state]).toEqual([['state notified: transport', 'idle'], 'active'])
  })

  it('outside any subscription, or of another branch of a fork, are 481', () => {
    const { link, theirs } = standing()
    const stray = theirs.dialog.request('NOTIFY').set(Header.From, composed('<sip:b@example.net>;tag=other')).append(Header.Event, composed('oma-push')).append(Header.SubscriptionState, composed('active'))
    const heard: number[] = []
    link.bob.onResponse = (_now, _transaction, response) => void heard.push(response.status)
    link.bob.endpoint.request(link.clock, stray, link.alice.hop({ address: '127.0.0.1', port: 5061 }))
    link.run(2 * SECOND)
    expect([heard, link.alice.story]).toEqual([[481], ['NOTIFY active']])
  })

  it.each([['oma-push', undefined, 400], [undefined, 'active', 400], ['presence', 'active', 489], ['oma-push;id=9', 'active', 481]])('with Event %s and Subscription-State %s are %i', (event, state, status) => {
    const { link, theirs } = standing()
    const notify = theirs.dialog.request('NOTIFY').append(Header.Contact, link.bob.contact)
    if (event !== undefined) notify.append(Header.Event, composed(event))
    if (state !== undefined) notify.append(Header.SubscriptionState, composed(state))
    const heard: number[] = []
    link.bob.onResponse = (_now, _transaction, response) => void heard.push(response.status)
    link.bob.endpoint.request(link.clock, notify, link.alice.hop({ address: '127.0.0.1', port: 5061 }))
    link.run(2 * SECOND)
    expect(heard).toEqual([status])
  })
})

describe('a refresh', () => {
  it.each([[481, 'ended by refusal 481', 0], [503, 'refresh refused 503', 1]])('refused with %i: %s', (status, told, left) => {
    const { link, subscription } = standing()
    link.bob.onRequest = (now, transaction) => link.bob.respond(now, transaction, status)
    expect(link.alice.subscriber.refresh(link.clock, subscription)).toBe(true)
    link.run(2 * SECOND)
    expect([link.stories.alice, link.alice.left]).toEqual([['NOTIFY active', told], left])
  })

  it('granted less than was asked for runs out by what was granted', () => {
    const { link, subscription } = standing()
    link.bob.onRequest = (now, transaction) => link.bob.endpoint.respond(now, transaction, responseTo(transaction.request, 200).append(Header.Expires, composed('40')))
    link.alice.subscriber.refresh(link.clock, subscription)
    link.run(2 * SECOND)
    link.bob.onRequest = (now, transaction) => link.bob.respond(now, transaction, 503)
    link.run(43 * SECOND)
    expect(link.stories.alice).toEqual(['NOTIFY active', 'refresh refused 503', 'ended by expiry'])
  })

  it('that fails until the time is over ends it', () => {
    const { link } = standing(100)
    link.bob.onRequest = (now, transaction) => link.bob.respond(now, transaction, 503)
    link.run(102 * SECOND)
    expect(link.stories.alice).toEqual(['NOTIFY active', 'refresh refused 503', 'ended by expiry'])
  })

  it('of another event in the same dialog is 403', () => {
    const { link, subscription } = standing()
    const request = subscription.dialog!.request('SUBSCRIBE').append(Header.Contact, link.alice.contact).append(Header.Event, composed('oma-push;id=2')).append(Header.Expires, composed('100'))
    link.alice.endpoint.request(link.clock, request, link.alice.hop(BOB))
    link.run(2 * SECOND)
    expect([link.bob.notifier.size, link.bob.story]).toEqual([1, ['state notified: 200', 'idle']])
  })
})

describe('a stored subscription', () => {
  /** Bob stores everything, at once. */
  function durable(seconds = 3_600) {
    const link = new UsageLink('udp')
    const store: { data: SubscriptionData | undefined } = { data: undefined }
    const keep = (theirs: (typeof link.bob.subscriptions)[number]): number => {
      const bound = theirs.dialog.nextBound()
      store.data = JSON.parse(JSON.stringify(link.bob.notifier.data(theirs, bound)))
      return bound
    }
    link.bob.onSubscription = (now, theirs) => {
      link.bob.notifier.accept(now, theirs, { state: 'active', bound: keep(theirs) })
    }
    link.bob.numbers = (now, theirs) => link.bob.notifier.reserve(now, theirs, keep(theirs))
    const subscription = link.alice.subscribe(BOB, seconds)
    link.run(SECOND)
    return { link, subscription, store }
  }

  it('goes on after a restart as if nothing had been, with numbers never used before', () => {
    const { link, store } = durable()
    const before = link.bob.subscriptions[0]!
    link.bob.notifier.forget(before)
    const restored = link.bob.notifier.restore(link.clock, store.data!, 'context')
    expect([restored.canNotify, restored.context]).toEqual([false, 'context'])
    link.bob.notifier.reserve(link.clock, restored, restored.dialog.nextBound())
    link.bob.notifier.notify(link.clock, restored, content('after'), 'push')
    link.run(2 * SECOND)
    expect(link.stories.alice).toEqual(['NOTIFY active', 'NOTIFY active after'])
    expect(link.alice.notifies[1]!.request.get(Header.CSeq)).toBe(`${SEQUENCE_BLOCK + 1} NOTIFY`)
  })

  it('that ran out during the outage ends with its last NOTIFY, once numbers are stored', () => {
    const { link, subscription, store } = durable(100)
    link.bob.notifier.forget(link.bob.subscriptions[0]!)
    link.alice.subscriber.forget(subscription)
    link.clock.mono += 200 * SECOND
    const restored = link.bob.notifier.restore(link.clock, store.data!, undefined)
    link.bob.story.splice(0)
    link.run(link.clock.mono + SECOND)
    expect([link.bob.story, restored.state]).toEqual([['numbers needed', 'state notified: 481', 'ended: expired'], 'terminated'])
  })

  it('asks for numbers before they run out, and waits for them when they have', () => {
    const { link, store } = durable()
    const theirs = link.bob.subscriptions[0]!
    for (let sent = 1; sent < 3 * SEQUENCE_BLOCK; sent++) {
      expect(theirs.canNotify).toBe(true)
      link.bob.notifier.notify(link.clock, theirs, content('x'), 'push')
      link.run(link.clock.mono + 10_000)
    }
    expect(link.bob.story.filter((line) => line === 'numbers needed').length).toBe(3)
    expect(store.data!.dialog.localSequence).toBe(4 * SEQUENCE_BLOCK)
    // Now the store is slow: what is left can be used, then nothing until it answers.
    link.bob.numbers = undefined
    let sent = 0
    for (; theirs.canNotify && sent < 1_000; sent++) {
      link.bob.notifier.notify(link.clock, theirs, content('x'), 'push')
      link.run(link.clock.mono + 10_000)
    }
    expect([sent, theirs.dialog.sequencesLeft]).toEqual([SEQUENCE_BLOCK, 0])
    link.bob.notifier.terminate(link.clock, theirs, { reason: 'deactivated' })
    link.run(link.clock.mono + SECOND)
    expect(link.alice.story.at(-1)).toBe('NOTIFY active x')
    link.bob.notifier.reserve(link.clock, theirs, theirs.dialog.nextBound())
    link.run(link.clock.mono + SECOND)
    expect(link.alice.story.slice(-2)).toEqual(['NOTIFY terminated deactivated', 'ended by notifier deactivated'])
  })
})

describe('a lossy link', () => {
  it('loses, doubles and delays what it likes: each side ends exactly once, contents arrive in order, nothing stays behind', () => {
    const delays = fc.array(fc.array(fc.integer({ min: 1, max: 3_000 }), { maxLength: 2 }), { minLength: 1, maxLength: 40 })
    fc.assert(fc.property(delays, fc.integer({ min: 0, max: 6_000 }), fc.boolean(), fc.boolean(), (nth, endAfter, aliceEnds, refreshes) => {
      const link = new UsageLink('udp', (count) => (nth[count] ?? [50]).map((millis) => millis * 1_000))
      link.bob.accepting()
      const subscription = link.alice.subscribe(BOB, 100)
      const push = (): void => {
        const theirs = link.bob.subscriptions[0]
        if (theirs?.canNotify === true) link.bob.notifier.notify(link.clock, theirs, content(String(pushed++)), 'push')
      }
      let pushed = 0
      for (let turn = 0; turn < 6; turn++) {
        link.run(link.clock.mono + (endAfter * 1_000) / 6)
        push()
        if (refreshes) link.alice.subscriber.refresh(link.clock, subscription)
      }
      if (aliceEnds) link.alice.subscriber.unsubscribe(link.clock, subscription)
      else for (const theirs of link.bob.subscriptions) link.bob.notifier.terminate(link.clock, theirs, { reason: 'noresource' })
      link.run(link.clock.mono + 400 * SECOND)
      link.alice.subscriber.unsubscribe(link.clock, subscription)
      link.run(link.clock.mono + 400 * SECOND)
      expect([link.alice.left, link.bob.left, link.alice.endpoint.openTransactions, link.bob.endpoint.openTransactions]).toEqual([0, 0, 0, 0])
      expect(link.alice.story.filter((line) => line.startsWith('ended')).length).toBe(1)
      expect(link.bob.story.filter((line) => line.startsWith('ended')).length).toBe(link.bob.subscriptions.length)
      const heard = link.alice.story.flatMap((line) => /^NOTIFY active (\d+)/.exec(line)?.[1] ?? [])
      expect(heard).toEqual([...new Set(heard)].sort((a, b) => Number(a) - Number(b)))
    }), { numRuns: 200 })
  })
})
