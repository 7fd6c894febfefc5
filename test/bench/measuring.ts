/** What measuring itself costs: one sample recorded, and the share of a real run's processor time that goes into journals, counters and histograms. */
import { spawn } from 'node:child_process'
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Lab } from './lab.js'
import { busyMicros, type CpuProfile } from './profile.js'
import type { Measured } from './rows.js'

const RECORD_REPEATS = 7
const COMMAND = fileURLToPath(new URL('../../pushbench.js', import.meta.url))
const INTERVAL_MICROS = 500
const SHARE_REPEATS = 2
/** A run as people make it, at a rate at which the parts have something to do. */
const SCENARIO = 'name: measuring\nload: { rate: 1000/s, warmUp: 2s, duration: 10s }\nterminals: { reference: 0 }\n'

/** What a run would not do if nobody wanted to know: journals, samples, recorders and histograms, with what they call of Node. */
const MEASURING = /\/core\/(?:kit|live)\/journal\.|\/core\/live\/(?:control|stage-histogram)\.|\/loadgen\/live\/(?:recorder|work|parts)\.|\/hdr-histogram-js\//
/** After the load nobody is held up any more: what joins journals and writes the report is no part of either side of the share. */
const AFTERWARDS = /\/loadgen\/reconcile\/|\/loadgen\/live\/(?:record|measurements|hdr-log|journal-reader)\.|\/reports\//

export async function benchRecording(lab: Lab): Promise<Measured[]> {
  const child = lab.child('record-samples')
  const values: number[] = []
  const floors: number[] = []
  for (let repeat = -1; repeat < RECORD_REPEATS; repeat++) {
    const value = await child.ask<number>('record')
    const floor = await child.ask<number>('bare')
    if (repeat < 0) continue
    values.push(value)
    floors.push(floor)
  }
  await child.stop()
  lab.progress(`recording a sample: ${values.map((value) => value.toFixed(0)).join(' ')} ns`)
  return [{ name: 'measure.record.ns', unit: 'ns', values, floors }]
}

export async function benchMeasuringShare(lab: Lab): Promise<Measured[]> {
  const values: number[] = []
  for (let repeat = 0; repeat < SHARE_REPEATS; repeat++) {
    const folder = lab.newFolder()
    writeFileSync(join(folder, 'scenario.yaml'), SCENARIO)
    await profiledRun(folder)
    values.push(100 * shareIn(folder))
    lab.progress(`measuring, repeat ${repeat + 1} of ${SHARE_REPEATS}: ${values[repeat]!.toFixed(2)} % of the run's processor time`)
  }
  return [{ name: 'measure.share', unit: '%', values, floors: [] }]
}

/** The parts inherit the profiler; each process and each thread of theirs leaves a profile when it ends. */
function profiledRun(folder: string): Promise<void> {
  const flags = ['--cpu-prof', `--cpu-prof-dir=${folder}`, '--cpu-prof-interval', String(INTERVAL_MICROS)]
  const child = spawn(process.execPath, [...flags, COMMAND, 'run', join(folder, 'scenario.yaml'), '--out', folder, '--quiet'], { stdio: ['ignore', 'ignore', 'inherit'] })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    // A busy machine fails thresholds; what share measuring has is seen all the same.
    child.once('close', (code) => (code === 0 || code === 3 || code === 4 ? resolve() : reject(new Error(`the run to be profiled ended with ${code}`))))
  })
}

/** Node's own code belongs to whoever called it, everything else to itself. */
function placeOf(url: string): 'measuring' | 'afterwards' | 'other' | undefined {
  if (MEASURING.test(url)) return 'measuring'
  if (AFTERWARDS.test(url)) return 'afterwards'
  return url.startsWith('file:') ? 'other' : undefined
}

function shareIn(folder: string): number {
  let measuring = 0
  let all = 0
  for (const name of readdirSync(folder)) {
    if (!name.endsWith('.cpuprofile')) continue
    const micros = busyMicros(JSON.parse(readFileSync(join(folder, name), 'utf8')) as CpuProfile, placeOf, 'afterwards')
    measuring += micros.get('measuring') ?? 0
    all += [...micros].reduce((sum, [group, time]) => (group === 'afterwards' ? sum : sum + time), 0)
  }
  return measuring / all
}
