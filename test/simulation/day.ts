/** Days of small populations for the tests of simulate: what they come to, their journals and traces. */
import { setImmediate } from 'node:timers/promises'
import type { JournalEvent } from '../../core/kit/journal.js'
import { systemCrypto } from '../../core/live/crypto.js'
import { Schema } from 'effect'
import { CheckedScenario } from '../../loadgen/scenario-rules.js'
import type { Scenario, ScenarioWritten } from '../../loadgen/scenario.js'
import { populationFor, recipientsOf } from '../../loadgen/live/part-configs.js'
import { ShardHistograms } from '../../loadgen/live/shard-histograms.js'
import type { JournalPart } from '../../loadgen/world/accounts.js'
import { Day, intervalSecondsOf, type DayOptions } from '../../loadgen/world/day.js'
import { servicesOf, TYPICAL_COSTS } from '../../loadgen/world/services.js'
import type { Totals } from '../../loadgen/world/totals.js'

export const HOUR = 3_600_000_000
const MIDNIGHT = Date.UTC(2026, 2, 14)

/** A population with one device each, pushed to all day, as the changes have it. */
export function scenarioOf(subscribers: number, changes: Partial<ScenarioWritten> = {}): Scenario {
  return Schema.decodeSync(CheckedScenario)({
    name: 'day',
    seed: 11,
    load: { rate: `${subscribers * 5 / 86_400}/s`, warmUp: '0s', duration: '24h', drainMax: '60s' },
    traffic: { anyone: { share: '100%' } },
    population: { subscribers, devicesPerSubscriber: { 1: '100%' }, returning: { share: '100%', on: '12h', off: '2.4h', times: 'exponential' }, absent: '0%' },
    terminals: { reference: 0, registrationRate: '5000/s' },
    ...changes,
  })
}

export interface Passed {
  readonly day: Day
  readonly totals: Totals
  readonly histograms: ShardHistograms
  readonly journal: readonly (readonly [JournalPart, JournalEvent])[]
}

/** Lets the whole day pass; between slices whoever runs the tests is heard. */
export async function pass(scenario: Scenario, changes: Partial<DayOptions> = {}, keepsJournal = false): Promise<Passed> {
  const population = populationFor(scenario)
  const histograms = new ShardHistograms(intervalSecondsOf(scenario.load))
  const journal: (readonly [JournalPart, JournalEvent])[] = []
  const day = new Day({
    scenario, population: population.settings, recipients: recipientsOf(population), shard: { index: 0, count: 1 }, startWall: MIDNIGHT, crypto: systemCrypto,
    service: servicesOf(TYPICAL_COSTS), flushMicros: 1_000, coreMicros: 50, carriage: 'messages', sink: histograms.take, bindingSink: histograms.takeBinding,
    ...(keepsJournal ? { journal: (part: JournalPart, event: JournalEvent) => journal.push([part, event]) } : {}),
    ...changes,
  })
  while (day.advance(HOUR / 4).phase !== 'over') await setImmediate()
  return { day, totals: day.totals(), histograms, journal }
}
