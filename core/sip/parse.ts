/**
 * From the octets of one message to a `SipMessage`: RFC 3261 sections 7 and 25.1. One forward scan finds the lines and
 * names the headers; values are cut out as text and understood later by whoever asks. Knows lines, names and the rules
 * that decide where a message ends; validate.ts knows what a whole message must hold.
 */
import { hashName, headerIdAt } from './header-lookup.js'
import { Header, type HeaderId } from './header-names.js'
import { parsedText } from './header-text.js'
import { SipMessage } from './message.js'
import type { ParseResult, SipProblem } from './problem.js'
import { CLASS, TOKEN, skipClass, skipSpace, trimSpace } from './scan.js'
import { DELTA_SECONDS_MAX, integerOf } from './values.js'

/** What stands before the body. */
export interface Head {
  readonly message: SipMessage
  /** Why this message must not be used, with the status to answer; the lines that could be read are in `message`. */
  readonly fault: Fault | undefined
  /** The index behind the empty line, or the end of the input when that line is missing. */
  readonly bodyStart: number
  /** -1 when there is no Content-Length, -2 when there is no telling (malformed, or several). */
  readonly contentLength: number
}

export interface Fault {
  readonly status: number
  readonly what: string
}

/**
 * Reads one message: a datagram, or what the framer cut out of a stream. Octets behind Content-Length are dropped; a
 * request with fewer is answered 400, a response dropped (section 18.3). The octets may be reused afterwards.
 */
export function parseMessage(bytes: Buffer, end = bytes.length): ParseResult {
  const head = parseHead(bytes, 0, end)
  const there = end - head.bodyStart
  const length = head.contentLength < 0 ? there : Math.min(head.contentLength, there)
  if (head.contentLength > there && head.fault === undefined) {
    return problemResult(head.message, { status: 400, what: `Content-Length is ${head.contentLength}, but only ${there} octets of body came` })
  }
  return finish(head, bytes, head.bodyStart, length)
}

/** Gives a head its body (copied, since the input belongs to the driver) and makes a result of it. */
export function finish(head: Head, bytes: Buffer, bodyStart: number, bodyLength: number): ParseResult {
  if (head.fault !== undefined) return problemResult(head.message, head.fault)
  if (bodyLength > 0) {
    const body = Buffer.allocUnsafe(bodyLength)
    bytes.copy(body, 0, bodyStart, bodyStart + bodyLength)
    head.message.body = body
  }
  return { message: head.message, problem: undefined }
}

export function problemResult(message: SipMessage, fault: Fault): ParseResult {
  return { message: undefined, problem: problemOf(message, fault) }
}

/** A response is never answered, nor is an ACK (sections 18.1.2 and 17.1.1.3), nor anything without a Via. */
export function problemOf(message: SipMessage, fault: Fault): SipProblem {
  if (!message.isRequest) return { of: 'response', what: fault.what, status: 0, message }
  return { of: 'request', what: fault.what, status: fault.status, message: message.method !== 'ACK' && message.has(Header.Via) ? message : undefined }
}

/** More header lines than this in one message are refused: no honest one comes near. */
export const HEADER_LINES_MAX = 1_024

/** The lines found by `scanLines`, four numbers each: header id, start and end of the value (of the whole line for `Other`), 1 when folded. */
const lines = new Int32Array(4 * HEADER_LINES_MAX)
let lineCount = 0
let contentLength = -1
let lineFault: Fault | undefined
let spoiltLines = 0

