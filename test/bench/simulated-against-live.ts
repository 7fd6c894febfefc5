/**
 * `npm run bench:simulate -- --live`: does a world calibrated at one rate tell what real runs at other rates measure? The
 * scenario is run in turns at its rate, at half and at one and a half times it, five times each. Those at its rate
 * calibrate the world; the medians of the others are held against what is simulated. Says what it saw; a busy machine measures itself.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { at, curvesOf, type StageCurves } from '../../loadgen/world/calibration.js'
import { calibrationFrom, passed } from '../../loadgen/live/calibration-file.js'
import { readScenario } from '../../loadgen/live/scenario-file.js'
import type { RunRecord } from '../../reports/record.js'
import { median } from './rows.js'
import { aligned } from './table.js'

const COMMAND = fileURLToPath(new URL('../../pushbench.js', import.meta.url))
const RATE = 200
const FACTORS = [0.5, 1.5] as const
const REPEATS = 5
const PERCENTS = [50, 90, 99] as const
const STAGES = ['submit', 'endToEnd'] as const

const scenarioText = (rate: number): string => JSON.stringify({
  name: 'calibration', seed: 20260314, load: { rate: `${rate}/s`, warmUp: '8s', warmUpRate: '800/s', duration: '25s', drainMax: '20s' },
  traffic: { online: { share: '100%' } }, population: { subscribers: 2_000, devicesPerSubscriber: { 1: '100%' }, returning: { share: '0%' }, absent: '0%' }, terminals: { reference: 0 },
})

interface Measured {
  readonly folder: string
  readonly record: RunRecord
  readonly valid: boolean
}

function liveRun(folder: string, rate: number): Measured {
  const scenario = join(folder, `at-${rate}.yaml`)
  writeFileSync(scenario, scenarioText(rate))
  const out = mkdtempSync(join(folder, 'out-'))
  spawnSync(process.execPath, [COMMAND, 'run', scenario, '--out', out, '--quiet'], { stdio: ['ignore', 'ignore', 'inherit'] })
  const run = join(out, readdirSync(out)[0]!)
  const record = JSON.parse(readFileSync(join(run, 'run.json'), 'utf8')) as RunRecord
  return { folder: run, record, valid: record.verdict.valid }
}

export async function againstLive(progress: (line: string) => void): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'pushbench-calibration-'))
  try {
    const runs = new Map<number, Measured[]>([1, ...FACTORS].map((factor) => [factor, []]))
    for (let repeat = 0; repeat < REPEATS; repeat++) {
      for (const [factor, measured] of runs) {
        progress(`run ${repeat + 1} of ${REPEATS} at ${RATE * factor}/s`)
        measured.push(liveRun(folder, RATE * factor))
      }
    }
    const calibration = await calibrationFrom(runs.get(1)!.map((run) => run.folder))
    const rows: string[][] = []
    for (const factor of FACTORS) {
      const decoded = await readScenario(join(folder, `at-${RATE * factor}.yaml`))
      if (!decoded.ok) throw new Error('the scenario of this bench is wrong')
      const told = curvesOf([{ curves: passed(decoded.value, calibration).curves() }])!
      for (const stage of STAGES) for (const percent of PERCENTS) rows.push(rowOf(factor, stage, percent, runs.get(factor)!, told))
    }
    const all = [...runs.values()].flat()
    const invalid = all.filter(({ valid }) => !valid).length
    process.stdout.write(`${aligned([['rate', 'stage', 'percentile', 'real (median)', 'real min..max', 'simulated', 'off by'], ...rows], new Set([1, 2]))}\n`)
    if (invalid > 0) process.stdout.write(`${invalid} of the ${all.length} real runs were invalid: this machine was too busy to measure\n`)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function rowOf(factor: number, stage: (typeof STAGES)[number], percent: number, runs: readonly Measured[], told: StageCurves): string[] {
  const seen = runs.map(({ record }) => at(record.curves[stage]!, percent))
  const real = median(seen)
  const simulated = at(told[stage], percent)
  return [`${RATE * factor}/s`, stage, `p${percent}`, `${Math.round(real)} µs`, `${Math.round(Math.min(...seen))}..${Math.round(Math.max(...seen))}`, `${Math.round(simulated)} µs`, `${((simulated / real - 1) * 100).toFixed(1)} %`]
}
