/**
 * Content indirection (RFC 4483): a push whose body is a reference to its content, `message/external-body` with the URL it
 * is fetched from. Knows what a reference looks like on the wire; not where contents lie, nor when they are fetched.
 */
import { rfc1123Text } from '../kit/calendar.js'
import type { WallMillis } from '../kit/time.js'
import type { ContentHeader, SubmissionRecord } from '../store/records.js'

/** What a receiver must know of a content that it is to fetch. */
export interface ContentReference {
  /** http or https (RFC 4483 section 5.1); visible ASCII without quotes. */
  readonly url: string
  /** From then on it is gone. */
  readonly expiresAt: WallMillis
  /** Octets. */
  readonly size: number
  /** SHA-1 of the whole, hexadecimal. */
  readonly sha1: string
  /** The host of the Content-ID, which is made of the hash: the same content has the same, another one another (section 5.6). */
  readonly host: string
}

/**
 * The value of Content-Type. The expiration is a GMT date (section 5.7); the prose of section 5.4 calls the parameter `URI`,
 * every example `URL`, which is what is written.
 */
export function referenceType({ url, expiresAt, size, sha1 }: ContentReference): string {
  return `message/external-body;access-type="URL";expiration="${rfc1123Text(expiresAt)}";URL="${url}";size=${size};hash=${sha1.toUpperCase()}`
}

/** What describes the content itself travels with the reference, not with the message around it. */
const OF_THE_CONTENT = /^content-/i

/**
 * The body: header lines about the content, then an empty line. Content-Type says what is fetched (section 5.8);
 * Content-Disposition is a must (section 5.10).
 */
export function referenceBody({ sha1, host }: ContentReference, contentType: string, contentHeaders: readonly ContentHeader[]): Buffer {
  let text = `Content-Type: ${contentType}\r\n`
  let hasDisposition = false
  for (const { name, value } of contentHeaders) {
    if (!OF_THE_CONTENT.test(name) || name.toLowerCase() === 'content-id') continue
    hasDisposition ||= name.toLowerCase() === 'content-disposition'
    text += `${name}: ${value}\r\n`
  }
  if (!hasDisposition) text += 'Content-Disposition: attachment\r\n'
  return Buffer.from(`${text}Content-ID: <${sha1}@${host}>\r\n\r\n`)
}

/** The push as it is carried in place of its content. */
export function referring(submission: SubmissionRecord, reference: ContentReference): SubmissionRecord {
  const { contentType, contentHeaders } = submission
  return {
    ...submission,
    contentType: referenceType(reference),
    contentHeaders: contentHeaders.filter(({ name }) => !OF_THE_CONTENT.test(name)),
    content: referenceBody(reference, contentType, contentHeaders),
  }
}
