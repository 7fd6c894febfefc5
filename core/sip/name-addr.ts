/**
 * `[ display-name ] "<" URI ">"` or a bare URI, with header parameters behind: From, To, Contact, Route, Record-Route,
 * Path, P-Asserted-Identity and their like (RFC 3261 sections 20.10 and 25.1). The URI stays text until `parseUri`.
 */
import { PARAMS, QUOTED, SPACE, TOKEN, VALUE_END } from './grammar.js'
import { Header, type HeaderId } from './header-names.js'
import { type HeaderText, composed, parsedText, readable } from './header-text.js'
import type { SipMessage } from './message.js'
import { paramOf, unquote } from './params.js'
import { trimSpace } from './scan.js'
import { type Uri, aorOf, parseUri } from './uri.js'

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

/** Any scheme: the text between the brackets holds visible ASCII without quotes and angle brackets. */
const SCHEME = '[A-Za-z][A-Za-z0-9+.\\-]*'
const IN_BRACKETS = `${SCHEME}:[!#-;=?-~]+`
/** RFC 3261 section 20: without brackets a URI ends at `;` or `,`, and `?` must not stand in it. */
const BARE = `${SCHEME}:[!#-+\\-/0-:=@-~.]+`
/** 1 quoted display name, 2 display name of tokens, 3 URI in brackets, 4 bare URI, 5 parameters. */
const NAME_ADDR = new RegExp(
  `${SPACE}(?:(?:(${QUOTED})${SPACE}|(${TOKEN}(?:[ \\t]+${TOKEN})*)${SPACE})?<(${IN_BRACKETS})>|(${BARE}))(${PARAMS})${VALUE_END}`, 'y',
)

/** The value that starts at `start`; undefined when it is malformed. */
export function parseNameAddr(line: string, start = 0): NameAddr | undefined {
  NAME_ADDR.lastIndex = start
  const parts = NAME_ADDR.exec(line)
  if (parts === null) return undefined
  const display = parts[1] === undefined ? parts[2] : unquote(parts[1])
  return {
    display: display === undefined ? undefined : readable(display),
    uri: parts[3] ?? parts[4]!,
    params: parts[5]!,
    end: NAME_ADDR.lastIndex,
  }
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
  const value = line === undefined ? undefined : parseNameAddr(line)
  return value === undefined ? undefined : parseUri(value.uri)
}

/** `<sip:user@host>` as `aorOf` would write it: no escapes, no port, the host in lower case, nothing behind. */
const CANONICAL = /^<sip:[A-Za-z0-9\-_.!~*'()&=+$,;?/]+@[a-z0-9.-]+>$/

/** The canonical address-of-record (`aorOf`) of the URI that `uriOf` gives. Most addresses are canonical as they stand, and then it is cut out. */
export function aorIn(message: SipMessage, id: HeaderId): HeaderText | undefined {
  const line = message.get(id)
  if (line !== undefined && CANONICAL.test(line)) return parsedText(line.slice(1, -1))
  const uri = uriOf(message, id)
  return uri === undefined ? undefined : aorOf(uri)
}

/** The tag of From or To; '' when it has none or the value is malformed. Case-sensitive, byte for byte (section 19.3). */
export function tagOf(message: SipMessage, id: typeof Header.From | typeof Header.To): string {
  const line = message.get(id)
  if (line === undefined) return ''
  // The usual case without building anything: behind the last bracket there are no quotes, and `tag` stands as everybody writes it.
  const bracket = line.lastIndexOf('>')
  if (line.indexOf(';', bracket + 1) < 0) return ''
  const tag = line.indexOf(';tag=', bracket + 1)
  if (tag > 0 && line.indexOf('"', bracket + 1) < 0) {
    const end = line.indexOf(';', tag + 5)
    return trimSpace(end < 0 ? line.slice(tag + 5) : line.slice(tag + 5, end))
  }
  const value = parseNameAddr(line)
  return value === undefined ? '' : paramOf(value.params, 'tag') ?? ''
}

/** Is this line a list of well-formed values, at most `most` of them? Cuts nothing, so validate.ts can ask it of every message. */
export function isNameAddrLine(line: string, most: number): boolean {
  for (let start = 0, count = 0; count < most; count++) {
    NAME_ADDR.lastIndex = start
    if (!NAME_ADDR.test(line)) return false
    if (NAME_ADDR.lastIndex === line.length) return true
    start = NAME_ADDR.lastIndex + 1
  }
  return false
}

/** `"display" <uri>;params` with everything quoted that needs it; the URI always in brackets. */
export function nameAddrText(uri: string, params = '', display?: HeaderText): HeaderText {
  return composed(display === undefined ? `<${uri}>${params}` : `${display} <${uri}>${params}`)
}
