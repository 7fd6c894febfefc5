/**
 * Session mode as a binding: pushes go as MSRP messages in sessions that an INVITE sets up, one after another and several at a
 * time in a session that is kept, or one file in one of its own. Decides which session a push goes in and what ends one; what
 * an answer means for the push is verdicts.ts. Knows no store row and no description's grammar.
 */
import { DeadlineHeap } from '../../kit/heap.js'
import { Fifo } from '../../kit/fifo.js'
import type { NetworkIn } from '../../kit/network.js'
import type { Micros, Now } from '../../kit/time.js'
import { MSRP_TICKET_FIRST, type OutgoingMessage, type SendOutcome } from '../../msrp/contract.js'
import { MsrpEndpoint } from '../../msrp/endpoint.js'
import { SessionBuilder, fileOf, messageIdOf, offerOf, sendHeaders } from '../../ota/session.js'
import type { ClientFailure, ServerTransaction, SipEndpointContract, SipTimerValues } from '../../sip/endpoint-contract.js'
import type { InviteSession, InviteUser } from '../../sip/invite-contract.js'
import type { SipMessage } from '../../sip/message.js'
import { contentSize, isInline, type Content } from '../../store/content.js'
import type { SubmissionRecord } from '../../store/records.js'
import type { AttemptStart } from '../delivery/attempt-start.js'
import type { Binding } from './binding.js'
import { contentSource } from './content-source.js'
import type { GatewayContext } from '../context.js'
import type { Delivery } from '../delivery/delivery.js'
import type { Deliveries } from '../delivery/deliveries.js'
import type { Hops } from '../delivery/hops.js'
import { PushSession, PushSessions, Transfer } from './push-session.js'
import type { Sight } from '../delivery/outcomes.js'
import { contentFault, readAnswer } from './session-answer.js'
import { SessionDialogs } from './session-dialogs.js'
import type { Verdicts } from '../delivery/verdicts.js'

const FROM_TAG_BITS = 64
const TRANSFER_ID_BITS = 160
/** A version of the description is told apart by digits below 2^53 (RFC 4566 section 5.2). */
const SESSION_ID_MAX = 2 ** 53

export class SessionBinding implements Binding, InviteUser {
  readonly name = 'session'
  readonly dialogs: SessionDialogs
  private readonly msrp: MsrpEndpoint
  private readonly builder: SessionBuilder
  private readonly sessions: PushSessions
  private readonly timers = new DeadlineHeap<PushSession>()
  /** Pushes that need a session for which there is no room. */
  private readonly waiting = new Fifo<Transfer>()
  private readonly flows = new Set<number>()
  private readonly host: string
  private readonly port: number
  private isDraining = false

  constructor(
    private readonly context: GatewayContext, endpoint: SipEndpointContract, hops: Hops, private readonly starts: AttemptStart,
    private readonly deliveries: Deliveries, private readonly verdicts: Verdicts, timers: SipTimerValues | undefined,
  ) {
    const { settings, entropy, out } = context
    const colon = settings.msrpAddress.lastIndexOf(':')
    this.host = settings.msrpAddress.slice(0, colon).replace(/^\[|\]$/g, '')
    this.port = Number(settings.msrpAddress.slice(colon + 1))
    this.builder = new SessionBuilder(context.identity)
    this.sessions = new PushSessions(settings.sessions)
    this.dialogs = new SessionDialogs(context, endpoint, hops, this, (session) => (session.context as PushSession).hop, timers)
    this.msrp = new MsrpEndpoint({
      ours: () => settings.msrpAddress, accepts: (local) => local.port === this.port, entropy, emit: (output) => out.add(output),
      user: {
        onBound: () => {},
        onDown: (now, session) => this.end(now, session.context as PushSession),
        // We offered to send only.
        onMessage: () => 403,
        onBytes: () => {},
        onComplete: () => 403,
        onAborted: () => {},
        onOutcome: (now, message, outcome) => this.outcome(now, message, outcome),
      },
    })
  }

