/** Terminals with connections of their own (RFC 5626): opened to register, kept alive, found dead, recovered after a wait, left behind at a handover. */
import { describe, expect, it } from 'vitest'
import { Header } from '../../core/sip/header-names.js'
import { Edge, HOME, SECOND, VISITED } from './terminal-edge.js'

describe.each(['tcp', 'tls'] as const)('a terminal with a connection of its own over %s', (transport) => {
  it('opens it to register with reg-id and outbound, and closes it when it has deregistered', () => {
    const edge = new Edge(transport)
    const shared = edge.opened.length
    edge.to('on')
    expect(edge.opened).toHaveLength(shared + 1)
    const [{ flow, message }] = edge.registers as [Edge['registers'][number]]
    expect(flow).toBe(edge.own)
    expect(message.get(Header.Contact)).toMatch(new RegExp(`;transport=${transport}>;reg-id=1;\\+sip\\.instance=`))
    expect(message.get(Header.Supported)).toBe('path, gruu, outbound')
    edge.to('off')
    expect(edge.registers.map(({ message: each }) => each.get(Header.Expires))).toEqual(['600000', '0'])
    expect(edge.closed).toEqual([flow])
  })

  it('is kept alive by pings at random times between 95 and 120 s, where the registrar takes part', () => {
    const edge = new Edge(transport)
    edge.to('on')
    edge.pass(1_000 * SECOND)
    const gaps = edge.pings.map((at, index) => (at - (edge.pings[index - 1] ?? SECOND)) / SECOND)
    expect(gaps.length).toBeGreaterThanOrEqual(8)
    expect(gaps.filter((gap) => gap < 95 || gap > 120)).toEqual([])
    expect(new Set(gaps).size).toBe(gaps.length)
    expect(edge.closed).toEqual([])
    const without = new Edge(transport)
    without.outbound = false
    without.to('on')
    without.pass(1_000 * SECOND)
    expect(without.pings).toEqual([])
  })

  it('has failed when a ping is not answered within 10 s, and comes back over a new one after the wait of section 4.5', () => {
    const edge = new Edge(transport)
    edge.to('on')
    const first = edge.own
    edge.pongs = false
    edge.pass(94 * SECOND)
    expect(edge.closed).toEqual([])
    edge.pass(37 * SECOND)
    expect(edge.closed).toEqual([first])
    expect(edge.fleet.counters.registered).toBe(0)
    edge.pass(30 * SECOND)
    expect(edge.own).not.toBe(first)
    expect(edge.registers.at(-1)!.message.get(Header.CallId)).toBe(edge.registers[0]!.message.get(Header.CallId))
    expect(edge.fleet.counters.registered).toBe(1)
  })

  it('that cannot be opened is tried again, ever more seldom, and no sooner than half of the wait', () => {
    const edge = new Edge(transport)
    edge.reachable = false
    edge.to('on')
    const failed = (): number => edge.fleet.counters.registersFailed
    expect(failed()).toBe(1)
    edge.pass(14 * SECOND)
    expect(failed()).toBe(1)
    edge.pass(17 * SECOND)
    expect(failed()).toBe(2)
    edge.pass(29 * SECOND)
    expect(failed()).toBe(2)
    edge.reachable = true
    edge.pass(32 * SECOND)
    expect(edge.fleet.counters.registered).toBe(1)
  })

  it('says nothing when it vanishes, answers nothing, and opens another when it is back', () => {
    const edge = new Edge(transport)
    edge.to('on')
    const first = edge.own
    edge.to('vanished')
    edge.pass(300 * SECOND)
    expect([edge.closed, edge.pings, edge.registers.length]).toEqual([[], [], 1])
    edge.message(first)
    expect(edge.answers).toEqual([])
    edge.to('on')
    expect(edge.closed).toEqual([first])
    expect(edge.registers.at(-1)!.flow).toBe(edge.own)
    expect(edge.registers.at(-1)!.message.get(Header.CallId)).not.toBe(edge.registers[0]!.message.get(Header.CallId))
  })

  it('leaves it behind at a handover and registers in the other network, the same device by Call-ID, instance and reg-id', () => {
    const edge = new Edge(transport)
    edge.to('on')
    const first = edge.own
    edge.tell({ type: 'move', subscriber: 0, network: VISITED.id })
    expect(edge.closed).toEqual([first])
    expect(edge.opened.at(-1)).toEqual({ flow: edge.own, proxy: VISITED.proxy.address })
    const [before, after] = [edge.registers[0]!.message, edge.registers[1]!.message]
    expect(after.get(Header.CallId)).toBe(before.get(Header.CallId))
    expect(after.get(Header.Contact)!.replace(/@[^;]*/, '')).toBe(before.get(Header.Contact)!.replace(/@[^;]*/, ''))
    expect(edge.fleet.counters.registered).toBe(1)
    edge.message(edge.own)
    expect(edge.answers.map(({ status }) => status)).toEqual([200])
    // A word about the network it is in already changes nothing.
    edge.tell({ type: 'move', subscriber: 0, network: VISITED.id })
    expect(edge.registers).toHaveLength(2)
    edge.tell({ type: 'move', subscriber: 0, network: undefined })
    expect(edge.opened.at(-1)!.proxy).toBe(HOME.address)
  })

  it('that moves while it is opening its connection, or waits to try again, registers in the other network at once', () => {
    const edge = new Edge(transport)
    edge.reachable = false
    edge.to('on')
    edge.reachable = true
    edge.tell({ type: 'move', subscriber: 0, network: VISITED.id })
    expect(edge.registers.map(({ flow }) => flow)).toEqual([edge.own])
    expect(edge.opened.at(-1)!.proxy).toBe(VISITED.proxy.address)
    edge.to('off')
    edge.tell({ type: 'move', subscriber: 0, network: undefined })
    expect(edge.registers).toHaveLength(2)
  })
})
