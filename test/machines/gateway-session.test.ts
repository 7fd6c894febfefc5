/** Session mode of the gateway with an in-memory terminal: what is offered, what confirms, how sessions are shared, and that nothing stays behind. */
import { describe, expect, it } from 'vitest'
import type { MsrpMedia } from '../../core/sdp/msrp-media.js'
import { parseDescription } from '../../core/sdp/parse.js'
import { Header } from '../../core/sip/header-names.js'
import { MICROS_PER_SECOND } from '../../core/kit/time.js'
import { sha1 } from './sha1.js'
import { SessionWorld } from './session-world.js'

const NOTHING = { sessions: 0, dialogs: 0, connections: 0, waiting: 0, flows: 0 }
const SECOND = MICROS_PER_SECOND
const MINUTES = 60 * SECOND

function offerOf(world: SessionWorld, index = 0): MsrpMedia {
  const invites = world.requests.filter((request) => request.method === 'INVITE')
  return parseDescription(invites[index]!.body.toString()).description!.media[0] as MsrpMedia
}

describe('the INVITE of a push', () => {
  it('offers to send over MSRP, to connect or be connected to, and says whom and what it is for', () => {
    const world = new SessionWorld()
    expect(world.gateway.code(world.push('p1', { type: 'text/vnd.wap.si', app: 'x-wap-application:mms.ua' }, { priority: 'high' }))).toBe(1001)
    const invite = world.requests[0]!
    expect(invite.method).toBe('INVITE')
    expect(invite.requestUri).toBe('sip:anna@ims.example')
    expect(invite.get(Header.Contact)).toBe('<sip:127.0.0.1:5070;transport=tcp>')
    expect(invite.get(Header.AcceptContact)).toBe('*;+g.oma.pusheventapp="mms.ua";require;explicit')
    expect(invite.get(Header.PAssertedIdentity)).toBe('<sip:push@ppg.example>')
    expect(invite.get(Header.XPushId)).toBe('p1')
    expect(invite.get(Header.XWapApplicationId)).toBe('x-wap-application:mms.ua')
    expect(invite.get(Header.Allow)).toBe('INVITE, ACK, CANCEL, BYE')
    expect([invite.get(Header.Accept), invite.get(Header.ContentDisposition), invite.get(Header.RequestDisposition)]).toEqual(['application/sdp', 'session', 'fork, parallel'])
    expect(invite.get(Header.Priority)).toBe('urgent')
    const offer = offerOf(world)
    expect(offer).toMatchObject({ port: 2855, transport: 'tcp', setup: 'actpass', direction: 'sendonly', acceptTypes: ['text/vnd.wap.si', '*'], file: undefined })
    expect(offer.path).toHaveLength(1)
    expect(offer.path[0]).toMatch(/^msrp:\/\/127\.0\.0\.1:2855\/[0-9a-v]{16,};tcp$/)
  })

  it('describes a file by name, type, size and SHA-1, with an id of its own', () => {
    const world = new SessionWorld({}, { fileFromOctets: 5 })
    const content = { type: 'text/plain; charset=utf-8', body: 'hello', headers: [{ name: 'Content-Disposition', value: 'attachment; filename="a/b\\"c%.txt"' }] }
    world.push('p1', content)
    world.push('p2', content)
    const [first, second] = [offerOf(world, 0), offerOf(world, 1)]
    expect(first.acceptTypes).toEqual(['text/plain'])
    expect(first.file).toMatchObject({ selector: { name: 'b"c%.txt', type: 'text/plain', size: 5, sha1: sha1('hello') }, disposition: 'attachment' })
    expect(first.file!.transferId).toMatch(/^[0-9a-v]{32}$/)
    expect(second.file!.transferId).not.toBe(first.file!.transferId)
    expect(world.taken.map(({ bytes }) => bytes.toString())).toEqual(['hello', 'hello'])
  })
})

