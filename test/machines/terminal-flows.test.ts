/**
 * Terminals by RFC 5626: two flows of one device, each registered and recovered for itself; Flow-Timer obeyed; STUN keep-alive
 * over UDP, its losses and its changed addresses.
 */
import { describe, expect, it } from 'vitest'
import type { FlowId } from '../../core/kit/network.js'
import { Header } from '../../core/sip/header-names.js'
import { readStun } from '../../core/sip/stun.js'
import { Edge, HOME, SECOND, VISITED } from './terminal-edge.js'

const FURTHER = { address: HOME.address, port: 5_062 }

const regId = (edge: Edge, index: number): string => /;reg-id=(\d)/.exec(edge.registers.at(index)!.message.get(Header.Contact)!)![1]!
const regIds = (edge: Edge): string[] => edge.registers.map((_register, index) => regId(edge, index))

/** A device that is on, and its two flows in the order of their reg-id. */
function twoFlows(edge = new Edge('tcp', { flows: 2, furtherProxy: FURTHER })): { edge: Edge; first: FlowId; second: FlowId } {
  edge.to('on')
  const [first, second] = edge.registers.map(({ flow }) => flow)
  return { edge, first: first!, second: second! }
}

describe.each(['tcp', 'tls'] as const)('a terminal with two flows over %s', (transport) => {
  it('registers each over a connection of its own, to each P-CSCF it has, as one device: instance, Call-ID, rising CSeq', () => {
    const { edge, first, second } = twoFlows(new Edge(transport, { flows: 2, furtherProxy: FURTHER }))
    expect(regIds(edge)).toEqual(['1', '2'])
    expect(first).not.toBe(second)
    expect([edge.portOf(first), edge.portOf(second)]).toEqual([HOME.port, FURTHER.port])
    const [one, two] = edge.registers.map(({ message }) => message) as [Edge['registers'][0]['message'], Edge['registers'][0]['message']]
    expect(one.get(Header.CallId)).toBe(two.get(Header.CallId))
    expect([one, two].map((message) => message.get(Header.CSeq))).toEqual(['1 REGISTER', '2 REGISTER'])
    expect([one, two].map((message) => /instance="([^"]+)"/.exec(message.get(Header.Contact)!)![1])).toEqual(Array(2).fill(`<${edge.fleet.roster.terminals[0]!.device.instance}>`))
    expect(edge.fleet.counters).toMatchObject({ registered: 1, devices: 1 })
    expect(edge.journal).toEqual(['device-up'])
  })

  it('holds both to one P-CSCF where there is no other', () => {
    const { edge, first, second } = twoFlows(new Edge(transport, { flows: 2 }))
    expect([edge.portOf(first), edge.portOf(second)]).toEqual([HOME.port, HOME.port])
  })

  it('registers no second one where the network takes no part in RFC 5626', () => {
    const edge = new Edge(transport, { flows: 2 })
    edge.outbound = false
    edge.to('on')
    edge.pass(600 * SECOND)
    expect(regIds(edge)).toEqual(['1'])
    expect(edge.fleet.counters.registered).toBe(1)
  })

  it('takes pushes over both, and a second copy of one is answered and dropped', () => {
    const { edge, first, second } = twoFlows(new Edge(transport, { flows: 2, furtherProxy: FURTHER }))
    edge.message(first, 'a')
    edge.message(second, 'b')
    edge.message(second, 'a')
    expect(edge.answers.map(({ status }) => status)).toEqual([200, 200, 200])
    expect(edge.journal.slice(1)).toEqual(['received a first', 'received b first', 'received a repeat'])
  })

  it('that loses one is up all the same, hears over the other, and brings it back after the longer wait of section 4.5', () => {
    const { edge, first, second } = twoFlows(new Edge(transport, { flows: 2, furtherProxy: FURTHER }))
    for (const lost of [first, second]) {
      edge.cut(edge.registers.findLast(({ message }) => message.get(Header.Contact)!.includes(`reg-id=${lost === first ? 1 : 2}`))!.flow)
      expect(edge.fleet.counters.registered).toBe(1)
      const other = edge.registers.findLast(({ message }) => message.get(Header.Contact)!.includes(`reg-id=${lost === first ? 2 : 1}`))!.flow
      edge.message(other)
      expect(edge.answers.at(-1)!.status).toBe(200)
      const before = edge.registers.length
      edge.pass(44 * SECOND)
      expect(edge.registers).toHaveLength(before)
      edge.pass(47 * SECOND)
      expect(edge.registers).toHaveLength(before + 1)
      expect(regId(edge, -1)).toBe(lost === first ? '1' : '2')
    }
    expect(edge.journal.filter((line) => line.startsWith('device'))).toEqual(['device-up'])
    expect(edge.fleet.counters.registered).toBe(1)
  })

  it('that loses both is down, and comes back over either after the shorter wait', () => {
    const { edge, first, second } = twoFlows(new Edge(transport, { flows: 2, furtherProxy: FURTHER }))
    edge.cut(first)
    edge.cut(second)
    expect(edge.fleet.counters.registered).toBe(0)
    expect(edge.journal).toEqual(['device-up', 'device-down'])
    edge.pass(91 * SECOND)
    expect(regIds(edge).slice(2).sort()).toEqual(['1', '2'])
    expect(edge.fleet.counters.registered).toBe(1)
  })

  it('whose first P-CSCF cannot be reached is registered over the second, and over both when it can', () => {
    const edge = new Edge(transport, { flows: 2, furtherProxy: FURTHER })
    edge.deaf.add(HOME.port)
    edge.to('on')
    expect(regIds(edge)).toEqual(['2'])
    expect(edge.fleet.counters.registered).toBe(1)
    edge.message(edge.registers[0]!.flow)
    expect(edge.answers.map(({ status }) => status)).toEqual([200])
    edge.deaf.clear()
    edge.pass(31 * SECOND)
    expect(regIds(edge)).toEqual(['2', '1'])
  })

  it('ends both registrations when it is switched off, and begins with a new Call-ID', () => {
    const { edge, first, second } = twoFlows(new Edge(transport, { flows: 2, furtherProxy: FURTHER }))
    edge.to('off')
    expect(edge.registers.slice(2).map(({ flow, message }) => [flow, message.get(Header.Expires)])).toEqual([[first, '0'], [second, '0']])
    expect([...edge.closed].sort()).toEqual([first, second].sort())
    expect(edge.fleet.counters.registered).toBe(0)
    edge.to('on')
    expect(regIds(edge).slice(4)).toEqual(['1', '2'])
    expect(edge.registers[4]!.message.get(Header.CallId)).not.toBe(edge.registers[0]!.message.get(Header.CallId))
    expect(edge.registers.slice(4).map(({ message }) => message.get(Header.CSeq))).toEqual(['1 REGISTER', '2 REGISTER'])
    edge.to('vanished')
    edge.pass(3_600 * SECOND)
    expect(edge.registers).toHaveLength(6)
    // The network may give up on connections that say nothing.
    for (const { flow } of edge.registers.slice(4)) edge.cut(flow)
    edge.to('on')
    expect(regIds(edge).slice(6)).toEqual(['1', '2'])
    expect(edge.fleet.counters.registered).toBe(1)
  })

  it('is granted what the 200 says of this flow, not of the other', () => {
    const edge = new Edge(transport, { flows: 2, furtherProxy: FURTHER })
    edge.others.push('<sip:ue-0-0@198.51.100.1:1>;reg-id=7;expires=10')
    edge.to('on')
    edge.pass(100 * SECOND)
    expect(regIds(edge)).toEqual(['1', '2'])
  })

  it('takes both along to another network', () => {
    const { edge, first, second } = twoFlows(new Edge(transport, { flows: 2, furtherProxy: FURTHER }))
    edge.tell({ type: 'move', subscriber: 0, network: VISITED.id })
    expect([...edge.closed].sort()).toEqual([first, second].sort())
    expect(regIds(edge)).toEqual(['1', '2', '1', '2'])
    expect(edge.opened.slice(-2).map(({ proxy }) => proxy)).toEqual([VISITED.proxy.address, VISITED.proxy.address])
    expect(edge.fleet.counters.registered).toBe(1)
  })

  it('is registered for whoever waits for it only when both are', () => {
    const edge = new Edge(transport, { flows: 2, furtherProxy: FURTHER })
    edge.deaf.add(FURTHER.port)
    const settled: { done: number; pending: number }[] = []
    const tell = edge.fleet.poll.bind(edge.fleet)
    edge.fleet.poll = () => {
      const out = tell()
      if (out?.type === 'settled') settled.push(out)
      return out
    }
    edge.tell({ type: 'register', ticket: 1, perSecond: 100, withinMicros: 200 * SECOND })
    edge.pass(SECOND)
    expect(edge.fleet.counters.registered).toBe(1)
    expect(settled).toEqual([])
    edge.deaf.clear()
    edge.pass(100 * SECOND)
    expect(settled).toMatchObject([{ done: 1, pending: 0 }])
  })
})

