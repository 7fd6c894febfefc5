/**
 * Who lives in the simulated network: subscribers, their devices, applications and behaviour, computed from the
 * settings and the seed whenever asked and never stored. The IMS takes its subscriber data from here, the fleet its
 * devices, the load generator its addresses, so all three agree without talking. Knows nothing of SIP messages.
 *
 * Subscribers have indexes from 0. Each class of subscribers is one range of indexes, in the order of
 * `SUBSCRIBER_CLASSES`, so traffic can be aimed at a class by picking a number.
 */
import { SeededEntropy, hashText } from '../../core/kit/entropy.js'
import type { Micros } from '../../core/kit/time.js'
import { AccessPlan, PLAIN_ACCESS, type AccessSettings } from './access.js'
import type { CycleBehaviour, DeviceBehaviour, Distribution, Refusal } from './behaviour.js'
import type { Capabilities, TerminalBinding } from './capabilities.js'
import { MISBEHAVIOURS, type Misbehaviour } from './misbehaviour.js'
import { NumberedText } from './numbered-text.js'

/**
 * - always-online: one device, on from the start
 * - multi-device: two devices or more, all on; the first two have the same applications, so a push to the address reaches both
 * - returning: off and on in turns, leaving politely by default; a push waits until the device comes back
 * - cycling: on and off in turns, sometimes without a word
 * - refusing: on, and answers every push with a refusal
 * - absent: provisioned, never on; a push to it expires
 * - misbehaving: one device, on, a bad peer (misbehaviour.ts); each misbehaviour has a range of its own within the class
 * - reference: one device each, run by an independent SIP stack
 */
export const SUBSCRIBER_CLASSES = ['always-online', 'multi-device', 'returning', 'cycling', 'refusing', 'absent', 'misbehaving', 'reference'] as const
export type SubscriberClass = (typeof SUBSCRIBER_CLASSES)[number]

/** Devices one subscriber can have; a device's place in the population is subscriber * DEVICES_MAX + ordinal. */
export const DEVICES_MAX = 256

/** Identities are patterns: the run of `#` becomes `firstNumber` plus the subscriber's index, padded with zeros to the run's length. */
export interface IdentitySettings {
  /** What subscriber 0 is called by, so that a range of users of somebody else's registrar can be used. */
  readonly firstNumber: number
  /** The home network's domain name. */
  readonly domain: string
  /** User part of the public identity, such as `user######`. */
  readonly user: string
  /** The private identity (digest username), such as `user######@home1.example`. */
  readonly privateIdentity: string
  /** The password, such as `secret-######`; without `#` all subscribers share it. */
  readonly password: string
  /** A telephone number in the same implicit registration set, such as `+1555########` (RFC 3966 global number); absent: none. */
  readonly telephone?: string
}

export interface PopulationSettings {
  /** All of them, reference terminals included. */
  readonly subscribers: number
  readonly identity: IdentitySettings
  readonly seed: number
  /** Weights by number of devices, as in { 1: 0.6, 2: 0.3, 3: 0.1 }; the parts of 2 and more make the class multi-device. */
  readonly devicesPerSubscriber: Readonly<Record<number, number>>
  /** Sets of application ids (without URN prefix) a device can have, with their weights. */
  readonly applicationSets: readonly { readonly applications: readonly string[]; readonly weight: number }[]
  /** Shares of all subscribers, 0 to 1, together at most 1; the rest is online and splits by number of devices. */
  readonly shares: Readonly<Record<'returning' | 'cycling' | 'refusing' | 'absent', number>>
  readonly returning: CycleBehaviour
  readonly cycling: CycleBehaviour
  readonly refusal: Refusal
  readonly answerDelay: Distribution
  /** Kinds of devices with their weights. */
  readonly capabilities: readonly CapabilitySet[]
  readonly events: EventSettings
  /** Shares of all subscribers that misbehave, by how. */
  readonly misbehaving: Readonly<Partial<Record<Misbehaviour, number>>>
  /** How late `answers-late` answers. */
  readonly lateMicros: Micros
  /** Ways into the network; all at home, over shared connections and by password when absent. */
  readonly access?: AccessSettings
  /** A count, not a share; they are the last subscribers. */
  readonly referenceTerminals: number
}

