/**
 * From a `SipMessage` to octets, and the frame of a response to a request (RFC 3261 sections 7.3.1, 8.2.6 and 21).
 * Long header names, one line per header line of the message, in its order. Knows nothing of transactions or transports.
 */
import { HEADER_NAMES, Header } from './header-names.js'
import { type HeaderText, composed } from './header-text.js'
import { SipMessage, startLine } from './message.js'
import type { SipProblem } from './problem.js'
import { tagOf } from './name-addr.js'

/**
 * The message on the wire. Content-Length is always the length of the body: the message's own line is written with that
 * number in its place, further ones are left out, and without one it comes last (section 20.14). The message is not changed.
 */
export function writeMessage(message: SipMessage): Buffer {
  const { ids, values, bodyText } = message
  const length = message.bodyLength
  let text = `${composed(startLine(message))}\r\n`
  let lengthWritten = false
  for (let index = 0; index < ids.length; index++) {
    const id = ids[index]!
    if (id === Header.ContentLength) {
      if (lengthWritten) continue
      lengthWritten = true
      text += `Content-Length: ${length}\r\n`
    } else if (id === Header.Other) text += `${values[index]!}\r\n`
    else text += `${HEADER_NAMES[id]!}: ${values[index]!}\r\n`
  }
  text += lengthWritten ? '\r\n' : `Content-Length: ${length}\r\n\r\n`
  if (bodyText !== undefined) return latin1(text + bodyText, 0)
  const bytes = latin1(text, length)
  if (length > 0) bytes.set(message.body, text.length)
  return bytes
}

/** How many octets `writeMessage` would make. */
export function writtenOctets(message: SipMessage): number {
  const { ids, values, bodyLength } = message
  const lengthLine = CONTENT_LENGTH_OCTETS + String(bodyLength).length
  let octets = 2 + bodyLength + (message.isRequest ? message.method.length + message.requestUri.length + REQUEST_LINE_OCTETS : message.reason.length + STATUS_LINE_OCTETS)
  for (let index = 0; index < ids.length; index++) {
    const id = ids[index]!
    if (id !== Header.ContentLength) octets += values[index]!.length + (id === Header.Other ? 2 : HEADER_NAMES[id]!.length + 4)
  }
  return octets + lengthLine
}

/** `SIP/2.0`, two spaces and the line break of a request line. */
const REQUEST_LINE_OCTETS = 11
/** `SIP/2.0`, two spaces, three digits and the line break of a status line. */
const STATUS_LINE_OCTETS = 14
/** `Content-Length: ` and the line break. */
const CONTENT_LENGTH_OCTETS = 18

/** The text as octets, with room for `more` behind it. */
function latin1(text: string, more: number): Buffer {
  const bytes = Buffer.allocUnsafe(text.length + more)
  bytes.write(text, 0, 'latin1')
  return bytes
}

/**
 * A response to this request by section 8.2.6.2: every Via, From, To, Call-ID and CSeq as they came, and for 100 the
 * Timestamp. `toTag` is added to a To without tag; a caller leaves it out for 100 only. What a malformed request lacks
 * is left out here too.
 */
export function responseTo(request: SipMessage, status: number, reason: string = reasonPhrase(status), toTag?: string): SipMessage {
  const response = new SipMessage({ method: request.method, status, reason })
  const { ids, values } = request
  for (let index = 0; index < ids.length; index++) {
    const id = ids[index]!
    const value = values[index]!
    if (id === Header.To) response.append(id, toTag === undefined || tagOf(request, Header.To) !== '' ? value : composed(`${value};tag=${toTag}`))
    else if (id === Header.Via || id === Header.From || id === Header.CallId || id === Header.CSeq) response.append(id, value)
    else if (status === 100 && id === Header.Other && isTimestamp(value)) response.append(id, value)
  }
  return response
}

/** The answer to a request that could not be used, as octets; undefined when nothing can or may be answered. */
export function answerTo(problem: SipProblem): Buffer | undefined {
  return problem.message === undefined || problem.status === 0 ? undefined : writeMessage(responseTo(problem.message, problem.status))
}

function isTimestamp(line: HeaderText): boolean {
  return /^timestamp[ \t]*:/i.test(line)
}

/** The phrases of RFC 3261 section 21 and of the RFCs that added statuses; for an unknown status the name of its class. */
export function reasonPhrase(status: number): string {
  return REASONS[status] ?? REASONS[Math.floor(status / 100) * 100] ?? 'Unknown'
}

const REASONS: Readonly<Record<number, string>> = {
  100: 'Trying', 180: 'Ringing', 181: 'Call Is Being Forwarded', 182: 'Queued', 183: 'Session Progress', 199: 'Early Dialog Terminated',
  200: 'OK', 202: 'Accepted', 204: 'No Notification',
  300: 'Multiple Choices', 301: 'Moved Permanently', 302: 'Moved Temporarily', 305: 'Use Proxy', 380: 'Alternative Service',
  400: 'Bad Request', 401: 'Unauthorized', 402: 'Payment Required', 403: 'Forbidden', 404: 'Not Found', 405: 'Method Not Allowed',
  406: 'Not Acceptable', 407: 'Proxy Authentication Required', 408: 'Request Timeout', 410: 'Gone', 412: 'Conditional Request Failed',
  413: 'Request Entity Too Large', 414: 'Request-URI Too Long', 415: 'Unsupported Media Type', 416: 'Unsupported URI Scheme',
  417: 'Unknown Resource-Priority', 420: 'Bad Extension', 421: 'Extension Required', 422: 'Session Interval Too Small',
  423: 'Interval Too Brief', 424: 'Bad Location Information', 428: 'Use Identity Header', 429: 'Provide Referrer Identity',
  430: 'Flow Failed', 433: 'Anonymity Disallowed', 439: 'First Hop Lacks Outbound Support', 440: 'Max-Breadth Exceeded',
  480: 'Temporarily Unavailable', 481: 'Call/Transaction Does Not Exist', 482: 'Loop Detected', 483: 'Too Many Hops',
  484: 'Address Incomplete', 485: 'Ambiguous', 486: 'Busy Here', 487: 'Request Terminated', 488: 'Not Acceptable Here',
  489: 'Bad Event', 491: 'Request Pending', 493: 'Undecipherable', 494: 'Security Agreement Required',
  500: 'Server Internal Error', 501: 'Not Implemented', 502: 'Bad Gateway', 503: 'Service Unavailable', 504: 'Server Time-out',
  505: 'Version Not Supported', 513: 'Message Too Large', 580: 'Precondition Failure',
  600: 'Busy Everywhere', 603: 'Decline', 604: 'Does Not Exist Anywhere', 606: 'Not Acceptable',
}
