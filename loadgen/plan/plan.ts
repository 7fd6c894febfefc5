/**
 * A plan from what is asked and what was measured: fits the laws, counts the nodes, and says of every figure what it rests on. Knows no
 * file and no clock.
 */
import type { PlanAnswer, PlanOutputRow, PlanResourceRow } from '../../reports/answers/plan.js'
import { PLAN_SCHEMA_VERSION } from '../../reports/answers/plan.js'
import { fitScalability, scalabilityAt, type ScalabilityFit } from '../../reports/statistics/scalability.js'
import { heldOutErrors } from '../../reports/statistics/held-out.js'
import { significant } from '../../reports/format.js'
import { capacityFor, capacityRates, observe, sortedOut, type CapacityEvidence, type Evidence, type Observed } from './evidence.js'
import { demandsOf, type Demands } from './demand.js'
import { fitLatency } from './latency.js'
import { fitLaws, LEVEL, TOLERANCE, type Laws } from './laws.js'
import { beyond, heldBeyond, measurementsOf } from './measurements.js'
import { outputsOf } from './outputs.js'
import type { PlanFile } from './plan-file.js'
import { sensitivityOf, staircaseOf } from './sensitivity.js'
import { binding, erlangsFor, loadOf, needsOf, pushesAt, sparesFor, underPressure, type Need, type ResourceName, type Sizing } from './sizing.js'

export interface PlanInput {
  readonly plan: PlanFile
  readonly planYaml: string
  readonly evidence: Evidence
  readonly startedAt: string
  readonly command: string
  readonly heldOut?: PlanAnswer['heldOut']
}

const WORDS: Readonly<Record<ResourceName, string>> = {
  processor: 'processor time of the gateway', memory: 'memory of the gateway', sessions: 'sockets for MSRP sessions', bandwidth: 'bandwidth of SIP and MSRP', disk: 'disk of the store',
}
const RESTS: Readonly<Record<ResourceName, readonly string[]>> = {
  processor: ['capacity', 'gateway.perPush', 'gateway.perRegistration'], memory: ['memory.empty', 'memory.perDevice', 'memory.perWaiting'], sessions: [], bandwidth: ['wire.perPush'], disk: [],
}

export function planOf(input: PlanInput): PlanAnswer {
  const { plan, evidence } = input
  const { rows, counted } = sortedOut(evidence.runs)
  const points = counted.map(observe)
  const laws = fitLaws(points)
  const scalability = plan.scaling.length === 0 ? undefined : fitScalability(pointsOf(plan))
  const disclosure = counted[0]?.record.disclosure
  const head = {
    kind: 'plan', schemaVersion: PLAN_SCHEMA_VERSION, name: plan.name, startedAt: input.startedAt, level: LEVEL, subscribers: plan.subscribers, runs: rows,
    ...(disclosure === undefined ? {} : { disclosure }), ...(input.heldOut === undefined ? {} : { heldOut: input.heldOut }), planYaml: input.planYaml, command: input.command,
  } as const
  const latency = { p50: fitLatency(points, 'p50'), p99: fitLatency(points, 'p99') }
  const models = [...laws.models, ...[latency.p50, latency.p99].flatMap((law) => (law === undefined ? [] : [law.model])), ...(scalability === undefined ? [] : [scalabilityModel(plan, scalability)])]
  const unmeasured = (why: string): PlanAnswer => ({ ...head, outcome: 'unmeasured', why, outputs: [], resources: [], sensitivity: [], staircase: [], measurements: [], models, uncounted: [] })
  if (laws.gateway === undefined) return unmeasured(points.length === 0 ? 'no run counts; see why below' : `${points.length} runs are too few to tell what a push costs; runs at two rates or more are needed`)

  const context = contextOf(input, laws, scalability)
  const { sizing, demands, busyHour, campaign, most } = context
  if (!Number.isFinite(most.exactNodes)) return unmeasured(`no number of nodes is enough: ${WORDS[most.name]} of a node is used up before any push${scalability === undefined ? '' : ', or what nodes share allows no more'}`)
  const needed = most.nodes
  const spare = sparesFor(needed, plan.availability.node, plan.availability.target)
  const nodes = { busyHour: binding(busyHour).nodes, campaign: binding(campaign).nodes, needed, total: needed + spare }
  const load = loadOf(demands.campaign, needed)
  const beyondLoad = beyondAt(context, points, plan, needed)
  const beyondHeld = heldBeyond(points, demands.busyHour.registered / needed, demands.campaign.waiting / needed)
  const full = pushesAt(sizing, load, context.cores.value)
  const registrationsFull = load.pushes === 0 ? 0 : load.registrations * full / load.pushes
  const outputs = outputsOf({
    sizing, demands, nodes, cores: context.cores, capacityMeasured: context.capacity !== undefined, latency, beyondLoad, beyondHeld,
    beyondCapacity: beyond(points, { ...load, pushes: full, registrations: registrationsFull }, context.largest, context.capacityRate),
    registrationsMeasured: Math.max(0, ...points.map(({ registrations }) => registrations)),
  })
  const measurements = measurementsOf(laws, context.capacity, load, counted.map(({ file }) => file))
  const told = new Set([...measurements, ...models].map(({ name }) => name))
  const resting = (row: PlanOutputRow): PlanOutputRow => ({ ...row, rests: row.rests.filter((name) => told.has(name)) })
  const verdict = laws.gateway.model
  return {
    ...head,
    outcome: verdict.verdict === 'holds' ? 'planned' : 'doubtful',
    ...(verdict.verdict === 'holds' ? {} : { why: doubt(verdict.verdict, verdict.heldOutError, points.length) }),
    nodes: { busyHour: nodes.busyHour, campaign: nodes.campaign, needed, spare, total: nodes.total },
    constraint: { name: most.name, words: WORDS[most.name] },
    outputs: outputs.map(resting),
    resources: resourcesOf(context, points, beyondLoad, beyondHeld, told),
    sensitivity: sensitivityOf(sizing),
    staircase: staircaseOf(sizing, (other) => beyondAt(context, points, other, undefined) === undefined),
    measurements, models, uncounted: uncounted(laws, points, plan, context.capacity),
  }
}

