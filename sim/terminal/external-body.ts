/**
 * A body that stands for content elsewhere (RFC 4483, RFC 2046 section 5.2.3): the URL, size, hash and expiry its
 * Content-Type says, and the type the content will have. Reads text; fetches nothing.
 */
import type { WallMillis } from '../../core/kit/time.js'
import { parseContentType } from '../../core/mime/content-type.js'
import { readPartHeaders } from '../../core/mime/part-headers.js'
import { headerValue } from '../../core/mime/part.js'
import { parseDate } from '../../core/sip/date.js'

export interface ExternalBody {
  readonly url: string
  /** Octets, as the sender says. */
  readonly size: number | undefined
  /** SHA-1, 40 hex digits in lower case. */
  readonly sha1: string | undefined
  readonly expiresAt: WallMillis | undefined
  /** Lower case, without parameters; undefined when it is not said. */
  readonly contentType: string | undefined
}

/** Undefined when it is malformed or of an access type that is no URL: answer 400. */
export function parseExternalBody(contentType: string, body: Buffer): ExternalBody | undefined {
  const read = parseContentType(contentType)
  if (read === undefined) return undefined
  const { parameters } = read
  // RFC 4483 section 5: names and the access type without regard to case. Its prose says URI where every example writes URL.
  const url = parameters.get('url') ?? parameters.get('uri')
  if (parameters.get('access-type')?.toLowerCase() !== 'url' || url === undefined || !/^https?:\/\/[^\s"<>]{1,2000}$/i.test(url)) return undefined
  const size = parameters.get('size')
  const hash = parameters.get('hash')
  const expiration = parameters.get('expiration')
  const expiresAt = expiration === undefined ? undefined : parseDate(expiration)
  if ((size !== undefined && !/^\d{1,15}$/.test(size)) || (hash !== undefined && !/^[0-9a-f]{40}$/i.test(hash)) || (expiration !== undefined && expiresAt === undefined)) return undefined
  const inner = readPartHeaders(body, 0, body.length)
  if (!inner.ok) return undefined
  const innerType = headerValue(inner.headers, 'content-type')
  return {
    url, size: size === undefined ? undefined : Number(size), sha1: hash?.toLowerCase(), expiresAt,
    contentType: innerType === undefined ? undefined : parseContentType(innerType)?.mediaType,
  }
}
