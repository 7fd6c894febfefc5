/**
 * Push application identifiers: the X-Wap-Application-Id header (WAP-251 section 5.2.2.1), the public registry of
 * numeric codes, and the feature tag value that names the application over SIP. Knows no SIP syntax.
 */

/** One application as an initiator named it. */
export interface ApplicationId {
  /** As named; for a numeric code the registered URI. */
  readonly uri: string
  /** The registered or assigned code; undefined where there is none. */
  readonly code: number | undefined
  /** Value of the feature tag `+g.oma.pusheventapp`, e.g. `mms.ua`. */
  readonly featureTag: string
}

/** Scheme prefixes of the registry: the feature tag's value is what stands behind one. */
const PREFIXES = ['x-wap-application:', 'x-oma-application:'] as const

/** The push application id registry's well-known codes. The wildcard 0x00 names no application to deliver to. */
const REGISTRY: readonly (readonly [code: number, uri: string])[] = [
  [0x01, 'x-wap-application:push.sia'],
  [0x02, 'x-wap-application:wml.ua'],
  [0x03, 'x-wap-application:wta.ua'],
  [0x04, 'x-wap-application:mms.ua'],
  [0x05, 'x-wap-application:push.syncml'],
  [0x06, 'x-wap-application:loc.ua'],
  [0x07, 'x-wap-application:syncml.dm'],
  [0x08, 'x-wap-application:drm.ua'],
  [0x09, 'x-wap-application:emn.ua'],
  [0x0a, 'x-wap-application:wv.ua'],
  [0x10, 'x-oma-application:ulp.ua'],
  [0x11, 'x-oma-application:dlota.ua'],
  [0x12, 'x-oma-application:java-ams'],
  [0x13, 'x-oma-application:bcast.ua'],
  [0x14, 'x-oma-application:dpe.ua'],
  [0x15, 'x-oma-application:cpm.ua'],
  [0x16, 'x-oma-application:evvm.ua'],
  [0x17, 'x-oma-application:twinning.ua'],
  [0x18, 'x-oma-application:mobar.ua'],
  [0x19, 'x-oma-application:snew.ua'],
  [0x1a, 'x-wap-application:lwm2m.dm'],
  [0x8000, 'x-wap-microsoft:localcontent.ua'],
  [0x8001, 'x-wap-microsoft:IMclient.ua'],
  [0x9010, 'x-oma-nokia:sip.ua'],
  [0x9023, 'x-3gpp:mbms.service.announcement.ua'],
  [0x9044, 'x-wap-microsoft:cfgmgr.ua'],
  [0x9065, 'x-oma-application:push.scws'],
  [0x9071, 'x-3gpp.gba.andsf.ua'],
]

const URI_BY_CODE: ReadonlyMap<number, string> = new Map(REGISTRY)
const CODE_BY_URI: ReadonlyMap<string, number> = new Map(REGISTRY.map(([code, uri]) => [uri, code]))

const CODE = /^[0-9A-Fa-f]{1,8}$/
const APP_ENCODING = /^\s*app-encoding\s*=\s*([0-9A-Fa-f]{1,8})\s*$/i
/** A URI that can be the value of a quoted feature tag: visible, no quote, no comma, no angle bracket, no `#` or `!`. */
const NAMEABLE = /^[A-Za-z][A-Za-z0-9+.-]*:?[A-Za-z0-9+.:/_%@~-]*$/

/** Without a header the content goes to the WML user agent (WAP-235 section 6.2.3). */
export const DEFAULT_APPLICATION: ApplicationId = ofUri('x-wap-application:wml.ua', undefined)

/**
 * Reads an X-Wap-Application-Id value: an absolute URI, a URI with `;app-encoding=code`, or a code of hexadecimal
 * digits. Undefined for a malformed value, for the wildcard, and for a code that is not registered, because such a
 * code has no name a feature tag could carry.
 */
export function parseApplicationId(header: string | undefined): ApplicationId | undefined {
  if (header === undefined) return DEFAULT_APPLICATION
  const text = header.trim()
  if (CODE.test(text)) {
    const uri = URI_BY_CODE.get(parseInt(text, 16))
    return uri === undefined ? undefined : ofUri(uri, undefined)
  }
  const semicolon = text.indexOf(';')
  const uri = semicolon < 0 ? text : text.slice(0, semicolon).trim()
  const encoding = semicolon < 0 ? null : APP_ENCODING.exec(text.slice(semicolon + 1))
  if ((semicolon >= 0 && encoding === null) || !uri.includes(':') || uri.endsWith(':*') || !NAMEABLE.test(uri)) return undefined
  return ofUri(uri, encoding === null ? undefined : parseInt(encoding[1]!, 16))
}

/** The URI a feature tag stands for: the registered one, else the tag, which then is a URI itself, or has the prefix of WAP's. */
export function applicationUri(featureTag: string): string {
  const lower = featureTag.toLowerCase()
  const registered = REGISTRY.find(([, uri]) => featureTagOf(uri).toLowerCase() === lower)
  return registered?.[1] ?? (featureTag.includes(':') ? featureTag : PREFIXES[0] + featureTag)
}

/** A registered URI has its registered code, whatever code was sent along (WAP-249 section 5.1.2.1.2). */
function ofUri(uri: string, assigned: number | undefined): ApplicationId {
  return { uri, code: CODE_BY_URI.get(uri) ?? assigned, featureTag: featureTagOf(uri) }
}

/** The registry's prefix is dropped; an application outside of it is named by its whole URI. */
function featureTagOf(uri: string): string {
  const lower = uri.toLowerCase()
  for (const prefix of PREFIXES) if (lower.startsWith(prefix) && uri.length > prefix.length) return uri.slice(prefix.length)
  return uri
}
