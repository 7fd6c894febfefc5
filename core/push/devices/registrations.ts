/**
 * What is known of registrations: third-party REGISTERs tell who is reachable. They are answered, kept, stored, and wake
 * whoever waits. Knows no delivery's inside.
 */
import type { Now } from '../../kit/time.js'
import type { ServerTransaction, SipEndpointContract } from '../../sip/endpoint-contract.js'
import { Header } from '../../sip/header-names.js'
import { responseTo } from '../../sip/write.js'
import { RowKind, registrationKey } from '../../store/keys.js'
import { decodeRegistration, encodeRegistration, type DeviceRecord } from '../../store/records.js'
import type { GatewayContext } from '../context.js'
import type { Deliveries } from '../delivery/deliveries.js'
import type { Recipients } from '../delivery/recipients.js'
import type { RequestTaker } from '../sip-user.js'
import type { RowKeeper } from '../start.js'
import type { CommitWaiter } from '../store-port.js'
import { keptDevice } from './kept-device.js'
import { readThirdPartyRegister, type ThirdPartyRegister } from './third-party-register.js'

const TO_TAG_BITS = 64
/** A century: what a registration may claim at most and a stored row can hold. */
const EXPIRES_SECONDS_MAX = 3_155_760_000

/** What was heard holds in memory all the same; the next registration writes it again. */
const NOBODY: CommitWaiter = { committed() {}, storeFull() {} }

export class Registrations implements RequestTaker, RowKeeper {
  readonly kind = RowKind.Registration

  constructor(
    private readonly context: GatewayContext,
    private readonly endpoint: SipEndpointContract,
    private readonly recipients: Recipients,
    private readonly deliveries: Deliveries,
  ) {}

  request(now: Now, transaction: ServerTransaction): void {
    const read = readThirdPartyRegister(transaction.request)
    if (read === undefined) return this.answer(now, transaction, 404)
    this.answer(now, transaction, 200)
    this.heard(now, read)
  }

  /** A row of the store at the start: what was known, without waking anyone. What was heard since then is newer. */
  recovered(_now: Now, key: Buffer, value: Buffer): void {
    const { registered, expiresAt, devices } = decodeRegistration(value)
    const recipient = this.recipients.recipient(key.toString('utf8', 1))
    if (recipient.registered !== undefined) return
    recipient.registered = registered
    recipient.registeredUntil = expiresAt
    this.recipients.setDevices(recipient, devices)
  }

  /** What was told of a user, by whatever way. */
  heard(now: Now, { aor, expiresSeconds, devices: told, registering }: ThirdPartyRegister): void {
    const registered = expiresSeconds > 0
    const expiresAt = now.wall + Math.min(expiresSeconds, EXPIRES_SECONDS_MAX) * 1_000
    const recipient = this.recipients.recipient(aor)
    const devices = told?.map((device) => (device.instance === registering ? keptDevice(device, now.wall) : keptOther(device, recipient.devices, registering !== '')))
    recipient.registered = registered
    recipient.registeredUntil = expiresAt
    this.recipients.setDevices(recipient, devices)
    this.context.counters.registrations++
    this.context.store.commit([{ type: 'put', key: registrationKey(aor), value: encodeRegistration({ registered, expiresAt, devices }) }], NOBODY)
    if (!registered) return
    recipient.epoch++
    this.deliveries.wake(now, recipient)
  }

  /** What was known of a user is not kept up to date any more: unknown again, not away. */
  forget(aor: string): void {
    if (!this.recipients.forget(aor)) return
    this.context.store.commit([{ type: 'delete', key: registrationKey(aor) }], NOBODY)
  }

  private answer(now: Now, transaction: ServerTransaction, status: number): void {
    const response = responseTo(transaction.request, status, undefined, this.context.entropy.token(TO_TAG_BITS))
    const expires = transaction.request.get(Header.Expires)
    if (status === 200 && expires !== undefined) response.append(Header.Expires, expires)
    this.endpoint.respond(now, transaction, response)
  }
}

/**
 * A device that is not the one that registers now. A registrar need not repeat features (RFC 3261 section 10.3 asks for URI and
 * expiry), and Kamailio does not: where none are told, those the device registered with still hold.
 */
function keptOther(device: DeviceRecord, known: readonly DeviceRecord[] | undefined, isAnother: boolean): DeviceRecord {
  const before = known?.find(({ instance }) => instance === device.instance)
  if (before === undefined) return keptDevice(device, undefined)
  const isSilent = isAnother && device.instance !== '' && device.applications === undefined && device.methods === undefined
  return keptDevice(isSilent ? { ...device, applications: before.applications, methods: before.methods } : device, before.registeredAt)
}
