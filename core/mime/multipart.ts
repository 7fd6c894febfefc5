/**
 * The parts of a whole multipart body (RFC 2046 section 5.1), in one pass with time linear in its length. A delimiter
 * is the exact boundary at the start of a line, padding allowed behind it; preamble and epilogue are passed over.
 */
import { BOUNDARY_LENGTH_MAX, PARTS_MAX, type MimeFailure, type MimePart } from './part.js'
import { readPartHeaders } from './part-headers.js'

export interface Multipart {
  readonly ok: true
  readonly parts: readonly MimePart[]
}

interface Delimiter {
  /** Offset of the line break that belongs to the delimiter, or of its first dash at the very start. */
  readonly start: number
  /** First octet behind the delimiter line. */
  readonly end: number
  readonly closing: boolean
}

const LF = 0x0a
const CR = 0x0d
const DASH = 0x2d

/** Splits at most `PARTS_MAX` parts; a body without closing delimiter is a fault, because it may be cut off. */
export function splitMultipart(body: Buffer, boundary: string): Multipart | MimeFailure {
  const parts: MimePart[] = []
  if (boundary.length === 0 || boundary.length > BOUNDARY_LENGTH_MAX) {
    return { ok: false, message: `the boundary must have 1 to ${BOUNDARY_LENGTH_MAX} characters`, parts }
  }
  const needle = Buffer.from(`--${boundary}`, 'latin1')
  let delimiter = nextDelimiter(body, needle, 0)
  if (delimiter === undefined) return { ok: false, message: `the body holds no line --${boundary}`, parts }
  while (!delimiter.closing) {
    const name = `part ${parts.length + 1}`
    if (parts.length === PARTS_MAX) return { ok: false, message: `the body has more than ${PARTS_MAX} parts`, parts }
    const next = nextDelimiter(body, needle, delimiter.end)
    if (next === undefined) return { ok: false, message: `${name} has no end: the line --${boundary}-- is missing`, parts }
    // The line break before the next delimiter belongs to it, unless the part is empty and the break ends this delimiter.
    const end = Math.max(next.start, delimiter.end)
    const block = readPartHeaders(body, delimiter.end, end)
    if (!block.ok) return { ok: false, message: `${name}: ${block.message}`, parts }
    parts.push({ headers: block.headers, body: body.subarray(block.bodyStart, end) })
    delimiter = next
  }
  return parts.length === 0 ? { ok: false, message: 'the body has no part', parts } : { ok: true, parts }
}

function nextDelimiter(body: Buffer, needle: Buffer, from: number): Delimiter | undefined {
  for (let at = body.indexOf(needle, from); at >= 0; at = body.indexOf(needle, at + 1)) {
    if (at !== 0 && body[at - 1] !== LF) continue
    let end = at + needle.length
    const closing = body[end] === DASH && body[end + 1] === DASH
    if (closing) end += 2
    while (body[end] === 0x20 || body[end] === 0x09) end++
    if (body[end] === CR && body[end + 1] === LF) end += 2
    else if (body[end] === LF) end += 1
    else if (end !== body.length) continue
    const start = at === 0 ? 0 : at >= 2 && body[at - 2] === CR ? at - 2 : at - 1
    return { start, end, closing }
  }
  return undefined
}
