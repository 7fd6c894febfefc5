/**
 * From the journals of a run to its record: reconciles, measures, judges, and says what was run on what. Everything in
 * run.json and on the page is made here or in what this calls.
 */
import { createHash } from 'node:crypto'
import type { RunRecord } from '../../reports/record.js'
import { SCHEMA_VERSION } from '../../reports/record.js'
import type { Micros } from '../../core/kit/time.js'
import { capsOf } from '../caps.js'
import { isClosed, stepsOf } from '../load-shape.js'
import type { RateChanged } from '../rate-course.js'
import { bunchingOf } from '../reconcile/bunching.js'
import { intervalsOf, littlesLaw } from '../reconcile/intervals.js'
import { ledgerOf } from '../reconcile/ledger.js'
import { ROW_STAGE, bindingsOf, causesOf, measure, type Expectation, type RowResult, type Window } from '../reconcile/measures.js'
import { Reconciler } from '../reconcile/reconciler.js'
import { courseOf, growthOf } from '../reconcile/steady-state.js'
import { stepRows } from '../reconcile/steps.js'
import { sendingOf } from '../reconcile/sending.js'
import type { Tables } from '../reconcile/tables.js'
import { expectedOutcomes } from '../misbehaviour.js'
import { ROWS, type RowName, type Scenario } from '../scenario.js'
import { bunchBinMicros, thresholdsOf, verdictOf, type DatagramLosses, type RegisteredPopulation, type VerdictInput } from '../verdict.js'
import { readJournal } from './journal-reader.js'
import type { MachineFacts } from './machine.js'
import { Measurements } from './measurements.js'
import { badPeersOf, populationFor } from './part-configs.js'
import { PART_WORDS, type PartName, type PartUse, type Parts } from './parts.js'
import { curveOf, Recorder } from './recorder.js'
import type { RunFolder } from './run-folder.js'
import type { TraceFile } from './trace-file.js'

export interface RunFacts {
  readonly scenario: Scenario
  readonly scenarioYaml: string
  readonly folder: RunFolder
  readonly startedAt: Date
  /** The measured window, and the wall-clock time of its begin. */
  readonly window: Window
  readonly windowStartedAt: number
  readonly drainSeconds: number
  /** What the load generator has used: its own event loop's busiest second among it. */
  readonly parts: Parts
  readonly population: RegisteredPopulation
  /** Recipients the gateway held, sampled over the measured window. */
  readonly heldSamples: readonly number[]
  readonly interrupted: string | undefined
  readonly endedEarly: string | undefined
  readonly failures: readonly string[]
  readonly deviations: readonly string[]
  readonly machine: MachineFacts
  /** What was replayed. */
  readonly trace: TraceFile | undefined
  /** By hand, from the begin of the load. */
  readonly rateChanges: readonly RateChanged[]
}

const PANEL = 'reference'

