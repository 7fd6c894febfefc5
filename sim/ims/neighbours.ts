/**
 * How nodes send and answer: over their endpoint, or, collapsed, straight to a neighbour in the same process. Between
 * neighbours nothing is lost, late or repeated, so a passage needs neither octets nor timers nor a transaction of its own;
 * the transactions that count are those with the outside, at the first and at the last node. Knows hops and turns, no routes.
 */
import type { Entropy } from '../../core/kit/entropy.js'
import { Fifo } from '../../core/kit/fifo.js'
import type { Now } from '../../core/kit/time.js'
import type { ClientTransaction, Hop, ServerTransaction, SipEndpointContract, TransactionUser } from '../../core/sip/endpoint-contract.js'
import { Header } from '../../core/sip/header-names.js'
import type { SipMessage } from '../../core/sip/message.js'
import { OurVias } from '../../core/sip/our-vias.js'
import { alignVias } from '../../core/sip/via.js'

/** One request handed to a neighbour, which is a server transaction to it. */
class Passage implements ServerTransaction {
  context: unknown = undefined
  isAnswered = false

  constructor(
    readonly request: SipMessage,
    /** The hop that leads back to whoever sent it. */
    readonly source: Hop,
    readonly from: TransactionUser,
    readonly to: TransactionUser,
    /** What it is to whoever sent it. */
    readonly sent: ClientTransaction,
  ) {}
}

/** What comes back over a passage: its one final response, or the news that there will be none. */
class Answer {
  constructor(readonly passage: Passage, readonly response: SipMessage | undefined) {}
}

/** The nodes of one process, and what is on its way between them. */
export class Neighbours {
  private readonly nodes = new Map<Hop, TransactionUser>()
  private readonly turns = new Fifo<Passage | Answer>()

  /** @param hop the object by which the others' routes know this node; another object with the same values leads to the network */
  add(hop: Hop, node: TransactionUser): void {
    this.nodes.set(hop, node)
  }

  at(hop: Hop): TransactionUser | undefined {
    return this.nodes.get(hop)
  }

  queue(turn: Passage | Answer): void {
    this.turns.push(turn)
  }

  /** Hands over what waits, in order, each after what caused it has ended; until nothing waits. */
  settle(now: Now): void {
    for (let turn = this.turns.shift(); turn !== undefined; turn = this.turns.shift()) {
      if (turn instanceof Passage) turn.to.onRequest(now, turn)
      else if (turn.response === undefined) turn.passage.from.onFailure(now, turn.passage.sent, 'timeout')
      else turn.passage.from.onResponse(now, turn.passage.sent, turn.response)
    }
  }
}

/** One node's way to others. */
export class NodeLine {
  private readonly vias: OurVias

  /** @param hop leads to this node */
  constructor(
    private readonly node: TransactionUser,
    private readonly hop: Hop,
    sentBy: string,
    entropy: Entropy,
    private readonly endpoint: SipEndpointContract,
    private readonly neighbours: Neighbours,
  ) {
    this.vias = new OurVias(() => sentBy, entropy)
  }

  /** Adds this node's Via on top and sends. A request handed to a neighbour is never changed again. */
  request(now: Now, request: SipMessage, hop: Hop, context: unknown): void {
    const to = this.neighbours.at(hop)
    if (to === undefined) {
      this.endpoint.request(now, request, hop, context)
      return
    }
    request.prepend(Header.Via, this.vias.text(hop.transport, this.vias.newBranch()))
    this.neighbours.queue(new Passage(request, this.hop, this.node, to, { request, hop, context }))
  }

  /** As an endpoint's `respond`: the first final response goes back, 408 to a request other than INVITE is silence (RFC 4320 section 4.2). */
  respond(now: Now, transaction: ServerTransaction, response: SipMessage): void {
    if (!(transaction instanceof Passage)) this.endpoint.respond(now, transaction, response)
    else if (response.status === 408) this.stayUnanswered(transaction)
    else if (response.status >= 200 && !transaction.isAnswered) {
      transaction.isAnswered = true
      alignVias(transaction.request, response)
      this.neighbours.queue(new Answer(transaction, response))
    }
  }

  /** There will be no response. A peer on the network finds out by its timer; a neighbour is told, since it has none. */
  stayUnanswered(transaction: ServerTransaction): void {
    if (!(transaction instanceof Passage) || transaction.isAnswered) return
    transaction.isAnswered = true
    this.neighbours.queue(new Answer(transaction, undefined))
  }
}
