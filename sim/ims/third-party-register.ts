/**
 * Third-party registration (TS 24.229 section 5.4.1.7): the REGISTER an S-CSCF sends to application servers when a
 * user's registration begins, is refreshed or ends. Builds the request and its body; when to send is scscf.ts.
 */
import type { Entropy } from '../../core/kit/entropy.js'
import { Header, type HeaderId } from '../../core/sip/header-names.js'
import { composed } from '../../core/sip/header-text.js'
import { SipMessage } from '../../core/sip/message.js'
import { SipParts, type SipPart } from '../../core/sip/sip-parts.js'
import type { ApplicationServer } from './filter-criteria.js'

/** What one third-party REGISTER is about. */
export interface ThirdPartyNews {
  /** The registered identity. */
  readonly identity: string
  /** 0 when the user is no longer registered. */
  readonly expiresSeconds: number
  /** The terminal's REGISTER as it reached the S-CSCF, and its answer; undefined when no REGISTER was the cause. */
  readonly register: { readonly request: SipMessage; readonly response: SipMessage } | undefined
}

/** What the S-CSCF remembers of a third-party REGISTER under way. */
export class ThirdParty {
  constructor(readonly server: ApplicationServer, readonly identity: string) {}
}

/** Copied from the terminal's REGISTER, so that the server knows the access. */
const COPIED: readonly HeaderId[] = [Header.PAccessNetworkInfo, Header.PVisitedNetworkId, Header.PChargingVector]

/** A REGISTER from the S-CSCF (`scscf`, a host name) to the server; it lacks only the Via. */
export function thirdPartyRegister(entropy: Entropy, scscf: string, server: ApplicationServer, news: ThirdPartyNews): SipMessage {
  const request = new SipMessage({ method: 'REGISTER', requestUri: server.uri })
  request.append(Header.MaxForwards, composed('70'))
  request.append(Header.From, composed(`<sip:${scscf}>;tag=${entropy.token(40)}`))
  request.append(Header.To, composed(`<${news.identity}>`))
  request.append(Header.CallId, composed(`${entropy.token(80)}@${scscf}`))
  request.append(Header.CSeq, composed('1 REGISTER'))
  request.append(Header.Contact, composed(`<sip:${scscf}>`))
  request.append(Header.Expires, composed(String(news.expiresSeconds)))
  for (const id of COPIED) {
    const value = news.register?.request.get(id)
    if (value !== undefined) request.append(id, value)
  }
  const parts = bodyParts(server, news)
  if (parts.length === 0) return request
  const body = new SipParts(parts, `part-${entropy.token(60)}`)
  request.append(Header.ContentType, composed(body.contentType))
  request.setComposedBody(body)
  return request
}

function bodyParts(server: ApplicationServer, { register }: ThirdPartyNews): SipPart[] {
  const parts: SipPart[] = []
  if (server.serviceInfo !== undefined) parts.push({ type: 'application/3gpp-ims+xml', octets: serviceInfo(server.serviceInfo) })
  if (register === undefined) return parts
  // As they are now: both go on through the network and are changed on the way.
  if (server.includeRegisterRequest) parts.push({ type: 'message/sip', message: register.request.clone() })
  if (server.includeRegisterResponse) parts.push({ type: 'message/sip', message: register.response.clone() })
  return parts
}

function serviceInfo(text: string): Buffer {
  const escaped = text.replace(/[&<>]/g, (character) => (character === '&' ? '&amp;' : character === '<' ? '&lt;' : '&gt;'))
  return Buffer.from(`<?xml version="1.0" encoding="UTF-8"?>\r\n<ims-3gpp version="1"><service-info>${escaped}</service-info></ims-3gpp>\r\n`)
}
