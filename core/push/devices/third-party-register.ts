/**
 * What a third-party REGISTER of the S-CSCF says (TS 24.229 section 5.4.1.7): whose registration, until when, and, where
 * the filter criteria include the device's own REGISTER and its 200 in the body, the user's devices with their GRUUs
 * and push applications. Reads the message; believes the S-CSCF; keeps nothing.
 */
import { parseContentType } from '../../mime/content-type.js'
import { splitMultipart } from '../../mime/multipart.js'
import { headerValue } from '../../mime/part.js'
import { methodNames, tagsIn } from '../../ota/options.js'
import { Header } from '../../sip/header-names.js'
import type { SipMessage } from '../../sip/message.js'
import { nameAddrs, uriOf, type NameAddr } from '../../sip/name-addr.js'
import { listParams, paramOf, unquote } from '../../sip/params.js'
import { parseMessage } from '../../sip/parse.js'
import { SipParts } from '../../sip/sip-parts.js'
import { uriText } from '../../sip/uri.js'
import { DELTA_SECONDS_MAX, integerOf } from '../../sip/values.js'
import type { DeviceRecord } from '../../store/records.js'
import { targetOf } from '../delivery/target.js'
import { KeptLists } from './kept-device.js'

export interface ThirdPartyRegister {
  readonly aor: string
  /** Zero when the user is no longer registered. */
  readonly expiresSeconds: number
  /** Undefined when the body does not hold what is needed. */
  readonly devices: readonly DeviceRecord[] | undefined
  /** The instance of the device whose own REGISTER is included; empty when none is, or it named none. */
  readonly registering: string
}

/** Used where the S-CSCF gives none. */
const DEFAULT_EXPIRES_SECONDS = 3_600
/** Devices of one user that are looked at. */
export const DEVICES_MAX = 64
const PUSH_APPLICATION = '+g.oma.pusheventapp'
const INSTANCE = '+sip.instance'
/** Feature parameters without a leading plus (RFC 3840 section 9, `base-tags`). */
const BASE_TAGS: ReadonlySet<string> = new Set([
  'audio', 'automata', 'class', 'duplex', 'data', 'control', 'mobility', 'description', 'events', 'priority', 'methods',
  'schemes', 'application', 'video', 'language', 'type', 'isfocus', 'actor', 'text', 'extensions',
])

/** Undefined when To holds no SIP address of record. */
export function readThirdPartyRegister(request: SipMessage): ThirdPartyRegister | undefined {
  const to = uriOf(request, Header.To)
  const target = to === undefined ? undefined : targetOf(uriText(to))
  if (target === undefined || target.gruu !== 'none') return undefined
  const expiresSeconds = integerOf(request.get(Header.Expires) ?? '', DELTA_SECONDS_MAX) ?? DEFAULT_EXPIRES_SECONDS
  return { aor: target.aor, expiresSeconds, ...(expiresSeconds === 0 ? NOBODY : devicesIn(request)) }
}

const NOBODY = { devices: undefined, registering: '' }

function devicesIn(request: SipMessage): Pick<ThirdPartyRegister, 'devices' | 'registering'> {
  let registered: SipMessage | undefined
  let answer: SipMessage | undefined
  for (const message of messagesIn(request)) {
    if (message.isRequest && message.method === 'REGISTER') registered = message
    else if (message.status >= 200 && message.status < 300) answer = message
  }
  // Only the answer lists every binding (RFC 3261 section 10.3, step 8).
  const bindings = answer === undefined ? undefined : nameAddrs(answer, Header.Contact)
  if (bindings === undefined) return NOBODY
  const own = registered === undefined ? undefined : nameAddrs(registered, Header.Contact)
  const devices: DeviceRecord[] = []
  for (let index = 0; index < bindings.length && index < DEVICES_MAX; index++) {
    const binding = bindings[index]!
    if (paramOf(binding.params, 'expires') !== '0') devices.push(deviceOf(binding, own))
  }
  return { devices: oneEach(devices), registering: own?.[0] === undefined ? '' : instanceOf(own[0]) }
}

/** A device with several flows has a binding for each (RFC 5626 section 6), and is one device all the same. */
export function oneEach(devices: readonly DeviceRecord[]): readonly DeviceRecord[] {
  if (devices.length < 2) return devices
  return devices.filter(({ instance }, index) => instance === '' || devices.findIndex((other) => other.instance === instance) === index)
}

/** One binding; its features from the device's own REGISTER when the registrar does not repeat them. */
export function deviceOf(binding: NameAddr, own: readonly NameAddr[] | undefined): DeviceRecord {
  const instance = instanceOf(binding)
  const same = instance === '' ? undefined : own?.find((contact) => instanceOf(contact) === instance)
  const applications = applicationsOf(binding.params) ?? (same === undefined ? undefined : applicationsOf(same.params))
  const methods = methodsOf(binding.params) ?? (same === undefined ? undefined : methodsOf(same.params))
  return { instance, publicGruu: text(binding, 'pub-gruu'), temporaryGruu: text(binding, 'temp-gruu'), applications, methods }
}

const methodLists = new KeptLists((written) => methodNames(tagsIn(written)))
const applicationLists = new KeptLists((written) => tagsIn(written).map((tag) => tag.toLowerCase()).filter((tag) => tag !== '' && !/\s/.test(tag)))

/** RFC 3840 section 10: all that the device supports. A list without a method tells nothing. */
function methodsOf(params: string): readonly string[] | undefined {
  const written = paramOf(params, 'methods')
  const methods = written === undefined ? [] : methodLists.of(written)
  return methods.length === 0 ? undefined : methods
}

/** Undefined when the contact has no feature parameter at all (it then matches everything, RFC 3841 section 7.2.4). */
function applicationsOf(params: string): readonly string[] | undefined {
  const written = paramOf(params, PUSH_APPLICATION)
  if (written !== undefined) return applicationLists.of(written)
  const hasFeature = listParams(params).some(([name]) => {
    const lower = name.toLowerCase()
    return BASE_TAGS.has(lower) || (lower.startsWith('+') && lower !== INSTANCE)
  })
  return hasFeature ? [] : undefined
}

export function instanceOf(contact: NameAddr): string {
  return text(contact, INSTANCE)
}

function text(contact: NameAddr, name: string): string {
  const value = paramOf(contact.params, name)
  return value === undefined ? '' : unquote(value)
}

function messagesIn(request: SipMessage): SipMessage[] {
  if (request.composedBody instanceof SipParts) return request.composedBody.messages
  const type = parseContentType(request.get(Header.ContentType) ?? '')
  if (type === undefined || request.body.length === 0) return []
  if (type.mediaType === 'message/sip') return parsed(request.body)
  const boundary = type.mediaType === 'multipart/mixed' ? type.parameters.get('boundary') : undefined
  if (boundary === undefined) return []
  return splitMultipart(request.body, boundary).parts.flatMap((part) => {
    const partType = parseContentType(headerValue(part.headers, 'content-type') ?? '')
    return partType?.mediaType === 'message/sip' ? parsed(part.body) : []
  })
}

function parsed(body: Buffer): SipMessage[] {
  const { message } = parseMessage(body)
  return message === undefined ? [] : [message]
}
