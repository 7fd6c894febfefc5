/**
 * What every node of the core has in common: a stateful proxy (RFC 3261 section 16) for requests other than INVITE.
 * It checks, copies, forwards, and makes one final response of those its branches bring (section 16.7 with RFC 4320).
 * Where a request goes is each node's own decision, in its own file.
 */
import type { Entropy } from '../../core/kit/entropy.js'
import type { FlowId } from '../../core/kit/network.js'
import type { Now } from '../../core/kit/time.js'
import type { ClientFailure, ClientTransaction, Hop, ServerTransaction, TransactionUser } from '../../core/sip/endpoint-contract.js'
import { Header } from '../../core/sip/header-names.js'
import { composed } from '../../core/sip/header-text.js'
import type { SipMessage } from '../../core/sip/message.js'
import { responseTo } from '../../core/sip/write.js'
import { allValues, integerOf, removeFirstValue } from '../../core/sip/values.js'
import { betterResponse } from './best-response.js'
import type { NodeLine } from './neighbours.js'
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
}

/** What each node is given. */
export interface NodeParts {
  readonly settings: ImsSettings
  readonly resolver: Resolver
  readonly entropy: Entropy
  /** One line for the journal (core/kit/journal.ts), about the push a request carries. */
  readonly journal: (event: 'fork' | 'branch', pushId: string, details: readonly string[]) => void
}

/** A request under way through this node (RFC 3261 section 16.2, "response context"). */
export class ResponseContext {
  /** Branches without a final response. */
  pending = 0
  finalSent = false
  best: SipMessage | undefined

  constructor(readonly transaction: ServerTransaction) {}
}

/** One copy of the request that went out. */
export class Branch {
  /** @param target what the node wants to remember of where it went */
  constructor(readonly context: ResponseContext, readonly target: unknown) {}
}

/** Methods that make a dialog need Record-Route, which no node here writes yet. */
const DIALOG_METHODS: ReadonlySet<string> = new Set(['INVITE', 'SUBSCRIBE', 'REFER'])

export abstract class ProxyNode implements TransactionUser {
  readonly counters: NodeCounters = { requests: 0, forwarded: 0, responses: 0, refused: 0, overload: 0, branchTimeouts: 0, branchFailures: 0 }
  /** Requests that have no final response yet: what an overloaded node has too many of. */
  unanswered = 0
  protected line!: NodeLine
  protected readonly settings: ImsSettings
  protected readonly resolver: Resolver

  /** @param name the host name by which a Route names this node */
  constructor(protected readonly parts: NodeParts, private readonly name: string) {
    this.settings = parts.settings
    this.resolver = parts.resolver
  }

  /** Called once: node and line know each other. */
  attach(line: NodeLine): void {
    this.line = line
  }

