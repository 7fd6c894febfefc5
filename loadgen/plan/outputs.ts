/**
 * The figures of a plan, each with what it rests on, how it was reckoned, and whether that goes beyond what was measured. Knows sizing, demand
 * and measurements; decides nothing.
 */
import { MICROS_PER_SECOND } from '../../core/kit/time.js'
import type { PlanOutputRow } from '../../reports/answers/plan.js'
import { rate } from '../../reports/format.js'
import { little, serversForBlocking } from '../../reports/statistics/queueing.js'
import type { Demand, Demands } from './demand.js'
import type { LatencyLaw } from './latency.js'
import { loadOf, pushesAt, upShare, type Sizing } from './sizing.js'

export interface OutputInput {
  readonly sizing: Sizing
  readonly demands: Demands
  readonly nodes: { readonly busyHour: number; readonly campaign: number; readonly needed: number; readonly total: number }
  /** Processors busy at the node's capacity, by both ends of its interval. */
  readonly cores: { readonly low: number; readonly value: number; readonly high: number }
  readonly capacityMeasured: boolean
  readonly latency: { readonly p50: LatencyLaw | undefined; readonly p99: LatencyLaw | undefined }
  /** In what the load, and what is held, of `nodes.needed` nodes at the peak go beyond what was measured. */
  readonly beyondLoad: string | undefined
  readonly beyondHeld: string | undefined
  /** The same of one node at its capacity. */
  readonly beyondCapacity: string | undefined
  /** Most registrations in a second that a run had. */
  readonly registrationsMeasured: number
}

type Figure = Omit<PlanOutputRow, 'extrapolated'> & { readonly extrapolated?: string | undefined }
/** Told by the plan file alone. */
const ASKED: readonly string[] = []
const COSTS = ['gateway.perPush', 'gateway.perRegistration']

export function outputsOf(input: OutputInput): PlanOutputRow[] {
  const figures = [...nodeFigures(input), ...timeFigures(input), ...holdingFigures(input), ...costFigures(input)]
  return figures.map(({ extrapolated, ...figure }) => (extrapolated === undefined ? figure : { ...figure, extrapolated }))
}

function nodeFigures({ sizing, demands: { busyHour, campaign }, nodes, cores, capacityMeasured, beyondLoad, beyondCapacity }: OutputInput): Figure[] {
  const { plan } = sizing
  const capacityFrom = capacityMeasured ? ['capacity', ...COSTS] : COSTS
  const bears = (of: number): number => pushesAt(sizing, loadOf(campaign, nodes.needed), of)
  const headroom = (demand: Demand, count: number): number => 1 - sizing.processor(loadOf(demand, count)) / cores.value
  const why = beyondLoad
  return [
    { name: 'pushes.busyHour', words: 'pushes in the busy hour', unit: 'perSecond', value: busyHour.pushes, rests: ASKED, how: 'subscribers × pushes / 3,600 s, retries among them' },
    { name: 'pushes.campaign', words: 'with the campaign', unit: 'perSecond', value: campaign.pushes, rests: ASKED, how: 'the campaign evenly over its window, on top of the busy hour' },
    { name: 'registrations', words: 'registrations', unit: 'perSecond', value: busyHour.registrations, rests: ASKED, how: 'registered devices / interval + changes in a day / 86,400 s' },
    { name: 'devices.registered', words: 'registered devices', unit: 'count', value: busyHour.registered, rests: ASKED, how: 'subscribers × devices × registered share' },
    {
      name: 'doc', words: 'capacity of a node (DOC)', unit: 'perSecond', value: bears(cores.value), ...(capacityMeasured ? { low: bears(cores.low), high: bears(cores.high) } : {}), rests: capacityFrom,
      how: capacityMeasured ? 'the measured capacity, by what this mix of contents and registrations costs against what was pushed in its search'
        : `no capacity was measured: the pushes that keep ${Math.round(100 * cores.value)} % of one processor busy`,
      extrapolated: beyondCapacity,
    },
    { name: 'nodes.busyHour', words: 'nodes for the busy hour', unit: 'count', value: nodes.busyHour, rests: capacityFrom, how: `each at no more than ${Math.round(100 * plan.node.load)} % of what it bears`, extrapolated: why },
    { name: 'nodes.campaign', words: 'nodes with the campaign', unit: 'count', value: nodes.campaign, rests: capacityFrom, how: 'the same at the campaign’s peak', extrapolated: why },
    {
      name: 'nodes.total', words: `nodes with spares (N+${nodes.total - nodes.needed})`, unit: 'count', value: nodes.total, rests: capacityFrom, extrapolated: why,
      how: `enough up ${sharePercent(upShare(nodes.needed, nodes.total - nodes.needed, plan.availability.node))} of the time, each node ${sharePercent(plan.availability.node)}, failing independently (binomial)`,
    },
    { name: 'headroom.busyHour', words: 'headroom in the busy hour', unit: 'share', value: headroom(busyHour, nodes.total), rests: capacityFrom, how: 'processor time left of that at capacity, all nodes up', extrapolated: why },
    { name: 'headroom.campaign', words: 'headroom with the campaign', unit: 'share', value: headroom(campaign, nodes.total), rests: capacityFrom, how: 'the same at the campaign’s peak', extrapolated: why },
    { name: 'headroom.sparesDown', words: 'headroom with the spares down', unit: 'share', value: headroom(campaign, nodes.needed), rests: capacityFrom, how: 'the same with the spare nodes down', extrapolated: why },
  ]
}

