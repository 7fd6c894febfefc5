/**
 * How nodes send and answer: over their endpoint, or, collapsed, straight to a neighbour in the same process. Between
 * neighbours nothing is lost, late or repeated, so a passage needs neither octets nor timers nor a transaction of its own:
 * an ACK for a refusal ends where it is sent, and no 100 is needed. The transactions that count are those with the outside,
 * at the first and at the last node. Knows hops and turns, no routes.
 */
import type { Entropy } from '../../core/kit/entropy.js'
import { Fifo } from '../../core/kit/fifo.js'
import type { Now } from '../../core/kit/time.js'
import type { ClientTransaction, Hop, ServerTransaction, SipEndpointContract, TransactionUser } from '../../core/sip/endpoint-contract.js'
import { Header } from '../../core/sip/header-names.js'
import type { SipMessage } from '../../core/sip/message.js'
import { OurVias } from '../../core/sip/our-vias.js'
import { alignVias } from '../../core/sip/via.js'

/** A passage as whoever sent the request holds it. */
class SentOver implements ClientTransaction {
  passage!: Passage

  constructor(readonly request: SipMessage, readonly hop: Hop, public context: unknown) {}
}

/** One request handed to a neighbour, which is a server transaction to it. */
class Passage implements ServerTransaction {
  context: unknown = undefined
  /** The status of its first final response; 0 before it. 408 where there will be none. */
  finalStatus = 0

  constructor(
    readonly request: SipMessage,
    /** The hop that leads back to whoever sent it. */
    readonly source: Hop,
    readonly from: TransactionUser,
    readonly to: TransactionUser,
    /** What it is to whoever sent it. */
    readonly sent: SentOver,
  ) {
    sent.passage = this
  }
}

/** What comes back over a passage: a response, or the news that there will be none. */
class Answer {
  constructor(readonly passage: Passage, readonly response: SipMessage | undefined) {}
}

/** The sender of a passage wants no more of it. */
class Cancelled {
  constructor(readonly passage: Passage) {}
}

/** An ACK for a 2xx, which belongs to no passage. */
class Acknowledged {
  constructor(readonly ack: SipMessage, readonly source: Hop, readonly to: TransactionUser) {}
}

type Turn = Passage | Answer | Cancelled | Acknowledged

/** The nodes of one process, and what is on its way between them. */
export class Neighbours {
  private readonly nodes = new Map<Hop, TransactionUser>()
  private readonly turns = new Fifo<Turn>()

  /** @param hop the object by which the others' routes know this node; another object with the same values leads to the network */
  add(hop: Hop, node: TransactionUser): void {
    this.nodes.set(hop, node)
  }

  at(hop: Hop): TransactionUser | undefined {
    return this.nodes.get(hop)
  }

  queue(turn: Turn): void {
    this.turns.push(turn)
  }

  /** Hands over what waits, in order, each after what caused it has ended; until nothing waits. */
  settle(now: Now): void {
    for (let turn = this.turns.shift(); turn !== undefined; turn = this.turns.shift()) {
      if (turn instanceof Passage) turn.to.onRequest(now, turn)
      else if (turn instanceof Answer) {
        const { passage, response } = turn
        if (response === undefined) passage.from.onFailure(now, passage.sent, 'timeout')
        else passage.from.onResponse(now, passage.sent, response)
      } else if (turn instanceof Acknowledged) turn.to.onAck(now, turn.ack, turn.source)
      else turn.passage.to.onCancel(now, turn.passage)
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
  request(now: Now, request: SipMessage, hop: Hop, context: unknown): ClientTransaction {
    const to = this.neighbours.at(hop)
    if (to === undefined) return this.endpoint.request(now, request, hop, context)
    this.sign(request, hop)
    const sent = new SentOver(request, hop, context)
    this.neighbours.queue(new Passage(request, this.hop, this.node, to, sent))
    return sent
  }

  /** As an endpoint's `cancel`; to a neighbour it goes at once, without waiting for a provisional response (RFC 3261 section 9.1). */
  cancel(now: Now, transaction: ClientTransaction): void {
    if (!(transaction instanceof SentOver)) this.endpoint.cancel(now, transaction)
    else this.neighbours.queue(new Cancelled(transaction.passage))
  }

  /** Sends an ACK for a 2xx: no transaction, no answer. */
  acknowledge(now: Now, ack: SipMessage, hop: Hop): void {
    const to = this.neighbours.at(hop)
    if (to === undefined) {
      this.endpoint.send(now, ack, hop)
      return
    }
    this.sign(ack, hop)
    this.neighbours.queue(new Acknowledged(ack, this.hop, to))
  }

  /**
   * As an endpoint's `respond`. For INVITE provisional responses go back, the first final one, and after a 2xx every further 2xx
   * (RFC 6026 section 7.1); for another request the first final one alone, and 408 is silence (RFC 4320 section 4.2).
   */
  respond(now: Now, transaction: ServerTransaction, response: SipMessage): void {
    if (!(transaction instanceof Passage)) {
      this.endpoint.respond(now, transaction, response)
      return
    }
    const { status } = response
    const { finalStatus } = transaction
    const isInvite = transaction.request.method === 'INVITE'
    if (status < 200) {
      if (isInvite && finalStatus === 0) this.goesBack(transaction, response)
    } else if (status === 408 && !isInvite) this.stayUnanswered(transaction)
    else if (finalStatus === 0) {
      transaction.finalStatus = status
      this.goesBack(transaction, response)
    } else if (isInvite && finalStatus < 300 && status < 300) this.goesBack(transaction, response)
  }

  /** There will be no response. A peer on the network finds out by its timer; a neighbour is told, since it has none. */
  stayUnanswered(transaction: ServerTransaction): void {
    if (!(transaction instanceof Passage) || transaction.finalStatus !== 0) return
    transaction.finalStatus = 408
    this.neighbours.queue(new Answer(transaction, undefined))
  }

  private sign(request: SipMessage, hop: Hop): void {
    request.prepend(Header.Via, this.vias.text(hop.transport, this.vias.newBranch()))
  }

  private goesBack(passage: Passage, response: SipMessage): void {
    alignVias(passage.request, response)
    this.neighbours.queue(new Answer(passage, response))
  }
}
