/**
 * Range and If-None-Match of an HTTP request, read against one content (RFC 9110 sections 13.1.2 and 14.1.2). What is
 * malformed, or asks for several ranges, is answered by the whole, as the standard allows. Knows headers only.
 */

/** Octets from `start` up to, not including, `end`. */
export interface ByteRange {
  readonly start: number
  readonly end: number
}

const ONE_RANGE = /^bytes=[ \t]*(\d{0,15})-(\d{0,15})[ \t]*$/i

export function rangeOf(header: string | undefined, size: number): ByteRange | 'whole' | 'unsatisfiable' {
  const match = header === undefined ? null : ONE_RANGE.exec(header)
  if (match === null) return 'whole'
  const [, first = '', last = ''] = match
  if (first === '') {
    // The last so many octets.
    if (last === '') return 'whole'
    const length = Math.min(Number(last), size)
    return length === 0 ? 'unsatisfiable' : { start: size - length, end: size }
  }
  const start = Number(first)
  if (last !== '' && Number(last) < start) return 'whole'
  if (start >= size) return 'unsatisfiable'
  return { start, end: last === '' ? size : Math.min(Number(last) + 1, size) }
}

/** Does one of the entity tags name what the one who asks has already? Weak comparison (section 8.8.3.2). */
export function isFresh(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false
  return header.trim() === '*' || header.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag)
}
