/**
 * Reading a REGISTER and writing its 200 (RFC 3261 section 10.3, RFC 3327, RFC 3608, RFC 5626, RFC 5627): from header
 * texts to what the registrar understands, and back. Knows grammar and limits; the registrar decides, scscf.ts sends.
 */
import { rfc1123Text } from '../../core/kit/calendar.js'
import type { Now } from '../../core/kit/time.js'
import { Header } from '../../core/sip/header-names.js'
import { composed, type HeaderText } from '../../core/sip/header-text.js'
import type { SipMessage } from '../../core/sip/message.js'
import { nameAddrs, type NameAddr } from '../../core/sip/name-addr.js'
import { listParams, unquote } from '../../core/sip/params.js'
import { aorOf, parseUri } from '../../core/sip/uri.js'
import { DELTA_SECONDS_MAX, allValues, cseqNumber, integerOf, listsToken } from '../../core/sip/values.js'
import type { Binding, ContactWish, Registrar, Registration, RegisterWish } from './registrar.js'
import type { RegistrationSettings } from './settings.js'

/** What the registrar supports of what a Require may name (RFC 3261 section 8.2.2.3). */
const SUPPORTED: ReadonlySet<string> = new Set(['path', 'gruu', 'outbound'])
const REG_ID_MAX = 2 ** 31 - 1

/** Why a REGISTER cannot be taken: a status and the header that says what would be right. */
export interface RegisterRefusal {
  readonly status: number
  readonly reason?: string
  readonly header?: { readonly id: typeof Header.Unsupported | typeof Header.MinExpires; readonly value: string }
}

export interface ReadRegister {
  readonly wish: RegisterWish
  /** The UA asked for outbound and gets it: the 200 carries `Require: outbound` (RFC 5626 section 6). */
  readonly outbound: boolean
}

interface Circumstances {
  readonly settings: RegistrationSettings
  readonly expiresSeconds: number
  readonly outboundSupported: boolean
  /** The edge proxy wrote `ob` into the first Path value (RFC 5626 section 6). */
  readonly edgeSupportsOutbound: boolean
  readonly identity: string
  readonly homeDomain: string
}

/** Extensions a Require names and this registrar lacks, comma-joined; '' when it has all. */
export function unsupportedExtensions(request: SipMessage): string {
  if (!request.has(Header.Require)) return ''
  return allValues(request, Header.Require).filter((tag) => !SUPPORTED.has(tag.toLowerCase())).join(', ')
}

export function readRegister(request: SipMessage, identity: string, homeDomain: string, settings: RegistrationSettings): ReadRegister | RegisterRefusal {
  const path = allValues(request, Header.Path)
  const expires = request.get(Header.Expires)
  const circumstances: Circumstances = {
    settings, identity, homeDomain,
    expiresSeconds: (expires === undefined ? undefined : integerOf(expires, DELTA_SECONDS_MAX)) ?? settings.expiresDefaultSeconds,
    outboundSupported: listsToken(request, Header.Supported, 'outbound'),
    edgeSupportsOutbound: path.length > 0 && path[0]!.includes(';ob'),
  }
  const contacts = readContacts(request, circumstances, expires)
  if ('status' in contacts) return contacts
  return {
    wish: {
      callId: request.get(Header.CallId) ?? '',
      cseq: cseqNumber(request.get(Header.CSeq) ?? ''),
      contacts: contacts.wishes,
      path: path.join(', '),
      gruu: listsToken(request, Header.Supported, 'gruu'),
    },
    outbound: contacts.wishes !== '*' && contacts.wishes.some((contact) => contact.regId !== 0),
  }
}

function readContacts(request: SipMessage, circumstances: Circumstances, expires: string | undefined): { wishes: ContactWish[] | '*' } | RegisterRefusal {
  const lines = request.getAll(Header.Contact)
  if (lines.includes('*' as HeaderText)) {
    // RFC 3261 10.3 step 6: `*` stands alone and only with Expires: 0.
    return lines.length === 1 && expires === '0' ? { wishes: '*' } : { status: 400, reason: 'Contact: * Needs Expires: 0 And No Other Contact' }
  }
  const contacts = nameAddrs(request, Header.Contact)
  if (contacts === undefined) return { status: 400, reason: 'Malformed Contact' }
  const wishes: ContactWish[] = []
  for (const contact of contacts) {
    const wish = readContact(contact, circumstances)
    if ('status' in wish) return wish
    wishes.push(wish)
  }
  // RFC 5626 6: several live contacts in one REGISTER cannot share the one flow a reg-id stands for.
  if (wishes.length > 1 && wishes.some((wish) => wish.regId !== 0) && wishes.filter((wish) => wish.expiresSeconds > 0).length > 1) {
    return { status: 400, reason: 'More Than One Contact With reg-id' }
  }
  return { wishes }
}

