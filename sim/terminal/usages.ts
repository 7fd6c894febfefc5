/**
 * What terminals do besides registering and taking a MESSAGE: sessions, subscriptions, fetches, contents in pieces. Made when
 * the first of a fleet's terminals needs it, so idle terminals cost nothing for it. Says whose a request, an answer or
 * a flow is; each usage knows the rest.
 */
import type { FlowId, NetworkIn } from '../../core/kit/network.js'
import type { Micros, Now } from '../../core/kit/time.js'
import type { ClientFailure, ServerTransaction } from '../../core/sip/endpoint-contract.js'
import { Header } from '../../core/sip/header-names.js'
import type { SipMessage } from '../../core/sip/message.js'
import { tagOf } from '../../core/sip/name-addr.js'
import { responseTo } from '../../core/sip/write.js'
import { methodNotAllowed } from './answering.js'
import { can } from './capabilities.js'
import { Contents } from './contents.js'
import { Fetches } from './fetches.js'
import type { UsageHost } from './host.js'
import { optionsAnswer } from './options.js'
import { Segments } from './segments.js'
import { Sessions } from './sessions.js'
import { Subscriptions } from './subscriptions.js'
import type { Terminal } from './terminal.js'

export class Usages {
  readonly fetches: Fetches
  readonly segments: Segments
  readonly contents: Contents
  readonly sessions: Sessions
  readonly subscriptions: Subscriptions

  constructor(private readonly host: UsageHost) {
    this.fetches = new Fetches(host)
    this.segments = new Segments(host)
    this.contents = new Contents(host, this.fetches, this.segments)
    this.sessions = new Sessions(host)
    this.subscriptions = new Subscriptions(host, this.contents)
  }

  deadline(): Micros {
    return Math.min(this.sessions.deadline(), this.subscriptions.deadline())
  }

  tick(now: Now): void {
    this.sessions.tick(now)
    this.subscriptions.tick(now)
  }

  /** A request with a To tag; whoever it reaches has said in the dialog where it is, so its Request-URI is not looked at. */
  inDialog(now: Now, transaction: ServerTransaction): boolean {
    return this.sessions.inDialog(now, transaction) || this.subscriptions.inDialog(now, transaction)
  }

  /** Any request but MESSAGE that is in no dialog of ours, to a terminal that is on. */
  request(now: Now, terminal: Terminal, transaction: ServerTransaction): void {
    const { request } = transaction
    const { host } = this
    const { capabilities, behaviour } = terminal.device
    // RFC 3261 section 12.2.2, RFC 6665 section 4.1.3: it was sent in a dialog that is not there (any more).
    const isAstray = tagOf(request, Header.To) !== '' || request.method === 'BYE' || request.method === 'NOTIFY'
    if (request.method === 'OPTIONS') host.answer(now, terminal, transaction, optionsAnswer(host, terminal, request))
    else if (isAstray) host.answer(now, terminal, transaction, responseTo(request, 481, undefined, host.newTag()))
    else if (request.method === 'INVITE') this.sessions.invited(now, terminal, transaction)
    else if (request.method === 'REFER' && can(capabilities, 'event') && behaviour.misbehaviour !== 'lies-about-support') this.subscriptions.referred(now, terminal, transaction)
    else host.answer(now, terminal, transaction, methodNotAllowed(request, terminal, host.newTag()))
  }

  onCancel(now: Now, transaction: ServerTransaction): boolean {
    return this.sessions.onCancel(now, transaction)
  }

  onResponse(now: Now, context: unknown, response: SipMessage): void {
    if (!this.sessions.onResponse(now, context, response)) this.subscriptions.onResponse(now, context, response)
  }

  onFailure(now: Now, context: unknown, failure: ClientFailure): void {
    if (!this.sessions.onFailure(now, context, failure)) this.subscriptions.onFailure(now, context, failure)
  }

  /** False for what belongs to no MSRP connection. */
  network(now: Now, input: NetworkIn): boolean {
    return this.sessions.media.input(now, input)
  }

  /** It is about to say that it leaves: what it has open it ends first. */
  leave(now: Now, terminal: Terminal): void {
    this.sessions.leave(now, terminal)
    this.subscriptions.leave(now, terminal)
  }

  gone(now: Now, terminal: Terminal): void {
    this.sessions.leave(now, terminal)
    this.subscriptions.gone(terminal)
    this.segments.drop(terminal)
  }

  /** A flow of its went down, and with it the way of the dialogs that were made over it; undefined: all that it has. */
  flowLost(now: Now, terminal: Terminal, flow: FlowId | undefined): void {
    this.sessions.leave(now, terminal, flow)
    this.subscriptions.flowLost(now, terminal, flow)
  }
}
