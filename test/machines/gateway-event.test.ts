/**
 * Event mode in the gateway (draft-mdolly-dispatch-oma-push-00, RFC 6665): who may subscribe, what is answered, one NOTIFY at a
 * time, and what ends a subscription.
 */
import { describe, expect, it } from 'vitest'
import { Header } from '../../core/sip/header-names.js'
import type { SipMessage } from '../../core/sip/message.js'
import { tagOf } from '../../core/sip/name-addr.js'
import { AOR, GRUU, push, subscribe, subscribed, world, type Wish } from './event-world.js'
import { PEER, SETTINGS, sipAddress, user, type GatewayWorld } from './gateway-world.js'

const SECOND = 1_000_000

describe('a terminal that subscribes', () => {
  it('is told what is served, and then of each application by a NOTIFY of its own', () => {
    const made = world()
    made.receive(subscribe())
    const ok = made.responses[0]!
    expect([ok.status, ok.get(Header.Expires), ok.get(Header.AllowEvents), ok.get(Header.Accept)]).toEqual([200, '3600', 'oma-push', 'message/external-body, application/rdf+xml'])
    expect(ok.get(Header.Contact)).toBe('<sip:127.0.0.1:5070;transport=tcp>;+g.oma.pusheventapp="mms.ua,wml.ua"')
    expect(ok.get(Header.Allow)).toContain('SUBSCRIBE')
    expect(ok.get(Header.RecordRoute)).toBeDefined()
    expect(made.notified.map(({ apps, state, cseq }) => [apps, state, cseq])).toEqual([[['mms.ua'], 'active', 1], [['wml.ua'], 'active', 2]])
    const notify = made.notified[0]!.request
    expect([notify.requestUri, notify.get(Header.Route), notify.get(Header.CallId)]).toEqual([GRUU, `<sip:${PEER}:5060;transport=tcp;lr>`, 'sub1'])
    expect([notify.get(Header.PAssertedIdentity), tagOf(notify, Header.From)]).toEqual(['<sip:push@ppg.example>', tagOf(ok, Header.To)])
  })

  it('is answered only when the subscription is on disk', () => {
    const made = world()
    made.holdCommits = true
    made.receive(subscribe())
    expect([made.responses, made.notified]).toEqual([[], []])
    made.flush()
    expect([made.responses.length, made.notified.length]).toEqual([1, 2])
  })

  it('is asked to come again when the store is full', () => {
    const made = world()
    made.storeIsFull = true
    made.receive(subscribe())
    expect([made.responses[0]!.status, made.responses[0]!.get(Header.RetryAfter), made.gateway.subscriptions.size]).toEqual([503, '60', 0])
  })

  it.each([
    ['without an identity the core vouches for', { asserted: undefined }, 403],
    ['with an identity nobody can read', { asserted: '<http://anna>' }, 403],
    ['for another event', { event: 'presence' }, 489],
    ['for no application', { event: 'oma-push' }, 400],
    ['for applications that cannot be read', { event: 'oma-push;event-app-id="a b"' }, 400],
    ['for too short a time', { expires: 1 }, 423],
  ])('%s is refused', (_what, wish: Wish, status) => {
    const made = world()
    made.receive(subscribe(wish))
    expect([made.responses[0]!.status, made.notified.length, made.store.rows('S'), made.gateway.subscriptions.size]).toEqual([status, 0, 0, 0])
    if (status === 489) expect(made.responses[0]!.get(Header.AllowEvents)).toBe('oma-push')
    if (status === 423) expect(made.responses[0]!.get(Header.MinExpires)).toBe('60')
  })

  it('from an address that is not a peer is refused', () => {
    const made = world()
    made.receive(subscribe(), '192.0.2.99')
    expect(made.responses[0]!.status).toBe(403)
  })

  it('for applications of which one is served gets that one, and for none of them nothing', () => {
    const made = world(undefined, { events: { ...SETTINGS.events, applications: ['mms.ua'] } })
    made.receive(subscribe())
    expect(made.notified.map(({ apps }) => apps)).toEqual([['mms.ua']])
    made.receive(subscribe({ callId: 'other', event: 'oma-push;event-app-id="wml.ua"' }))
    expect(made.responses[1]!.status).toBe(403)
  })

  it('may call the package push, and its applications by their URN', () => {
    const made = subscribed(undefined, undefined, { event: 'push;event-app-id="x-wap-application:mms.ua"' })
    push(made, 'p')
    expect(made.notified.map(({ apps, body }) => [apps, body])).toEqual([[['x-wap-application:mms.ua'], 'p']])
  })

  it('that asks for the state once gets it once, and nothing stays', () => {
    const made = world()
    made.receive(subscribe({ expires: 0 }))
    expect(made.notified.map(({ state }) => state)).toEqual(['terminated timeout'])
    expect([made.gateway.subscriptions.size, made.store.rows('S')]).toEqual([0, 0])
  })

  it('without a wish stands for a day; for ever is a week', () => {
    const made = world()
    made.receive(subscribe({ expires: undefined }))
    made.receive(subscribe({ callId: 'b', expires: 4_000_000_000 }))
    expect(made.responses.map((response) => response.get(Header.Expires))).toEqual(['86400', '604800'])
  })

  it('again and again makes the oldest give way', () => {
    const made = world()
    for (let count = 0; count < 20; count++) made.receive(subscribe({ callId: `c${count}` }))
    expect(made.gateway.subscriptions.size).toBe(16)
    expect(made.notified.filter(({ state }) => state === 'terminated probation').map(({ request }) => request.get(Header.CallId))).toEqual(['c0', 'c1', 'c2', 'c3'])
  })
})

