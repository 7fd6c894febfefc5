/**
 * One shard of a simulated day: a gateway node with its core network, its subscribers and its initiators, in virtual time. The
 * population registers, the load runs, what is under way ends, and the books are closed. The shards of one day share seed,
 * population and plan, and each takes what concerns its own subscribers. Told when to go on; knows no clock, thread or file.
 */
import type { Crypto } from '../../core/kit/crypto.js'
import { SeededEntropy } from '../../core/kit/entropy.js'
import { MICROS_PER_MILLI, MICROS_PER_SECOND, type Micros, type WallMillis } from '../../core/kit/time.js'
import { PopulationDirectory } from '../../sim/terminal/directory.js'
import type { PopulationSettings } from '../../sim/terminal/population.js'
import { linkOf } from '../../sim/network/link.js'
import { Churn, ChurningDirectory } from '../../sim/world/churn.js'
import { worldDigests } from '../../sim/world/digests.js'
import { PushWorld, type PushWorldOptions } from '../../sim/world/push-world.js'
import { DEFAULT_SELECTION } from '../../core/push/bindings/selection-settings.js'
import { schedule } from '../pacing.js'
import { curveOf } from '../load-shape.js'
import type { SampleSink } from '../reconcile/measures.js'
import { Presence } from '../reconcile/reconciler.js'
import { ROWS, type RowName, type Scenario } from '../scenario.js'
import { SubmissionTemplate } from '../submission.js'
import { TrafficPlan, lifetimesOf, sharesOf, type AddressPool, type Recipients } from '../traffic.js'
import { Accounts, type JournalPart } from './accounts.js'
import type { JournalEvent } from '../../core/kit/journal.js'
import type { Totals } from './totals.js'

export interface DayOptions {
  readonly scenario: Scenario
  readonly population: PopulationSettings
  /** The pools the traffic set aims at, with the subscribers behind the addresses. */
  readonly recipients: Readonly<Record<keyof Recipients, AddressPool & { subscriber(index: number): number }>>
  readonly shard: { readonly index: number; readonly count: number }
  /** Midnight at which the load begins. */
  readonly startWall: WallMillis
  /** Its ciphers are used, and cheaper digests than its own. */
  readonly crypto: Crypto
  readonly service: PushWorldOptions['service']
  readonly flushMicros: PushWorldOptions['flushMicros']
  readonly carriage: 'octets' | 'messages'
  readonly delays?: Pick<PushWorldOptions, 'delay' | 'httpMicros'>
  /** Delay of the core network's links. */
  readonly coreMicros: Micros
  readonly sink: SampleSink
  readonly bindingSink: (binding: string, micros: Micros) => void
  /** Takes each journal event besides the books; absent: nobody. */
  readonly journal?: (part: JournalPart, event: JournalEvent) => void
  readonly isTraced?: boolean
}

/** Pieces of the result over time: seconds up to an hour, then hours. */
export function intervalSecondsOf({ duration }: { readonly duration: Micros }): number {
  return duration > HOUR_MICROS ? 3_600 : 1
}

export interface Progress {
  readonly phase: 'register' | 'load' | 'drain' | 'over'
  /** Of the load, from its begin. */
  readonly micros: Micros
  readonly registered: number
  readonly planned: number
  readonly delivered: number
  readonly inFlight: number
}

const PARTS = ['gateway', 'ims', 'terminals'] as const
type Part = (typeof PARTS)[number]
/** Looks at nodes and gateway over the window. */
const SAMPLES = 288
const HOUR_MICROS: Micros = 3_600 * MICROS_PER_SECOND
/** Attempts between two looks at which books can be closed. */
const CLOSING_EVERY = 4_096
const DRAIN_MICROS: Micros = 300 * MICROS_PER_SECOND
/** From midnight to the first attempt at the earliest: what registering leaves under way ends first. */
const SETTLE_MICROS: Micros = 5 * MICROS_PER_SECOND
const NOTIFY_URL = 'http://initiator.example/notifications'
const NO_OCTETS = Buffer.alloc(0)

