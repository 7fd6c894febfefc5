/** A terminal over the wire: how it registers and keeps registered, and what it answers to each push. */
import { Schema } from 'effect'
import { describe, expect, it } from 'vitest'
import { SeededEntropy } from '../../core/kit/entropy.js'
import { TICK } from '../../core/kit/machine.js'
import { systemCrypto } from '../../core/live/crypto.js'
import { challengeText, parseCredentials } from '../../core/sip/digest.js'
import { Header } from '../../core/sip/header-names.js'
import { composed } from '../../core/sip/header-text.js'
import { responseTo } from '../../core/sip/write.js'
import { PopulationConfig, populationOf } from '../../sim/live/population-config.js'
import { Fleet, OPENING_MAX, REGISTERS_PENDING_MAX } from '../../sim/terminal/fleet.js'
import type { FleetIn } from '../../sim/terminal/fleet-contract.js'
import { BACKOFF } from '../../sim/terminal/flow-registration.js'
import { standardLines } from '../live/small-registrar.js'
import { TerminalWire } from './terminal-wire.js'

const SECOND = 1_000_000

const one = (options: ConstructorParameters<typeof TerminalWire>[0] = {}): TerminalWire => new TerminalWire({ ...options, population: { subscribers: 1, ...options.population } })
const steady = { shares: { returning: 0, cycling: 0, refusing: 0, absent: 0 } }

