/**
 * What a multipart body is made of, the limits on it, and how a fault is told. Types and a look-up only.
 */

export const PARTS_MAX = 3
/** Octets of one part's header block. */
export const PART_HEADERS_BYTES_MAX = 16 * 1024
/** RFC 2046 section 5.1.1. */
export const BOUNDARY_LENGTH_MAX = 70

export interface MimeHeader {
  /** As sent; compared without regard to case. */
  readonly name: string
  readonly value: string
}

export interface MimePart {
  readonly headers: readonly MimeHeader[]
  /** A slice of the whole body, not a copy; still in its Content-Transfer-Encoding. */
  readonly body: Buffer
}

export interface MimeFailure {
  readonly ok: false
  /** For people: which part, and what is wrong with it. */
  readonly message: string
  /** The parts that were whole before the fault. */
  readonly parts: readonly MimePart[]
}

/** The first value of a header field; `name` in lower case. */
export function headerValue(headers: readonly MimeHeader[], name: string): string | undefined {
  for (const header of headers) {
    if (header.name.length === name.length && header.name.toLowerCase() === name) return header.value
  }
  return undefined
}
