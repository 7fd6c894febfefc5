/**
 * The simulated core on real sockets: binds the ports, builds the machine with the ports it got, drives it by the pump,
 * writes its journal. It knows sockets and files; every decision is the machine's.
 */
import { systemCrypto } from '../../core/live/crypto.js'
import { SystemEntropy } from '../../core/live/entropy.js'
import { JournalWriter } from '../../core/live/journal.js'
import { Pump } from '../../core/live/pump.js'
import { Sockets } from '../../core/live/sockets.js'
import type { NetworkIn } from '../../core/kit/network.js'
import { ImsCore } from '../ims/ims.js'
import type { SubscriberDirectory } from '../ims/subscribers.js'
import { PopulationDirectory } from '../terminal/directory.js'
import { imsSettingsOf, type BoundPorts, type ImsConfig } from './ims-config.js'
import { populationOf } from './population-config.js'

export interface ImsOptions {
  readonly journalPath?: string | undefined
  /** HSS data of one's own instead of the population's. */
  readonly directory?: SubscriberDirectory
}

export interface ImsService {
  /** `host:port` of each node, `pcscf` and further `pcscf2`... for terminals, `icscf` for gateways. */
  readonly addresses: Readonly<Record<string, string>>
  readonly ports: BoundPorts
  /** Registered users and bindings now. */
  population(): { readonly users: number; readonly bindings: number }
  counters(): Record<string, number>
  stop(): Promise<void>
}

/** Rejects when a port or address cannot be bound, or the configuration contradicts itself. */
export async function startIms(config: ImsConfig, options: ImsOptions = {}): Promise<ImsService> {
  // Flows may come up while later ports are still being bound, and the machine needs all ports to be built.
  const early: NetworkIn[] = []
  let deliver = (input: NetworkIn): void => { early.push(input) }
  const sockets = new Sockets((input) => deliver(input))
  let journal: JournalWriter | undefined
  try {
    const ports = await bindPorts(sockets, config)
    const directory = options.directory ?? new PopulationDirectory(populationOf(config.population))
    const core = new ImsCore(imsSettingsOf(config, ports), directory, new SystemEntropy(), systemCrypto)
    journal = options.journalPath === undefined ? undefined : new JournalWriter(options.journalPath, (error) => { throw error })
    const pump = new Pump(core, (output) => {
      if (output.type === 'journal') journal?.write(output.event, output.pushId, output.address, output.details)
      else sockets.output(output)
    }, () => sockets.flush())
    deliver = (input) => pump.input(input)
    pump.start()
    for (const input of early) pump.input(input)
    return {
      addresses: addressesOf(config.address, ports),
      ports,
      population: () => core.population(),
      counters: () => ({ ...core.counters(), connections: sockets.counters.connections, datagramsDropped: sockets.datagramsDropped(), datagramsFailed: sockets.counters.datagramsFailed }),
      stop: async () => {
        pump.stop()
        await sockets.close()
        await journal?.close()
      },
    }
  } catch (error) {
    await sockets.close()
    await journal?.close()
    throw error
  }
}

async function bindPorts(sockets: Sockets, config: ImsConfig): Promise<BoundPorts> {
  const bind = async (port: number, transports: readonly ('udp' | 'tcp')[]): Promise<number> => (await sockets.listen(transports, { address: config.address, port })).port
  const { ports } = config
  const [first, ...further] = ports.pcscf
  // RFC 3261 18.2.1: whoever listens on UDP listens on TCP too.
  const pcscf: [number, ...number[]] = [await bind(first, ['udp', 'tcp'])]
  for (const port of further) pcscf.push(await bind(port, ['udp', 'tcp']))
  return {
    pcscf,
    core: config.mode === 'split' ? await bind(ports.core, ['tcp']) : ports.core,
    icscf: await bind(ports.icscf, ['udp', 'tcp']),
    scscf: await bind(ports.scscf, ['udp', 'tcp']),
  }
}

function addressesOf(address: string, ports: BoundPorts): Record<string, string> {
  const addresses: Record<string, string> = {}
  ports.pcscf.forEach((port, index) => { addresses[index === 0 ? 'pcscf' : `pcscf${index + 1}`] = `${address}:${port}` })
  addresses['icscf'] = `${address}:${ports.icscf}`
  addresses['scscf'] = `${address}:${ports.scscf}`
  return addresses
}
