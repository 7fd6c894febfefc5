/**
 * RFC 5626 in the core: a device with two flows is one device, reached over one of them at a time; Flow-Timer, what silence
 * does to a flow, and the answers to STUN keep-alives.
 */
import { describe, expect, it } from 'vitest'
import { Header } from '../../core/sip/header-names.js'
import { bindingRequest, readStun } from '../../core/sip/stun.js'
import type { ImsSettings } from '../../sim/ims/settings.js'
import { DOMAIN, ImsHarness, PORTS, type Peer } from './ims-harness.js'

const AOR = `sip:alice@${DOMAIN}`
const INSTANCE = 'urn:uuid:00000000-0000-4000-8000-000000000001'
const TIMER = 120

const timed = (more: Partial<ImsSettings> = {}) => (settings: ImsSettings): ImsSettings => ({ ...settings, pcscf: { ...settings.pcscf, flowTimerSeconds: TIMER }, ...more })

const flow = (regId: number, callId = 'one') => ({ instance: INSTANCE, params: `;reg-id=${regId}`, supported: 'path, gruu, outbound', callId })

/** A device with flows of reg-id 1 and 2, the second registered last; as its fleet does, with one Call-ID and one CSeq. */
function twoFlows(change = timed(), transport: 'tcp' | 'udp' = 'tcp') {
  const harness = new ImsHarness(change)
  const [first, second] = [41, 42].map((port) => harness[transport](PORTS.pcscf, { address: '127.0.0.2', port })) as [Peer, Peer]
  expect(first.register(flow(1)).status).toBe(200)
  second.continueFrom(first)
  expect(second.register(flow(2)).status).toBe(200)
  return { harness, first, second, gateway: harness.tcp(PORTS.icscf) }
}

const requests = (peer: Peer) => peer.received.filter(({ isRequest }) => isRequest)
const gruu = (peer: Peer, harness: ImsHarness) => {
  peer.request(`REGISTER sip:${DOMAIN}`, `Max-Forwards: 70\nFrom: <${AOR}>;tag=q\nTo: <${AOR}>\nCall-ID: query\nCSeq: 1 REGISTER\nSupported: gruu\nAuthorization: ${peer.authorization}`)
  expect(harness.core.population().users).toBe(1)
  return peer.last()
}

