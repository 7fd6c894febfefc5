/** Virtual time behaves as time does: order, saturation, loss, cuts and crashes, the same every time from one seed. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SeededEntropy } from '../../core/kit/entropy.js'
import type { Machine, Tick } from '../../core/kit/machine.js'
import type { NetworkIn, NetworkOut } from '../../core/kit/network.js'
import type { Micros, Now } from '../../core/kit/time.js'
import type { StoreIn } from '../../core/store/operations.js'
import { PERFECT_LINK, STREAM_RETRANSMISSION_MICROS, type LinkProfile, linkOf } from '../../sim/network/link.js'
import { WorldNetwork } from '../../sim/world/network.js'
import { WorldStore } from '../../sim/world/store.js'
import { World, type WorldNode } from '../../sim/world/world.js'

interface Job { readonly type: 'job'; readonly sentAt: Micros }
interface Done { readonly type: 'done'; readonly sojourn: Micros }

/** Answers each job with how long it took; a clock that ticks every second when asked to. */
class Worker implements Machine<Job | Tick, Done> {
  private out: Done[] = []
  ticks: Micros[] = []
  constructor(private next: Micros = Infinity) {}
  handle(now: Now, input: Job | Tick): void {
    if (input.type === 'job') this.out.push({ type: 'done', sojourn: now.mono - input.sentAt })
    else if (now.mono >= this.next) {
      this.ticks.push(now.mono)
      this.next += 1_000_000
    }
  }
  poll(): Done | undefined { return this.out.shift() }
  deadline(): Micros { return this.next }
}

/** Offers jobs at a steady rate for ten seconds to a node that needs 1 ms each, and says how many were done and how long the last took. */
function offered(perSecond: number): { done: number; lastSojourn: Micros } {
  const world = new World(0)
  const result = { done: 0, lastSojourn: 0 }
  const node = world.node<Job, Done>({ name: 'worker', machine: new Worker(), serviceMicros: (input) => (input.type === 'job' ? 1_000 : 0), output: (_, { sojourn }) => { result.done += 1; result.lastSojourn = sojourn } })
  for (let index = 0; index < perSecond * 10; index++) {
    const sentAt = Math.floor((index * 1_000_000) / perSecond)
    world.at(sentAt, { happen: () => node.give({ type: 'job', sentAt }) })
  }
  world.run(10_000_000)
  return result
}

describe('the world', () => {
  it('saturates a node at the inverse of its service time, and its queue grows only beyond that', () => {
    const below = offered(900)
    const beyond = offered(2_000)
    expect(below.done).toBeGreaterThanOrEqual(8_999)
    expect(below.lastSojourn).toBe(1_000)
    expect(beyond.done).toBe(10_000)
    expect(beyond.lastSojourn).toBeGreaterThan(4_900_000)
  })

  it('wakes a machine at its deadline, again and again, and lets time pass when nothing happens', () => {
    const world = new World(1_000)
    const machine = new Worker(500_000)
    const node = world.node<Job, Done>({ name: 'clock', machine, serviceMicros: () => 0, output: () => undefined })
    node.give({ type: 'job', sentAt: 0 })
    world.run(3_600_000_000)
    expect(machine.ticks.length).toBe(3_600)
    expect(machine.ticks.slice(0, 3)).toEqual([500_000, 1_500_000, 2_500_000])
    expect(world.now).toEqual({ mono: 3_600_000_000, wall: 3_601_000 })
  })

  it('loses with a crash what waited, and hears nothing until it is restarted', () => {
    const world = new World(0)
    let done = 0
    const node = world.node<Job, Done>({ name: 'worker', machine: new Worker(), serviceMicros: () => 10, output: () => { done += 1 } })
    for (let index = 0; index < 5; index++) node.give({ type: 'job', sentAt: 0 })
    world.run(25)
    node.crash()
    node.give({ type: 'job', sentAt: 0 })
    world.run(1_000)
    expect(done).toBe(2)
    node.restart(new Worker())
    node.give({ type: 'job', sentAt: 0 })
    world.run(2_000)
    expect(done).toBe(3)
  })
})