describe('a content sent in a session', () => {
  for (const setup of ['passive', 'active'] as const) {
    it(`is delivered and confirmed by the report over every octet, the terminal being ${setup}`, () => {
      const world = new SessionWorld({ media: { setup } })
      world.push('p1', { type: 'text/plain', body: 'x'.repeat(10_000), app: 'x-wap-application:mms.ua' })
      expect(world.gateway.outcomes()).toEqual(['delivered 1000 confirmed'])
      const [taken] = world.taken
      expect(taken!.bytes.toString()).toBe('x'.repeat(10_000))
      expect([taken!.contentType, taken!.header('X-Push-Id'), taken!.header('X-Wap-Application-Id')]).toEqual(['text/plain', 'p1', 'x-wap-application:mms.ua'])
      expect(world.gateway.journal.filter((line) => line.event === 'sip-out').map((line) => line.details)).toEqual([['sip:anna@ims.example', 'session']])
      world.advance(2 * MINUTES)
      expect(world.methods()).toEqual(['INVITE', 'ACK', 'BYE'])
      expect(world.left()).toEqual(NOTHING)
    })
  }

  it('is reported unconfirmed where no report is asked for', () => {
    const world = new SessionWorld()
    world.push('p1', {}, { deliveryMethod: 'unconfirmed' })
    expect(world.gateway.outcomes()).toEqual(['delivered 1000 unconfirmed'])
  })

  it('of no octets is delivered too', () => {
    const world = new SessionWorld()
    world.push('p1', { body: '' })
    expect(world.gateway.outcomes()).toEqual(['delivered 1000 confirmed'])
    expect(world.taken[0]!.bytes).toHaveLength(0)
  })

  it('carries its own headers', () => {
    const world = new SessionWorld()
    world.push('p1', { headers: [{ name: 'Content-Language', value: 'el' }] })
    expect(world.taken[0]!.header('content-language')).toBe('el')
  })
})

describe('a content that lies in a file', () => {
  it('is read in windows, sent as a file, and deleted with the last outcome', () => {
    const world = new SessionWorld()
    const bytes = Buffer.alloc(3_000_001, 'abcdefg')
    world.pushFile('p1', bytes)
    world.advance(SECOND)
    expect(world.gateway.outcomes()).toEqual(['delivered 1000 confirmed'])
    expect(world.taken[0]!.bytes.equals(bytes)).toBe(true)
    expect(offerOf(world).file!.selector).toMatchObject({ size: bytes.length, sha1: sha1(bytes) })
    expect([world.gateway.contents.size, world.gateway.store.rows('C'), world.gateway.store.rows('P')]).toEqual([0, 0, 0])
    expect(Math.max(...world.gateway.reads.map(({ length }) => length))).toBeLessThanOrEqual(256 * 1024)
    world.advance(5 * SECOND)
    expect(world.left()).toEqual(NOTHING)
  })

  it('survives a restart, and goes out afterwards with the same Message-ID', () => {
    const world = new SessionWorld({ invite: (_request, { requests }) => (requests.length === 1 ? undefined : 'answer') })
    const bytes = Buffer.alloc(500_000, 'z')
    world.pushFile('p1', bytes)
    expect(world.methods()).toEqual(['INVITE'])
    world.gateway.boot()
    world.advance(SECOND)
    expect(world.gateway.outcomes()).toEqual(['delivered 1000 confirmed'])
    expect(world.taken[0]!.bytes.equals(bytes)).toBe(true)
    expect(world.gateway.contents.size).toBe(0)
  })

  it('is deleted when the push is not accepted', () => {
    const world = new SessionWorld({ invite: () => undefined })
    world.pushFile('p1', Buffer.alloc(70_000))
    expect(world.gateway.contents.size).toBe(1)
    world.pushFile('p1', Buffer.alloc(70_000))
    expect(world.gateway.contents.size).toBe(1)
    world.gateway.storeIsFull = true
    world.pushFile('p2', Buffer.alloc(70_000))
    expect(world.gateway.contents.size).toBe(1)
  })

  it('that cannot be read ends nothing but is tried again', () => {
    const world = new SessionWorld()
    world.gateway.afterOutput = (out) => { if (out.type === 'content-read') world.gateway.contents.clear() }
    world.pushFile('p1', Buffer.alloc(700_000))
    world.advance(SECOND)
    expect(world.gateway.outcomes()).toEqual([])
    world.advance(10 * MINUTES)
    expect(world.methods().filter((method) => method === 'INVITE').length).toBeGreaterThan(1)
  })
})

