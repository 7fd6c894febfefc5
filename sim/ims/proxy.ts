/**
 * What every node of the core has in common: a stateful proxy (RFC 3261 section 16). It checks, copies, forwards, and makes
 * one final response of those its branches bring (section 16.7 with RFC 4320 and RFC 6026). It keeps nothing of a dialog:
 * requests within one find their way by the Record-Route their first request got. Where a request goes is each node's own
 * decision, in its own file.
 */
import type { Entropy } from '../../core/kit/entropy.js'
import type { FlowId } from '../../core/kit/network.js'
import { MICROS_PER_SECOND, type Now } from '../../core/kit/time.js'
import type { ClientFailure, ClientTransaction, Hop, ServerTransaction, TransactionUser } from '../../core/sip/endpoint-contract.js'
import { Header } from '../../core/sip/header-names.js'
import { composed } from '../../core/sip/header-text.js'
import type { SipMessage } from '../../core/sip/message.js'
import { tagOf } from '../../core/sip/name-addr.js'
import { responseTo } from '../../core/sip/write.js'
import { allValues, integerOf } from '../../core/sip/values.js'
import { betterResponse } from './best-response.js'
import type { NodeLine } from './neighbours.js'
import type { OwnRoutes } from './own-routes.js'
import { Branch, InviteBranch, InviteContext, ResponseContext, type InviteTimers, type TimerCOwner } from './response-context.js'
import type { Resolver } from './resolver.js'
import type { ImsSettings } from './settings.js'

/** Running totals of one node. */
export interface NodeCounters {
  requests: number
  forwarded: number
  /** Final responses this node made itself, or passed on from a branch. */
  responses: number
  /** Requests this node refused itself, 503 for overload among them. */
  refused: number
  overload: number
  branchTimeouts: number
  branchFailures: number
  /** INVITE branches cancelled: from upstream, after a 2xx or 6xx of another branch, or by timer C. */
  cancelled: number
  /** ACKs for a 2xx passed on, and those that could not be. */
  acks: number
  acksLost: number
}

/** What ended a branch: a final response, none in time, or a next hop that could not be reached. */
export type BranchEnd = 'answer' | 'silence' | 'transport'

/** What each node is given. */
export interface NodeParts {
  readonly settings: ImsSettings
  readonly resolver: Resolver
  readonly entropy: Entropy
  readonly inviteTimers: InviteTimers
  /** One line for the journal (core/kit/journal.ts), about the push a request carries. */
  readonly journal: (event: 'fork' | 'branch', pushId: string, details: readonly string[]) => void
}

/**
 * Requests that begin dialogs, or may: a subscriber can hear the first NOTIFY before the answer to its SUBSCRIBE and take its
 * route set from there (RFC 6665 sections 4.3 and 4.4.1).
 */
const DIALOG_METHODS: ReadonlySet<string> = new Set(['INVITE', 'SUBSCRIBE', 'REFER', 'NOTIFY'])

export abstract class ProxyNode implements TransactionUser, TimerCOwner {
  readonly counters: NodeCounters = {
    requests: 0, forwarded: 0, responses: 0, refused: 0, overload: 0, branchTimeouts: 0, branchFailures: 0, cancelled: 0, acks: 0, acksLost: 0,
  }
  /** Requests that have no final response yet: what an overloaded node has too many of. */
  unanswered = 0
  protected line!: NodeLine
  protected readonly settings: ImsSettings
  protected readonly resolver: Resolver

  /** @param ownRoutes the Route values that name this node */
  constructor(protected readonly parts: NodeParts, protected readonly ownRoutes: OwnRoutes) {
    this.settings = parts.settings
    this.resolver = parts.resolver
  }

  /** Called once: node and line know each other. */
  attach(line: NodeLine): void {
    this.line = line
  }

  /** Decides where a request outside any dialog goes; ends in `forward`, `refuse` or `answer`. */
  protected abstract route(now: Now, transaction: ServerTransaction): void

