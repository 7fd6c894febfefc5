/**
 * What pushes to terminals by session, event and OPTIONS in their tests: a caller and notifier on the project's SIP and MSRP
 * layers, beside the small registrar on the same endpoint. Writes down what it is told and decides nothing.
 */
import { SeededEntropy } from '../../core/kit/entropy.js'
import type { Endpoint, NetworkOut } from '../../core/kit/network.js'
import type { Micros, Now } from '../../core/kit/time.js'
import type { MsrpSession, MsrpUser, SendOptions, SendOutcome } from '../../core/msrp/contract.js'
import { MsrpEndpoint } from '../../core/msrp/endpoint.js'
import type { Description, FileDescription, MsrpMedia } from '../../core/sdp/msrp-media.js'
import { parseDescription } from '../../core/sdp/parse.js'
import { descriptionText } from '../../core/sdp/write.js'
import type { ClientFailure, ClientTransaction, ServerTransaction, TransactionUser } from '../../core/sip/endpoint-contract.js'
import { Header, type HeaderId } from '../../core/sip/header-names.js'
import { composed } from '../../core/sip/header-text.js'
import type { InviteSession, InviteUser, SessionEnd } from '../../core/sip/invite-contract.js'
import { InviteSessions } from '../../core/sip/invite-sessions.js'
import { SipMessage } from '../../core/sip/message.js'
import { Notifier } from '../../core/sip/notifier.js'
import type { NotifierEnd, NotifierSubscription, NotifierUser } from '../../core/sip/subscription-contract.js'
import { responseTo } from '../../core/sip/write.js'
import type { SmallRegistrar } from '../live/small-registrar.js'

export const MSRP_PLACE = { address: '192.0.2.6', port: 2855 }
const CONTACT = composed('<sip:gateway@192.0.2.5:5060>')

/** One session it opened, and what became of it. */
export class Call {
  invite: InviteSession | undefined = undefined
  readonly msrp: MsrpSession[]
  readonly progress: number[] = []
  /** The final answer, and what it says of MSRP. */
  status = 0
  answer: Description | undefined = undefined
  response: SipMessage | undefined = undefined
  end: SessionEnd | undefined = undefined
  readonly outcomes: SendOutcome[] = []
  readonly downs: string[] = []

  constructor(msrp: MsrpSession[]) {
    this.msrp = msrp
  }

  line(index = 0): MsrpMedia {
    return this.answer!.media[index] as MsrpMedia
  }
}

export interface Invitation {
  readonly pushId?: string
  /** One line for each; undefined is a plain session. */
  readonly files?: readonly (FileDescription | undefined)[]
  readonly acceptTypes?: readonly string[]
  readonly setup?: 'active' | 'passive' | 'actpass'
  /** Over TLS, with these fingerprints in the offer; over TCP when absent. */
  readonly tls?: readonly string[]
  /** Replaces or takes away (undefined) headers. */
  readonly headers?: readonly (readonly [HeaderId, string | undefined])[]
  /** In place of the offer. */
  readonly body?: string
}

export class TerminalGateway implements TransactionUser {
  readonly invites: InviteSessions
  readonly notifier: Notifier
  readonly msrp: MsrpEndpoint
  readonly out: NetworkOut[] = []
  readonly subscribes: SipMessage[] = []
  readonly subscriptions: NotifierSubscription[] = []
  readonly notified: (number | ClientFailure)[] = []
  readonly subscriptionEnds: NotifierEnd[] = []
  /** Answers to requests of its own outside of any usage. */
  readonly answers: (SipMessage | ClientFailure)[] = []
  /** Methods of requests that were for no usage. */
  readonly strayRequests: string[] = []
  /** What it answers to a SUBSCRIBE in place of 200. */
  insteadOfSubscription: number | undefined
  /** With it, Retry-After in seconds. */
  retryAfterSeconds: number | undefined
  private running = 0

