/**
 * What a whole message must hold before anyone acts on it: RFC 3261 sections 8.1.1, 8.2, 16.3 (steps 1 and 2) and 20.
 * Runs for every message, so it walks the header lines once and cuts no text. Knows what makes a message unusable for
 * everyone; what one element supports or allows (420, 405, 501, 415, 483) is that element's own decision.
 */
import { HEADER_NAMES, Header, type HeaderId } from './header-names.js'
import type { SipMessage } from './message.js'
import { isNameAddrLine } from './name-addr.js'
import { type Fault, problemOf } from './parse.js'
import type { SipProblem } from './problem.js'
import { DELTA_SECONDS_MAX, integerOf, parseCSeq } from './values.js'
import { parseUri, uriScheme } from './uri.js'
import { BRANCH_COOKIE, parseVia } from './via.js'

/** What makes this request unusable, with the status to answer; undefined when nothing does. */
export function validateRequest(message: SipMessage): SipProblem | undefined {
  const fault = headerFault(message) ?? requestUriFault(message.requestUri)
  return fault === undefined ? undefined : problemOf(message, fault)
}

/** What makes this response unusable; it is then dropped (section 18.1.2). */
export function validateResponse(message: SipMessage): SipProblem | undefined {
  const fault = headerFault(message)
  return fault === undefined ? undefined : problemOf(message, fault)
}

const REQUIRED: readonly HeaderId[] = [Header.Via, Header.From, Header.To, Header.CallId, Header.CSeq]
/** Header fields of which section 20 allows one value in a message; likewise RFC 6665 section 8.4, RFC 3515 section 2.1, RFC 4488 section 4 and RFC 3891 section 6.1. */
const SINGLE = new Uint8Array(HEADER_NAMES.length)
for (const id of [
  Header.MaxForwards, Header.From, Header.To, Header.CallId, Header.CSeq, Header.Expires, Header.ContentType, Header.ContentLength,
  Header.ContentDisposition, Header.Date, Header.RetryAfter, Header.MinExpires, Header.Priority, Header.Event, Header.Subject,
  Header.SubscriptionState, Header.ReferTo, Header.ReferSub, Header.Replaces,
]) SINGLE[id] = 1

/** The Request-URI that was found usable last: all REGISTERs to a registrar have the same, and the elements on a request's way ask about it in turn. */
let usableRequestUri: string | undefined

/** How often each header id was met in the message at hand. */
const counts = new Uint16Array(HEADER_NAMES.length)

function headerFault(message: SipMessage): Fault | undefined {
  const { ids, values } = message
  counts.fill(0)
  for (let index = 0; index < ids.length; index++) {
    const id = ids[index]!
    if (++counts[id]! > 1 && SINGLE[id] === 1) return bad(`more than one ${HEADER_NAMES[id]!}`)
    const fault = lineFault(message, id, values[index]!)
    if (fault !== undefined) return fault
  }
  for (const id of REQUIRED) if (counts[id] === 0) return bad(`no ${HEADER_NAMES[id]!}`)
  return undefined
}

function lineFault(message: SipMessage, id: HeaderId, value: string): Fault | undefined {
  switch (id) {
    case Header.Via:
      // Only the topmost Via is ours to understand; the others travel as they are.
      return counts[id] === 1 ? viaFault(value) : undefined
    case Header.From:
    case Header.To:
      return isNameAddrLine(value, 1) ? undefined : malformed(id, value, 'one address, in <> when it holds a comma, ? or ;')
    case Header.Contact:
      if (value === '*' && (message.method === 'REGISTER' || !message.isRequest)) return undefined
      return isNameAddrLine(value, Infinity) ? undefined : malformed(id, value, 'addresses, in <> when they hold a comma, ? or ;')
    case Header.Route:
    case Header.RecordRoute:
    case Header.Path:
    case Header.ServiceRoute:
      return isNameAddrLine(value, Infinity) ? undefined : malformed(id, value, 'addresses in <>')
    case Header.CallId:
      return value === '' ? malformed(id, value, 'a word') : undefined
    case Header.CSeq:
      return cseqFault(message, value)
    case Header.MaxForwards:
      return integerOf(value, 255) === undefined ? malformed(id, value, 'a number from 0 to 255') : undefined
    case Header.Expires:
    case Header.MinExpires:
      return integerOf(value, DELTA_SECONDS_MAX) === undefined ? malformed(id, value, 'a number of seconds below 2^32') : undefined
    case Header.RetryAfter:
      return retryAfterFault(value)
    default:
      return undefined
  }
}

/** Section 8.1.1.5: below 2^31, and in a request the method of its first line. */
function cseqFault(message: SipMessage, value: string): Fault | undefined {
  const cseq = parseCSeq(value)
  if (cseq === undefined) return malformed(Header.CSeq, value, 'a number below 2^31, a space and a method')
  if (message.isRequest && cseq.method !== message.method) return bad(`CSeq names the method ${cseq.method} in a ${message.method} request`)
  return undefined
}

/** Section 20.42; a cookie with nothing behind it names no transaction (section 8.1.1.7). */
function viaFault(value: string): Fault | undefined {
  const via = parseVia(value)
  if (via === undefined) return malformed(Header.Via, value, 'SIP/2.0/transport host[:port] and parameters')
  return via.branch === BRANCH_COOKIE ? bad('the branch of the topmost Via is only the magic cookie') : undefined
}

/** Section 20.33: seconds, then a comment and parameters. */
function retryAfterFault(value: string): Fault | undefined {
  const digits = /^\d*/.exec(value)![0]
  return integerOf(digits, DELTA_SECONDS_MAX) === undefined ? malformed(Header.RetryAfter, value, 'a number of seconds below 2^32') : undefined
}

/** Section 16.3, steps 1 and 2: a Request-URI that cannot be read is 400, one of an unknown scheme 416. */
function requestUriFault(text: string): Fault | undefined {
  if (text === usableRequestUri) return undefined
  const uri = parseUri(text)
  if (uri === undefined) {
    const scheme = uriScheme(text)
    if (scheme === '' || scheme === 'sip' || scheme === 'sips' || scheme === 'tel') return bad(`the Request-URI ${quote(text)} is not well formed`)
    return { status: 416, what: `the Request-URI has the scheme ${scheme}; sip, sips and tel are known here` }
  }
  // Section 19.1.1: headers must not stand in a Request-URI.
  if (uri.headers !== '') return bad(`the Request-URI ${quote(text)} holds headers behind its question mark`)
  usableRequestUri = text
  return undefined
}

function bad(what: string): Fault {
  return { status: 400, what }
}

function malformed(id: HeaderId, value: string, right: string): Fault {
  return bad(`${HEADER_NAMES[id]!} is ${quote(value)}; right would be ${right}`)
}

function quote(text: string): string {
  return JSON.stringify(text.slice(0, 80))
}