  /**
   * Where a request within a dialog goes (RFC 3261 section 16.6 step 6): by its Route, never by registrations. Takes this
   * node's own Route values off the copy. A status when it goes nowhere.
   */
  protected abstract withinDialog(now: Now, copy: SipMessage, source: Hop): Hop | number

  onRequest(now: Now, transaction: ServerTransaction): void {
    this.counters.requests += 1
    this.unanswered += 1
    const { request } = transaction
    const { limits } = this.settings
    if (this.unanswered > limits.unansweredMax) {
      this.counters.overload += 1
      const response = this.reply(request, 503).append(Header.RetryAfter, composed(String(limits.retryAfterSeconds)))
      this.refuseWith(now, transaction, response)
      return
    }
    // RFC 3261 16.3 step 5: this proxy supports no extension that Proxy-Require could name.
    if (request.has(Header.ProxyRequire)) {
      const unsupported = allValues(request, Header.ProxyRequire).join(', ')
      this.refuseWith(now, transaction, this.reply(request, 420).append(Header.Unsupported, composed(unsupported)))
      return
    }
    // A REGISTER belongs to no dialog, whatever its To says (RFC 3261 10.2).
    if (request.method !== 'REGISTER' && tagOf(request, Header.To) !== '') this.relay(now, transaction)
    else this.route(now, transaction)
  }

  /** A request that only follows its Route. */
  protected relay(now: Now, transaction: ServerTransaction): void {
    const copy = this.copyOf(now, transaction)
    if (copy === undefined) return
    const hop = this.withinDialog(now, copy, transaction.source)
    if (typeof hop === 'number') this.refuse(now, transaction, hop)
    else this.forwardOnly(now, transaction, copy, hop)
  }

  /** An ACK for a 2xx goes the way of its dialog, without a transaction; nobody would hear a refusal (RFC 3261 section 13.2.2.4). */
  onAck(now: Now, ack: SipMessage, source: Hop): void {
    const copy = this.hoppedCopy(ack)
    const hop = copy === undefined ? 483 : this.withinDialog(now, copy, source)
    if (copy === undefined || typeof hop === 'number') {
      this.counters.acksLost += 1
      return
    }
    this.counters.acks += 1
    this.line.acknowledge(now, copy, hop)
  }

  /** RFC 3261 16.10: every branch is cancelled; the answer is what they bring, 487 as a rule. */
  onCancel(now: Now, transaction: ServerTransaction): void {
    if (transaction.context instanceof InviteContext) this.close(now, transaction.context)
  }

  onFlowDown(_now: Now, _flow: FlowId): void {
    // Only the P-CSCF knows flows.
  }

  onResponse(now: Now, transaction: ClientTransaction, response: SipMessage): void {
    const branch = transaction.context
    if (branch instanceof InviteBranch) {
      this.inviteResponse(now, branch, response)
      return
    }
    // RFC 4320 4.1: for other requests a provisional response beside 100 does not exist, and 100 never goes beyond its hop.
    if (!(branch instanceof Branch) || response.status < 200) return
    // The response is this node's alone from here on; its line takes our Via off when it goes on (RFC 3261 16.7 step 3).
    this.adapt(now, branch, response)
    this.conclude(now, branch, response.status, response, 'answer')
  }

  private inviteResponse(now: Now, branch: InviteBranch, response: SipMessage): void {
    const { context } = branch
    this.adapt(now, branch, response)
    if (response.status < 200) {
      // 16.7 step 2: as long as it rings, timer C begins anew.
      if (!branch.isCancelled) this.startTimerC(now, branch)
      // 16.7 step 5.
      if (!context.finalSent) this.line.respond(now, context.transaction, response)
    } else if (!branch.isEnded) this.conclude(now, branch, response.status, response, 'answer')
    // RFC 6026 7.2: the 2xx again, or that of another device forked to further down; whoever called has to acknowledge each.
    else this.line.respond(now, context.transaction, response)
  }

