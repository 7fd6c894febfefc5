/**
 * Session mode at the terminals (OMA SIP Push over INVITE and MSRP): takes or refuses offers, answers them as the side that
 * connects (RFC 6135), keeps the dialogs, ends them. What comes over a session is session-contents.ts's.
 */
import type { Deadline } from '../../core/kit/heap.js'
import type { FlowId } from '../../core/kit/network.js'
import { owned } from '../../core/kit/own-text.js'
import { MICROS_PER_SECOND, type Micros, type Now } from '../../core/kit/time.js'
import type { DownCause } from '../../core/msrp/contract.js'
import { type OurLine, type OurMedia, answerTo, fileChange } from '../../core/sdp/answer.js'
import { DISCARD_PORT, type Description, type MediaLine, type MsrpMedia, type Origin, SDP_TYPE } from '../../core/sdp/msrp-media.js'
import { descriptionText } from '../../core/sdp/write.js'
import type { Hop, ServerTransaction } from '../../core/sip/endpoint-contract.js'
import { Header } from '../../core/sip/header-names.js'
import { composed } from '../../core/sip/header-text.js'
import type { InviteSession, InviteUser } from '../../core/sip/invite-contract.js'
import { InviteSessions } from '../../core/sip/invite-sessions.js'
import type { SipMessage } from '../../core/sip/message.js'
import { responseTo } from '../../core/sip/write.js'
import { methodNotAllowed, refusal, rejection, targetOf } from './answering.js'
import { draw } from './behaviour.js'
import { contentTypes, textsOf } from './capabilities.js'
import { Alarm, type UsageHost } from './host.js'
import { Media } from './media.js'
import { hostOf, judgeInvite, lineVerdict, offerOf, originOf, sizeTold } from './offers.js'
import { Leg, SessionContents, type LegWatcher } from './session-contents.js'
import type { Terminal } from './terminal.js'

/** Sessions of one fleet at once; an INVITE more is answered 503. */
export const SESSIONS_MAX = 100_000
/** How long a terminal that never answers rings. */
const RING_MICROS: Micros = 180 * MICROS_PER_SECOND
/** How long a session without a connection waits for a new offer (RFC 4975 section 5.4), or for its end. */
const WITHOUT_MEDIA_MICROS: Micros = 30 * MICROS_PER_SECOND

const SDP = composed(SDP_TYPE)
const NEVER: Micros = Infinity

/** One INVITE session of one terminal. */
export class TerminalSession {
  invite: InviteSession | undefined = undefined
  /** By the place of their lines; undefined for a line that was refused or has ended. */
  legs: (Leg | undefined)[] = []
  /** The description sent last. */
  answer: Description | undefined = undefined
  timer: Deadline<object> | undefined = undefined

  /** @param way over the flow its INVITE came over, which its dialog keeps to (RFC 5626 section 5.3) */
  constructor(readonly terminal: Terminal, readonly way: Hop, readonly target: string, readonly pushId: string, public offer: Description) {}
}

export class Sessions implements InviteUser, LegWatcher {
  readonly media: Media
  private readonly invites: InviteSessions
  private readonly byTerminal = new Map<Terminal, Set<TerminalSession>>()

  constructor(private readonly host: UsageHost) {
    this.media = new Media(host, new SessionContents(host, this))
    this.invites = new InviteSessions({
      endpoint: host.endpoint, user: this, entropy: host.entropy, sessionsMax: SESSIONS_MAX, hopOf: (_uri, session) => host.stillUp(sessionOf(session).terminal, sessionOf(session).way),
    })
  }

  get size(): number {
    return this.invites.size
  }

  deadline(): Micros {
    return Math.min(this.invites.deadline(), this.media.deadline())
  }

  tick(now: Now): void {
    this.invites.tick(now)
    this.media.tick(now)
  }

  /** A request with a To tag; false when it is no session's. */
  inDialog(now: Now, transaction: ServerTransaction): boolean {
    return this.invites.onRequest(now, transaction)
  }

  onAck(now: Now, ack: SipMessage): void {
    this.invites.onAck(now, ack)
  }

  onCancel(now: Now, transaction: ServerTransaction): boolean {
    return this.invites.onCancel(now, transaction)
  }

  onResponse(now: Now, context: unknown, response: SipMessage): boolean {
    return this.invites.onResponse(now, context, response)
  }

  onFailure(now: Now, context: unknown, failure: 'timeout' | 'transport'): boolean {
    return this.invites.onFailure(now, context, failure)
  }

