/** One push through the gateway machine: accepted when flushed, sent as a MESSAGE, its outcome written, told once. */
import { describe, expect, it } from 'vitest'
import { decodePap } from '../../core/pap/decode.js'
import { Header } from '../../core/sip/header-names.js'
import { GatewayWorld, START_WALL, silent, user } from './gateway-world.js'

const NOTIFY = { notifyRequestedTo: 'http://pi.example/notify' }

describe('a push', () => {
  it('goes from submission to a confirmed outcome and an acknowledged result notification', () => {
    const world = new GatewayWorld()
    const id = world.submit({ pushId: 'p1', addresses: [user('anna')], ...NOTIFY })
    expect(world.code(id)).toBe(1001)
    expect(world.journal.map((line) => `${line.event} ${line.details.join(' ')}`.trim())).toEqual([
      'accepted', 'sip-out sip:anna@ims.example message', 'outcome delivered 1000 confirmed 200',
    ])
    expect(world.notifies).toHaveLength(1)
    const document = decodePap(world.notifies[0]!.body)
    expect(document).toMatchObject({ ok: true, message: { type: 'resultnotification-message', pushId: 'p1', messageState: 'delivered', code: 1000, address: user('anna') } })
    world.advance(100_000)
    expect([world.store.rows('P'), world.store.rows('D'), world.store.rows('N'), world.store.rows('I')]).toEqual([0, 1, 0, 1])
    expect(world.gateway.counters).toMatchObject({ accepted: 1, delivered: 1, inFlight: 0, waiting: 0, sipRequests: 1, notifications: 1 })
  })

  it('answers 1001 only after its commit was flushed, and sends nothing before', () => {
    const world = new GatewayWorld()
    world.holdCommits = true
    const id = world.submit({ pushId: 'p1', addresses: [user('anna')] })
    expect(world.code(id)).toBeUndefined()
    expect(world.journal).toEqual([])
    world.flush(1)
    expect(world.code(id)).toBe(1001)
    expect(world.journal.map((line) => line.event)).toEqual(['accepted', 'sip-out'])
    world.flush()
    expect(world.outcomes()).toEqual(['delivered 1000 confirmed'])
  })

  it('carries application, identity and push-id on a MESSAGE that asks for devices with the application', () => {
    const world = new GatewayWorld({ core: silent })
    world.submit({ pushId: 'p/1 "x"', addresses: [user('anna')], deliverBefore: START_WALL + 60_000, qualityOfService: { priority: 'high', deliveryMethod: 'confirmed', networkRequired: false, bearerRequired: false } }, { app: 'x-wap-application:mms.ua', type: 'text/vnd.wap.si' })
    const { request } = world.sent[0]!
    expect(request.requestUri).toBe('sip:anna@ims.example')
    expect(request.get(Header.AcceptContact)).toBe('*;+g.oma.pusheventapp="mms.ua";require;explicit')
    expect(request.get(Header.PAssertedIdentity)).toBe('<sip:push@ppg.example>')
    expect(request.get(Header.RequestDisposition)).toBe('fork, parallel')
    expect(request.get(Header.Route)).toBe('<sip:127.0.0.9:5060;transport=tcp;lr>')
    expect(request.get(Header.XWapApplicationId)).toBe('x-wap-application:mms.ua')
    expect(request.get(Header.XPushId)).toBe('p/1 "x"')
    expect(request.get(Header.ContentType)).toBe('text/vnd.wap.si')
    expect(request.get(Header.Expires)).toBe('60')
    expect(request.get(Header.Date)).toBe('Thu, 12 Mar 2026 07:20:00 GMT')
    expect(request.get(Header.Priority)).toBe('urgent')
    expect(request.has(Header.Contact)).toBe(false)
    expect(request.body.toString()).toBe('hello')
  })

  it('in its last second says that it expires in one: 0 would be over already', () => {
    const world = new GatewayWorld({ core: silent })
    world.advance(500_000)
    world.submit({ pushId: 'p', addresses: [user('anna')], deliverBefore: START_WALL + 1_000 })
    expect(world.sent[0]!.request.get(Header.Expires)).toBe('1')
  })
})