describe('registration', () => {
  it('names the private identity first, then answers the first challenge it knows (RFC 8760 2.4)', () => {
    const wire = one()
    expect(wire.register()).toMatchObject({ wanted: 1, done: 1, refused: 0, pending: 0 })
    const [first, second] = wire.registrar.registers.map((register) => parseCredentials(register.get(Header.Authorization)!)!)
    expect(first).toMatchObject({ username: 'user000000@home1.example', nonce: '', response: '' })
    expect(second).toMatchObject({ algorithm: 'SHA-256', qop: { nc: 1 } })
    expect(wire.registrar.registers.map((register) => register.get(Header.CSeq))).toEqual(['1 REGISTER', '2 REGISTER'])
    expect(new Set(wire.registrar.registers.map((register) => register.get(Header.CallId))).size).toBe(1)
  })

  it('registers instance, applications and methods, and asks for path and gruu', () => {
    const wire = one()
    wire.register()
    const register = wire.registrar.registers[0]!
    expect(register.requestUri).toBe('sip:home1.example')
    expect(register.get(Header.Contact)).toContain(`+sip.instance="<${wire.terminal().device.instance}>"`)
    expect(register.get(Header.Contact)).toContain(`+g.oma.pusheventapp="${wire.terminal().device.applications.join(',')}"`)
    expect(register.get(Header.Supported)).toBe('path, gruu')
  })

  it('learns GRUUs, Service-Route and associated identities', () => {
    const wire = one()
    wire.register()
    const { device, grant } = wire.terminal()
    expect(grant).toMatchObject({
      expirySeconds: 3_600, publicGruu: `sip:user000000@home1.example;gr=${device.instance}`, serviceRoute: '<sip:orig@scscf1.home1.example;lr>', associated: '<sip:user000000@home1.example>',
    })
    expect(grant!.temporaryGruu).toMatch(/^sip:tgruu\./)
  })

  it('refreshes 600 s before a long expiry and after half of a short one (TS 24.229 5.1.1.4.1), using its nonce again', () => {
    for (const [expirySeconds, refreshAfter] of [[3_600, 3_000], [1_000, 500]] as const) {
      const wire = one({ registrar: { expirySeconds } })
      wire.register()
      wire.pass((refreshAfter - 3) * SECOND)
      expect(wire.registrar.registers).toHaveLength(2)
      wire.pass(3 * SECOND)
      expect(wire.registrar.registers).toHaveLength(3)
      expect(parseCredentials(wire.registrar.registers[2]!.get(Header.Authorization)!)!.qop!.nc).toBe(2)
      expect(wire.terminal().state).toBe('registered')
    }
  })

  it('asks for longer when told 423, and gives up on a 423 that names no longer time', () => {
    const wire = one()
    wire.terminal().expiryAskedSeconds = 60
    wire.registrar.instead = (request) => Number(request.get(Header.Expires)) < 7_200 ? responseTo(request, 423, undefined, 't').append(Header.MinExpires, composed('7200')) : undefined
    wire.register()
    expect(wire.registrar.registers.map((register) => register.get(Header.Expires))).toEqual(['60', '7200', '7200'])
    const senseless = one()
    senseless.registrar.instead = (request) => responseTo(request, 423, undefined, 't').append(Header.MinExpires, composed('10'))
    expect(senseless.register()).toMatchObject({ refused: 1 })
  })

  it('answers a stale nonce again, but a wrong password once only', () => {
    const wire = one()
    wire.register()
    let stale = 0
    wire.registrar.instead = (request) => stale++ > 1 ? undefined
      : responseTo(request, 401, undefined, 't').append(Header.WwwAuthenticate, challengeText({ realm: 'home1.example', nonce: `n${stale}`, algorithm: 'MD5', qopAuth: true, stale: true })!)
    wire.pass(3_000 * SECOND)
    expect(wire.terminal().state).toBe('registered')
    expect(parseCredentials(wire.registrar.registers.at(-1)!.get(Header.Authorization)!)).toMatchObject({ nonce: 'n2', algorithm: 'MD5' })
    const wrong = one({ registrar: { passwordOf: () => 'another' } })
    expect(wrong.register()).toMatchObject({ done: 0, refused: 1 })
    expect(wrong.registrar.registers).toHaveLength(2)
  })

  it('backs off as RFC 5626 4.5 says: half to all of base times two for every failure, within the maximum', () => {
    const wire = one()
    wire.registrar.instead = (request) => responseTo(request, 500, undefined, 't')
    const asked: number[] = []
    wire.register()
    for (let tries = 1; asked.length < 10; wire.pass(SECOND)) {
      if (wire.registrar.registers.length === tries) continue
      asked.push(wire.mono)
      tries = wire.registrar.registers.length
    }
    const waits = asked.slice(1).map((at, index) => (at - asked[index]!) / SECOND)
    waits.forEach((wait, index) => {
      const upper = Math.min(1_800, 30 * 2 ** (index + 1))
      expect(wait).toBeGreaterThanOrEqual(upper / 2 - 1)
      expect(wait).toBeLessThanOrEqual(upper + 1)
    })
  })

  it('waits as long as Retry-After says, and 32 s for no answer at all', () => {
    const wire = one()
    wire.registrar.instead = (request) => responseTo(request, 503, undefined, 't').append(Header.RetryAfter, composed('7'))
    wire.register()
    expect(wire.terminal().state).toBe('backoff')
    wire.registrar.instead = () => 'silence'
    wire.pass(5 * SECOND)
    expect(wire.terminal().state).toBe('registering')
    wire.pass(31 * SECOND)
    expect(wire.terminal().state).toBe('registering')
    wire.pass(SECOND)
    expect(wire.terminal().state).toBe('backoff')
  })

  it('registers anew over a new connection when its own is lost, and tells both', () => {
    const wire = one()
    wire.register()
    wire.cut()
    expect(wire.terminal().state).toBe('backoff')
    expect(wire.fleet.counters).toMatchObject({ registered: 0, flows: 0 })
    wire.pass(31 * SECOND)
    expect(wire.fleet.counters).toMatchObject({ registered: 1, flows: 1 })
    expect(wire.journal.map(({ event }) => event)).toEqual(['device-up', 'device-down', 'device-up'])
  })

  it('keeps trying to connect while the proxy cannot be reached', () => {
    const wire = one()
    wire.cut()
    wire.reachable = false
    wire.pass(120 * SECOND)
    wire.reachable = true
    wire.pass(31 * SECOND)
    expect(wire.register()).toMatchObject({ done: 1 })
  })

  it('starts devices at the pace asked for and settles by the deadline when some cannot register', () => {
    const wire = new TerminalWire({ population: { subscribers: 100 } })
    wire.tellFleet({ type: 'register', ticket: 1, perSecond: 10, withinMicros: 60 * SECOND })
    wire.pass(4.95 * SECOND)
    expect(wire.fleet.counters.registered).toBe(50)
    const stuck = new TerminalWire({ population: { subscribers: 3 } })
    stuck.registrar.instead = (request) => (request.get(Header.From)!.includes('user000001') ? 'silence' : undefined)
    stuck.tellFleet({ type: 'register', ticket: 9, perSecond: 100, withinMicros: 10 * SECOND })
    stuck.pass(9 * SECOND)
    expect(stuck.settled).toEqual([])
    stuck.pass(SECOND)
    expect(stuck.settled).toEqual([{ type: 'settled', ticket: 9, wanted: 3, done: 2, refused: 0, pending: 1 }])
  })

  it('counts those whose turn did not come in time among the missing', () => {
    const wire = new TerminalWire({ population: { subscribers: 100 } })
    wire.tellFleet({ type: 'register', ticket: 1, perSecond: 10, withinMicros: 5 * SECOND })
    wire.pass(6 * SECOND)
    const [settled] = wire.settled
    expect(settled).toMatchObject({ wanted: 100, refused: 0 })
    expect(settled!.done).toBeLessThan(60)
    expect(settled!.done + settled!.pending).toBe(100)
  })

  it('opens no more connections at once than a machine can shake hands with, and goes on as they come up or fail', () => {
    const population = populationOf(Schema.decodeSync(PopulationConfig)({ subscribers: 3 * OPENING_MAX, devicesPerSubscriber: { 1: 1 }, access: { ownConnections: 1 } }))
    const fleet = new Fleet({ shard: { index: 0, count: 1 }, proxy: { address: '192.0.2.5', port: 5061 }, transport: 'tls', connections: 1, backoff: BACKOFF }, population, new SeededEntropy(1), systemCrypto)
    const opening: number[] = []
    let mono = SECOND
    const tell = (input: FleetIn): void => {
      fleet.handle({ mono, wall: 0 }, input)
      for (let out = fleet.poll(); out !== undefined; out = fleet.poll()) if (out.type === 'connect') opening.push(out.ticket)
    }
    const pass = (): void => {
      for (const until = mono + SECOND; fleet.deadline() <= until;) {
        mono = Math.max(mono, fleet.deadline())
        tell(TICK)
      }
    }
    const up = (flow: number): void => tell({ type: 'flow-up', flow, transport: 'tls', local: { address: '192.0.2.1', port: flow }, remote: undefined, ticket: opening.shift()! })
    tell(TICK)
    // The one that the others would share.
    up(1)
    tell({ type: 'register', ticket: 1, perSecond: 1_000_000, withinMicros: 60 * SECOND })
    pass()
    expect(opening).toHaveLength(OPENING_MAX)
    for (let flow = 2; flow < 32; flow++) up(flow)
    for (let failed = 0; failed < 20; failed++) tell({ type: 'connect-failed', ticket: opening.shift()!, reason: 'no answer' })
    expect(opening).toHaveLength(OPENING_MAX - 50)
    pass()
    expect([opening.length, fleet.counters.registersSent, fleet.counters.registersFailed]).toEqual([OPENING_MAX, 30, 20])
  })

  it('is not begun by more devices than a slow registrar can answer', () => {
    const wire = new TerminalWire({ population: { subscribers: REGISTERS_PENDING_MAX + 10 } })
    wire.registrar.instead = () => 'silence'
    wire.tellFleet({ type: 'register', ticket: 1, perSecond: 1_000_000, withinMicros: 20 * SECOND })
    wire.pass(10 * SECOND)
    expect(wire.fleet.counters).toMatchObject({ registersSent: REGISTERS_PENDING_MAX, registersPending: REGISTERS_PENDING_MAX })
    wire.pass(23 * SECOND)
    expect(wire.fleet.counters.registersPending).toBe(0)
  })

  it('deregisters with expiry 0 and a new Call-ID when it comes back', () => {
    const wire = one()
    wire.register()
    wire.tellFleet({ type: 'deregister', ticket: 99, perSecond: 10, withinMicros: SECOND })
    expect(wire.settled.at(-1)).toMatchObject({ ticket: 99, wanted: 1, done: 1 })
    expect(wire.registrar.bindings.size).toBe(0)
    const before = wire.registrar.registers.at(-1)!
    expect(before.get(Header.Expires)).toBe('0')
    wire.tellFleet({ type: 'switch', subscriber: 0, to: 'on' })
    expect(wire.registrar.registers.at(-1)!.get(Header.CallId)).not.toBe(before.get(Header.CallId))
    expect(wire.journal.map(({ event }) => event)).toEqual(['device-up', 'device-down', 'device-up'])
  })

  it('leaves an absent device off, and turns a returning one on and off by its cycle', () => {
    const wire = new TerminalWire({ population: {
      subscribers: 2, shares: { absent: 0.5, returning: 0.5 },
      returning: { on: { type: 'constant', micros: 10 * SECOND }, off: { type: 'constant', micros: 20 * SECOND }, silentShare: 0, offAtStartShare: 1 },
    } })
    expect(wire.register()).toMatchObject({ wanted: 0, done: 0 })
    const seen: number[] = []
    for (let at = 0; at < 12; at++) {
      wire.pass(5 * SECOND)
      seen.push(wire.fleet.counters.registered)
    }
    expect(seen).toEqual([0, 0, 0, 1, 1, 0, 0, 0, 0, 1, 1, 0])
    expect(wire.registrar.bindings.size).toBe(0)
  })
})