describe('a session that is kept', () => {
  it('takes one push after another without a second INVITE, until it was idle long enough', () => {
    const world = new SessionWorld()
    for (let count = 0; count < 20; count++) {
      world.push(`p${count}`, { body: `body ${count}` })
      world.advance(SECOND)
    }
    expect(world.methods()).toEqual(['INVITE', 'ACK'])
    expect(world.gateway.outcomes()).toEqual(Array.from({ length: 20 }, () => 'delivered 1000 confirmed'))
    expect(world.taken.map((taken) => taken.header('X-Push-Id'))).toEqual(Array.from({ length: 20 }, (_, count) => `p${count}`))
    expect(world.gateway.gateway.counters).toMatchObject({ sessions: 1, sessionMessages: 20 })
    world.advance(31 * SECOND)
    expect(world.left()).toEqual(NOTHING)
  })

  it('carries several pushes at a time, no more than its bound; the others wait and come after them', () => {
    const world = new SessionWorld({}, { parallel: 3 })
    world.push('first')
    world.mute = true
    for (let count = 0; count < 10; count++) world.push(`p${count}`)
    expect(world.gateway.gateway.counters.sessionMessages).toBe(1 + 3)
    world.mute = false
    world.cut()
    world.advance(5 * MINUTES)
    expect(world.gateway.outcomes()).toHaveLength(11)
    expect(new Set(world.gateway.outcomes())).toEqual(new Set(['delivered 1000 confirmed']))
    expect(world.left()).toEqual(NOTHING)
  })

  it('ends after its number of messages', () => {
    const world = new SessionWorld({}, { messagesMax: 2 })
    for (const id of ['a', 'b', 'c']) world.push(id)
    expect(world.methods()).toEqual(['INVITE', 'ACK', 'BYE', 'INVITE', 'ACK'])
  })

  it('serves one push each where none is kept', () => {
    const world = new SessionWorld({}, { keepMicros: 0 })
    for (const id of ['a', 'b']) world.push(id)
    expect(world.methods()).toEqual(['INVITE', 'ACK', 'BYE', 'INVITE', 'ACK', 'BYE'])
    world.advance(5 * SECOND)
    expect(world.left()).toEqual(NOTHING)
  })

  it('is not shared by another application', () => {
    const world = new SessionWorld()
    world.push('a', { app: 'x-wap-application:mms.ua' })
    world.push('b', { app: 'x-wap-application:wml.ua' })
    expect(world.methods()).toEqual(['INVITE', 'ACK', 'INVITE', 'ACK'])
  })

  it('makes room for another device when all may be open that may', () => {
    const world = new SessionWorld({}, { max: 1 })
    world.push('a', {}, {}, 'anna')
    world.push('b', {}, {}, 'ben')
    expect(world.methods()).toEqual(['INVITE', 'ACK', 'BYE', 'INVITE', 'ACK'])
    expect(world.gateway.outcomes()).toEqual(['delivered 1000 confirmed', 'delivered 1000 confirmed'])
  })

  it('goes with a clean stop, which waits for what is on its way and keeps what was not begun', () => {
    const world = new SessionWorld({}, { max: 1 })
    world.push('a', {}, {}, 'anna')
    world.mute = true
    world.push('b', {}, {}, 'anna')
    world.push('c', {}, {}, 'ben')
    expect(world.left()).toMatchObject({ sessions: 1, waiting: 1 })
    world.gateway.input({ type: 'drain' })
    expect([world.left()['waiting'], world.gateway.drained]).toEqual([0, false])
    world.mute = false
    world.cut()
    world.advance(SECOND)
    expect(world.gateway.drained).toBe(true)
    expect(world.left()).toEqual(NOTHING)
    expect(world.gateway.journal.filter((line) => line.event === 'in-flight').map((line) => line.pushId).sort()).toEqual(['b', 'c'])
  })
})
