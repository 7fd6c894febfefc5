/**
 * The answers of terminals to what they are asked: the statuses of a push and of methods they do not have,
 * with the headers each must carry. Builds responses; who answers when is the fleet's matter.
 */
import type { ServerTransaction } from '../../core/sip/endpoint-contract.js'
import { Header } from '../../core/sip/header-names.js'
import { type HeaderText, composed } from '../../core/sip/header-text.js'
import type { SipMessage } from '../../core/sip/message.js'
import { responseTo } from '../../core/sip/write.js'
import type { DeviceBehaviour, Refusal } from './behaviour.js'
import { textsOf } from './capabilities.js'
import type { Terminal } from './terminal.js'

const IDENTITY = composed('identity')

/** An answer that waits until the device gives it; what the fleet's heap wakes. */
export class LateAnswer {
  constructor(readonly terminal: Terminal, readonly transaction: ServerTransaction, readonly response: SipMessage) {}
}

/** A refusal a check of `judge` asks for. */
export function rejection(request: SipMessage, status: number, terminal: Terminal, toTag: string): SipMessage {
  const response = responseTo(request, status, undefined, toTag)
  // RFC 3261 section 21.4.13: 415 says what would have been taken.
  if (status === 415) {
    if (request.has(Header.ContentEncoding)) response.append(Header.AcceptEncoding, IDENTITY)
    response.append(Header.Accept, acceptLine(terminal))
  }
  // RFC 3261 section 8.2.2.3.
  if (status === 420) for (const line of request.getAll(Header.Require)) response.append(Header.Unsupported, line)
  return response
}

const REFUSALS: Readonly<Record<string, Refusal | undefined>> = { 'refuses-type': { status: 415 }, 'refuses-size': { status: 413 } }

/** How it refuses content that passes its checks, if it does. */
export function refusalOf({ refusal, misbehaviour }: DeviceBehaviour): Refusal | undefined {
  return refusal ?? REFUSALS[misbehaviour ?? 'none']
}

export function refusal(request: SipMessage, behaviour: Refusal, toTag: string): SipMessage {
  const response = responseTo(request, behaviour.status, undefined, toTag)
  if (behaviour.retryAfterSeconds !== undefined) response.append(Header.RetryAfter, composed(String(behaviour.retryAfterSeconds)))
  return response
}

/** RFC 3261 section 21.4.6. */
export function methodNotAllowed(request: SipMessage, terminal: Terminal, toTag: string): SipMessage {
  return responseTo(request, 405, undefined, toTag).append(Header.Allow, textsOf(terminal.device.capabilities).allow)
}

/** The URI of To as written, without looking further into it: the validated line holds one address. */
export function targetOf(request: SipMessage): string {
  const line = request.get(Header.To) ?? ''
  const open = line.indexOf('<')
  if (open >= 0) return line.slice(open + 1, line.indexOf('>', open))
  const semicolon = line.indexOf(';')
  return semicolon < 0 ? line : line.slice(0, semicolon)
}

/** What it takes in a body. */
export function acceptLine(terminal: Terminal): HeaderText {
  return composed([...terminal.types].join(', '))
}
