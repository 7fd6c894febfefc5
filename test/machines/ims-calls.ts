/**
 * Dialogs of peers in the harness (ims-harness.ts): INVITE with its ACK and CANCEL, and what follows within the dialog,
 * made by the dialogs of core/sip, so that the route sets the core gave are really used.
 */
import { type Dialog, dialogOfRequest, dialogOfResponse, dialogResponse } from '../../core/sip/dialog.js'
import { Header } from '../../core/sip/header-names.js'
import { composed } from '../../core/sip/header-text.js'
import { SipMessage } from '../../core/sip/message.js'
import { responseTo, writeMessage } from '../../core/sip/write.js'
import { DOMAIN, type ImsHarness, type Peer } from './ims-harness.js'

export const AOR = `sip:alice@${DOMAIN}`
export const PUSH = `sip:push@ppg.${DOMAIN}`
export const SDP = 'v=0\r\no=- 1 1 IN IP4 127.0.0.3\r\ns=-\r\nc=IN IP4 127.0.0.3\r\nt=0 0\r\nm=message 2855 TCP/MSRP *\r\n'

let branchLast = 0

/** Sends a request over this peer's flow with a Via of its own, or with the one given. */
export function send(harness: ImsHarness, peer: Peer, request: SipMessage, via = newVia(peer)): void {
  request.prepend(Header.Via, composed(via))
  harness.input(peer, writeMessage(request))
}

function newVia({ transport, remote }: Peer): string {
  return `SIP/2.0/${transport.toUpperCase()} ${remote.address}:${remote.port};branch=z9hG4bKcall${++branchLast};rport`
}

/** One INVITE from the side that sends it. */
export class Call {
  readonly invite: SipMessage
  private readonly via: string

  /** @param from the caller's identity; its Contact is the peer's own address unless `more` brings one */
  constructor(private readonly harness: ImsHarness, readonly peer: Peer, uri: string, from = PUSH, more: readonly [number, string][] = []) {
    this.via = newVia(peer)
    const invite = new SipMessage({ method: 'INVITE', requestUri: uri })
    invite.append(Header.MaxForwards, composed('70'))
    invite.append(Header.From, composed(`<${from}>;tag=call${branchLast}`)).append(Header.To, composed(`<${uri}>`))
    invite.append(Header.CallId, composed(`call-${branchLast}`)).append(Header.CSeq, composed('1 INVITE'))
    invite.append(Header.Contact, composed(`<sip:${peer.remote.address}:${peer.remote.port};transport=${peer.transport}>`))
    if (from === PUSH) invite.append(Header.PAssertedIdentity, composed(`<${PUSH}>`))
    for (const [id, value] of more) invite.append(id as typeof Header.Subject, composed(value))
    invite.append(Header.ContentType, composed('application/sdp'))
    invite.body = Buffer.from(SDP)
    this.invite = invite.clone()
    send(harness, peer, invite, this.via)
  }

  cancel(): void {
    send(this.harness, this.peer, this.bare('CANCEL', this.invite.get(Header.To)!), this.via)
  }

  /** The ACK for a refusal, which shares the INVITE's transaction (RFC 3261 section 17.1.1.3). */
  ackRefusal(response: SipMessage): void {
    send(this.harness, this.peer, this.bare('ACK', response.get(Header.To)!), this.via)
  }

  /** The INVITE again, as over a lossy network. */
  repeat(): void {
    send(this.harness, this.peer, this.invite.clone(), this.via)
  }

  dialog(response: SipMessage): Dialog {
    return dialogOfResponse(this.invite, response, 'tcp')!
  }

  private bare(method: string, to: string): SipMessage {
    const bare = new SipMessage({ method, requestUri: this.invite.requestUri })
    bare.append(Header.MaxForwards, composed('70')).append(Header.From, this.invite.get(Header.From)!).append(Header.To, composed(to))
    return bare.append(Header.CallId, this.invite.get(Header.CallId)!).append(Header.CSeq, composed(`1 ${method}`))
  }
}

/** A request that came to a peer as the user agent that answers it. */
export class Answerer {
  readonly tag: string
  readonly contact: string

  constructor(private readonly harness: ImsHarness, readonly peer: Peer, readonly request: SipMessage, contact?: string) {
    this.tag = `u${peer.flow}`
    this.contact = contact ?? `<sip:ue@${peer.remote.address}:${peer.remote.port};transport=${peer.transport}>`
  }

  /** With Record-Route and Contact, as a response that forms a dialog has them (RFC 3261 section 12.1.1). */
  answer(status: number, body = ''): void {
    const response = status < 300 && status > 100 ? dialogResponse(this.request, status, this.tag, composed(this.contact)) : responseTo(this.request, status, undefined, this.tag)
    if (body !== '') {
      response.append(Header.ContentType, composed('application/sdp'))
      response.body = Buffer.from(body)
    }
    this.harness.input(this.peer, writeMessage(response))
  }

  dialog(): Dialog {
    return dialogOfRequest(this.request, this.tag, 'tcp')!
  }
}

/** How many texts and octets reachable from here hold this text; by whatever name, so that no new place is missed. */
export function keeping(root: unknown, text: string): number {
  const seen = new Set<unknown>()
  const waiting: unknown[] = [root]
  let found = 0
  for (let value = waiting.pop(); value !== undefined; value = waiting.pop()) {
    if (typeof value === 'string') found += value.includes(text) ? 1 : 0
    else if (Buffer.isBuffer(value)) found += value.includes(text) ? 1 : 0
    else if (typeof value === 'object' && value !== null && !seen.has(value)) {
      seen.add(value)
      if (value instanceof Map || value instanceof Set) waiting.push(...value.keys(), ...value.values())
      waiting.push(...Object.values(value).filter((inner) => inner !== undefined))
    }
  }
  return found
}

/** The newest request of this method a peer got, everything before it forgotten. */
export function took(peer: Peer, method: string): SipMessage {
  const request = peer.received.findLast((message) => message.isRequest && message.method === method)
  if (request === undefined) throw new Error(`no ${method} among ${peer.received.map(({ method: name, status }) => `${name} ${status}`).join(', ')}`)
  peer.received.length = 0
  return request
}

/** Statuses a peer got and has not looked at, 100 left out. */
export function statuses(peer: Peer): number[] {
  const all = peer.received.filter(({ status }) => status > 100).map(({ status }) => status)
  peer.received.length = 0
  return all
}

/** Whatever a message says apart from branches, tags of chance, ports and counters. */
export function withoutChance(octets: readonly Buffer[]): string {
  return Buffer.concat(octets).toString('latin1').replace(/branch=[\w.]+/g, 'branch=B').replace(/(\d+\.\d+\.\d+\.\d+):\d+/g, '$1:P')
    .replace(/rport=\d+/g, 'rport=P').replace(/sip:[\w+/=]{32}@/g, 'sip:TOKEN@').replace(/call-?\d+/g, 'call').replace(/tag=u\d+/g, 'tag=u')
}

/** Nothing of a request, branch or transaction is left in any node. */
export function left(harness: ImsHarness): Record<string, number> {
  const counters = harness.core.counters()
  return Object.fromEntries(Object.entries(counters).filter(([name, value]) => /unanswered|openTransactions|ringing/.test(name) && value !== 0))
}