interface Context {
  readonly sizing: Sizing
  readonly demands: Demands
  readonly busyHour: readonly Need[]
  readonly campaign: readonly Need[]
  readonly most: Need
  readonly capacity: ReturnType<typeof capacityFor>
  readonly capacityRate: number
  readonly cores: { readonly low: number; readonly value: number; readonly high: number }
  readonly largest: number
}

function contextOf({ plan, evidence }: PlanInput, laws: Laws, scalability: ScalabilityFit | undefined): Context {
  const demands = demandsOf(plan)
  const capacity = capacityFor(evidence.capacities, plan.objective.inadequatelyHandled, 1024 * demands.busyHour.kib)
  const rates = capacity === undefined ? undefined : capacityRates(capacity.answer)
  // A capacity search pushes to devices that stay, and in sessions where its content is that large.
  const coresAt = (pushes: number): number => laws.gateway!.at({ pushes, kib: capacity!.octets / 1024, sessions: capacity!.octets >= plan.sessions.from ? 1 : 0, registrations: 0 })
  const cores = rates === undefined ? { low: plan.node.busy, value: plan.node.busy, high: plan.node.busy } : { low: coresAt(rates.low), value: coresAt(rates.value), high: coresAt(rates.high ?? rates.value) }
  // Sized by what may be relied on: the low end of the capacity's interval.
  const sizing: Sizing = {
    plan, laws, scalability, limits: { cores: cores.low, sessionErlangs: erlangsFor(plan.node.sockets, plan.sessions.blocking) },
    processor: rates === undefined ? (load) => laws.gateway!.at(load) : underPressure(laws.gateway!, rates.value),
  }
  const busyHour = needsOf(sizing, demands.busyHour)
  const campaign = needsOf(sizing, demands.campaign)
  return { sizing, demands, busyHour, campaign, most: binding([...busyHour, ...campaign]), capacity, capacityRate: rates?.value ?? 0, cores, largest: Math.max(...plan.contents.map(({ size }) => size)) }
}

/** In what the nodes of a plan, at its peak, go beyond what was measured. @param nodes undefined for as many as it needs */
function beyondAt({ sizing, capacityRate, largest }: Context, points: readonly Observed[], plan: PlanFile, nodes: number | undefined): string | undefined {
  const { campaign } = demandsOf(plan)
  const count = nodes ?? binding(needsOf({ ...sizing, plan }, campaign)).nodes
  return beyond(points, loadOf(campaign, count), largest, capacityRate)
}

