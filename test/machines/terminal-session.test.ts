/** Session mode at a terminal: what it takes over INVITE and MSRP, what it refuses before a byte is sent, and that nothing stays behind. */
import { describe, expect, it } from 'vitest'
import type { FileDescription } from '../../core/sdp/msrp-media.js'
import { Header } from '../../core/sip/header-names.js'
import { systemCrypto } from '../../core/live/crypto.js'
import { type Call, type Invitation, contentOf, sending } from './terminal-gateway.js'
import { TerminalWire } from './terminal-wire.js'

const SECOND = 1_000_000
const HEAD = 'v=0\r\no=- 1 1 IN IP4 192.0.2.6\r\ns=-\r\nc=IN IP4 192.0.2.6\r\nt=0 0\r\n'
/** Without a=setup. */
const PLAIN_OFFER = `${HEAD}m=message 2855 TCP/MSRP *\r\na=path:msrp://192.0.2.6:2855/s1;tcp\r\na=accept-types:*\r\n`

function registered(population: ConstructorParameters<typeof TerminalWire>[0] & object = {}): TerminalWire {
  const wire = new TerminalWire({ ...population, population: { subscribers: 1, ...population.population } })
  wire.register()
  return wire
}

function contactOf(wire: TerminalWire, subscriber = 0): string {
  return [...wire.registrar.bindings.keys()].find((uri) => uri.startsWith(`sip:ue-${subscriber}-0@`))!
}

function call(wire: TerminalWire, invitation: Invitation = {}, subscriber = 0): Call {
  return wire.act((gateway, now) => gateway.call(now, contactOf(wire, subscriber), wire.population.impu(subscriber), invitation))
}

function received(wire: TerminalWire): (readonly string[])[] {
  return wire.journal.filter(({ event }) => event === 'received').map(({ pushId, details }) => [pushId, ...details.slice(2)])
}

/** Every gauge is back at zero, on both sides, once idle connections had their time. */
function expectNothingLeft(wire: TerminalWire): void {
  wire.pass(400 * SECOND)
  const { sessions, mediaSessions, mediaConnections, subscriptions, fetches, segments, transactions } = wire.fleet.counters
  expect({ sessions, mediaSessions, mediaConnections, subscriptions, fetches, segments, transactions })
    .toEqual({ sessions: 0, mediaSessions: 0, mediaConnections: 0, subscriptions: 0, fetches: 0, segments: 0, transactions: 0 })
  expect([wire.gateway.invites.size, wire.gateway.msrp.openSessions, wire.msrpConnections]).toEqual([0, 0, 0])
}

function hangUp(wire: TerminalWire, each: Call): void {
  wire.act((gateway, now) => gateway.invites.close(now, each.invite!))
}

function fileOf(content: Buffer, more: FileDescription['selector'] = {}): FileDescription {
  return { selector: { name: 'picture.si', type: 'text/vnd.wap.si', size: content.length, sha1: systemCrypto.hashHex('sha-1', content), ...more }, transferId: 'transfer-1' }
}

