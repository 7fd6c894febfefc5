/**
 * Who can be pushed to: one entry per user (address of record) with what registrations told of it, and under it one
 * queue per Request-URI, since at most one MESSAGE may be pending to one Request-URI (RFC 3428 section 8). An entry
 * without registration and without queue goes. Knows no SIP and no store.
 */
import type { WallMillis } from '../../kit/time.js'
import type { DeviceRecord } from '../../store/records.js'
import type { Knowledge } from '../devices/capabilities.js'
import { DeliveryList, type Delivery } from './delivery.js'
import { ParkedDeliveries } from './parked.js'
import { targetOf, type Target } from './target.js'

/** The deliveries to one Request-URI. */
export class RequestQueue {
  readonly ready = new DeliveryList()
  readonly awaiting = new DeliveryList()
  /** The one delivery whose MESSAGE is pending. */
  pending: Delivery | undefined = undefined
  /** Deliveries that belong to this queue in any state. */
  members = 0
  /** In which of the dispatcher's lines it stands (a priority), or `NOT_QUEUED`. */
  line = NOT_QUEUED
  next: RequestQueue | undefined = undefined
  private isDetached = false

  constructor(public target: Target, readonly recipient: Recipient) {}

  /** Before a long wait: a text of its own for the Request-URI, which may be a slice that holds a whole document in memory. */
  detach(): void {
    if (this.isDetached) return
    this.isDetached = true
    this.target = { ...this.target, uri: Buffer.from(this.target.uri, 'latin1').toString('latin1') }
  }
}

export const NOT_QUEUED = 3

/** Temporary GRUUs of one user whose owner is remembered: each refresh gives a new one (RFC 5627 section 5.1). */
const TEMPORARY_GRUUS_KEPT = 16

export class Recipient {
  /** Raised by each registration; an attempt compares it with the one it started under, so no wake-up is lost. */
  epoch = 0
  /** Undefined as long as nothing was heard. */
  registered: boolean | undefined = undefined
  registeredUntil: WallMillis = 0
  /** Undefined when the devices are unknown. */
  devices: readonly DeviceRecord[] | undefined = undefined
  /** What capabilities.ts put together of them; it knows when that is out of date. */
  knowledge: Knowledge | undefined = undefined
  /** Temporary GRUUs this user is known to own, oldest first. */
  temporaryGruus: string[] | undefined = undefined
  firstQueue: RequestQueue | undefined = undefined

  constructor(readonly aor: string) {}

  /** Deregistered by the S-CSCF's word: nothing is sent until it registers. */
  get isOffline(): boolean {
    return this.registered === false
  }

  /** The devices that may be asked about: registered now and told of. */
  devicesNow(wall: WallMillis): readonly DeviceRecord[] | undefined {
    return this.registered === true && wall < this.registeredUntil ? this.devices : undefined
  }
}

export class Recipients {
  private readonly byAor = new Map<string, Recipient>()
  /** Owners of temporary GRUUs, which do not name their user. */
  private readonly temporaryOwners = new Map<string, { readonly recipient: Recipient; readonly instance: string }>()

  /** Those that wait without a queue, by their user too. */
  readonly parked: ParkedDeliveries

  /** @param seed chance of the process */
  constructor(seed: number) {
    this.parked = new ParkedDeliveries(seed)
  }

  /** Users for whom something began to wait, until it is emptied by whoever set it. */
  newlyAwaited: string[] | undefined = undefined

  get size(): number {
    return this.byAor.size
  }

  /** The user's entry, made when there is none. */
  recipient(aor: string): Recipient {
    let recipient = this.byAor.get(aor)
    if (recipient === undefined) {
      recipient = new Recipient(aor)
      this.byAor.set(aor, recipient)
    }
    return recipient
  }

  /** The user a target belongs to; undefined when nothing is known of one. */
  known(target: Target): Recipient | undefined {
    return this.ownerOf(target) ?? this.byAor.get(target.aor)
  }

  /** The queue of a Request-URI, made when there is none. */
  queueOf(target: Target): RequestQueue {
    const recipient = this.recipient(this.ownerOf(target)?.aor ?? target.aor)
    let queue = recipient.firstQueue
    while (queue !== undefined && queue.target.uri !== target.uri) queue = queue.next
    if (queue === undefined) {
      queue = new RequestQueue(target, recipient)
      queue.next = recipient.firstQueue
      recipient.firstQueue = queue
      this.newlyAwaited?.push(recipient.aor)
    }
    return queue
  }

  /** Whether a push waits for this user. */
  isAwaited(aor: string): boolean {
    return this.byAor.get(aor)?.firstQueue !== undefined || this.parked.has(aor)
  }

  /** Forgets what registrations told of a user; false when nothing was known. */
  forget(aor: string): boolean {
    const recipient = this.byAor.get(aor)
    if (recipient?.registered === undefined) return false
    recipient.registered = undefined
    this.setDevices(recipient, undefined)
    if (recipient.firstQueue === undefined) this.byAor.delete(aor)
    return true
  }

  /** Lets an empty queue go, and its user's entry when nothing is known of it. */
  release(queue: RequestQueue): void {
    if (queue.members > 0) return
    const recipient = queue.recipient
    if (recipient.firstQueue === queue) recipient.firstQueue = queue.next
    else {
      let at = recipient.firstQueue
      while (at !== undefined && at.next !== queue) at = at.next
      if (at === undefined) return
      at.next = queue.next
    }
    if (recipient.firstQueue === undefined && recipient.registered === undefined) this.byAor.delete(recipient.aor)
  }

  /** Replaces what is known of a user's devices. Some earlier temporary GRUUs stay known, since they may stay valid. */
  setDevices(recipient: Recipient, devices: readonly DeviceRecord[] | undefined): void {
    for (const device of devices ?? []) {
      const key = device.temporaryGruu === '' ? undefined : targetOf(device.temporaryGruu)?.aor
      if (key === undefined || this.temporaryOwners.has(key)) continue
      this.temporaryOwners.set(key, { recipient, instance: device.instance })
      recipient.temporaryGruus ??= []
      recipient.temporaryGruus.push(key)
      if (recipient.temporaryGruus.length > TEMPORARY_GRUUS_KEPT) this.temporaryOwners.delete(recipient.temporaryGruus.shift()!)
    }
    recipient.devices = devices
  }

  /** The device a GRUU names, as far as registrations told. */
  deviceOf(target: Target): DeviceRecord | undefined {
    if (target.gruu === 'none') return undefined
    const owner = this.temporaryOwners.get(target.aor)
    if (owner !== undefined) return owner.recipient.devices?.find((device) => device.instance === owner.instance)
    return this.byAor.get(target.aor)?.devices?.find((device) => device.publicGruu === target.uri)
  }

  forgetDevice(target: Target): void {
    const device = this.deviceOf(target)
    const recipient = this.known(target)
    if (device === undefined || recipient?.devices === undefined) return
    this.setDevices(recipient, recipient.devices.filter((other) => other !== device))
  }

  private ownerOf(target: Target): Recipient | undefined {
    return target.gruu === 'temporary' ? this.temporaryOwners.get(target.aor)?.recipient : undefined
  }
}