function resourcesOf({ sizing, demands: { campaign, busyHour }, campaign: needs }: Context, points: readonly Observed[], beyondLoad: string | undefined, beyondHeld: string | undefined, told: ReadonlySet<string>): PlanResourceRow[] {
  const { plan: { node }, limits, laws } = sizing
  const one = (name: ResourceName): Pick<PlanResourceRow, 'unit' | 'demand' | 'perNode'> => {
    switch (name) {
      case 'processor': return { unit: 'cores', demand: sizing.processor(loadOf(campaign, 1)), perNode: node.load * limits.cores }
      case 'memory': return { unit: 'octets', demand: laws.memory!.at({ registered: busyHour.registered, pending: campaign.waiting }), perNode: node.load * node.memory }
      case 'sessions': return { unit: 'count', demand: campaign.sessionErlangs, perNode: limits.sessionErlangs }
      case 'bandwidth': return { unit: 'octetsPerSecond', demand: laws.wire!.at(loadOf(campaign, 1)), perNode: node.load * node.bandwidth }
      case 'disk': return { unit: 'octets', demand: campaign.waitingOctets, perNode: node.load * node.disk }
    }
  }
  return needs.map(({ name, nodes }) => {
    const extrapolated = name === 'memory' ? beyondHeld : name === 'sessions' || name === 'disk' ? undefined : beyondLoad
    return { name, words: WORDS[name], ...one(name), nodes, rests: RESTS[name].filter((measurement) => told.has(measurement)), ...(extrapolated === undefined || points.length === 0 ? {} : { extrapolated }) }
  })
}

function doubt(verdict: 'does-not-hold' | 'unknown', error: number | undefined, runs: number): string {
  return verdict === 'unknown' ? `the law of the gateway’s processor time was fitted to ${runs} runs, too few to check it at one left out`
    : `the law of the gateway’s processor time errs by ${significant(100 * error!)} % at runs it was not fitted to, more than the ${100 * TOLERANCE} % allowed`
}

/** What the plan does not count, for want of a measurement. */
function uncounted(laws: Laws, points: readonly Observed[], plan: PlanFile, capacity: CapacityEvidence | undefined): string[] {
  const missing: string[] = ['HTTP between initiators and gateway is in the processor time, not in the bandwidth']
  if (capacity === undefined) missing.push(`no capacity search: a node is taken to keep the objective up to ${Math.round(100 * plan.node.busy)} % of one processor (node.busy)`)
  else if (capacity.plain < 1) missing.push(`what other rows of the capacity search’s traffic set cost: all of its pushes are taken for ones to a device that is there, which ${Math.round(100 * capacity.plain)} % were`)
  if (laws.gateway?.term('g') === undefined) missing.push('what a registration costs: the runs do not differ in registrations by enough to tell')
  if (laws.memory?.term('registered') === undefined) missing.push('memory per registered device: the runs do not differ in devices by enough to tell')
  if (laws.memory?.term('pending') === undefined) missing.push('memory per push that waits: the runs do not differ in them by enough to tell')
  if (plan.contents.some(({ size }) => size >= plan.sessions.from) && !points.some(({ sessions }) => sessions > 0)) missing.push('what a session costs: no run had any')
  missing.push('memory per MSRP session')
  return missing
}

function pointsOf({ scaling }: PlanFile): { readonly x: number; readonly y: number }[] {
  return scaling.map(({ nodes, rate }) => ({ x: nodes, y: rate }))
}

function scalabilityModel(plan: PlanFile, fit: ScalabilityFit): PlanAnswer['models'][number] {
  const points = pointsOf(plan)
  // The law needs three different numbers of nodes, each time.
  const spare = points.every((_, left) => new Set(points.filter((_point, index) => index !== left).map(({ x }) => x)).size >= 3)
  const errors = spare ? heldOutErrors(points, (others) => { const law = fitScalability(others); return (x) => scalabilityAt(law, x) }) : []
  const error = errors.length === 0 ? undefined : Math.sqrt(errors.reduce((sum, value) => sum + value * value, 0) / errors.length)
  return {
    name: 'nodes', words: 'throughput of so many nodes together (universal scalability law)', unit: 'perSecond', along: 'nodes', tolerance: TOLERANCE, heldOutErrors: errors, ...(error === undefined ? {} : { heldOutError: error }),
    formula: `X(N) = ${significant(fit.lambda)} N / (1 + ${fit.sigma.toPrecision(3)} (N-1) + ${fit.kappa.toPrecision(3)} N (N-1))`,
    verdict: error === undefined ? 'unknown' : error <= TOLERANCE ? 'holds' : 'does-not-hold',
    points: points.map(({ x, y }) => ({ run: 'plan file, scaling', x, measured: y, fitted: scalabilityAt(fit, x) })),
  }
}