  onFailure(now: Now, transaction: ClientTransaction, failure: ClientFailure): void {
    const branch = transaction.context
    if (!(branch instanceof Branch)) return
    const { request } = branch.context.transaction
    if (failure === 'timeout') {
      this.counters.branchTimeouts += 1
      // RFC 4320 4.2: no 408 for a request other than INVITE; the branch ends without a response.
      this.conclude(now, branch, 408, branch instanceof InviteBranch ? this.reply(request, 408) : undefined, 'silence')
      return
    }
    this.counters.branchFailures += 1
    const status = this.transportFailureStatus(branch)
    this.conclude(now, branch, status, this.reply(request, status), 'transport')
  }

  /** RFC 3261 16.8: a branch that neither ends nor rings is cancelled; one that does not end then either, ends by timer B (section 9.1). */
  timerC(now: Now, branch: InviteBranch): void {
    this.counters.branchTimeouts += 1
    this.cancel(now, branch)
  }

  /** RFC 3261 16.9: a transport failure counts as 503 of that branch. */
  protected transportFailureStatus(_branch: Branch): number {
    return 503
  }

  /** A node's own changes to a response on its way up. */
  protected adapt(_now: Now, _branch: Branch, _response: SipMessage): void {}

  /** Told of every branch's end; true when the node has sent another branch in its place. */
  protected replaced(_now: Now, _branch: Branch, _status: number, _by: BranchEnd): boolean {
    return false
  }

  /** The copy to forward (RFC 3261 16.6 steps 1 and 3); undefined when it was answered 483 (16.3 step 3). */
  protected copyOf(now: Now, transaction: ServerTransaction): SipMessage | undefined {
    const copy = this.hoppedCopy(transaction.request)
    if (copy === undefined) this.refuse(now, transaction, 483)
    return copy
  }

  /** Undefined when it may go no further. */
  private hoppedCopy(request: SipMessage): SipMessage | undefined {
    const copy = request.clone()
    const left = copy.get(Header.MaxForwards)
    if (left === undefined) return copy.append(Header.MaxForwards, composed(String(this.settings.limits.maxForwards)))
    const hops = integerOf(left, 255) ?? 0
    return hops === 0 ? undefined : copy.replaceFirst(Header.MaxForwards, HOPS[hops - 1]!)
  }

  /** RFC 3261 16.6 step 4: keeps this node in the way of the dialog the request may begin. */
  protected recordRoute(copy: SipMessage, user: string): void {
    if (DIALOG_METHODS.has(copy.method)) copy.prepend(Header.RecordRoute, composed(`<sip:${user}@${this.ownRoutes.name};lr>`))
  }

  protected contextOf(transaction: ServerTransaction): ResponseContext {
    if (transaction.request.method !== 'INVITE') return new ResponseContext(transaction)
    const context = new InviteContext(transaction)
    transaction.context = context
    return context
  }

  /** Sends one branch of a context that counts it as pending. */
  protected forward(now: Now, context: ResponseContext, copy: SipMessage, hop: Hop, target?: unknown): void {
    this.counters.forwarded += 1
    if (!(context instanceof InviteContext)) {
      this.line.request(now, copy, hop, new Branch(context, target))
      return
    }
    const branch = new InviteBranch(context, target, this)
    context.branches.push(branch)
    this.startTimerC(now, branch)
    branch.sent = this.line.request(now, copy, hop, branch)
  }

  /** The usual case: one branch, no fork. */
  protected forwardOnly(now: Now, transaction: ServerTransaction, copy: SipMessage, hop: Hop, target?: unknown): void {
    const context = this.contextOf(transaction)
    context.pending = 1
    this.forward(now, context, copy, hop, target)
  }

  /** A response of this node's own, with a To tag of its own (RFC 3261 section 8.2.6.2). */
  protected reply(request: SipMessage, status: number, reason?: string): SipMessage {
    return responseTo(request, status, reason, this.parts.entropy.token(40))
  }

  protected refuse(now: Now, transaction: ServerTransaction, status: number, reason?: string): void {
    this.refuseWith(now, transaction, this.reply(transaction.request, status, reason))
  }

