/**
 * A part's header block and where its body begins (RFC 2046 section 5.1), with the tolerances initiators need: lines
 * that end in LF alone, indented header names, no header at all, no blank line before `<`. Works on octets of one part.
 */
import { PART_HEADERS_BYTES_MAX, type MimeHeader } from './part.js'

export type HeaderBlock =
  | { readonly ok: true; readonly headers: readonly MimeHeader[]; readonly bodyStart: number }
  | { readonly ok: false; readonly message: string }

const HEADER = /^([!#$%&'*+.^_`|~0-9A-Za-z-]{1,100})[ \t]*:[ \t]*([^]*)$/
/** The fields a push carries (WAP-251 section 5.2): with an indented name they start a header, they do not continue the one above. */
const INDENTED_FIELD = /^[ \t]+(?:content-|x-|cache-control|date|etag|expires|last-modified|age)[a-z-]*[ \t]*:/i
// eslint-disable-next-line no-control-regex -- control characters are exactly what is looked for
const CONTROL = /[\0-\x08\x0a-\x1f\x7f]/

const LF = 0x0a
const CR = 0x0d
const LESS = 0x3c

/** Reads from `start`, the first octet behind the delimiter line, up to at most `end`. */
export function readPartHeaders(bytes: Buffer, start: number, end: number): HeaderBlock {
  const headers: { name: string; value: string }[] = []
  let margin: string | undefined
  let at = start
  while (at < end) {
    const newline = bytes.indexOf(LF, at)
    const lineEnd = newline < 0 || newline >= end ? end : newline
    if (lineEnd - start > PART_HEADERS_BYTES_MAX) return { ok: false, message: `its headers are longer than ${PART_HEADERS_BYTES_MAX} octets` }
    const textEnd = lineEnd > at && bytes[lineEnd - 1] === CR ? lineEnd - 1 : lineEnd
    if (textEnd === at) return { ok: true, headers, bodyStart: Math.min(lineEnd + 1, end) }
    if (startsMarkup(bytes, at, textEnd)) return { ok: true, headers, bodyStart: at }
    const line = bytes.toString('utf8', at, textEnd)
    if (CONTROL.test(line)) return { ok: false, message: `header line ${headers.length + 1} holds a control character` }
    const indent = line.slice(0, line.length - line.trimStart().length)
    if (indent.length === line.length) return { ok: true, headers, bodyStart: Math.min(lineEnd + 1, end) }
    margin ??= indent
    const previous = headers[headers.length - 1]
    if (previous !== undefined && indent.length > margin.length && !INDENTED_FIELD.test(line)) {
      previous.value += ` ${line.trim()}`
    } else {
      const parts = HEADER.exec(line.trim())
      if (parts === null) return { ok: false, message: `"${line.trim().slice(0, 60)}" is not a header field` }
      headers.push({ name: parts[1]!, value: parts[2]! })
    }
    at = lineEnd + 1
  }
  return { ok: true, headers, bodyStart: end }
}

/** Whether the line begins with `<`, which no header field does: an XML body without the blank line before it. */
function startsMarkup(bytes: Buffer, start: number, end: number): boolean {
  let at = start
  while (at < end && (bytes[at] === 0x20 || bytes[at] === 0x09)) at++
  return bytes[at] === LESS
}
