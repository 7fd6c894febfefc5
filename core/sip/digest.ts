/**
 * Digest authentication for SIP: RFC 3261 section 22, RFC 7616, RFC 8760; passwords may be raw octets for AKA (RFC 3310).
 * Reads and writes challenges and credentials, computes and checks responses. Keeps no nonces and knows no users.
 */
import type { Crypto, HashName } from '../kit/crypto.js'
import { type HeaderText, composed, joined, quotedText, readable } from './header-text.js'
import { skipQuoted, skipSpace, skipClass, TOKEN } from './scan.js'
import { unquote } from './params.js'

export type DigestAlgorithm = 'MD5' | 'SHA-256' | 'AKAv1-MD5'

/** RFC 8760 section 2.2: one hash for each algorithm; AKAv1 is MD5 with the RES as password (RFC 3310 section 3). */
const HASHES: Readonly<Record<DigestAlgorithm, HashName>> = { MD5: 'md5', 'SHA-256': 'sha-256', 'AKAv1-MD5': 'md5' }

/** A header value longer than this is not read. */
export const DIGEST_TEXT_MAX = 4_096

/** What a WWW-Authenticate or Proxy-Authenticate asks for. */
export interface Challenge {
  readonly realm: string
  readonly nonce: string
  readonly algorithm: DigestAlgorithm
  /** Does it offer qop=auth? RFC 2069 peers offer none. */
  readonly qopAuth: boolean
  readonly opaque?: string
  /** The nonce was too old, the password was right. */
  readonly stale: boolean
}

/** What an Authorization or Proxy-Authorization says. */
export interface Credentials {
  readonly username: string
  readonly realm: string
  readonly nonce: string
  readonly uri: string
  /** Hexadecimal, lower case; empty in the first REGISTER of an IMS terminal. */
  readonly response: string
  readonly algorithm: DigestAlgorithm
  readonly opaque?: string
  /** Present together, when qop=auth is used. */
  readonly qop?: { readonly cnonce: string; readonly nc: number }
  /** AKA synchronisation failure: base64 of 14 octets (RFC 3310 section 3.4). */
  readonly auts?: string
}

export type Password = string | Uint8Array

/** The parameters of `Digest ...` by lower-case name, unquoted; undefined when it is another scheme or malformed. A name met twice makes it malformed. */
function digestParams(text: string): Map<string, string> | undefined {
  if (text.length > DIGEST_TEXT_MAX || !/^digest[ \t]/i.test(text)) return undefined
  const params = new Map<string, string>()
  for (let at = skipSpace(text, 6); at < text.length; ) {
    const nameEnd = skipClass(text, at, TOKEN)
    const equals = skipSpace(text, nameEnd)
    if (nameEnd === at || text[equals] !== '=') return undefined
    const valueStart = skipSpace(text, equals + 1)
    const valueEnd = text[valueStart] === '"' ? skipQuoted(text, valueStart) : skipClass(text, valueStart, TOKEN)
    if (valueEnd <= valueStart) return undefined
    const name = text.slice(at, nameEnd).toLowerCase()
    if (params.has(name)) return undefined
    params.set(name, readable(unquote(text.slice(valueStart, valueEnd))))
    const comma = skipSpace(text, valueEnd)
    if (comma < text.length && text[comma] !== ',') return undefined
    at = skipSpace(text, comma + 1)
  }
  return params
}

/** Without the parameter it is MD5 (RFC 7616 section 3.3); undefined for one that is not known here. */
function algorithmOf(params: ReadonlyMap<string, string>): DigestAlgorithm | undefined {
  switch (params.get('algorithm')?.toUpperCase()) {
    case undefined: case 'MD5': return 'MD5'
    case 'SHA-256': return 'SHA-256'
    case 'AKAV1-MD5': return 'AKAv1-MD5'
    default: return undefined
  }
}

