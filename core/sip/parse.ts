/**
 * From the octets of one message to a `SipMessage`: RFC 3261 sections 7 and 25.1. One forward scan finds the lines and
 * names the headers; values are cut out as text and understood later by whoever asks. Knows lines, names and the rules
 * that decide where a message ends; validate.ts knows what a whole message must hold.
 */
import { headerIdAt } from './header-lookup.js'
import { Header } from './header-names.js'
import { parsedText } from './header-text.js'
import { SipMessage } from './message.js'
import type { ParseResult, SipProblem } from './problem.js'
import { TOKEN, skipClass, skipSpace, trimSpace } from './scan.js'
import { DELTA_SECONDS_MAX, integerOf } from './values.js'

/** What stands before the body. */
export interface Head {
  readonly message: SipMessage
  /** Why this message must not be used, with the status to answer; the lines that could be read are in `message`. */
  readonly fault: Fault | undefined
  /** The index behind the empty line, or the end of the input when that line is missing. */
  readonly bodyStart: number
  /** What was decoded with the head and lies behind it, one character per octet. */
  readonly rest: string
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
  if (head.fault !== undefined) return problemResult(head.message, head.fault)
  if (head.contentLength > there) {
    return problemResult(head.message, { status: 400, what: `Content-Length is ${head.contentLength}, but only ${there} octets of body came` })
  }
  const length = head.contentLength < 0 ? there : head.contentLength
  if (length > 0) head.message.setBodyText(head.rest.slice(0, length))
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

// The message at hand. Parsing is one synchronous call, so there is only ever one; its state lives here to cost nothing.
let text = ''
/** The next CR, LF, NUL and colon at or behind the line at hand; `text.length` when there is none. Searched once each. */
let cr = 0
let lf = 0
let nul = 0
let colon = 0
let contentLength = -1
let fault: Fault | undefined
/** Set by `endOfLine` when the line must not be used; whoever reads a line clears it before. */
let spoilt = false

function fail(status: number, what: string): void {
  if (fault === undefined) fault = { status, what }
}

/** Reads start line and header lines between `start` and `end`. Leading line breaks are skipped (section 7.5). */
export function parseHead(bytes: Buffer, start: number, end: number): Head {
  while (start < end && (bytes[start] === 13 || bytes[start] === 10)) start++
  text = bytes.toString('latin1', start, end)
  cr = lf = nul = colon = contentLength = -1
  fault = undefined
  spoilt = false
  const lineEnd = endOfLine(0)
  const isResponse = text.charCodeAt(3) === 47 && /^SIP\//i.test(text)
  const message = isResponse ? readStatusLine(lineEnd) : readRequestLine(lineEnd)
  const bodyStart = readHeaders(message, bytes, start, lineEnd + 2)
  const rest = text.slice(bodyStart - start)
  text = ''
  return { message, fault, bodyStart, rest, contentLength }
}

/** The index of the CR that ends the line which holds `at`, or the end of the text. Says so when the line holds what no line may. */
function endOfLine(at: number): number {
  if (cr < at) cr = find('\r', at)
  if (lf < at) lf = find('\n', at)
  let isSpoilt = false
  if (lf !== cr + 1) {
    isSpoilt = cr < text.length || lf < text.length
    while (lf < text.length && text.charCodeAt(lf - 1) !== 13) lf = find('\n', lf + 1)
  }
  const end = lf < text.length ? lf - 1 : text.length
  if (nul < at) nul = find('\0', at)
  // Section 25.1: a quoted-pair may be a backslash and NUL, but never CR or LF.
  for (; nul < end; nul = find('\0', nul + 1)) if (text.charCodeAt(nul - 1) !== 92) isSpoilt = true
  if (isSpoilt) {
    spoilt = true
    fail(400, 'a line holds a lone CR, a lone LF or a NUL; lines end with CR LF')
  }
  return end
}

function find(character: string, at: number): number {
  const index = text.indexOf(character, at)
  return index < 0 ? text.length : index
}

/** Reads every header line into the message and returns where, in `bytes`, the body starts. Section 7.3.1. */
function readHeaders(message: SipMessage, bytes: Buffer, start: number, at: number): number {
  while (at < text.length) {
    spoilt = false
    let end = endOfLine(at)
    if (end === at) return start + at + 2
    const lineEnd = end
    while (isSpace(bytes[start + end + 2])) end = endOfLine(end + 2)
    if (colon < at) colon = find(':', at)
    if (colon > lineEnd) fail(400, `a header line has no colon: ${JSON.stringify(text.slice(at, Math.min(lineEnd, at + 40)))}`)
    else if (!spoilt && end < text.length) readLine(message, bytes, start, at, end, end > lineEnd)
    at = end + 2
  }
  fail(400, 'the message ends before the empty line that ends its header section')
  return start + text.length
}

function isSpace(octet: number | undefined): boolean {
  return octet === 32 || octet === 9
}

/** One line from its name to `end`, with the colon where `colon` says. */
function readLine(message: SipMessage, bytes: Buffer, start: number, at: number, end: number, isFolded: boolean): void {
  let nameEnd = colon
  while (nameEnd > at && isSpace(bytes[start + nameEnd - 1])) nameEnd--
  const id = headerIdAt(bytes, start + at, start + nameEnd)
  if (id === Header.Other && (nameEnd === at || skipClass(text, at, TOKEN) !== nameEnd)) {
    return fail(400, `a header line has no name that is a token: ${JSON.stringify(text.slice(at, Math.min(end, at + 40)))}`)
  }
  if (message.ids.length === HEADER_LINES_MAX) return fail(400, `more than ${HEADER_LINES_MAX} header lines`)
  let valueStart = id === Header.Other ? at : colon + 1
  while (isSpace(bytes[start + valueStart])) valueStart++
  let valueEnd = end
  while (valueEnd > valueStart && isSpace(bytes[start + valueEnd - 1])) valueEnd--
  let value = text.slice(valueStart, valueEnd)
  // Section 7.3.1: a line break with the spaces behind it reads as one space.
  if (isFolded) value = trimSpace(text.slice(valueStart, end).replace(/\r\n[ \t]+/g, ' '))
  message.append(id, parsedText(value))
  if (id === Header.ContentLength) noteContentLength(value)
  else if (id === Header.CSeq && message.status !== 0 && message.method === '') message.method = value.slice(skipSpace(value, skipClass(value, 0, TOKEN)))
}

/** Sections 18.3 and 20.14. Two lengths, even equal ones, are refused: the next hop might believe the other one. */
function noteContentLength(value: string): void {
  const length = integerOf(value, DELTA_SECONDS_MAX)
  if (contentLength !== -1) fail(400, 'more than one Content-Length')
  else if (length === undefined) fail(400, `Content-Length is ${JSON.stringify(value.slice(0, 40))}; a count of octets would be right`)
  contentLength = contentLength === -1 ? length ?? -2 : -2
}

/** Section 7.1: three parts with one space between each, and nothing else. */
function readRequestLine(length: number): SipMessage {
  if (spoilt) return new SipMessage({ method: '' })
  const first = text.indexOf(' ')
  const second = text.indexOf(' ', first + 1)
  if (first <= 0 || first >= length || second < 0 || second >= length) {
    fail(400, `the first line is not a request line: ${quote(text.slice(0, length))}`)
    return new SipMessage({ method: methodAt(first > 0 && first < length ? first : length) })
  }
  const message = new SipMessage({ method: methodAt(first), requestUri: text.slice(first + 1, second) })
  if (message.method === '') fail(400, `the method is not a token: ${quote(text.slice(0, first))}`)
  if (length !== second + 8 || !text.startsWith('SIP/2.0', second + 1)) checkVersion(text.slice(second + 1, length))
  return message
}

/** Section 7.1: compared without regard to case; another version is answered 505 (section 21.5.6). */
function checkVersion(version: string): void {
  if (version.toUpperCase() === 'SIP/2.0') return
  if (/^SIP\/\d+\.\d+$/i.test(version)) fail(505, `the version is ${quote(version)}; only SIP/2.0 is spoken here`)
  else fail(400, `the request line does not end with one space and SIP/2.0 behind the Request-URI, but with ${quote(version)}`)
}

/** Section 7.2: the reason may be empty, the space before it may not be missing. */
function readStatusLine(length: number): SipMessage {
  const parts = spoilt ? null : /^SIP\/2\.0 ([1-6]\d\d) (.*)$/i.exec(text.slice(0, length))
  if (parts !== null) return new SipMessage({ method: '', status: Number(parts[1]), reason: parts[2]! })
  fail(400, `the first line is not a status line: ${quote(text.slice(0, length))}`)
  return new SipMessage({ method: '', status: UNREADABLE_STATUS })
}

/** Stands for the status of a response whose first line is malformed. */
const UNREADABLE_STATUS = 999

const METHODS = ['MESSAGE', 'REGISTER', 'INVITE', 'ACK', 'BYE', 'CANCEL', 'OPTIONS', 'SUBSCRIBE', 'NOTIFY', 'PUBLISH', 'REFER', 'INFO', 'UPDATE', 'PRACK']

/** The method as a string that is shared when it is a usual one; '' when it is not a token. Case-sensitive (section 7.1). */
function methodAt(end: number): string {
  for (const method of METHODS) if (method.length === end && text.startsWith(method)) return method
  return end > 0 && skipClass(text, 0, TOKEN) >= end ? text.slice(0, end) : ''
}

function quote(part: string): string {
  return JSON.stringify(part.slice(0, 80))
}
