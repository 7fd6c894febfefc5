/**
 * The terminals of one fleet and how they are found: by their place in the population, by subscriber, in order. Built
 * once from the population; never changes.
 */
import { acceptedTypes } from './applications.js'
import { bodyTypes } from './capabilities.js'
import { Usim } from '../../core/sip/aka.js'
import type { FleetSettings } from './fleet-contract.js'
import { sharedSlots } from './fleet-flows.js'
import { DEVICES_MAX, SUBSCRIBER_CLASSES, type Population, type SubscriberClass } from './population.js'
import { FurtherFlow, Terminal, type TerminalGroup } from './terminal.js'
import type { FlowRegistration } from './flow-registration.js'

export class Roster {
  readonly terminals: readonly Terminal[]
  readonly groups: Readonly<Record<SubscriberClass, TerminalGroup>>
  /** Where the terminals of the shard's n-th subscriber begin; one entry more than there are subscribers. */
  private readonly first: Uint32Array
  private readonly shard: FleetSettings['shard']

  /** Those with a connection of their own, in the order of their flow slots. */
  readonly owners: readonly FlowRegistration[]

  /** Throws a RangeError when the population knows a network that the settings do not. */
  constructor(population: Population, settings: Pick<FleetSettings, 'shard' | 'transport' | 'connections' | 'visited' | 'flows'>) {
    const { shard } = settings
    const each = sharedSlots(settings)
    const owners: FlowRegistration[] = []
    const isDatagram = settings.transport === 'udp'
    const visited = settings.visited ?? []
    const ownFrom = each * (1 + visited.length)
    const end = population.range('reference').from
    const terminals: Terminal[] = []
    this.shard = shard
    this.groups = Object.fromEntries(SUBSCRIBER_CLASSES.map((name) => [name, { devices: 0, received: 0, repeats: 0, refused: 0, rejectedByCheck: 0 }])) as Record<SubscriberClass, TerminalGroup>
    this.first = new Uint32Array(Math.max(0, Math.ceil((end - shard.index) / shard.count)) + 1)
    for (let index = shard.index, row = 0; index < end; index += shard.count, row++) {
      const subscriber = population.subscriber(index)
      const group = this.groups[subscriber.class]
      group.devices += subscriber.devices.length
      const network = networkNumber(visited, population.access.networkOf(index))
      const keys = population.access.usim(index)
      for (const device of subscriber.devices) {
        const terminal = new Terminal(device, acceptedTypes(device.applications, bodyTypes(device.capabilities)), network * each + (isDatagram ? 0 : terminals.length % each), group)
        terminal.network = network
        if (population.access.hasOwnConnection(index, device.ordinal)) terminal.further = furtherFlows(terminal, settings.flows ?? 1)
        if (keys !== undefined) terminal.usim = new Usim(keys, population.access.usimBegins(index))
        if (terminal.further !== undefined && !isDatagram) for (const flow of [terminal, ...terminal.further]) flow.flowSlot = ownFrom + owners.push(flow) - 1
        terminals.push(terminal)
      }
      this.first[row + 1] = terminals.length
    }
    this.terminals = terminals
    this.owners = owners
  }

  /** `place` as `placeOfContact` reads it; undefined for a device that is not here. */
  at(place: number): Terminal | undefined {
    const ordinal = place % DEVICES_MAX
    const row = this.rowOf((place - ordinal) / DEVICES_MAX)
    if (row < 0) return undefined
    const index = this.first[row]! + ordinal
    return index < this.first[row + 1]! ? this.terminals[index] : undefined
  }

  ofSubscriber(subscriber: number): readonly Terminal[] {
    const row = this.rowOf(subscriber)
    return row < 0 ? [] : this.terminals.slice(this.first[row], this.first[row + 1])
  }

  private rowOf(subscriber: number): number {
    const row = (subscriber - this.shard.index) / this.shard.count
    return Number.isInteger(row) && row >= 0 && row < this.first.length - 1 ? row : -1
  }
}

const NO_FURTHER_FLOWS: readonly FurtherFlow[] = []

/** Over UDP they are the shared slots behind that of the first. */
function furtherFlows(terminal: Terminal, flows: number): readonly FurtherFlow[] {
  return flows === 1 ? NO_FURTHER_FLOWS : Array.from({ length: flows - 1 }, (_, index) => new FurtherFlow(terminal, index + 2, terminal.flowSlot + index + 1))
}

/** 0 is home. */
export function networkNumber(visited: NonNullable<FleetSettings['visited']>, id: string | undefined): number {
  const index = id === undefined ? 0 : visited.findIndex((network) => network.id === id) + 1
  if (id !== undefined && index === 0) throw new RangeError(`nobody told these terminals where the P-CSCF of the network ${id} is`)
  return index
}
