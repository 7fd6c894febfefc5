/**
 * The whole workbench in virtual time: the gateway, the IMS core and a fleet of terminals, the very machines that run
 * live, with initiators as actors, over modelled links and a modelled disk. One seed gives one history.
 * Knows how the parts are joined; what each does is theirs, and what a run meant is judged from the journals.
 */
import type { SubscriberDirectory } from '../ims/subscribers.js'
import type { Crypto } from '../../core/kit/crypto.js'
import { SeededEntropy } from '../../core/kit/entropy.js'
import type { JournalEvent } from '../../core/kit/journal.js'
import type { Tick } from '../../core/kit/machine.js'
import type { NetworkIn } from '../../core/kit/network.js'
import type { Micros, Now, WallMillis } from '../../core/kit/time.js'
import { bug } from '../../core/kit/assert.js'
import type { GatewayIn, GatewayOut } from '../../core/push/contract.js'
import { Gateway } from '../../core/push/gateway.js'
import { DEFAULT_SETTINGS, type GatewaySettings } from '../../core/push/settings.js'
import { ImsCore, type ImsIn, type ImsOut } from '../ims/ims.js'
import { defaultImsSettings } from '../ims/settings.js'
import type { SipTimerValues } from '../../core/sip/endpoint-contract.js'
import { linkOf, type AccessProfile, type LinkProfile } from '../network/link.js'
import { PopulationDirectory } from '../terminal/directory.js'
import type { FleetIn, FleetOut, Settled } from '../terminal/fleet-contract.js'
import { Fleet } from '../terminal/fleet.js'
import { BACKOFF } from '../terminal/flow-registration.js'
import { Population, type PopulationSettings } from '../terminal/population.js'
import { Initiators, type HttpWay, type PlannedSubmission } from './initiators.js'
import { WorldNetwork, type NetworkOptions } from './network.js'
import { WorldStore } from './store.js'
import { World, type WorldNode } from './world.js'

export type PartName = 'initiator' | 'gateway' | 'ims' | 'terminals'

export interface PushWorldOptions {
  readonly seed: number
  readonly startWall: WallMillis
  readonly crypto: Crypto
  readonly population: PopulationSettings
  readonly transport: 'udp' | 'tcp'
  /** Visited networks by name, and the access to each of them; none when absent. */
  readonly visited?: readonly { readonly id: string; readonly access: AccessProfile }[]
  /** SIP timers between terminals and P-CSCFs; RFC 3261's when absent. */
  readonly timers?: SipTimerValues
  /** Terminals to the home network's P-CSCF and back. */
  readonly access: LinkProfile
  /** Gateway to core network and back, and initiators to gateway. */
  readonly core: LinkProfile
  readonly flushMicros: Micros | (() => Micros)
  /** Which subscribers live here, where several worlds share a population: `index`, `index + count`, ...; all of them when absent. */
  readonly shard?: { readonly index: number; readonly count: number }
  /** `messages`: SIP messages and PAP documents cross as they are, which says the same and costs less; octets when absent. */
  readonly carriage?: 'octets' | 'messages'
  /** Time a whole message takes besides its link's. */
  readonly delay?: NetworkOptions['delay']
  /** What one way between initiators and gateway takes besides the core link's delay. */
  readonly httpMicros?: (way: HttpWay, pushId: string) => Micros
  /** Who is subscribed, where that changes with time; the whole population when absent. */
  readonly directory?: (population: Population, now: () => Now) => SubscriberDirectory
  /** Whether every input is folded into the world's trace; true when absent. */
  readonly isTraced?: boolean
  /** What an input costs each part's processor that begins with it now, microseconds. */
  readonly service: {
    readonly gateway: (input: GatewayIn, now: Micros) => Micros
    readonly ims: (input: ImsIn, now: Micros) => Micros
    readonly terminals: (input: FleetIn, now: Micros) => Micros
  }
  readonly gateway?: Partial<GatewaySettings>
  /** What the core network bears of requests that are no REGISTER, a second; all it can when absent. */
  readonly coreCapacity?: number
  /** Takes each journal event in the order of time. */
  readonly journal: (part: PartName, event: JournalEvent) => void
}

export type { PlannedSubmission }

const GATEWAY = { address: '192.0.2.10', port: 5060 }
const CORE = '192.0.2.20'
const FLEET = { address: '192.0.2.30', port: 5060 }
const PORTS = { pcscf: 5060, icscf: 5070, scscf: 5080, core: 5061 }

/** Where the core has the P-CSCF of a visited network. */
function portsOfVisited(index: number): { readonly pcscf: number; readonly core: number } {
  return { pcscf: 5_160 + 10 * index, core: 5_161 + 10 * index }
}

