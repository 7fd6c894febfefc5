/**
 * What is known of a user's devices: what registration told, and what a device told when it was asked by OPTIONS. Answers
 * are kept for a while, bounded, until the next registration; one question at a time goes to a device. Knows no delivery.
 */
import type { Micros, Now } from '../../kit/time.js'
import { MICROS_PER_SECOND } from '../../kit/time.js'
import { buildOptions, readOptions, type ToldCapabilities } from '../../ota/options.js'
import type { ClientTransaction, SipEndpointContract } from '../../sip/endpoint-contract.js'
import type { SipMessage } from '../../sip/message.js'
import type { DeviceRecord } from '../../store/records.js'
import type { GatewayContext } from '../context.js'
import type { Hops } from '../delivery/hops.js'
import type { Recipient, Recipients } from '../delivery/recipients.js'
import type { DeviceKnowledge } from '../bindings/select.js'
import type { Requester } from '../sip-user.js'
import type { Target } from '../delivery/target.js'

/** Whoever waits for a device's answer; told once for each question, answered or not. */
export interface CapabilityWaiter {
  capabilitiesTold(now: Now): void
}

/** Answers kept at most, the oldest goes first. */
const TOLD_MAX = 65_536
const ASKING_MAX = 1_024
const TOLD_MICROS: Micros = 3_600 * MICROS_PER_SECOND
/** A device that did not answer is not asked again for this long. */
const UNTOLD_MICROS: Micros = 60 * MICROS_PER_SECOND
const TOKEN_BITS = 100
const FROM_TAG_BITS = 64

interface Told {
  /** The registration it belongs to: the next one may have changed everything. */
  readonly epoch: number
  readonly until: Micros
  readonly what: ToldCapabilities | undefined
}

/** The devices of one user, put together once for as long as nothing changes. */
export interface Knowledge {
  readonly of: readonly DeviceRecord[]
  readonly until: Micros
  readonly devices: readonly DeviceKnowledge[]
}

const NOBODY: readonly DeviceKnowledge[] = []

export class Capabilities {
  private readonly told = new Map<string, Told>()
  private readonly asking = new Map<string, Asking>()

  constructor(
    private readonly context: GatewayContext,
    private readonly endpoint: SipEndpointContract,
    private readonly recipients: Recipients,
    private readonly hops: Hops,
  ) {}

  /** The devices a push to this target could reach, as far as is known; empty when nothing is. */
  devicesOf(now: Now, target: Target, recipient: Recipient): readonly DeviceKnowledge[] {
    const records = recipient.devicesNow(now.wall)
    if (records === undefined || records.length === 0) return NOBODY
    const devices = this.knowledge(now, recipient, records)
    if (target.gruu === 'none') return devices
    const record = this.recipients.deviceOf(target)
    const device = record === undefined ? undefined : devices[records.indexOf(record)]
    return device === undefined ? NOBODY : [device]
  }

  /** The GRUUs of those devices that could be asked and were not. */
  unasked(now: Now, recipient: Recipient, devices: readonly DeviceKnowledge[]): readonly string[] {
    return devices.filter(({ gruu }) => gruu !== '' && this.toldBy(now, recipient, gruu) === undefined).map(({ gruu }) => gruu)
  }

  /** What the device itself said, if it was asked and answered. */
  toldOf(now: Now, recipient: Recipient, gruu: string): ToldCapabilities | undefined {
    return this.toldBy(now, recipient, gruu)?.what
  }

  /** Asks, or joins whoever asks already. False when it cannot be asked now; then nobody is told. */
  ask(now: Now, recipient: Recipient, gruu: string, waiter: CapabilityWaiter): boolean {
    const under = this.asking.get(gruu)
    if (under !== undefined) {
      under.waiters.push(waiter)
      return true
    }
    const hop = this.asking.size >= ASKING_MAX ? undefined : this.hops.pick(now)
    if (hop === undefined) return false
    const { identity, entropy } = this.context
    const asking = new Asking(this, recipient, gruu, [waiter])
    this.asking.set(gruu, asking)
    const message = buildOptions(identity, { gruu, callToken: entropy.token(TOKEN_BITS), fromTag: entropy.token(FROM_TAG_BITS), route: hop.route })
    this.endpoint.request(now, message, hop.hop, asking)
    return true
  }

  /** Questions not yet answered. */
  get open(): number {
    return this.asking.size
  }

  answered(now: Now, asking: Asking, what: ToldCapabilities | undefined): void {
    const { gruu, recipient, epoch } = asking
    this.asking.delete(gruu)
    this.told.delete(gruu)
    this.told.set(gruu, { epoch, until: now.mono + (what === undefined ? UNTOLD_MICROS : TOLD_MICROS), what })
    if (this.told.size > TOLD_MAX) for (const oldest of this.told.keys()) { this.told.delete(oldest); break }
    recipient.knowledge = undefined
    for (const waiter of asking.waiters) waiter.capabilitiesTold(now)
  }

  private toldBy(now: Now, recipient: Recipient, gruu: string): Told | undefined {
    const told = this.told.get(gruu)
    return told === undefined || told.epoch !== recipient.epoch || told.until <= now.mono ? undefined : told
  }

  private knowledge(now: Now, recipient: Recipient, records: readonly DeviceRecord[]): readonly DeviceKnowledge[] {
    const held = recipient.knowledge
    if (held !== undefined && held.of === records && now.mono < held.until) return held.devices
    let until = Infinity
    const devices = records.map((record) => {
      const gruu = record.publicGruu === '' ? record.temporaryGruu : record.publicGruu
      const told = gruu === '' ? undefined : this.toldBy(now, recipient, gruu)
      until = Math.min(until, told?.until ?? Infinity)
      return knowledgeOf(record, gruu, told?.what)
    })
    recipient.knowledge = { of: records, until, devices }
    return devices
  }
}

/** The device's own word is newer than the registrar's. */
function knowledgeOf(record: DeviceRecord, gruu: string, told: ToldCapabilities | undefined): DeviceKnowledge {
  return {
    instance: record.instance,
    gruu,
    methods: told?.methods ?? record.methods,
    mediaTypes: told?.mediaTypes,
    sizeMax: told?.sizeMax,
    applications: told?.applications ?? record.applications,
    registeredAt: record.registeredAt ?? 0,
  }
}

/** One OPTIONS from its way out to its answer. */
class Asking implements Requester {
  readonly epoch: number

  constructor(private readonly capabilities: Capabilities, readonly recipient: Recipient, readonly gruu: string, readonly waiters: CapabilityWaiter[]) {
    this.epoch = recipient.epoch
  }

  responded(now: Now, _transaction: ClientTransaction, response: SipMessage): void {
    const { status } = response
    if (status < 200) return
    // RFC 3261 section 11.2: a refusal for being busy or for the method still lists what is allowed.
    const tells = status < 300 || status === 405 || status === 486 || status === 600
    this.capabilities.answered(now, this, tells ? readOptions(response) : undefined)
  }

  failed(now: Now): void {
    this.capabilities.answered(now, this, undefined)
  }
}
