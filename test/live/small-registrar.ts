/**
 * A registrar and sender of MESSAGEs, written for the tests of the terminals on the project's SIP layers: it challenges,
 * keeps one binding a contact, and sends what it is told over the flow a binding came by. Pure; `startSmallRegistrar`
 * gives it sockets.
 */
import type { Crypto } from '../../core/kit/crypto.js'
import type { Entropy } from '../../core/kit/entropy.js'
import { Fifo } from '../../core/kit/fifo.js'
import type { Machine, Tick } from '../../core/kit/machine.js'
import type { NetworkIn, NetworkOut } from '../../core/kit/network.js'
import type { Now } from '../../core/kit/time.js'
import { type DigestAlgorithm, challengeText, checkCredentials, parseCredentials, secretHash } from '../../core/sip/digest.js'
import { SipEndpoint } from '../../core/sip/endpoint.js'
import type { ClientFailure, ClientTransaction, Hop, ServerTransaction, TransactionUser } from '../../core/sip/endpoint-contract.js'
import { Header } from '../../core/sip/header-names.js'
import { composed } from '../../core/sip/header-text.js'
import { SipMessage } from '../../core/sip/message.js'
import { parseNameAddr } from '../../core/sip/name-addr.js'
import { paramOf } from '../../core/sip/params.js'
import { responseTo } from '../../core/sip/write.js'

export interface SmallRegistrarSettings {
  readonly domain: string
  readonly algorithms: readonly DigestAlgorithm[]
  /** Undefined for a private identity it does not know: answered 403. */
  readonly passwordOf: (impi: string) => string | undefined
  readonly expirySeconds: number
}

export interface Binding {
  readonly aor: string
  readonly contact: string
  readonly params: string
  readonly source: Hop
}

export interface Push {
  readonly ticket: number
  /** The contact to send to, and the To. */
  readonly contact: string
  readonly target: string
  readonly pushId: string
  readonly lines?: readonly (readonly [number, string])[]
  readonly body?: string
}

export type RegistrarIn = Tick | NetworkIn | { readonly type: 'push'; readonly push: Push }
export type RegistrarOut = NetworkOut | { readonly type: 'answered'; readonly ticket: number; readonly status: number; readonly response: SipMessage | undefined }

export class SmallRegistrar implements Machine<RegistrarIn, RegistrarOut>, TransactionUser {
  /** By contact URI. */
  readonly bindings = new Map<string, Binding>()
  readonly registers: SipMessage[] = []
  /** Kept only while tests look at them. */
  keepRegisters = false
  /** Asked first for every REGISTER: what it answers in place of the registrar, 'silence' for no answer. */
  instead: ((request: SipMessage) => SipMessage | 'silence' | undefined) | undefined
  /** Takes every request but REGISTER, and the answers to what it sends itself. */
  others: TransactionUser | undefined
  readonly endpoint: SipEndpoint
  private readonly out = new Fifo<RegistrarOut>()
  private running = 0

  constructor(private readonly settings: SmallRegistrarSettings, private readonly entropy: Entropy, private readonly crypto: Crypto) {
    this.endpoint = new SipEndpoint({ sentBy: () => `pcscf.${settings.domain}`, entropy, user: this, emit: (out) => this.out.push(out) })
  }

  handle(now: Now, input: RegistrarIn): void {
    if (input.type === 'tick') this.endpoint.tick(now)
    else if (input.type === 'push') this.push(now, input.push)
    else this.endpoint.input(now, input)
  }

  poll(): RegistrarOut | undefined {
    return this.out.shift()
  }

  deadline(): number {
    return this.endpoint.deadline()
  }

  onRequest(now: Now, transaction: ServerTransaction): void {
    const { request } = transaction
    if (request.method !== 'REGISTER' && this.others !== undefined) return this.others.onRequest(now, transaction)
    if (request.method !== 'REGISTER') return this.endpoint.respond(now, transaction, responseTo(request, 501, undefined, 'r1'))
    if (this.keepRegisters) this.registers.push(request)
    const response = this.instead?.(request) ?? this.register(request, transaction.source)
    if (response !== 'silence') this.endpoint.respond(now, transaction, response)
  }

