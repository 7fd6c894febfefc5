/**
 * What a planner says of the network to be: one schema with a default for every key, as a scenario has one for a run. Knows what may
 * be asked, not what follows from it.
 */
import { JSONSchema, Schema } from 'effect'
import { Duration, Rate, Share, Size, formatShare } from '../../core/live/units.js'
import { between, countBetween, key } from '../schema-key.js'
import { commentedYaml, type SchemaNode } from '../scenario-template.js'

const positive = <Quantity extends Schema.Schema<number, string>>(quantity: Quantity) => quantity.pipe(Schema.filter((value) => value > 0 || 'give more than nothing'))

const Devices = Schema.Struct({
  each: key(between(1, 9), 1.2, 'Devices of a subscriber, on average.'),
  registered: key(Share, '80%', 'Share of the devices that are registered in the busy hour.'),
  interval: key(positive(Duration), '1h', 'From one registration of a device to its next.'),
  changes: key(between(0, 1_000), 4, 'How often a subscriber’s device goes off or on in a day.'),
})

const Campaign = Schema.Struct({
  recipients: key(Share, '20%', 'Share of the subscribers who get the one content; 0% for a network without campaigns.'),
  window: key(positive(Duration), '1h', 'Within which all of them are pushed to, in the busy hour.'),
})

const Content = Schema.Struct({ size: Size, share: Share })

const Roaming = Schema.Struct({
  share: key(Share, '5%', 'Share of the pushes whose recipient is in a visited network.'),
  roundTrip: key(Duration, '200ms', 'Between the gateway and a terminal there.'),
  homeRoundTrip: key(Duration, '50ms', 'Between the gateway and a terminal at home.'),
})

const Offline = Schema.Struct({
  share: key(Share, '20%', 'Share of the pushes whose recipient has no device registered.'),
  absence: key(Duration, '8h', 'Mean time from such a push to the recipient’s return.'),
  times: key(Schema.Literal('exponential', 'constant'), 'exponential', 'How that time varies.'),
  lifetime: key(Duration, '24h', 'After which a push that waits expires (deliver-before).'),
  overhead: key(Size, '2KiB', 'What a waiting push takes in the store besides its content.'),
})

const Retries = Schema.Struct({
  share: key(Share, '2%', 'Share of the pushes whose first attempt fails.'),
  attempts: key(between(0, 100), 1, 'Further attempts of such a push, on average; each is reckoned as a whole push.'),
})

const Sessions = Schema.Struct({
  from: key(Size, '1301B', 'Contents of this size and more go in an MSRP session.'),
  keep: key(Duration, '30s', 'How long a session is kept idle for the next push to its device.'),
  blocking: key(positive(Share), '0.1%', 'Share of the session pushes that may find no session free.'),
})

const Objective = Schema.Struct({
  inadequatelyHandled: key(Share, '0.1%', 'Highest share of pushes that fail or come late; a capacity that was measured for a looser one is not used.'),
  delay: key(positive(Duration), '1s', 'The 99th percentile from planned time to the content at the terminal.'),
})

const Availability = Schema.Struct({
  target: key(Share, '99.99%', 'Share of the time in which enough nodes must be up.'),
  node: key(positive(Share), '99.5%', 'Share of the time in which one node is up.'),
})

const Node = Schema.Struct({
  load: key(positive(Share), '80%', 'Share of what a node can bear that is planned to be used of it.'),
  busy: key(positive(Share), '60%', 'Where no capacity was measured: the share of one processor up to which a node is taken to keep the objective.'),
  memory: key(Size, '4096MiB', 'Memory of a node.'),
  sockets: key(countBetween(1, 10_000_000), 50_000, 'Connections a node can hold: ports and file descriptors.'),
  bandwidth: key(Size, '120MiB', 'Octets in a second, both ways together.'),
  disk: key(Size, '102400MiB', 'For the store of pushes that wait.'),
  price: key(between(0, 1_000_000), 0.1, 'Of one node for one hour, in any currency.'),
})

