/**
 * SIP, SIPS and tel URIs: RFC 3261 section 19.1, RFC 3966, and the `gr` parameter of RFC 5627. Parts stay as written
 * (escapes, letter case), so that a URI can be put back unchanged; comparing and canonical forms do the normalising.
 * Knows nothing of the header field around it: see name-addr.ts.
 */
import { HOST, escaped } from './grammar.js'
import { type HeaderText, composed } from './header-text.js'
import { paramMap, paramOf } from './params.js'
import { USER, UNRESERVED, isIn, skipClass } from './scan.js'

export interface Uri {
  readonly scheme: 'sip' | 'sips' | 'tel'
  /** Escaped as written; '' when there is none. For `tel` the number, with `+` and visual separators. */
  readonly user: string
  /** Escaped as written; undefined when there is none. */
  readonly password: string | undefined
  /** As written, an IPv6 reference with its brackets; '' for `tel`. */
  readonly host: string
  /** 0 when none is written, which differs from 5060 (section 19.1.4). */
  readonly port: number
  /** Raw, with the leading semicolon: see params.ts. */
  readonly params: string
  /** Raw, without the question mark; '' when there are none. */
  readonly headers: string
}

/** The scheme in lower case, or '' when the text does not begin with one (RFC 3986 section 3.1). */
export function uriScheme(text: string): string {
  const colon = text.indexOf(':')
  return colon > 0 && /^[A-Za-z][A-Za-z0-9+.-]*$/.test(text.slice(0, colon)) ? text.slice(0, colon).toLowerCase() : ''
}

const UNRESERVED_CLASS = "A-Za-z0-9\\-_.!~*'()"
const URI_PARAM = escaped(`${UNRESERVED_CLASS}\\[\\]/:&+$`)
const URI_PARAMS = `(?:;(?=[^;=])${URI_PARAM}(?:=(?=[^;=])${URI_PARAM})?)*`

const SCHEME = '^[Ss][Ii][Pp]([Ss]?):'
const USERINFO = `(?=[^@:])(${escaped(`${UNRESERVED_CLASS}&=+$,;?/`)})(?::(${escaped(`${UNRESERVED_CLASS}&=+$,`)}))?@`
const HOST_ONWARDS = `(${HOST})(?::(\\d+))?(${URI_PARAMS})(?:\\?(?=.)(${escaped(`${UNRESERVED_CLASS}\\[\\]/?:+$=&`)}))?$`
/** 1 `s` of sips, 2 user, 3 password, 4 host, 5 port, 6 parameters, 7 headers. */
const USER_URI = new RegExp(SCHEME + USERINFO + HOST_ONWARDS)
/** The same groups, 2 and 3 never there. A form of its own, so that a host is not first read as a user in vain. */
const HOST_URI = new RegExp(`${SCHEME}()()${HOST_ONWARDS}`)

/** RFC 3966 section 3: 1 number, 2 parameters. */
const TEL_URI = new RegExp(`^tel:(\\+[-.()]*[0-9][-.()0-9]*|[-.()]*[0-9A-Fa-f*#][-.()0-9A-Fa-f*#]*)(${URI_PARAMS})$`, 'i')

/** A whole sip, sips or tel URI without brackets around it; undefined when malformed or of another scheme. */
export function parseUri(text: string): Uri | undefined {
  const hasUser = text.includes('@')
  const parts = (hasUser ? USER_URI : HOST_URI).exec(text)
  if (parts === null) return hasUser ? undefined : parseTel(text)
  const port = parts[5] === undefined ? 0 : Number(parts[5])
  if (port > 65535 || (port === 0 && parts[5] !== undefined)) return undefined
  return {
    scheme: parts[1] === '' ? 'sip' : 'sips', user: parts[2]!, password: hasUser ? parts[3] : undefined, host: parts[4]!, port, params: parts[6]!, headers: parts[7] ?? '',
  }
}

function parseTel(text: string): Uri | undefined {
  const parts = TEL_URI.exec(text)
  return parts === null ? undefined : { scheme: 'tel', user: parts[1]!, password: undefined, host: '', port: 0, params: parts[2]!, headers: '' }
}

/** The URI as text. Parts that came from outside must have been escaped (`escapeUser`) before. */
export function uriText(uri: Uri): HeaderText {
  let text = `${uri.scheme}:${uri.user}`
  if (uri.password !== undefined) text += `:${uri.password}`
  if (uri.scheme !== 'tel') text += uri.user === '' && uri.password === undefined ? uri.host : `@${uri.host}`
  if (uri.port !== 0) text += `:${uri.port}`
  return composed(uri.headers === '' ? text + uri.params : `${text}${uri.params}?${uri.headers}`)
}

/** The value of a URI parameter (name in lower case), '' when it has none, undefined when absent. */
export function uriParam(uri: Uri, name: string): string | undefined {
  return uri.params === '' ? undefined : paramOf(uri.params, name)
}

