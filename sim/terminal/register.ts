/**
 * The REGISTER a terminal sends and what it reads from the answer (RFC 3261 section 10.2, RFC 5627 section 4,
 * RFC 3608, TS 24.229 section 5.1.1). Builds and reads messages; the terminal's table decides when.
 */
import type { Transport } from '../../core/kit/network.js'
import { owned } from '../../core/kit/own-text.js'
import { Header } from '../../core/sip/header-names.js'
import { type HeaderText, composed } from '../../core/sip/header-text.js'
import { SipMessage } from '../../core/sip/message.js'
import { nameAddrs } from '../../core/sip/name-addr.js'
import { paramOf, unquote } from '../../core/sip/params.js'
import { isDigit } from '../../core/sip/scan.js'
import { DELTA_SECONDS_MAX, integerOf, listsToken } from '../../core/sip/values.js'
import { PUSH_APPLICATION_TAG } from './applications.js'
import { textsOf } from './capabilities.js'
import { DEVICES_MAX, type Device } from './population.js'
import type { TerminalEvent } from './registration-table.js'
import type { FlowRegistration, Grant } from './flow-registration.js'
import { sharedText } from './texts.js'

/** What the REGISTER of one device is made of besides the device. */
export interface RegisterParts {
  readonly impu: string
  /** The registrar's domain: the Request-URI is `sip:` and this. */
  readonly domain: string
  /** Where the device is reached over this flow, `host:port`. */
  readonly contactHost: string
  readonly transport: Transport
  readonly fromTag: string
  readonly expirySeconds: number
  readonly authorization: HeaderText
  /** The credentials answer a proxy's 407. */
  readonly isProxys: boolean
}

const MAX_FORWARDS = composed('70')
const SUPPORTED = composed('path, gruu')
const SUPPORTED_OUTBOUND = composed('path, gruu, outbound')
export const USER_AGENT = composed('pushbench-terminal')

/** The user part of a device's Contact, by which the fleet finds the device again. */
export function contactUser(device: Device): string {
  return `ue-${device.subscriber}-${device.ordinal}`
}

/** Where the device is reached over a flow bound at `host` (`host:port`). */
export function contactUri(device: Device, host: string, transport: Transport): string {
  return `sip:${contactUser(device)}@${host}${transport === 'udp' ? '' : `;transport=${transport}`}`
}

/** Feature parameters of its Contact, without the leading semicolon: its applications and its methods (RFC 3840 section 6). */
export function featuresOf(device: Device): string {
  return `${PUSH_APPLICATION_TAG}="${device.applications.join(',')}";${textsOf(device.capabilities).methods}`
}

/**
 * Which device a Request-URI means: `sip:ue-<subscriber>-<ordinal>@...` as subscriber * DEVICES_MAX + ordinal, or -1 when it
 * is none of ours. Read in place, since it is asked for every push.
 */
export function placeOfContact(requestUri: string): number {
  if (!requestUri.startsWith('sip:ue-')) return -1
  let subscriber = 0
  let index = 7
  for (; isDigit(requestUri.charCodeAt(index)); index++) subscriber = subscriber * 10 + requestUri.charCodeAt(index) - 48
  if (index === 7 || index > 17 || requestUri.charCodeAt(index) !== 45) return -1
  const start = ++index
  let ordinal = 0
  for (; isDigit(requestUri.charCodeAt(index)); index++) ordinal = ordinal * 10 + requestUri.charCodeAt(index) - 48
  if (index === start || requestUri.charCodeAt(index) !== 64 || ordinal >= DEVICES_MAX) return -1
  return subscriber * DEVICES_MAX + ordinal
}

export function buildRegister({ terminal, regId: flowNumber }: FlowRegistration, parts: RegisterParts): SipMessage {
  const { device } = terminal
  const identity = composed(`<${parts.impu}>`)
  // RFC 3840 section 6: every refresh repeats all feature tags, else it removes them.
  // RFC 5626 section 4.2: the flow's number; it stays the same when another flow takes this one's place.
  const regId = flowNumber === 0 ? '' : `;reg-id=${flowNumber}`
  const contact = `<${contactUri(device, parts.contactHost, parts.transport)}>${regId};+sip.instance="<${device.instance}>";${featuresOf(device)}`
  return new SipMessage({ method: 'REGISTER', requestUri: `sip:${parts.domain}` })
    .append(Header.MaxForwards, MAX_FORWARDS)
    .append(Header.From, composed(`${identity};tag=${parts.fromTag}`))
    .append(Header.To, identity)
    .append(Header.CallId, composed(terminal.callId))
    .append(Header.CSeq, composed(`${terminal.cseq} REGISTER`))
    .append(Header.Contact, composed(contact))
    .append(Header.Expires, composed(String(parts.expirySeconds)))
    .append(Header.Supported, terminal.isOutbound ? SUPPORTED_OUTBOUND : SUPPORTED)
    .append(parts.isProxys ? Header.ProxyAuthorization : Header.Authorization, parts.authorization)
    .append(Header.UserAgent, USER_AGENT)
}