export const PlanFile = Schema.Struct({
  $schema: Schema.optional(Schema.String.annotations({ description: 'Where editors find the JSON Schema.' })),
  name: key(Schema.String.pipe(Schema.pattern(/^[a-z0-9][a-z0-9-]{0,63}$/, { message: () => 'a name is lower-case letters, digits and hyphens' })), 'plan', 'Names the plan’s folder.'),
  subscribers: key(countBetween(1, 10_000_000_000), 1_000_000, 'How many there are.'),
  pushes: key(between(0, 3_600), 2, 'Pushes to each subscriber in the busy hour, on average.'),
  devices: key(Devices, {}, 'What subscribers have.'),
  campaign: key(Campaign, {}, 'One content to many, on top of the busy hour.'),
  contents: key(Schema.Array(Content).pipe(Schema.minItems(1)), [{ size: '300B', share: '90%' }, { size: '4KiB', share: '10%' }], 'Sizes of the contents, with the share of the pushes each has.'),
  roaming: key(Roaming, {}, 'Where subscribers are, and how far away that is.'),
  offline: key(Offline, {}, 'Recipients who are away.'),
  retries: key(Retries, {}, 'What does not succeed at once.'),
  sessions: key(Sessions, {}, 'Session mode.'),
  objective: key(Objective, {}, 'What the network must keep to.'),
  availability: key(Availability, {}, 'How many spare nodes there are; one at least.'),
  node: key(Node, {}, 'What a gateway node has: a process that keeps one processor busy, its store and its sockets.'),
  scaling: key(Schema.Array(Schema.Struct({ nodes: countBetween(1, 100_000), rate: Rate })), [],
    'What so many nodes bore together, where that was measured, as { nodes: 2, rate: 3000/s }; three or more make a scalability law. Without, nodes share nothing.'),
}).annotations({ identifier: 'Plan', title: 'A pushbench plan' })
export type PlanFile = typeof PlanFile.Type

/** The plan file that also keeps the rules between its keys. */
export const CheckedPlanFile = PlanFile.pipe(Schema.filter((plan) => brokenRules(plan)))

function brokenRules({ contents, campaign, pushes, scaling, availability }: PlanFile): { readonly path: readonly string[]; readonly message: string }[] {
  const broken: { path: string[]; message: string }[] = []
  const total = contents.reduce((sum, { share }) => sum + share, 0)
  if (Math.abs(total - 1) > 1e-6) broken.push({ path: ['contents'], message: `the shares add up to ${formatShare(Math.round(total * 1e6) / 1e6)}; they must add up to 100%` })
  if (pushes === 0 && campaign.recipients === 0) broken.push({ path: ['pushes'], message: 'without pushes and campaigns there is nothing to plan' })
  if (availability.target === 1 && availability.node < 1) broken.push({ path: ['availability', 'target'], message: 'no number of nodes that fail is enough all of the time; give less than 100%' })
  const different = new Set(scaling.map(({ nodes }) => nodes)).size
  if (scaling.length > 0 && different < 3) broken.push({ path: ['scaling'], message: `a scalability law needs 3 different numbers of nodes; there are ${different}` })
  if (scaling.some(({ rate }) => rate <= 0)) broken.push({ path: ['scaling'], message: 'every rate must be above 0' })
  return broken
}

export const encodePlanFile: (plan: PlanFile) => typeof PlanFile.Encoded = Schema.encodeSync(PlanFile)
export const DEFAULT_PLAN: PlanFile = Schema.decodeSync(PlanFile)({})

/** A plan file to start from: every key with its default and what it means, as YAML text. */
export function planTemplate(): string {
  const schema = JSONSchema.make(PlanFile) as unknown as { readonly $defs: { readonly Plan: SchemaNode } }
  const head = ['# What a network is to carry. Every key may be left out; the values here are the defaults.', '# "pushbench plan <this file> --measure" measures this machine and says what is needed.']
  return `${[...head, ...commentedYaml(encodePlanFile(DEFAULT_PLAN), schema.$defs.Plan, '')].join('\n')}\n`
}
