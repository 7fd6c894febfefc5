/**
 * The simulated core on real sockets: binds the ports, builds the machine with the ports it got, drives it by the pump,
 * writes its journal. It knows sockets and files; every decision is the machine's.
 */
import { systemCrypto } from '../../core/live/crypto.js'
import { SystemEntropy } from '../../core/live/entropy.js'
import { JournalWriter } from '../../core/live/journal.js'
import { Pump } from '../../core/live/pump.js'
import { Sockets } from '../../core/live/sockets.js'
import { readTls } from '../../core/live/tls.js'
import type { NetworkIn, Transport } from '../../core/kit/network.js'
import { ImsCore } from '../ims/ims.js'
import type { SubscriberDirectory } from '../ims/subscribers.js'
import { PopulationDirectory } from '../terminal/directory.js'
import { imsSettingsOf, type BoundPcscf, type BoundPorts, type ImsConfig } from './ims-config.js'
import { populationOf } from './population-config.js'

export interface ImsOptions {
  readonly journalPath?: string | undefined
  /** HSS data of one's own instead of the population's. */
  readonly directory?: SubscriberDirectory
}

export interface ImsService {
  /**
   * `host:port` of each node, `pcscf` and further `pcscf2`... for terminals, `icscf` for gateways; with TLS also `pcscfTls`, `icscfTls`...,
   * and `pcscf.<id>`, `pcscf2.<id>`... and `pcscfTls.<id>` of each visited network.
   */
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
  const sockets = new Sockets((input) => deliver(input), config.tls === undefined ? undefined : readTls(config.tls))
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
      addresses: addressesOf(config, ports),
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
  const bind = async (port: number, transports: readonly Transport[]): Promise<number> => (await sockets.listen(transports, { address: config.address, port })).port
  const bindTls = async (port: number): Promise<number | undefined> => (config.tls === undefined ? undefined : bind(port, ['tls']))
  const bindPcscf = async (wanted: { readonly pcscf: readonly [number, ...number[]]; readonly pcscfTls: number; readonly core: number }): Promise<BoundPcscf> => {
    const [first, ...further] = wanted.pcscf
    // RFC 3261 18.2.1: whoever listens on UDP listens on TCP too.
    const pcscf: [number, ...number[]] = [await bind(first, ['udp', 'tcp'])]
    for (const port of further) pcscf.push(await bind(port, ['udp', 'tcp']))
    return { pcscf, pcscfTls: await bindTls(wanted.pcscfTls), core: config.mode === 'split' ? await bind(wanted.core, [config.coreTransport]) : wanted.core }
  }
  const { ports } = config
  const home = await bindPcscf(ports)
  const visited: BoundPcscf[] = []
  for (const network of config.visited) visited.push(await bindPcscf(network.ports))
  return {
    ...home, visited,
    icscf: await bind(ports.icscf, ['udp', 'tcp']),
    scscf: await bind(ports.scscf, ['udp', 'tcp']),
    icscfTls: await bindTls(ports.icscfTls),
    scscfTls: await bindTls(ports.scscfTls),
  }
}

function addressesOf({ address, visited }: ImsConfig, ports: BoundPorts): Record<string, string> {
  const addresses: Record<string, string> = {}
  const note = (name: string, port: number | undefined): void => { if (port !== undefined) addresses[name] = `${address}:${port}` }
  ports.pcscf.forEach((port, index) => note(index === 0 ? 'pcscf' : `pcscf${index + 1}`, port))
  for (const name of ['icscf', 'scscf', 'pcscfTls', 'icscfTls', 'scscfTls'] as const) note(name, ports[name])
  visited.forEach(({ id }, index) => {
    ports.visited[index]!.pcscf.forEach((port, turn) => note(`${turn === 0 ? 'pcscf' : `pcscf${turn + 1}`}.${id}`, port))
    note(`pcscfTls.${id}`, ports.visited[index]!.pcscfTls)
  })
  return addresses
}
