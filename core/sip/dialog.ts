/**
 * One dialog (RFC 3261 section 12): its id, route set, targets and CSeq numbers, the requests made within it and the check
 * of those received. The same for INVITE, SUBSCRIBE and REFER; knows no usage, no transaction and no network.
 *
 * A dialog that is to survive a restart is kept as `DialogData`. Its own CSeq numbers are taken from a reserved block: the
 * owner stores the end of the block first (`data(bound)`), then calls `reserve(bound)`; after a restart numbering goes on
 * behind the end of the block, so no number is ever used twice and not every request costs a write.
 */
import { assert } from '../kit/assert.js'
import type { Transport } from '../kit/network.js'
import { Header } from './header-names.js'
import { type HeaderText, composed, parsedText } from './header-text.js'
import { SipMessage } from './message.js'
import { nameAddrs, parseNameAddr, tagOf } from './name-addr.js'
import { type Uri, parseUri, uriParam, uriText } from './uri.js'
import { CSEQ_MAX, cseqNumber } from './values.js'
import { responseTo } from './write.js'

/** Proxies that may stay in the path; a dialog with more is not formed. */
export const ROUTES_MAX = 32
/** A block of CSeq numbers, reserved with one write. */
export const SEQUENCE_BLOCK = 64

const MAX_FORWARDS = composed('70')

/** A dialog as plain data (JSON). Texts are header values as on the wire. */
export interface DialogData {
  readonly callId: string
  readonly localTag: string
  readonly remoteTag: string
  /** From of our requests and To of theirs, each with its tag. */
  readonly local: string
  readonly remote: string
  /** The URI of their Contact. */
  readonly remoteTarget: string
  /** Route values in the order in which our requests pass them. */
  readonly routes: readonly string[]
  /** The last CSeq number used or reserved. */
  readonly localSequence: number
  /** The last CSeq number of theirs; -1 before the first. */
  readonly remoteSequence: number
  readonly isSecure: boolean
}

/** Methods by which the other side may move its target (RFC 3261 section 12.2, RFC 3311, RFC 6665 section 4.4.1, RFC 3515). */
const REFRESHES_TARGET: ReadonlySet<string> = new Set(['INVITE', 'UPDATE', 'SUBSCRIBE', 'NOTIFY', 'REFER'])

export class Dialog {
  readonly callId: string
  readonly localTag: string
  readonly remoteTag: string
  readonly isSecure: boolean
  private readonly local: HeaderText
  private readonly remote: HeaderText
  private readonly routes: readonly HeaderText[]
  private target: string
  private sequence: number
  private heard: number
  private bound: number

  /** @param bound the last own CSeq number that may be used before `reserve`; `Infinity` for a dialog that nobody stores */
  constructor(data: DialogData, bound: number) {
    this.callId = data.callId
    this.localTag = data.localTag
    this.remoteTag = data.remoteTag
    this.isSecure = data.isSecure
    this.local = composed(data.local)
    this.remote = composed(data.remote)
    this.routes = data.routes.map(composed)
    this.target = data.remoteTarget
    this.sequence = data.localSequence
    this.heard = data.remoteSequence
    this.bound = bound
  }

  /** From the store: every number up to the stored one may have been used, so `reserve` must come before the first request. */
  static restored(data: DialogData): Dialog {
    return new Dialog(data, data.localSequence)
  }

  get remoteTarget(): string {
    return this.target
  }

  get localSequence(): number {
    return this.sequence
  }

  /** How many requests can be made before the next `reserve`. */
  get sequencesLeft(): number {
    return this.bound - this.sequence
  }

  /** As it is to be stored before numbers up to `bound` are used: see `reserve`. */
  data(bound: number = this.bound === Infinity ? this.sequence : this.bound): DialogData {
    assert(bound >= this.sequence && bound <= CSEQ_MAX, 'a block of CSeq numbers ends behind the last number used')
    const { callId, localTag, remoteTag, local, remote, target, routes, heard, isSecure } = this
    return { callId, localTag, remoteTag, local, remote, remoteTarget: target, routes, localSequence: bound, remoteSequence: heard, isSecure }
  }

