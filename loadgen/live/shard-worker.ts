/** A thread that lets one shard of a simulated day pass, tells how far it is a few times a second, and at the end what it came to. */
import { parentPort, workerData } from 'node:worker_threads'
import { systemCrypto } from '../../core/live/crypto.js'
import { MICROS_PER_SECOND, type Micros } from '../../core/kit/time.js'
import { monoMicros } from '../../core/live/clock.js'
import { delaysOf } from '../world/calibration.js'
import { Day, intervalSecondsOf } from '../world/day.js'
import { servicesOf } from '../world/services.js'
import { populationFor, recipientsOf } from './part-configs.js'
import { ShardHistograms } from './shard-histograms.js'
import type { ShardProgress, ShardResult, ShardWork } from './shard-messages.js'

const TELL_EVERY_MICROS: Micros = 250_000
const SLICE_MIN_MICROS: Micros = 10_000

const work = workerData as ShardWork
const { scenario } = work
const population = populationFor(scenario)
const histograms = new ShardHistograms(intervalSecondsOf(scenario.load))
const day = new Day({
  scenario, population: population.settings, recipients: recipientsOf(population), shard: work.shard, startWall: work.startWall, crypto: systemCrypto,
  service: servicesOf(work.costs), delays: delaysOf(work.residuals), flushMicros: work.flushMicros, coreMicros: work.coreMicros, carriage: 'messages', sink: histograms.take, bindingSink: histograms.takeBinding,
})

/** Lets the whole day pass; slices of virtual time are as long as the machine can do between two reports. */
function passDay(): number {
  let slice: Micros = MICROS_PER_SECOND
  let drainFrom = 0
  for (;;) {
    const from = monoMicros()
    const progress = day.advance(slice)
    const told: ShardProgress = { ...progress, type: 'progress', attempts: day.attempts }
    parentPort!.postMessage(told)
    if (progress.phase === 'over') return day.world.world.now.mono - drainFrom
    if (progress.phase === 'load') drainFrom = day.world.world.now.mono
    if (Atomics.load(work.stop, 0) !== 0) day.stop()
    slice = Math.max(SLICE_MIN_MICROS, Math.round(slice * Math.min(4, Math.max(0.25, TELL_EVERY_MICROS / Math.max(1, monoMicros() - from)))))
  }
}

const drainMicros = passDay()
const { gateway, fleet, network } = day.world
const result: ShardResult = {
  type: 'result', totals: day.totals(), histograms: histograms.encode(), registered: day.registered, devices: fleet.counters.devices, rejectedByCheck: fleet.counters.rejectedByCheck,
  heldSamples: day.heldSamples, use: day.use(), sent: Object.fromEntries(network.sent), shed: gateway.counters.shed,
  loadSeconds: day.loadMicros / MICROS_PER_SECOND, drainSeconds: drainMicros / MICROS_PER_SECOND,
}
parentPort!.postMessage(result)
