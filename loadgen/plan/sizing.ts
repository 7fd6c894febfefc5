/**
 * From what the network asks for and what a node was measured to bear to a number of nodes, resource by resource; the one that asks for
 * the most nodes binds. Knows laws and limits, not where they come from.
 */
import { erlangB } from '../../reports/statistics/queueing.js'
import { scalabilityAt, type ScalabilityFit } from '../../reports/statistics/scalability.js'
import type { Demand } from './demand.js'
import type { NodeLoad } from './evidence.js'
import type { Law, Laws } from './laws.js'
import type { PlanFile } from './plan-file.js'

/** What one node has. */
export interface NodeLimits {
  /** Processors the gateway keeps busy at the node's capacity. */
  readonly cores: number
  /** Sessions held at a time, on average, that find no free place as rarely as asked for. */
  readonly sessionErlangs: number
}

export interface Sizing {
  readonly plan: PlanFile
  readonly laws: Laws
  readonly limits: NodeLimits
  /** Processors a node with this load keeps busy of those that `limits` counts. */
  readonly processor: (load: NodeLoad) => number
  /** How throughput grows with nodes; undefined where they share nothing. */
  readonly scalability: ScalabilityFit | undefined
}

export const RESOURCES = ['processor', 'memory', 'sessions', 'bandwidth', 'disk'] as const
export type ResourceName = (typeof RESOURCES)[number]

export interface Need {
  readonly name: ResourceName
  /** Before rounding up; Infinity where no number of nodes is enough. */
  readonly exactNodes: number
  readonly nodes: number
}

/** What each of `nodes` nodes does; a fraction of a node where an exact number is wanted. */
export function loadOf(demand: Demand, nodes: number): NodeLoad {
  return { pushes: demand.pushes / nodes, kib: demand.kib, sessions: demand.sessionShare, registrations: demand.registrations / nodes }
}

/** By resource, in their order; those of which nothing is known are not there. */
export function needsOf(sizing: Sizing, demand: Demand): Need[] {
  const { plan: { node }, laws, limits } = sizing
  const exact: Partial<Record<ResourceName, number>> = {
    processor: nodesAt(sizing, (nodes) => sizing.processor(loadOf(demand, nodes)), node.load * limits.cores),
    ...(laws.memory === undefined ? {} : { memory: memoryNodes(sizing, demand) }),
    sessions: limits.sessionErlangs === 0 ? (demand.sessionErlangs === 0 ? 0 : Infinity) : demand.sessionErlangs / limits.sessionErlangs,
    ...(laws.wire === undefined ? {} : { bandwidth: fewest((nodes) => laws.wire!.at(loadOf(demand, nodes)), node.load * node.bandwidth) }),
    disk: demand.waitingOctets / (node.load * node.disk),
  }
  return RESOURCES.flatMap((name) => {
    const exactNodes = exact[name]
    return exactNodes === undefined ? [] : [{ name, exactNodes, nodes: Math.max(1, Math.ceil(exactNodes - 1e-9)) }]
  })
}

export function binding(needs: readonly Need[]): Need {
  return needs.reduce((most, need) => (need.exactNodes > most.exactNodes ? need : most))
}

/** What nodes are worth that have to share something: as many that share nothing. */
function worth({ scalability }: Sizing, nodes: number): number {
  return scalability === undefined || nodes <= 1 ? nodes : scalabilityAt(scalability, nodes) / scalabilityAt(scalability, 1)
}

function nodesAt(sizing: Sizing, usage: (nodes: number) => number, limit: number): number {
  const alone = fewest(usage, limit)
  const { scalability } = sizing
  if (scalability === undefined || !Number.isFinite(alone)) return alone
  const peak = scalability.peak?.x ?? NODES_MAX
  if (worth(sizing, peak) < alone) return Infinity
  return fewest((nodes) => alone - worth(sizing, Math.min(nodes, peak)), 0)
}

function memoryNodes({ plan: { node }, laws }: Sizing, demand: Demand): number {
  return fewest((nodes) => laws.memory!.at({ registered: demand.registered / nodes, pending: demand.waiting / nodes }), node.load * node.memory)
}

const NODES_MAX = 1e9

/** The least real number of nodes at which a usage that falls with their number is within its limit, to nine digits. */
function fewest(usage: (nodes: number) => number, limit: number): number {
  if (usage(NODES_MAX) > limit) return Infinity
  let [low, high] = [1e-9, NODES_MAX]
  for (let step = 0; step < 200 && high / low > 1 + 1e-9; step++) {
    const middle = Math.sqrt(low * high)
    if (usage(middle) <= limit) high = middle
    else low = middle
  }
  return high
}

/**
 * Processors under the pressure of `pushes` a second, whatever the load: what comes alone costs more than what comes in a row, and a node near its
 * capacity is never alone. To be held against the processors a node keeps busy at that rate.
 */
export function underPressure(law: Law<NodeLoad>, pushes: number): (load: NodeLoad) => number {
  return (load) => law.at(load, load.pushes === 0 ? load : { ...load, pushes, registrations: load.registrations * pushes / load.pushes })
}

/** Pushes per second, with as many registrations for each as `of` has, that keep `cores` processors of one node busy; 0 where even an idle one does. */
export function pushesAt({ processor }: Pick<Sizing, 'processor'>, of: NodeLoad, cores: number): number {
  if (of.pushes === 0) return 0
  const times = (factor: number): number => processor({ ...of, pushes: of.pushes * factor, registrations: of.registrations * factor })
  if (times(0) >= cores) return 0
  return of.pushes / fewest((nodes) => times(1 / nodes), cores)
}

/** The most erlangs that `servers` places carry when at most the share `blocking` may find none free. */
export function erlangsFor(servers: number, blocking: number): number {
  let [low, high] = [0, servers / (1 - Math.min(blocking, 0.99)) + 1]
  for (let step = 0; step < 60; step++) {
    const middle = (low + high) / 2
    if (erlangB(servers, middle) <= blocking) low = middle
    else high = middle
  }
  return low
}

const SPARES_MAX = 1_000

/**
 * Spare nodes beside the `needed` ones, at least one: the fewest with which at least `needed` are up the share `target` of the time, nodes failing
 * independently (binomial).
 */
export function sparesFor(needed: number, nodeUp: number, target: number): number {
  for (let spare = 1; spare < SPARES_MAX; spare++) if (upShare(needed, spare, nodeUp) >= target) return spare
  return SPARES_MAX
}

/** How likely at most `spare` of `needed + spare` nodes are down. */
export function upShare(needed: number, spare: number, nodeUp: number): number {
  if (nodeUp >= 1) return 1
  const nodes = needed + spare
  let log = nodes * Math.log(nodeUp)
  let sum = Math.exp(log)
  for (let down = 1; down <= spare; down++) {
    log += Math.log((nodes - down + 1) / down) + Math.log((1 - nodeUp) / nodeUp)
    sum += Math.exp(log)
  }
  return Math.min(1, sum)
}
