/**
 * What a simulation takes from a measured run: the run's record is read, its own scenario is passed in virtual time with the costs
 * it measured, and what is missing to the measured latencies is kept as residuals. Knows run folders and records.
 */
import { stat, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Schema } from 'effect'
import { decodeYaml } from '../../core/live/yaml-schema.js'
import { systemCrypto } from '../../core/live/crypto.js'
import { RunRecord } from '../../reports/record.js'
import { NO_RESIDUALS, costsOf, curvesOf, delaysOf, residualsBetween, type Residuals } from '../world/calibration.js'
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
const SLICE_MICROS = 1_000_000
/** Where the run did not measure its store. */
const FLUSH_MICROS = 1_000

/** Rejects, in words for people, when there is no record, or none that a world can be calibrated by. */
export async function calibrationFrom(path: string): Promise<Calibration> {
  const file = (await stat(path)).isDirectory() ? join(path, 'run.json') : path
  const record = Schema.decodeUnknownSync(Schema.parseJson(RunRecord))(await readFile(file, 'utf8'))
  if (record.virtual !== undefined) throw new Error(`${file} was simulated itself; calibrate by a run on real sockets`)
  const scenario = decodeYaml(CheckedScenario, record.scenarioYaml, file)
  if (!scenario.ok) throw new Error(`${file} holds a scenario that this version does not understand`)
  return calibrationOf(record, scenario.value, file)
}

/** @param scenario the record's; @param name what people call the run */
export function calibrationOf(record: Pick<RunRecord, 'work' | 'curves' | 'stages' | 'throughput'>, scenario: Scenario, name: string): Calibration {
  const costs = costsOf(record)
  const measured = curvesOf(record)
  if (costs === undefined || measured === undefined) throw new Error(`${name} does not say what its parts did in the measured window; run again with this version`)
  const flushMicros = record.stages['gateway.store']?.p50Us ?? FLUSH_MICROS
  let calibration: Calibration = { costs, residuals: NO_RESIDUALS, flushMicros, coreMicros: 0, calibration: `${name}, ${record.throughput.offeredPerSecond}/s offered` }
  for (let pass = 0; pass < PASSES; pass++) {
    const simulated = curvesOf({ curves: passed(scenario, calibration).curves() })
    if (simulated === undefined) throw new Error(`${name}: no push of its scenario is delivered in virtual time`)
    calibration = { ...calibration, residuals: residualsBetween(measured, simulated, calibration.residuals) }
  }
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
