/**
 * Pushes by each binding and size through the real gateway, core and terminals, from the submission to the result
 * notification: how many a second with a bounded number outstanding, the gateway's processor time, and the octets that
 * crossed its SIP, MSRP and content sockets, both directions, heads included. The submission itself (PAP) is not among them.
 */
import type { GatewayConfigWritten } from '../../core/live/config.js'
import { bindingOf, COMPILING, figureRow, missingRows, REUSE_SIZE, SIZES, USERS, whyNot, type SizeClass, type Way } from './binding-cells.js'
import type { BindingLoad } from './children/binding-load.js'
import type { LoopResult } from './children/closed-loop.js'
import { cpuMicros, type Child, type Lab } from './lab.js'
import { CONTENT } from './population.js'
import { PushNetwork, settled, wireBytes } from './push-network.js'
import type { Measured, Missing } from './rows.js'

interface Cost {
  readonly perSecond: number
  readonly cpuMicros: number
  readonly wireBytes: number
  readonly sessionsPerPush: number
}

/** How often deliveries are counted where no notification tells of them: rarely enough to cost nothing, while hundreds are outstanding. */
const COUNT_MILLIS = 10
/** How many of the pushes through kept sessions may begin one. */
const NEW_SESSIONS_MAX = 0.05
type Keeping = Pick<GatewayConfigWritten, 'msrp'>
/** How the gateway keeps sessions. Kept ones carry every size: a content offered as a file (RFC 5547) has a session of its own. */
const OWN: Keeping = { msrp: { keep: '0s', parallel: 1 } }
const KEPT: Keeping = { msrp: { keep: '30s', fileFrom: '2MiB' } }

/** Every size by one way, in a network of its own. */
export async function benchBinding(lab: Lab, way: Way): Promise<(Measured | Missing)[]> {
  const load = await startedLoad(lab)
  const network = await startedNetwork(lab, way === 'session-reused' ? KEPT : OWN)
  const rows: (Measured | Missing)[] = []
  await repeated(lab, network, load, way, COMPILING)
  for (const size of SIZES) {
    const why = whyNot(way, size)
    rows.push(...(why === undefined ? rowsOf(way, size, await repeated(lab, network, load, way, size)) : missingRows(way, size, why)))
  }
  await network.stop()
  await load.stop()
  return rows
}

/**
 * Whole pushes of 2 kB, INVITE to BYE for each, beside whole pushes through sessions that are kept; in turns. Without result
 * notifications, as the rows gateway.push: they cost the same however a push was delivered, and blur what is compared.
 */
export async function benchReuse(lab: Lab): Promise<Measured[]> {
  const load = await startedLoad(lab)
  const sideOf = async (way: Way, config: Keeping) => ({ way, network: await startedNetwork(lab, config), count: REUSE_SIZE.warmUp, rates: [] as number[] })
  const sides = [await sideOf('session', OWN), await sideOf('session-reused', KEPT)] as const
  for (const { network, way } of sides) await repeated(lab, network, load, way, COMPILING)
  for (let repeat = -3; repeat < REUSE_SIZE.repeats; repeat++) {
    for (const side of sides) {
      const cost = await pushed(side.network, load, side.way, REUSE_SIZE, side.count)
      const { perSecond } = repeat < 0 ? cost : kept(side.way, cost)
      lab.progress(`msrp.reuse, ${side.way}, ${repeat < 0 ? 'warm-up' : `repeat ${repeat + 1} of ${REUSE_SIZE.repeats}`}: ${perSecond.toFixed(0)}/s`)
      if (repeat >= 0) side.rates.push(perSecond)
      side.count = countOf(REUSE_SIZE, perSecond)
    }
  }
  await Promise.all(sides.map(({ network }) => network.stop()))
  await load.stop()
  const [own, reused] = [sides[0].rates, sides[1].rates]
  return [
    { name: 'msrp.reuse.ratio', unit: 'ratio', values: reused.map((rate, index) => rate / own[index]!), floors: [] },
    { name: 'msrp.reuse.perSecond', unit: '1/s', values: reused, floors: own },
  ]
}