describe('a push', () => {
  const registered = (options: ConstructorParameters<typeof TerminalWire>[0] = {}): TerminalWire => {
    const wire = one({ ...options, population: { ...steady, ...options.population } })
    wire.register()
    return wire
  }
  const without = (id: number) => standardLines('home1.example').filter(([each]) => each !== id)
  const received = (wire: TerminalWire): (readonly string[])[] => wire.journal.filter(({ event }) => event === 'received').map(({ pushId, details }) => [pushId, ...details])

  it('is taken with 200 that has neither Contact nor body (RFC 3428 7), and journalled', () => {
    const wire = registered()
    const ticket = wire.push(0, { pushId: 'a@pi', target: 'sip:user000000@home1.example;gr=urn:x' })
    const { status, response } = wire.answers.get(ticket)!
    expect(status).toBe(200)
    expect(response!.has(Header.Contact)).toBe(false)
    expect(response!.body).toHaveLength(0)
    expect(response!.get(Header.To)).toMatch(/;tag=\w{12,}/)
    expect(received(wire)).toEqual([['a@pi', 'sip:user000000@home1.example;gr=urn:x', wire.terminal().device.instance, '200', 'first', 'message']])
    expect(wire.fleet.roster.groups['always-online']).toMatchObject({ devices: 1, received: 1 })
  })

  it('without an asserted identity is forbidden', () => {
    const wire = registered()
    expect(wire.statusOf(wire.push(0, { lines: without(Header.PAssertedIdentity) }))).toBe(403)
    expect(wire.fleet.counters.rejectedByCheck).toBe(1)
  })

  it('for an application the device lacks gets 480, by its push header or its Accept-Contact', () => {
    const wire = registered()
    const lines = without(Header.AcceptContact)
    expect(wire.statusOf(wire.push(0, { lines: [...lines, [Header.AcceptContact, '*;+g.oma.pusheventapp="loc.ua";require;explicit']] }))).toBe(480)
    expect(wire.statusOf(wire.push(0, { lines: [...lines, [Header.XWapApplicationId, 'x-wap-application:loc.ua']] }))).toBe(480)
    expect(wire.statusOf(wire.push(0, { lines: [...lines, [Header.XWapApplicationId, 'x-wap-application:PUSH.SIA']] }))).toBe(200)
    expect(wire.statusOf(wire.push(0, { lines }))).toBe(200)
  })

  it('of a type the device does not take gets 415 with Accept; text/plain is always taken', () => {
    const wire = registered()
    const lines = without(Header.ContentType)
    const { status, response } = wire.answers.get(wire.push(0, { lines: [...lines, [Header.ContentType, 'image/png']] }))!
    expect(status).toBe(415)
    expect(response!.get(Header.Accept)).toContain('text/vnd.wap.si')
    expect(wire.statusOf(wire.push(0, { lines: [...lines, [Header.ContentType, 'Text/Plain; charset=utf-8']] }))).toBe(200)
    const encoded = wire.answers.get(wire.push(0, { lines: [...standardLines('home1.example'), [Header.ContentEncoding, 'gzip']] }))!
    expect(encoded.response!.get(Header.AcceptEncoding)).toBe('identity')
  })

  it('that requires an extension gets 420 with what is not supported', () => {
    const wire = registered()
    const { status, response } = wire.answers.get(wire.push(0, { lines: [...standardLines('home1.example'), [Header.Require, 'cure']] }))!
    expect([status, response!.get(Header.Unsupported)]).toEqual([420, 'cure'])
  })

  it('that comes a second time is answered 200 again and counted as a repeat', () => {
    const wire = registered()
    expect([wire.push(0, { pushId: 'a@pi' }), wire.push(0, { pushId: 'a@pi' }), wire.push(0, { pushId: 'b@pi' })].map((ticket) => wire.statusOf(ticket))).toEqual([200, 200, 200])
    expect(wire.fleet.counters).toMatchObject({ received: 2, repeats: 1 })
    expect(received(wire).map((line) => line.at(-2))).toEqual(['first', 'repeat', 'first'])
  })

  it('that comes from elsewhere than the proxy it registered with is forbidden', () => {
    const wire = registered({ fleet: { transport: 'udp' } })
    expect(wire.statusOf(wire.push(0))).toBe(200)
    const forged = Buffer.from([
      `MESSAGE ${[...wire.registrar.bindings.keys()][0]} SIP/2.0`, 'Via: SIP/2.0/UDP 203.0.113.9:5060;branch=z9hG4bKforged', 'Max-Forwards: 70', 'From: <sip:push@evil.example>;tag=1',
      'To: <sip:user000000@home1.example>', 'Call-ID: forged', 'CSeq: 1 MESSAGE', 'P-Asserted-Identity: <sip:push@ppg.home1.example>', 'Content-Length: 0', '', '',
    ].join('\r\n'))
    wire.tellFleet({ type: 'bytes', flow: 1, bytes: forged, from: { address: '203.0.113.9', port: 5060 } })
    expect(wire.fleet.counters.rejectedByCheck).toBe(1)
  })

  it('to a refusing device gets its status and Retry-After', () => {
    const wire = registered({ population: { shares: { refusing: 1 }, refusal: { status: 486, retryAfterSeconds: 120 } } })
    const { status, response } = wire.answers.get(wire.push(0))!
    expect([status, response!.get(Header.RetryAfter)]).toEqual([486, '120'])
    expect(wire.fleet.counters).toMatchObject({ refused: 1, received: 0 })
  })

  it('is answered after the device\'s delay, and not by one that is off', () => {
    const wire = registered({ population: { answerDelay: { type: 'constant', micros: 300_000 } } })
    const ticket = wire.push(0)
    wire.pass(299_000)
    expect(wire.statusOf(ticket)).toBeUndefined()
    wire.pass(1_000)
    expect(wire.statusOf(ticket)).toBe(200)
    wire.tellFleet({ type: 'switch', subscriber: 0, to: 'vanished' })
    const unheard = wire.push(0)
    wire.pass(32 * SECOND)
    expect(wire.statusOf(unheard)).toBe(0)
    expect(wire.fleet.counters.unheard).toBe(1)
  })

  it('is all that a device without further bindings takes: OPTIONS tells what it can, other methods get 405 with Allow, strangers 404', () => {
    const wire = registered({ fleet: { transport: 'udp' }, population: { subscribers: 4, capabilities: [{ bindings: [] }] } })
    const contact = [...wire.registrar.bindings.keys()][0]!
    const ask = (method: string, uri: string): string => {
      const bytes = Buffer.from([
        `${method} ${uri} SIP/2.0`, `Via: SIP/2.0/UDP 192.0.2.5:5060;branch=z9hG4bK${method}${uri.length}`, 'Max-Forwards: 70', 'From: <sip:a@b.example>;tag=1',
        'To: <sip:user000000@home1.example>', `Call-ID: ${method}`, `CSeq: 1 ${method}`, 'Contact: <sip:a@b.example>', 'Content-Length: 0', '', '',
      ].join('\r\n'))
      wire.tellFleet({ type: 'bytes', flow: 1, bytes, from: { address: '192.0.2.5', port: 5060 } })
      return wire.lastSent
    }
    expect(ask('OPTIONS', contact)).toMatch(/^SIP\/2\.0 200 [^]*Allow: MESSAGE, OPTIONS\r\nAccept: text\/plain, /)
    for (const method of ['INVITE', 'REFER', 'INFO']) expect(ask(method, contact)).toMatch(/^SIP\/2\.0 405 [^]*Allow: MESSAGE, OPTIONS\r\n/)
    for (const stranger of ['sip:ue-4-0@198.51.100.11', 'sip:ue-0-1@198.51.100.11', 'sip:ue-0-256@x', 'sip:ue-0-@x', 'sip:ue--0@x', 'sip:ue-0-999@x', 'sip:other@x', 'sip:ue-99999999999-0@x']) {
      expect(ask('OPTIONS', stranger)).toMatch(/^SIP\/2\.0 404 /)
    }
  })
})