/** Notes on the registration what the answer says (grant, expiry to ask for, Retry-After) and names the event it is. */
export function noteAnswer(registration: FlowRegistration, response: SipMessage): TerminalEvent {
  registration.retryAfterSeconds = 0
  const { status } = response
  if (status < 300) {
    registration.grant = readGrant(registration, response)
    return 'accepted'
  }
  if (status === 423) return noteMinimum(registration, response)
  if (!RETRIED.has(status)) return 'refused'
  registration.retryAfterSeconds = secondsOf(response.get(Header.RetryAfter)) ?? 0
  return 'failed'
}

/** Answers that later REGISTERs may not meet: RFC 3261 section 21, RFC 5626 section 11.6 (430). */
const RETRIED: ReadonlySet<number> = new Set([408, 430, 480, 486, 491, 500, 502, 503, 504, 580, 600])

/** RFC 3261 section 10.2.8: ask for at least what the registrar honours. */
function noteMinimum(registration: FlowRegistration, response: SipMessage): TerminalEvent {
  const least = secondsOf(response.get(Header.MinExpires))
  if (least === undefined || least <= registration.expiryAskedSeconds) return 'refused'
  registration.expiryAskedSeconds = least
  return 'too-brief'
}

/** RFC 3261 section 10.2.4: its own contact among those returned tells the expiry; a registrar that lists none is taken by Expires. */
function readGrant(registration: FlowRegistration, response: SipMessage): Grant {
  const params = ownContactParams(registration, response)
  const expiry = secondsOf(params === undefined ? undefined : paramOf(params, 'expires')) ?? secondsOf(response.get(Header.Expires)) ?? registration.expiryAskedSeconds
  const before = registration.grant
  return {
    expirySeconds: Math.min(expiry, registration.expiryAskedSeconds),
    publicGruu: kept(uriParam(params, 'pub-gruu'), before?.publicGruu),
    temporaryGruu: kept(uriParam(params, 'temp-gruu'), before?.temporaryGruu),
    serviceRoute: sharedText(response.getAll(Header.ServiceRoute).join(', ')),
    associated: kept(response.getAll(Header.PAssociatedUri).join(', '), before?.associated) ?? '',
  }
}

/** Of the device's contacts the one of this flow; one without a reg-id where the registrar takes no part in RFC 5626. */
function ownContactParams({ terminal, regId }: FlowRegistration, response: SipMessage): string | undefined {
  const wanted = `sip:${contactUser(terminal.device)}@`
  for (const contact of nameAddrs(response, Header.Contact) ?? []) {
    if (contact.uri.startsWith(wanted) && (paramOf(contact.params, 'reg-id') ?? String(regId)) === String(regId)) return contact.params
  }
  return undefined
}

/** What a 200 from a network that takes part in RFC 5626 says of keep-alive (section 10); undefined when it takes no part. */
export function outboundOf(response: SipMessage): { readonly flowTimerSeconds: number | undefined } | undefined {
  if (!listsToken(response, Header.Require, 'outbound')) return undefined
  const seconds = integerOf(response.get(Header.FlowTimer) ?? '', DELTA_SECONDS_MAX)
  return { flowTimerSeconds: seconds === 0 ? undefined : seconds }
}

function uriParam(params: string | undefined, name: string): string | undefined {
  const value = params === undefined ? undefined : paramOf(params, name)
  return value === undefined ? undefined : unquote(value)
}

/** The text as the terminal's own copy, or the copy it has already. */
function kept(text: string | undefined, before: string | undefined): string | undefined {
  return text === undefined || text === before ? before : owned(text)
}

/** delta-seconds, parameters and comments behind it left out (RFC 3261 sections 20.19 and 20.33). */
function secondsOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : integerOf(/^\d*/.exec(text)![0], DELTA_SECONDS_MAX)
}