export interface CapabilitySet {
  readonly bindings: readonly TerminalBinding[]
  readonly sizeMax: number
  readonly types: readonly string[]
  readonly weight: number
}

/** Who subscribes to oma-push, and where. */
export interface EventSettings {
  /** Share of the devices that can, 0 to 1. */
  readonly share: number
  /** The Push Proxy Gateway's public service identity: the Request-URI of SUBSCRIBE. */
  readonly server: string
  readonly expirySeconds: number
}

export interface Device {
  /** The subscriber's number and which of its devices, from 0: together they name a device within the population. */
  readonly subscriber: number
  readonly ordinal: number
  /** Instance id, `urn:uuid:...` (RFC 5626 section 4.1), the same in every run with the same seed. */
  readonly instance: string
  readonly applications: readonly string[]
  readonly behaviour: DeviceBehaviour
  readonly capabilities: Capabilities
}

export interface Subscriber {
  readonly index: number
  readonly class: SubscriberClass
  /** Public identity, `sip:user000123@home1.example`. */
  readonly impu: string
  /** Private identity, the digest username. */
  readonly impi: string
  readonly password: string
  readonly devices: readonly Device[]
}

/** Numbers `from` to `to` - 1. */
export interface SubscriberRange {
  readonly from: number
  readonly to: number
}

export class Population {
  readonly access: AccessPlan
  private readonly impus: NumberedText
  private readonly impis: NumberedText
  private readonly passwords: NumberedText
  private readonly telephones: NumberedText | undefined
  private readonly ranges: Readonly<Record<SubscriberClass, SubscriberRange>>
  private readonly behaviours: Readonly<Record<SubscriberClass, DeviceBehaviour>>
  private readonly deviceWeights: readonly (readonly [number, number])[]
  private readonly severalWeights: readonly (readonly [number, number])[]
  private readonly setWeights: readonly (readonly [number, number])[]
  private readonly misbehaviours: readonly { readonly name: Misbehaviour; readonly range: SubscriberRange; readonly behaviour: DeviceBehaviour }[]
  /** Each kind of device twice: without a subscription and with one. */
  private readonly kinds: readonly (readonly [Capabilities, Capabilities])[]
  private readonly kindWeights: readonly (readonly [number, number])[]

  constructor(readonly settings: PopulationSettings) {
    const { user, domain, privateIdentity, password, telephone } = settings.identity
    this.impus = new NumberedText(`sip:${user}@${domain}`)
    this.impis = new NumberedText(privateIdentity)
    this.passwords = new NumberedText(password)
    this.telephones = telephone === undefined ? undefined : new NumberedText(`tel:${telephone}`)
    this.deviceWeights = Object.entries(settings.devicesPerSubscriber).map(([count, weight]) => [Number(count), weight] as const)
    this.severalWeights = this.deviceWeights.filter(([count]) => count > 1)
    this.setWeights = settings.applicationSets.map((set, index) => [index, set.weight] as const)
    this.ranges = classRanges(settings, sum(this.severalWeights) / sum(this.deviceWeights))
    this.access = new AccessPlan(settings.seed, settings.access ?? PLAIN_ACCESS, this.ranges.reference.from)
    this.behaviours = classBehaviours(settings)
    this.misbehaviours = misbehaviourRanges(settings, this.ranges.misbehaving.from).map((each) => ({ ...each, behaviour: { ...this.behaviours.misbehaving, misbehaviour: each.name } }))
    this.kinds = settings.capabilities.map(({ bindings, sizeMax, types }) => {
      const kind = { bindings, sizeMax, types, subscribes: false }
      return [kind, bindings.includes('event') ? { ...kind, subscribes: true } : kind]
    })
    this.kindWeights = settings.capabilities.map(({ weight }, index) => [index, weight] as const)
  }