function readContact(contact: NameAddr, circumstances: Circumstances): ContactWish | RegisterRefusal {
  const { settings } = circumstances
  let instance = ''
  let regId = 0
  let asked: number | undefined
  let features = ''
  for (const [name, value] of listParams(contact.params)) {
    switch (name.toLowerCase()) {
      case '+sip.instance': instance = unquote(value).replace(/^<|>$/g, ''); break
      case 'reg-id': regId = integerOf(value, REG_ID_MAX) ?? 0; break
      case 'expires': asked = integerOf(value, DELTA_SECONDS_MAX); break
      // RFC 5627 5.1: what a UA says of GRUUs is ignored.
      case 'pub-gruu': case 'temp-gruu': break
      default: features += value === '' ? `;${name}` : `;${name}=${value}`
    }
  }
  const wanted = asked ?? circumstances.expiresSeconds
  // RFC 3261 10.3 step 7: too brief is refused, too long is shortened.
  if (wanted > 0 && wanted < settings.expiresMinSeconds) {
    return { status: 423, header: { id: Header.MinExpires, value: String(settings.expiresMinSeconds) } }
  }
  const refusal = unusableUri(contact.uri, instance, circumstances)
  if (refusal !== undefined) return refusal
  // RFC 5626 6: reg-id counts only with an instance and with outbound on both sides; an edge without it is 439.
  if (regId !== 0 && circumstances.outboundSupported && instance !== '' && !circumstances.edgeSupportsOutbound) return { status: 439 }
  const usable = instance !== '' && circumstances.outboundSupported
  return { uri: contact.uri, instance, regId: usable ? regId : 0, features, expiresSeconds: Math.min(wanted, settings.expiresMaxSeconds) }
}

function unusableUri(text: string, instance: string, { identity, homeDomain }: Circumstances): RegisterRefusal | undefined {
  const uri = parseUri(text)
  // RFC 5627 5.1: a GRUU needs a SIP contact; and nothing else could be forwarded to.
  if (uri === undefined || uri.scheme === 'tel') return instance === '' ? { status: 400, reason: 'Contact Must Be A SIP URI' } : { status: 403, reason: 'Contact Must Be A SIP URI' }
  if (uri.host.toLowerCase() !== homeDomain) return undefined
  // RFC 5627 5.1: a contact that is the address-of-record or a GRUU would lead back here.
  return aorOf(uri) === identity || uri.params.includes('gr') ? { status: 403, reason: 'Contact Is The Address Of Record Or A GRUU' } : undefined
}

/** What a 200 to REGISTER carries beyond the frame of a response. */
export interface RegisterAnswer {
  readonly registration: Registration | undefined
  readonly registrar: Registrar
  readonly gruu: boolean
  readonly outbound: boolean
  /** Echoed only to a UA that understands it (RFC 3327 section 5.3). */
  readonly path: string
  readonly serviceRoute: HeaderText
  readonly associated: HeaderText
  /** The public GRUU's `gr` value of an instance. */
  readonly grOf: (instance: string) => string
  readonly homeDomain: string
}

/** Fills a 200 (RFC 3261 section 10.3 step 8): all bindings with what is left of them, and what the UA needs from now on. */
export function fillRegisterAnswer(now: Now, response: SipMessage, answer: RegisterAnswer): SipMessage {
  if (answer.registration !== undefined) {
    for (let binding = answer.registration.first; binding !== undefined; binding = binding.next) {
      response.append(Header.Contact, contactText(now, binding, answer))
    }
    if (answer.path !== '') response.append(Header.Path, composed(answer.path))
    response.append(Header.ServiceRoute, answer.serviceRoute)
    response.append(Header.PAssociatedUri, answer.associated)
    if (answer.outbound) response.append(Header.Require, composed('outbound'))
  }
  return response.append(Header.Date, composed(rfc1123Text(now.wall)))
}

function contactText(now: Now, binding: Binding, answer: RegisterAnswer): HeaderText {
  const { instance } = binding
  let text = `<${binding.uri}>`
  if (binding.regId !== 0) text += `;reg-id=${binding.regId}`
  if (instance !== '') text += `;+sip.instance="<${instance}>"`
  text += binding.features.text
  if (answer.gruu && instance !== '') {
    // RFC 5627 5.2: the public GRUU, and the newest temporary one.
    text += `;pub-gruu="${binding.registration.identity};gr=${answer.grOf(instance)}"`
    if (binding.temporaryUser !== '') text += `;temp-gruu="sip:${binding.temporaryUser}@${answer.homeDomain};gr"`
  }
  return composed(`${text};expires=${answer.registrar.remainingSeconds(now, binding)}`)
}
