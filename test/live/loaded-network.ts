/**
 * A Network with everybody registered and the scenario's load running on it, its notifications listened to; closed by
 * itself after the test that started it. What happens to it meanwhile is the test's business.
 */
import { join } from 'node:path'
import { afterEach, expect } from 'vitest'
import { monoMicros } from '../../core/live/clock.js'
import type { Generator } from '../../loadgen/live/generator.js'
import { NotificationListener } from '../../loadgen/live/notification-listener.js'
import { ledgerOf } from '../../loadgen/reconcile/ledger.js'
import { Reconciler } from '../../loadgen/reconcile/reconciler.js'
import type { Scenario } from '../../loadgen/scenario.js'
import { diskFolder } from './disk.js'
import { WatchedJournal, atMost, eventsOf, generatorFor } from './load.js'
import { Network, type ChangeTerminals } from './network.js'

export interface LoadedNetwork {
  /** Where all journals and the store are. */
  readonly folder: string
  /** The initiator's. */
  readonly journal: WatchedJournal
  readonly network: Network
  readonly listener: NotificationListener
  readonly generator: Generator
  /** Resolves when the generator has been stopped and its requests are answered. */
  readonly running: Promise<void>
}

const closers: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

export async function underLoad(scenario: Scenario, registrationsPerSecond: number, change?: ChangeTerminals): Promise<LoadedNetwork> {
  const folder = diskFolder()
  const journal = new WatchedJournal(join(folder, 'initiator.journal'), (error) => { throw error })
  const network = await Network.start(scenario, folder, () => journal.look(), change)
  closers.push(() => network.kill())
  await network.startGateway()
  const registered = await network.register(registrationsPerSecond)
  expect(registered.done).toBe(registered.wanted)
  const listener = await NotificationListener.listen(journal)
  closers.push(() => listener.close())
  const generator = generatorFor(scenario, network.papUrl, listener.url, journal)
  closers.push(() => generator.close())
  return { folder, journal, network, listener, generator, running: generator.run(monoMicros()) }
}

const DRAIN_MILLIS = 20_000

/** Ends the load, lets everything come to its end, and says what all journals say together. */
export async function finished({ folder, journal, network, generator, running }: LoadedNetwork) {
  generator.stop()
  await running
  await atMost(DRAIN_MILLIS, journal, () => network.gatewayCounters?.['inFlight'] === 0 && journal.allNotified)
  const [core, terminals] = await Promise.all([network.ims.perform('counters'), network.terminals.perform('counters')]) as Record<string, number>[]
  await network.stop()
  await journal.close()
  const reconciler = new Reconciler()
  await eventsOf(folder, 'initiator', (event) => reconciler.initiator(event))
  await eventsOf(folder, 'gateway', (event) => reconciler.gateway(event))
  await eventsOf(folder, 'ims', (event) => reconciler.ims(event))
  await eventsOf(folder, 'terminals', (event) => reconciler.terminal('virtual', event))
  return { ...ledgerOf(reconciler.tables(), true), core: core!, terminals: terminals! }
}
