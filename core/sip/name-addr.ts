/**
 * `[ display-name ] "<" URI ">"` or a bare URI, with header parameters behind: From, To, Contact, Route, Record-Route,
 * Path, P-Asserted-Identity and their like (RFC 3261 sections 20.10 and 25.1). The URI stays text until `parseUri`.
 */
import { Header, type HeaderId } from './header-names.js'
import { type HeaderText, composed, readable } from './header-text.js'
import type { SipMessage } from './message.js'
import { unquote } from './params.js'
import { TOKEN, found, isIn, skipClass, skipParams, skipQuoted, skipSpace, trimSpace } from './scan.js'
import { type Uri, parseUri } from './uri.js'

export interface NameAddr {
  /** Readable, without quotes and escapes; undefined when there is none. */
  readonly display: string | undefined
  /** As written between the brackets, or bare up to its first semicolon; any scheme. */
  readonly uri: string
  /** The header parameters, raw, with the leading semicolon: see params.ts. */
  readonly params: string
  /** The index in the line behind this value: at a comma, or the end. */
  readonly end: number
}

/** Where `scanAddress` found the URI and where the parameters begin. */
const address = { uriStart: 0, uriEnd: 0, behind: 0 }

/** The value that starts at `start`; undefined when it is malformed. */
export function parseNameAddr(line: string, start = 0): NameAddr | undefined {
  if (!scanAddress(line, start)) return undefined
  const { uriStart, uriEnd, behind } = address
  const end = skipParams(line, behind, '')
  if (end < 0) return undefined
  return { display: displayOf(line, start, uriStart), uri: line.slice(uriStart, uriEnd), params: trimSpace(line.slice(behind, end)), end }
}

/** Every value of every line with this id; undefined as soon as one is malformed. */
export function nameAddrs(message: SipMessage, id: HeaderId): NameAddr[] | undefined {
  const list: NameAddr[] = []
  for (let index = 0; index < message.ids.length; index++) {
    if (message.ids[index] !== id) continue
    const line = message.values[index]!
    for (let start = 0; start < line.length; ) {
      const value = parseNameAddr(line, start)
      if (value === undefined) return undefined
      list.push(value)
      start = value.end + 1
    }
  }
  return list
}

/** The URI of the first value of this header; undefined when absent, malformed or of a scheme `parseUri` does not know. */
export function uriOf(message: SipMessage, id: HeaderId): Uri | undefined {
  const line = message.get(id)
  if (line === undefined || !scanAddress(line, 0)) return undefined
  return parseUri(line.slice(address.uriStart, address.uriEnd))
}

/** The tag of From or To; '' when it has none or the value is malformed. Case-sensitive, byte for byte (section 19.3). */
export function tagOf(message: SipMessage, id: typeof Header.From | typeof Header.To): string {
  const line = message.get(id)
  if (line === undefined || !scanAddress(line, 0) || skipParams(line, address.behind, 'tag') < 0 || found.start < 0) return ''
  return line.slice(found.start, found.end)
}

/** Is this line a list of well-formed values, at most `most` of them? Cuts nothing, so validate.ts can ask it of every message. */
export function isNameAddrLine(line: string, most: number): boolean {
  for (let start = 0, count = 0; ; count++) {
    if (count === most || !scanAddress(line, start)) return false
    const end = skipParams(line, address.behind, '')
    if (end < 0) return false
    if (end >= line.length) return true
    start = end + 1
  }
}

/** `"display" <uri>;params` with everything quoted that needs it; the URI always in brackets. */
export function nameAddrText(uri: string, params = '', display?: HeaderText): HeaderText {
  return composed(display === undefined ? `<${uri}>${params}` : `${display} <${uri}>${params}`)
}

function scanAddress(line: string, start: number): boolean {
  let index = skipSpace(line, start)
  if (line.charCodeAt(index) === 34) {
    index = skipQuoted(line, index)
    if (index < 0) return false
    index = skipSpace(line, index)
    return line.charCodeAt(index) === 60 && scanBracketed(line, index)
  }
  if (line.charCodeAt(index) === 60) return scanBracketed(line, index)
  // An unquoted display name is tokens with spaces between; a bare URI leaves that alphabet at its first colon.
  let after = index
  while (isIn(line.charCodeAt(after), TOKEN)) after = skipSpace(line, skipClass(line, after, TOKEN))
  if (after > index && line.charCodeAt(after) === 60) return scanBracketed(line, after)
  return scanBare(line, index)
}

function scanBracketed(line: string, open: number): boolean {
  const close = line.indexOf('>', open)
  address.uriStart = open + 1
  address.uriEnd = close
  address.behind = close + 1
  return close > 0 && isUriText(line, open + 1, close)
}

/** RFC 3261 section 20: without brackets a URI ends at `;` or `,`, and `?` must not stand in it. */
function scanBare(line: string, start: number): boolean {
  let index = start
  for (let code = line.charCodeAt(index); index < line.length; code = line.charCodeAt(++index)) {
    if (code === 59 || code === 44 || code === 32 || code === 9) break
    if (code === 63) return false
  }
  address.uriStart = start
  address.uriEnd = index
  address.behind = index
  return isUriText(line, start, index)
}

/** A scheme, a colon, and something behind it without spaces, quotes or angle brackets. The rest is the scheme's own grammar. */
function isUriText(line: string, start: number, end: number): boolean {
  let colon = -1
  for (let index = start; index < end; index++) {
    const code = line.charCodeAt(index)
    if (code <= 32 || code >= 127 || code === 34 || code === 60 || code === 62) return false
    if (colon < 0) {
      if (code === 58) colon = index
      else if (!isIn(code, TOKEN)) return false
    }
  }
  return colon > start && colon < end - 1
}

function displayOf(line: string, start: number, uriStart: number): string | undefined {
  if (line.charCodeAt(uriStart - 1) !== 60) return undefined
  const text = trimSpace(line.slice(start, uriStart - 1))
  return text === '' ? undefined : readable(unquote(text))
}
