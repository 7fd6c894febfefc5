/**
 * Whether a decoded submission can be taken, and if so, as what record: the steps of acceptance that need no store, in
 * the order an initiator is told of them (WAP-249 section 5.1). Knows PAP's rules and the operator's; no queues.
 */
import type { Now, WallMillis } from '../../kit/time.js'
import { carriedName } from '../../ota/push-headers.js'
import { parseApplicationId, type ApplicationId } from '../../pap/application-ids.js'
import type { QualityOfService } from '../../pap/documents.js'
import type { Submission } from '../../pap/submission.js'
import { headerValue } from '../../mime/part.js'
import { textOf } from '../../sip/header-text.js'
import { contentSize, type Content } from '../../store/content.js'
import { PUSH_ID_OCTETS_MAX } from '../../store/keys.js'
import type { BindingName, ContentHeader, Recipient, SubmissionRecord } from '../../store/records.js'
import type { Identities } from './identities.js'
import type { GatewaySettings } from '../settings.js'

/** A refusal by a code that may stand in response-result (WAP-247 section 8.13). */
export interface Refusal {
  readonly ok: false
  readonly code: number
  readonly desc: string
}

export interface Acceptable {
  readonly ok: true
  readonly record: SubmissionRecord
}

/** Networks and bearers a SIP push can honour, in lower case (WAP-259 appendix C names the others). */
const NETWORKS: ReadonlySet<string> = new Set(['any', 'ims', 'sip'])
const BEARERS: ReadonlySet<string> = new Set(['any', 'ims', 'sip'])
/** Bearers of our own that name one binding, for whoever wants to choose. */
const BINDING_BY_BEARER: ReadonlyMap<string, BindingName> = new Map([
  ['sip-message', 'message'], ['sip-msrp', 'session'], ['sip-notify', 'event'], ['sip-indirect', 'indirection'],
])
/** The latest instant a stored row can hold (year 9999). */
const WALL_MAX: WallMillis = 253_402_300_799_000
// eslint-disable-next-line no-control-regex -- control characters are exactly what is looked for
const CONTROL = /[\0-\x1f\x7f]/
const NOTIFY_URL = /^https?:\/\/[^\s/?#@]+(?:[/?#][^\s]*)?$/i
const NOTIFY_URL_LENGTH_MAX = 2_048
const BAD_ADDRESSES_NAMED = 5

/** What the push-id must be before it is used as a key or a header. */
export function pushIdProblem(pushId: string): Refusal | undefined {
  if (CONTROL.test(pushId)) return refuse(2000, 'push-id holds a control character')
  return Buffer.byteLength(pushId) > PUSH_ID_OCTETS_MAX ? refuse(2000, `push-id is longer than ${PUSH_ID_OCTETS_MAX} octets`) : undefined
}

export function check(now: Now, initiator: string, submission: Submission, carried: Content, token: string, identities: Identities, settings: GatewaySettings): Acceptable | Refusal {
  const { control, content } = submission
  const lifetime = lifetimeOf(now, control.deliverBefore, control.deliverAfter, settings)
  if (!lifetime.ok) return lifetime
  const recipients = recipientsOf(control.addresses, identities)
  if (!recipients.ok) return recipients
  const problem = qualityProblem(control.qualityOfService) ?? notifyProblem(control.notifyRequestedTo)
  if (problem !== undefined) return problem
  const application = parseApplicationId(headerValue(content.headers, 'x-wap-application-id'))
  const carriage = contentProblem(submission, carried, settings.selection.sessionOctetsMax, application)
  if (carriage !== undefined || application === undefined) return carriage ?? refuse(2000, 'X-Wap-Application-Id names no application')
  const bearer = BINDING_BY_BEARER.get((control.qualityOfService?.bearer ?? '').toLowerCase())
  const record: SubmissionRecord = {
    acceptedAt: now.wall,
    deliverAfter: lifetime.deliverAfter,
    expiresAt: lifetime.expiresAt,
    hasDeliverBefore: control.deliverBefore !== undefined,
    priority: control.qualityOfService?.priority ?? 'medium',
    deliveryMethod: control.qualityOfService?.deliveryMethod ?? 'notspecified',
    bearer,
    bearerRequired: bearer !== undefined && control.qualityOfService?.bearerRequired === true,
    hasQualityOfService: control.qualityOfService !== undefined,
    // Section 10.3: comparing them is optional, and refusing for want of it (3004) would turn away what may well be
    // delivered; they only decide between 2005 and 2006 when a device turns out to lack the application.
    statesCapabilities: submission.capabilities !== undefined,
    papForm: submission.form,
    initiator,
    pushId: control.pushId,
    notifyUrl: control.notifyRequestedTo ?? '',
    sourceReference: control.sourceReference,
    token,
    applicationId: application.uri,
    featureTag: application.featureTag,
    recipients: recipients.list,
    contentType: content.contentType,
    contentHeaders: carriedHeaders(content.headers),
    content: carried,
  }
  return { ok: true, record }
}

/** Sections 5.1 and 8.2: the window in which it may be delivered. */
function lifetimeOf(now: Now, before: WallMillis | undefined, after: WallMillis | undefined, settings: GatewaySettings) {
  if (before !== undefined && after !== undefined && after >= before) return refuse(2000, 'deliver-after-timestamp is not before deliver-before-timestamp')
  if (before !== undefined && before <= now.wall) return refuse(2001, 'deliver-before-timestamp has passed')
  const deliverAfter = after !== undefined && after > now.wall ? Math.min(after, WALL_MAX) : 0
  return { ok: true as const, deliverAfter, expiresAt: Math.min(before ?? Math.max(now.wall, deliverAfter) + settings.defaultLifetimeMillis, WALL_MAX) }
}

/** One bad address refuses the whole submission (section 8.14.2.3); two that mean one identity are one recipient. */
function recipientsOf(addresses: readonly string[], identities: Identities): { readonly ok: true; readonly list: readonly Recipient[] } | Refusal {
  const list: Recipient[] = []
  const seen = addresses.length > 1 ? new Set<string>() : undefined
  const bad: string[] = []
  for (const address of addresses) {
    const identified = identities.identify(address)
    if (!identified.ok) bad.push(identified.desc)
    else if (seen === undefined || !seen.has(identified.target.uri)) {
      seen?.add(identified.target.uri)
      list.push({ literal: address, uri: identified.target.uri })
    }
  }
  if (bad.length === 0) return { ok: true, list }
  const more = bad.length > BAD_ADDRESSES_NAMED ? ` and ${bad.length - BAD_ADDRESSES_NAMED} more` : ''
  return refuse(2002, `${bad.slice(0, BAD_ADDRESSES_NAMED).join('; ')}${more}`)
}

/** Section 8.2.2: a quality that cannot be honoured must be refused; a preference may be passed over. */
function qualityProblem(quality: QualityOfService | undefined): Refusal | undefined {
  if (quality === undefined) return undefined
  if (quality.networkRequired && !NETWORKS.has((quality.network ?? '').toLowerCase())) {
    return refuse(3009, `network "${quality.network ?? ''}" is required; this gateway delivers over IMS`)
  }
  const bearer = (quality.bearer ?? '').toLowerCase()
  if (quality.bearerRequired && !BEARERS.has(bearer) && !BINDING_BY_BEARER.has(bearer)) {
    return refuse(3010, `bearer "${quality.bearer ?? ''}" is required; this gateway delivers by SIP-MESSAGE, SIP-MSRP, SIP-NOTIFY or SIP-INDIRECT`)
  }
  return undefined
}

function notifyProblem(url: string | undefined): Refusal | undefined {
  if (url === undefined || (url.length <= NOTIFY_URL_LENGTH_MAX && NOTIFY_URL.test(url) && !CONTROL.test(url))) return undefined
  return refuse(2000, 'ppg-notify-requested-to is not an http or https URL without user information')
}

function contentProblem({ content }: Submission, carried: Content, octetsMax: number, application: ApplicationId | undefined): Refusal | undefined {
  const octets = contentSize(carried)
  if (octets > octetsMax) return refuse(2006, `the content has ${octets} octets; this gateway delivers up to ${octetsMax}`)
  if (application === undefined) return refuse(2000, 'X-Wap-Application-Id names no application')
  if (textOf(content.contentType) === undefined || content.headers.some((header) => CONTROL.test(header.name) || textOf(header.value) === undefined)) {
    return refuse(2000, 'a header of the content holds a line break')
  }
  return undefined
}

const NO_HEADERS: readonly ContentHeader[] = []

function carriedHeaders(headers: readonly ContentHeader[]): readonly ContentHeader[] {
  let carried: ContentHeader[] | undefined
  for (const { name, value } of headers) {
    const carriedAs = carriedName(name, value)
    if (carriedAs !== undefined) (carried ??= []).push({ name: carriedAs, value })
  }
  return carried ?? NO_HEADERS
}

function refuse(code: number, desc: string): Refusal {
  return { ok: false, code, desc }
}