  /** The end of the next block: what to give to `data` and, once stored, to `reserve`. */
  nextBound(): number {
    return Math.min((this.bound === Infinity ? this.sequence : this.bound) + SEQUENCE_BLOCK, CSEQ_MAX)
  }

  /** The store holds `data(bound)`: numbers up to `bound` may be used. */
  reserve(bound: number): void {
    this.bound = bound
  }

  /** The URI whose host takes the next request: the first route, else the target (RFC 3261 sections 8.1.2 and 12.2.1.1). */
  get nextHop(): string {
    const first = this.routes[0]
    return first === undefined ? this.target : parseNameAddr(first)!.uri
  }

  /**
   * The next request, with Request-URI, Route, Max-Forwards, From, To, Call-ID and CSeq (section 12.2.1.1). The caller adds
   * Contact where the method may move the target, and the rest.
   */
  request(method: string): SipMessage {
    assert(this.sequencesLeft > 0, 'a CSeq number of a dialog is used before its block was stored')
    this.sequence += 1
    return this.build(method, this.sequence)
  }

  /** The ACK for the 2xx to our INVITE of this CSeq number (section 13.2.2.4). */
  ack(sequence: number): SipMessage {
    return this.build('ACK', sequence)
  }

  private build(method: string, sequence: number): SipMessage {
    const first = this.routes[0] === undefined ? undefined : parseUri(parseNameAddr(this.routes[0])!.uri)
    const isStrict = first !== undefined && uriParam(first, 'lr') === undefined
    const request = new SipMessage({ method, requestUri: isStrict ? requestUriOf(first) : this.target })
    for (const route of isStrict ? this.routes.slice(1) : this.routes) request.append(Header.Route, route)
    // Section 12.2.1.1: a strict router finds the target as the last route.
    if (isStrict) request.append(Header.Route, composed(`<${this.target}>`))
    return request.append(Header.MaxForwards, MAX_FORWARDS).append(Header.From, this.local).append(Header.To, this.remote)
      .append(Header.CallId, composed(this.callId)).append(Header.CSeq, composed(`${sequence} ${method}`))
  }

  /**
   * A request received within the dialog, in order? `false`: answer it 500 (section 12.2.2). A repeat of the last number
   * that gets past the transaction layer is out of order too. In order, its Contact moves the target where the method may.
   */
  accept(request: SipMessage): boolean {
    const sequence = cseqNumber(request.get(Header.CSeq) ?? '')
    if (sequence <= this.heard) return false
    this.heard = sequence
    if (REFRESHES_TARGET.has(request.method)) this.moveTarget(request)
    return true
  }

  /** A 2xx to a request of ours: its Contact moves the target where the method may (section 12.2.1.2). */
  accepted(response: SipMessage): void {
    if (REFRESHES_TARGET.has(response.method)) this.moveTarget(response)
  }

  private moveTarget(message: SipMessage): void {
    this.target = targetOf(message) ?? this.target
  }
}

/**
 * The dialog of a response to our request, 101-299 with a To tag (RFC 3261 section 12.1.2); undefined when it forms none,
 * since tag or Contact are missing or unreadable. The route set is the response's Record-Route turned round.
 */
export function dialogOfResponse(request: SipMessage, response: SipMessage, transport: Transport): Dialog | undefined {
  const routes = recordRoutes(response)?.reverse()
  const target = targetOf(response)
  const remoteTag = tagOf(response, Header.To)
  if (routes === undefined || target === undefined || remoteTag === '') return undefined
  return formed(request, tagOf(request, Header.From), remoteTag, request.get(Header.From)!, response.get(Header.To)!, {
    target, routes, localSequence: cseqNumber(request.get(Header.CSeq)!), remoteSequence: -1, isSecure: isSecure(request, transport),
  })
}

