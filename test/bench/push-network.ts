/**
 * A whole network for the bench: the real core, gateway and terminals as processes of their own, everybody registered.
 * It starts, waits, reads what the gateway counts, and stops; it knows no binding and measures nothing.
 */
import type { GatewayConfigWritten } from '../../core/live/config.js'
import { freePort } from '../../loadgen/live/machine.js'
import type { ImsConfigEncoded } from '../../sim/live/ims-config.js'
import type { TerminalsConfigEncoded } from '../../sim/live/terminals-config.js'
import type { Lab, RunningPart } from './lab.js'
import { PUSH_SERVICE, usersConfig } from './population.js'

const REGISTERS_PER_SECOND = 2_000
const REGISTER_MICROS = 60_000_000
const SETTLE_MILLIS = 60_000
const POLL_MILLIS = 10

export type Counters = Readonly<Record<string, number>>

export interface PushNetworkOptions {
  readonly subscribers: number
  /** Whether every device subscribes to its pushes. */
  readonly subscribing: boolean
  /** How the gateway learns who is registered; the core tells it so. */
  readonly registrations?: 'third-party' | 'reg-event'
  readonly gateway: GatewayConfigWritten
}

export class PushNetwork {
  private constructor(private readonly lab: Lab, private readonly core: RunningPart, readonly gateway: RunningPart, readonly terminals: RunningPart) {}

  /** Rejects when not every device is registered and, where it is to be, subscribed. */
  static async start(lab: Lab, { subscribers, subscribing, registrations = 'third-party', gateway: config }: PushNetworkOptions): Promise<PushNetwork> {
    // The core and the gateway must know of each other before either is up.
    const sip = { address: '127.0.0.1', port: await freePort() }
    const core = await lab.part('ims', coreConfig(sip, subscribers, subscribing, registrations))
    const gateway = await lab.part('gateway', {
      pap: { listen: '127.0.0.1:0' }, content: { listen: '127.0.0.1:0' }, sip: { listen: `127.0.0.1:${sip.port}`, nextHops: [`tcp:${core.addresses['icscf']}`] },
      store: lab.newFolder(), registrations, notifications: { inside: ['127.0.0.0/8'] }, ...config,
    } satisfies GatewayConfigWritten)
    if (gateway.addresses['sip'] !== `127.0.0.1:${sip.port}`) throw new Error(`port ${sip.port}, which the core knows the gateway by, was taken meanwhile; run again`)
    const terminals = await lab.part('terminals', terminalsConfig(core, subscribers, subscribing))
    await registerAll(terminals, subscribers, subscribing)
    return new PushNetwork(lab, core, gateway, terminals)
  }

  /** The gateway's, as they are now. */
  counters(): Promise<Counters> {
    return this.gateway.process.perform('counters') as Promise<Counters>
  }

  async stop(): Promise<void> {
    await this.lab.stopPart(this.terminals)
    await this.lab.stopPart(this.gateway)
    await this.lab.stopPart(this.core)
  }
}

/** Rejects when not every device is registered and, where it is to be, subscribed. */
export async function registerAll(terminals: RunningPart, devices: number, subscribing: boolean): Promise<void> {
  const { done } = await terminals.process.perform('register', { perSecond: REGISTERS_PER_SECOND, withinMicros: REGISTER_MICROS }) as { readonly done: number }
  if (done !== devices) throw new Error(`${done} of ${devices} terminals are registered`)
  if (!subscribing) return
  await settled(`${devices} subscriptions stand`, async () => (await terminals.process.perform('counters') as Counters)['subscriptions'] === devices)
}

export function terminalsConfig(core: RunningPart, subscribers: number, subscribing: boolean): TerminalsConfigEncoded {
  return { proxy: { address: '127.0.0.1', port: Number(core.addresses['pcscf']!.split(':')[1]) }, population: usersConfig(subscribers, subscribing) }
}

/** Octets that crossed the gateway's SIP, MSRP and content sockets so far, both directions. */
export function wireBytes(counters: Counters): number {
  return ['wireBytesIn', 'wireBytesOut', 'contentBytesIn', 'contentBytesOut'].reduce((total, name) => total + counters[name]!, 0)
}

/** Resolves when it holds; rejects in words when it never does. */
export async function settled(what: string, holds: () => Promise<boolean>): Promise<void> {
  const until = Date.now() + SETTLE_MILLIS
  while (!await holds()) {
    if (Date.now() > until) throw new Error(`it did not come about within ${SETTLE_MILLIS / 1_000} s that ${what}`)
    await new Promise((resolve) => setTimeout(resolve, POLL_MILLIS))
  }
}

/** @param registrations how the gateway is to learn of registrations; `untold`: not at all */
export function coreConfig(gateway: { readonly address: string; readonly port: number }, subscribers: number, subscribing: boolean, registrations: 'third-party' | 'reg-event' | 'untold'): ImsConfigEncoded {
  const hop = { transport: 'tcp' as const, ...gateway }
  const criterion = {
    priority: 0, groups: [[{ type: 'method' as const, method: 'REGISTER' }]], server: { uri: `sip:${gateway.address}:${gateway.port};transport=tcp`, hop },
  }
  return {
    services: { [PUSH_SERVICE]: hop }, population: usersConfig(subscribers, subscribing),
    ...(registrations === 'third-party' ? { filterCriteria: [criterion] } : {}), ...(registrations === 'reg-event' ? { regEvent: { watchers: [PUSH_SERVICE] } } : {}),
  }
}
