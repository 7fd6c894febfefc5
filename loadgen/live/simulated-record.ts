/**
 * The record of a run in virtual time, from what its shards came to: the same record as a live run's, so that the same page,
 * thresholds and comparisons serve, with a word that it was virtual. Knows sums and histograms, no machine.
 */
import { createHash } from 'node:crypto'
import { SCHEMA_VERSION, type RunRecord } from '../../reports/record.js'
import { ROW_STAGE } from '../reconcile/measures.js'
import type { Totals } from '../world/totals.js'
import { ROWS, type Scenario } from '../scenario.js'
import { thresholdsOf, verdictOf, type VerdictInput } from '../verdict.js'
import type { MachineFacts } from './machine.js'
import type { ShardHistograms } from './shard-histograms.js'
import type { ShardResult } from './shard-messages.js'

export interface SimulatedFacts {
  readonly scenario: Scenario
  readonly scenarioYaml: string
  readonly startedAt: Date
  readonly results: readonly ShardResult[]
  readonly totals: Totals
  readonly histograms: ShardHistograms
  readonly intervalSeconds: number
  readonly calibration: string
  readonly machine: MachineFacts
  readonly tookSeconds: number
  /** The most this process had. */
  readonly rssBytes: number
  readonly interrupted: string | undefined
}

const PARTS = ['gateway', 'ims', 'terminals'] as const

export function simulatedRecord(facts: SimulatedFacts): RunRecord {
  const { scenario, totals, histograms, results, intervalSeconds } = facts
  const stages = histograms.summaries('stage')
  const rowLatencies = histograms.summaries('row')
  const bindingLatencies = histograms.summaries('binding')
  const loadSeconds = Math.min(...results.map((result) => result.loadSeconds))
  const windowSeconds = Math.max(1e-3, Math.min(loadSeconds - scenario.load.warmUp / 1e6, scenario.load.duration / 1e6))
  const registered = sum(results, (result) => result.registered.done)
  const provisioned = sum(results, (result) => result.registered.wanted)
  const findings = { balanced: totals.balanced, lost: totals.lost, duplicated: totals.duplicated, notes: [...totals.notes].map(([words, count]) => `${count} ${words}`) }
  const input = verdictInput(facts, { ledger: totals.ledger, findings }, stages['lag']?.p99Us ?? NaN, { provisioned, registered })
  const perSecond = (key: 'planned' | 'sent' | 'accepted' | 'delivered'): number => round(totals.intervals.reduce((all, interval) => all + interval[key], 0) / windowSeconds)
  return {
    schemaVersion: SCHEMA_VERSION,
    scenario: scenario.name,
    startedAt: facts.startedAt.toISOString(),
    seed: scenario.seed,
    durations: { warmUpSeconds: scenario.load.warmUp / 1e6, loadSeconds: windowSeconds, drainSeconds: Math.max(...results.map((result) => result.drainSeconds)) },
    ...(facts.interrupted === undefined ? {} : { interrupted: facts.interrupted }),
    verdict: verdictOf(input),
    ledger: totals.ledger,
    findings,
    stages,
    scenarios: ROWS.filter((row) => scenario.traffic[row].share > 0).map((row) => ({
      name: row, ...totals.rows[row], stage: ROW_STAGE[row], limitUs: scenario.traffic[row].delayLimit, ...(rowLatencies[row] === undefined ? {} : { latency: rowLatencies[row] }),
    })),
    thresholds: thresholdsOf(input),
    throughput: { offeredPerSecond: perSecond('planned'), sentPerSecond: perSecond('sent'), acceptedPerSecond: perSecond('accepted'), deliveredPerSecond: perSecond('delivered') },
    causes: [...totals.causes].map(([key, count]) => ({ outcome: key.split('\t')[0]!, cause: key.split('\t')[1]!, count })).sort((a, b) => b.count - a.count),
    devices: [...totals.groups].map(([name, group]) => ({ name, devices: sum(results, (result) => result.devices), ...group, rejectedByCheck: sum(results, (result) => result.rejectedByCheck) })),
    bindings: [...totals.bindings].map(([name, counts]) => ({ name, ...counts, ...(bindingLatencies[name] === undefined ? {} : { endToEnd: bindingLatencies[name] }) })),
    deviceOutcomes: [...totals.deviceStatuses].map(([status, count]) => ({ status, count })).sort((a, b) => b.count - a.count),
    parts: partsOf(results, facts.rssBytes),
    population: { provisioned, registered, subscribers: scenario.population.subscribers },
    intervals: totals.intervals.map((counts, index) => ({ second: index, ...counts, ...histograms.interval(index) })),
    ...(intervalSeconds === 1 ? {} : { intervalSeconds }),
    virtual: { gateways: results.length, calibration: facts.calibration, tookSeconds: round(facts.tookSeconds), sent: sentBy(results) },
    curves: histograms.curves(),
    disclosure: { ...facts.machine, scenarioHash: createHash('sha256').update(facts.scenarioYaml).digest('hex'), deviations: [virtualNote(facts)] },
    scenarioYaml: facts.scenarioYaml,
  }
}

