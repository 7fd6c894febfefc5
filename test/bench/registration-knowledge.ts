/**
 * What it costs the gateway to know who is registered: by third-party REGISTER (TS 24.229 section 5.4.1.7), which the core sends
 * for every user, and by the reg event package (RFC 3680), for users the gateway has pushes for. Per change, a device coming or
 * going: SIP messages at the gateway, answers included, their octets, and processor time of the gateway, its store included.
 */
import { join } from 'node:path'
import type { GatewayConfigWritten } from '../../core/live/config.js'
import { readOwn } from '../live/capture-reader.js'
import type { BindingLoad } from './children/binding-load.js'
import { cpuMicros, type Lab } from './lab.js'
import { CONTENT } from './population.js'
import { PushNetwork, registerAll, settled, wireBytes } from './push-network.js'
import type { Measured } from './rows.js'

const WAYS = ['third-party', 'reg-event'] as const
type Way = (typeof WAYS)[number]

const USERS = 256
/** Where messages are counted, not timed. */
const FEW_USERS = 64
/** All users go and come so many times in one repeat. */
const ROUNDS = 3
const REPEATS = 3
const CHANGES_PER_SECOND = 2_000
const WITHIN_MICROS = 60_000_000

export const REGISTRATION_ROWS: readonly string[] = WAYS.flatMap((way) => ['messages', 'bytes', 'cpuUs'].map((figure) => `registration.${way}.${figure}`))

export async function benchRegistrationKnowledge(lab: Lab): Promise<Measured[]> {
  const rows: Measured[] = []
  for (const way of WAYS) rows.push(...await measured(lab, way))
  return rows
}

async function measured(lab: Lab, way: Way): Promise<Measured[]> {
  const messages = await messagesPerChange(lab, way)
  const network = await started(lab, way, USERS)
  const bytes: number[] = []
  const costs: number[] = []
  for (let repeat = -1; repeat < REPEATS; repeat++) {
    const bytesBefore = wireBytes(await network.counters())
    const cpuBefore = cpuMicros(network.gateway.pid)
    await change(network, way, USERS, ROUNDS)
    const changes = 2 * USERS * ROUNDS
    const cost = (cpuMicros(network.gateway.pid) - cpuBefore) / changes
    const octets = (wireBytes(await network.counters()) - bytesBefore) / changes
    lab.progress(`registration.${way}, ${repeat < 0 ? 'warm-up' : `repeat ${repeat + 1} of ${REPEATS}`}: ${cost.toFixed(0)} µs, ${octets.toFixed(0)} bytes`)
    if (repeat < 0) continue
    bytes.push(octets)
    costs.push(cost)
  }
  await network.stop()
  return [
    { name: `registration.${way}.messages`, unit: 'messages', values: [messages], floors: [] },
    { name: `registration.${way}.bytes`, unit: 'bytes', values: bytes, floors: [] },
    { name: `registration.${way}.cpuUs`, unit: 'µs', values: costs, floors: [] },
  ]
}

/** The difference that a round makes to what a gateway that writes down what crosses its sockets has seen in all. */
async function messagesPerChange(lab: Lab, way: Way): Promise<number> {
  return (await messagesIn(lab, way, 2) - await messagesIn(lab, way, 1)) / (2 * FEW_USERS)
}

async function messagesIn(lab: Lab, way: Way, rounds: number): Promise<number> {
  const capture = join(lab.newFolder(), 'gateway.pcap')
  const network = await started(lab, way, FEW_USERS, { capture })
  await change(network, way, FEW_USERS, rounds)
  await network.stop()
  return readOwn(capture).sip.length
}

/** Every user is known to the gateway; a push to each is what makes it watch him where it asks by itself. */
async function started(lab: Lab, way: Way, users: number, gateway: GatewayConfigWritten = {}): Promise<PushNetwork> {
  const network = await PushNetwork.start(lab, { subscribers: users, subscribing: false, registrations: way, gateway })
  const load = lab.child('binding-load')
  await load.ask('listen')
  await load.ask('push', { pap: network.gateway.addresses['pap']!, count: users, outstanding: users, push: CONTENT } satisfies BindingLoad)
  await load.stop()
  await settled(`the gateway knows of ${users} registrations`, async () => (await network.counters())['registrations']! >= users)
  return network
}

/** All users go and come again, so often; resolves when the gateway knows of the last one. */
async function change(network: PushNetwork, way: Way, users: number, rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    const before = (await network.counters())['registrations']!
    const told = (changes: number): Promise<void> =>
      settled(`the gateway is told of ${changes} changes by ${way}`, async () => (await network.counters())['registrations']! >= before + changes)
    await network.terminals.process.perform('deregister', { perSecond: CHANGES_PER_SECOND, withinMicros: WITHIN_MICROS })
    await told(users)
    await registerAll(network.terminals, users, false)
    await told(2 * users)
  }
}