/** Reads start line and header lines between `start` and `end`. Leading line breaks are skipped (section 7.5). */
export function parseHead(bytes: Buffer, start: number, end: number): Head {
  while (start < end && (bytes[start] === 13 || bytes[start] === 10)) start++
  lineCount = 0
  contentLength = -1
  lineFault = undefined
  spoiltLines = 0
  const startLineEnd = endOfLine(bytes, start, end)
  const startLineSpoilt = spoiltLines > 0
  const bodyStart = scanLines(bytes, startLineEnd + 2, end)
  const text = bytes.toString('latin1', start, bodyStart)
  const length = startLineEnd - start
  const isResponse = text.charCodeAt(3) === 47 && /^SIP\//i.test(text)
  const message = startLineSpoilt ? new SipMessage({ method: '' , status: isResponse ? UNREADABLE_STATUS : 0 }) : isResponse ? readStatusLine(text, length) : readRequestLine(text, length)
  for (let mark = 0; mark < 4 * lineCount; mark += 4) {
    const id = lines[mark] as HeaderId
    const value = text.slice(lines[mark + 1]! - start, lines[mark + 2]! - start)
    message.ids.push(id)
    // Section 7.3.1: a line break with the spaces behind it reads as one space.
    message.values.push(parsedText(lines[mark + 3] === 1 ? trimSpace(value.replace(/\r\n[ \t]+/g, ' ')) : value))
    if (isResponse && id === Header.CSeq && message.method === '') message.method = value.slice(skipSpace(value, skipClass(value, 0, TOKEN)))
  }
  return { message, fault: lineFault, bodyStart, contentLength }
}

function fail(status: number, what: string): void {
  if (lineFault === undefined) lineFault = { status, what }
}

/** The index of the CR that ends the line, or the end of the input. A line with an octet that no line may hold is counted in `spoiltLines`. */
function endOfLine(bytes: Buffer, at: number, end: number): number {
  let spoilt = false
  let index = at
  for (; index < end; index++) {
    const octet = bytes[index]!
    if (octet > 13) continue
    if (octet === 13 && index + 1 < end && bytes[index + 1] === 10) break
    // Section 25.1: a quoted-pair may be a backslash and NUL, but never CR or LF.
    if (octet === 13 || octet === 10 || (octet === 0 && bytes[index - 1] !== 92)) spoilt = true
  }
  if (spoilt) {
    spoiltLines++
    fail(400, 'a line holds a lone CR, a lone LF or a NUL; lines end with CR LF')
  }
  return index
}

/** Marks every header line and returns where the body starts. Section 7.3.1. */
function scanLines(bytes: Buffer, start: number, end: number): number {
  let at = start
  while (at < end) {
    let octet = bytes[at]!
    if (octet === 13 && at + 1 < end && bytes[at + 1] === 10) return at + 2
    let index = at
    let hash = 0
    while ((CLASS[octet]! & TOKEN) !== 0) {
      hash = hashName(hash, octet)
      if (++index === end) break
      octet = bytes[index]!
    }
    const nameEnd = index
    while (index < end && (bytes[index] === 32 || bytes[index] === 9)) index++
    if (index < end && bytes[index] === 58 && nameEnd > at) {
      at = markLine(bytes, at, nameEnd, hash, index + 1, end)
    } else {
      const lineEnd = endOfLine(bytes, at, end)
      fail(400, `a header line has no name and colon: ${JSON.stringify(bytes.toString('latin1', at, Math.min(lineEnd, at + 40)))}`)
      at = lineEnd + 2
    }
  }
  fail(400, 'the message ends before the empty line that ends its header section')
  return end
}

/** Marks the line whose name ends at `nameEnd` and whose value begins at or after `at`; returns the start of the next line. */
function markLine(bytes: Buffer, lineStart: number, nameEnd: number, hash: number, at: number, end: number): number {
  while (at < end && (bytes[at] === 32 || bytes[at] === 9)) at++
  const spoiltBefore = spoiltLines
  let valueEnd = endOfLine(bytes, at, end)
  const next = valueEnd + 2
  if (next < end && (bytes[next] === 32 || bytes[next] === 9)) return markFolded(bytes, lineStart, nameEnd, hash, at, end)
  while (valueEnd > at && (bytes[valueEnd - 1] === 32 || bytes[valueEnd - 1] === 9)) valueEnd--
  if (spoiltLines === spoiltBefore) addMark(bytes, lineStart, headerIdAt(bytes, lineStart, nameEnd, hash), at, valueEnd, 0)
  return next
}

function markFolded(bytes: Buffer, lineStart: number, nameEnd: number, hash: number, at: number, end: number): number {
  const spoiltBefore = spoiltLines
  let valueEnd = endOfLine(bytes, at, end)
  while (valueEnd + 2 < end && (bytes[valueEnd + 2] === 32 || bytes[valueEnd + 2] === 9)) valueEnd = endOfLine(bytes, valueEnd + 2, end)
  // An input that stops behind a line break leaves it in place; such a line is not whole.
  if (spoiltLines === spoiltBefore && valueEnd < end) addMark(bytes, lineStart, headerIdAt(bytes, lineStart, nameEnd, hash), at, valueEnd, 1)
  return valueEnd + 2
}