  constructor(private readonly registrar: SmallRegistrar, private readonly place: Endpoint = MSRP_PLACE) {
    const entropy = new SeededEntropy(5, 'gateway')
    const { endpoint } = registrar
    const hopOf = () => [...registrar.bindings.values()][0]?.source
    this.invites = new InviteSessions({ endpoint, user: this.inviteUser(), entropy, hopOf })
    this.notifier = new Notifier({ endpoint, user: this.notifierUser(), entropy, hopOf, packages: ['oma-push'], expiresSecondsMin: 1, expiresSecondsDefault: 3_600, expiresSecondsMax: 86_400 })
    this.msrp = new MsrpEndpoint({ ours: () => `${place.address}:${place.port}`, accepts: () => true, entropy, user: this.msrpUser(), emit: (out) => this.out.push(out) })
    registrar.others = this
  }

  deadline(): Micros {
    return Math.min(this.invites.deadline(), this.notifier.deadline(), this.msrp.deadline())
  }

  tick(now: Now): void {
    this.invites.tick(now)
    this.notifier.tick(now)
    this.msrp.tick(now)
  }

  /** A request to a device's contact, as the P-CSCF would hand it on. */
  request(method: string, contact: string, target: string, headers: readonly (readonly [HeaderId, string])[] = []): SipMessage {
    const number = ++this.running
    const request = new SipMessage({ method, requestUri: contact })
      .append(Header.MaxForwards, composed('67')).append(Header.From, composed(`<sip:push@home1.example>;tag=g${number}`)).append(Header.To, composed(`<${target}>`))
      .append(Header.CallId, composed(`g${number}@gateway`)).append(Header.CSeq, composed(`1 ${method}`)).append(Header.Contact, CONTACT)
    for (const [id, value] of headers) request.append(id, composed(value))
    return request
  }

  send(now: Now, request: SipMessage): void {
    this.registrar.endpoint.request(now, request, [...this.registrar.bindings.values()][0]!.source, this)
  }

  call(now: Now, contact: string, target: string, { pushId = 'p@test', files = [undefined], acceptTypes = ['*'], setup = 'actpass', tls, headers = [], body }: Invitation = {}): Call {
    const transport = tls === undefined ? 'tcp' : 'tls'
    const call = new Call(files.map(() => this.msrp.session({ transport, acceptTypes: ['*'] })))
    for (const session of call.msrp) session.context = call
    const media = call.msrp.map((session, index): MsrpMedia => ({
      kind: 'msrp', port: this.place.port, transport, host: this.place.address, path: [session.uri], setup, fingerprints: tls ?? [], acceptTypes, acceptWrappedTypes: [], maxSize: undefined,
      direction: 'sendonly', file: files[index],
    }))
    const text = descriptionText({ origin: { username: 'push', sessionId: '1', version: 1, host: this.place.address }, media })
    const request = this.request('INVITE', contact, target, [
      [Header.PAssertedIdentity, '<sip:push@home1.example>'], [Header.AcceptContact, '*;+g.oma.pusheventapp="push.sia";require;explicit'],
      [Header.Accept, 'application/sdp'], [Header.XPushId, pushId], [Header.ContentType, 'application/sdp'],
    ])
    for (const [id, value] of headers) {
      if (value === undefined) request.removeAll(id)
      else request.set(id, composed(value))
    }
    request.body = Buffer.from(body ?? text)
    call.invite = this.invites.invite(now, request, [...this.registrar.bindings.values()][0]!.source, call)
    return call
  }

  /** A new offer in the session, of these lines. */
  reoffer(now: Now, call: Call, media: readonly MsrpMedia[]): boolean {
    const text = descriptionText({ origin: { username: 'push', sessionId: '1', version: 2, host: this.place.address }, media })
    return this.invites.reinvite(now, call.invite!, composed('application/sdp'), Buffer.from(text))
  }

  // SIP

  onRequest(now: Now, transaction: ServerTransaction): void {
    const { request } = transaction
    if (this.invites.onRequest(now, transaction) || this.notifier.onRequest(now, transaction)) return
    if (request.method !== 'SUBSCRIBE') {
      this.strayRequests.push(request.method)
      return this.registrar.endpoint.respond(now, transaction, responseTo(request, 481, undefined, 'gw'))
    }
    this.subscribes.push(request)
    if (this.insteadOfSubscription !== undefined) {
      const response = responseTo(request, this.insteadOfSubscription, undefined, 'gw')
      if (this.retryAfterSeconds !== undefined) response.append(Header.RetryAfter, composed(String(this.retryAfterSeconds)))
      return this.registrar.endpoint.respond(now, transaction, response)
    }
    const subscription = this.notifier.offered(now, transaction, CONTACT, undefined)
    if (subscription === undefined) return
    this.subscriptions.push(subscription)
    this.notifier.accept(now, subscription, { state: 'active' })
  }

