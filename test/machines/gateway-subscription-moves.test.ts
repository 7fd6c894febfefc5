/**
 * An operator's words to the gateway about standing subscriptions: terminals are moved to another push server
 * (draft-mdolly-dispatch-oma-push-00, section 11.4), with a count of what came of it, or all subscriptions end.
 */
import { describe, expect, it } from 'vitest'
import { moveProblem, type MoveReport } from '../../core/push/bindings/subscription-moves.js'
import { Header } from '../../core/sip/header-names.js'
import { composed } from '../../core/sip/header-text.js'
import type { SipMessage } from '../../core/sip/message.js'
import { tagOf } from '../../core/sip/name-addr.js'
import { pushMoveOf } from '../../core/sip/refer.js'
import { responseTo } from '../../core/sip/write.js'
import { GRUU, subscribe, subscribed, world, type EventWorld } from './event-world.js'
import { sipAddress, user, type Sent } from './gateway-world.js'

const SECOND = 1_000_000
const SERVER = 'sip:push@other.example'

const report = (counts: Partial<MoveReport>): MoveReport => ({ server: SERVER, subscriptions: 1, moved: 0, ended: 0, failed: 0, gone: 0, pending: 0, ...counts })

function subscribeMany(made: EventWorld, subscribers: number): void {
  for (let count = 0; count < subscribers; count++) made.receive(subscribe({ callId: `c${count}`, from: `sip:u${count}@ims.example`, contact: `sip:u${count}@ims.example;gr=urn:uuid:1` }))
}

/** Overload: the next hop is to be left alone for a while. */
function busy(request: SipMessage): SipMessage {
  return responseTo(request, 503, undefined, 'uas').append(Header.RetryAfter, composed('30'))
}