/** Hears everything the network tells it, and says what it is made to say. */
class Peer implements Machine<NetworkIn | Tick, NetworkOut> {
  heard: NetworkIn[] = []
  say: NetworkOut[] = []
  handle(_now: Now, input: NetworkIn | Tick): void { if (input.type !== 'tick') this.heard.push(input) }
  poll(): NetworkOut | undefined { return this.say.shift() }
  deadline(): Micros { return Infinity }
  bytes(): string { return this.heard.map((input) => (input.type === 'bytes' ? input.bytes.toString() : '')).join('') }
}

function twoPeers(profile: () => LinkProfile | undefined, seed = 1) {
  const world = new World(0)
  const network = new WorldNetwork(world, new SeededEntropy(seed), profile)
  const open = (name: string) => {
    const machine = new Peer()
    const node: WorldNode<NetworkIn, NetworkOut> = world.node<NetworkIn, NetworkOut>({ name, machine, serviceMicros: () => 0, output: (now, output) => network.output(now, node, output) })
    network.attach(node, `192.0.2.${name.length}`)
    const say = (...outputs: NetworkOut[]) => { machine.say.push(...outputs); node.give({ type: 'tick' }) }
    return { machine, node, say }
  }
  return { world, network, client: open('client'), server: open('server') }
}

const SERVER = { address: '192.0.2.9', port: 5060 }
const CLIENT = { address: '192.0.2.8', port: 5060 }

describe('the world’s network', () => {
  it('keeps a stream whole and in order at any loss, only later', () => {
    fc.assert(fc.property(fc.integer({ min: 0, max: 40 }), fc.nat(), (lossPercent, seed) => {
      const { world, network, client, server } = twoPeers(() => ({ delayMicros: 20_000, jitterMicros: 30_000, lossShare: lossPercent / 100, duplicateShare: 0 }), seed)
      network.listen(server.node, 'tcp', SERVER)
      client.say({ type: 'connect', ticket: 1, transport: 'tcp', remote: SERVER })
      world.run(60_000_000)
      const up = client.machine.heard[0]
      if (up?.type !== 'flow-up') return
      const text = Array.from({ length: 30 }, (_, index) => `segment ${index};`)
      client.say(...text.map((segment) => ({ type: 'transmit' as const, flow: up.flow, bytes: Buffer.from(segment) })))
      world.run(600_000_000)
      const broken = server.machine.heard.some((input) => input.type === 'flow-down')
      if (!broken) expect(server.machine.bytes()).toBe(text.join(''))
      else expect(text.join('').startsWith(server.machine.bytes())).toBe(true)
    }), { numRuns: 40 })
  })

  it('lets a narrow link take its time for each octet, in each direction and for each flow apart', () => {
    const profile = linkOf({ rttMicros: 100_000, jitterMicros: 0, lossShare: 0, bitsPerSecond: 8_000 })
    const { world, network, client, server } = twoPeers(() => profile)
    network.listen(server.node, 'tcp', SERVER)
    network.listen(server.node, 'udp', SERVER)
    network.listen(client.node, 'udp', CLIENT)
    client.say({ type: 'connect', ticket: 1, transport: 'tcp', remote: SERVER })
    world.run(1_000_000)
    const flows = client.machine.heard.map((input) => (input.type === 'flow-up' ? input.flow : 0))
    const [udp, tcp] = [flows[0]!, flows[1]!]
    // 1,000 octets a second: the second of two says so one second after the first, the other flow does not wait.
    client.say({ type: 'transmit', flow: tcp, bytes: Buffer.alloc(1_000, 'a') }, { type: 'transmit', flow: tcp, bytes: Buffer.alloc(1_000, 'b') })
    client.say({ type: 'transmit', flow: udp, bytes: Buffer.alloc(500, 'c'), to: SERVER }, { type: 'transmit', flow: udp, bytes: Buffer.alloc(500, 'd'), to: SERVER })
    const seen = (micros: Micros): string => {
      world.run(1_000_000 + micros)
      return server.machine.bytes().replace(/(.)\1+/g, '$1')
    }
    expect([549_000, 551_000, 1_049_000, 1_051_000, 2_049_000, 2_051_000].map(seen)).toEqual(['', 'c', 'c', expect.stringMatching(/^c(ad|da)$/), expect.stringMatching(/^c(ad|da)$/), expect.stringMatching(/^c(ad|da)b$/)])
  })

  it('makes a lost segment cost a retransmission, and loses datagrams for good', () => {
    let loss = 0
    const { world, network, client, server } = twoPeers(() => ({ ...PERFECT_LINK, delayMicros: 1_000, lossShare: loss }))
    network.listen(server.node, 'tcp', SERVER)
    network.listen(server.node, 'udp', SERVER)
    network.listen(client.node, 'udp', CLIENT)
    client.say({ type: 'connect', ticket: 1, transport: 'tcp', remote: SERVER })
    world.run(10_000)
    const udp = client.machine.heard.find((input) => input.type === 'flow-up' && input.remote === undefined)
    const tcp = client.machine.heard.find((input) => input.type === 'flow-up' && input.remote !== undefined)
    if (udp?.type !== 'flow-up' || tcp?.type !== 'flow-up') throw new Error('both flows come up')
    loss = 0.5
    for (let index = 0; index < 1_000; index++) client.say({ type: 'transmit', flow: udp.flow, bytes: Buffer.from('u'), to: SERVER })
    client.say({ type: 'transmit', flow: tcp.flow, bytes: Buffer.from('t') })
    world.run(10_000 + 1_000)
    expect(network.lost.datagrams).toBeGreaterThan(430)
    expect(network.lost.datagrams).toBeLessThan(570)
    world.run(10_000 + 1_000 + 300 * STREAM_RETRANSMISSION_MICROS)
    expect(server.machine.bytes().length).toBe(1_000 - network.lost.datagrams + 1)
  })

  it('refuses a connection to nobody, times one out across a cut, and ends streams when a peer vanishes', () => {
    let up = true
    const { world, network, client, server } = twoPeers(() => (up ? PERFECT_LINK : undefined))
    client.say({ type: 'connect', ticket: 1, transport: 'tcp', remote: SERVER })
    world.run(1)
    expect(client.machine.heard.at(-1)).toMatchObject({ type: 'connect-failed', ticket: 1, reason: 'connection refused' })
    network.listen(server.node, 'tcp', SERVER)
    up = false
    client.say({ type: 'connect', ticket: 2, transport: 'tcp', remote: SERVER })
    world.run(6_000_000)
    expect(client.machine.heard.at(-1)).toMatchObject({ type: 'connect-failed', ticket: 2, reason: 'timed out' })
    up = true
    client.say({ type: 'connect', ticket: 3, transport: 'tcp', remote: SERVER })
    world.run(7_000_000)
    server.node.crash()
    network.vanish(world.now, server.node)
    world.run(8_000_000)
    expect(client.machine.heard.at(-1)).toMatchObject({ type: 'flow-down' })
  })
})