/** The dialog of a request received, which we answer with this tag in To (section 12.1.1); undefined when its Contact or Record-Route cannot be read. */
export function dialogOfRequest(request: SipMessage, localTag: string, transport: Transport): Dialog | undefined {
  const routes = recordRoutes(request)
  const target = targetOf(request)
  if (routes === undefined || target === undefined) return undefined
  return formed(request, localTag, tagOf(request, Header.From), composed(`${request.get(Header.To)!};tag=${localTag}`), request.get(Header.From)!, {
    target, routes, localSequence: 0, remoteSequence: cseqNumber(request.get(Header.CSeq)!), isSecure: isSecure(request, transport),
  })
}

/**
 * The dialog a NOTIFY forms with the SUBSCRIBE we sent (RFC 6665 section 4.4.1), whether the 2xx came before it or not:
 * the routes are those of a UAS, the CSeq numbers go on behind the SUBSCRIBE's.
 */
export function dialogOfNotify(subscribe: SipMessage, notify: SipMessage, transport: Transport): Dialog | undefined {
  const routes = recordRoutes(notify)
  const target = targetOf(notify)
  const remoteTag = tagOf(notify, Header.From)
  if (routes === undefined || target === undefined || remoteTag === '') return undefined
  return formed(subscribe, tagOf(subscribe, Header.From), remoteTag, subscribe.get(Header.From)!, notify.get(Header.From)!, {
    target, routes, localSequence: cseqNumber(subscribe.get(Header.CSeq)!), remoteSequence: cseqNumber(notify.get(Header.CSeq)!), isSecure: isSecure(subscribe, transport),
  })
}

interface Rest {
  readonly target: string
  readonly routes: readonly string[]
  readonly localSequence: number
  readonly remoteSequence: number
  readonly isSecure: boolean
}

function formed(request: SipMessage, localTag: string, remoteTag: string, local: string, remote: string, rest: Rest): Dialog {
  const { target, routes, localSequence, remoteSequence } = rest
  return new Dialog({
    callId: own(request.get(Header.CallId)!), localTag: own(localTag), remoteTag: own(remoteTag), local: own(local), remote: own(remote),
    remoteTarget: target, routes: routes.map(own), localSequence, remoteSequence, isSecure: rest.isSecure,
  }, Infinity)
}

/**
 * A response that forms or refreshes a dialog: with the request's Record-Route as it came and our Contact (section 12.1.1).
 * @param localTag put into a To that has none
 */
export function dialogResponse(request: SipMessage, status: number, localTag: string, contact: HeaderText): SipMessage {
  const response = responseTo(request, status, undefined, localTag)
  for (const line of request.getAll(Header.RecordRoute)) response.append(Header.RecordRoute, line)
  return response.append(Header.Contact, contact)
}

/** The Record-Route values of all lines in order; undefined when malformed or too many. */
function recordRoutes(message: SipMessage): HeaderText[] | undefined {
  const list = nameAddrs(message, Header.RecordRoute)
  if (list === undefined || list.length > ROUTES_MAX) return undefined
  const routes: HeaderText[] = []
  for (const { uri, params } of list) {
    if (parseUri(uri) === undefined) return undefined
    routes.push(composed(`<${uri}>${params}`))
  }
  return routes
}

/** The one Contact's URI as it can stand in a Request-URI; undefined when there is none that can. */
function targetOf(message: SipMessage): string | undefined {
  const line = message.get(Header.Contact)
  const contact = line === undefined ? undefined : parseNameAddr(line)
  const uri = contact === undefined ? undefined : parseUri(contact.uri)
  return uri === undefined ? undefined : own(uri.headers === '' ? contact!.uri : uriText({ ...uri, headers: '' }))
}

/** Section 19.1.1: neither headers nor a method can stand in a Request-URI. */
function requestUriOf(uri: Uri): string {
  return uriText({ ...uri, headers: '', params: uri.params.replace(/;method=[^;]*/i, '') })
}

/** Section 12.1: a sips URI reached over TLS. */
function isSecure(request: SipMessage, transport: Transport): boolean {
  return transport === 'tls' && /^sips:/i.test(request.requestUri)
}

/** A copy of its own: a part cut out of a message would keep the whole message in memory as long as the dialog lives. */
function own(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1')
}

/** For the owner of a stored dialog: a text from a message that outlives it. */
export function ownText(text: string): HeaderText {
  return parsedText(own(text))
}
