/**
 * What a plan rests on: runs and capacity searches, each with what it says of the system, or why nothing rests on it. Validity
 * comes first, and figures of two machines are not mixed. Knows records, no files' contents.
 */
import type { CapacityAnswer } from '../../reports/answers/capacity.js'
import type { PlanRunRow } from '../../reports/answers/plan.js'
import type { RunRecord } from '../../reports/record.js'

export interface RunEvidence {
  /** Where its record was found. */
  readonly file: string
  readonly record: RunRecord
  /** Octets of each content, by the run's scenario. */
  readonly octets: number
}

export interface CapacityEvidence {
  readonly file: string
  readonly answer: CapacityAnswer
  readonly octets: number
  /** Share of its attempts that were pushes to the one device of a subscriber who is there. */
  readonly plain: number
}

export interface Evidence {
  readonly runs: readonly RunEvidence[]
  readonly capacities: readonly CapacityEvidence[]
}

/** What one node does in a second. */
export interface NodeLoad {
  readonly pushes: number
  /** Mean size of a content, KiB. */
  readonly kib: number
  /** Share of the pushes that go in a session. */
  readonly sessions: number
  readonly registrations: number
}

/** One run as the models take it. */
export interface Observed extends NodeLoad {
  readonly file: string
  readonly registered: number
  /** Pushes accepted and without an outcome, in the fullest second. */
  readonly pending: number
  /** Share of the accepted pushes that were delivered meanwhile: one that waits costs less. */
  readonly delivered: number
  /** Processors each part kept busy in the measured window. */
  readonly gatewayCores: number
  readonly coreCores: number
  /** Octets over the gateway's SIP and MSRP sockets in a second, both ways. */
  readonly wireOctets: number
  readonly gatewayBytes: number
  /** End to end, of pushes whose recipient was online. */
  readonly p50Micros: number | undefined
  readonly p99Micros: number | undefined
}

const KIB = 1024

export function observe({ file, record, octets }: RunEvidence): Observed {
  const { gateway, ims } = record.work ?? {}
  const counts = gateway?.counts ?? {}
  const perSecond = (name: string): number => (counts[name] ?? 0) / (gateway?.seconds || 1)
  const endToEnd = record.stages['endToEnd']
  const bindings = record.bindings ?? []
  const pushes = bindings.reduce((sum, row) => sum + row.pushes, 0)
  const inSessions = bindings.find(({ name }) => name === 'session')?.pushes ?? 0
  return {
    file,
    pushes: perSecond('accepted'),
    kib: octets / KIB,
    sessions: pushes === 0 ? 0 : inSessions / pushes,
    registrations: perSecond('registrations'),
    registered: record.population.registered,
    pending: Math.max(0, ...record.intervals.map(({ inFlight }) => inFlight)),
    delivered: (counts['delivered'] ?? 0) / (counts['accepted'] || 1),
    gatewayCores: (gateway?.cpuSeconds ?? 0) / (gateway?.seconds || 1),
    coreCores: (ims?.cpuSeconds ?? 0) / (ims?.seconds || 1),
    wireOctets: perSecond('wireBytesIn') + perSecond('wireBytesOut'),
    gatewayBytes: record.parts['gateway']?.rssBytesMax ?? 0,
    p50Micros: endToEnd === undefined || endToEnd.count === 0 ? undefined : endToEnd.p50Us,
    p99Micros: endToEnd === undefined || endToEnd.count === 0 ? undefined : endToEnd.p99Us,
  }
}

/** Every run as a row of the answer; those without `leftOut` count. The machine is that of the first run that could count. */
export function sortedOut(runs: readonly RunEvidence[]): { readonly rows: readonly PlanRunRow[]; readonly counted: readonly RunEvidence[] } {
  const counted: RunEvidence[] = []
  const rows = runs.map((run): PlanRunRow => {
    const { record, file, octets } = run
    const { pushes, registrations, sessions, registered } = observe(run)
    const leftOut = whyNot(record) ?? otherMachine(record, counted[0])
    if (leftOut === undefined) counted.push(run)
    return {
      file, seed: record.seed, startedAt: record.startedAt, ...(leftOut === undefined ? {} : { leftOut }),
      pushesPerSecond: pushes, registrationsPerSecond: registrations, octets, sessions, registered,
    }
  })
  return { rows, counted }
}

/** Above this share of failed or late attempts a run does not tell what a push costs, but what overload does. */
const OVERLOADED = 0.05

/** Up to this share of the pushes may have gone in ways a plan does not reckon with. */
const OTHER_WAYS = 0.01

function whyNot({ verdict, virtual, work, interrupted, scenarios, bindings }: RunRecord): string | undefined {
  if (virtual !== undefined) return 'it passed in virtual time; a plan rests on runs on real sockets'
  if (!verdict.valid) return `it is not valid: ${verdict.reasons[0] ?? 'no reason is given'}`
  if (interrupted !== undefined) return `it was cut short: ${interrupted}`
  const gateway = work?.['gateway']
  if (gateway === undefined || gateway.seconds <= 0 || gateway.cpuSeconds <= 0) return 'it does not say what its parts did in the measured window; run it again with this version'
  if ((gateway.counts['accepted'] ?? 0) === 0) return 'the gateway accepted no push in the measured window'
  const pushes = (bindings ?? []).reduce((sum, row) => sum + row.pushes, 0)
  const other = (bindings ?? []).filter(({ name, pushes: own }) => name !== 'message' && name !== 'session' && own > OTHER_WAYS * pushes)
  if (other.length > 0) return `its pushes went by ${other.map(({ name }) => name).join(' and ')}; a plan reckons with MESSAGE and sessions`
  const attempts = scenarios.reduce((sum, row) => sum + row.attempts, 0)
  const late = scenarios.reduce((sum, row) => sum + row.inadequatelyHandled, 0)
  if (late > OVERLOADED * attempts) return `it was overloaded: ${Math.round(100 * late / attempts)} % of its attempts failed or came late, and costs are those of runs that keep up`
  return undefined
}

function otherMachine({ disclosure }: RunRecord, first: RunEvidence | undefined): string | undefined {
  if (first === undefined) return undefined
  const { cpu, cores, node } = first.record.disclosure
  if (disclosure.cpu === cpu && disclosure.cores === cores && disclosure.node === node) return undefined
  return `it was made on another machine (${disclosure.cpu}, ${disclosure.cores} cores, Node ${disclosure.node}) than ${first.file} (${cpu}, ${cores} cores, Node ${node})`
}

/** The capacity the plan goes by: measured for an objective at least as strict, of the content size nearest to the plan's. */
export function capacityFor(capacities: readonly CapacityEvidence[], inadequatelyHandled: number, octets: number): CapacityEvidence | undefined {
  const fitting = capacities.filter(({ answer }) => answer.limit <= inadequatelyHandled && capacityRates(answer) !== undefined)
  return fitting.sort((a, b) => Math.abs(Math.log((a.octets + 1) / (octets + 1))) - Math.abs(Math.log((b.octets + 1) / (octets + 1))))[0]
}

/** Pushes per second a node was shown to bear; `low` is what may be relied on. A search that only found a bound has no interval above it. */
export function capacityRates({ outcome, capacity, bound }: CapacityAnswer): { readonly value: number; readonly low: number; readonly high: number | undefined } | undefined {
  if (outcome === 'found' && capacity !== undefined) return { value: capacity.perSecond, low: capacity.low, high: capacity.high }
  if (outcome === 'at-least' && bound !== undefined) return { value: bound, low: bound, high: undefined }
  return undefined
}