  private register(request: SipMessage, source: Hop): SipMessage {
    const given = parseCredentials(request.get(Header.Authorization) ?? '')
    const password = given === undefined ? undefined : this.settings.passwordOf(given.username)
    if (given !== undefined && password === undefined) return responseTo(request, 403, undefined, 'r2')
    if (given === undefined || given.response === '' || !checkCredentials(this.crypto, given, secretHash(this.crypto, given.algorithm, given.username, given.realm, password!), 'REGISTER')) {
      const challenged = responseTo(request, 401, undefined, 'r3')
      for (const algorithm of this.settings.algorithms) {
        challenged.append(Header.WwwAuthenticate, challengeText({ realm: this.settings.domain, nonce: this.entropy.token(100), algorithm, qopAuth: true, stale: false })!)
      }
      return challenged
    }
    return this.bind(request, source)
  }

  private bind(request: SipMessage, source: Hop): SipMessage {
    const aor = parseNameAddr(request.get(Header.To)!)!.uri
    const contact = parseNameAddr(request.get(Header.Contact)!)!
    const asked = Number(paramOf(contact.params, 'expires') ?? request.get(Header.Expires) ?? '3600')
    const response = responseTo(request, 200, undefined, `r${this.running++}`)
    if (asked === 0) {
      this.bindings.delete(contact.uri)
      return response
    }
    this.bindings.set(contact.uri, { aor, contact: contact.uri, params: contact.params, source })
    const expires = Math.min(asked, this.settings.expirySeconds)
    const instance = /<(urn:[^>]*)>/.exec(paramOf(contact.params, '+sip.instance') ?? '')?.[1]
    const gruus = instance === undefined ? '' : `;pub-gruu="${aor};gr=${instance}";temp-gruu="sip:tgruu.${this.entropy.token(180)}@${this.settings.domain};gr"`
    const kept = contact.params.replace(/;expires=\d+/, '')
    return response
      .append(Header.Contact, composed(`<${contact.uri}>${kept}${gruus};expires=${expires}`))
      .append(Header.ServiceRoute, composed(`<sip:orig@scscf1.${this.settings.domain};lr>`))
      .append(Header.PAssociatedUri, composed(`<${aor}>`))
  }

  private push(now: Now, push: Push): void {
    const binding = this.bindings.get(push.contact)
    if (binding === undefined) throw new Error(`no binding for ${push.contact}`)
    const running = this.running++
    const request = new SipMessage({ method: 'MESSAGE', requestUri: push.contact })
      .append(Header.MaxForwards, composed('67'))
      .append(Header.From, composed(`<sip:push@ppg.${this.settings.domain}>;tag=p${running}`))
      .append(Header.To, composed(`<${push.target}>`))
      .append(Header.CallId, composed(`m${running}@ppg.${this.settings.domain}`))
      .append(Header.CSeq, composed('1 MESSAGE'))
      .append(Header.XPushId, composed(push.pushId))
    for (const [id, value] of push.lines ?? standardLines(this.settings.domain)) request.append(id as typeof Header.Other, composed(value))
    request.body = Buffer.from(push.body ?? 'content', 'utf8')
    this.endpoint.request(now, request, binding.source, push.ticket)
  }

  onResponse(now: Now, transaction: ClientTransaction, response: SipMessage): void {
    if (typeof transaction.context !== 'number') this.others?.onResponse(now, transaction, response)
    else if (response.status >= 200) this.out.push({ type: 'answered', ticket: transaction.context, status: response.status, response })
  }

  onFailure(now: Now, transaction: ClientTransaction, failure: ClientFailure): void {
    if (typeof transaction.context !== 'number') this.others?.onFailure(now, transaction, failure)
    else this.out.push({ type: 'answered', ticket: transaction.context, status: 0, response: undefined })
  }

  onAck(now: Now, ack: SipMessage, source: Hop): void {
    this.others?.onAck(now, ack, source)
  }

  onCancel(): void {}
  onFlowDown(): void {}
}

/** What a push for push.sia carries. */
export function standardLines(domain: string): readonly (readonly [number, string])[] {
  return [
    [Header.PAssertedIdentity, `<sip:push@ppg.${domain}>`],
    [Header.AcceptContact, '*;+g.oma.pusheventapp="push.sia";require;explicit'],
    [Header.ContentType, 'text/vnd.wap.si'],
  ]
}