export class PushWorld {
  readonly world: World
  readonly population: Population
  readonly ims: ImsCore
  readonly fleet: Fleet
  readonly gatewayNode: WorldNode<Exclude<GatewayIn, Tick>, GatewayOut>
  readonly fleetNode: WorldNode<Exclude<FleetIn, Tick>, FleetOut>
  readonly imsNode: WorldNode<Exclude<ImsIn, Tick>, ImsOut>
  readonly network: WorldNetwork
  readonly store: WorldStore
  gateway: Gateway
  private readonly entropy: SeededEntropy
  private readonly initiators: Initiators
  /** How far the registration that was begun last came; undefined until it has settled. */
  settled: Settled | undefined
  private hasDrained = false
  private births = 0

  constructor(private readonly options: PushWorldOptions) {
    this.entropy = new SeededEntropy(options.seed)
    this.world = new World(options.startWall, options.isTraced)
    this.population = new Population(options.population)
    const visitedLinks = new Map(options.visited?.map(({ access }, index) => [portsOfVisited(index).pcscf, linkOf(access)]))
    this.network = new WorldNetwork(this.world, this.entropy.fork('network'), (from, to, _at, ends) => {
      if (from !== 'terminals' && to !== 'terminals') return options.core
      const { port } = from === 'terminals' ? ends.to : ends.from
      return visitedLinks.get(port) ?? options.access
    }, { carriesMessages: options.carriage === 'messages', ...(options.delay === undefined ? {} : { delay: options.delay }) })
    this.gateway = this.newGateway()
    this.gatewayNode = this.world.node({ name: 'gateway', machine: this.gateway, serviceMicros: options.service.gateway, output: (now, output) => this.gatewayOutput(now, output) })
    this.store = new WorldStore(this.world, { flushMicros: options.flushMicros, give: (input) => this.gatewayNode.give(input) })
    this.ims = this.newIms()
    this.imsNode = this.world.node({ name: 'ims', machine: this.ims, serviceMicros: options.service.ims, output: (now, output) => this.partOutput(now, 'ims', this.imsNode, output) })
    this.fleet = new Fleet({
      shard: options.shard ?? { index: 0, count: 1 }, proxy: { address: CORE, port: PORTS.pcscf }, transport: options.transport, connections: 2, backoff: BACKOFF,
      visited: (options.visited ?? []).map(({ id }, index) => ({ id, proxy: { address: CORE, port: portsOfVisited(index).pcscf } })),
      ...(options.timers === undefined ? {} : { timers: options.timers }),
    }, this.population, this.entropy.fork('fleet'), options.crypto)
    this.fleetNode = this.world.node({ name: 'terminals', machine: this.fleet, serviceMicros: options.service.terminals, output: (now, output) => this.fleetOutput(now, output) })
    this.initiators = new Initiators({
      overHttp: (now, way, pushId, act) => {
        this.world.at(now.mono + options.core.delayMicros + (options.httpMicros?.(way, pushId) ?? 0), { happen: act })
      },
      gatewayAlive: () => this.gatewayNode.alive,
      toGateway: (input) => this.gatewayNode.give(input),
      journal: (now, event, pushId, address, details) => this.journal(now, 'initiator', event, pushId, address, details),
    })
    this.connectAll()
  }

  /** Registers the population and returns how far that came; time passes by as much as it takes, at most `withinMicros`. */
  register(perSecond: number, withinMicros: Micros): Settled | undefined {
    this.beginRegistering(perSecond, withinMicros)
    this.world.run(this.world.now.mono + withinMicros, () => this.settled !== undefined)
    return this.settled
  }

  /** Begins to register the population; `settled` tells when it is done. */
  beginRegistering(perSecond: number, withinMicros: Micros): void {
    this.settled = undefined
    this.fleetNode.give({ type: 'register', ticket: 1, perSecond, withinMicros })
  }

  /** An initiator submits at `at`. */
  submit(at: Micros, submission: PlannedSubmission): void {
    this.world.at(at, { happen: (now) => this.initiators.submit(now, submission) })
  }

  /** An initiator submits now. */
  submitNow(submission: PlannedSubmission): void {
    this.initiators.submit(this.world.now, submission)
  }

  /** Stops the gateway cleanly: its journal is told of what it holds without an outcome. False when that took longer than `withinMicros`. */
  drain(withinMicros: Micros): boolean {
    this.hasDrained = false
    this.gatewayNode.give({ type: 'drain' })
    this.world.run(this.world.now.mono + withinMicros, () => this.hasDrained)
    return this.hasDrained
  }

  /** The gateway's process dies at `at`, loses what was not flushed, and a new one starts on the same store `downMicros` later. */
  crashGateway(at: Micros, downMicros: Micros): void {
    this.world.at(at, { happen: (now) => {
      this.gatewayNode.crash()
      this.network.vanish(now, this.gatewayNode)
      this.store.crash()
      this.initiators.cutOff(now)
      this.world.at(now.mono + downMicros, { happen: () => {
        this.gateway = this.newGateway()
        this.gatewayNode.restart(this.gateway)
        this.network.listen(this.gatewayNode, 'tcp', GATEWAY)
      } })
    } })
  }

