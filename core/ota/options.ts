/**
 * Asking one device what it takes: an OPTIONS to its GRUU (RFC 3261 section 11, RFC 5627), and what the answer tells: Allow,
 * Accept, the feature parameters of its Contact (RFC 3840 section 8), and the session description it would give (RFC 4975
 * section 8, RFC 5547 section 8.5). Knows the two messages; not when one is sent, nor what follows from the other.
 */
import { parseDescription } from '../sdp/parse.js'
import { SDP_TYPE } from '../sdp/msrp-media.js'
import { Header, type HeaderId } from '../sip/header-names.js'
import { composed, type HeaderText } from '../sip/header-text.js'
import { SipMessage } from '../sip/message.js'
import { nameAddrs } from '../sip/name-addr.js'
import { paramOf, unquote } from '../sip/params.js'
import { allValues, mediaType } from '../sip/values.js'
import { MAX_FORWARDS, disposition, type Identity } from './identity.js'

/** What a device said of itself. Undefined is: it did not say. */
export interface ToldCapabilities {
  /** SIP methods in upper case. */
  readonly methods: readonly string[] | undefined
  /** Media types and ranges in lower case, of SIP bodies and of MSRP. */
  readonly mediaTypes: readonly string[] | undefined
  /** The largest content over MSRP, octets (RFC 4975 section 8.6). */
  readonly sizeMax: number | undefined
  /** Whether it takes files one by one (RFC 5547). */
  readonly takesFiles: boolean
  /** Push application feature tags in lower case. */
  readonly applications: readonly string[] | undefined
  readonly languages: readonly string[] | undefined
  readonly encodings: readonly string[] | undefined
  /** Model, vendor and version, as it puts it; empty when absent. */
  readonly userAgent: string
}

/** Far above any honest answer. */
const VALUES_MAX = 64
const ACCEPT = composed(SDP_TYPE)
const METHOD = /^[A-Z0-9\-.!%*_+`'~]{1,32}$/
const MEDIA_RANGE = /^[a-z0-9!#$&^_.+*-]{1,127}\/[a-z0-9!#$&^_.+*-]{1,127}$/
const TAG = /^[\x21-\x7e]{1,127}$/

export interface OptionsQuery {
  readonly gruu: string
  /** Unguessable; the local part of the Call-ID. */
  readonly callToken: string
  readonly fromTag: string
  readonly route: HeaderText
}

export function buildOptions(identity: Identity, query: OptionsQuery): SipMessage {
  return new SipMessage({ method: 'OPTIONS', requestUri: query.gruu })
    .append(Header.Route, query.route)
    .append(Header.MaxForwards, MAX_FORWARDS)
    .append(Header.From, identity.from(query.fromTag))
    .append(Header.To, composed(`<${query.gruu}>`))
    .append(Header.CallId, identity.callId(query.callToken))
    .append(Header.CSeq, composed('1 OPTIONS'))
    .append(Header.PAssertedIdentity, identity.asserted)
    .append(Header.RequestDisposition, disposition(true))
    // RFC 3261 section 11.1: it names the description the answer shall hold.
    .append(Header.Accept, ACCEPT)
    .append(Header.UserAgent, identity.userAgent)
}

/** Reads a 2xx, or a refusal that tells Allow all the same (section 11.2: the answer is the one an INVITE would get). Never throws. */
export function readOptions(response: SipMessage): ToldCapabilities {
  const media = mediaOf(response)
  const accepted = response.has(Header.Accept) ? listed(response, Header.Accept).map((value) => mediaType(value).toLowerCase()).filter((type) => MEDIA_RANGE.test(type)) : undefined
  // What MSRP takes says nothing of SIP bodies, so alone it excludes nothing.
  const mediaTypes = accepted === undefined ? undefined : [...new Set([...accepted, ...media.types])].slice(0, VALUES_MAX)
  const contact = nameAddrs(response, Header.Contact)?.[0]
  const methods = response.has(Header.Allow) ? listed(response, Header.Allow) : contact === undefined ? undefined : tagList(contact.params, 'methods')
  return {
    methods: methods === undefined ? undefined : methodNames(methods),
    mediaTypes,
    sizeMax: media.sizeMax,
    takesFiles: media.takesFiles,
    applications: contact === undefined ? undefined : tagList(contact.params, '+g.oma.pusheventapp')?.map((tag) => tag.toLowerCase()).filter((tag) => TAG.test(tag)),
    languages: otherList(response, 'Accept-Language'),
    encodings: response.has(Header.AcceptEncoding) ? listed(response, Header.AcceptEncoding).map(bare) : undefined,
    userAgent: (response.get(Header.Server) ?? response.get(Header.UserAgent) ?? '').slice(0, 256),
  }
}

function mediaOf(response: SipMessage): { readonly types: readonly string[]; readonly sizeMax: number | undefined; readonly takesFiles: boolean } {
  const nothing = { types: [], sizeMax: undefined, takesFiles: false }
  if (response.body.length === 0 || mediaType(response.get(Header.ContentType) ?? '').toLowerCase() !== SDP_TYPE) return nothing
  const { description } = parseDescription(response.body.toString('utf8'))
  const lines = description?.media.filter((line) => line.kind === 'msrp') ?? []
  const types = lines.flatMap((line) => [...line.acceptTypes, ...line.acceptWrappedTypes]).map((type) => (type === '*' ? '*/*' : type)).filter((type) => MEDIA_RANGE.test(type))
  const sizes = lines.flatMap((line) => (line.maxSize === undefined ? [] : [line.maxSize]))
  // The roomiest line decides: an offer is made for one line.
  return { types, sizeMax: sizes.length < lines.length || sizes.length === 0 ? undefined : Math.max(...sizes), takesFiles: lines.some((line) => line.file !== undefined) }
}

function listed(response: SipMessage, id: HeaderId): string[] {
  return allValues(response, id).slice(0, VALUES_MAX)
}

function otherList(response: SipMessage, name: string): readonly string[] | undefined {
  return response.getOther(name)?.split(',').slice(0, VALUES_MAX).map(bare).filter((value) => TAG.test(value))
}

/** Without parameters (`;q=0.5`). */
function bare(value: string): string {
  return value.split(';', 1)[0]!.trim()
}

/** Method names as they are compared, without what is none. */
export function methodNames(names: readonly string[]): string[] {
  return names.map((name) => name.toUpperCase()).filter((name) => METHOD.test(name))
}

/** A feature parameter's values (RFC 3840 section 9); a string in angle brackets is one. Undefined when it is absent. */
export function tagList(params: string, name: string): string[] | undefined {
  const raw = paramOf(params, name)
  return raw === undefined ? undefined : tagsIn(raw)
}

/** The values in the raw value of a feature parameter. */
export function tagsIn(raw: string): string[] {
  const value = unquote(raw)
  return (value.startsWith('<') && value.endsWith('>') ? [value.slice(1, -1)] : value.split(',')).slice(0, VALUES_MAX).map((tag) => tag.trim())
}