function timeFigures({ sizing, demands, nodes, cores, capacityMeasured, latency, beyondLoad, beyondCapacity, registrationsMeasured }: OutputInput): Figure[] {
  const { plan, laws } = sizing
  const { busyHour, campaign } = demands
  const capacityFrom = capacityMeasured ? ['capacity', ...COSTS] : COSTS
  const figures: Figure[] = []
  const most = nodes.needed * pushesAt(sizing, loadOf(campaign, nodes.needed), cores.value)
  if (demands.campaignPushes > 0 && most > busyHour.pushes) {
    figures.push({
      name: 'drain.campaign', words: 'a campaign sent as fast as it can be', unit: 'seconds', value: demands.campaignPushes / (most - busyHour.pushes), rests: capacityFrom,
      how: 'its pushes over what the nodes without spares bear beyond the busy hour', extrapolated: beyondCapacity,
    })
  }
  const registration = laws.gateway?.term('g', loadOf(busyHour, nodes.needed))
  const left = cores.value - sizing.processor({ ...loadOf(busyHour, nodes.needed), registrations: 0 })
  if (registration !== undefined && registration.value > 0 && left > 0) {
    figures.push({
      name: 'drain.registerStorm', words: 'all devices register anew, at the gateway', unit: 'seconds', value: busyHour.registered * registration.value / (nodes.needed * left), rests: capacityFrom,
      how: 'registered devices × processor time of a registration over what the busy hour leaves of the nodes',
      extrapolated: left / registration.value > registrationsMeasured ? `${rate(left / registration.value)} registrations on a node, measured up to ${rate(registrationsMeasured)}` : undefined,
    })
  }
  const busy = laws.gateway?.at(loadOf(campaign, nodes.needed))
  for (const name of ['p50', 'p99'] as const) {
    const law = latency[name]
    if (law === undefined || law.model.verdict !== 'holds' || busy === undefined || busy >= 1) continue
    figures.push({
      name: `latency.${name}`, words: `${name} to the terminal, with the way to it`, unit: 'micros', value: law.at(busy) + campaign.travelMicros / 2, rests: [`latency.${name}`],
      how: `the model’s at ${Math.round(100 * busy)} % of a processor, and half a mean round trip`, extrapolated: beyondLoad,
    })
  }
  const p50 = latency.p50
  if (p50 !== undefined && p50.model.verdict === 'holds' && busy !== undefined && busy < 1) {
    const seconds = (p50.at(busy) + campaign.travelMicros) / MICROS_PER_SECOND
    figures.push({ name: 'underWay', words: 'pushes under way at a time', unit: 'count', value: little(campaign.pushes * (1 - plan.offline.share), seconds), rests: ['latency.p50'], how: 'Little: pushes per second × time to the terminal and back', extrapolated: beyondLoad })
  }
  return figures
}