/** The `gr` parameter of a GRUU: a value for a public one, '' for a temporary one, undefined for no GRUU (RFC 5627 section 3.2). */
export function gruuOf(uri: Uri): string | undefined {
  return uriParam(uri, 'gr')
}

/** Parameters of which one side's absence makes two URIs differ (RFC 3261 section 19.1.4; transport by its prose and examples). */
const NEVER_IGNORED: ReadonlySet<string> = new Set(['user', 'ttl', 'method', 'maddr', 'transport'])

/**
 * RFC 3261 section 19.1.4 (tel: RFC 3966 section 4). Not transitive, and a public GRUU equals its address-of-record,
 * because `gr` on one side only is ignored: whoever looks for a GRUU compares `gruuOf` as well (RFC 5627 section 6.1).
 */
export function sameUri(a: Uri, b: Uri): boolean {
  if (a.scheme !== b.scheme || a.port !== b.port) return false
  if (a.scheme === 'tel') return canonicalNumber(a) === canonicalNumber(b) && sameParams(a.params, b.params)
  return same(a.user, b.user) && same(a.password ?? '', b.password ?? '') && (a.password === undefined) === (b.password === undefined) &&
    a.host.toLowerCase() === b.host.toLowerCase() && sameParams(a.params, b.params) && sameHeaders(a.headers, b.headers)
}

function same(a: string, b: string): boolean {
  return a === b || normalEscapes(a) === normalEscapes(b)
}

function sameParams(a: string, b: string): boolean {
  if (a === b) return true
  const mine = paramMap(a)
  const theirs = paramMap(b)
  return agree(mine, theirs) && agree(theirs, mine)
}

function agree(one: ReadonlyMap<string, string>, other: ReadonlyMap<string, string>): boolean {
  for (const [name, mine] of one) {
    const theirs = other.get(name)
    if (theirs === undefined) {
      if (NEVER_IGNORED.has(name)) return false
    } else if (normalEscapes(mine).toLowerCase() !== normalEscapes(theirs).toLowerCase()) return false
  }
  return true
}

function sameHeaders(a: string, b: string): boolean {
  return a === b || canonicalHeaders(a) === canonicalHeaders(b)
}

function canonicalHeaders(headers: string): string {
  return headers.split('&').map((header) => {
    const equals = header.indexOf('=')
    return equals < 0 ? header.toLowerCase() : header.slice(0, equals).toLowerCase() + normalEscapes(header.slice(equals))
  }).sort().join('&')
}

/**
 * The canonical address-of-record as a key and as a URI: no password, parameters or headers, the host in lower case,
 * needless escapes undone (RFC 3261 section 10.3, step 5). A GRUU gives the address-of-record it belongs to.
 * For `tel` the number without visual separators, a local one with its phone-context.
 */
export function aorOf(uri: Uri): HeaderText {
  if (uri.scheme === 'tel') {
    const context = uri.user.startsWith('+') ? undefined : uriParam(uri, 'phone-context')
    return composed(`tel:${canonicalNumber(uri)}${context === undefined ? '' : `;phone-context=${context.toLowerCase()}`}`)
  }
  const user = uri.user.includes('%') ? escapeOctets(unescapeOctets(uri.user)) : uri.user
  return composed(`${uri.scheme}:${user === '' ? '' : `${user}@`}${uri.host.toLowerCase()}${uri.port === 0 ? '' : `:${uri.port}`}`)
}

function canonicalNumber(uri: Uri): string {
  return uri.user.replace(/[-.()]/g, '').toLowerCase()
}

/** The user part as people read it: escapes undone, UTF-8 decoded. May hold any character. */
export function unescapeUser(user: string): string {
  return user.includes('%') ? Buffer.from(unescapeOctets(user), 'latin1').toString('utf8') : user
}

/** Any text as a user part: everything but user-unreserved characters as `%HH` of its UTF-8 octets. */
export function escapeUser(text: string): string {
  return skipClass(text, 0, USER) === text.length ? text : escapeOctets(Buffer.from(text, 'utf8').toString('latin1'))
}

const WHOLE_HOST = new RegExp(`^${HOST}$`)

/** A host name, IPv4 address or bracketed IPv6 reference, and nothing else? */
export function isHost(text: string): boolean {
  return WHOLE_HOST.test(text)
}

function unescapeOctets(text: string): string {
  return text.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)))
}

function escapeOctets(octets: string): string {
  let text = ''
  for (let index = 0; index < octets.length; index++) {
    const code = octets.charCodeAt(index)
    text += isIn(code, USER) ? octets[index]! : `%${code.toString(16).toUpperCase().padStart(2, '0')}`
  }
  return text
}

/** Escapes of unreserved characters undone, the others with upper-case digits: equal texts mean equal parts. */
function normalEscapes(text: string): string {
  if (!text.includes('%')) return text
  return text.replace(/%([0-9A-Fa-f]{2})/g, (escape, hex: string) => {
    const code = parseInt(hex, 16)
    return isIn(code, UNRESERVED) ? String.fromCharCode(code) : escape.toUpperCase()
  })
}
