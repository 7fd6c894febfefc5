/**
 * A day in virtual time from start to record: a thread for each gateway node, what they come to added up, a run folder like any
 * other run's. Ctrl-C ends the threads at the time they have reached, and the record says how far that was.
 */
import { writeFile } from 'node:fs/promises'
import { setFlagsFromString } from 'node:v8'
import { Worker } from 'node:worker_threads'
import type { RunRecord } from '../../reports/record.js'
import { intervalSecondsOf, type Progress } from '../world/day.js'
import { addTotals, noTotals } from '../world/totals.js'
import type { Scenario } from '../scenario.js'
import type { Calibration } from './calibration-file.js'
import { machineFacts } from './machine.js'
import { RunFolder } from './run-folder.js'
import { scenarioToYaml } from './scenario-file.js'
import { ShardHistograms } from './shard-histograms.js'
import type { ShardProgress, ShardResult, ShardWork } from './shard-messages.js'
import { simulatedRecord } from './simulated-record.js'

export interface SimulateOptions {
  readonly scenario: Scenario
  /** Folder that holds the runs. */
  readonly out: string
  readonly calibration: Calibration
  /** Told a few times a second. */
  readonly onProgress: (progress: SimulationProgress) => void
  readonly interrupt: AbortSignal
  readonly kill: AbortSignal
}

/** All shards together: sums, and the time the slowest has reached. */
export interface SimulationProgress extends Progress {
  readonly attempts: number
}

/** What a thread's heap may grow to: so much to begin with, and so much for each subscriber, of which nearly five kilobytes are kept (1.2 devices). */
const HEAP_MEGABYTES_MIN = 512
const HEAP_BYTES_PER_SUBSCRIBER = 6_000
/** As for the forked parts of a live run: what lives as long as a push does not outlive its scavenge. */
const YOUNG_MEGABYTES = 192

export async function simulate(options: SimulateOptions): Promise<{ readonly record: RunRecord; readonly folder: string }> {
  const { scenario } = options
  const startedAt = new Date()
  const folder = await RunFolder.make(options.out, scenario.name, startedAt)
  const scenarioYaml = scenarioToYaml(scenario)
  await writeFile(folder.file('scenario.yaml'), scenarioYaml)
  const results = await passShards(options, startedAt)
  const totals = noTotals(results[0]!.totals.intervals.length)
  const intervalSeconds = intervalSecondsOf(scenario.load)
  const histograms = new ShardHistograms(intervalSeconds)
  for (const result of results) {
    addTotals(totals, result.totals)
    histograms.add(result.histograms)
  }
  const record = simulatedRecord({
    scenario, scenarioYaml, startedAt, results, totals, histograms, intervalSeconds, calibration: options.calibration.calibration, machine: machineFacts(),
    tookSeconds: (Date.now() - startedAt.getTime()) / 1_000, rssBytes: process.resourceUsage().maxRSS * 1_024,
    interrupted: options.interrupt.aborted ? `${String(options.interrupt.reason)} after ${hours(results)} h of the load` : undefined,
  })
  await writeFile(folder.file('run.json'), `${JSON.stringify(record, undefined, 1)}\n`)
  return { record, folder: folder.path }
}

async function passShards(options: SimulateOptions, startedAt: Date): Promise<ShardResult[]> {
  const { scenario, interrupt, kill, calibration: { costs, residuals, flushMicros, coreMicros } } = options
  const stop = new Int32Array(new SharedArrayBuffer(4))
  interrupt.addEventListener('abort', () => { Atomics.store(stop, 0, 1) }, { once: true })
  const count = scenario.virtual.gateways
  const midnight = Math.floor(startedAt.getTime() / 86_400_000) * 86_400_000
  const latest: (ShardProgress | undefined)[] = new Array<undefined>(count).fill(undefined)
  const workers: Worker[] = []
  // Each shard fills a processor: helpers of one shard's collector would only take it from another shard (40 s instead of 43 for 40,000 subscribers).
  setFlagsFromString('--no-parallel-scavenge')
  const passed = Array.from({ length: count }, (_, index) => {
    const work: ShardWork = { scenario, shard: { index, count }, startWall: midnight, costs, residuals, flushMicros, coreMicros, stop }
    const worker = new Worker(new URL('./shard-worker.js', import.meta.url), {
      workerData: work, name: `shard-${index}`, resourceLimits: { maxOldGenerationSizeMb: HEAP_MEGABYTES_MIN + Math.ceil(scenario.population.subscribers / count * HEAP_BYTES_PER_SUBSCRIBER / 1e6), maxYoungGenerationSizeMb: YOUNG_MEGABYTES },
    })
    workers.push(worker)
    return resultOf(worker, (progress) => {
      latest[index] = progress
      options.onProgress(together(latest))
    })
  })
  const killed = new Promise<never>((_resolve, reject) => {
    kill.addEventListener('abort', () => reject(new Error('stopped at once')), { once: true })
  })
  killed.catch(() => {})
  try {
    return await Promise.race([Promise.all(passed), killed])
  } finally {
    for (const pass of passed) pass.catch(() => {})
    await Promise.all(workers.map((worker) => worker.terminate()))
  }
}

function resultOf(worker: Worker, onProgress: (progress: ShardProgress) => void): Promise<ShardResult> {
  return new Promise((resolve, reject) => {
    worker.on('message', (message: ShardProgress | ShardResult) => {
      if (message.type === 'progress') onProgress(message)
      else resolve(message)
    })
    worker.once('error', reject)
    worker.once('exit', () => reject(new Error('a thread of the simulation ended before its day was over')))
  })
}

const ORDER: readonly Progress['phase'][] = ['register', 'load', 'drain', 'over']

function together(latest: readonly (ShardProgress | undefined)[]): SimulationProgress {
  const sum = (value: (progress: ShardProgress) => number): number => latest.reduce((total, each) => total + (each === undefined ? 0 : value(each)), 0)
  return {
    phase: ORDER[Math.min(...latest.map((each) => (each === undefined ? 0 : ORDER.indexOf(each.phase))))]!,
    micros: Math.min(...latest.map((each) => each?.micros ?? 0)),
    registered: sum((each) => each.registered), planned: sum((each) => each.planned), delivered: sum((each) => each.delivered), inFlight: sum((each) => each.inFlight),
    attempts: sum((each) => each.attempts),
  }
}

function hours(results: readonly ShardResult[]): string {
  return (Math.min(...results.map(({ loadSeconds }) => loadSeconds)) / 3_600).toFixed(1)
}
