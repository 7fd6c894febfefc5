/**
 * The headers of a pushed content (WAP-251 section 5.2) on their way to a terminal, by whatever binding. What means the same
 * in SIP and MSRP travels under its own name; what would mean something else there (a SIP Expires is the request's, a SIP
 * Date its sending) travels as `X-Push-<Name>`. From gateway to terminal only. Knows names, no binding.
 */
import { Header, type HeaderId } from '../sip/header-names.js'
import { composed, textOf, type HeaderText } from '../sip/header-text.js'
import type { SipMessage } from '../sip/message.js'
import type { ContentHeader } from '../store/records.js'

/** Of HTTP's headers, which a push message has: taken by SIP for its own, or about a cache SIP does not know. */
const COLLIDING: ReadonlySet<string> = new Set(['age', 'cache-control', 'date', 'expires'])
const COLLIDING_PREFIX = 'X-Push-'

/** Those that travel as they are, with the table's name of those that have one. */
const KEPT: ReadonlyMap<string, HeaderId> = new Map<string, HeaderId>([
  ['content-encoding', Header.ContentEncoding],
  ['content-disposition', Header.ContentDisposition],
  ['content-language', Header.Other],
  ['content-location', Header.Other],
  ['content-md5', Header.Other],
  ['content-range', Header.Other],
  ['etag', Header.Other],
  ['last-modified', Header.Other],
  ['x-wap-content-uri', Header.XWapContentUri],
  ['x-wap-initiator-uri', Header.XWapInitiatorUri],
])

/**
 * The name under which a header of the content entity travels; undefined when it stays behind: the application id, which has a
 * header of every request; Push-Flag and Encoding-Version, which are a gateway's to set, never the initiator's; how the content
 * came in the POST; and whatever is unknown.
 */
export function carriedName(name: string, value: string): string | undefined {
  const lower = name.toLowerCase()
  if (COLLIDING.has(lower)) return COLLIDING_PREFIX + name
  // A terminal would have to understand it (RFC 3261 section 20.11).
  if (lower === 'content-disposition' && /^\s*form-data/i.test(value)) return undefined
  return KEPT.has(lower) || lower.startsWith('x-oma-') ? name : undefined
}

/** Adds them to a request. They are as admission stored them: under the names they travel by, without line breaks. */
export function appendPushHeaders(message: SipMessage, headers: readonly ContentHeader[]): void {
  for (const { name, value } of headers) {
    const id = KEPT.get(name.toLowerCase()) ?? Header.Other
    message.append(id, pushText(id === Header.Other ? `${name}: ${value}` : value))
  }
}

/** Texts that admission found free of line breaks; octets above 127 become UTF-8. */
export function pushText(text: string): HeaderText {
  return textOf(text) ?? composed(text)
}