describe('a push to a subscriber', () => {
  it('is a NOTIFY for exactly its application, and the 200 is the delivery', () => {
    const made = subscribed()
    push(made, 'p')
    expect(made.notified.map(({ apps, body, cseq, state }) => [apps, body, cseq, state])).toEqual([[['mms.ua'], 'p', 3, 'active']])
    const notify = made.notified[0]!.request
    expect([notify.get(Header.XPushId), notify.get(Header.ContentType), notify.get(Header.XWapApplicationId)]).toEqual(['p', 'text/plain', 'x-wap-application:mms.ua'])
    expect(made.outcomes()).toEqual(['delivered 1000 confirmed'])
    expect(made.journal.find(({ event }) => event === 'sip-out')!.details.at(-1)).toBe('event')
  })

  it('waits behind the one that is pending', () => {
    const made = subscribed(() => undefined)
    made.answer(200)
    made.answer(200)
    made.notified.length = 0
    push(made, 'p')
    made.submit({ pushId: 'q', addresses: [sipAddress(GRUU)] }, { app: 'x-wap-application:mms.ua', body: 'q' })
    expect(made.notified.map(({ body }) => body)).toEqual(['p'])
    made.answer(200)
    expect(made.notified.map(({ body }) => body)).toEqual(['p', 'q'])
    made.answer(200)
    expect([made.outcomes('p'), made.outcomes('q')]).toEqual([['delivered 1000 confirmed'], ['delivered 1000 confirmed']])
  })

  it('for another application, or another device, is a MESSAGE', () => {
    const made = subscribed()
    push(made, 'p', 'x-wap-application:syncml.dm')
    made.submit({ pushId: 'q', addresses: [sipAddress(`${AOR};gr=urn:uuid:2`)] }, { app: 'x-wap-application:mms.ua' })
    expect([made.notified.length, made.messages.map(({ method }) => method)]).toEqual([0, ['MESSAGE', 'MESSAGE']])
  })

  it('goes to each subscribed device of the user, and one that took it is enough', () => {
    const made = world((request) => (request.method === 'NOTIFY' && request.body.length > 0 && request.requestUri.endsWith('2') ? 486 : 200))
    made.receive(subscribe())
    made.receive(subscribe({ callId: 'two', contact: `${AOR};gr=urn:uuid:2` }))
    made.notified.length = 0
    push(made, 'p')
    expect(made.notified.map(({ request }) => request.requestUri).sort()).toEqual([GRUU, `${AOR};gr=urn:uuid:2`])
    expect(made.outcomes()).toEqual(['delivered 1000 confirmed'])
  })

  it.each([404, 405, 410, 416, 480, 481, 482, 483, 484, 485, 489, 501, 604])('that is answered %i ends the subscription and goes as a MESSAGE', (status) => {
    const made = subscribed((request) => (request.method === 'NOTIFY' && request.body.length > 0 ? status : 200))
    push(made, 'p')
    expect([made.gateway.subscriptions.size, made.store.rows('S')]).toEqual([0, 0])
    expect(made.messages.map(({ method }) => method)).toEqual(['MESSAGE'])
    expect(made.outcomes()).toEqual(['delivered 1000 confirmed'])
  })

  it.each([486, 500, 503])('that is answered %i is tried again, and the subscription stands', (status) => {
    let tries = 0
    const made = subscribed((request) => (request.method === 'NOTIFY' && request.body.length > 0 && ++tries < 3 ? status : 200))
    push(made, 'p')
    made.advance(60 * SECOND)
    expect([tries, made.gateway.subscriptions.size, made.messages.length]).toEqual([3, 1, 0])
    expect(made.notified.map(({ cseq }) => cseq)).toEqual([3, 4, 5])
    expect(made.outcomes()).toEqual(['delivered 1000 confirmed'])
  })

  it('that nobody answers ends the subscription, and goes as a MESSAGE', () => {
    const made = subscribed((request) => (request.method === 'NOTIFY' && request.body.length > 0 ? undefined : 200))
    push(made, 'p')
    made.advance(60 * SECOND)
    expect([made.gateway.subscriptions.size, made.messages.length, made.outcomes()]).toEqual([0, 1, ['delivered 1000 confirmed']])
  })

  it('is refused by a terminal that does not want the content, and the subscription stands', () => {
    const made = subscribed((request) => (request.method === 'NOTIFY' && request.body.length > 0 ? 415 : 200))
    push(made, 'p')
    expect([made.outcomes(), made.gateway.subscriptions.size]).toEqual([['undeliverable 2006 -'], 1])
  })

  it('by reference is a NOTIFY with the reference', () => {
    const made = subscribed((request) => (request.body.toString().startsWith('hello') ? 413 : 200), { indirection: { url: 'http://c.example/c', confirmation: 'carried' } })
    made.submit({ pushId: 'p', addresses: [user('anna')] }, { app: 'x-wap-application:mms.ua', body: 'hello' })
    const last = made.notified.at(-1)!
    expect([last.apps, last.request.get(Header.ContentType)!.slice(0, 21), made.outcomes()]).toEqual([['mms.ua'], 'message/external-body', ['delivered 1000 confirmed']])
  })
})

