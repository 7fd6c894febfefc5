/**
 * `npm run bench:simulate`: a million subscribers for a day in virtual time, on two gateway nodes: how long that takes and how
 * much memory, and whether a push costs the same at a tenth of the population. `--scale 0.01` takes a hundredth of it, for a
 * quick look; `--live` holds calibrated days against real runs instead. Writes no bench.json: the day takes too long to be part of it.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { spawnSync } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { encodeScenario } from '../../loadgen/scenario.js'
import { dayScenario } from '../../loadgen/world/day-scenario.js'
import type { RunRecord } from '../../reports/record.js'
import { formatTable } from './table.js'
import { rowOf, type Measured } from './rows.js'
import { againstLive } from './simulated-against-live.js'

const SUBSCRIBERS = 1_000_000
const GATEWAYS = 2
const COMMAND = fileURLToPath(new URL('../../pushbench.js', import.meta.url))

interface Took {
  readonly record: RunRecord
  readonly seconds: number
  readonly cpuSeconds: number
  readonly bytes: number
}

/** A process of its own: memory is told by one that has done nothing else. */
function dayOf(subscribers: number): Took {
  const folder = mkdtempSync(join(tmpdir(), 'pushbench-simulate-'))
  try {
    const scenario = join(folder, 'day.yaml')
    // YAML reads JSON.
    writeFileSync(scenario, JSON.stringify(encodeScenario(dayScenario(subscribers, GATEWAYS))))
    const child = spawnSync(process.execPath, [COMMAND, 'simulate', scenario, '--out', join(folder, 'runs'), '--json'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'], maxBuffer: 1 << 28 })
    if (child.status !== 0) throw new Error(`pushbench simulate ended with ${String(child.status ?? child.signal)}`)
    const record = JSON.parse(child.stdout) as RunRecord
    const own = record.parts['simulation']!
    return { record, seconds: record.virtual!.tookSeconds, cpuSeconds: own.cpuSeconds, bytes: own.rssBytesMax }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function scaleOf(words: readonly string[]): number {
  const scale = words[0] === '--scale' && words.length === 2 ? Number(words[1]) : words.length === 0 ? 1 : NaN
  if (scale > 0 && scale <= 1) return scale
  process.stderr.write('usage: npm run bench:simulate [-- --scale <share of a million subscribers, such as 0.01> | --live]\n')
  process.exit(1)
}

function benchDay(scale: number): void {
  const subscribers = Math.round(SUBSCRIBERS * scale)
  const tenth = dayOf(Math.round(subscribers / 10))
  const whole = dayOf(subscribers)
  const costPerPush = ({ record, cpuSeconds }: Took): number => cpuSeconds * 1e6 / record.ledger.attempted
  const name = scale === 1 ? 'million' : `${subscribers}`
  const rows: Measured[] = [
    { name: `simulate.${name}.seconds`, unit: 's', values: [whole.seconds], floors: [] },
    { name: `simulate.${name}.bytes`, unit: 'bytes', values: [whole.bytes], floors: [] },
    { name: `simulate.${name}.pushCpuUs`, unit: 'µs', values: [costPerPush(whole)], floors: [costPerPush(tenth)] },
  ]
  process.stdout.write(`${formatTable(rows.map(rowOf))}\nthe floor of the last row is the cost of a push, its share of all registrations included, at a tenth of the population\n`)
}

const words = process.argv.slice(2)
if (words.length === 1 && words[0] === '--live') await againstLive((line) => process.stderr.write(`${line}\n`))
else benchDay(scaleOf(words))
