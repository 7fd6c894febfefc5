/**
 * The simulated DNS (RFC 3263): from the host of a URI to the hop a request takes. Names are those of the settings,
 * literal addresses stand for themselves. Knows no message and decides no route.
 */
import type { Endpoint, Transport } from '../../core/kit/network.js'
import type { Hop } from '../../core/sip/endpoint-contract.js'
import { parseNameAddr } from '../../core/sip/name-addr.js'
import { aorOf, parseUri, uriParam, type Uri } from '../../core/sip/uri.js'
import type { ImsSettings, NodeSettings } from './settings.js'

/** What is worked out once for all bindings that share a Path (RFC 3327 section 5.2). */
export interface PathVector {
  /** Where its topmost proxy is; undefined when that cannot be resolved. */
  readonly hop: Hop | undefined
}

const LITERAL = /^(?:\d{1,3}\.){3}\d{1,3}$/

export class Resolver {
  /** Hops of the own nodes: always these objects, so that a neighbour in the same process is known by identity. */
  readonly pcscf: Hop
  /** In the order of the settings. */
  readonly visited: readonly Hop[]
  readonly icscf: Hop
  readonly scscf: Hop
  private readonly nodes: ReadonlyMap<string, Hop>
  private readonly hosts: ReadonlyMap<string, Endpoint>
  private readonly services: ReadonlyMap<string, Hop>

  constructor(settings: ImsSettings) {
    const { coreTransport } = settings
    const node = ({ listen, tls }: NodeSettings): Hop => hopTo(coreTransport, coreTransport === 'tls' ? (tls ?? listen) : listen)
    this.pcscf = hopTo(coreTransport, settings.pcscf.core)
    this.visited = settings.visited.map(({ core }) => hopTo(coreTransport, core))
    this.icscf = node(settings.icscf)
    this.scscf = node(settings.scscf)
    this.nodes = new Map([
      ...settings.visited.map(({ name }, index) => [name.toLowerCase(), this.visited[index]!] as const),
      [settings.pcscf.name.toLowerCase(), this.pcscf],
      [settings.icscf.name.toLowerCase(), this.icscf],
      [settings.scscf.name.toLowerCase(), this.scscf],
    ])
    this.hosts = new Map(Object.entries(settings.hosts).map(([name, endpoint]) => [name.toLowerCase(), endpoint]))
    this.services = new Map(Object.entries(settings.services).map(([uri, hop]) => [aorOf(parseUri(uri)!), hop]))
  }

  /** Where the application server behind a public service identity is (TS 23.228 section 5.4.12); undefined for any other URI. */
  serviceOf(uri: Uri): Hop | undefined {
    return this.services.size === 0 ? undefined : this.services.get(aorOf(uri))
  }

  /** Undefined for a host nobody knows, and for a tel URI. */
  hopOf(uri: Uri): Hop | undefined {
    const host = uri.host.toLowerCase()
    const node = this.nodes.get(host)
    if (node !== undefined) return node
    const transport = transportOf(uri)
    const known = this.hosts.get(host)
    if (known !== undefined) return hopTo(transport, uri.port === 0 ? known : { address: known.address, port: uri.port })
    const address = host.startsWith('[') ? host.slice(1, -1) : LITERAL.test(host) ? host : undefined
    // RFC 3263 4.2: the default port is 5060, 5061 over TLS.
    return address === undefined ? undefined : hopTo(transport, { address, port: uri.port === 0 ? (transport === 'tls' ? 5061 : 5060) : uri.port })
  }

  /** The hop of a Path vector, which is that of its topmost value. */
  pathVector(path: string): PathVector {
    const value = path === '' ? undefined : parseNameAddr(path)
    const uri = value === undefined ? undefined : parseUri(value.uri)
    return { hop: uri === undefined ? undefined : this.hopOf(uri) }
  }
}

function hopTo(transport: Transport, { address, port }: Endpoint): Hop {
  return { transport, address, port }
}

/** RFC 3263 section 4.1: the URI's own word, TLS for sips, else UDP. */
function transportOf(uri: Uri): Transport {
  if (uri.scheme === 'sips') return 'tls'
  const named = uri.params === '' ? undefined : uriParam(uri, 'transport')?.toLowerCase()
  return named === 'tcp' || named === 'tls' ? named : 'udp'
}