  get size(): number {
    return this.settings.subscribers
  }

  range(subscriberClass: SubscriberClass): SubscriberRange {
    return this.ranges[subscriberClass]
  }

  classOf(index: number): SubscriberClass {
    for (const name of SUBSCRIBER_CLASSES) if (index < this.ranges[name].to) return name
    throw new RangeError(`there is no subscriber ${index}: the population has ${this.size}, numbered from 0`)
  }

  /** The subscriber of this class that a number in [0, 1) picks; undefined when the class is empty. */
  pick(subscriberClass: SubscriberClass, unit: number): number | undefined {
    const { from, to } = this.ranges[subscriberClass]
    return from === to ? undefined : from + Math.floor(unit * (to - from))
  }

  /** The subscribers who misbehave so; empty when there are none. */
  misbehaving(name: Misbehaviour): SubscriberRange {
    return this.misbehaviours.find((each) => each.name === name)?.range ?? { from: 0, to: 0 }
  }

  /** `sip:user000123@home1.example`. Numbers beyond the population give well-formed addresses of nobody. */
  impu(index: number): string {
    return this.impus.of(this.settings.identity.firstNumber + index)
  }

  /** The device's public GRUU (RFC 5627 section 3.1), known without asking because its `gr` is the instance id. */
  publicGruu(index: number, ordinal: number): string {
    return `${this.impu(index)};gr=${this.instance(index, ordinal)}`
  }

  /** `tel:+155500000123`; undefined when the population has no telephone numbers. */
  telephone(index: number): string | undefined {
    return this.telephones?.of(this.settings.identity.firstNumber + index)
  }

  /** The number of the subscriber with this public identity (`sip:` or `tel:`), or undefined when it is nobody's. */
  indexOf(identity: string): number | undefined {
    const number = this.impus.numberIn(identity) ?? this.telephones?.numberIn(identity)
    const index = number === undefined ? -1 : number - this.settings.identity.firstNumber
    return index < 0 || index >= this.size ? undefined : index
  }

  /**
   * A UUID of version 8 (RFC 9562 section 5.8): 32 bits of the seed, 10 bits of mixed octets, and the device's place in the
   * population, so that no two devices share one whatever the seed.
   */
  instance(index: number, ordinal: number): string {
    const mixed = hashText(`${this.settings.seed}/${index}/${ordinal}`)
    const seed = hex(hashText(`seed ${this.settings.seed}`), 8)
    return `urn:uuid:${seed}-${hex(mixed >>> 16, 4)}-8${hex(mixed & 0xfff, 3)}-8${hex((mixed >>> 12) & 0xf, 1)}${hex(ordinal, 2)}-${hex(index, 12)}`
  }

  /** The digest username and password. */
  credentials(index: number): { readonly impi: string; readonly password: string } {
    const number = this.settings.identity.firstNumber + index
    return { impi: this.impis.of(number), password: this.passwords.of(number) }
  }

  subscriber(index: number): Subscriber {
    const subscriberClass = this.classOf(index)
    const { seed } = this.settings
    const entropy = new SeededEntropy(seed, `subscriber/${index}`)
    const count = this.deviceCount(subscriberClass, entropy)
    const behaviour = this.misbehaviours.find(({ range }) => index >= range.from && index < range.to)?.behaviour ?? this.behaviours[subscriberClass]
    const devices: Device[] = []
    for (let ordinal = 0; ordinal < count; ordinal++) {
      const applications = ordinal === 1 ? devices[0]!.applications : this.settings.applicationSets[pick(this.setWeights, entropy.unit())]!.applications
      devices.push({ subscriber: index, ordinal, instance: this.instance(index, ordinal), applications, behaviour, capabilities: this.capabilities(index, ordinal) })
    }
    return {
      index,
      class: subscriberClass,
      impu: this.impu(index),
      ...this.credentials(index),
      devices,
    }
  }

