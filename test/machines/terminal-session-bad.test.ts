/** Terminals that are bad peers, each by its name: what the caller sees of it, that others lose nothing, and that nothing stays behind. */
import { describe, expect, it } from 'vitest'
import { Header } from '../../core/sip/header-names.js'
import type { Misbehaviour } from '../../sim/terminal/misbehaviour.js'
import { type Call, contentOf, sending } from './terminal-gateway.js'
import { TerminalWire } from './terminal-wire.js'

const SECOND = 1_000_000

/** Subscriber 0 behaves; subscriber 1 does not. */
function withBad(misbehaviour: Misbehaviour): TerminalWire {
  const wire = new TerminalWire({ population: { subscribers: 2, misbehaving: { [misbehaviour]: 0.5 } } })
  expect(wire.population.misbehaving(misbehaviour)).toEqual({ from: 1, to: 2 })
  expect(wire.register()).toMatchObject({ done: 2 })
  return wire
}

function call(wire: TerminalWire, subscriber: number): Call {
  const contact = [...wire.registrar.bindings.keys()].find((uri) => uri.startsWith(`sip:ue-${subscriber}-0@`))!
  return wire.act((gateway, now) => gateway.call(now, contact, wire.population.impu(subscriber), { pushId: `to${subscriber}@pi` }))
}

function send(wire: TerminalWire, each: Call, bytes = 100_000): void {
  wire.act((_gateway, now) => void each.msrp[0]!.send(now, sending('m001', contentOf(bytes))))
}

function expectNothingLeft(wire: TerminalWire, calls: readonly Call[]): void {
  for (const each of calls) if (each.end === undefined) wire.act((gateway, now) => gateway.invites.close(now, each.invite!))
  wire.pass(400 * SECOND)
  const { sessions, mediaSessions, mediaConnections, transactions } = wire.fleet.counters
  expect({ sessions, mediaSessions, mediaConnections, transactions }).toEqual({ sessions: 0, mediaSessions: 0, mediaConnections: 0, transactions: 0 })
  expect([wire.gateway.invites.size, wire.gateway.msrp.openSessions, wire.msrpConnections]).toEqual([0, 0, 0])
}

/** A session with each of the two, and a content to each. */
function both(wire: TerminalWire): readonly [good: Call, bad: Call] {
  const calls = [call(wire, 0), call(wire, 1)] as const
  wire.pass(SECOND)
  for (const each of calls) if (each.status === 200) send(wire, each)
  wire.pass(10 * SECOND)
  expect(calls[0].outcomes).toEqual([{ type: 'confirmed' }])
  return calls
}