describe('Flow-Timer', () => {
  it.each([['tcp', '60'], ['tls', '7'], ['udp', '20']] as const)('over %s of %s s makes for keep-alives at 80 to 100 %% of it, at random', (transport, seconds) => {
    const edge = new Edge(transport)
    edge.flowTimer = seconds
    edge.to('on')
    edge.pass(20 * Number(seconds) * SECOND)
    const gaps = edge.pings.map((at, index) => (at - (edge.pings[index - 1] ?? SECOND)) / SECOND)
    expect(gaps.length).toBeGreaterThanOrEqual(20)
    expect(gaps.filter((gap) => gap < 0.8 * Number(seconds) || gap > Number(seconds))).toEqual([])
    expect(new Set(gaps).size).toBe(gaps.length)
  })

  it.each(['0', 'soon', '', '-5', '99999999999'])('that says %j is none', (text) => {
    const edge = new Edge('tcp')
    edge.flowTimer = text
    edge.to('on')
    edge.pass(94 * SECOND)
    expect(edge.pings).toEqual([])
    edge.pass(27 * SECOND)
    expect(edge.pings).toHaveLength(1)
  })
})

describe('terminals over UDP that register by RFC 5626', () => {
  it('share the socket, and ask by STUN every 24 to 29 s, each time with another transaction id', () => {
    const edge = new Edge('udp')
    edge.to('on')
    expect(edge.registers[0]!.message.get(Header.Contact)).toContain(';reg-id=1')
    edge.pass(300 * SECOND)
    const gaps = edge.pings.map((at, index) => (at - (edge.pings[index - 1] ?? SECOND)) / SECOND)
    expect(gaps.length).toBeGreaterThanOrEqual(10)
    expect(gaps.filter((gap) => gap < 24 || gap > 29)).toEqual([])
    const asked = edge.pinged.map(({ bytes, to }) => ({ to, ...readStun(bytes)! }))
    expect(asked.every(({ kind, to }) => kind === 'request' && to?.port === HOME.port)).toBe(true)
    expect(new Set(asked.map(({ transaction }) => transaction.toString('hex'))).size).toBe(asked.length)
    expect(edge.fleet.counters.registered).toBe(1)
  })

  it('send a request that is not answered seven times, and then the flow has failed (RFC 8489 6.2.1)', () => {
    const edge = new Edge('udp')
    edge.to('on')
    edge.pongs = false
    edge.pass(30 * SECOND + 39 * SECOND)
    const since = edge.pings.map((at) => (at - edge.pings[0]!) / SECOND)
    expect(since).toEqual([0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5])
    expect(new Set(edge.pinged.map(({ bytes }) => bytes.toString('hex'))).size).toBe(1)
    edge.pass(2 * SECOND)
    expect(edge.fleet.counters.registered).toBe(0)
    edge.pongs = true
    edge.pass(30 * SECOND)
    expect(edge.registers).toHaveLength(2)
    expect(edge.fleet.counters.registered).toBe(1)
    edge.pass(100 * SECOND)
    expect(edge.pings.length).toBeGreaterThan(9)
  })

  it('have lost their flow when a NAT shows another address, and register anew', () => {
    const edge = new Edge('udp')
    edge.to('on')
    edge.pass(100 * SECOND)
    expect(edge.registers).toHaveLength(1)
    edge.mapped.set(edge.registers[0]!.flow, { address: '203.0.113.1', port: 10 })
    edge.pass(30 * SECOND)
    expect(edge.fleet.counters.registered).toBe(0)
    edge.pass(30 * SECOND)
    expect(edge.registers).toHaveLength(2)
    edge.pass(300 * SECOND)
    expect(edge.registers).toHaveLength(2)
    expect(edge.fleet.counters.registered).toBe(1)
  })

  it('with two flows have a socket for each, and one that fails leaves the other', () => {
    const { edge, first, second } = twoFlows(new Edge('udp', { flows: 2, furtherProxy: FURTHER }))
    expect(regIds(edge)).toEqual(['1', '2'])
    expect(first).not.toBe(second)
    edge.pass(60 * SECOND)
    expect(new Set(edge.pinged.map(({ flow, to }) => `${flow} ${to!.port}`))).toEqual(new Set([`${first} ${HOME.port}`, `${second} ${FURTHER.port}`]))
    edge.mapped.set(second, { address: '203.0.113.1', port: 10 })
    edge.pass(30 * SECOND)
    expect(edge.fleet.counters.registered).toBe(1)
    edge.pass(90 * SECOND)
    expect(regIds(edge)).toEqual(['1', '2', '2'])
    expect(edge.journal).toEqual(['device-up'])
  })

  it('drop what is no answer to what they asked: another transaction, another place, a refusal', () => {
    const edge = new Edge('udp')
    edge.to('on')
    edge.pongs = false
    edge.pass(30 * SECOND)
    const { flow, bytes } = edge.pinged[0]!
    const answer = (change: (octets: Buffer) => void, from = HOME): void => {
      // A Binding success whose XOR-MAPPED-ADDRESS is 0.0.0.0:0 under this transaction.
      const octets = Buffer.concat([Buffer.from('0101000c2112a442', 'hex'), bytes.subarray(8, 20), Buffer.from('00200008000121122112a442', 'hex')])
      change(octets)
      edge.tell({ type: 'bytes', flow, bytes: octets, from })
    }
    answer((octets) => { octets[8] = octets[8]! ^ 1 })
    answer(() => {}, FURTHER)
    answer((octets) => { octets[0] = 1; octets[1] = 0x11 })
    answer((octets) => { octets[21] = 0x21 })
    edge.pass(3 * SECOND)
    const asked = edge.pings.length
    expect(asked).toBeGreaterThan(1)
    answer(() => {})
    edge.pass(20 * SECOND)
    expect(edge.pings).toHaveLength(asked)
    expect(edge.fleet.counters.registered).toBe(1)
  })
})
