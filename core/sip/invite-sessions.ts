/**
 * Keeps INVITE sessions by their tables (invite-tables.ts) above a SIP endpoint: ACKs, retransmits 2xx, sends CANCEL and
 * BYE, finds the session of a request. Knows what the tables' actions mean on the wire; not what a session is for, and
 * nothing of its descriptions.
 */
import { assert } from '../kit/assert.js'
import { DeadlineHeap } from '../kit/heap.js'
import type { Micros, Now } from '../kit/time.js'
import { type Dialog, dialogOfRequest, dialogOfResponse, dialogResponse } from './dialog.js'
import { DIALOGS_MAX, Dialogs } from './dialogs.js'
import type { ClientFailure, Hop, ServerTransaction } from './endpoint-contract.js'
import { Header } from './header-names.js'
import { type HeaderText, composed } from './header-text.js'
import type { InviteSession, InviteSessionsContract, InviteSessionsOptions } from './invite-contract.js'
import { ReceivedInvite, SentBye, SentInvite, Session, endOf, isUnsettled } from './invite-records.js'
import { INVITE_RECEIVED, INVITE_SENT, INVITE_SESSION, type ReceivedEvent, type SentEvent, type SessionEvent } from './invite-tables.js'
import type { SipMessage } from './message.js'
import { tagOf } from './name-addr.js'
import { DEFAULT_TIMERS, doubledToT2 } from './timers.js'
import { TAG_BITS, answer } from './usage-answer.js'
import { step } from './usage-table.js'
import { cseqNumber } from './values.js'
import { responseTo } from './write.js'

/** Branches of a fork told apart; of further ones only the ACK is sent. */
const FORKS_MAX = 16
/** RFC 3261 section 14.2: what a 500 to a second INVITE asks for, chosen between 0 and this. */
const RETRY_AFTER_SECONDS_MAX = 10

export class InviteSessions implements InviteSessionsContract {
  private readonly dialogs: Dialogs<Session>
  private readonly heap = new DeadlineHeap<ReceivedInvite>()
  private readonly timers
  private readonly most: number
  private count = 0

  constructor(private readonly options: InviteSessionsOptions) {
    this.timers = options.timers ?? DEFAULT_TIMERS
    this.most = options.sessionsMax ?? DIALOGS_MAX
    this.dialogs = new Dialogs(Math.floor(options.entropy.unit() * 2 ** 32))
  }

  get size(): number {
    return this.count
  }

  deadline(): Micros {
    return this.heap.next()
  }

  tick(now: Now): void {
    for (let invite = this.heap.popDue(now.mono); invite !== undefined; invite = this.heap.popDue(now.mono)) {
      invite.armed = undefined
      this.onReceivedEvent(now, invite, invite.endAt <= now.mono ? 'timer give up' : 'timer resend')
    }
  }

  invite(now: Now, request: SipMessage, hop: Hop, context: unknown): InviteSession | undefined {
    const contact = request.get(Header.Contact)
    assert(contact !== undefined, 'an INVITE has a Contact (RFC 3261 section 8.1.1.8)')
    if (this.count >= this.most) return undefined
    const session = new Session('caller', request.get(Header.CallId)!, contact, context)
    this.count += 1
    this.send(now, session, request, hop, true)
    return session
  }

  private send(now: Now, session: Session, request: SipMessage, hop: Hop, isFirst: boolean): void {
    const sent = new SentInvite(session, cseqNumber(request.get(Header.CSeq)!), isFirst)
    session.sent = sent
    sent.transaction = this.options.endpoint.request(now, request, hop, sent)
  }

  offered(now: Now, transaction: ServerTransaction, contact: HeaderText, context: unknown): InviteSession | undefined {
    const { request, source } = transaction
    if (this.count >= this.most) return answer(now, this.options, transaction, 503)
    const localTag = this.options.entropy.token(TAG_BITS)
    const dialog = dialogOfRequest(request, localTag, source.transport)
    // RFC 3261 12.1.1: without a Contact that can be read there is no dialog.
    if (dialog === undefined) return answer(now, this.options, transaction, 400)
    const session = new Session('callee', dialog.callId, contact, context)
    session.dialog = dialog
    session.received = new ReceivedInvite(session, transaction, cseqNumber(request.get(Header.CSeq)!))
    this.dialogs.add(dialog, session)
    this.count += 1
    transaction.context = session.received
    return session
  }