  /** A branch that has nowhere to go counts as one whose transport failed (RFC 3263 section 4.3). */
  protected unroutable(now: Now, branch: Branch): void {
    this.counters.branchFailures += 1
    this.conclude(now, branch, 503, this.reply(branch.context.transaction.request, 503), 'transport')
  }

  protected refuseWith(now: Now, transaction: ServerTransaction, response: SipMessage): void {
    this.counters.refused += 1
    this.respond(now, transaction, response)
  }

  protected respond(now: Now, transaction: ServerTransaction, response: SipMessage): void {
    this.counters.responses += 1
    this.unanswered -= 1
    this.line.respond(now, transaction, response)
  }

  private startTimerC(now: Now, branch: InviteBranch): void {
    this.stopTimerC(branch)
    branch.timerC = this.parts.inviteTimers.arm(now.mono + this.settings.limits.timerCSeconds * MICROS_PER_SECOND, branch)
  }

  private stopTimerC(branch: InviteBranch): void {
    if (branch.timerC !== undefined) this.parts.inviteTimers.cancel(branch.timerC)
    branch.timerC = undefined
  }

  private cancel(now: Now, branch: InviteBranch): void {
    if (branch.isEnded || branch.isCancelled || branch.sent === undefined) return
    branch.isCancelled = true
    this.counters.cancelled += 1
    this.stopTimerC(branch)
    this.line.cancel(now, branch.sent)
  }

  /** No further branch begins, and those under way are cancelled. */
  private close(now: Now, context: InviteContext): void {
    if (context.isClosed) return
    context.isClosed = true
    for (const branch of context.branches) this.cancel(now, branch)
  }

  /** One branch has ended, with a response to consider or without. RFC 3261 16.7. */
  private conclude(now: Now, branch: Branch, status: number, response: SipMessage | undefined, by: BranchEnd): void {
    const { context } = branch
    if (branch instanceof InviteBranch) {
      branch.isEnded = true
      this.stopTimerC(branch)
    }
    if (this.replaced(now, branch, status, by)) return
    context.pending -= 1
    if (response !== undefined && response.status < 300) {
      this.accept(now, context, response)
      return
    }
    if (context.finalSent) return
    if (response !== undefined) context.best = context.best === undefined ? response : betterResponse(context.best, response)
    // 16.7 step 5: a 6xx speaks for the whole user.
    if (status >= 600 && context instanceof InviteContext) this.close(now, context)
    if (context.pending > 0) return
    if (context.best === undefined) {
      // Every branch was silent, so this node is silent too (RFC 4320 4.2).
      this.unanswered -= 1
      this.line.stayUnanswered(context.transaction)
      return
    }
    const { best } = context
    this.finish(now, context, best.status === 503 ? this.insteadOfBusy(context, best) : best)
  }

  /**
   * 16.7 step 6: 503 would make the upstream avoid this whole node, which may well serve its other requests, so it becomes 500. When to
   * ask again stays true of this request, and 500 can say it too (21.5.1).
   */
  private insteadOfBusy({ transaction }: ResponseContext, busy: SipMessage): SipMessage {
    const response = this.reply(transaction.request, 500)
    const after = busy.get(Header.RetryAfter)
    return after === undefined ? response : response.append(Header.RetryAfter, after)
  }

  /** 16.7 step 5: the first 2xx goes up at once. For INVITE so does every further one, and what still rings is cancelled (step 10); else they are swallowed. */
  private accept(now: Now, context: ResponseContext, response: SipMessage): void {
    if (!context.finalSent) this.finish(now, context, response)
    else if (context instanceof InviteContext) this.line.respond(now, context.transaction, response)
    if (context instanceof InviteContext) this.close(now, context)
  }

  private finish(now: Now, context: ResponseContext, response: SipMessage): void {
    context.finalSent = true
    this.respond(now, context.transaction, response)
  }
}

/** Max-Forwards values as texts, since every forwarded message needs one. */
const HOPS = Array.from({ length: 256 }, (_, hops) => composed(String(hops)))