async function startedLoad(lab: Lab): Promise<Child> {
  const load = lab.child('binding-load')
  await load.ask('listen')
  return load
}

function startedNetwork(lab: Lab, config: Keeping): Promise<PushNetwork> {
  // A reference counts as delivered once every octet of it was fetched: the fetch is part of what is measured.
  return PushNetwork.start(lab, { subscribers: USERS, subscribing: true, gateway: { content: { listen: '127.0.0.1:0', confirmation: 'fetched' }, ...config } })
}

async function repeated(lab: Lab, network: PushNetwork, load: Child, way: Way, size: SizeClass): Promise<readonly Cost[]> {
  const costs: Cost[] = []
  let count = size.warmUp
  for (let repeat = -1; repeat < size.repeats; repeat++) {
    const cost = await pushed(network, load, way, size, count)
    if (repeat >= 0) costs.push(kept(way, cost))
    count = countOf(size, cost.perSecond)
    lab.progress(`binding.${way}.${size.name}, ${repeat < 0 ? 'warm-up' : `repeat ${repeat + 1} of ${size.repeats}`}: ${cost.perSecond.toFixed(0)}/s, ${cost.cpuMicros.toFixed(0)} µs, ${cost.wireBytes.toFixed(0)} bytes`)
  }
  return costs
}

function countOf({ warmUp, seconds }: SizeClass, perSecond: number): number {
  return Math.max(warmUp, Math.round(perSecond * seconds))
}

async function pushed(network: PushNetwork, load: Child, way: Way, size: SizeClass, count: number): Promise<Cost> {
  const { gateway } = network
  const before = await network.counters()
  const cpuBefore = cpuMicros(gateway.pid)
  const pushing = load.ask<LoopResult>('push', {
    pap: gateway.addresses['pap']!, count, outstanding: size.outstanding, users: size.users, push: { ...CONTENT, size: size.octets, binding: bindingOf(way) },
  } satisfies BindingLoad)
  if (size.users > size.outstanding) await tellDelivered(network, load, before['delivered']!, pushing)
  const { micros } = await pushing
  // The outcome is told before the session is ended; its end belongs to the push.
  if (way === 'session') await settled('every session is ended', async () => (await network.counters())['sessionsOpen'] === 0)
  const used = cpuMicros(gateway.pid) - cpuBefore
  const after = await network.counters()
  const sessions = after['sessions']! - before['sessions']!
  if (way === 'session' && sessions !== count) throw new Error(`${count} pushes in ${sessions} sessions: not one for each`)
  return { perSecond: count * 1_000_000 / micros, cpuMicros: used / count, wireBytes: (wireBytes(after) - wireBytes(before)) / count, sessionsPerPush: sessions / count }
}

/** Lets the initiator know how many of its pushes have been delivered until it is done. */
async function tellDelivered(network: PushNetwork, load: Child, before: number, pushing: Promise<unknown>): Promise<void> {
  let isOver = false
  const over = pushing.then(() => {}, () => {}).then(() => { isOver = true })
  while (!isOver) {
    await Promise.race([over, new Promise((resolve) => setTimeout(resolve, COUNT_MILLIS))])
    await load.ask('delivered', (await network.counters())['delivered']! - before)
  }
}

/** Refuses what was measured as kept sessions where they were not; the gateway ends one after so many messages all the same. */
function kept(way: Way, cost: Cost): Cost {
  if (way === 'session-reused' && cost.sessionsPerPush > NEW_SESSIONS_MAX) throw new Error(`a session for every ${(1 / cost.sessionsPerPush).toFixed(1)} pushes: they were not kept`)
  return cost
}

function rowsOf(way: Way, size: SizeClass, costs: readonly Cost[]): Measured[] {
  return [
    { ...figureRow(way, size, 'pushesPerSecond'), values: costs.map(({ perSecond }) => perSecond), floors: [] },
    { ...figureRow(way, size, 'cpuUs'), values: costs.map((cost) => cost.cpuMicros), floors: [] },
    { ...figureRow(way, size, 'wireBytes'), values: costs.map((cost) => cost.wireBytes), floors: [] },
  ]
}
