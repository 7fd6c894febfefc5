/** Result notifications: one per recipient, in order, until acknowledged, through restarts, and bounded. */
import { describe, expect, it } from 'vitest'
import { decodePap } from '../../core/pap/decode.js'
import type { ResultNotification } from '../../core/pap/documents.js'
import { GatewayWorld, START_WALL, silent, user } from './gateway-world.js'

const SECOND = 1_000_000
const NOTIFY = { notifyRequestedTo: 'http://pi.example/notify' }
const quality = { priority: 'low' as const, deliveryMethod: 'unconfirmed' as const, networkRequired: false, bearerRequired: false }

function told(world: GatewayWorld): ResultNotification[] {
  return world.notifies.map(({ body }) => {
    const document = decodePap(body)
    if (!document.ok || document.message.type !== 'resultnotification-message') throw new Error(body)
    return document.message
  })
}

describe('a result notification', () => {
  it('tells the address as written, the times, and the quality used, iff the submission had one', () => {
    const world = new GatewayWorld()
    world.submit({ pushId: 'p', addresses: [user('anna')], qualityOfService: quality, ...NOTIFY })
    world.submit({ pushId: 'q', addresses: ['/wappush=+357-99/type=plmn@PPG.example'], ...NOTIFY })
    expect(told(world)[0]).toMatchObject({
      pushId: 'p', address: user('anna'), messageState: 'delivered', code: 1000, desc: 'OK', senderAddress: 'http://ppg.example/pap',
      receivedTime: START_WALL, eventTime: START_WALL, qualityOfService: { priority: 'low', deliveryMethod: 'unconfirmed' },
    })
    expect(told(world)[1]!.address).toBe('/wappush=+357-99/type=plmn@PPG.example')
    expect(told(world)[1]!.qualityOfService).toBeUndefined()
  })

  it('is not sent when none was asked for, nor for a refused submission', () => {
    const world = new GatewayWorld()
    world.submit({ pushId: 'p', addresses: [user('anna')] })
    world.submit({ pushId: 'q', addresses: ['nowhere'], ...NOTIFY })
    expect(world.notifies).toEqual([])
  })

  it('leaves after the push-response, and only when the outcome was flushed', () => {
    const world = new GatewayWorld()
    const order: string[] = []
    world.afterOutput = (out) => { if (out.type === 'pap-reply' || out.type === 'notify') order.push(out.type) }
    world.holdCommits = true
    world.submit({ pushId: 'p', addresses: [user('anna')], ...NOTIFY })
    world.flush(1)
    expect(order).toEqual(['pap-reply'])
    world.flush()
    expect(order).toEqual(['pap-reply', 'notify'])
  })

  it('is repeated by the schedule until a 2xx, with the same content, and then never again', () => {
    const answers: (number | 'failed')[] = ['failed', 500, 404, 302, 204]
    const world = new GatewayWorld({ notified: () => answers.shift() })
    world.submit({ pushId: 'p', addresses: [user('anna')], ...NOTIFY })
    const counts = [30, 120, 600, 3_600].map((wait) => {
      world.advance((wait - 1) * SECOND)
      const before = world.notifies.length
      world.advance(1 * SECOND)
      return [before, world.notifies.length]
    })
    expect(counts).toEqual([[1, 2], [2, 3], [3, 4], [4, 5]])
    expect(new Set(world.notifies.map((notify) => notify.body)).size).toBe(1)
    expect(world.gateway.counters).toMatchObject({ notifications: 1, notificationRetries: 4 })
    world.advance(86_400 * SECOND)
    expect(world.notifies).toHaveLength(5)
    expect(world.store.rows('N')).toBe(0)
  })

  it('is given up when the horizon passes', () => {
    const world = new GatewayWorld({ notified: () => 500 })
    world.submit({ pushId: 'p', addresses: [user('anna')], ...NOTIFY })
    world.advance(30 * 3_600 * SECOND)
    const count = world.notifies.length
    expect(world.store.rows('N')).toBe(0)
    world.advance(30 * 3_600 * SECOND)
    expect(world.notifies).toHaveLength(count)
  })

  it('survives a restart until it is acknowledged, and is not repeated after that', () => {
    const world = new GatewayWorld({ notified: () => undefined })
    world.submit({ pushId: 'p', addresses: [user('anna')], ...NOTIFY })
    world.boot()
    expect(world.notifies).toHaveLength(2)
    expect(world.notifies[0]!.body).toBe(world.notifies[1]!.body)
    world.input({ type: 'notified', ticket: world.notifies[1]!.ticket, status: 200, body: '' })
    world.advance(SECOND)
    world.boot()
    world.advance(SECOND)
    expect(world.notifies).toHaveLength(2)
  })

  it('is not upset by answers to nothing', () => {
    const world = new GatewayWorld({ notified: () => undefined })
    world.submit({ pushId: 'p', addresses: [user('anna')], ...NOTIFY })
    const { ticket } = world.notifies[0]!
    for (const status of [200, 200, 500]) world.input({ type: 'notified', ticket, status, body: 'x' })
    world.input({ type: 'notify-failed', ticket: 77, reason: 'none such' })
    world.advance(3_600 * SECOND)
    expect(world.notifies).toHaveLength(1)
  })
})

describe('notifications of one push', () => {
  it('go in the order of the outcomes, one after the other', () => {
    const world = new GatewayWorld({ core: silent, notified: () => undefined })
    world.submit({ pushId: 'p', addresses: [user('a'), user('b'), user('c')], ...NOTIFY })
    world.answer(200, world.sent[2])
    world.answer(404, world.sent[0])
    world.answer(200, world.sent[1])
    expect(told(world).map((message) => message.address)).toEqual([user('c')])
    world.input({ type: 'notified', ticket: world.notifies[0]!.ticket, status: 200, body: '' })
    world.input({ type: 'notified', ticket: world.notifies[1]!.ticket, status: 200, body: '' })
    expect(told(world).map((message) => message.address)).toEqual([user('c'), user('a'), user('b')])
  })
})

describe('hosts', () => {
  it('have a few under way each: one that hangs holds up nobody else', () => {
    const world = new GatewayWorld({ notified: (url) => (url.includes('slow') ? undefined : 200), settings: { notifications: { retryMicros: [SECOND], giveUpAfterMillis: 1e9, inFlightMax: 5, inFlightPerHostMax: 3 } } })
    for (let count = 0; count < 10; count++) world.submit({ pushId: `s${count}`, addresses: [user(`s${count}`)], notifyRequestedTo: 'http://slow.example/n' })
    for (let count = 0; count < 10; count++) world.submit({ pushId: `f${count}`, addresses: [user(`f${count}`)], notifyRequestedTo: 'http://fast.example/n' })
    const urls = world.notifies.map((notify) => notify.url)
    expect(urls.filter((url) => url.includes('slow'))).toHaveLength(3)
    expect(urls.filter((url) => url.includes('fast'))).toHaveLength(10)
    for (let index = 0; index < world.notifies.length; index++) if (world.notifies[index]!.url.includes('slow')) world.input({ type: 'notified', ticket: world.notifies[index]!.ticket, status: 200, body: '' })
    expect(world.notifies.filter((notify) => notify.url.includes('slow'))).toHaveLength(10)
    world.advance(SECOND)
    expect(world.store.rows('N')).toBe(0)
  })
})
