/**
 * The core, the gateway, or a fleet of terminals, alone in a process on real sockets, and the anonymous resident memory of that
 * process, garbage collected. Whoever registers, or takes the registrations, is another process. Linux only.
 */
import { readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import * as Effect from 'effect/Effect'
import * as Scope from 'effect/Scope'
import { decodeGatewayConfig, type GatewayConfigWritten } from '../../../core/live/config.js'
import { systemCrypto } from '../../../core/live/crypto.js'
import { SystemEntropy } from '../../../core/live/entropy.js'
import { startGateway, type GatewayService } from '../../../core/live/gateway-service.js'
import { Pump } from '../../../core/live/pump.js'
import { Sockets } from '../../../core/live/sockets.js'
import { decodeImsConfig } from '../../../sim/live/ims-config.js'
import { startIms } from '../../../sim/live/ims-service.js'
import { populationOf } from '../../../sim/live/population-config.js'
import { decodeTerminalsConfig } from '../../../sim/live/terminals-config.js'
import { Fleet } from '../../../sim/terminal/fleet.js'
import type { FleetIn, FleetOut } from '../../../sim/terminal/fleet-contract.js'
import { serve } from './serve.js'

const COLLECTIONS = 6
const COLLECTION_MILLIS = 200
const REGISTERS_PER_SECOND = 8_000
const REGISTER_MICROS = 120_000_000

/** Pages that a collection freed go back to the system a moment later. */
async function anonymousBytes(): Promise<number> {
  for (let round = 0; round < COLLECTIONS; round++) {
    globalThis.gc?.()
    await pause(COLLECTION_MILLIS)
  }
  const kibibytes = /^Anonymous:\s+(\d+) kB/m.exec(readFileSync('/proc/self/smaps_rollup', 'latin1'))![1]
  return Number(kibibytes) * 1_024
}

let fleet: Fleet | undefined
let pump: Pump<FleetIn, FleetOut> | undefined
let settled: ((done: number) => void) | undefined

/** All devices are built, none is registered. */
async function startFleet({ port, devices }: { readonly port: number; readonly devices: number }): Promise<void> {
  const config = decodeTerminalsConfig({ proxy: { address: '127.0.0.1', port }, population: { subscribers: devices, devicesPerSubscriber: { 1: 1 } } })
  const { proxy, transport, connections, backoff } = config
  const started = new Fleet({ shard: { index: 0, count: 1 }, proxy, transport, connections, backoff }, populationOf(config.population), new SystemEntropy(), systemCrypto)
  const sockets = new Sockets((input) => driver.input(input))
  const driver: Pump<FleetIn, FleetOut> = new Pump(started, (out) => {
    if (out.type === 'settled') settled?.(out.done)
    else if (out.type !== 'journal' && out.type !== 'fetch') sockets.output(out)
  }, () => sockets.flush())
  driver.start()
  fleet = started
  pump = driver
}

function register(): Promise<number> {
  return new Promise((resolve) => {
    settled = resolve
    pump?.input({ type: 'register', ticket: 1, perSecond: REGISTERS_PER_SECOND, withinMicros: REGISTER_MICROS })
  })
}

let service: GatewayService | undefined

/** It lives as long as the process. */
async function gateway(config: GatewayConfigWritten): Promise<Readonly<Record<string, string>>> {
  const scope = await Effect.runPromise(Scope.make())
  service = await Effect.runPromise(startGateway(decodeGatewayConfig(config)).pipe(Scope.extend(scope)))
  return service.addresses
}

serve({
  gateway,
  counters: () => service?.counters() ?? {},
  core: async (subscribers: number) => (await startIms(decodeImsConfig({ population: { subscribers } }))).addresses,
  fleet: startFleet,
  register: async () => ({ done: await register(), registered: fleet?.counters.registered }),
  bytes: anonymousBytes,
})