function addMark(bytes: Buffer, lineStart: number, id: HeaderId, valueStart: number, valueEnd: number, folded: 0 | 1): void {
  if (lineCount === HEADER_LINES_MAX) return fail(400, `more than ${HEADER_LINES_MAX} header lines`)
  if (id === Header.ContentLength) noteContentLength(bytes.toString('latin1', valueStart, valueEnd))
  const mark = 4 * lineCount++
  lines[mark] = id
  lines[mark + 1] = id === Header.Other ? lineStart : valueStart
  lines[mark + 2] = valueEnd
  lines[mark + 3] = folded
}

/** Sections 18.3 and 20.14. Two lengths, even equal ones, are refused: the next hop might believe the other one. */
function noteContentLength(value: string): void {
  if (contentLength !== -1) {
    contentLength = -2
    return fail(400, 'more than one Content-Length')
  }
  const length = integerOf(trimSpace(value.replace(/\r\n/g, ' ')), DELTA_SECONDS_MAX)
  contentLength = length ?? -2
  if (length === undefined) fail(400, `Content-Length is ${JSON.stringify(value.slice(0, 40))}; a count of octets would be right`)
}

/** Section 7.1: three parts with one space between each, and nothing else. */
function readRequestLine(text: string, length: number): SipMessage {
  const first = text.indexOf(' ')
  const second = text.indexOf(' ', first + 1)
  if (first <= 0 || first >= length || second < 0 || second >= length) {
    fail(400, `the first line is not a request line: ${quote(text, length)}`)
    return new SipMessage({ method: methodAt(text, first > 0 && first < length ? first : length) })
  }
  const message = new SipMessage({ method: methodAt(text, first), requestUri: text.slice(first + 1, second) })
  if (message.method === '') fail(400, `the method is not a token: ${quote(text, first)}`)
  if (length !== second + 8 || !text.startsWith('SIP/2.0', second + 1)) checkVersion(text.slice(second + 1, length))
  return message
}

/** Section 7.1: compared without regard to case; another version is answered 505 (section 21.5.6). */
function checkVersion(version: string): void {
  if (version.toUpperCase() === 'SIP/2.0') return
  if (/^SIP\/\d+\.\d+$/i.test(version)) fail(505, `the version is ${quote(version, version.length)}; only SIP/2.0 is spoken here`)
  else fail(400, `the request line does not end with one space and SIP/2.0 behind the Request-URI, but with ${quote(version, version.length)}`)
}

/** Section 7.2: the reason may be empty, the space before it may not be missing. */
function readStatusLine(text: string, length: number): SipMessage {
  const line = text.slice(0, length)
  const parts = /^SIP\/2\.0 ([1-6]\d\d) (.*)$/i.exec(line)
  if (parts !== null) return new SipMessage({ method: '', status: Number(parts[1]), reason: parts[2]! })
  fail(400, `the first line is not a status line: ${quote(text, length)}`)
  return new SipMessage({ method: '', status: UNREADABLE_STATUS })
}

/** Stands for the status of a response whose first line is malformed. */
const UNREADABLE_STATUS = 999

const METHODS = ['MESSAGE', 'REGISTER', 'INVITE', 'ACK', 'BYE', 'CANCEL', 'OPTIONS', 'SUBSCRIBE', 'NOTIFY', 'PUBLISH', 'REFER', 'INFO', 'UPDATE', 'PRACK']

/** The method as a string that is shared when it is a usual one; '' when it is not a token. Case-sensitive (section 7.1). */
function methodAt(text: string, end: number): string {
  for (const method of METHODS) if (method.length === end && text.startsWith(method)) return method
  return end > 0 && skipClass(text, 0, TOKEN) >= end ? text.slice(0, end) : ''
}

function quote(text: string, length: number): string {
  return JSON.stringify(text.slice(0, Math.min(length, 80)))
}
