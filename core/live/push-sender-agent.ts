/**
 * The Push Sender Agent as a library: `openPushSenderAgent`, `push`, `close`. A SIP application pushes to terminals of an
 * IMS network by itself, without PAP and without a gateway. docs/examples/push-sender-agent.mjs shows it at work.
 */
import type { Endpoint } from '../kit/network.js'
import { SenderAgent, type AgentAnswer, type AgentPush, type AgentResult, type SenderAgentIn, type SenderAgentOut } from '../ota/sender-agent.js'
import { SystemEntropy } from './entropy.js'
import { Pump } from './pump.js'
import { Sockets } from './sockets.js'

export type { AgentResult }

export interface PushSenderAgentOptions {
  /** Where this application is reached over SIP; port 0 takes any free one. */
  readonly listen: Endpoint
  /** The entry point of the core network (an I-CSCF), which must trust this application's address: it asserts its own identity. */
  readonly nextHop: { readonly transport: 'udp' | 'tcp'; readonly address: string; readonly port: number }
  /** The public service identity of the application: From and P-Asserted-Identity. */
  readonly identity: string
  /** `pushbench-psa` when absent. */
  readonly userAgent?: string
}

export type Push = Omit<AgentPush, 'type' | 'ticket'>
export type PushOutcome = Pick<AgentAnswer, 'result' | 'status' | 'reason'>

export interface PushSenderAgent {
  /** Where it really listens. */
  readonly address: Endpoint
  /** Resolves with what became of the push; never rejects for what the network answers, or fails to. */
  push(push: Push): Promise<PushOutcome>
  /** Closes the sockets; pushes still open are told `unanswered`. */
  close(): Promise<void>
}

/** Rejects when the address cannot be bound. */
export async function openPushSenderAgent(options: PushSenderAgentOptions): Promise<PushSenderAgent> {
  const early: SenderAgentIn[] = []
  let deliver = (input: SenderAgentIn): void => { early.push(input) }
  const sockets = new Sockets((input) => deliver(input))
  const address = await sockets.listen(['udp', 'tcp'], options.listen)
  const waiting = new Map<number, (outcome: PushOutcome) => void>()
  const sipAddress = `${address.address.includes(':') ? `[${address.address}]` : address.address}:${address.port}`
  const machine = new SenderAgent({ identity: options.identity, userAgent: options.userAgent ?? 'pushbench-psa', sipAddress, nextHop: options.nextHop }, new SystemEntropy())
  const settle = (ticket: number, { result, status, reason }: PushOutcome): void => {
    waiting.get(ticket)?.({ result, status, reason })
    waiting.delete(ticket)
  }
  const pump = new Pump<SenderAgentIn, SenderAgentOut>(machine, (out) => {
    if (out.type === 'pushed') settle(out.ticket, out)
    else sockets.output(out)
  }, () => sockets.flush())
  deliver = (input) => pump.input(input)
  pump.start()
  for (const input of early) pump.input(input)
  let ticketLast = 0
  let closed = false
  return {
    address,
    push: (push) => new Promise((resolve) => {
      if (closed) return resolve({ result: 'invalid', status: 0, reason: 'the agent is closed' })
      const ticket = ++ticketLast
      waiting.set(ticket, resolve)
      pump.input({ ...push, type: 'push', ticket })
    }),
    close: async () => {
      closed = true
      pump.stop()
      await sockets.close()
      for (const ticket of [...waiting.keys()]) settle(ticket, { result: 'unanswered', status: 0, reason: 'the agent was closed' })
    },
  }
}
