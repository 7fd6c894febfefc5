/** What each node refuses, and with which status: 400, 403, 404, 416, 420, 430, 480, 483, 500, 503, 513. */
import { describe, expect, it } from 'vitest'
import { Header } from '../../core/sip/header-names.js'
import { DOMAIN, ImsHarness, PORTS, type Peer } from './ims-harness.js'

const AOR = `sip:alice@${DOMAIN}`

function registered(transport: 'tcp' | 'udp' = 'tcp', contact?: string) {
  const harness = new ImsHarness()
  const ue = harness[transport](PORTS.pcscf)
  expect(ue.register(contact === undefined ? {} : { contact }).status).toBe(200)
  return { harness, ue, gateway: harness.tcp(PORTS.icscf) }
}

function statusOf(peer: Peer): number {
  return peer.last().status
}

describe('a request from a gateway', () => {
  it('to nobody is 404, to someone who is away 480', () => {
    const gateway = new ImsHarness().tcp(PORTS.icscf)
    gateway.message(`sip:nobody@${DOMAIN}`)
    expect(statusOf(gateway)).toBe(404)
    gateway.message('sip:alice@elsewhere.example')
    expect(statusOf(gateway)).toBe(404)
    gateway.message(AOR)
    expect(statusOf(gateway)).toBe(480)
  })

  it('with no hop left is 483; without Max-Forwards it gets the default', () => {
    const { ue, gateway } = registered()
    const send = (lines: string): void => gateway.request(`MESSAGE ${AOR}`, `${lines}From: <sip:p@x>;tag=1\nTo: <${AOR}>\nCall-ID: ${lines.length}\nCSeq: 1 MESSAGE`)
    for (const hops of [0, 1, 2]) {
      send(`Max-Forwards: ${hops}\nSubject: ${'x'.repeat(hops)}\n`)
      expect(statusOf(gateway)).toBe(483)
    }
    send('')
    expect(ue.last().get(Header.MaxForwards)).toBe('68')
  })

  it('that needs a proxy extension is 420 with Unsupported', () => {
    const { gateway } = registered()
    gateway.message(AOR, 'Proxy-Require: sec-agree')
    const answer = gateway.last()
    expect(answer.status).toBe(420)
    expect(answer.get(Header.Unsupported)).toBe('sec-agree')
  })

  it('with a scheme nobody knows is 416', () => {
    const { gateway } = registered()
    gateway.message('https://example.net/alice')
    expect(statusOf(gateway)).toBe(416)
  })

  it('reaches the terminal also as OPTIONS or a method of its own', () => {
    const { ue, gateway } = registered()
    for (const method of ['OPTIONS', 'TELEPORT']) {
      gateway.request(`${method} ${AOR}`, `From: <sip:p@x>;tag=1\nTo: <${AOR}>\nCall-ID: ${method}\nCSeq: 1 ${method}`)
      const request = ue.last()
      expect(request.method).toBe(method)
      ue.answer(request, 200)
      expect(statusOf(gateway)).toBe(200)
    }
  })

  it('is 503 with Retry-After when the node has too much to do', () => {
    const harness = new ImsHarness((settings) => ({ ...settings, limits: { ...settings.limits, unansweredMax: 2 } }))
    harness.tcp(PORTS.pcscf).register()
    const gateway = harness.tcp(PORTS.icscf)
    for (let count = 0; count < 3; count++) gateway.message(AOR)
    const answer = gateway.last()
    expect(answer.status).toBe(503)
    expect(answer.get(Header.RetryAfter)).toBe('5')
  })
})

