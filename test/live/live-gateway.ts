/** The small registrar and the gateway of the terminals' tests as one machine on real sockets of 127.0.0.1: SIP on one port, MSRP on another. */
import { Fifo } from '../../core/kit/fifo.js'
import type { Machine, Tick } from '../../core/kit/machine.js'
import type { FlowId, NetworkIn, NetworkOut } from '../../core/kit/network.js'
import type { Now } from '../../core/kit/time.js'
import { systemCrypto } from '../../core/live/crypto.js'
import { SystemEntropy } from '../../core/live/entropy.js'
import { Pump } from '../../core/live/pump.js'
import { Sockets } from '../../core/live/sockets.js'
import { TerminalGateway } from '../machines/terminal-gateway.js'
import { SmallRegistrar } from './small-registrar.js'

type In = Tick | NetworkIn | { readonly type: 'act'; act(gateway: TerminalGateway, now: Now): void }

class GatewayMachine implements Machine<In, NetworkOut> {
  readonly registrar = new SmallRegistrar({
    domain: 'home1.example', algorithms: ['SHA-256', 'MD5'], passwordOf: (impi) => `secret-${impi.slice(4, 10)}`, expirySeconds: 3_600,
  }, new SystemEntropy(), systemCrypto)
  readonly place = { address: '127.0.0.1', port: 0 }
  readonly gateway = new TerminalGateway(this.registrar, this.place)
  private readonly out = new Fifo<NetworkOut>()
  private readonly msrpFlows = new Set<FlowId>()

  handle(now: Now, input: In): void {
    if (input.type === 'act') input.act(this.gateway, now)
    else if (input.type === 'tick') {
      this.registrar.handle(now, input)
      this.gateway.tick(now)
    } else if (this.isMsrp(input)) this.gateway.msrp.input(now, input)
    else this.registrar.handle(now, input)
    for (let out = this.registrar.poll(); out !== undefined; out = this.registrar.poll()) if (out.type !== 'answered') this.out.push(out)
    for (const out of this.gateway.out.splice(0)) this.out.push(out)
  }

  poll(): NetworkOut | undefined {
    return this.out.shift()
  }

  deadline(): number {
    return Math.min(this.registrar.deadline(), this.gateway.deadline())
  }

  private isMsrp(input: NetworkIn): boolean {
    if (input.type === 'flow-up' && input.local.port === this.place.port) this.msrpFlows.add(input.flow)
    return 'flow' in input && this.msrpFlows.has(input.flow)
  }
}

export interface LiveGateway {
  readonly port: number
  readonly registrar: SmallRegistrar
  readonly gateway: TerminalGateway
  act<Result>(what: (gateway: TerminalGateway, now: Now) => Result): Result
  close(): Promise<void>
}

export async function startLiveGateway(): Promise<LiveGateway> {
  const machine = new GatewayMachine()
  const sockets: Sockets = new Sockets((input) => pump.input(input))
  const pump: Pump<In, NetworkOut> = new Pump(machine, (out) => sockets.output(out), () => sockets.flush())
  const { port } = await sockets.listen(['tcp'], { address: '127.0.0.1', port: 0 })
  machine.place.port = (await sockets.listen(['tcp'], { address: '127.0.0.1', port: 0 })).port
  pump.start()
  return {
    port,
    registrar: machine.registrar,
    gateway: machine.gateway,
    act: <Result>(what: (gateway: TerminalGateway, now: Now) => Result): Result => {
      let result: Result | undefined
      pump.input({ type: 'act', act: (gateway, now) => { result = what(gateway, now) } })
      return result as Result
    },
    close: async () => {
      pump.stop()
      await sockets.close()
    },
  }
}
