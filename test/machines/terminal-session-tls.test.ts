/** Terminals offered a session over TLS: they show a certificate, look at the one they are shown, and take nothing of whoever shows another. */
import { describe, expect, it } from 'vitest'
import type { Call } from './terminal-gateway.js'
import { contentOf, sending } from './terminal-gateway.js'
import { SHOWN, TerminalWire } from './terminal-wire.js'

const SECOND = 1_000_000
const OTHER = SHOWN.sha256.replaceAll('C', '1')

function wireOf(fingerprint: string | undefined): TerminalWire {
  const wire = new TerminalWire({ population: { subscribers: 1 }, fleet: fingerprint === undefined ? {} : { fingerprint } })
  expect(wire.register()).toMatchObject({ done: 1 })
  return wire
}

/** Offers a session over TLS with these fingerprints, and sends a content in it if it is taken. */
function push(wire: TerminalWire, tls: readonly string[]): Call {
  const [contact] = [...wire.registrar.bindings.keys()]
  const call = wire.act((gateway, now) => gateway.call(now, contact!, wire.population.impu(0), { tls }))
  wire.pass(SECOND)
  if (call.status === 200) wire.act((_gateway, now) => void call.msrp[0]!.send(now, sending('m001', contentOf(10_000))))
  wire.pass(SECOND)
  return call
}

function expectNothingLeft(wire: TerminalWire, call: Call): void {
  if (call.end === undefined) wire.act((gateway, now) => gateway.invites.close(now, call.invite!))
  wire.pass(60 * SECOND)
  const { sessions, mediaSessions, mediaConnections } = wire.fleet.counters
  expect([sessions, mediaSessions, mediaConnections, wire.msrpConnections, wire.gateway.msrp.openSessions]).toEqual([0, 0, 0, 0, 0])
}

describe('a session over TLS', () => {
  it('is taken from a gateway that shows what its offer names; the answer names what the terminal shows', () => {
    const wire = wireOf(SHOWN.sha256)
    const call = push(wire, [SHOWN.sha256])
    expect([call.status, call.line().transport, call.line().setup, call.line().fingerprints]).toEqual([200, 'tls', 'active', [SHOWN.sha256]])
    expect(call.line().path[0]).toMatch(/^msrps:/)
    expect([call.outcomes, wire.fleet.counters.received, wire.fleet.counters.peersDistrusted]).toEqual([[{ type: 'confirmed' }], 1, 0])
    expectNothingLeft(wire, call)
  })

  it('is over at once when the gateway shows another certificate: nothing is taken, and it is counted', () => {
    const wire = wireOf(SHOWN.sha256)
    wire.gatewayShows = { ...SHOWN, sha256: OTHER }
    const call = push(wire, [SHOWN.sha256])
    expect([wire.fleet.counters.peersDistrusted, wire.fleet.counters.mediaConnections, wire.msrpConnections]).toEqual([1, 0, 0])
    expect([wire.fleet.counters.received, wire.fleet.counters.sessionBytes]).toEqual([0, 0])
    expectNothingLeft(wire, call)
  })

  it('is refused 488 where the offer names no certificate, and by terminals that have none', () => {
    for (const [fingerprint, offered] of [[SHOWN.sha256, []], [undefined, [SHOWN.sha256]]] as const) {
      const wire = wireOf(fingerprint)
      const call = push(wire, offered)
      expect([fingerprint, call.status]).toEqual([fingerprint, 488])
      expectNothingLeft(wire, call)
    }
  })
})