describe('a subscription', () => {
  const inDialog = (made: GatewayWorld, wish: Wish): SipMessage => subscribe({ toTag: tagOf(made.responses[0]!, Header.To), ...wish })

  it('is refreshed, told its state again, and lasts longer', () => {
    const made = subscribed()
    made.advance(3_000 * SECOND)
    made.receive(inDialog(made, { cseq: 2 }))
    expect(made.responses[1]!.status).toBe(200)
    expect(made.notified.map(({ apps }) => apps)).toEqual([['mms.ua'], ['wml.ua']])
    made.advance(3_000 * SECOND)
    expect(made.gateway.subscriptions.size).toBe(1)
    made.advance(700 * SECOND)
    expect([made.notified.at(-1)!.state, made.gateway.subscriptions.size, made.store.rows('S')]).toEqual(['terminated timeout', 0, 0])
  })

  it('may change its applications when it is refreshed', () => {
    const made = subscribed()
    made.receive(inDialog(made, { cseq: 2, event: 'oma-push;event-app-id="syncml.dm"' }))
    made.notified.length = 0
    push(made, 'p')
    push(made, 'q', 'x-wap-application:syncml.dm')
    expect([made.messages.length, made.notified.map(({ apps, body }) => [apps, body])]).toEqual([1, [[['syncml.dm'], 'q']]])
    made.boot()
    push(made, 'r', 'x-wap-application:syncml.dm')
    expect(made.notified.at(-1)!.body).toBe('r')
  })

  it('ends by Expires 0 with a last NOTIFY, and pushes are messages again', () => {
    const made = subscribed()
    made.receive(inDialog(made, { cseq: 2, expires: 0 }))
    expect([made.responses[1]!.status, made.notified.map(({ state }) => state), made.store.rows('S')]).toEqual([200, ['terminated timeout'], 0])
    push(made, 'p')
    expect(made.messages.map(({ method }) => method)).toEqual(['MESSAGE'])
  })

  it('knows nothing of a dialog that is not its own', () => {
    const made = subscribed()
    made.receive(subscribe({ toTag: 'nobody', cseq: 9 }))
    expect(made.responses[1]!.status).toBe(481)
  })

  it('refused in order is refused for the number, not for the terminal', () => {
    const made = subscribed()
    made.receive(inDialog(made, { cseq: 1 }))
    expect([made.responses[1]!.status, made.gateway.subscriptions.size]).toEqual([500, 1])
  })

  it('whose pushes wait when it ends sends them as messages, each once', () => {
    let answers: number | undefined
    const made = subscribed(() => answers)
    made.answer(200)
    made.answer(200)
    push(made, 'p')
    made.submit({ pushId: 'q', addresses: [sipAddress(GRUU)] }, { app: 'x-wap-application:mms.ua', body: 'q' })
    answers = 200
    made.answer(481)
    expect(made.messages.map(({ method }) => method)).toEqual(['MESSAGE', 'MESSAGE'])
    expect(made.outcomes()).toEqual(['delivered 1000 confirmed', 'delivered 1000 confirmed'])
  })
})