  run(until: Micros): void {
    this.world.run(until)
  }

  private connectAll(): void {
    const { network } = this
    network.attach(this.gatewayNode, GATEWAY.address)
    network.attach(this.imsNode, CORE)
    network.attach(this.fleetNode, FLEET.address)
    network.listen(this.gatewayNode, 'tcp', GATEWAY)
    for (const port of [PORTS.pcscf, PORTS.icscf, PORTS.scscf, ...(this.options.visited ?? []).map((_network, index) => portsOfVisited(index).pcscf)]) {
      network.listen(this.imsNode, 'udp', { address: CORE, port })
      network.listen(this.imsNode, 'tcp', { address: CORE, port })
    }
    if (this.options.transport === 'udp') network.listen(this.fleetNode, 'udp', FLEET)
    for (const node of [this.gatewayNode, this.imsNode, this.fleetNode]) node.give({ type: 'tick' })
  }

  private newGateway(): Gateway {
    const { domain } = this.options.population.identity
    return new Gateway({
      ...(this.options.carriage === 'messages' ? { documents: 'unwritten' } : {}),
      entropy: this.entropy.fork(`gateway ${this.births++}`),
      crypto: this.options.crypto,
      settings: {
        ...DEFAULT_SETTINGS,
        senderAddress: 'http://ppg.example/pap',
        identityRules: [],
        sipDomains: [domain],
        nextHops: [{ transport: 'tcp', address: CORE, port: PORTS.icscf }],
        trustedPeers: [CORE],
        sipAddress: `${GATEWAY.address}:${GATEWAY.port}`,
        msrpAddress: `${GATEWAY.address}:2855`,
        identity: 'sip:push@ppg.example',
        ...this.options.gateway,
      },
    })
  }

  private newIms(): ImsCore {
    const settings = defaultImsSettings(this.options.population.identity.domain, PORTS)
    const at = (port: number) => ({ address: CORE, port })
    const timers = this.options.timers === undefined ? {} : { accessTimers: this.options.timers }
    return new ImsCore({
      ...settings,
      pcscf: { ...settings.pcscf, listen: at(PORTS.pcscf), core: at(PORTS.core), ...timers },
      visited: (this.options.visited ?? []).map(({ id }, index) => ({
        name: `pcscf.${id}`, listen: at(portsOfVisited(index).pcscf), furtherPorts: [], core: at(portsOfVisited(index).core), visitedNetworkId: id, ...timers,
      })),
      ...(this.options.coreCapacity === undefined ? {} : { limits: { ...settings.limits, capacityPerSecond: this.options.coreCapacity } }),
      icscf: { ...settings.icscf, listen: at(PORTS.icscf) },
      scscf: { ...settings.scscf, listen: at(PORTS.scscf) },
      filterCriteria: [{
        priority: 0,
        groups: [[{ type: 'method', method: 'REGISTER' }]],
        server: { uri: `sip:${GATEWAY.address}:${GATEWAY.port};transport=tcp`, hop: { transport: 'tcp', ...GATEWAY }, defaultHandling: 'continue', includeRegisterRequest: true, includeRegisterResponse: true },
      }],
    }, this.options.directory?.(this.population, () => this.world.now) ?? new PopulationDirectory(this.population), this.entropy.fork('ims'), this.options.crypto)
  }

  private gatewayOutput(now: Now, output: GatewayOut): void {
    switch (output.type) {
      case 'commit':
      case 'read':
      case 'scan':
        return this.store.output(now, output)
      case 'pap-reply':
        return this.initiators.replied(now, output)
      case 'notify':
        return this.initiators.notified(now, output)
      case 'content-read':
      case 'content-delete':
      case 'content-reply':
        return bug('no push of this world has a content that lies in a file or is fetched')
      case 'drained':
        this.hasDrained = true
        return
      default:
        this.partOutput(now, 'gateway', this.gatewayNode, output)
    }
  }

  private fleetOutput(now: Now, output: FleetOut): void {
    if (output.type === 'settled') this.settled = output
    else if (output.type === 'fetch') bug('no push of this world has a content that is fetched')
    else this.partOutput(now, 'terminals', this.fleetNode, output)
  }

  private partOutput(now: Now, part: PartName, node: { readonly name: string; readonly alive: boolean; give(input: NetworkIn): void }, output: Exclude<ImsOut, Tick>): void {
    if (output.type === 'journal') this.journal(now, part, output.event, output.pushId, output.address, output.details)
    else this.network.output(now, node, output)
  }

  private journal(now: Now, part: PartName, event: JournalEvent['event'], pushId: string, address: string, details: readonly string[]): void {
    this.options.journal(part, { mono: now.mono, event, pushId, address, details })
  }
}