  /** What is open: nothing, once all is over. */
  get open(): { readonly sessions: number; readonly dialogs: number; readonly connections: number; readonly waiting: number } {
    return { sessions: this.sessions.size, dialogs: this.dialogs.open, connections: this.msrp.connections, waiting: this.waiting.length }
  }

  /** MSRP requests and responses that came and that went. */
  get messages(): { readonly in: number; readonly out: number } {
    return this.msrp.messages
  }

  get isIdle(): boolean {
    return this.sessions.size === 0 && this.waiting.length === 0
  }

  send(now: Now, delivery: Delivery, submission: SubmissionRecord): void {
    this.place(now, new Transfer(delivery, submission))
  }

  /** True when the input concerns MSRP's flows and was taken. */
  network(now: Now, input: NetworkIn): boolean {
    switch (input.type) {
      case 'flow-up':
        if (input.ticket === undefined ? input.remote === undefined || input.local.port !== this.port : input.ticket < MSRP_TICKET_FIRST) return false
        this.flows.add(input.flow)
        break
      case 'connect-failed':
        if (input.ticket < MSRP_TICKET_FIRST) return false
        break
      default:
        if (this.flows.size === 0 || !this.flows.has(input.flow)) return false
        if (input.type === 'flow-down') this.flows.delete(input.flow)
    }
    this.msrp.input(now, input)
    return true
  }

  deadline(): Micros {
    return Math.min(this.dialogs.deadline(), this.msrp.deadline(), this.timers.next())
  }

  tick(now: Now): void {
    this.dialogs.tick(now)
    this.msrp.tick(now)
    for (let session = this.timers.popDue(now.mono); session !== undefined; session = this.timers.popDue(now.mono)) {
      session.timer = undefined
      // An INVITE that nobody answers is as good as silence (RFC 3261 section 9.1: CANCEL).
      if (session.state === 'inviting') this.fail(now, session, 'timeout', undefined)
      this.end(now, session)
    }
  }

  /** What is under way ends, nothing is kept; what waits goes back to the store. */
  drain(now: Now): void {
    this.isDraining = true
    for (const session of this.sessions.all()) if (session.state === 'open' && session.transfers.size === 0) this.end(now, session)
    for (let transfer = this.waiting.shift(); transfer !== undefined; transfer = this.waiting.shift()) this.deliveries.later(now, transfer.delivery, 0)
  }

  // ---- where a push goes ----

  private place(now: Now, transfer: Transfer): void {
    const { delivery, submission } = transfer
    // Its lifetime may have ended while it waited, or in the session before.
    if (now.wall >= delivery.expiresAt || this.isDraining) return this.deliveries.later(now, delivery, 0)
    const { uri } = delivery.queue.target
    const isFile = contentSize(submission.content) >= this.context.settings.sessions.fileFromOctets
    const taking = isFile ? undefined : this.sessions.taking(uri, submission.featureTag)
    if (taking !== undefined) this.join(now, taking, transfer)
    else if (this.sessions.hasRoom(uri)) this.invite(now, transfer, isFile)
    else {
      const idle = this.sessions.idle(uri)
      if (idle !== undefined) this.end(now, idle)
      this.waiting.push(transfer)
    }
  }

  private join(now: Now, session: PushSession, transfer: Transfer): void {
    const { delivery, submission } = transfer
    const { out } = this.context
    this.disarm(session)
    transfer.session = session
    session.transfers.add(transfer)
    out.journal('sip-out', submission.pushId, submission.recipients[delivery.recipient]!.literal, delivery.queue.target.uri, this.name)
    if (session.state === 'open') this.transmit(now, session, transfer)
    this.letOthersIn(session)
  }

