/**
 * What a simulation takes from measured runs of one scenario: their records are read, the scenario is passed in virtual time with the
 * costs they measured, and what is missing to the measured latencies is kept as residuals. Knows run folders and records.
 */
import { stat, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Schema } from 'effect'
import { decodeYaml } from '../../core/live/yaml-schema.js'
import { systemCrypto } from '../../core/live/crypto.js'
import { RunRecord } from '../../reports/record.js'
import { NO_RESIDUALS, at, costsOf, curvesOf, delaysOf, medianOf, residualsBetween, type Residuals, type StageCurves } from '../world/calibration.js'
import { Day, intervalSecondsOf } from '../world/day.js'
import { TYPICAL_COSTS, servicesOf, type ServiceCosts } from '../world/services.js'
import { CheckedScenario } from '../scenario-rules.js'
import type { Scenario } from '../scenario.js'
import { populationFor, recipientsOf } from './part-configs.js'
import { ShardHistograms } from './shard-histograms.js'

/** What service times and delays come from. */
export interface Calibration {
  readonly costs: ServiceCosts
  readonly residuals: Residuals
  readonly flushMicros: number
  readonly coreMicros: number
  /** Where these come from, in words. */
  readonly calibration: string
}

export const TYPICAL: Calibration = { costs: TYPICAL_COSTS, residuals: NO_RESIDUALS, flushMicros: 1_000, coreMicros: 50, calibration: 'typical figures, not from a measured run' }

/** Passes over the run's scenario, each taking what the last one left of the difference. */
const PASSES = 2
/** Of the pushes, those that are called the fastest. */
const QUICK_PERCENT = 2
const SLICE_MICROS = 1_000_000
/** Where the run did not measure its store. */
const FLUSH_MICROS = 1_000

/** Rejects, in words for people, when a record is missing, is none that a world can be calibrated by, or is of another scenario than the first. */
export async function calibrationFrom(paths: readonly string[]): Promise<Calibration> {
  const files = await Promise.all(paths.map(async (path) => ((await stat(path)).isDirectory() ? join(path, 'run.json') : path)))
  const records = await Promise.all(files.map(async (file) => {
    const record = Schema.decodeUnknownSync(Schema.parseJson(RunRecord))(await readFile(file, 'utf8'))
    if (record.virtual !== undefined) throw new Error(`${file} was simulated itself; calibrate by runs on real sockets`)
    return record
  }))
  const scenario = decodeYaml(CheckedScenario, records[0]!.scenarioYaml, files[0]!)
  if (!scenario.ok) throw new Error(`${files[0]} holds a scenario that this version does not understand`)
  const other = records.findIndex(({ scenarioYaml }) => scenarioYaml !== records[0]!.scenarioYaml)
  if (other > 0) throw new Error(`${files[other]} is a run of another scenario than ${files[0]}; calibrate by runs of one`)
  return calibrationOf(records, scenario.value, files.length === 1 ? files[0]! : `${files.length} runs, the first of them ${files[0]}`)
}

/** @param scenario the records'; @param name what people call the runs */
export function calibrationOf(records: readonly Pick<RunRecord, 'work' | 'curves' | 'stages' | 'throughput'>[], scenario: Scenario, name: string): Calibration {
  const costs = costsOf(records)
  const measured = curvesOf(records)
  if (costs === undefined || measured === undefined) throw new Error(`${name}: not told what the parts did in the measured window; run again with this version`)
  const flushMicros = medianOf(records.map(({ stages }) => stages['gateway.store']?.p50Us ?? FLUSH_MICROS))
  const offered = medianOf(records.map(({ throughput }) => throughput.offeredPerSecond))
  const simulatedBy = (calibration: Calibration): StageCurves => {
    const simulated = curvesOf([{ curves: passed(scenario, calibration).curves() }])
    if (simulated === undefined) throw new Error(`${name}: no push of the scenario is delivered in virtual time`)
    return simulated
  }
  let calibration: Calibration = { costs, residuals: NO_RESIDUALS, flushMicros, coreMicros: 0, calibration: `${name}, ${offered}/s offered` }
  // The store told of all flushes, those of a faster warm-up among them: none of the window took longer than the fastest pushes leave for it.
  const quickest = (curves: StageCurves): number => at(curves.submit, QUICK_PERCENT)
  calibration = { ...calibration, flushMicros: Math.max(0, Math.round(flushMicros - Math.max(0, quickest(simulatedBy(calibration)) - quickest(measured)))) }
  for (let pass = 0; pass < PASSES; pass++) calibration = { ...calibration, residuals: residualsBetween(measured, simulatedBy(calibration), calibration.residuals) }
  return calibration
}

/** The scenario in virtual time, here and now: for runs of a minute or so. */
export function passed(scenario: Scenario, { costs, residuals, flushMicros, coreMicros }: Omit<Calibration, 'calibration'>): ShardHistograms {
  const own = virtualOf(scenario)
  const population = populationFor(own)
  const histograms = new ShardHistograms(intervalSecondsOf(own.load))
  const day = new Day({
    scenario: own, population: population.settings, recipients: recipientsOf(population), shard: { index: 0, count: 1 }, startWall: 0, crypto: systemCrypto, carriage: 'messages',
    service: servicesOf(costs), delays: delaysOf(residuals), flushMicros, coreMicros, sink: histograms.take, bindingSink: histograms.takeBinding,
  })
  while (day.advance(SLICE_MICROS).phase !== 'over') continue
  day.totals()
  return histograms
}

/** As a live run had it: one node, the same rate all the time, and no terminals of another stack, which have no machine. */
function virtualOf(scenario: Scenario): Scenario {
  return { ...scenario, terminals: { ...scenario.terminals, reference: 0 }, virtual: { ...scenario.virtual, gateways: 1, churn: 0, accessRtt: 0 } }
}
