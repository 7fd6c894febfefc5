/**
 * What becomes of the number of nodes when an input is a fifth smaller or larger, the others staying what they are; and up to how many
 * subscribers each number of nodes goes. Asks the sizing again and again; knows no formula of it.
 */
import type { PlanSensitivityRow, PlanStepRow } from '../../reports/answers/plan.js'
import { demandsOf } from './demand.js'
import type { PlanFile } from './plan-file.js'
import { binding, needsOf, sparesFor, type Need, type Sizing } from './sizing.js'

const share = (value: number): number => Math.min(1, value)

/** Inputs whose growth is told, by their key. */
const INPUTS: readonly { readonly input: string; readonly words: string; readonly scaled: (plan: PlanFile, by: number) => PlanFile }[] = [
  { input: 'subscribers', words: 'subscribers', scaled: (plan, by) => ({ ...plan, subscribers: plan.subscribers * by }) },
  { input: 'pushes', words: 'pushes in the busy hour', scaled: (plan, by) => ({ ...plan, pushes: plan.pushes * by }) },
  { input: 'devices.each', words: 'devices per subscriber', scaled: (plan, by) => ({ ...plan, devices: { ...plan.devices, each: plan.devices.each * by } }) },
  { input: 'devices.registered', words: 'registered share', scaled: (plan, by) => ({ ...plan, devices: { ...plan.devices, registered: share(plan.devices.registered * by) } }) },
  { input: 'devices.interval', words: 're-registration interval', scaled: (plan, by) => ({ ...plan, devices: { ...plan.devices, interval: plan.devices.interval * by } }) },
  { input: 'devices.changes', words: 'on and off in a day', scaled: (plan, by) => ({ ...plan, devices: { ...plan.devices, changes: plan.devices.changes * by } }) },
  { input: 'campaign.recipients', words: 'recipients of a campaign', scaled: (plan, by) => ({ ...plan, campaign: { ...plan.campaign, recipients: share(plan.campaign.recipients * by) } }) },
  { input: 'campaign.window', words: 'window of a campaign', scaled: (plan, by) => ({ ...plan, campaign: { ...plan.campaign, window: plan.campaign.window * by } }) },
  { input: 'contents', words: 'sizes of the contents', scaled: (plan, by) => ({ ...plan, contents: plan.contents.map((content) => ({ ...content, size: content.size * by })) }) },
  { input: 'roaming.share', words: 'roaming share', scaled: (plan, by) => ({ ...plan, roaming: { ...plan.roaming, share: share(plan.roaming.share * by) } }) },
  { input: 'offline.share', words: 'offline share', scaled: (plan, by) => ({ ...plan, offline: { ...plan.offline, share: share(plan.offline.share * by) } }) },
  { input: 'offline.absence', words: 'absence', scaled: (plan, by) => ({ ...plan, offline: { ...plan.offline, absence: plan.offline.absence * by } }) },
  { input: 'offline.lifetime', words: 'lifetime of a push', scaled: (plan, by) => ({ ...plan, offline: { ...plan.offline, lifetime: plan.offline.lifetime * by } }) },
  { input: 'retries.share', words: 'pushes tried again', scaled: (plan, by) => ({ ...plan, retries: { ...plan.retries, share: share(plan.retries.share * by) } }) },
  { input: 'sessions.keep', words: 'how long sessions are kept', scaled: (plan, by) => ({ ...plan, sessions: { ...plan.sessions, keep: plan.sessions.keep * by } }) },
  { input: 'node.load', words: 'load planned for a node', scaled: (plan, by) => ({ ...plan, node: { ...plan.node, load: share(plan.node.load * by) } }) },
]

/** What the plan needs at the busier of busy hour and campaign. */
export function needed(sizing: Sizing): Need {
  const { busyHour, campaign } = demandsOf(sizing.plan)
  return binding([...needsOf(sizing, busyHour), ...needsOf(sizing, campaign)])
}

const FIFTH = 0.2

/** From the input that matters most to the one that matters least; the sessions' places are those of the plan as it is. */
export function sensitivityOf(sizing: Sizing): PlanSensitivityRow[] {
  const at = (plan: PlanFile): PlanSensitivityRow['less'] => {
    const { nodes, exactNodes } = needed({ ...sizing, plan })
    return { nodes: finite(nodes), exactNodes: finite(exactNodes) }
  }
  const rows = INPUTS.map(({ input, words, scaled }) => ({ input, words, less: at(scaled(sizing.plan, 1 - FIFTH)), more: at(scaled(sizing.plan, 1 + FIFTH)) }))
  // What costs the most of all: measured, and as much an input as the others.
  const cost = (by: number): PlanSensitivityRow['less'] => {
    const { nodes, exactNodes } = needed({ ...sizing, limits: { ...sizing.limits, cores: sizing.limits.cores / by } })
    return { nodes: finite(nodes), exactNodes: finite(exactNodes) }
  }
  rows.push({ input: 'measured: processor time', words: 'processor time per push and registration', less: cost(1 - FIFTH), more: cost(1 + FIFTH) })
  const influence = ({ less, more }: PlanSensitivityRow): number => Math.abs(more.exactNodes - less.exactNodes)
  return rows.sort((a, b) => influence(b) - influence(a))
}

/** Counts in a record are finite. */
const ENDLESS = 1_000_000_000
function finite(value: number): number {
  return Math.min(value, ENDLESS)
}

/** Steps up to twice the subscribers planned for, at most this many. */
const STEPS_MAX = 24
const BEYOND = 2

/** @param known whether a plan of so many subscribers stays within what was measured */
export function staircaseOf(sizing: Sizing, known: (plan: PlanFile) => boolean): PlanStepRow[] {
  const { plan } = sizing
  const nodesFor = (subscribers: number): Need => needed({ ...sizing, plan: { ...plan, subscribers } })
  const top = nodesFor(BEYOND * plan.subscribers)
  if (!Number.isFinite(top.exactNodes)) return []
  const steps: PlanStepRow[] = []
  const stride = Math.max(1, Math.ceil(top.nodes / STEPS_MAX))
  for (let nodes = stride; nodes < top.nodes + stride; nodes += stride) {
    let [low, high] = [0, BEYOND * plan.subscribers]
    if (nodesFor(high).nodes <= nodes) low = high
    while (high - low > Math.max(1, plan.subscribers / 1e6)) {
      const middle = Math.floor((low + high) / 2)
      if (nodesFor(middle).nodes <= nodes) low = middle
      else high = middle
    }
    const subscribers = Math.floor(low)
    if (subscribers === 0) continue
    steps.push({
      subscribers, nodes, withSpares: nodes + sparesFor(nodes, plan.availability.node, plan.availability.target), constraint: nodesFor(subscribers).name,
      extrapolated: !known({ ...plan, subscribers }),
    })
  }
  return steps
}
