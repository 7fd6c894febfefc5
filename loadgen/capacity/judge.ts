/**
 * What one trial of a capacity search says: whether its rate passed, failed, or cannot be judged, and why. Validity comes first: a
 * run in which the instruments were at their limit says nothing about the system under test.
 */
import type { CapacityTrialRow } from '../../reports/answers/capacity.js'
import type { CHECKS, RunRecord } from '../../reports/record.js'
import { wilson } from '../../reports/statistics/proportion.js'

type Check = (typeof CHECKS)[number]

/** The generator or the terminals, not the system, came too late. */
const INSTRUMENT: ReadonlySet<Check> = new Set(['lag', 'unsent', 'bunched', 'saturation'])
/** A limit of the system that was hit is part of how it behaves at that rate. */
const OF_THE_SYSTEM: ReadonlySet<Check> = new Set(['limit', 'growth'])

export type Judged = Omit<CapacityTrialRow, 'id' | 'phase' | 'replicate' | 'perSecond' | 'seed'>

/** @param limit highest share of inadequately handled attempts that passes; @param level of the interval */
export function judge(record: RunRecord, limit: number, level: number): Judged {
  const attempts = sumOf(record, 'attempts')
  const inadequatelyHandled = sumOf(record, 'inadequatelyHandled')
  const { accepted, attempted } = record.ledger
  const endToEnd = record.stages['endToEnd']
  const interval = wilson(inadequatelyHandled, attempts, level)
  const busiest = busiestPart(record)
  return {
    ...resultOf(record, attempts, inadequatelyHandled, limit),
    attempts,
    inadequatelyHandled,
    ...(interval === undefined ? {} : { interval: { low: interval.low, high: interval.high } }),
    deliveredPerSecond: record.throughput.deliveredPerSecond,
    refusedShare: attempted === 0 ? 0 : 1 - accepted / attempted,
    ...(endToEnd === undefined || endToEnd.count === 0 ? {} : { endToEndP50Us: endToEnd.p50Us, endToEndP99Us: endToEnd.p99Us }),
    ...(busiest === undefined ? {} : { busiest }),
  }
}

function resultOf({ verdict, endedEarly, scenarios }: RunRecord, attempts: number, inadequatelyHandled: number, limit: number): Pick<Judged, 'result' | 'why'> {
  const reasons = verdict.reasons.map((words, index) => ({ words, check: verdict.checks?.[index] })).filter(({ check }) => check === undefined || !OF_THE_SYSTEM.has(check))
  const other = reasons.find(({ check }) => check === undefined || !INSTRUMENT.has(check))
  if (other !== undefined) return { result: 'invalid', why: other.words }
  const instrument = reasons[0]
  if (instrument !== undefined) return { result: 'instrument', why: instrument.words }
  // What goes on growing is beyond what the system carries, however few were late by now.
  const growth = reasonOf(verdict, 'growth')
  if (growth !== undefined) return { result: 'failed', why: growth }
  if (endedEarly !== undefined) return { result: 'failed', why: endedEarly }
  if (attempts * limit < 1 && inadequatelyHandled === 0) return { result: 'invalid', why: `${attempts} attempts are too few to see ${percent(limit)} of them; give each trial more time` }
  if (inadequatelyHandled <= attempts * limit) return { result: 'passed' }
  const worst = [...scenarios].sort((a, b) => b.inadequatelyHandled - a.inadequatelyHandled)[0]!
  return { result: 'failed', why: `${percent(inadequatelyHandled / attempts)} inadequately handled, most of them ${worst.name} (${worst.inadequatelyHandled} of ${worst.attempts})` }
}

function reasonOf({ reasons, checks }: RunRecord['verdict'], check: Check): string | undefined {
  return reasons.find((_words, index) => checks?.[index] === check)
}

function sumOf(record: RunRecord, key: 'attempts' | 'inadequatelyHandled'): number {
  return record.scenarios.reduce((sum, row) => sum + row[key], 0)
}

function busiestPart(record: RunRecord): Judged['busiest'] {
  const [first] = Object.entries(record.parts).sort(([, a], [, b]) => b.loopUtilisationMax - a.loopUtilisationMax)
  return first === undefined ? undefined : { part: first[0], share: first[1].loopUtilisationMax }
}

function percent(share: number): string {
  return `${Number((100 * share).toPrecision(3))} %`
}