  /** Decides where the request goes; ends in `forward`, `refuse` or `answer`. */
  protected abstract route(now: Now, transaction: ServerTransaction): void

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
    if (DIALOG_METHODS.has(request.method)) {
      this.refuse(now, transaction, 501)
      return
    }
    this.route(now, transaction)
  }

  onAck(): void {
    // No INVITE is forwarded, so an ACK for a 2xx belongs to nothing here.
  }

  onCancel(now: Now, transaction: ServerTransaction): void {
    this.refuse(now, transaction, 487)
  }

  onFlowDown(_now: Now, _flow: FlowId): void {
    // Only the P-CSCF knows flows.
  }

  onResponse(now: Now, transaction: ClientTransaction, response: SipMessage): void {
    const branch = transaction.context
    // RFC 4320 4.1: a provisional response other than 100 does not exist here, and 100 never goes beyond its hop.
    if (!(branch instanceof Branch) || response.status < 200) return
    // The response is this node's alone from here on; its line takes our Via off when it goes on (RFC 3261 16.7 step 3).
    this.adapt(now, branch, response)
    this.conclude(now, branch, response.status, response)
  }

  onFailure(now: Now, transaction: ClientTransaction, failure: ClientFailure): void {
    const branch = transaction.context
    if (!(branch instanceof Branch)) return
    if (failure === 'timeout') {
      // RFC 4320 4.2: no 408 for a request other than INVITE; the branch ends without a response.
      this.counters.branchTimeouts += 1
      this.conclude(now, branch, 408, undefined)
      return
    }
    this.counters.branchFailures += 1
    const status = this.transportFailureStatus(branch)
    this.conclude(now, branch, status, this.reply(branch.context.transaction.request, status))
  }

  /** RFC 3261 16.9: a transport failure counts as 503 of that branch. */
  protected transportFailureStatus(_branch: Branch): number {
    return 503
  }

  /** A node's own changes to a final response on its way up. */
  protected adapt(_now: Now, _branch: Branch, _response: SipMessage): void {}

  /** Told of every branch's end; true when the node has sent another branch in its place. */
  protected replaced(_now: Now, _branch: Branch, _status: number): boolean {
    return false
  }

  /** The copy to forward (RFC 3261 16.6 steps 1 and 3); undefined when it was answered 483 (16.3 step 3). */
  protected copyOf(now: Now, transaction: ServerTransaction): SipMessage | undefined {
    const copy = transaction.request.clone()
    const left = copy.get(Header.MaxForwards)
    if (left === undefined) return copy.append(Header.MaxForwards, composed(String(this.settings.limits.maxForwards)))
    const hops = integerOf(left, 255) ?? 0
    if (hops === 0) {
      this.refuse(now, transaction, 483)
      return undefined
    }
    return copy.replaceFirst(Header.MaxForwards, HOPS[hops - 1]!)
  }

  /** Sends one branch of a context that counts it as pending. */
  protected forward(now: Now, context: ResponseContext, copy: SipMessage, hop: Hop, target?: unknown): void {
    this.counters.forwarded += 1
    this.line.request(now, copy, hop, new Branch(context, target))
  }

  /** The usual case: one branch, no fork. */
  protected forwardOnly(now: Now, transaction: ServerTransaction, copy: SipMessage, hop: Hop, target?: unknown): void {
    const context = new ResponseContext(transaction)
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
    this.conclude(now, branch, 503, this.reply(branch.context.transaction.request, 503))
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

  /** Takes this node's own values off the top of Route (RFC 3261 16.4); the user part of the last one taken, '' without one, undefined when there was none. */
  protected takeOwnRoute(copy: SipMessage): string | undefined {
    let user: string | undefined
    for (let line = copy.get(Header.Route); line !== undefined; line = copy.get(Header.Route)) {
      const own = this.ownRouteUser(line)
      if (own === undefined) break
      user = own
      removeFirstValue(copy, Header.Route)
    }
    return user
  }

  /** Whether `host[:port]` is this node by address instead of by name. */
  protected isOwnAddress(_hostPort: string): boolean {
    return false
  }

  /** The user part of the first value of a Route line when its host is this node. Cuts no more than it must: every hop asks. */
  private ownRouteUser(line: string): string | undefined {
    const open = line.indexOf('<')
    const close = line.indexOf('>', open)
    const colon = line.indexOf(':', open)
    if (open < 0 || close < 0 || colon < 0 || colon > close) return undefined
    const at = line.indexOf('@', colon)
    const hostStart = at < 0 || at > close ? colon + 1 : at + 1
    let hostEnd = line.indexOf(';', hostStart)
    if (hostEnd < 0 || hostEnd > close) hostEnd = close
    const hostPort = line.slice(hostStart, hostEnd)
    const own = hostPort === this.name || hostPort.toLowerCase().replace(/:\d+$/, '') === this.name.toLowerCase() || this.isOwnAddress(hostPort)
    return own ? line.slice(colon + 1, Math.max(colon + 1, hostStart - 1)) : undefined
  }

  /** One branch has ended, with a response to consider or without. RFC 3261 16.7. */
  private conclude(now: Now, branch: Branch, status: number, response: SipMessage | undefined): void {
    const { context } = branch
    if (this.replaced(now, branch, status)) return
    context.pending -= 1
    if (context.finalSent) return
    if (response !== undefined) {
      // 16.7 step 5: the first 2xx goes up at once; for requests other than INVITE later finals are swallowed.
      if (response.status < 300) {
        this.finish(now, context, response)
        return
      }
      context.best = context.best === undefined ? response : betterResponse(context.best, response)
    }
    if (context.pending > 0) return
    if (context.best === undefined) {
      // Every branch was silent, so this node is silent too (RFC 4320 4.2).
      this.unanswered -= 1
      this.line.stayUnanswered(context.transaction)
      return
    }
    // 16.7 step 6: 503 would make the upstream avoid this whole node, so it becomes 500.
    const { best } = context
    this.finish(now, context, best.status === 503 ? this.reply(context.transaction.request, 500) : best)
  }

  private finish(now: Now, context: ResponseContext, response: SipMessage): void {
    context.finalSent = true
    this.respond(now, context.transaction, response)
  }
}

/** Max-Forwards values as texts, since every forwarded message needs one. */
const HOPS = Array.from({ length: 256 }, (_, hops) => composed(String(hops)))