export async function recordOf(facts: RunFacts): Promise<RunRecord> {
  const { scenario, window } = facts
  const tables = await joinJournals(facts.folder)
  const counts = intervalsOf(tables, window)
  const measurements = new Measurements(facts.folder.path, facts.windowStartedAt, counts.length)
  const limits = Object.fromEntries(ROWS.map((row) => [row, scenario.traffic[row].delayLimit])) as Record<RowName, Micros>
  const badPeers = badPeersOf(populationFor(scenario))
  const expectation: Expectation = (address, last) => expectedOutcomes(badPeers.get(address)!, last, scenario.push)
  const rows = measure(tables, window, limits, measurements.take, expectation)
  await measurements.close()
  const { ledger, findings } = ledgerOf(tables, scenario.push.notifications)
  const whole = measurements.whole()
  const causes = causesOf(tables, facts.parts.counters.gateway?.['shed'] ?? 0)
  const duplicatedAtBadPeers = tables.copies.filter(({ delivery }) => badPeers.has(tables.deliveries.addresses[delivery]!)).length
  const input = verdictInput(facts, tables, rows, duplicatedAtBadPeers, { ledger, findings }, causes, whole.get('lag')?.percentile(99) ?? NaN)
  const datagrams: Partial<Record<string, DatagramLosses>> = facts.parts.datagramsLost()
  const heatMap = measurements.heatMap()
  const steps = stepsOf(scenario.load)
  const little = littlesLaw(tables, window, facts.heldSamples)
  return {
    schemaVersion: SCHEMA_VERSION,
    scenario: scenario.name,
    startedAt: facts.startedAt.toISOString(),
    seed: scenario.seed,
    durations: { warmUpSeconds: scenario.load.warmUp / 1e6, loadSeconds: (window.to - window.from) / 1e6, drainSeconds: facts.drainSeconds },
    ...(facts.interrupted === undefined ? {} : { interrupted: facts.interrupted }),
    ...(facts.endedEarly === undefined ? {} : { endedEarly: facts.endedEarly }),
    load: loadOf(facts),
    ...(facts.rateChanges.length === 0 ? {} : { rateChanges: facts.rateChanges.map(({ atMicros, what, perSecond }) => ({ atSeconds: round((atMicros - scenario.load.warmUp) / 1e6), what, perSecond: round(perSecond) })) }),
    ...(steps.length === 0 ? {} : { steps: stepRows(tables, window, steps, limits, expectation) }),
    verdict: verdictOf(input),
    ledger,
    findings,
    stages: { ...Object.fromEntries([...whole].map(([stage, recorder]) => [stage, recorder.summary()])), ...facts.parts.stages },
    scenarios: ROWS.filter((row) => scenario.traffic[row].share > 0).map((row) => ({
      name: row, ...rows[row], stage: ROW_STAGE[row], limitUs: limits[row], ...(measurements.row(row).count === 0 ? {} : { latency: measurements.row(row).summary() }),
    })),
    thresholds: thresholdsOf(input),
    throughput: throughputOf(counts, (window.to - window.from) / 1_000_000),
    causes,
    devices: devicesOf(tables, facts.parts),
    bindings: bindingRows(tables, window),
    deviceOutcomes: [...tables.deviceStatuses].map(([status, count]) => ({ status, count })).sort((a, b) => b.count - a.count),
    parts: Object.fromEntries([...facts.parts.use].map(([name, use]) => [name, partOf(use, datagrams[name])])),
    work: facts.parts.work.work(),
    population: { ...facts.population, subscribers: scenario.population.subscribers },
    ...(little === undefined ? {} : { little: { measured: round(little.measured), predicted: round(little.predicted), ok: little.ok } }),
    intervals: counts.map((count, second) => ({ second, ...count, ...measurements.intervals[second]! })),
    ...(heatMap === undefined ? {} : { heatMap }),
    curves: Object.fromEntries([...whole].map(([stage, recorder]) => [stage, curveOf(recorder.histogram)])),
    disclosure: { ...facts.machine, scenarioHash: createHash('sha256').update(facts.scenarioYaml).digest('hex'), deviations: [...facts.deviations, ...ownDeviations(facts)] },
    scenarioYaml: facts.scenarioYaml,
  }
}

async function joinJournals(folder: RunFolder): Promise<Tables> {
  const reconciler = new Reconciler()
  const read = async (part: string, take: (event: Parameters<Reconciler['gateway']>[0]) => void): Promise<void> => {
    for (const { name, path } of await folder.journalsOf(part)) {
      await readJournal(path, (event, line) => (event === undefined ? reconciler.unreadableLine(`${name}.journal:${line}`) : take(event)))
    }
  }
  await read('initiator', (event) => reconciler.initiator(event))
  await read('gateway', (event) => reconciler.gateway(event))
  await read('ims', (event) => reconciler.ims(event))
  for (const { name, path } of await folder.journalsOf('terminals')) {
    const group = name.endsWith(`-${PANEL}`) ? PANEL : 'virtual'
    reconciler.group(group)
    await readJournal(path, (event, line) => (event === undefined ? reconciler.unreadableLine(`${name}.journal:${line}`) : reconciler.terminal(group, event)))
  }
  return reconciler.tables()
}