describe('the world’s store', () => {
  function openStore() {
    const world = new World(0)
    const heard: StoreIn[] = []
    const store = new WorldStore(world, { flushMicros: 1_000, give: (input) => heard.push(input) })
    const put = (ticket: number) => store.output(world.now, { type: 'commit', ticket, operations: [{ type: 'put', key: Buffer.from([ticket]), value: Buffer.from(`value ${ticket}`) }] })
    return { world, heard, store, put }
  }

  it('answers a commit only after its flush, and joins what comes meanwhile into the next', () => {
    const { world, heard, put } = openStore()
    put(1)
    world.run(500)
    put(2)
    put(3)
    world.run(999)
    expect(heard).toEqual([])
    world.run(1_000)
    expect(heard.map((input) => input.ticket)).toEqual([1])
    world.run(2_000)
    expect(heard.map((input) => input.ticket)).toEqual([1, 2, 3])
  })

  it('forgets in a crash exactly what it had not acknowledged', () => {
    const { world, heard, store, put } = openStore()
    put(1)
    world.run(1_500)
    put(2)
    store.crash()
    world.run(10_000)
    expect(heard.map((input) => input.ticket)).toEqual([1])
    store.output(world.now, { type: 'scan', ticket: 9, from: Buffer.from([0]), to: Buffer.from([255]), limit: 10 })
    expect(heard.at(-1)).toEqual({ type: 'rows', ticket: 9, rows: [{ key: Buffer.from([1]), value: Buffer.from('value 1') }] })
  })

  it('refuses while it is full, and takes again when there is room', () => {
    const { world, heard, store, put } = openStore()
    store.full = true
    put(1)
    expect(heard).toEqual([{ type: 'store-full', ticket: 1 }])
    store.full = false
    put(2)
    world.run(5_000)
    expect(heard.at(-1)).toEqual({ type: 'committed', ticket: 2 })
    expect(store.size).toBe(1)
  })
})