  /** The devices a push for this application should reach at this address while all of them are on. */
  devicesWith(index: number, application: string): readonly Device[] {
    return this.subscriber(index).devices.filter((device) => device.applications.includes(application))
  }

  /** Drawn apart from all else, so that kinds of devices change nobody's number of devices or applications. */
  private capabilities(index: number, ordinal: number): Capabilities {
    const { seed, events } = this.settings
    if (this.kinds.length === 1 && events.share === 0) return this.kinds[0]![0]
    const entropy = new SeededEntropy(seed, `kind/${index}/${ordinal}`)
    const kind = this.kinds[pick(this.kindWeights, entropy.unit())]!
    return kind[entropy.unit() < events.share ? 1 : 0]
  }

  private deviceCount(subscriberClass: SubscriberClass, entropy: SeededEntropy): number {
    if (subscriberClass === 'always-online' || subscriberClass === 'misbehaving' || subscriberClass === 'reference') return 1
    return pick(subscriberClass === 'multi-device' ? this.severalWeights : this.deviceWeights, entropy.unit())
  }
}

function classRanges(settings: PopulationSettings, severalShare: number): Record<SubscriberClass, SubscriberRange> {
  const { subscribers, shares } = settings
  const counts: Record<SubscriberClass, number> = {
    'always-online': 0,
    'multi-device': 0,
    returning: Math.floor(subscribers * shares.returning),
    cycling: Math.floor(subscribers * shares.cycling),
    refusing: Math.floor(subscribers * shares.refusing),
    absent: Math.floor(subscribers * shares.absent),
    misbehaving: misbehaviourRanges(settings, 0).reduce((total, { range }) => total + range.to - range.from, 0),
    reference: settings.referenceTerminals,
  }
  const rest = subscribers - counts.returning - counts.cycling - counts.refusing - counts.absent - counts.misbehaving - counts.reference
  if (rest < 0) throw new RangeError(`the shares and ${settings.referenceTerminals} reference terminals need more than the ${subscribers} subscribers there are`)
  counts['multi-device'] = Math.round(rest * severalShare)
  counts['always-online'] = rest - counts['multi-device']
  const ranges = {} as Record<SubscriberClass, SubscriberRange>
  let from = 0
  for (const name of SUBSCRIBER_CLASSES) {
    ranges[name] = { from, to: from + counts[name] }
    from += counts[name]
  }
  return ranges
}

/** One range of subscribers for each misbehaviour that has any, from this number on. */
function misbehaviourRanges({ subscribers, misbehaving }: PopulationSettings, from: number): { name: Misbehaviour; range: SubscriberRange }[] {
  const ranges: { name: Misbehaviour; range: SubscriberRange }[] = []
  for (const name of MISBEHAVIOURS) {
    const to = from + Math.floor(subscribers * (misbehaving[name] ?? 0))
    if (to > from) ranges.push({ name, range: { from, to } })
    from = to
  }
  return ranges
}

function classBehaviours(settings: PopulationSettings): Record<SubscriberClass, DeviceBehaviour> {
  const steady: DeviceBehaviour = { absent: false, cycle: undefined, answerDelay: settings.answerDelay, refusal: undefined, misbehaviour: undefined, lateMicros: settings.lateMicros }
  return {
    'always-online': steady,
    'multi-device': steady,
    returning: { ...steady, cycle: settings.returning },
    cycling: { ...steady, cycle: settings.cycling },
    refusing: { ...steady, refusal: settings.refusal },
    absent: { ...steady, absent: true },
    misbehaving: steady,
    reference: steady,
  }
}

function sum(weights: readonly (readonly [number, number])[]): number {
  return weights.reduce((total, [, weight]) => total + weight, 0)
}

/** The value whose share of the weights holds `unit` (0 to 1). */
function pick(weights: readonly (readonly [number, number])[], unit: number): number {
  let left = unit * sum(weights)
  for (const [value, weight] of weights) {
    left -= weight
    if (left < 0) return value
  }
  return weights[weights.length - 1]![0]
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0')
}