  private invite(now: Now, transfer: Transfer, isFile: boolean): void {
    const { delivery, submission } = transfer
    const { entropy, settings, counters } = this.context
    const { target } = delivery.queue
    const hop = this.starts.hop(now, delivery)
    if (hop === undefined) return
    const msrp = this.msrp.session({ transport: settings.msrpFingerprint === undefined ? 'tcp' : 'tls', acceptTypes: ['*'] })
    const file = isFile ? fileOf(submission, this.sha1Of(submission.content), entropy.token(TRANSFER_ID_BITS)) : undefined
    const offer = offerOf(
      { uri: msrp.uri, port: this.port, host: this.host, sessionId: String(1 + Math.floor(entropy.unit() * (SESSION_ID_MAX - 1))), fingerprint: settings.msrpFingerprint },
      submission.contentType, file,
    )
    const session = new PushSession({ target: target.uri, featureTag: submission.featureTag, isFile, msrp, offer, hop: hop.hop })
    msrp.context = session
    transfer.session = session
    session.transfers.add(transfer)
    this.sessions.add(session)
    counters.sessions++
    session.timer = this.timers.arm(now.mono + settings.sessions.answerMicros, session)
    const request = this.builder.build({
      submission, recipient: delivery.recipient, requestUri: target.uri, isGruu: target.gruu !== 'none',
      cseq: this.starts.begin(now, delivery, submission), fromTag: entropy.token(FROM_TAG_BITS), route: hop.route, offer,
    })
    session.invite = this.dialogs.invite(now, request, hop.hop, session)
  }

  private sha1Of(content: Content): string {
    return isInline(content) ? this.context.crypto.hashHex('sha-1', content) : content.sha1
  }

  private transmit(now: Now, session: PushSession, transfer: Transfer): void {
    const { delivery, submission } = transfer
    const { content, contentType, deliveryMethod } = submission
    const fault = contentFault(session, contentType, contentSize(content))
    if (fault !== undefined) return this.settle(now, session, transfer, fault)
    session.messages++
    this.context.counters.sessionMessages++
    session.msrp.send(now, {
      messageId: messageIdOf(submission.token, delivery.recipient), contentType, headers: sendHeaders(submission),
      source: contentSource(content, this.context.contents, (then) => session.msrp.resume(then)),
      successReport: deliveryMethod !== 'unconfirmed', failureReport: 'yes', context: transfer,
    })
  }

  /** Lets the next push to the same Request-URI start where it would find a session that takes it, or room for one more. */
  private letOthersIn(session: PushSession): void {
    if (session.state !== 'open') return
    if (!session.takes(this.context.settings.sessions) && !(session.isFile && this.sessions.hasRoom(session.target))) return
    for (const { delivery } of session.transfers) this.deliveries.release(delivery)
  }

  // ---- what the other side says ----

  onProgress(): void {}

  onAnswer(now: Now, invite: InviteSession, response: SipMessage): void {
    const session = invite.context as PushSession
    if (session.state !== 'inviting') return
    const answer = readAnswer(session.offer, response)
    if (!answer.ok || !session.msrp.start(now, answer.role, answer.path, answer.fingerprints)) {
      this.fail(now, session, answer.ok ? response.status : answer.sight, undefined)
      return this.end(now, session)
    }
    this.disarm(session)
    session.state = 'open'
    session.acceptTypes = answer.acceptTypes
    session.maxSize = answer.maxSize
    for (const transfer of [...session.transfers]) this.transmit(now, session, transfer)
    this.rest(now, session)
  }

  onRefused(now: Now, invite: InviteSession, refusal: SipMessage | ClientFailure): void {
    const session = invite.context as PushSession
    if (typeof refusal === 'string') this.fail(now, session, refusal, undefined)
    else this.fail(now, session, refusal.status, refusal)
  }

  onReinvite(now: Now, invite: InviteSession): void {
    this.dialogs.keepAsItIs(now, invite)
  }

  onConfirmed(): void {}

  onRequest(now: Now, _invite: InviteSession, transaction: ServerTransaction): void {
    this.dialogs.notAllowed(now, transaction)
  }

  onEnded(now: Now, invite: InviteSession): void {
    const session = invite.context as PushSession
    this.sessions.remove(session)
    this.end(now, session)
    // Whoever is left was never begun.
    this.fail(now, session, 'timeout', undefined)
    for (let tries = this.waiting.length; tries > 0 && this.sessions.size < this.context.settings.sessions.max; tries--) this.place(now, this.waiting.shift()!)
  }

