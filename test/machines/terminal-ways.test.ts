/** Terminals with connections of their own (RFC 5626): opened to register, kept alive, found dead, recovered after a wait, left behind at a handover. */
import { Schema } from 'effect'
import { describe, expect, it } from 'vitest'
import { SeededEntropy } from '../../core/kit/entropy.js'
import { TICK } from '../../core/kit/machine.js'
import type { FlowId, NetworkOut, Transport } from '../../core/kit/network.js'
import type { Micros } from '../../core/kit/time.js'
import { systemCrypto } from '../../core/live/crypto.js'
import { Header } from '../../core/sip/header-names.js'
import { composed } from '../../core/sip/header-text.js'
import type { SipMessage } from '../../core/sip/message.js'
import { parseMessage } from '../../core/sip/parse.js'
import { responseTo, writeMessage } from '../../core/sip/write.js'
import { PopulationConfig, populationOf } from '../../sim/live/population-config.js'
import { Fleet } from '../../sim/terminal/fleet.js'
import type { FleetIn } from '../../sim/terminal/fleet-contract.js'

const SECOND: Micros = 1_000_000
const HOME = { address: '192.0.2.5', port: 5_060 }
const VISITED = { id: 'visited1.example', proxy: { address: '192.0.2.6', port: 5_060 } }

/** One device, and an edge proxy of which the test says whether it accepts connections, answers pings, and takes part in RFC 5626. */
class Edge {
  readonly fleet: Fleet
  readonly registers: { readonly flow: FlowId; readonly message: SipMessage }[] = []
  readonly answers: SipMessage[] = []
  readonly pings: Micros[] = []
  readonly opened: { readonly flow: FlowId; readonly proxy: string }[] = []
  readonly closed: FlowId[] = []
  reachable = true
  pongs = true
  outbound = true
  mono = SECOND
  private flows = 0

  constructor(readonly transport: Transport = 'tcp') {
    const population = populationOf(Schema.decodeSync(PopulationConfig)({ subscribers: 1, devicesPerSubscriber: { 1: 1 }, access: { ownConnections: 1 } }))
    const settings = { shard: { index: 0, count: 1 }, proxy: HOME, visited: [VISITED], transport, connections: 1, backoff: { baseMicros: 30 * SECOND, maxMicros: 1_800 * SECOND } }
    this.fleet = new Fleet(settings, population, new SeededEntropy(3), systemCrypto)
    if (transport === 'udp') this.tell({ type: 'flow-up', flow: ++this.flows, transport: 'udp', local: { address: '198.51.100.1', port: 40_000 }, remote: undefined, ticket: undefined })
    this.tell(TICK)
  }

  tell(input: FleetIn): void {
    this.fleet.handle({ mono: this.mono, wall: this.mono / 1_000 }, input)
    for (let out = this.fleet.poll(); out !== undefined; out = this.fleet.poll()) if (out.type === 'connect' || out.type === 'transmit' || out.type === 'close') this.network(out)
  }

  pass(micros: Micros): void {
    const until = this.mono + micros
    for (let at = this.fleet.deadline(); at <= until; at = this.fleet.deadline()) {
      this.mono = Math.max(this.mono, at)
      this.tell(TICK)
    }
    this.mono = until
  }

  to(state: 'on' | 'off' | 'vanished'): void {
    this.tell({ type: 'switch', subscriber: 0, to: state })
  }

  /** The flow of the device itself, which is opened after those that are shared. */
  get own(): FlowId {
    return this.opened.at(-1)!.flow
  }

  message(flow: FlowId): void {
    const text = `MESSAGE ${'sip:ue-0-0@198.51.100.1:40000'} SIP/2.0\r\nVia: SIP/2.0/TCP 192.0.2.5;branch=z9hG4bK${flow}-${this.mono}\r\nMax-Forwards: 9\r\nFrom: <sip:p@x>;tag=1\r\n`
      + `To: <sip:user000000@home1.example>\r\nCall-ID: ${flow}${this.mono}\r\nCSeq: 1 MESSAGE\r\nP-Asserted-Identity: <sip:p@x>\r\nContent-Length: 0\r\n\r\n`
    this.tell({ type: 'bytes', flow, bytes: Buffer.from(text) })
  }

  private network(out: NetworkOut): void {
    if (out.type === 'connect') {
      if (!this.reachable) return this.tell({ type: 'connect-failed', ticket: out.ticket, reason: 'nobody is there' })
      const flow = ++this.flows
      this.opened.push({ flow, proxy: out.remote.address })
      this.tell({ type: 'flow-up', flow, transport: out.transport, local: { address: '198.51.100.1', port: 40_000 + flow }, remote: out.remote, ticket: out.ticket })
    } else if (out.type === 'close') {
      this.closed.push(out.flow)
      this.tell({ type: 'flow-down', flow: out.flow, reason: 'closed' })
    } else this.octets(out.flow, out.bytes)
  }

  private octets(flow: FlowId, bytes: Buffer): void {
    if (bytes.toString() === '\r\n\r\n') {
      this.pings.push(this.mono)
      if (this.pongs && this.transport !== 'udp') this.tell({ type: 'bytes', flow, bytes: Buffer.from('\r\n') })
      return
    }
    const message = parseMessage(bytes).message!
    if (!message.isRequest) {
      this.answers.push(message)
      return
    }
    this.registers.push({ flow, message })
    const response = responseTo(message, 200, undefined, 'edge')
    for (const contact of message.getAll(Header.Contact)) response.append(Header.Contact, composed(`${contact};expires=${message.get(Header.Expires)}`))
    if (this.outbound) response.append(Header.Require, composed('outbound'))
    this.tell({ type: 'bytes', flow, bytes: writeMessage(response), ...(this.transport === 'udp' ? { from: HOME } : {}) })
  }
}

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

describe('terminals over UDP that register by RFC 5626', () => {
  it('share the socket, and send a double CRLF every 24 to 29 s that nobody answers', () => {
    const edge = new Edge('udp')
    edge.to('on')
    expect(edge.registers[0]!.message.get(Header.Contact)).toContain(';reg-id=1')
    edge.pass(300 * SECOND)
    const gaps = edge.pings.map((at, index) => (at - (edge.pings[index - 1] ?? SECOND)) / SECOND)
    expect(gaps.length).toBeGreaterThanOrEqual(10)
    expect(gaps.filter((gap) => gap < 24 || gap > 29)).toEqual([])
  })
})
