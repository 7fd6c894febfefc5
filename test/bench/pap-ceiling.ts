/** The PAP endpoint's ceiling: closed-loop submissions by autocannon, with every push delivered to a sink meanwhile. */
import type { CeilingLoad } from './children/pap-ceiling.js'
import { BenchGateway, type Sinks } from './gateway.js'
import type { Lab } from './lab.js'
import type { Measured } from './rows.js'
import { seedStore } from './seeding.js'

const USERS = 1_000
const CONNECTIONS = 64
const SECONDS = 4
const REPEATS = 3

export async function benchCeiling(lab: Lab): Promise<Measured[]> {
  const sink = lab.child('push-load')
  const load = lab.child('pap-ceiling')
  const store = lab.newFolder()
  await seedStore(store, { devices: USERS, waiting: 0 })
  const gateway = await BenchGateway.start(lab, sink, await sink.ask<Sinks>('sinks'), store)
  const values: number[] = []
  for (let repeat = -1; repeat < REPEATS; repeat++) {
    const perSecond = await load.ask<number>('load', { pap: gateway.part.addresses['pap']!, connections: CONNECTIONS, seconds: repeat < 0 ? 2 : SECONDS, users: USERS } satisfies CeilingLoad)
    lab.progress(`PAP ceiling, ${repeat < 0 ? 'warm-up' : `repeat ${repeat + 1} of ${REPEATS}`}: ${perSecond.toFixed(0)}/s`)
    if (repeat >= 0) values.push(perSecond)
  }
  await lab.stopPart(gateway.part)
  await Promise.all([load.stop(), sink.stop()])
  return [{ name: 'pap.ceiling.perSecond', unit: '1/s', values, floors: [] }]
}