  /** An INVITE outside of a dialog. */
  invited(now: Now, terminal: Terminal, transaction: ServerTransaction): void {
    const { request } = transaction
    const { refusal: refused, misbehaviour, answerDelay, lateMicros } = terminal.device.behaviour
    const status = judgeInvite(request, terminal, this.host.isFromProxy(terminal, transaction.source))
    if (status !== 0) return this.reject(now, terminal, transaction, status)
    const offer = offerOf(request)
    if (typeof offer === 'number') return this.reject(now, terminal, transaction, offer)
    if (misbehaviour === 'lies-about-support') return this.reject(now, terminal, transaction, 488)
    if (refused !== undefined) {
      this.host.reception.refused(terminal, targetOf(request), request.get(Header.XPushId) ?? '', refused.status, 'session')
      return this.host.answer(now, terminal, transaction, refusal(request, refused, this.host.newTag()))
    }
    const session = new TerminalSession(terminal, transaction.source, owned(targetOf(request)), owned(request.get(Header.XPushId) ?? ''), offer)
    session.invite = this.invites.offered(now, transaction, this.host.contactOf(terminal), session)
    if (session.invite === undefined) return
    this.keep(session)
    if (misbehaviour === 'never-answers') {
      this.invites.progress(now, session.invite, this.invites.response(session.invite, 180))
      this.wait(now, session, RING_MICROS)
    } else {
      const delay = misbehaviour === 'answers-late' ? lateMicros : draw(answerDelay, this.host.entropy)
      if (delay > 0) this.answerLater(now, session, delay, transaction)
      else this.settle(now, session, transaction)
    }
  }

  private reject(now: Now, terminal: Terminal, transaction: ServerTransaction, status: number): void {
    const { request } = transaction
    this.host.reception.rejected(terminal, targetOf(request), request.get(Header.XPushId) ?? '', status, 'session')
    const tag = this.host.newTag()
    if (status === 405) return this.host.answer(now, terminal, transaction, methodNotAllowed(request, terminal, tag))
    const isOtherType = status === 415 && !request.has(Header.ContentEncoding)
    const response = isOtherType ? responseTo(request, 415, undefined, tag).append(Header.Accept, SDP) : rejection(request, status, terminal, tag)
    this.host.answer(now, terminal, transaction, response)
  }

  private answerLater(now: Now, session: TerminalSession, delay: Micros, transaction: ServerTransaction): void {
    session.timer = this.host.armAlarm(now.mono + delay, new Alarm((then) => {
      session.timer = undefined
      this.settle(then, session, transaction)
    }))
  }

  /** Answers the INVITE that waits: 200 with what is taken, or 488 when nothing of it can be. */
  private settle(now: Now, session: TerminalSession, transaction: ServerTransaction): void {
    const invite = session.invite!
    const { terminal, offer } = session
    const answer = this.takeLines(now, session, offer)
    if (answer === undefined) {
      this.host.reception.rejected(terminal, session.target, session.pushId, 488, 'session')
      return this.invites.refuse(now, invite, this.invites.response(invite, 488))
    }
    const response = this.accepting(invite, answer)
    this.invites.accept(now, invite, response)
    if (terminal.device.behaviour.misbehaviour === 'answers-twice') this.answerAsAnother(now, transaction, response)
    this.watch(now, session)
  }

  private accepting(invite: InviteSession, answer: Description): SipMessage {
    const { capabilities } = sessionOf(invite).terminal.device
    const response = this.invites.response(invite, 200).append(Header.Allow, textsOf(capabilities).allow).append(Header.ContentType, SDP)
    response.body = Buffer.from(descriptionText(answer), 'utf8')
    return response
  }

  /** As from another device behind a fork (RFC 3261 section 13.2.2.4): the caller must end a dialog that nobody here knows. */
  private answerAsAnother(now: Now, transaction: ServerTransaction, response: SipMessage): void {
    const other = response.clone()
    const to = response.get(Header.To)!
    other.set(Header.To, composed(`${to.slice(0, to.lastIndexOf(';tag='))};tag=${this.host.newTag()}`))
    this.host.endpoint.send(now, other, transaction.source)
  }

  // Media lines

  /** The answer to an offer, its lines opened; undefined, and nothing changed, when no line can be taken for want of a type or a way. */
  private takeLines(now: Now, session: TerminalSession, offer: Description): Description | undefined {
    const { terminal, legs: before } = session
    const verdicts = offer.media.map((line, index) => (isConflict(line, before[index]) ? 'file' : lineVerdict(line, terminal, this.host.fingerprint !== undefined)))
    const isEnd = offer.media.every((line) => line.port === 0)
    // RFC 5547 section 8.3.1: a file that is not wanted is refused by port 0; RFC 4975 section 8.6: no common type is 488.
    if (!isEnd && verdicts.every((verdict) => verdict === 'unacceptable')) return undefined
    const legs = offer.media.map((line, index) => (verdicts[index] === 'take' ? this.takeLine(now, session, line as MsrpMedia, before[index]) : undefined))
    // Every path was one that leads nowhere.
    if (verdicts.includes('take') && !verdicts.includes('file') && legs.every((leg) => leg === undefined)) return undefined
    session.legs = legs
    for (const leg of before) if (leg !== undefined && !legs.includes(leg)) leg.msrp?.close(now)
    session.answer = answerTo(offer, legs.map((leg): OurLine => (leg === undefined ? 'refused' : this.ourMedia(leg))), this.origin(session))
    return session.answer
  }

