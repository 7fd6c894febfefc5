/**
 * What an operator can ask of a running gateway about event mode: how many subscriptions stand, that their terminals move to
 * another push server, that all of them end. The same words by both ways in: the control channel of a forked part, and
 * operator-http.ts. Knows words and what they need; the machine does the work.
 */
import type { MoveReport } from '../push/bindings/subscription-moves.js'
import { moveProblem } from '../push/bindings/subscription-moves.js'
import type { GatewayIn } from '../push/contract.js'
import type { Gateway } from '../push/gateway.js'

export const OPERATOR_WORDS = ['subscriptions', 'move-subscriptions', 'end-subscriptions'] as const
export type OperatorWord = (typeof OPERATOR_WORDS)[number]

/** The answer to each of them. */
export interface SubscriptionsReport {
  /** Subscriptions there are; those that are ending count until their last NOTIFY is through. */
  readonly subscriptions: number
  /** The latest move since the gateway was started. */
  readonly move?: MoveReport
}

/** What was asked cannot be done, and why; the message is for people. */
export class OperatorMistake extends Error {}

export function isOperatorWord(word: string): word is OperatorWord {
  return (OPERATOR_WORDS as readonly string[]).includes(word)
}

export class Operator {
  /** @param input the machine's; what it is handed is done when it returns */
  constructor(private readonly gateway: Gateway, private readonly input: (input: GatewayIn) => void, private readonly identity: string) {}

  /**
   * @param argument of `move-subscriptions`: `{ server }`, the other push server's SIP URI; else nothing
   * @throws OperatorMistake
   */
  perform(word: OperatorWord, argument: unknown): SubscriptionsReport {
    if (word === 'subscriptions') return this.report()
    if (!this.gateway.isOpen) throw new OperatorMistake('the gateway is still reading its store, or is stopping: ask again')
    this.input(word === 'end-subscriptions' ? { type: 'end-subscriptions' } : { type: 'move-subscriptions', server: this.serverOf(argument) })
    return this.report()
  }

  private serverOf(argument: unknown): string {
    const server = typeof argument === 'object' && argument !== null && 'server' in argument ? argument.server : undefined
    if (typeof server !== 'string') throw new OperatorMistake('say where the terminals are to subscribe: { "server": "sip:push@other.example" }')
    const problem = moveProblem(server, this.identity)
    if (problem !== undefined) throw new OperatorMistake(problem)
    return server
  }

  private report(): SubscriptionsReport {
    const { subscriptions, moves: { report: move } } = this.gateway
    return { subscriptions: subscriptions.size, ...(move === undefined ? {} : { move }) }
  }
}