function holdingFigures({ sizing, demands: { busyHour, campaign }, nodes, beyondLoad, beyondHeld }: OutputInput): Figure[] {
  const { plan, laws } = sizing
  const places = serversForBlocking(campaign.sessionErlangs / nodes.needed, plan.sessions.blocking)
  const figures: Figure[] = [
    { name: 'store.pushes', words: 'pushes that wait, at the peak', unit: 'count', value: campaign.waiting, rests: ASKED, how: 'Little: arrivals × offline share × mean of the lesser of absence and lifetime, at the busy hour’s rate throughout' },
    { name: 'store.octets', words: 'store, at the peak', unit: 'octets', value: campaign.waitingOctets, rests: ASKED, how: 'pushes that wait × (content + overhead of the plan file)' },
    { name: 'sessions', words: 'MSRP sessions held at a time', unit: 'count', value: campaign.sessionErlangs, rests: ASKED, how: 'Little: session pushes per second × (three round trips + kept idle), none met again' },
    { name: 'sessions.ports', words: 'ports for them, on a node', unit: 'count', value: places, rests: ASKED, how: `Erlang B: at most ${sharePercent(plan.sessions.blocking)} find none free` },
  ]
  if (laws.memory !== undefined) {
    const held = { registered: busyHour.registered / nodes.needed, pending: campaign.waiting / nodes.needed }
    figures.push({ name: 'memory', words: 'memory of a node', unit: 'octets', value: laws.memory.at(held), ...laws.memory.interval(held), rests: ['memory.empty', 'memory.perDevice', 'memory.perWaiting'], how: 'empty + devices + pushes that wait', extrapolated: beyondHeld })
  }
  if (laws.wire !== undefined) {
    const load = loadOf(campaign, nodes.needed)
    const all = nodes.needed
    const interval = laws.wire.interval(load)
    figures.push({
      name: 'bandwidth', words: 'SIP and MSRP of all nodes, both ways', unit: 'octetsPerSecond', value: all * laws.wire.at(load), ...(interval === undefined ? {} : { low: all * interval.low, high: all * interval.high }),
      rests: ['wire.perPush'], how: 'octets per push and registration × their rates, at the peak', extrapolated: beyondLoad,
    })
  }
  return figures
}

const MILLION = 1e6
const HOUR_SECONDS = 3_600

function costFigures({ sizing, demands: { busyHour, campaign }, nodes, beyondLoad }: OutputInput): Figure[] {
  const { plan, laws } = sizing
  const load = { ...loadOf(campaign, nodes.needed), registrations: 0 }
  const figures: Figure[] = []
  for (const [law, part, words] of [[laws.gateway, 'gateway', 'the gateway'], [laws.core, 'ims', 'the simulated core']] as const) {
    if (law === undefined) continue
    const perMillion = MILLION / load.pushes
    const interval = law.interval(load)
    figures.push({
      name: `cpu.${part}`, words: `processor time of ${words}, a million pushes`, unit: 'cpuSeconds', value: law.at(load) * perMillion,
      ...(interval === undefined ? {} : { low: Math.max(0, interval.low * perMillion), high: interval.high * perMillion }), rests: [`${part}.perPush`], how: 'at the rate a node has at the peak, without registrations', extrapolated: beyondLoad,
    })
  }
  if (busyHour.pushes > 0) {
    figures.push({
      name: 'cost', words: 'cost of a million pushes, all nodes', unit: 'money', value: nodes.total * plan.node.price / (busyHour.pushes * HOUR_SECONDS) * MILLION, rests: COSTS, how: 'price of all nodes, spares among them, over the pushes of a busy hour without a campaign',
      extrapolated: beyondLoad,
    })
  }
  return figures
}

function sharePercent(share: number): string {
  return `${Number((100 * share).toPrecision(6))} %`
}
