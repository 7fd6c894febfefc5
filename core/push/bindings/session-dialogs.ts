/**
 * The SIP side of the gateway's sessions: INVITE dialogs above the gateway's one endpoint, as a requester and taker of
 * sip-user.ts, and the way their requests go. Knows dialogs, no push and no MSRP.
 */
import type { Micros, Now } from '../../kit/time.js'
import type { Hop, ServerTransaction, SipEndpointContract, SipTimerValues } from '../../sip/endpoint-contract.js'
import { Header } from '../../sip/header-names.js'
import { composed } from '../../sip/header-text.js'
import type { InviteSession, InviteUser } from '../../sip/invite-contract.js'
import { InviteSessions } from '../../sip/invite-sessions.js'
import type { SipMessage } from '../../sip/message.js'
import { tagOf } from '../../sip/name-addr.js'
import { responseTo } from '../../sip/write.js'
import type { GatewayContext } from '../context.js'
import type { Hops } from '../delivery/hops.js'
import { KeptRequest, type RequestTaker } from '../sip-user.js'

const TO_TAG_BITS = 64
const ALLOW = composed('BYE')

export class SessionDialogs implements RequestTaker {
  private readonly sessions: InviteSessions

  /** @param inviteHop where the INVITE of a session went: there, too, what names no address goes */
  constructor(
    private readonly context: GatewayContext, private readonly endpoint: SipEndpointContract, hops: Hops,
    user: InviteUser, inviteHop: (session: InviteSession) => Hop, timers: SipTimerValues | undefined,
  ) {
    const { sessions } = context.settings
    this.sessions = new InviteSessions({
      endpoint: {
        request: (now, request, hop, about) => endpoint.request(now, request, hop, new KeptRequest(this.sessions, about)),
        respond: (now, transaction, response) => endpoint.respond(now, transaction, response),
        send: (now, message, hop) => endpoint.send(now, message, hop),
        cancel: (now, transaction) => endpoint.cancel(now, transaction),
      },
      user, entropy: context.entropy, sessionsMax: sessions.max,
      hopOf: (uri, session) => hops.to(uri) ?? inviteHop(session),
      ...(timers === undefined ? {} : { timers }),
    })
  }

  /** Dialogs and INVITEs that are not over. */
  get open(): number {
    return this.sessions.size
  }

  /** Undefined when there are too many. */
  invite(now: Now, request: SipMessage, hop: Hop, about: unknown): InviteSession | undefined {
    return this.sessions.invite(now, request, hop, about)
  }

  /** CANCEL or BYE, whatever its state. */
  end(now: Now, session: InviteSession): void {
    this.sessions.close(now, session)
  }

  /** A re-INVITE of theirs: what we send is ours to say (RFC 3261 section 14.2: the session stands as before). */
  keepAsItIs(now: Now, session: InviteSession): void {
    this.sessions.refuse(now, session, this.sessions.response(session, 488))
  }

  /** Any other request within a dialog. */
  notAllowed(now: Now, transaction: ServerTransaction): void {
    this.endpoint.respond(now, transaction, responseTo(transaction.request, 405).append(Header.Allow, ALLOW))
  }

  request(now: Now, transaction: ServerTransaction): void {
    if (this.sessions.onRequest(now, transaction)) return
    const { request } = transaction
    // RFC 3261 section 12.2.2: of a dialog that is over; an INVITE outside one is for a terminal, not for us.
    if (tagOf(request, Header.To) !== '' || request.method === 'BYE') return this.endpoint.respond(now, transaction, responseTo(request, 481))
    this.endpoint.respond(now, transaction, responseTo(request, 405, undefined, this.context.entropy.token(TO_TAG_BITS)).append(Header.Allow, ALLOW))
  }

  ack(now: Now, ack: SipMessage): void {
    this.sessions.onAck(now, ack)
  }

  cancel(now: Now, transaction: ServerTransaction): void {
    this.sessions.onCancel(now, transaction)
  }

  deadline(): Micros {
    return this.sessions.deadline()
  }

  tick(now: Now): void {
    this.sessions.tick(now)
  }
}