describe('a terminal that', () => {
  it('never answers rings for three minutes at most, hears no MESSAGE and no OPTIONS', () => {
    const wire = withBad('never-answers')
    const [good, bad] = both(wire)
    expect([bad.progress, bad.status]).toEqual([[180], 0])
    const message = wire.push(1)
    wire.act((gateway, now) => gateway.send(now, gateway.request('OPTIONS', [...wire.registrar.bindings.keys()][1]!, wire.population.impu(1))))
    wire.pass(33 * SECOND)
    expect([wire.statusOf(message), wire.gateway.answers]).toEqual([0, ['timeout']])
    wire.pass(150 * SECOND)
    expect(bad.status).toBe(480)
    expectNothingLeft(wire, [good, bad])
  })

  it('never answers takes a CANCEL all the same', () => {
    const wire = withBad('never-answers')
    const bad = call(wire, 1)
    wire.pass(5 * SECOND)
    wire.act((gateway, now) => gateway.invites.close(now, bad.invite!))
    expect([bad.status, bad.end]).toEqual([487, 'cancelled'])
    wire.pass(60 * SECOND)
    // Nothing rings on: what it wakes for next is its registration.
    expect(wire.fleet.deadline() - wire.now.mono).toBeGreaterThan(600 * SECOND)
    expectNothingLeft(wire, [bad])
  })

  it('answers late answers INVITE and MESSAGE after its time', () => {
    const wire = withBad('answers-late')
    const bad = call(wire, 1)
    const message = wire.push(1)
    wire.pass(4.9 * SECOND)
    expect([bad.status, wire.statusOf(message)]).toEqual([0, undefined])
    wire.pass(0.2 * SECOND)
    expect([bad.status, wire.statusOf(message)]).toEqual([200, 200])
    send(wire, bad)
    wire.pass(SECOND)
    expect(bad.outcomes).toEqual([{ type: 'confirmed' }])
    expectNothingLeft(wire, [bad])
  })

  it('answers twice does so over SIP, as another device behind a fork would, and over MSRP; the caller ends what it did not want', () => {
    const wire = withBad('answers-twice')
    const [good, bad] = both(wire)
    expect(bad.outcomes).toEqual([{ type: 'confirmed' }])
    const message = wire.push(1)
    wire.pass(SECOND)
    expect(wire.statusOf(message)).toBe(200)
    expectNothingLeft(wire, [good, bad])
  })

  it('closes in mid-chunk loses its own session only', () => {
    const wire = withBad('closes-mid-chunk')
    const calls = [call(wire, 0), call(wire, 1)] as const
    send(wire, calls[1], 3_000_000)
    send(wire, calls[0], 3_000_000)
    wire.pass(10 * SECOND)
    expect(calls[0].outcomes).toEqual([{ type: 'confirmed' }])
    expect(calls[1].outcomes).toMatchObject([{ type: 'failed', cause: 'connection' }])
    expect(calls[1].downs).toEqual(['connection'])
    expect(wire.fleet.counters).toMatchObject({ contentsAborted: 1, received: 1 })
    expectNothingLeft(wire, calls)
  })

  it.each([['refuses-type', 415], ['refuses-size', 413]] as const)('%s says that it takes it, and answers %d when it comes, over MSRP and by MESSAGE', (misbehaviour, status) => {
    const wire = withBad(misbehaviour)
    const [good, bad] = both(wire)
    expect(bad.line().acceptTypes).toContain('text/vnd.wap.si')
    expect(bad.line().maxSize).toBe(misbehaviour === 'refuses-size' ? undefined : 104_857_600)
    expect(bad.outcomes).toMatchObject([{ type: 'refused', status }])
    const message = wire.push(1)
    expect(wire.statusOf(message)).toBe(status)
    expectNothingLeft(wire, [good, bad])
  })

  it('lies about its support names INVITE in OPTIONS and registration, and answers 488 to it', () => {
    const wire = withBad('lies-about-support')
    const [good, bad] = both(wire)
    expect(bad.status).toBe(488)
    const contact = [...wire.registrar.bindings.values()][1]!
    expect(contact.params).toContain('INVITE')
    wire.act((gateway, now) => gateway.send(now, gateway.request('OPTIONS', contact.contact, contact.aor)))
    const [answer] = wire.gateway.answers
    expect(typeof answer === 'object' && answer.get(Header.Allow)).toContain('INVITE')
    expectNothingLeft(wire, [good, bad])
  })

  it('reports wrong ranges never confirms the last octet', () => {
    const wire = withBad('wrong-ranges')
    const [good, bad] = both(wire)
    expect(bad.outcomes).toEqual([])
    wire.pass(60 * SECOND)
    expect(bad.outcomes).toMatchObject([{ type: 'failed', cause: 'no-report' }])
    expectNothingLeft(wire, [good, bad])
  })
})

describe('a caller that', () => {
  it('sends no ACK, or no BYE, leaves nothing behind at the terminal', () => {
    const wire = withBad('answers-late')
    const one = call(wire, 0)
    wire.closeMsrp()
    // From here on the caller is gone: nothing it says arrives.
    wire.registrar.others = undefined
    wire.pass(200 * SECOND)
    expect(wire.fleet.counters).toMatchObject({ sessions: 0, mediaSessions: 0, mediaConnections: 0, transactions: 0 })
    expect(one.status).toBe(200)
  })

  it('sends requests for dialogs that are not there is answered 481', () => {
    const wire = withBad('answers-late')
    for (const method of ['BYE', 'NOTIFY', 'INVITE', 'INFO']) {
      wire.act((gateway, now) => {
        const request = gateway.request(method, [...wire.registrar.bindings.keys()][0]!, wire.population.impu(0))
        request.set(Header.To, `${request.get(Header.To)!};tag=nowhere` as never)
        gateway.send(now, request)
      })
    }
    expect(wire.gateway.answers.map((answer) => (typeof answer === 'string' ? answer : answer.status))).toEqual([481, 481, 481, 481])
    expectNothingLeft(wire, [])
  })
})