  private outcome(now: Now, message: OutgoingMessage, outcome: SendOutcome): void {
    const transfer = message.context as Transfer
    const { session } = transfer
    if (session === undefined || !session.transfers.has(transfer)) return
    switch (outcome.type) {
      case 'confirmed': return this.settle(now, session, transfer, 'msrp-report')
      case 'sent': return this.settle(now, session, transfer, 'msrp-sent')
      case 'refused':
        // RFC 4975 section 10: there is no such session, or another connection has it.
        if (outcome.status === 481 || outcome.status === 506) return this.lost(now, session, transfer, `msrp-${outcome.status}`)
        return this.settle(now, session, transfer, `msrp-${outcome.status}`)
      case 'failed':
        switch (outcome.cause) {
          case 'connection': case 'session': return this.lost(now, session, transfer, 'transport')
          case 'timeout':
            session.isSuspect = true
            return this.settle(now, session, transfer, 'timeout')
          case 'no-report':
            session.isSuspect = true
            return this.settle(now, session, transfer, transfer.submission.deliveryMethod === 'confirmed' ? 'timeout' : 'msrp-sent')
          // Who is there is not whom the answer spoke of: a new session would find the same.
          case 'handshake': case 'uncertified': case 'fingerprint': case 'expired': return this.settle(now, session, transfer, `msrp-${outcome.cause}`)
          case 'unsendable': return this.settle(now, session, transfer, 'msrp-400')
          case 'source': case 'cancelled': return this.settle(now, session, transfer, 'transport')
        }
    }
  }

  // ---- how a push leaves a session, and a session ends ----

  /** The session broke under it: once in a new one with the same Message-ID (docs/outcomes.md), then as the table says. */
  private lost(now: Now, session: PushSession, transfer: Transfer, sight: Sight): void {
    session.transfers.delete(transfer)
    this.end(now, session)
    if (transfer.renewed) return this.verdict(now, session, transfer, sight, undefined)
    transfer.renewed = true
    transfer.session = undefined
    this.place(now, transfer)
  }

  private settle(now: Now, session: PushSession, transfer: Transfer, sight: Sight): void {
    session.transfers.delete(transfer)
    this.verdict(now, session, transfer, sight, undefined)
    this.rest(now, session)
  }

  /** No session came of an INVITE: what was said is about the push it was for; the others try for themselves. */
  private fail(now: Now, session: PushSession, sight: Sight, response: SipMessage | undefined): void {
    const transfers = [...session.transfers]
    session.transfers.clear()
    transfers.forEach((transfer, index) => {
      if (index === 0) this.verdict(now, session, transfer, sight, response)
      else this.deliveries.again(now, transfer.delivery)
    })
  }

  private verdict(now: Now, session: PushSession, { delivery, submission }: Transfer, status: Sight, response: SipMessage | undefined): void {
    this.verdicts.act(now, delivery, submission, { binding: this.name, status, response, hop: session.state === 'inviting' ? session.hop : undefined })
  }

  /** A push has left it: it is kept for the next one, or ends. */
  private rest(now: Now, session: PushSession): void {
    if (session.state !== 'open') return
    if (session.transfers.size > 0) return this.letOthersIn(session)
    const { sessions } = this.context.settings
    if (sessions.keepMicros === 0 || this.isDraining || this.waiting.length > 0 || !session.takes(sessions)) return this.end(now, session)
    this.disarm(session)
    session.timer = this.timers.arm(now.mono + sessions.keepMicros, session)
  }

  /** MSRP first, so that what is in it is told before its dialog is over. */
  private end(now: Now, session: PushSession): void {
    if (session.state === 'closing') return
    this.disarm(session)
    session.state = 'closing'
    session.msrp.close(now)
    if (session.invite !== undefined) this.dialogs.end(now, session.invite)
  }

  private disarm(session: PushSession): void {
    if (session.timer === undefined) return
    this.timers.cancel(session.timer)
    session.timer = undefined
  }
}