export class Day {
  readonly world: PushWorld
  private readonly plan: TrafficPlan
  private readonly offsets: Float64Array
  private readonly own: Uint32Array
  private readonly templates: Readonly<Record<'plain' | 'expiring', SubmissionTemplate>>
  private readonly churn: Churn
  private readonly totalMicros: Micros
  private readonly presence = new Presence()
  private accounts: Accounts | undefined
  private phase: Progress['phase'] = 'register'
  private beginsAt: Micros = 0
  private cursor = 0
  private hasAsked = false
  private stopped = false
  /** Devices that were to register, and did. */
  readonly registered = { wanted: 0, done: 0 }
  /** Recipients the gateway held, at equal steps through the window. */
  readonly heldSamples: number[] = []
  /** Of each node: what it had served at the last sample, and its highest busy share between two. */
  private readonly watched = Object.fromEntries(PARTS.map((part) => [part, { served: 0, busiest: 0 }])) as Record<Part, { served: Micros; busiest: number }>
  private endedAt: Micros = Infinity

  constructor(private readonly options: DayOptions) {
    const { scenario, shard } = options
    const { load, push, traffic, virtual, seed } = scenario
    this.totalMicros = load.warmUp + load.duration
    this.churn = new Churn(seed, virtual.churn, this.totalMicros)
    this.world = new PushWorld({
      seed: seed + shard.index, startWall: options.startWall, crypto: worldDigests(options.crypto), population: options.population, transport: scenario.terminals.transport === 'udp' ? 'udp' : 'tcp',
      access: linkOf({ rttMicros: virtual.accessRtt + 2 * options.coreMicros, jitterMicros: 0, lossShare: 0 }),
      core: { delayMicros: options.coreMicros, jitterMicros: 0, lossShare: 0, duplicateShare: 0 },
      ...(scenario.ims.capacity === 0 ? {} : { coreCapacity: scenario.ims.capacity }),
      flushMicros: options.flushMicros, shard, carriage: options.carriage, service: options.service, isTraced: options.isTraced ?? false, ...options.delays,
      // What waits for devices that are away is no overload here; the cap of a live run is about its own memory.
      gateway: { heldMax: Number.MAX_SAFE_INTEGER, inFlightMax: scenario.gateway.inFlightMax, selection: { ...DEFAULT_SELECTION, devices: scenario.gateway.devices } },
      directory: (population, now) => {
        const all = new PopulationDirectory(population)
        return virtual.churn === 0 ? all : new ChurningDirectory(all, this.churn, (impu) => population.indexOf(impu), () => now().mono)
      },
      journal: (part, event) => this.journalled(part, event),
    })
    const entropy = new SeededEntropy(seed, 'load')
    // Nothing here has to be compiled first, and a node whose service times are those of its own rate may be swamped by a faster one.
    const curve = curveOf({ ...scenario, load: { ...load, warmUpRate: 0 } }, entropy.fork('bursts'))
    this.offsets = schedule(load.arrival, curve, entropy.fork('arrivals'))
    this.plan = new TrafficPlan(this.offsets, sharesOf(traffic), options.recipients, entropy.fork('traffic'), scenario.name, { inARow: scenario.push.inARow })
    this.own = this.ownAttempts()
    const url = push.notifications ? NOTIFY_URL : undefined
    this.templates = { plain: new SubmissionTemplate(push, url, false), expiring: new SubmissionTemplate(push, url, true) }
  }

  /** Attempts of this shard. */
  get attempts(): number {
    return this.own.length
  }

  /** Lets about so much virtual time pass, less where a phase ends. Returns how far it came. */
  advance(micros: Micros): Progress {
    if (this.phase === 'register') this.register(micros)
    else if (this.phase === 'load') this.load(micros)
    else if (this.phase === 'drain') this.drain()
    return this.progress()
  }