describe('a move to another push server', () => {
  it('is a REFER to each subscribed device, which ends here when it has gone', () => {
    const made = subscribed()
    const toTag = tagOf(made.responses[0]!, Header.To)
    made.input({ type: 'move-subscriptions', server: SERVER })
    const [refer] = made.messages as [SipMessage]
    expect([refer.method, refer.requestUri, refer.get(Header.ReferSub)]).toEqual(['REFER', GRUU, 'false'])
    const move = pushMoveOf(refer)
    if (typeof move === 'number') throw new Error(`not a move: ${move}`)
    expect([move.referTo.uri, move.event.applications, move.replaces]).toEqual([SERVER, ['mms.ua', 'wml.ua'], { callId: 'sub1', toTag: 'u', fromTag: toTag, earlyOnly: false }])
    made.receive(subscribe({ toTag, cseq: 2, expires: 0 }))
    made.advance(60 * SECOND)
    expect([made.notified.map(({ state }) => state), made.gateway.moves.report]).toEqual([['terminated timeout'], report({ moved: 1 })])
  })

  it('that was agreed to and then not heard of ends here all the same', () => {
    const made = subscribed()
    made.input({ type: 'move-subscriptions', server: SERVER })
    made.advance(33 * SECOND)
    expect([made.notified.map(({ state }) => state), made.store.rows('S'), made.gateway.moves.report]).toEqual([['terminated noresource'], 0, report({ ended: 1 })])
  })

  it('that is refused leaves the subscription', () => {
    const made = subscribed((request) => (request.method === 'REFER' ? 489 : 200))
    made.input({ type: 'move-subscriptions', server: SERVER })
    made.advance(60 * SECOND)
    expect([made.gateway.subscriptions.size, made.gateway.moves.report]).toEqual([1, report({ failed: 1 })])
  })

  it('asks few at a time', () => {
    const made = world((request) => (request.method === 'REFER' ? undefined : 200))
    subscribeMany(made, 100)
    made.input({ type: 'move-subscriptions', server: SERVER })
    expect(made.sent).toHaveLength(64)
    made.answer(202)
    expect(made.sent).toHaveLength(64)
    while (made.sent.length > 0) made.answer(202)
    expect(made.gateway.moves.report).toEqual(report({ subscriptions: 100, pending: 100 }))
    made.advance(33 * SECOND)
    // The last NOTIFYs wait for their answers.
    while (made.sent.length > 0) made.answer(200)
    expect(made.gateway.moves.report).toEqual(report({ subscriptions: 100, ended: 100 }))
  })

  it('tells a terminal that went before it answered from one that moved, and one that was not there for its last NOTIFY from both', () => {
    const made = world((request) => (request.method === 'REFER' ? undefined : 200))
    const toTags = ['a', 'b', 'c'].map((name) => {
      made.receive(subscribe({ callId: name, from: `sip:${name}@ims.example`, contact: `sip:${name}@ims.example;gr=urn:uuid:1` }))
      return tagOf(made.responses.at(-1)!, Header.To)
    })
    const leave = (index: number): void => made.receive(subscribe({ callId: 'abc'[index]!, from: `sip:${'abc'[index]!}@ims.example`, contact: 'sip:x@ims.example', toTag: toTags[index]!, cseq: 2, expires: 0 }))
    made.input({ type: 'move-subscriptions', server: SERVER })
    const referOf = (name: string): Sent => made.sent.splice(made.sent.findIndex(({ request }) => request.requestUri!.includes(`:${name}@`)), 1)[0]!
    for (const index of [0, 1]) leave(index)
    made.answer(404, referOf('a'))
    made.answer(202, referOf('b'))
    made.answer(202, referOf('c'))
    expect(made.gateway.moves.report).toEqual(report({ subscriptions: 3, moved: 1, gone: 1, pending: 1 }))
    made.core = (request) => (request.method === 'NOTIFY' ? 481 : 200)
    made.submit({ pushId: 'p', addresses: [sipAddress('sip:c@ims.example;gr=urn:uuid:1')] }, { app: 'x-wap-application:mms.ua', body: 'p' })
    expect(made.gateway.moves.report).toEqual(report({ subscriptions: 3, moved: 1, gone: 2 }))
  })

  it('waits for a next hop that rests, and asks then', () => {
    const made = subscribed((request) => (request.method === 'MESSAGE' ? busy(request) : 200))
    made.submit({ pushId: 'p', addresses: [user('ben')] }, { app: 'x-wap-application:mms.ua', body: 'p' })
    made.input({ type: 'move-subscriptions', server: SERVER })
    expect([made.messages.map(({ method }) => method), made.gateway.moves.report]).toEqual([['MESSAGE'], report({ pending: 1 })])
    made.advance(31 * SECOND)
    expect([made.messages.filter(({ method }) => method === 'REFER').length, made.gateway.moves.report?.failed]).toEqual([1, 0])
  })

  it('asked for again goes there with those not asked yet, and leaves those asked alone', () => {
    const made = world((request) => (request.method === 'REFER' ? undefined : 200))
    subscribeMany(made, 70)
    made.input({ type: 'move-subscriptions', server: SERVER })
    made.input({ type: 'move-subscriptions', server: 'sip:push@third.example' })
    expect(made.gateway.moves.report).toMatchObject({ server: 'sip:push@third.example', subscriptions: 6, pending: 6 })
    while (made.sent.length > 0) made.answer(202)
    expect([SERVER, 'sip:push@third.example'].map((server) => made.messages.filter((refer) => refer.get(Header.ReferTo)!.includes(server)).length)).toEqual([64, 6])
  })

  it('goes to a plain SIP URI of somebody else', () => {
    const own = 'sip:push@ppg.example'
    for (const server of [SERVER, 'sips:push@other.example', 'sip:192.0.2.7:5070;transport=tcp', 'sip:push@PPG.example:5070']) expect(moveProblem(server, own)).toBeUndefined()
    for (const [server, why] of [
      ['', 'is no SIP URI'], ['tel:+15551234', 'is no SIP URI'], ['http://other.example/', 'is no SIP URI'], ['sip:', 'is no SIP URI'], ['sip:push@other.example\r\nEvil: 1', 'is no SIP URI'],
      [`sip:push@${'x'.repeat(2_000)}.example`, 'is no SIP URI'], ['sip:push@other.example?Subject=x', 'write the plain URI'], ['sip:push@other.example;method=INVITE', 'write the plain URI'],
      ['sip:push@PPG.example;transport=tcp', 'is this gateway itself'],
    ] as const) expect(moveProblem(server, own)).toContain(why)
  })
})

describe('the end of all subscriptions', () => {
  it('is a last NOTIFY to each, a few at a time', () => {
    let answers: number | undefined = 200
    const made = world(() => answers)
    subscribeMany(made, 100)
    answers = undefined
    made.notified.length = 0
    made.input({ type: 'end-subscriptions' })
    expect(made.notified).toHaveLength(64)
    made.advance(1)
    expect([made.notified.length, new Set(made.notified.map(({ state }) => state))]).toEqual([100, new Set(['terminated noresource'])])
    while (made.sent.length > 0) made.answer(200)
    expect([made.gateway.subscriptions.size, made.store.rows('S')]).toEqual([0, 0])
  })

  it('sends what waited in them as messages, and what comes afterwards', () => {
    let answers: number | undefined
    const made = subscribed(() => answers)
    made.answer(200)
    made.answer(200)
    const submit = (pushId: string, to: string): number => made.submit({ pushId, addresses: [to] }, { app: 'x-wap-application:mms.ua', body: pushId })
    submit('under way', user('anna'))
    submit('waits', sipAddress(GRUU))
    made.input({ type: 'end-subscriptions' })
    answers = 200
    made.answer(200)
    submit('comes', user('anna'))
    expect(made.notified.map(({ state, body }) => [state, body])).toEqual([['active', ''], ['active', 'under way'], ['terminated noresource', '']])
    expect(made.messages.map(({ method, body }) => [method, body.toString()])).toEqual([['MESSAGE', 'waits'], ['MESSAGE', 'comes']])
    expect(made.outcomes()).toEqual(['delivered 1000 confirmed', 'delivered 1000 confirmed', 'delivered 1000 confirmed'])
  })
})
