/**
 * REFER: Refer-To with the method and the headers in its URI (RFC 3515 section 2.1, RFC 3261 section 19.1.1), Refer-Sub
 * (RFC 4488), Replaces (RFC 3891), and what the oma-push draft makes of them: move a subscription to another push server
 * (draft-mdolly-dispatch-oma-push-00, section 11.4). Knows the headers; the subscriptions are elsewhere.
 */
import { type EventHeader, OMA_PUSH, eventText, parseEvent } from './event.js'
import { Header } from './header-names.js'
import { type HeaderText, composed, textOf } from './header-text.js'
import type { SipMessage } from './message.js'
import { nameAddrText, parseNameAddr } from './name-addr.js'
import { paramOf, withoutParam } from './params.js'
import { parseUri, uriParam, uriText } from './uri.js'

/** Headers in one Refer-To; more are refused as malformed. */
export const REFER_HEADERS_MAX = 32

export interface ReferTo {
  /** Without method and headers: where to send the request. */
  readonly uri: HeaderText
  /** INVITE when none is written (RFC 3515 section 2.1). */
  readonly method: string
  /** The headers the new request is to have, unescaped, names as written. */
  readonly headers: readonly (readonly [name: string, value: HeaderText])[]
}

/** Undefined when malformed, of an unknown scheme, or with a header that could end a line early: answer 400. */
export function parseReferTo(text: string): ReferTo | undefined {
  const value = parseNameAddr(text)
  // RFC 3515 section 2.1: exactly one.
  const uri = value === undefined || value.end !== text.length ? undefined : parseUri(value.uri)
  if (uri === undefined) return undefined
  const headers: [string, HeaderText][] = []
  for (const header of uri.headers === '' ? [] : uri.headers.split('&')) {
    const equals = header.indexOf('=')
    const name = unescaped(header.slice(0, equals))
    const content = unescaped(header.slice(equals + 1))
    if (equals <= 0 || name === undefined || !/^[A-Za-z0-9\-.!%*_+`'~]+$/.test(name) || content === undefined || headers.length >= REFER_HEADERS_MAX) return undefined
    headers.push([name, content])
  }
  const method = uriParam(uri, 'method') ?? 'INVITE'
  return { uri: uriText({ ...uri, params: withoutParam(uri.params, 'method'), headers: '' }), method, headers }
}

/** The header of this name, in its long form, of the request asked for. */
export function referredHeader(referTo: ReferTo, name: string): HeaderText | undefined {
  const wanted = name.toLowerCase()
  return referTo.headers.find(([each]) => each.toLowerCase() === wanted)?.[1]
}

/** Undefined when the URI cannot be read. */
export function referToText({ uri, method, headers }: ReferTo): HeaderText | undefined {
  const parsed = parseUri(uri)
  if (parsed === undefined) return undefined
  const params = `${withoutParam(parsed.params, 'method')}${method === 'INVITE' ? '' : `;method=${method}`}`
  return nameAddrText(uriText({ ...parsed, params, headers: headers.map(([name, value]) => `${name}=${escapeHeader(value)}`).join('&') }))
}

/** RFC 3261 section 25.1, hvalue. The text holds one character per octet, which is what an escape stands for. */
function escapeHeader(value: string): string {
  return value.replace(/[^A-Za-z0-9\-_.!~*'()[\]/?:+$]/g, (octet) => `%${octet.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`)
}

function unescaped(text: string): HeaderText | undefined {
  const octets = text.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)))
  return /[\r\n\0]/.test(octets) ? undefined : composed(octets)
}

/** A dialog as Replaces names it, from the view of the one that is asked to replace it: `toTag` is its own (RFC 3891 section 3). */
export interface ReplacesHeader {
  readonly callId: string
  readonly toTag: string
  readonly fromTag: string
  readonly earlyOnly: boolean
}

/** Undefined when malformed: answer 400. */
export function parseReplaces(text: string): ReplacesHeader | undefined {
  const semicolon = text.indexOf(';')
  if (semicolon <= 0) return undefined
  const params = text.slice(semicolon)
  const callId = text.slice(0, semicolon).trim()
  const toTag = paramOf(params, 'to-tag')
  const fromTag = paramOf(params, 'from-tag')
  if (callId === '' || /[\s,]/.test(callId) || toTag === undefined || fromTag === undefined || toTag === '' || fromTag === '') return undefined
  return { callId, toTag, fromTag, earlyOnly: paramOf(params, 'early-only') !== undefined }
}

export function replacesText({ callId, toTag, fromTag, earlyOnly }: ReplacesHeader): HeaderText {
  return composed(`${callId};to-tag=${toTag};from-tag=${fromTag}${earlyOnly ? ';early-only' : ''}`)
}

/** Does the sender of this REFER want to hear what came of it (RFC 4488 section 4)? Yes where nothing is said. */
export function wantsReferSubscription(refer: SipMessage): boolean {
  const line = refer.get(Header.ReferSub)
  return line === undefined || !/^\s*false\s*(?:;|$)/i.test(line)
}

/** What a REFER asks for when it moves a push subscription. */
export interface PushMove {
  readonly referTo: ReferTo
  readonly event: EventHeader
  /** The subscription to give up for the new one. */
  readonly replaces: ReplacesHeader | undefined
}

/** The move, or the status to refuse it with: 400 malformed, 489 anything but a SUBSCRIBE to oma-push (draft section 11.4). */
export function pushMoveOf(refer: SipMessage): PushMove | 400 | 489 {
  const line = refer.get(Header.ReferTo)
  const referTo = line === undefined ? undefined : parseReferTo(line)
  if (referTo === undefined) return 400
  const event = parseEvent(referredHeader(referTo, 'Event') ?? referredHeader(referTo, 'o') ?? '')
  if (referTo.method !== 'SUBSCRIBE' || event?.package !== OMA_PUSH) return 489
  const replacesLine = referredHeader(referTo, 'Replaces') ?? refer.get(Header.Replaces)
  const replaces = replacesLine === undefined ? undefined : parseReplaces(replacesLine)
  return replacesLine !== undefined && replaces === undefined ? 400 : { referTo, event, replaces }
}

/** The Refer-To that asks for such a move; undefined when the server's URI or the event cannot be written. */
export function pushMoveText(server: string, event: EventHeader, replaces: ReplacesHeader | undefined): HeaderText | undefined {
  const eventLine = eventText(event)
  const uri = textOf(server)
  if (eventLine === undefined || uri === undefined) return undefined
  const headers: [string, HeaderText][] = [['Event', eventLine]]
  if (replaces !== undefined) headers.push(['Replaces', replacesText(replaces)])
  return referToText({ uri, method: 'SUBSCRIBE', headers })
}
