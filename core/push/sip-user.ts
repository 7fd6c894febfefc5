/**
 * The gateway as a SIP user agent: hands each request that comes to the part that serves its method, and each answer to
 * the part that asked. Requests are taken from configured peers only: identities in them are believed. Knows no method's meaning.
 */
import type { FlowId } from '../kit/network.js'
import type { Now } from '../kit/time.js'
import type { ClientFailure, ClientTransaction, Hop, ServerTransaction, SipEndpointContract, TransactionUser } from '../sip/endpoint-contract.js'
import { Header } from '../sip/header-names.js'
import { composed } from '../sip/header-text.js'
import type { SipMessage } from '../sip/message.js'
import { responseTo } from '../sip/write.js'
import type { GatewayContext } from './context.js'
import { Delivery } from './delivery/delivery.js'
import type { Hops } from './delivery/hops.js'

/** Whoever serves a method. */
export interface RequestTaker {
  request(now: Now, transaction: ServerTransaction): void
  /** The ACK for a 2xx; only who answers INVITE has it. */
  ack?(now: Now, ack: SipMessage, source: Hop): void
  cancel?(now: Now, transaction: ServerTransaction): void
}

/** Whoever sent a request: the `context` it gave to `endpoint.request`. For a MESSAGE that is the delivery, so that it costs no object of its own. */
export interface Requester {
  responded(now: Now, transaction: ClientTransaction, response: SipMessage): void
  failed(now: Now, transaction: ClientTransaction, failure: ClientFailure): void
}

/** Whoever keeps dialogs above the endpoint, such as core/sip's notifier: told of each answer with what it gave to its request. */
export interface DialogKeeper {
  onResponse(now: Now, about: unknown, response: SipMessage): void
  onFailure(now: Now, about: unknown, failure: ClientFailure): void
}

/** A request of such a keeper, and the keeper's own context of it. */
export class KeptRequest implements Requester {
  constructor(private readonly keeper: DialogKeeper, private readonly about: unknown) {}

  responded(now: Now, _transaction: ClientTransaction, response: SipMessage): void {
    this.keeper.onResponse(now, this.about, response)
  }

  failed(now: Now, _transaction: ClientTransaction, failure: ClientFailure): void {
    this.keeper.onFailure(now, this.about, failure)
  }
}

const TO_TAG_BITS = 64

export class SipUser implements TransactionUser {
  endpoint!: SipEndpointContract
  /** Who sent every request whose context is a delivery. */
  messages!: Requester
  private readonly peers: ReadonlySet<string>
  private readonly takers = new Map<string, RequestTaker>()

  constructor(private readonly context: GatewayContext, private readonly hops: Hops) {
    this.peers = new Set(context.settings.trustedPeers)
  }

  serve(method: string, taker: RequestTaker): void {
    this.takers.set(method, taker)
  }

  /** The methods served, as in Allow. */
  get methods(): string {
    return [...this.takers.keys()].join(', ')
  }

  onRequest(now: Now, transaction: ServerTransaction): void {
    const { request, source } = transaction
    if (!this.peers.has(source.address)) return this.refuse(now, transaction, 403)
    const taker = this.takers.get(request.method)
    if (taker === undefined) return this.refuse(now, transaction, 405)
    taker.request(now, transaction)
  }

  onAck(now: Now, ack: SipMessage, source: Hop): void {
    this.takers.get('INVITE')?.ack?.(now, ack, source)
  }

  onCancel(now: Now, transaction: ServerTransaction): void {
    this.takers.get('INVITE')?.cancel?.(now, transaction)
  }

  onResponse(now: Now, transaction: ClientTransaction, response: SipMessage): void {
    this.hops.heard(now, transaction.hop, response.get(Header.Via) ?? '')
    this.requesterOf(transaction).responded(now, transaction, response)
  }

  onFailure(now: Now, transaction: ClientTransaction, failure: ClientFailure): void {
    this.requesterOf(transaction).failed(now, transaction, failure)
  }

  /** A flow's transactions have failed before its end is told. */
  onFlowDown(_now: Now, _flow: FlowId): void {}

  private requesterOf({ context }: ClientTransaction): Requester {
    return context instanceof Delivery ? this.messages : (context as Requester)
  }

  private refuse(now: Now, transaction: ServerTransaction, status: number): void {
    const response = responseTo(transaction.request, status, undefined, this.context.entropy.token(TO_TAG_BITS))
    if (status === 405) response.append(Header.Allow, composed(this.methods))
    this.endpoint.respond(now, transaction, response)
  }
}