  response(session: InviteSession, status: number): SipMessage {
    const { received, dialog, contact } = ours(session)
    assert(received !== undefined && dialog !== undefined, 'there is an INVITE to answer')
    const { request } = received.transaction
    return status < 300 ? dialogResponse(request, status, dialog.localTag, contact) : responseTo(request, status, undefined, dialog.localTag)
  }

  progress(now: Now, session: InviteSession, response: SipMessage): void {
    const { received } = ours(session)
    if (received?.state === 'offered') this.options.endpoint.respond(now, received.transaction, response)
  }

  accept(now: Now, session: InviteSession, response: SipMessage): void {
    const { received } = ours(session)
    assert(received !== undefined && response.status >= 200 && response.status < 300, 'an INVITE is accepted with a 2xx')
    if (received.state !== 'offered') return
    received.answer = response
    this.onReceivedEvent(now, received, 'accept')
    this.onEvent(now, received.session, 'accepted')
  }

  refuse(now: Now, session: InviteSession, response: SipMessage): void {
    const { received } = ours(session)
    assert(received !== undefined && response.status >= 300, 'an INVITE is refused with a 300-699')
    received.answer = received.state === 'offered' ? response : received.answer
    this.onReceivedEvent(now, received, 'refuse')
  }

  reinvite(now: Now, session: InviteSession, contentType: HeaderText, body: Buffer): boolean {
    const own = ours(session)
    const { dialog } = own
    if (own.state !== 'confirmed' || dialog === undefined || own.sent?.state === 'calling' || isUnsettled(own.received)) return false
    const hop = this.options.hopOf(dialog.nextHop, own)
    if (hop === undefined) return false
    const request = dialog.request('INVITE').append(Header.Contact, own.contact).append(Header.ContentType, contentType)
    request.body = body
    this.send(now, own, request, hop, false)
    return true
  }

  close(now: Now, session: InviteSession): void {
    const own = ours(session)
    if (own.role === 'callee' && own.state === 'early') return this.refuse(now, own, this.response(own, 480))
    this.onEvent(now, own, 'close')
  }

  onRequest(now: Now, transaction: ServerTransaction): boolean {
    const { request } = transaction
    const session = this.dialogs.ofRequest(request)
    if (session === undefined) return false
    if (!session.dialog!.accept(request)) {
      answer(now, this.options, transaction, 500)
    } else if (request.method === 'BYE') {
      answer(now, this.options, transaction, 200)
      this.onEvent(now, session, 'BYE')
    } else if (request.method === 'INVITE') this.reinvited(now, session, transaction)
    else this.options.user.onRequest(now, session, transaction)
    return true
  }

  /** RFC 3261 section 14.2. */
  private reinvited(now: Now, session: Session, transaction: ServerTransaction): void {
    const { request } = transaction
    if (session.received?.state === 'offered') {
      const refusal = responseTo(request, 500)
      const seconds = Math.floor(this.options.entropy.unit() * (RETRY_AFTER_SECONDS_MAX + 1))
      this.options.endpoint.respond(now, transaction, refusal.append(Header.RetryAfter, composed(String(seconds))))
    } else if (session.state !== 'confirmed' && session.state !== 'unacknowledged') answer(now, this.options, transaction, 481)
    else if (session.sent?.state === 'calling' || isUnsettled(session.received)) answer(now, this.options, transaction, 491)
    else {
      session.received = new ReceivedInvite(session, transaction, cseqNumber(request.get(Header.CSeq)!))
      transaction.context = session.received
      this.options.user.onReinvite(now, session, request)
    }
  }

  onAck(now: Now, ack: SipMessage): boolean {
    const session = this.dialogs.ofRequest(ack)
    if (session === undefined) return false
    const { received } = session
    if (received !== undefined && received.sequence === cseqNumber(ack.get(Header.CSeq)!)) this.onReceivedEvent(now, received, 'ACK', ack)
    return true
  }