describe('the P-CSCF', () => {
  const token = (harness: ImsHarness) => [...(harness.core.scscf.registrar.find(AOR)!.bindings())][0]!.path.text

  it('answers 403 to a token it did not make, 430 to one whose flow is over', () => {
    const { harness, ue } = registered()
    const path = token(harness)
    const core = harness.tcp(PORTS.core)
    const send = (route: string): void => core.request(`MESSAGE ${AOR}`, `Route: ${route}\nFrom: <sip:p@x>;tag=1\nTo: <${AOR}>\nCall-ID: ${route.length}${harness.mono}\nCSeq: 1 MESSAGE`)
    send(path)
    expect(ue.last().method).toBe('MESSAGE')
    send(path.replace(/sip:..../, 'sip:AAAA'))
    expect(statusOf(core)).toBe(403)
    send('<sip:pcscf.home1.example;lr>')
    expect(statusOf(core)).toBe(403)
    harness.close(ue)
    harness.pass(1)
    send(path)
    expect(statusOf(core)).toBe(430)
  })

  it('answers 430 when the flow breaks under a request', () => {
    const { harness, ue, gateway } = registered()
    gateway.message(AOR)
    ue.last()
    harness.close(ue)
    expect(statusOf(gateway)).toBe(430)
  })

  it('lets in only what is registered over the very flow, and asserts who it is', () => {
    const { harness, ue } = registered()
    const bob = harness.tcp(PORTS.pcscf)
    expect(bob.register({ name: 'bob' }).status).toBe(200)
    const send = (peer: Peer, from: string, more = ''): void => peer.request(`MESSAGE sip:bob@${DOMAIN}`, `Max-Forwards: 70
Route: <sip:127.0.0.1:5060;lr>
From: <${from}>;tag=1
To: <sip:bob@${DOMAIN}>
Call-ID: ${from}${more.length}
CSeq: 1 MESSAGE${more}`)
    send(ue, `sip:bob@${DOMAIN}`)
    expect(statusOf(ue)).toBe(403)
    send(ue, AOR, `\nP-Asserted-Identity: <sip:boss@${DOMAIN}>\nP-Preferred-Identity: <sip:boss@${DOMAIN}>\nP-Charging-Function-Addresses: ccf=1`)
    const request = bob.last()
    expect(request.getAll(Header.PAssertedIdentity)).toEqual([`<${AOR}>`])
    expect(request.has(Header.PPreferredIdentity)).toBe(false)
    expect(request.getOther('P-Charging-Function-Addresses')).toBeUndefined()
    bob.answer(request, 200)
    expect(statusOf(ue)).toBe(200)
  })

  it('hides P-Asserted-Identity from the terminal only where privacy asks for it', () => {
    const { ue, gateway } = registered()
    gateway.message(AOR, 'Privacy: none')
    expect(ue.last().has(Header.PAssertedIdentity)).toBe(true)
    gateway.message(AOR, 'Privacy: id')
    expect(ue.last().has(Header.PAssertedIdentity)).toBe(false)
  })

  it('sends no request above 1,300 octets over UDP: 513, or TCP where the contact offers it (RFC 3261 18.1.1)', () => {
    const { ue, gateway } = registered('udp')
    const probe = (length: number): void => gateway.message(AOR, '', 'x'.repeat(length))
    probe(10)
    const room = 1_300 - ue.octets.at(-1)!.length + 10
    ue.received.length = 0
    // Two and three digits of Content-Length, and one more character in the Call-ID.
    probe(room - 2)
    expect(ue.octets.at(-1)!.length).toBeLessThanOrEqual(1_300)
    expect(ue.octets.at(-1)!.length).toBeGreaterThan(1_295)
    expect(ue.last().method).toBe('MESSAGE')
    probe(room + 2)
    expect(statusOf(gateway)).toBe(513)
    expect(ue.received).toEqual([])
  })

  it('takes a large request to a UDP terminal over TCP when its contact says transport=tcp', () => {
    const { harness, ue, gateway } = registered('udp', 'sip:alice@127.0.0.2:7777;transport=tcp')
    const server = harness.listenAt(7777)
    gateway.message(AOR, '', 'x'.repeat(2_000))
    expect(ue.received).toEqual([])
    const request = server[0]!.last()
    expect(request.body.length).toBe(2_000)
    server[0]!.answer(request, 200)
    expect(statusOf(gateway)).toBe(200)
  })
})
