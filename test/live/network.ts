/**
 * The real parts as processes of their own, from dist and configured as a run configures them: core network, terminals,
 * and a gateway on ports of its own that can be killed and started again on the same store. It starts, kills and stops;
 * what is sent and what the journals say is its user's business.
 */
import { createServer } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startPart, type PartProcess } from '../../core/live/part-process.js'
import { gatewayConfigOf, imsConfigOf, terminalsConfigOf, type HostPort } from '../../loadgen/live/part-configs.js'
import type { Scenario } from '../../loadgen/scenario.js'
import type { TerminalsConfigEncoded } from '../../sim/live/terminals-config.js'

const REGISTER_WITHIN_MICROS = 30_000_000
const STOP_MILLIS = 20_000
const LOOPBACK = '127.0.0.1'
/** Below the range the system takes ports for outgoing connections from: nobody takes ours while the gateway is down. */
const PORTS = { from: 20_000, count: 10_000 }

export type ChangeTerminals = (config: TerminalsConfigEncoded) => Promise<TerminalsConfigEncoded>

export class Network {
  /** Latest sample of the gateway's counters; undefined until the first one of this process. */
  gatewayCounters: Readonly<Record<string, number>> | undefined
  gateways = 0
  private gatewayPart: PartProcess | undefined

  private constructor(
    private readonly scenario: Scenario, private readonly folder: string,
    readonly ims: PartProcess, readonly terminals: PartProcess, private readonly sip: HostPort, private readonly pap: HostPort,
    private readonly onSample: () => void,
  ) {}

  /**
   * @param onSample called about once a second while a gateway is up
   * @param change what the terminals are started with in place of what the scenario makes of them
   */
  static async start(scenario: Scenario, folder: string, onSample: () => void = () => {}, change?: ChangeTerminals): Promise<Network> {
    const sip = { address: LOOPBACK, port: await steadyPort() }
    const pap = { address: LOOPBACK, port: await steadyPort() }
    const ims = await startPart(moduleOf('sim/live/ims-part.js'), imsConfigOf(scenario, sip), join(folder, 'ims.journal'), () => {})
    const config = terminalsConfigOf(scenario, ims.addresses)
    const terminals = await startPart(moduleOf('sim/live/terminals-part.js'), await change?.(config) ?? config, join(folder, 'terminals.journal'), () => {})
      .catch(async (error: unknown) => {
        await ims.kill()
        throw error
      })
    return new Network(scenario, folder, ims, terminals, sip, pap, onSample)
  }

  get store(): string {
    return join(this.folder, 'store')
  }

  get gateway(): PartProcess {
    if (this.gatewayPart === undefined) throw new Error('no gateway is up')
    return this.gatewayPart
  }

  get papUrl(): URL {
    return new URL(`http://${this.pap.address}:${this.pap.port}/pap`)
  }

  get sipPort(): number {
    return this.sip.port
  }

  /** The next gateway process, with a journal of its own, on the same store and ports; rejects when it got other ports. */
  async startGateway(): Promise<void> {
    const config = gatewayConfigOf(this.scenario, this.sip, this.ims.addresses, this.store, undefined)
    const journal = join(this.folder, `gateway-${this.gateways++}.journal`)
    this.gatewayCounters = undefined
    this.gatewayPart = await startPart(moduleOf('core/live/gateway-part.js'), { ...config, pap: { listen: `${this.pap.address}:${this.pap.port}` } }, journal, ({ counters }) => {
      this.gatewayCounters = counters
      this.onSample()
    })
    const { pap, sip } = this.gatewayPart.addresses
    const { sipTls = sip } = this.gatewayPart.addresses
    if (pap !== this.papUrl.href || sipTls !== `${this.sip.address}:${this.sip.port}`) throw new Error(`the gateway is at ${pap} and ${sip}, and not where it was before`)
  }

  /** Registers every terminal; resolves with how many are wanted and how many are registered. */
  async register(perSecond: number): Promise<{ readonly wanted: number; readonly done: number }> {
    return await this.terminals.perform('register', { perSecond, withinMicros: REGISTER_WITHIN_MICROS }) as { wanted: number; done: number }
  }

  /** Whoever is asked goes before whoever asks could hear of it, as in a run. */
  async stop(): Promise<void> {
    for (const part of [this.gatewayPart, this.terminals, this.ims]) await part?.stop(STOP_MILLIS)
  }

  async kill(): Promise<void> {
    await Promise.all([this.gatewayPart, this.terminals, this.ims].map((part) => part?.kill()))
  }
}


function moduleOf(path: string): string {
  return fileURLToPath(new URL(`../../dist/${path}`, import.meta.url))
}

/** Test files run in processes of their own at the same time: each begins elsewhere. */
let portNext = process.pid * 16 % PORTS.count

/** A port nobody else takes for itself while its owner is down. */
export async function steadyPort(): Promise<number> {
  for (;;) {
    const port = PORTS.from + portNext++ % PORTS.count
    if (await isFree(port)) return port
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, LOOPBACK, () => server.close(() => resolve(true)))
  })
}