  /** Plans nothing more: the next `advance` drains, and the one after that is over. */
  stop(): void {
    this.stopped = true
  }

  /** The measured window, mono of this world. */
  get window(): { readonly from: Micros; readonly to: Micros } {
    const from = this.beginsAt + this.options.scenario.load.warmUp
    return { from, to: from + this.options.scenario.load.duration }
  }

  /** Load that was offered. */
  get loadMicros(): Micros {
    return Math.max(0, Math.min(this.endedAt, this.world.world.now.mono) - this.beginsAt)
  }

  /** How busy the nodes were, in virtual time. */
  use(): Record<Part, { readonly busySeconds: number; readonly busiest: number }> {
    return Object.fromEntries(PARTS.map((part) => [part, { busySeconds: this.nodeOf(part).servedMicros / MICROS_PER_SECOND, busiest: this.watched[part].busiest }])) as ReturnType<Day['use']>
  }

  /** Closes the books; once, when it is over. */
  totals(): Totals {
    return this.accounts!.end()
  }

  private progress(): Progress {
    const { gateway, fleet, world } = this.world
    return {
      phase: this.phase,
      micros: Math.max(0, Math.min(this.totalMicros, world.now.mono - this.beginsAt)),
      registered: fleet.counters.registered,
      planned: this.cursor,
      delivered: gateway.counters.delivered,
      inFlight: gateway.counters.inFlight,
    }
  }

  private register(micros: Micros): void {
    const { scenario } = this.options
    const perSecond = scenario.terminals.registrationRate
    const withinMicros = Math.round(60 * MICROS_PER_SECOND + 2 * MICROS_PER_SECOND * this.world.population.size / perSecond)
    const { world } = this.world
    if (!this.hasAsked) this.world.beginRegistering(perSecond, withinMicros)
    this.hasAsked = true
    world.run(world.now.mono + micros, () => this.world.settled !== undefined)
    const { settled } = this.world
    if (settled === undefined && !this.stopped) return
    if (settled !== undefined) {
      // Who is not subscribed yet was refused, as he has to be.
      this.registered.wanted = settled.wanted - (scenario.virtual.churn > 0 ? settled.refused : 0)
      this.registered.done = settled.done
    }
    this.begin(world.now.mono + SETTLE_MICROS)
  }

  private begin(at: Micros): void {
    const { scenario: { load, push, traffic, name } } = this.options
    this.beginsAt = at
    this.churn.begin(at)
    this.accounts = new Accounts(this.presence, {
      pushIdPrefix: `${name}-`, window: this.window, intervalMicros: intervalSecondsOf(load) * MICROS_PER_SECOND, notifies: push.notifications,
      limits: Object.fromEntries(ROWS.map((row) => [row, traffic[row].delayLimit])) as Record<RowName, Micros>,
      sink: this.options.sink, bindingSink: this.options.bindingSink,
    })
    this.planMoves()
    this.planNext()
    this.planSample(1)
    this.phase = 'load'
  }

  private load(micros: Micros): void {
    const { world } = this.world
    const end = this.beginsAt + this.totalMicros
    if (!this.stopped) world.run(Math.min(end, world.now.mono + micros))
    if (!this.stopped && world.now.mono < end) return
    this.endedAt = world.now.mono
    this.phase = 'drain'
  }

  /** What is under way may end; what waits is told as in flight. */
  private drain(): void {
    const { world } = this.world
    const until = world.now.mono + this.options.scenario.load.drainMax
    // Looked at after each event: what waits for a device may wait for hours, and is not waited for.
    if (!this.stopped) world.run(until, () => this.world.gateway.counters.inFlight === 0)
    this.world.drain(DRAIN_MICROS)
    this.phase = 'over'
  }