function virtualNote({ results, calibration }: SimulatedFacts): string {
  const nodes = results.length === 1 ? 'one gateway node' : `${results.length} gateway nodes, each with its share of the subscribers`
  return `virtual time: the machines that also run live, ${nodes}; messages crossed parsed, digests are stand-ins; service times from ${calibration}`
}

function verdictInput(
  { scenario, results, totals, interrupted }: SimulatedFacts, { ledger, findings }: Pick<VerdictInput, 'ledger' | 'findings'>, lagP99Micros: number,
  population: Pick<VerdictInput['population'], 'provisioned' | 'registered'>,
): VerdictInput {
  const active = ROWS.filter((row) => scenario.traffic[row].share > 0)
  const total = (key: 'attempts' | 'inadequatelyHandled'): number => active.reduce((all, row) => all + totals.rows[row][key], 0)
  const shed = sum(results, (result) => result.shed)
  return {
    ledger,
    findings,
    duplicatedAtBadPeers: 0,
    lagP99Micros,
    tightestLimitMicros: Math.min(...active.map((row) => scenario.traffic[row].delayLimit)),
    lagShare: scenario.objective.lagShare,
    planned: total('attempts'),
    unsent: 0,
    attempts: total('attempts'),
    inadequatelyHandled: total('inadequatelyHandled'),
    inadequatelyHandledMax: scenario.objective.inadequatelyHandled,
    population: { ...population, refused: 0, waiting: 0, registrationSeconds: 0 },
    instruments: {},
    datagrams: {},
    capsHit: shed === 0 ? [] : [`admission: the gateways answered ${shed} submissions with 503 (gateway.inFlightMax ${scenario.gateway.inFlightMax} each)`],
    failures: [],
    interrupted,
  }
}

/** Processor time is virtual; memory is what the simulation itself took, told once. */
function partsOf(results: readonly ShardResult[], rssBytes: number): RunRecord['parts'] {
  const parts: RunRecord['parts'][string][] = PARTS.map((part) => ({
    cpuSeconds: round(sum(results, ({ use }) => use[part].busySeconds)), rssBytesMax: 0, loopUtilisationMax: round(Math.max(...results.map(({ use }) => use[part].busiest))),
  }))
  const { user, system } = process.cpuUsage()
  return { ...Object.fromEntries(PARTS.map((part, index) => [part, parts[index]!])), simulation: { cpuSeconds: round((user + system) / 1e6), rssBytesMax: rssBytes, loopUtilisationMax: 1 } }
}

function sentBy(results: readonly ShardResult[]): NonNullable<RunRecord['virtual']>['sent'] {
  const all: Record<string, { packets: number; octets: number }> = {}
  for (const { sent } of results) {
    for (const [way, { packets, octets }] of Object.entries(sent)) {
      const before = all[way] ?? { packets: 0, octets: 0 }
      all[way] = { packets: before.packets + packets, octets: before.octets + octets }
    }
  }
  return all
}

function sum(results: readonly ShardResult[], value: (result: ShardResult) => number): number {
  return results.reduce((total, result) => total + value(result), 0)
}

function round(value: number): number {
  return Math.round(value * 1_000) / 1_000
}