/** Undefined when malformed, of another scheme, or with an algorithm or qop that is not known here: such a challenge is passed over. */
export function parseChallenge(text: string): Challenge | undefined {
  const params = digestParams(text)
  const realm = params?.get('realm')
  const nonce = params?.get('nonce')
  if (params === undefined || realm === undefined || nonce === undefined) return undefined
  const algorithm = algorithmOf(params)
  const qop = params.get('qop')
  const qopAuth = qop !== undefined && qop.split(',').some((each) => each.trim().toLowerCase() === 'auth')
  if (algorithm === undefined || (qop !== undefined && !qopAuth)) return undefined
  const opaque = params.get('opaque')
  return { realm, nonce, algorithm, qopAuth, stale: params.get('stale')?.toLowerCase() === 'true', ...(opaque === undefined ? {} : { opaque }) }
}

/** The value of a WWW-Authenticate or Proxy-Authenticate; always with qop (RFC 8760 section 2.6). Undefined when a part holds a line break. */
export function challengeText(challenge: Challenge): HeaderText | undefined {
  const realm = quotedText(challenge.realm)
  const nonce = quotedText(challenge.nonce)
  const opaque = challenge.opaque === undefined ? undefined : quotedText(challenge.opaque)
  if (realm === undefined || nonce === undefined || (opaque === undefined && challenge.opaque !== undefined)) return undefined
  let text = `Digest realm=${realm}, nonce=${nonce}, algorithm=${challenge.algorithm}`
  if (challenge.qopAuth) text += ', qop="auth"'
  if (opaque !== undefined) text += `, opaque=${opaque}`
  return composed(challenge.stale ? `${text}, stale=true` : text)
}

/** Undefined when malformed, of another scheme or algorithm, or with a qop other than auth. */
export function parseCredentials(text: string): Credentials | undefined {
  const params = digestParams(text)
  if (params === undefined) return undefined
  const username = params.get('username')
  const realm = params.get('realm')
  const nonce = params.get('nonce')
  const uri = params.get('uri')
  const response = params.get('response')
  const algorithm = algorithmOf(params)
  if (username === undefined || realm === undefined || nonce === undefined || uri === undefined || response === undefined || algorithm === undefined) return undefined
  const base = { username, realm, nonce, uri, response: response.toLowerCase(), algorithm }
  const opaque = params.get('opaque')
  const auts = params.get('auts')
  const rest = { ...base, ...(opaque === undefined ? {} : { opaque }), ...(auts === undefined ? {} : { auts }) }
  if (!params.has('qop')) return rest
  const cnonce = params.get('cnonce')
  const count = params.get('nc') ?? ''
  // RFC 7616 3.4: with qop, cnonce and an 8-digit nc must be there.
  if (params.get('qop')!.toLowerCase() !== 'auth' || cnonce === undefined || !/^[0-9a-f]{8}$/i.test(count)) return undefined
  return { ...rest, qop: { cnonce, nc: parseInt(count, 16) } }
}

/** The value of an Authorization or Proxy-Authorization; undefined when a part holds a line break. */
export function credentialsText(credentials: Credentials): HeaderText | undefined {
  const { username, realm, nonce, uri, response, opaque, auts, qop } = credentials
  const parts = [STARTS[credentials.algorithm]]
  const isWritten = quoted(parts, USERNAME, username) && quoted(parts, REALM, realm) && quoted(parts, NONCE, nonce) && quoted(parts, URI, uri) &&
    quoted(parts, RESPONSE, response) && quoted(parts, OPAQUE, opaque) && quoted(parts, AUTS, auts) && quoted(parts, CNONCE, qop?.cnonce)
  if (!isWritten) return undefined
  // RFC 3261 22.4: qop and nc are not quoted in credentials.
  if (qop !== undefined) parts.push(QOP_NC, composed(ncText(qop.nc)))
  return joined(parts)
}

const STARTS: Readonly<Record<DigestAlgorithm, HeaderText>> = {
  MD5: composed('Digest algorithm=MD5'), 'SHA-256': composed('Digest algorithm=SHA-256'), 'AKAv1-MD5': composed('Digest algorithm=AKAv1-MD5'),
}
const USERNAME = composed(', username=')
const REALM = composed(', realm=')
const NONCE = composed(', nonce=')
const URI = composed(', uri=')
const RESPONSE = composed(', response=')
const OPAQUE = composed(', opaque=')
const AUTS = composed(', auts=')
const CNONCE = composed(', cnonce=')
const QOP_NC = composed(', qop=auth, nc=')

