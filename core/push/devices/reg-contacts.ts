/**
 * From a watched registration (RFC 3680, RFC 5628) to what a third-party REGISTER would have told of it, so that the rest of
 * the gateway need not know by which of them it was told. Reads; believes the S-CSCF; keeps nothing.
 */
import type { RegContact, RegInfo } from '../../reg/model.js'
import type { WatchedRegistration } from '../../reg/table.js'
import { DEVICES_MAX, deviceOf, instanceOf, oneEach, type ThirdPartyRegister } from './third-party-register.js'
import { targetOf } from '../delivery/target.js'

/** Where a contact tells no expiry: RFC 3680 section 4.3's own duration, and the watch tells when it ends. */
const DEFAULT_EXPIRES_SECONDS = 3_761
/** RFC 3680 section 3.5.1: events that a device's own REGISTER makes. */
const BY_REGISTER: ReadonlySet<string> = new Set(['registered', 'refreshed', 'created'])

/** Undefined when the registration's address is no SIP address of record. */
export function readRegistration(registration: WatchedRegistration, info: RegInfo): ThirdPartyRegister | undefined {
  const target = targetOf(registration.aor)
  if (target === undefined || target.gruu !== 'none') return undefined
  const contacts = [...registration.contacts.values()].slice(0, DEVICES_MAX)
  if (registration.state !== 'active' || contacts.length === 0) return { aor: target.aor, expiresSeconds: 0, devices: undefined, registering: '' }
  const expiresSeconds = Math.max(...contacts.map((contact) => contact.expiresSeconds ?? DEFAULT_EXPIRES_SECONDS))
  return { aor: target.aor, expiresSeconds: Math.max(1, expiresSeconds), devices: oneEach(contacts.map((contact) => deviceOf(headerOf(contact), undefined))), registering: registering(info) }
}

/** The device whose REGISTER this document is about; empty when it is about several, or none. */
function registering(info: RegInfo): string {
  const fresh = info.state === 'partial' ? info.registrations.flatMap(({ contacts }) => contacts.filter(({ state, event }) => state === 'active' && BY_REGISTER.has(event))) : []
  const instances = new Set(fresh.map((contact) => instanceOf(headerOf(contact))))
  const [only] = instances
  return instances.size === 1 && only !== undefined ? only : ''
}

/** As it stands in a Contact header field of a 200 to REGISTER (RFC 5627 section 5.2). */
function headerOf({ uri, parameters, publicGruu, temporaryGruu }: RegContact): { readonly display: undefined; readonly uri: string; readonly params: string; readonly end: number } {
  let params = ''
  for (const { name, value } of parameters) params += value === '' ? `;${name}` : `;${name}=${value}`
  if (publicGruu !== undefined) params += `;pub-gruu="${publicGruu}"`
  if (temporaryGruu !== undefined) params += `;temp-gruu="${temporaryGruu.uri}"`
  return { display: undefined, uri, params, end: 0 }
}