  onAck(now: Now, ack: SipMessage): void {
    this.invites.onAck(now, ack)
  }

  onCancel(now: Now, transaction: ServerTransaction): void {
    this.invites.onCancel(now, transaction)
  }

  onResponse(now: Now, { context }: ClientTransaction, response: SipMessage): void {
    if (context === this) {
      if (response.status >= 200) this.answers.push(response)
    } else if (!this.invites.onResponse(now, context, response)) this.notifier.onResponse(now, context, response)
  }

  onFailure(now: Now, { context }: ClientTransaction, failure: ClientFailure): void {
    if (context === this) this.answers.push(failure)
    else if (!this.invites.onFailure(now, context, failure)) this.notifier.onFailure(now, context, failure)
  }

  onFlowDown(): void {}

  private inviteUser(): InviteUser {
    return {
      onProgress: (_now, session, response) => { callOf(session).progress.push(response.status) },
      onAnswer: (now, session, response) => this.answered(now, callOf(session), response),
      onRefused: (_now, session, refusal) => {
        const call = callOf(session)
        call.status = typeof refusal === 'string' ? 408 : refusal.status
        if (typeof refusal !== 'string') call.response = refusal
      },
      onEnded: (now, session, end) => {
        const call = callOf(session)
        call.end = end
        for (const msrp of call.msrp) msrp.close(now)
      },
      onReinvite: () => {},
      onConfirmed: () => {},
      onRequest: (now, _session, transaction) => this.registrar.endpoint.respond(now, transaction, responseTo(transaction.request, 200)),
    }
  }

  private answered(now: Now, call: Call, response: SipMessage): void {
    call.status = response.status
    call.response = response
    call.answer = parseDescription(response.body.toString('utf8')).description
    call.answer?.media.forEach((line, index) => {
      const msrp = call.msrp[index]
      // False for one that was started before; one whose peer was faster is bound already.
      if (line.kind === 'msrp' && line.port !== 0) msrp?.start(now, 'passive', line.path.join(' '), line.fingerprints)
    })
  }

  private msrpUser(): MsrpUser {
    return {
      onBound: () => {},
      onDown: (_now, session, cause) => { (session.context as Call).downs.push(cause) },
      onMessage: () => 403,
      onBytes: () => {},
      onComplete: () => 200,
      onAborted: () => {},
      onOutcome: (_now, message, outcome) => { (message.session.context as Call).outcomes.push(outcome) },
    }
  }

  private notifierUser(): NotifierUser {
    return {
      state: () => ({}),
      onNotified: (_now, _subscription, context, outcome) => { if (context !== undefined) this.notified.push(typeof outcome === 'string' ? outcome : outcome.status) },
      onIdle: () => {},
      onRefreshed: () => {},
      onNumbersNeeded: () => {},
      onRequest: (now, _subscription, transaction) => this.registrar.endpoint.respond(now, transaction, responseTo(transaction.request, 200)),
      onEnded: (_now, _subscription, end) => { this.subscriptionEnds.push(end) },
    }
  }
}

function callOf(session: InviteSession): Call {
  return session.context as Call
}

/** A content of so many octets that tells one place from another. */
export function contentOf(size: number): Buffer {
  return Buffer.from(Array.from({ length: size }, (_, index) => (index * 31 + (index >> 8)) & 0xff))
}

export function sending(messageId: string, content: Buffer, more: Partial<SendOptions> = {}): SendOptions {
  return {
    messageId, contentType: 'text/vnd.wap.si', successReport: true, failureReport: 'yes',
    source: { size: content.length, read: (offset, length) => Buffer.from(content.subarray(offset, offset + length)) }, ...more,
  }
}