/** Adds a parameter, or nothing when it is absent; false when its value holds a line break. */
function quoted(parts: HeaderText[], name: HeaderText, value: string | undefined): boolean {
  if (value === undefined) return true
  const text = quotedText(value)
  if (text !== undefined) parts.push(name, text)
  return text !== undefined
}

/** What `response` must be (RFC 7616 section 3.4.1; RFC 2069's form without qop), for these credentials and this password. */
export function digestResponse(crypto: Crypto, credentials: Omit<Credentials, 'response'>, password: Password, method: string): string {
  const hash = HASHES[credentials.algorithm]
  return responseOf(crypto, hash, secretHash(crypto, credentials.algorithm, credentials.username, credentials.realm, password), credentials, method)
}

/** HA1: what a server may keep in place of the password, one for each algorithm and realm. Text is hashed as UTF-8. */
export function secretHash(crypto: Crypto, algorithm: DigestAlgorithm, username: string, realm: string, password: Password): string {
  const prefix = `${username}:${realm}:`
  return crypto.hashHex(HASHES[algorithm], typeof password === 'string' ? prefix + password : Buffer.concat([Buffer.from(prefix, 'utf8'), password]))
}

function responseOf(crypto: Crypto, hash: HashName, secret: string, { nonce, uri, qop }: Omit<Credentials, 'response'>, method: string): string {
  const what = asked(crypto, hash, method, uri)
  return crypto.hashHex(hash, qop === undefined ? `${secret}:${nonce}:${what}` : `${secret}:${nonce}:${ncText(qop.nc)}:${qop.cnonce}:auth:${what}`)
}

/** The request hashed last: one registrar's URI is what all of its terminals ask for. */
let last: { readonly crypto: Crypto; readonly hash: HashName; readonly method: string; readonly uri: string; readonly text: string } | undefined

/** HA2: the hash of what is asked for. */
function asked(crypto: Crypto, hash: HashName, method: string, uri: string): string {
  if (last === undefined || last.crypto !== crypto || last.hash !== hash || last.method !== method || last.uri !== uri) {
    last = { crypto, hash, method, uri, text: crypto.hashHex(hash, `${method}:${uri}`) }
  }
  return last.text
}

/**
 * Are these credentials right for `secret` (HA1 of the same algorithm)? Says nothing of the nonce: the caller knows which
 * it gave out, whether it is stale, and that nc must grow (RFC 7616 section 3.4.5). Takes the same time wherever they differ.
 */
export function checkCredentials(crypto: Crypto, credentials: Credentials, secret: string, method: string): boolean {
  const wanted = responseOf(crypto, HASHES[credentials.algorithm], secret, credentials, method)
  if (wanted.length !== credentials.response.length) return false
  let difference = 0
  for (let index = 0; index < wanted.length; index++) difference |= wanted.charCodeAt(index) ^ credentials.response.charCodeAt(index)
  return difference === 0
}

export interface Answering {
  readonly username: string
  readonly password: Password
  readonly method: string
  /** The Request-URI, as in the request that will carry the answer. */
  readonly uri: string
  readonly cnonce: string
  /** How often this nonce has been used, this time included: from 1. */
  readonly nc: number
}

/** The credentials that answer a challenge (RFC 3261 section 22.2). */
export function answerChallenge(crypto: Crypto, challenge: Challenge, { username, password, method, uri, cnonce, nc }: Answering): Credentials {
  const { realm, nonce, algorithm, opaque, qopAuth } = challenge
  const unanswered = { username, realm, nonce, uri, algorithm, ...(opaque === undefined ? {} : { opaque }), ...(qopAuth ? { qop: { cnonce, nc } } : {}) }
  return { ...unanswered, response: digestResponse(crypto, unanswered, password, method) }
}

/** Of several challenges the first that can be answered: they stand in the server's order of preference (RFC 8760 section 2.4). */
export function firstChallenge(values: readonly string[]): Challenge | undefined {
  for (const value of values) {
    const challenge = parseChallenge(value)
    if (challenge !== undefined) return challenge
  }
  return undefined
}

function ncText(nc: number): string {
  return nc.toString(16).padStart(8, '0')
}