describe('a device with two flows', () => {
  it('has a binding for each, both told in the 200, with one public GRUU', () => {
    const { harness, first } = twoFlows()
    expect(harness.core.population()).toEqual({ users: 1, bindings: 2 })
    const contacts = first.register(flow(1)).getAll(Header.Contact)
    expect(contacts.map((contact) => /reg-id=(\d)/.exec(contact)![1]).sort()).toEqual(['1', '2'])
    expect(new Set(contacts.map((contact) => /pub-gruu="[^"]*"/.exec(contact)![0])).size).toBe(1)
  })

  it('gets one copy, over the flow registered last', () => {
    const { first, second, gateway } = twoFlows()
    gateway.message(AOR)
    expect([requests(first), requests(second)].map(({ length }) => length)).toEqual([0, 1])
    second.last()
    // The first is registered again, and goes first from then on.
    first.continueFrom(second)
    expect(first.register(flow(1)).status).toBe(200)
    gateway.message(AOR)
    expect([requests(first), requests(second)].map(({ length }) => length)).toEqual([1, 0])
  })

  it.each(['collapsed', 'split'] as const)('that loses one under a push gets the push over the other, once, and the dead binding goes: %s', (mode) => {
    const { harness, first, second, gateway } = twoFlows(timed({ mode }))
    gateway.message(AOR, 'X-Push-Id: one@test')
    expect(requests(second)).toHaveLength(1)
    harness.close(second)
    expect(requests(first)).toHaveLength(1)
    first.answer(first.last(), 200)
    expect(gateway.received.filter(({ status }) => status >= 200).map(({ status }) => status)).toEqual([200])
    expect(harness.core.population()).toEqual({ users: 1, bindings: 1 })
    expect(harness.journal.filter(({ event }) => event !== 'fork').map(({ details }) => details[1])).toEqual(['430', '200'])
    expect(harness.journal.filter(({ event }) => event === 'fork').map(({ details }) => details[1])).toEqual(['1'])
  })

  it.each([200, 202, 480, 486, 503, 603])('that answers %i over one flow is not asked over the other (section 7)', (status) => {
    const { first, second, gateway } = twoFlows()
    gateway.message(AOR)
    second.answer(second.last(), status)
    expect(requests(first)).toEqual([])
    expect(gateway.last().status).toBe(status === 503 ? 500 : status)
  })

  it('that is silent over one flow is asked over the other by the next request, and not twice by the same', () => {
    const { harness, first, second, gateway } = twoFlows()
    gateway.message(AOR)
    harness.pass(33)
    expect([requests(first), requests(second)].map(({ length }) => length)).toEqual([0, 1])
    gateway.message(AOR)
    expect([requests(first), requests(second)].map(({ length }) => length)).toEqual([1, 1])
    first.answer(first.last(), 200)
    expect(gateway.last().status).toBe(200)
    // What is registered again is trusted again.
    expect(second.register(flow(2)).status).toBe(200)
    gateway.message(AOR)
    expect(requests(second)).toHaveLength(1)
  })

  it('that does not ring over one flow is called over the other after 408', () => {
    const { harness, first, second, gateway } = twoFlows()
    gateway.request(`INVITE ${AOR}`, `Max-Forwards: 70\nFrom: <sip:push@ppg.${DOMAIN}>;tag=i\nTo: <${AOR}>\nCall-ID: call\nCSeq: 1 INVITE\nContact: <sip:ppg@127.0.0.2;transport=tcp>\nP-Asserted-Identity: <sip:push@ppg.${DOMAIN}>`)
    expect([requests(first), requests(second)].map((all) => all.map(({ method }) => method))).toEqual([[], ['INVITE']])
    harness.pass(33)
    expect(requests(first).map(({ method }) => method)).toEqual(['INVITE'])
    first.answer(first.last(), 486)
    expect(gateway.received.filter(({ status }) => status >= 200).map(({ status }) => status)).toEqual([486])
  })

  it('whose second flow leads through a P-CSCF that cannot be reached gets the push over the first; the binding stays', () => {
    const network = 'visited1.example'
    const at = (port: number) => ({ address: '127.0.0.1', port })
    const visited = { name: `pcscf.${network}`, listen: at(5_160), furtherPorts: [], core: at(5_161), visitedNetworkId: network }
    const harness = new ImsHarness(timed({ mode: 'split', visited: [visited] }))
    const [home, away] = [harness.tcp(PORTS.pcscf), harness.tcp(5_160)]
    expect(home.register(flow(1)).status).toBe(200)
    away.continueFrom(home)
    expect(away.register(flow(2)).status).toBe(200)
    harness.unreachable.add(visited.core.port)
    const gateway = harness.tcp(PORTS.icscf)
    gateway.message(AOR)
    expect(requests(away)).toEqual([])
    home.answer(home.last(), 200)
    expect(gateway.last().status).toBe(200)
    expect(harness.core.population()).toEqual({ users: 1, bindings: 2 })
  })

  it('keeps the temporary GRUUs of both flows while one of them is left', () => {
    const { harness, first, second, gateway } = twoFlows()
    const temporary = gruu(second, harness).getAll(Header.Contact).map((contact) => /temp-gruu="([^"]+)"/.exec(contact)![1]!)
    expect(temporary).toHaveLength(2)
    harness.close(second)
    gateway.message(AOR)
    first.answer(first.last(), 200)
    gateway.last()
    for (const each of temporary) {
      gateway.message(each)
      first.answer(first.last(), 200)
      expect(gateway.last().status).toBe(200)
    }
    harness.close(first)
    gateway.message(AOR)
    gateway.last()
    for (const each of temporary) {
      gateway.message(each)
      expect(gateway.last().status).toBe(404)
    }
  })
})

describe('Flow-Timer', () => {
  it('stands in the 200 to who registers by outbound, and in nobody else\'s; over UDP it is at most 29 s', () => {
    const harness = new ImsHarness(timed())
    expect(harness.tcp(PORTS.pcscf).register(flow(1)).get(Header.FlowTimer)).toBe('120')
    expect(harness.udp(PORTS.pcscf).register({ ...flow(1), name: 'bob' }).get(Header.FlowTimer)).toBe('29')
    expect(harness.tcp(PORTS.pcscf).register({ instance: INSTANCE.replace('1', '2') }).has(Header.FlowTimer)).toBe(false)
    expect(new ImsHarness().tcp(PORTS.pcscf).register(flow(1)).has(Header.FlowTimer)).toBe(false)
  })

  it('lets a connection live as long as something comes, and not much longer: closed, and 430 for what is under way', () => {
    const { harness, first, second, gateway } = twoFlows()
    for (let turn = 0; turn < 4; turn++) {
      harness.pass(TIMER - 1)
      for (const peer of [first, second]) harness.input(peer, Buffer.from('\r\n\r\n'))
    }
    gateway.message(AOR)
    second.answer(second.last(), 200)
    gateway.last()
    // Only the first goes on.
    harness.pass(TIMER / 2)
    harness.input(first, Buffer.from('\r\n\r\n'))
    harness.pass(TIMER / 2 + 4)
    expect(harness.closed).toEqual([])
    gateway.message(AOR)
    expect(requests(second)).toHaveLength(1)
    harness.pass(2)
    expect(harness.closed).toEqual([second.flow])
    first.answer(first.last(), 200)
    expect(gateway.last().status).toBe(200)
    expect(harness.core.population()).toEqual({ users: 1, bindings: 1 })
  })

  it('ends no flow of a device that has left, nor one of a device that registered without outbound', () => {
    const harness = new ImsHarness(timed())
    const [left, plain] = [harness.tcp(PORTS.pcscf), harness.tcp(PORTS.pcscf)]
    left.register(flow(1))
    expect(left.register({ ...flow(1), expires: 0 }).status).toBe(200)
    plain.register({ name: 'bob', instance: INSTANCE })
    harness.pass(1_000)
    expect(harness.closed).toEqual([])
    expect(harness.core.deadline()).toBeGreaterThan(harness.mono + 1_000_000_000)
  })

  it('ends a UDP flow without a word; a registration over it makes it good again', () => {
    const { harness, first, second, gateway } = twoFlows(timed(), 'udp')
    harness.pass(20)
    harness.input(first, bindingRequest(Buffer.alloc(12, 1)))
    harness.pass(15)
    gateway.message(AOR)
    expect(requests(second)).toEqual([])
    first.answer(first.last(), 200)
    expect(gateway.last().status).toBe(200)
    expect(harness.core.population()).toEqual({ users: 1, bindings: 1 })
    expect(second.register(flow(2)).status).toBe(200)
    gateway.message(AOR)
    second.answer(second.last(), 200)
    expect(gateway.last().status).toBe(200)
  })
})

describe('a STUN keep-alive to the P-CSCF over UDP', () => {
  it('is answered with the address it came from; what is no request is not', () => {
    const harness = new ImsHarness(timed())
    const ue = harness.udp(PORTS.pcscf)
    const transaction = Buffer.from('transaction!')
    harness.input(ue, bindingRequest(transaction))
    expect(ue.octets.map((bytes) => readStun(bytes))).toEqual([{ kind: 'success', transaction, mapped: ue.remote, errorCode: 0, unknown: [] }])
    const answer = ue.octets[0]!
    harness.input(ue, answer)
    harness.input(ue, bindingRequest(transaction).subarray(0, 19))
    expect(ue.octets).toHaveLength(1)
    expect(ue.register(flow(1)).status).toBe(200)
  })
})
