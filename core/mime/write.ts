/**
 * A multipart body from its parts: CRLF lines, no preamble, no epilogue, and a boundary that occurs in no part.
 */
import { assert } from '../kit/assert.js'
import type { MimeHeader, MimePart } from './part.js'

const BOUNDARY = 'pushbench-part'

/** A boundary that no part's body holds; the same for the same parts. */
export function boundaryFor(parts: readonly MimePart[]): string {
  let boundary = BOUNDARY
  for (let attempt = 1; parts.some((part) => part.body.includes(`--${boundary}`)); attempt++) boundary = `${BOUNDARY}-${attempt}`
  return boundary
}

/** The body; its Content-Type needs the same boundary. */
export function writeMultipart(parts: readonly MimePart[], boundary: string): Buffer {
  const pieces: Buffer[] = []
  for (const part of parts) {
    const opening = pieces.length === 0 ? `--${boundary}\r\n` : `\r\n--${boundary}\r\n`
    pieces.push(Buffer.from(`${opening}${headerLines(part.headers)}\r\n`), part.body)
  }
  pieces.push(Buffer.from(`\r\n--${boundary}--\r\n`))
  return Buffer.concat(pieces)
}

/** Header lines, each with its CRLF. */
export function headerLines(headers: readonly MimeHeader[]): string {
  let lines = ''
  for (const header of headers) {
    assert(!/[\r\n\0]/.test(header.value), `header ${header.name} of a part holds a line break`)
    lines += `${header.name}: ${header.value}\r\n`
  }
  return lines
}
