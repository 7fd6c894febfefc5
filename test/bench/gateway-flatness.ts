/**
 * Whether a push costs the same in a large gateway: 1,000 against 100,000 known devices, an empty store against 100,000
 * pushes that wait for users who are away. Three gateways live side by side and are loaded in turn, so that whatever
 * else the machine does falls on all of them.
 */
import { BenchGateway, countFor, type Sinks } from './gateway.js'
import type { Lab } from './lab.js'
import { unevenness, type Measured } from './rows.js'
import { seedStore, type Seed } from './seeding.js'

const SMALL = 1_000
const LARGE = 100_000
const PAIRS = 5
const WARM_UP = 8_000
const REPEAT_SECONDS = 2

const SEEDS: Readonly<Record<'small' | 'devices' | 'stored', Seed>> = {
  small: { devices: SMALL, waiting: 0 },
  devices: { devices: LARGE, waiting: 0 },
  stored: { devices: SMALL, waiting: LARGE },
}

export async function benchFlatness(lab: Lab): Promise<Measured[]> {
  const load = lab.child('push-load')
  const sinks = await load.ask<Sinks>('sinks')
  const gateways: { readonly name: keyof typeof SEEDS; readonly gateway: BenchGateway; readonly users: number; readonly costs: number[] }[] = []
  for (const name of ['small', 'devices', 'stored'] as const) {
    const store = lab.newFolder()
    await seedStore(store, SEEDS[name])
    const gateway = await BenchGateway.start(lab, load, sinks, store)
    // Each recovered push is tried once and found away; only then does it wait.
    if (SEEDS[name].waiting > 0) await gateway.part.reached('waiting', SEEDS[name].waiting)
    lab.progress(`flatness: the gateway with ${SEEDS[name].devices} devices and ${SEEDS[name].waiting} stored pushes is up`)
    gateways.push({ name, gateway, users: SEEDS[name].devices, costs: [] })
  }
  let slowest = Infinity
  for (const { gateway, users } of gateways) slowest = Math.min(slowest, (await gateway.push({ count: WARM_UP, notify: false, users })).perSecond)
  const count = countFor(slowest, REPEAT_SECONDS)
  for (let pair = 0; pair < PAIRS; pair++) {
    for (const { gateway, users, costs } of gateways) costs.push((await gateway.push({ count, notify: false, users })).cpuMicros)
    lab.progress(`flatness, round ${pair + 1} of ${PAIRS}: ${gateways.map(({ name, costs }) => `${name} ${costs[pair]!.toFixed(1)} µs`).join(', ')}`)
  }
  for (const { gateway } of gateways) await lab.stopPart(gateway.part)
  await load.stop()
  const [small, devices, stored] = gateways.map(({ costs }) => costs) as [number[], number[], number[]]
  const [byDevices, byStored] = [unevenness(small, devices), unevenness(small, stored)]
  const worse = byDevices >= byStored ? devices : stored
  return [
    { name: 'gateway.flatness', unit: 'ratio', values: [Math.max(byDevices, byStored)], floors: [], range: pairRange(small, worse) },
    { name: 'gateway.flatness.devices', unit: 'ratio', values: [byDevices], floors: [], range: pairRange(small, devices) },
    { name: 'gateway.flatness.stored', unit: 'ratio', values: [byStored], floors: [], range: pairRange(small, stored) },
  ]
}

/** The pairs' own ratios, large over small, show the noise. */
function pairRange(small: readonly number[], large: readonly number[]): readonly number[] {
  return small.map((cost, index) => large[index]! / cost)
}