  private ownAttempts(): Uint32Array {
    const { shard: { index, count }, recipients } = this.options
    const own = new Uint32Array(this.plan.length)
    let length = 0
    for (let attempt = 0; attempt < this.plan.length; attempt++) {
      const { row, index: pick } = this.plan.recipient(attempt)
      if (recipients[row].subscriber(pick) % count === index) own[length++] = attempt
    }
    return own.subarray(0, length)
  }

  private planNext(): void {
    if (this.cursor >= this.own.length) return
    this.world.world.at(this.beginsAt + this.offsets[this.own[this.cursor]!]!, this.nextAttempt)
  }

  private readonly nextAttempt = {
    happen: (): void => {
      if (this.stopped) return
      this.submit(this.own[this.cursor++]!)
      if (this.cursor % CLOSING_EVERY === 0) this.accounts!.close(this.world.world.now.mono, this.own[this.cursor] ?? this.plan.length)
      this.planNext()
    },
  }

  private submit(attempt: number): void {
    const { plan, templates, options: { carriage, scenario: { traffic } } } = this
    const pushId = plan.pushId(attempt)
    const address = plan.address(attempt)
    const row = plan.row(attempt)
    const { row: meant } = plan.recipient(attempt)
    const lifetime = lifetimesOf(traffic)[meant]
    const template = lifetime === undefined ? templates.plain : templates.expiring
    const { mono, wall } = this.world.world.now
    // Whole seconds on the wire: the next one.
    const deliverBefore = lifetime === undefined ? 0 : Math.ceil((wall + lifetime / MICROS_PER_MILLI) / 1_000) * 1_000
    this.world.submitNow({
      attempt, row, pushId, address, contentType: template.contentType,
      ...(deliverBefore === 0 ? {} : { deliverBeforeAt: mono + (deliverBefore - wall) * MICROS_PER_MILLI }),
      ...(carriage === 'messages' ? { body: NO_OCTETS, submission: template.submission(pushId, address, deliverBefore) } : { body: template.body(pushId, address, deliverBefore) }),
    })
  }

  /** Who comes and who leaves, each at his time. */
  private planMoves(): void {
    const { scenario: { virtual }, shard } = this.options
    if (virtual.churn === 0) return
    const { world, fleetNode, population } = this.world
    for (let subscriber = shard.index; subscriber < population.size; subscriber += shard.count) {
      const leaves = this.churn.leavesAt(subscriber)
      const comes = this.churn.comesAt(subscriber)
      if (leaves !== Infinity) world.at(this.beginsAt + leaves, { happen: () => fleetNode.give({ type: 'switch', subscriber, to: 'off' }) })
      if (comes > 0) {
        world.at(this.beginsAt + comes, { happen: () => {
          fleetNode.give({ type: 'switch', subscriber, to: 'off' })
          fleetNode.give({ type: 'switch', subscriber, to: 'on' })
        } })
      }
    }
  }

  private planSample(number: number): void {
    const { world } = this.world
    const lasts = Math.max(MICROS_PER_SECOND, Math.floor(this.options.scenario.load.duration / SAMPLES))
    world.at(this.window.from + number * lasts, { happen: (now) => {
      if (this.stopped || now.mono > this.window.to) return
      this.heldSamples.push(this.world.gateway.counters.inFlight)
      for (const part of PARTS) {
        const watched = this.watched[part]
        const { servedMicros } = this.nodeOf(part)
        if (number > 1) watched.busiest = Math.max(watched.busiest, (servedMicros - watched.served) / lasts)
        watched.served = servedMicros
      }
      this.planSample(number + 1)
    } })
  }

  private nodeOf(part: Part): { readonly servedMicros: Micros } {
    const { gatewayNode, imsNode, fleetNode } = this.world
    return part === 'gateway' ? gatewayNode : part === 'ims' ? imsNode : fleetNode
  }

  private journalled(part: JournalPart, event: JournalEvent): void {
    if (event.event === 'device-up') this.presence.up(event.details[0]!, event.mono)
    else if (event.event !== 'device-down') this.accounts?.take(part, event)
    this.options.journal?.(part, event)
  }
}