function verdictInput(
  facts: RunFacts, tables: Tables, rows: Readonly<Record<RowName, RowResult>>, duplicatedAtBadPeers: number, { ledger, findings }: Pick<VerdictInput, 'ledger' | 'findings'>, causes: RunRecord['causes'], lagP99Micros: number,
): VerdictInput {
  const { scenario, window } = facts
  const active = ROWS.filter((row) => scenario.traffic[row].share > 0)
  const sum = (key: keyof RowResult): number => active.reduce((total, row) => total + rows[row][key], 0)
  const tightestLimitMicros = Math.min(...active.map((row) => scenario.traffic[row].delayLimit))
  const { unsent, connectionWaitP99Micros } = sendingOf(tables, window)
  return {
    ledger,
    findings,
    lagP99Micros,
    tightestLimitMicros,
    lagShare: scenario.objective.lagShare,
    planned: sum('attempts'),
    unsent,
    attempts: sum('attempts'),
    duplicatedAtBadPeers,
    inadequatelyHandled: sum('inadequatelyHandled'),
    inadequatelyHandledMax: scenario.objective.inadequatelyHandled,
    population: facts.population,
    instruments: Object.fromEntries(['generator', 'terminals'].map((part) => [part, facts.parts.use.get(part) ?? { seconds: 0, saturated: 0 }])),
    datagrams: Object.fromEntries(Object.entries(facts.parts.datagramsLost()).map(([part, lost]) => [PART_WORDS[part as PartName], lost])),
    bunching: bunchingOf(tables, window, bunchBinMicros(tightestLimitMicros * scenario.objective.lagShare, 1e6 * sum('attempts') / (window.to - window.from))),
    growth: isAtOneRate(facts) ? growthOf(courseOf(tables, window, GROWTH_PIECE_MICROS)) : undefined,
    connectionWaitP99Micros,
    capsHit: capsOf(causes, scenario.gateway.inFlightMax),
    failures: facts.failures,
    interrupted: facts.interrupted,
  }
}

/** A trend is looked for in seconds, or in longer pieces of a long run. */
const GROWTH_PIECE_MICROS: Micros = 1_000_000

/** Where the rate changes, so do latency and what is in flight. */
function isAtOneRate({ scenario: { load }, rateChanges }: RunFacts): boolean {
  return load.shape === 'steady' && !isClosed(load) && rateChanges.length === 0
}

function loadOf({ scenario: { load }, trace }: RunFacts): NonNullable<RunRecord['load']> {
  if (isClosed(load)) return { type: 'closed', initiators: load.closed.initiators, thinkSeconds: load.closed.think / 1e6 }
  return { type: 'open', shape: load.shape, ...(trace === undefined ? {} : { trace: { file: trace.path, sha256: trace.sha256, attempts: trace.trace.offsets.length } }) }
}

function ownDeviations({ rateChanges }: RunFacts): string[] {
  return rateChanges.length === 0 ? [] : [`the rate was changed by hand ${rateChanges.length === 1 ? 'once' : `${rateChanges.length} times`}`]
}

function partOf({ cpuSeconds, rssBytesMax, loopUtilisationMax }: PartUse, lost: DatagramLosses | undefined): RunRecord['parts'][string] {
  const use = { cpuSeconds: round(cpuSeconds), rssBytesMax, loopUtilisationMax: round(loopUtilisationMax) }
  return lost === undefined ? use : { ...use, datagramsDropped: lost.dropped, datagramsFailed: lost.failed }
}

function throughputOf(counts: ReturnType<typeof intervalsOf>, seconds: number): RunRecord['throughput'] {
  const perSecond = (key: 'planned' | 'sent' | 'accepted' | 'delivered'): number => round(counts.reduce((sum, count) => sum + count[key], 0) / Math.max(seconds, 1e-3))
  return { offeredPerSecond: perSecond('planned'), sentPerSecond: perSecond('sent'), acceptedPerSecond: perSecond('accepted'), deliveredPerSecond: perSecond('delivered') }
}

/** What the terminals saw comes from their journals; how many they are and what their checks refused, from themselves. */
function devicesOf(tables: Tables, parts: Parts): RunRecord['devices'] {
  const counters = parts.counters.terminals ?? {}
  return [...tables.groups].map(([name, group]) => {
    const prefix = name === PANEL ? `${PANEL}.` : ''
    return { name, devices: counters[`${prefix}devices`] ?? 0, ...group, rejectedByCheck: counters[`${prefix}rejectedByCheck`] ?? 0 }
  })
}

function bindingRows(tables: Tables, window: Window): NonNullable<RunRecord['bindings']> {
  const recorders = new Map<string, Recorder>()
  const rows = bindingsOf(tables, window, (binding, micros) => {
    const recorder = recorders.get(binding) ?? new Recorder()
    recorders.set(binding, recorder)
    recorder.record(micros)
  })
  return rows.map((row) => {
    const recorder = recorders.get(row.name)
    return recorder === undefined ? { ...row } : { ...row, endToEnd: recorder.summary() }
  })
}

function round(value: number): number {
  return Math.round(value * 1_000) / 1_000
}