  /** A line that is as it was goes on as it is (RFC 4975 section 8.4). */
  private takeLine(now: Now, session: TerminalSession, line: MsrpMedia, before: Leg | undefined): Leg | undefined {
    const peer = [...line.path, ...line.fingerprints].join(' ')
    if (before?.msrp !== undefined && before.peer === peer && before.msrp.state !== 'down') return before
    const { terminal } = session
    const leg = new Leg(session, line.file, peer)
    const msrp = this.media.session(terminal.device.behaviour.misbehaviour, {
      transport: line.transport, authority: authorityOf(this.host.localOf(terminal)), acceptTypes: contentTypes(terminal.types),
      maxSize: terminal.device.capabilities.sizeMax, context: leg,
    })
    leg.msrp = msrp
    if (msrp.start(now, 'active', line.path.join(' '), line.fingerprints)) return leg
    msrp.close(now)
    return undefined
  }

  private ourMedia(leg: Leg): OurMedia {
    const { terminal } = leg.session
    return {
      path: [leg.msrp!.uri], port: DISCARD_PORT, acceptTypes: contentTypes(terminal.types), maxSize: sizeTold(terminal), setup: 'active', direction: 'recvonly',
      fingerprint: this.host.fingerprint,
    }
  }

  private origin(session: TerminalSession): Origin {
    const before = session.answer?.origin
    return before === undefined ? originOf(this.host.localOf(session.terminal), session.terminal, this.host.entropy) : { ...before, version: before.version + 1 }
  }

  onLegDown(now: Now, leg: Leg, cause: DownCause): void {
    const { session } = leg
    leg.msrp = undefined
    // The caller cannot see that the side that was to connect could not: without a word it would wait in vain.
    if (cause === 'connect' && isWithoutMedia(session)) this.invites.close(now, session.invite!)
    else this.watch(now, session)
  }

  cut(): void {
    this.media.cut()
  }

  /** A session without a connection ends by itself after a while. */
  private watch(now: Now, session: TerminalSession): void {
    this.wait(now, session, isWithoutMedia(session) ? WITHOUT_MEDIA_MICROS : NEVER)
  }

  private wait(now: Now, session: TerminalSession, micros: Micros): void {
    this.host.disarmAlarm(session.timer)
    session.timer = micros === NEVER ? undefined : this.host.armAlarm(now.mono + micros, new Alarm((then) => {
      session.timer = undefined
      this.invites.close(then, session.invite!)
    }))
  }

  // The dialog

  /** RFC 3261 section 14.2: an offer that cannot be taken is answered 488, and the session stays as it was. */
  onReinvite(now: Now, invite: InviteSession, request: SipMessage): void {
    const session = sessionOf(invite)
    const offer = request.has(Header.ContentType) && request.body.length > 0 ? offerOf(request) : 488
    if (typeof offer === 'number') return this.invites.refuse(now, invite, this.invites.response(invite, offer))
    // RFC 3264 section 8: media lines are never taken away.
    const answer = offer.media.length < session.offer.media.length ? undefined : this.takeLines(now, session, offer)
    if (answer === undefined) return this.invites.refuse(now, invite, this.invites.response(invite, 488))
    session.offer = offer
    this.invites.accept(now, invite, this.accepting(invite, answer))
    this.watch(now, session)
  }

  onRequest(now: Now, invite: InviteSession, transaction: ServerTransaction): void {
    const { terminal } = sessionOf(invite)
    this.host.endpoint.respond(now, transaction, methodNotAllowed(transaction.request, terminal, this.host.newTag()))
  }

  onEnded(now: Now, invite: InviteSession): void {
    const session = sessionOf(invite)
    this.host.disarmAlarm(session.timer)
    session.timer = undefined
    for (const leg of session.legs) leg?.msrp?.close(now)
    session.legs = []
    const all = this.byTerminal.get(session.terminal)
    all?.delete(session)
    if (all?.size === 0) this.byTerminal.delete(session.terminal)
  }

  /** Terminals call nobody. */
  onProgress(): void {}
  onAnswer(): void {}
  onRefused(): void {}
  onConfirmed(): void {}

  /** The terminal is being switched off, or has lost the flow of some: a BYE for each session, while it still has a way to say so. */
  leave(now: Now, terminal: Terminal, flow?: FlowId): void {
    for (const session of [...this.byTerminal.get(terminal) ?? []]) if (flow === undefined || session.way.flow === flow) this.invites.close(now, session.invite!)
  }

  private keep(session: TerminalSession): void {
    const all = this.byTerminal.get(session.terminal) ?? new Set()
    all.add(session)
    this.byTerminal.set(session.terminal, all)
  }
}

function isWithoutMedia({ legs }: TerminalSession): boolean {
  return legs.every((leg) => leg?.msrp === undefined)
}

function sessionOf(invite: InviteSession): TerminalSession {
  return invite.context as TerminalSession
}

/** RFC 5547 section 8.1: the same transfer, and another file. */
function isConflict(line: MediaLine, before: Leg | undefined): boolean {
  return line.kind === 'msrp' && line.file !== undefined && before?.file !== undefined && fileChange(before.file, line.file) === 'conflict'
}

/** RFC 6135 section 4.2.2: a side that only connects writes port 9. */
function authorityOf(local: string): string {
  const host = hostOf(local)
  return host.includes(':') ? `[${host}]:${DISCARD_PORT}` : `${host}:${DISCARD_PORT}`
}