describe('a session', () => {
  it('is answered by the side that connects (RFC 6135), takes a content, confirms every octet, and ends by BYE', () => {
    const wire = registered()
    const one = call(wire, { pushId: 'invited@pi' })
    expect(one.status).toBe(200)
    expect(one.line()).toMatchObject({ port: 9, setup: 'active', direction: 'recvonly', maxSize: 104_857_600 })
    // RFC 3261 section 13.3.1.4.
    expect(one.response!.get(Header.Allow)).toContain('INVITE, ACK, CANCEL, BYE')
    expect(one.line().acceptTypes).toContain('text/vnd.wap.si')
    expect(one.line().acceptTypes.filter((type) => type.startsWith('message/'))).toEqual([])
    expect(one.line().path[0]).toMatch(/^msrp:\/\/198\.51\.100\.11:9\/[A-Za-z0-9]{16,};tcp$/)
    expect(wire.fleet.counters).toMatchObject({ sessions: 1, mediaSessions: 1, mediaConnections: 1 })
    const content = contentOf(300_000)
    wire.act((_gateway, now) => one.msrp[0]!.send(now, sending('m001', content)))
    wire.pass(SECOND)
    expect(one.outcomes).toEqual([{ type: 'confirmed' }])
    expect(received(wire)).toEqual([['invited@pi', '200', 'first', 'session']])
    expect(wire.fleet.counters).toMatchObject({ received: 1, sessionBytes: 300_000 })
    hangUp(wire, one)
    expect(one.end).toBe('closed')
    expectNothingLeft(wire)
  })

  it('takes several pushes one after the other and at once, each noted with its own push-id, a second copy as such', () => {
    const wire = registered()
    const one = call(wire, { pushId: 'first@pi' })
    const send = (id: string, pushId: string): void => wire.act((_gateway, now) => void one.msrp[0]!.send(now, sending(id, contentOf(5_000), { headers: [{ name: 'X-Push-Id', value: pushId }] })))
    for (const [id, pushId] of [['m001', 'a@pi'], ['m002', 'b@pi'], ['m003', 'a@pi']] as const) send(id, pushId)
    wire.pass(SECOND)
    expect(received(wire)).toEqual([['a@pi', '200', 'first', 'session'], ['b@pi', '200', 'first', 'session'], ['a@pi', '200', 'repeat', 'session']])
    expect(wire.fleet.counters).toMatchObject({ received: 2, repeats: 1 })
    hangUp(wire, one)
    expectNothingLeft(wire)
  })

  it('shares one connection with those of other terminals', () => {
    const wire = registered({ population: { subscribers: 3 } })
    const calls = [0, 1, 2].map((subscriber) => call(wire, {}, subscriber))
    for (const [index, each] of calls.entries()) wire.act((_gateway, now) => void each.msrp[0]!.send(now, sending(`m00${index}`, contentOf(10_000))))
    wire.pass(SECOND)
    expect(calls.map(({ outcomes }) => outcomes[0]?.type)).toEqual(['confirmed', 'confirmed', 'confirmed'])
    expect(wire.msrpConnections).toBe(1)
    for (const each of calls) hangUp(wire, each)
    expectNothingLeft(wire)
  })

  it('for a file checks size and SHA-1 of what came (RFC 5547 8.3): another file is not received', () => {
    const wire = registered()
    const content = contentOf(70_000)
    const good = call(wire, { files: [fileOf(content)] })
    expect(good.line().file).toMatchObject({ transferId: 'transfer-1', selector: { name: 'picture.si', size: 70_000, type: 'text/vnd.wap.si' } })
    const other = call(wire, { pushId: 'other@pi', files: [fileOf(content, { sha1: '0'.repeat(40) })] })
    const short = call(wire, { pushId: 'short@pi', files: [fileOf(content, { size: 70_001 })] })
    for (const [index, each] of [good, other, short].entries()) wire.act((_gateway, now) => void each.msrp[0]!.send(now, sending(`m00${index}`, content)))
    wire.pass(SECOND)
    expect([good, other, short].map(({ outcomes }) => outcomes[0])).toMatchObject([{ type: 'confirmed' }, { type: 'refused', status: 400 }, { type: 'refused', status: 400 }])
    expect(received(wire)).toEqual([['p@test', '200', 'first', 'session'], ['other@pi', '400', 'first', 'session'], ['short@pi', '400', 'first', 'session']])
    for (const each of [good, other, short]) hangUp(wire, each)
    expectNothingLeft(wire)
  })

  it('refuses a file by port 0 before a byte is sent, for its type, its size or a name that leads elsewhere, and takes the one beside it', () => {
    const wire = registered({ population: { capabilities: [{ sizeMax: 1_000 }] } })
    const content = contentOf(500)
    const refused = [fileOf(content, { type: 'image/png' }), fileOf(content, { size: 1_001 }), fileOf(content, { name: '../etc' }), fileOf(content, { name: '.profile' })]
    for (const file of refused) {
      const each = call(wire, { files: [file] })
      expect(each.status).toBe(200)
      expect(each.line()).toMatchObject({ port: 0, file: { transferId: 'transfer-1' } })
      hangUp(wire, each)
    }
    expect(wire.msrpConnections).toBe(0)
    const both = call(wire, { files: [refused[1], fileOf(content)] })
    expect([both.line(0).port, both.line(1).port]).toEqual([0, 9])
    wire.act((_gateway, now) => void both.msrp[1]!.send(now, sending('m001', content)))
    wire.pass(SECOND)
    expect(both.outcomes).toEqual([{ type: 'confirmed' }])
    hangUp(wire, both)
    expectNothingLeft(wire)
  })

  it.each<[string, number, Invitation]>([
    ['without an asserted identity', 403, { headers: [[Header.PAssertedIdentity, undefined]] }],
    ['that requires an extension', 420, { headers: [[Header.Require, 'cure']] }],
    ['for an application the device lacks', 480, { headers: [[Header.AcceptContact, '*;+g.oma.pusheventapp="loc.ua";require;explicit']] }],
    ['with another body than a description', 415, { headers: [[Header.ContentType, 'text/plain']] }],
    ['without an offer', 488, { headers: [[Header.ContentType, undefined]], body: '' }],
    ['whose caller takes no description', 406, { headers: [[Header.Accept, 'text/plain']] }],
    ['with a description that cannot be read', 400, { body: 'v=0\r\nhello' }],
    ['of types the device does not take', 488, { acceptTypes: ['image/png'] }],
    ['whose caller wants to connect', 488, { setup: 'active' }],
    ['without a=setup, whose caller connects', 488, { body: PLAIN_OFFER }],
    ['of audio', 488, { body: `${HEAD}m=audio 5000 RTP/AVP 0\r\n` }],
    ['to a name instead of an address', 488, { body: `${PLAIN_OFFER.replace('192.0.2.6:2855', 'gateway.example:2855')}a=setup:actpass\r\n` }],
  ])('%s is refused with %d, and noted', (_what, status, invitation) => {
    const wire = registered()
    const one = call(wire, { pushId: 'x@pi', ...invitation })
    expect(one.status).toBe(status)
    if (status === 415) expect(one.response!.get(Header.Accept)).toBe('application/sdp')
    expect(received(wire)).toEqual([['x@pi', String(status), 'first', 'session']])
    expectNothingLeft(wire)
  })

  it('is refused by a device without session mode with 405, and by a refusing one with its own status', () => {
    const without = registered({ population: { capabilities: [{ bindings: ['event'] }] } })
    const one = call(without)
    expect([one.status, one.response!.get(Header.Allow)]).toEqual([405, 'MESSAGE, OPTIONS, NOTIFY, REFER'])
    for (const status of [603, 606]) {
      const refusing = registered({ population: { shares: { refusing: 1 }, refusal: { status } } })
      expect(call(refusing).status).toBe(status)
      expect(refusing.fleet.counters.refused).toBe(1)
      expectNothingLeft(refusing)
    }
  })

  it('of a content too large, of another type, encoded or for another application is stopped over MSRP by status', () => {
    const wire = registered({ population: { capabilities: [{ sizeMax: 1_000 }] } })
    const one = call(wire)
    const attempts: [string, Parameters<typeof sending>[2]][] = [
      ['m001', {}], ['m002', { contentType: 'image/png' }], ['m003', { headers: [{ name: 'Content-Encoding', value: 'gzip' }] }],
      ['m004', { headers: [{ name: 'X-Wap-Application-Id', value: 'x-wap-application:loc.ua' }] }],
    ]
    for (const [id, more] of attempts) wire.act((_gateway, now) => void one.msrp[0]!.send(now, sending(id, contentOf(id === 'm001' ? 1_001 : 100), more)))
    wire.pass(SECOND)
    expect(one.outcomes.map((outcome) => (outcome.type === 'refused' ? outcome.status : outcome.type))).toEqual([413, 415, 415, 403])
    hangUp(wire, one)
    expectNothingLeft(wire)
  })

  it('whose connection cannot be opened ends at once by BYE, so that its caller need not wait for it', () => {
    const wire = registered()
    wire.reachable = false
    const one = call(wire)
    expect(one.status).toBe(200)
    wire.pass(SECOND)
    expect(one.end).toBe('BYE')
    expectNothingLeft(wire)
  })

  it('goes on over a new path when its connection is lost and a new offer comes, and ends by itself when none does', () => {
    const wire = registered()
    const one = call(wire)
    const before = one.line()
    wire.closeMsrp()
    expect(one.downs).toEqual(['connection'])
    const next = wire.act((gateway) => gateway.msrp.session({ transport: 'tcp', acceptTypes: ['*'], context: one }))
    one.msrp[0] = next
    wire.act((gateway, now) => gateway.reoffer(now, one, [{ ...before, port: 2855, path: [next.uri], setup: 'actpass', direction: 'sendonly', host: '192.0.2.6' }]))
    wire.act((_gateway, now) => void next.send(now, sending('m001', contentOf(100))))
    wire.pass(SECOND)
    expect(one.outcomes).toEqual([{ type: 'confirmed' }])
    expect(one.answer!.origin.version).toBe(2)
    wire.closeMsrp()
    wire.pass(29 * SECOND)
    expect(one.end).toBeUndefined()
    wire.pass(2 * SECOND)
    expect(one.end).toBe('BYE')
    expectNothingLeft(wire)
  })

  it('answers a new offer it cannot take with 488 and stays as it was; a line with another file under the same id gets port 0', () => {
    const wire = registered()
    const content = contentOf(100)
    const one = call(wire, { files: [fileOf(content)] })
    const line = { ...one.line(), port: 2855, path: [one.msrp[0]!.uri], setup: 'actpass', direction: 'sendonly', host: '192.0.2.6' } as const
    wire.act((gateway, now) => gateway.reoffer(now, one, [{ ...line, acceptTypes: ['image/png'], file: undefined }]))
    expect(one.status).toBe(488)
    wire.act((_gateway, now) => void one.msrp[0]!.send(now, sending('m001', content)))
    wire.pass(SECOND)
    expect(one.outcomes).toEqual([{ type: 'confirmed' }])
    wire.act((gateway, now) => gateway.reoffer(now, one, [{ ...line, file: fileOf(content, { size: 5 }) }]))
    expect([one.status, one.line().port]).toEqual([200, 0])
    hangUp(wire, one)
    expectNothingLeft(wire)
  })

  it('keeps its media lines: a new offer may add one or end one, and is answered 488 when one is taken away', () => {
    const wire = registered()
    const one = call(wire)
    const line = { ...one.line(), port: 2855, path: [one.msrp[0]!.uri], setup: 'actpass', direction: 'sendonly', host: '192.0.2.6' } as const
    const more = wire.act((gateway) => gateway.msrp.session({ transport: 'tcp', acceptTypes: ['*'], context: one }))
    one.msrp.push(more)
    const offered = (...lines: readonly (typeof line)[]): unknown => {
      wire.act((gateway, now) => gateway.reoffer(now, one, lines))
      return [one.status, wire.fleet.counters.mediaSessions]
    }
    expect(offered(line, { ...line, path: [more.uri] as [string] })).toEqual([200, 2])
    expect(offered(line)).toEqual([488, 2])
    expect(offered(line, { ...line, port: 0 as 2855 })).toEqual([200, 1])
    hangUp(wire, one)
    expectNothingLeft(wire)
  })

  it('ends with the terminal: by BYE when it is switched off, without a word when it vanishes, and when its flow is lost', () => {
    for (const [to, end] of [['off', 'BYE'], ['vanished', undefined]] as const) {
      const wire = registered()
      const one = call(wire)
      wire.tellFleet({ type: 'switch', subscriber: 0, to })
      expect(one.end).toBe(end)
      expect(wire.fleet.counters).toMatchObject({ sessions: 0, mediaSessions: 0 })
      if (end === undefined) hangUp(wire, one)
      expectNothingLeft(wire)
    }
    const cut = registered()
    call(cut)
    cut.cut()
    expect(cut.fleet.counters).toMatchObject({ sessions: 0, mediaSessions: 0 })
  })

  it('that is cancelled before the device answered is answered 487', () => {
    const wire = registered({ population: { answerDelay: { type: 'constant', micros: 3 * SECOND } } })
    const one = call(wire)
    wire.pass(SECOND)
    hangUp(wire, one)
    wire.pass(SECOND)
    expect([one.status, one.end]).toEqual([487, 'cancelled'])
    expectNothingLeft(wire)
  })
})
