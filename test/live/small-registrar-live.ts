/** The small registrar on real sockets of 127.0.0.1, TCP and UDP on one free port. */
import { systemCrypto } from '../../core/live/crypto.js'
import { SystemEntropy } from '../../core/live/entropy.js'
import { Pump } from '../../core/live/pump.js'
import { Sockets } from '../../core/live/sockets.js'
import type { SipMessage } from '../../core/sip/message.js'
import { SmallRegistrar, type Push, type RegistrarIn, type RegistrarOut, type SmallRegistrarSettings } from './small-registrar.js'

export interface Answer {
  readonly status: number
  readonly response: SipMessage | undefined
}

export interface LiveRegistrar {
  readonly machine: SmallRegistrar
  readonly port: number
  push(push: Omit<Push, 'ticket'>): Promise<Answer>
  close(): Promise<void>
}

export async function startSmallRegistrar(settings: SmallRegistrarSettings): Promise<LiveRegistrar> {
  const machine = new SmallRegistrar(settings, new SystemEntropy(), systemCrypto)
  const waiting = new Map<number, (answer: Answer) => void>()
  let tickets = 0
  const sockets = new Sockets((input) => pump.input(input))
  const pump: Pump<RegistrarIn, RegistrarOut> = new Pump(machine, (out) => {
    if (out.type !== 'answered') return sockets.output(out)
    waiting.get(out.ticket)?.({ status: out.status, response: out.response })
    waiting.delete(out.ticket)
  }, () => sockets.flush())
  const { port } = await sockets.listen(['udp', 'tcp'], { address: '127.0.0.1', port: 0 })
  return {
    machine,
    port,
    push: (push) => new Promise((resolve) => {
      const ticket = ++tickets
      waiting.set(ticket, resolve)
      pump.input({ type: 'push', push: { ...push, ticket } })
    }),
    close: async () => {
      pump.stop()
      await sockets.close()
    },
  }
}
