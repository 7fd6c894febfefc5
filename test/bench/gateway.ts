/**
 * Durable pushes through the real gateway part, HTTP in to SIP 200 recorded, without and with a result notification;
 * interleaved with the same traffic through a bare process. Processor time is that of the whole process.
 */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { BareStart } from './children/bare-push.js'
import type { LoopResult } from './children/closed-loop.js'
import type { PushLoad } from './children/push-load.js'
import { cpuMicros, type Child, type Lab, type RunningPart } from './lab.js'
import type { Measured } from './rows.js'
import { seedStore } from './seeding.js'

/** Two flushes lie between a push and its outcome: at 9,000 a second and 10 ms a flush on a busy disk, so many are under way. */
const CONNECTIONS = 256
const USERS = 1_000
const WARM_UP = 10_000
const REPEATS = 5
/** A repeat takes about so long, however fast the machine. */
const REPEAT_SECONDS = 3
const PUSHES_MIN = 2_000

export interface Sinks {
  readonly sip: number
  readonly notify: number
}

export interface Cost {
  readonly cpuMicros: number
  readonly perSecond: number
}

export interface PushOptions {
  readonly count: number
  readonly notify: boolean
  readonly users: number
}

/** A gateway part on a store of its own, with whoever is to be known or waiting in it already. */
export class BenchGateway {
  private delivered = 0
  private constructor(readonly part: RunningPart, private readonly load: Child) {}

  static async start(lab: Lab, load: Child, sinks: Sinks, store: string, options: { readonly execArgv?: readonly string[]; readonly journal?: string } = {}): Promise<BenchGateway> {
    const part = await lab.part('gateway', {
      pap: { listen: '127.0.0.1:0' }, sip: { listen: '127.0.0.1:0', nextHops: [`tcp:127.0.0.1:${sinks.sip}`] }, notifications: { inside: ['127.0.0.0/8'] }, store,
    }, options)
    return new BenchGateway(part, load)
  }

  /** Costs per push; ends when the gateway has recorded every outcome, and every acknowledgement where notified. */
  async push({ count, notify, users }: PushOptions): Promise<Cost> {
    const before = cpuMicros(this.part.pid)
    const { micros } = await this.load.ask<LoopResult>('push', { pap: this.part.addresses['pap']!, count, connections: CONNECTIONS, users, notify } satisfies PushLoad)
    this.delivered += count
    await this.part.reached('delivered', this.delivered)
    return { cpuMicros: (cpuMicros(this.part.pid) - before) / count, perSecond: count * 1_000_000 / micros }
  }
}

class BarePush {
  private recorded = 0
  private constructor(private readonly child: Child, private readonly port: number, private readonly load: Child, private readonly notify: boolean) {}

  static async start(lab: Lab, load: Child, sinks: Sinks, notify: boolean): Promise<BarePush> {
    const child = lab.child('bare-push')
    const port = await child.ask<number>('start', { store: lab.newFolder(), sip: sinks.sip, notify: notify ? sinks.notify : undefined } satisfies BareStart)
    return new BarePush(child, port, load, notify)
  }

  async push(count: number): Promise<number> {
    const before = cpuMicros(this.child.pid)
    await this.load.ask<LoopResult>('push', { pap: `http://127.0.0.1:${this.port}/pap`, count, connections: CONNECTIONS, users: USERS, notify: this.notify } satisfies PushLoad)
    this.recorded += count
    while (await this.child.ask<number>('recorded') < this.recorded) await new Promise((resolve) => setTimeout(resolve, 10))
    return (cpuMicros(this.child.pid) - before) / count
  }

  stop(): Promise<void> {
    return this.child.stop()
  }
}

/** How many pushes a repeat takes, given the rate of the warm-up. */
export function countFor(perSecond: number, seconds = REPEAT_SECONDS): number {
  return Math.max(PUSHES_MIN, Math.round(perSecond * seconds))
}

export async function benchGateway(lab: Lab): Promise<Measured[]> {
  const load = lab.child('push-load')
  const sinks = await load.ask<Sinks>('sinks')
  const store = lab.newFolder()
  await seedStore(store, { devices: USERS, waiting: 0 })
  const gateway = await BenchGateway.start(lab, load, sinks, store)
  const bare = [await BarePush.start(lab, load, sinks, false), await BarePush.start(lab, load, sinks, true)] as const
  const kinds = [false, true].map((notify) => ({ notify, costs: [] as number[], rates: [] as number[], floors: [] as number[], count: WARM_UP }))
  for (let repeat = -1; repeat < REPEATS; repeat++) {
    for (const kind of kinds) {
      const { notify, costs, rates, floors, count } = kind
      const cost = await gateway.push({ count, notify, users: USERS })
      const floor = await bare[notify ? 1 : 0].push(count)
      lab.progress(`gateway, ${notify ? 'notified' : 'push'}, ${repeat < 0 ? 'warm-up' : `repeat ${repeat + 1} of ${REPEATS}`}: ${cost.cpuMicros.toFixed(1)} µs at ${cost.perSecond.toFixed(0)}/s, bare ${floor.toFixed(1)} µs`)
      if (repeat < 0) {
        kind.count = countFor(cost.perSecond)
        continue
      }
      costs.push(cost.cpuMicros)
      rates.push(cost.perSecond)
      floors.push(floor)
    }
  }
  await lab.stopPart(gateway.part)
  await Promise.all([load.stop(), ...bare.map((each) => each.stop())])
  return kinds.flatMap(({ notify, costs, rates, floors }): Measured[] => {
    const name = notify ? 'gateway.notified' : 'gateway.push'
    return [{ name: `${name}.cpuUs`, unit: 'µs', values: costs, floors }, { name: `${name}.perSecond`, unit: '1/s', values: rates, floors: [] }]
  })
}

/** The one profile a part has left in a folder. */
export function profileIn(folder: string): string {
  const name = readdirSync(folder).find((file) => file.endsWith('.cpuprofile'))
  if (name === undefined) throw new Error(`the profiled gateway left no profile in ${folder}`)
  return join(folder, name)
}