  onCancel(now: Now, transaction: ServerTransaction): boolean {
    const received = transaction.context
    if (!(received instanceof ReceivedInvite)) return false
    this.onReceivedEvent(now, received, 'CANCEL')
    return true
  }

  onResponse(now: Now, context: unknown, response: SipMessage): boolean {
    if (context instanceof SentBye) {
      if (response.status >= 200) this.byeDone(now, context)
      return true
    }
    if (!(context instanceof SentInvite)) return false
    const { status } = response
    if (status < 200) this.onSentEvent(now, context, '1xx', response)
    else if (status >= 300) {
      context.refusal = response
      this.onSentEvent(now, context, '300-699', response)
    } else this.onSuccess(now, context, response)
    return true
  }

  private onSuccess(now: Now, sent: SentInvite, response: SipMessage): void {
    const { session } = sent
    if (sent.state === 'answered') {
      const isOurs = tagOf(response, Header.To) === session.dialog!.remoteTag
      return this.onSentEvent(now, sent, isOurs ? '2xx again' : '2xx of a fork', response)
    }
    if (sent.state === 'finished') return
    if (!sent.isFirst) session.dialog!.accepted(response)
    else {
      const dialog = dialogOfResponse(sent.transaction!.request, response, sent.transaction!.hop.transport)
      // RFC 3261 12.1.2: a 2xx without tag or Contact makes no dialog, so there is nobody to send an ACK to.
      if (dialog === undefined) {
        sent.refusal = response
        return this.onSentEvent(now, sent, '300-699', response)
      }
      session.dialog = dialog
      this.dialogs.add(dialog, session)
    }
    this.onSentEvent(now, sent, '2xx', response)
  }

  onFailure(now: Now, context: unknown, failure: ClientFailure): boolean {
    if (context instanceof SentBye) this.byeDone(now, context)
    else if (context instanceof SentInvite) {
      context.refusal = failure
      this.onSentEvent(now, context, 'failure', undefined)
    } else return false
    return true
  }

  private byeDone(now: Now, bye: SentBye): void {
    if (bye.session !== undefined) this.onEvent(now, bye.session, 'BYE done')
  }

  private onSentEvent(now: Now, sent: SentInvite, event: SentEvent, response: SipMessage | undefined): void {
    const cell = step(INVITE_SENT, sent.state, event)
    if (cell === undefined) return
    const [state, ...actions] = cell
    sent.state = state
    const { session } = sent
    for (const action of actions) {
      switch (action) {
        case 'send ACK': this.acknowledge(now, sent, event, response!); break
        case 'send BYE to the fork': this.leaveFork(now, sent, response!); break
        case 'tell progress': if (sent.isFirst) this.options.user.onProgress(now, session, response!); break
        case 'tell answer':
          if (session.sent === sent) session.sent = undefined
          this.onEvent(now, session, 'answered', response)
          break
        case 'tell refusal': this.onRefusal(now, sent); break
      }
    }
    // Where the ACK cannot go, nothing else can.
    if (event === '2xx' && this.options.hopOf(session.dialog!.nextHop, session) === undefined) this.onEvent(now, session, 'lost')
  }

  private onRefusal(now: Now, { session, refusal }: SentInvite): void {
    this.onEvent(now, session, 'refused')
    // RFC 3261 12.2.1.2 and 14.1: the other side has no such dialog, or is gone. `refused` has ended a session that never stood.
    if (typeof refusal === 'string' ? refusal === 'timeout' : refusal!.status === 481 || refusal!.status === 408) this.onEvent(now, session, 'lost')
  }

  private acknowledge(now: Now, sent: SentInvite, event: SentEvent, response: SipMessage): void {
    const dialog = event === '2xx of a fork' ? dialogOfResponse(sent.transaction!.request, response, sent.transaction!.hop.transport) : sent.session.dialog
    const hop = dialog === undefined ? undefined : this.options.hopOf(dialog.nextHop, sent.session)
    if (hop !== undefined) this.options.endpoint.send(now, dialog!.ack(sent.sequence), hop)
  }

