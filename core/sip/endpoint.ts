/**
 * A SIP endpoint: the transport and transaction layers of RFC 3261 (sections 17 and 18) for one machine that owns it.
 * Takes what the network brings, matches it, tells the user; sends what the user says. Composes the two halves
 * (endpoint-client.ts, endpoint-server.ts) over one wire and one runner; decides nothing about what a request means.
 */
import { assert } from '../kit/assert.js'
import type { Carried, Endpoint, NetworkIn } from '../kit/network.js'
import type { Micros, Now } from '../kit/time.js'
import { CarriedMessage } from './carried-message.js'
import { ClientHalf } from './endpoint-client.js'
import type { ClientTransaction, Hop, ServerTransaction, SipEndpointContract, SipEndpointOptions, TransactionUser } from './endpoint-contract.js'
import type { Flow } from './endpoint-flows.js'
import { type Origin, ServerHalf } from './endpoint-server.js'
import { Wire } from './endpoint-wire.js'
import { type StreamFramer, datagramMessage } from './framing.js'
import { Header } from './header-names.js'
import type { SipMessage } from './message.js'
import type { ParseResult, SipProblem } from './problem.js'
import { DEFAULT_TIMERS } from './timers.js'
import { TransactionRunner } from './transaction-runner.js'

/** The answer to a keep-alive (RFC 5626 section 4.4.1). */
const PONG = Buffer.from('\r\n')

export class SipEndpoint implements SipEndpointContract {
  private readonly wire: Wire
  private readonly runner: TransactionRunner
  private readonly client: ClientHalf
  private readonly server: ServerHalf
  private readonly user: TransactionUser
  private messagesIn = 0

  constructor(options: SipEndpointOptions) {
    this.user = options.user
    this.wire = new Wire(options)
    this.runner = new TransactionRunner(options.timers ?? DEFAULT_TIMERS, options.leg)
    this.client = new ClientHalf(this.wire, this.runner, options.user)
    this.server = new ServerHalf(this.wire, this.runner, options)
  }

  get openTransactions(): number {
    return this.client.size + this.server.size
  }

  /** Messages that came, unreadable ones among them, and that went; each is counted as often as it crossed. */
  get messages(): { readonly in: number; readonly out: number } {
    return { in: this.messagesIn, out: this.wire.sent }
  }

  deadline(): Micros {
    return this.runner.deadline()
  }

  tick(now: Now): void {
    this.runner.tick(now)
  }

  input(now: Now, input: NetworkIn): void {
    const { flows } = this.wire
    switch (input.type) {
      case 'bytes': {
        const flow = flows.get(input.flow)
        if (flow === undefined) break
        if (input.carried !== undefined) this.carried(now, flow, input.carried, input.from)
        else if (flow.framer !== undefined) this.stream(now, flow, flow.framer, input.bytes)
        else if (input.from !== undefined) {
          const result = datagramMessage(input.bytes)
          if (result !== undefined) this.received(now, result, { flow, hop: datagramHop(flow, input.from) })
        }
        break
      }
      case 'flow-up': flows.up(input); break
      case 'full': flows.full(input.flow); break
      case 'writable': flows.writable(input.flow); break
      case 'flow-down': {
        const flow = flows.down(input.flow)
        if (flow === undefined) break
        this.client.flowDown(now, flow)
        this.user.onFlowDown(now, input.flow)
        break
      }
      case 'connect-failed': {
        const flow = flows.connectFailed(input.ticket)
        if (flow !== undefined) this.client.flowDown(now, flow)
        break
      }
    }
  }

  /** A message that came whole. */
  private carried(now: Now, flow: Flow, carried: Carried, from: Endpoint | undefined): void {
    assert(carried instanceof CarriedMessage, 'a flow of SIP carries SIP messages')
    this.received(now, { message: carried.received(), problem: undefined }, { flow, hop: from === undefined ? flow.hop : datagramHop(flow, from) })
  }

  private stream(now: Now, flow: Flow, framer: StreamFramer, bytes: Buffer): void {
    const origin: Origin = { flow, hop: flow.hop }
    framer.push(bytes)
    for (let result = framer.next(); result !== undefined; result = framer.next()) this.received(now, result, origin)
    // RFC 5626 3.5.1: who opened a flow pings, the other answers. On a flow of our own, two line breaks are two answers.
    for (; framer.pings > 0; framer.pings--) if (flow.isAccepted) this.wire.flows.write(flow, PONG, undefined)
    if (framer.fatal !== undefined) {
      // RFC 3261 18.3: nobody knows where the next message would begin.
      this.unreadable(framer.fatal, origin)
      this.wire.flows.close(flow)
    }
  }

  private received(now: Now, result: ParseResult, origin: Origin): void {
    this.messagesIn++
    if (result.problem !== undefined) this.unreadable(result.problem, origin)
    else if (result.message.isRequest) this.server.request(now, result.message, origin)
    else this.client.response(now, result.message)
  }

  /** A malformed response is dropped, and a request that names nobody to answer (RFC 3261 sections 18.1.2 and 8.2). */
  private unreadable(problem: SipProblem, origin: Origin): void {
    if (problem.message !== undefined && problem.of === 'request') this.server.answerUnreadable(problem.message, problem.status, origin)
  }

  request(now: Now, request: SipMessage, hop: Hop, context?: unknown): ClientTransaction {
    return this.client.request(now, request, hop, context)
  }

  abandon(transaction: ServerTransaction): void {
    this.server.abandon(transaction)
  }

  respond(now: Now, transaction: ServerTransaction, response: SipMessage): void {
    this.server.respond(now, transaction, response)
  }

  send(_now: Now, message: SipMessage, hop: Hop): void {
    const branch = this.wire.vias.newBranch()
    if (message.isRequest) message.prepend(Header.Via, this.wire.vias.text(hop.transport, branch))
    this.wire.sendOnce(message, hop, branch)
  }

  cancel(now: Now, transaction: ClientTransaction): void {
    this.client.cancel(now, transaction)
  }
}

/** The way back to the peer of a datagram. */
function datagramHop(flow: Flow, { address, port }: Endpoint): Hop {
  return { transport: 'udp', address, port, flow: flow.id }
}
