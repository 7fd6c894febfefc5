/**
 * What one binding of the core and one registered terminal hold: the machines filled by the messages of real
 * registrations, and the anonymous resident memory of this process before and after, garbage collected. Linux only.
 */
import { readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { Schema } from 'effect'
import { readNow } from '../../../core/live/clock.js'
import { systemCrypto } from '../../../core/live/crypto.js'
import { SystemEntropy } from '../../../core/live/entropy.js'
import { TICK } from '../../../core/kit/machine.js'
import type { NetworkIn } from '../../../core/kit/network.js'
import { Fleet } from '../../../sim/terminal/fleet.js'
import { ImsCore } from '../../../sim/ims/ims.js'
import { defaultImsSettings } from '../../../sim/ims/settings.js'
import { PopulationConfig, populationOf } from '../../../sim/live/population-config.js'
import { PopulationDirectory } from '../../../sim/terminal/directory.js'
import { BACKOFF } from '../../../sim/terminal/terminal.js'
import { serve } from './serve.js'

const DOMAIN = 'home1.example'
const PROXY = { address: '127.0.0.1', port: 5060 }
const CONNECTIONS = 4
/** Fills what is made once and compiled on the way, before anything is counted. */
const WARM_UP = 2_000
const COLLECTIONS = 6
const COLLECTION_MILLIS = 200
/** Transactions over UDP are kept 32 s for retransmissions; over TCP they end with their answer. Everything here is TCP. */
const QUIET_MICROS = 40_000_000

interface Network {
  readonly core: ImsCore
  readonly fleet: Fleet
}

/** Ends by itself when no more memory comes back. */
async function anonymousBytes(): Promise<number> {
  for (let round = 0; round < COLLECTIONS; round++) {
    globalThis.gc?.()
    await pause(COLLECTION_MILLIS)
  }
  const kibibytes = /^Anonymous:\s+(\d+) kB/m.exec(readFileSync('/proc/self/smaps_rollup', 'latin1'))![1]
  return Number(kibibytes) * 1_024
}

let offset = 0
/** The clock of the host, moved ahead to let transactions end. */
function now() {
  const { mono, wall } = readNow()
  return { mono: mono + offset, wall: wall + offset / 1_000 }
}

function registered(devices: number): Network {
  const population = populationOf(Schema.decodeSync(PopulationConfig)({ subscribers: devices, devicesPerSubscriber: { 1: 1 } }))
  const defaults = defaultImsSettings(DOMAIN)
  const core = new ImsCore(defaults, new PopulationDirectory(population), new SystemEntropy(), systemCrypto)
  const fleet = new Fleet({ shard: { index: 0, count: 1 }, proxy: PROXY, transport: 'tcp', connections: CONNECTIONS, backoff: BACKOFF }, population, new SystemEntropy(), systemCrypto)
  let settled = -1
  const drain = (): void => {
    for (let isMoving = true; isMoving;) {
      isMoving = false
      for (let out = fleet.poll(); out !== undefined; out = fleet.poll()) {
        isMoving = true
        if (out.type === 'transmit') core.handle(now(), { type: 'bytes', flow: out.flow, bytes: out.bytes })
        else if (out.type === 'connect') connectBoth(core, fleet, out.ticket)
        else if (out.type === 'settled') settled = out.done
      }
      for (let out = core.poll(); out !== undefined; out = core.poll()) {
        isMoving = true
        if (out.type === 'transmit') fleet.handle(now(), { type: 'bytes', flow: out.flow, bytes: out.bytes })
      }
    }
  }
  fleet.handle(now(), TICK)
  fleet.handle(now(), { type: 'register', ticket: 1, perSecond: 1_000_000, withinMicros: 600_000_000 })
  drain()
  while (settled < 0) {
    offset += 1_000
    fleet.handle(now(), TICK)
    core.handle(now(), TICK)
    drain()
  }
  if (settled !== devices) throw new Error(`${settled} of ${devices} devices are registered`)
  offset += QUIET_MICROS
  core.handle(now(), TICK)
  fleet.handle(now(), TICK)
  drain()
  return { core, fleet }
}

let flowLast = 0
function connectBoth(core: ImsCore, fleet: Fleet, ticket: number): void {
  const flow = ++flowLast
  const near = { address: '127.0.0.1', port: 40_000 + flow }
  const up = (local: typeof near, remote: typeof near, own: number | undefined): NetworkIn => ({ type: 'flow-up', flow, transport: 'tcp', local, remote, ticket: own })
  core.handle(now(), up(PROXY, near, undefined))
  fleet.handle(now(), up(near, PROXY, ticket))
}

/** What stays referenced while it is counted. */
let held: ImsCore | Fleet | undefined

async function measure(which: 'core' | 'fleet', count: number): Promise<number> {
  registered(WARM_UP)
  const before = await anonymousBytes()
  held = registered(count)[which]
  const bytes = (await anonymousBytes() - before) / count
  if (held.deadline() < 0) throw new Error('a machine\'s deadline is never negative')
  return bytes
}

serve({ binding: (count: number) => measure('core', count), terminal: (count: number) => measure('fleet', count) })