  private leaveFork(now: Now, sent: SentInvite, response: SipMessage): void {
    const tag = tagOf(response, Header.To)
    const forks = (sent.forks ??= [])
    if (forks.includes(tag) || forks.length >= FORKS_MAX) return
    forks.push(tag)
    const dialog = dialogOfResponse(sent.transaction!.request, response, sent.transaction!.hop.transport)
    if (dialog !== undefined) this.bye(now, dialog, sent.session, undefined)
  }

  private bye(now: Now, dialog: Dialog, session: Session, of: Session | undefined): void {
    const hop = this.options.hopOf(dialog.nextHop, session)
    if (hop !== undefined) this.options.endpoint.request(now, dialog.request('BYE'), hop, new SentBye(of))
    else if (of !== undefined) this.onEvent(now, of, 'BYE done')
  }

  private onReceivedEvent(now: Now, received: ReceivedInvite, event: ReceivedEvent, ack?: SipMessage): void {
    const cell = step(INVITE_RECEIVED, received.state, event)
    if (cell === undefined) return
    const [state, ...actions] = cell
    received.state = state
    const { session, transaction } = received
    const { endpoint } = this.options
    for (const action of actions) {
      switch (action) {
        case 'send 2xx': endpoint.respond(now, transaction, received.answer!.clone()); break
        case 'send refusal': endpoint.respond(now, transaction, received.answer!); break
        case 'send 487': endpoint.respond(now, transaction, this.response(session, 487)); break
        case 'start timers':
          received.endAt = now.mono + 64 * this.timers.t1
          this.again(now, received, this.timers.t1)
          break
        case 'double resend': this.again(now, received, doubledToT2(received.gap, this.timers)); break
        case 'stop timers': this.stop(received); break
        case 'tell declined':
          if (event === 'CANCEL') session.end ??= session.state === 'early' ? 'cancelled' : undefined
          this.onEvent(now, session, 'declined')
          break
        case 'tell acknowledged':
          // The request and its body are of no more use for as long as the session lasts.
          if (session.received === received) session.received = undefined
          this.onEvent(now, session, 'acknowledged', ack)
          break
        case 'tell unacknowledged': this.onEvent(now, session, 'no ACK'); break
      }
    }
  }

  private again(now: Now, received: ReceivedInvite, gap: Micros): void {
    received.gap = gap
    received.againAt = now.mono + gap
    received.armed = this.heap.arm(Math.min(received.againAt, received.endAt), received)
  }

  private stop(received: ReceivedInvite): void {
    if (received.armed !== undefined) this.heap.cancel(received.armed)
    received.armed = undefined
    received.answer = undefined
  }

  private onEvent(now: Now, session: Session, event: SessionEvent, message?: SipMessage): void {
    const cell = step(INVITE_SESSION, session.state, event)
    if (cell === undefined) return
    const [state, ...actions] = cell
    if (state !== session.state) session.end ??= endOf(event, session.state)
    session.state = state
    if (state === 'terminated') this.forget(session)
    // RFC 3261 15.1.2: what is still pending within the dialog goes with it.
    if ((state === 'ending' || state === 'terminated') && session.received !== undefined) this.onReceivedEvent(now, session.received, 'end')
    const { user, endpoint } = this.options
    for (const action of actions) {
      switch (action) {
        case 'send CANCEL': endpoint.cancel(now, session.sent!.transaction!); break
        case 'send BYE': this.bye(now, session.dialog!, session, session); break
        case 'tell answer': user.onAnswer(now, session, message!); break
        case 'tell refusal': user.onRefused(now, session, session.sent!.refusal!); break
        case 'tell confirmed': user.onConfirmed(now, session, message!); break
        case 'tell ended': user.onEnded(now, session, session.end!); break
      }
    }
  }

  private forget(session: Session): void {
    this.count -= 1
    if (session.dialog !== undefined) this.dialogs.remove(session.dialog)
  }
}

function ours(session: InviteSession): Session {
  assert(session instanceof Session, 'a session of these sessions')
  return session
}
