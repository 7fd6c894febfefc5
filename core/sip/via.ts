/**
 * The Via header field: RFC 3261 sections 20.42 and 25.1, RFC 3581 (rport). Reads the topmost value without splitting
 * the line, and writes new ones. Knows text; where a response then goes is the transport's decision.
 */
import { HOST, PARAMS, SPACE, TOKEN, VALUE_END } from './grammar.js'
import { Header } from './header-names.js'
import { type HeaderText, composed } from './header-text.js'
import type { SipMessage } from './message.js'
import { paramOf, withParam } from './params.js'
import { trimSpace } from './scan.js'
import { removeFirstValue } from './values.js'

/** Every branch of an RFC 3261 element starts with it (section 8.1.1.7). */
export const BRANCH_COOKIE = 'z9hG4bK'

export interface Via {
  /** As written: `UDP`, `TCP`, `TLS`, or something unknown. */
  readonly transport: string
  /** sent-by host as written; an IPv6 reference keeps its brackets. */
  readonly host: string
  /** sent-by port; 0 when none is written. */
  readonly port: number
  /** '' when absent (an RFC 2543 element). */
  readonly branch: string
  /** Raw, with its leading semicolon: see params.ts. */
  readonly params: string
  /** The index in the line behind this value: at a comma, or the end. */
  readonly end: number
}

/** The topmost Via, or undefined when there is none or it is malformed. */
export function topVia(message: SipMessage): Via | undefined {
  const line = message.get(Header.Via)
  return line === undefined ? undefined : parseVia(line)
}

/** sent-protocol, sent-by and parameters: 1 transport, 2 host, 3 port, 4 parameters. */
const VIA = new RegExp(
  `${SPACE}[Ss][Ii][Pp]${SPACE}/${SPACE}2\\.0${SPACE}/${SPACE}(${TOKEN})[ \\t]+(${HOST})(?:${SPACE}:${SPACE}(\\d+))?(${PARAMS})${VALUE_END}`, 'y',
)

/** The value read last: one message's top Via is asked for by the validator, the matcher and the transport in turn. */
let lastLine = ''
let lastVia: Via | undefined

/** The value that starts at `start` of a Via line; undefined when it is malformed. */
export function parseVia(line: string, start = 0): Via | undefined {
  if (start !== 0) return readVia(line, start)
  if (line !== lastLine) {
    lastVia = readVia(line, 0)
    lastLine = line
  }
  return lastVia
}

function readVia(line: string, start: number): Via | undefined {
  VIA.lastIndex = start
  const parts = VIA.exec(line)
  if (parts === null) return undefined
  const port = parts[3] === undefined ? 0 : Number(parts[3])
  if (port > 65535 || (port === 0 && parts[3] !== undefined)) return undefined
  const params = parts[4]!
  return { transport: parts[1]!, host: parts[2]!, port, branch: paramOf(params, 'branch') ?? '', params, end: VIA.lastIndex }
}

/** The value of `received`, without the brackets some write around an IPv6 address (RFC 5118 section 4.5). */
export function receivedOf(via: Via): string | undefined {
  const received = paramOf(via.params, 'received')
  return received?.charCodeAt(0) === 91 ? received.slice(1, -1) : received
}

/** RFC 3581: undefined when absent, 0 when it asks (no value), else the port; a malformed one reads as absent. */
export function rportOf(via: Via): number | undefined {
  const rport = paramOf(via.params, 'rport')
  if (rport === undefined) return undefined
  if (rport === '') return 0
  const port = /^\d{1,5}$/.test(rport) ? Number(rport) : 0
  return port > 0 && port <= 65535 ? port : undefined
}

/** A new value: `sentBy` is `host[:port]`; parameters beyond the branch come as raw text. */
export function viaText(transport: string, sentBy: string, branch: string, params = ''): HeaderText {
  return composed(`SIP/2.0/${transport} ${sentBy};branch=${branch}${params}`)
}

/**
 * Marks the topmost Via with where the request came from (RFC 3261 section 18.2.1, RFC 3581 section 4): `received`
 * when the sent-by host is not that address or `rport` asks, `rport` when asked. `address` is a literal without brackets.
 * Changes nothing when there is nothing to say.
 */
export function markReceived(message: SipMessage, address: string, port: number): void {
  const line = message.get(Header.Via)
  if (line === undefined) return
  const via = parseVia(line)
  if (via === undefined) return
  const asked = rportOf(via) !== undefined
  const host = via.host.charCodeAt(0) === 91 ? via.host.slice(1, -1) : via.host
  if (!asked && host.toLowerCase() === address.toLowerCase()) return
  const value = trimSpace(line.slice(0, via.end))
  const before = value.slice(0, value.length - via.params.length)
  const params = withParam(via.params, 'received', address)
  const marked = asked ? withParam(params, 'rport', String(port)) : params
  message.replaceFirst(Header.Via, composed(before + marked + line.slice(value.length)))
}

/**
 * RFC 3261 8.2.6.2 and 16.7 step 3: a response carries the Vias of its request. One made by `responseTo` has them already;
 * one that came in for a request of ours has our own on top, which is taken off; anything else gets the request's.
 */
export function alignVias(request: SipMessage, response: SipMessage): void {
  const wanted = request.get(Header.Via)
  if (response.get(Header.Via) === wanted) return
  removeFirstValue(response, Header.Via)
  if (response.get(Header.Via) === wanted) return
  response.removeAll(Header.Via)
  const vias = request.getAll(Header.Via)
  for (let index = vias.length - 1; index >= 0; index--) response.prepend(Header.Via, vias[index]!)
}
