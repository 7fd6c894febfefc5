/**
 * Which addresses result notifications may be sent to: an initiator names the URL, and must not reach by it what only this host
 * or its network can reach. Names are resolved once, every answer is judged, and the connection goes to what was judged.
 */
import { lookup as resolve, type LookupAddress, type LookupOptions } from 'node:dns'
import { BlockList, isIP, type LookupFunction } from 'node:net'

/** IANA's special-purpose registries (RFC 6890), multicast, and the forms in which IPv6 carries an IPv4 address to somebody else who unpacks it. */
const SPECIAL = [
  '0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12', '192.0.0.0/24', '192.0.2.0/24', '192.88.99.0/24', '192.168.0.0/16',
  '198.18.0.0/15', '198.51.100.0/24', '203.0.113.0/24', '224.0.0.0/4', '240.0.0.0/4',
  '::/96', '64:ff9b::/96', '64:ff9b:1::/48', '100::/64', '2001::/23', '2001:db8::/32', '2002::/16', 'fc00::/7', 'fe80::/10', 'fec0::/10', 'ff00::/8',
]

interface Network {
  readonly address: string
  readonly bits: number
  readonly family: 'ipv4' | 'ipv6'
}

/** Of `10.1.0.0/16` or `fd00::/8`; undefined for anything else. */
export function networkOf(text: string): Network | undefined {
  const match = /^([0-9A-Fa-f:.]+)\/(\d{1,3})$/.exec(text)
  const version = isIP(match?.[1] ?? '')
  const bits = Number(match?.[2])
  return version === 0 || bits > (version === 4 ? 32 : 128) ? undefined : { address: match![1]!, bits, family: version === 4 ? 'ipv4' : 'ipv6' }
}

export class NotifyGuard {
  private readonly special = listOf(SPECIAL)
  private readonly inside: BlockList

  /** @param inside networks that may be reached although they are special, as `networkOf` reads them */
  constructor(inside: readonly string[]) {
    this.inside = listOf(inside)
  }

  /** @param address a literal one */
  mayReach(address: string): boolean {
    const family = isIP(address) === 4 ? 'ipv4' : 'ipv6'
    return !this.special.check(address, family) || this.inside.check(address, family)
  }

  /** Why nothing is sent to this host of a URL; undefined for a name, which is judged by what it resolves to. */
  literalProblem(hostname: string): string | undefined {
    const address = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname
    return isIP(address) === 0 || this.mayReach(address) ? undefined : refusal(hostname, address)
  }

  /** In place of the system's, for whoever connects: an error where any answer leads inside. */
  readonly lookup: LookupFunction = (hostname, options, callback) => {
    resolve(hostname, { ...(options as LookupOptions), all: true }, (error, found) => {
      if (error !== null) return callback(error, '', 0)
      const addresses: LookupAddress[] = found
      const barred = addresses.find(({ address }) => !this.mayReach(address))
      if (barred !== undefined) return callback(new Error(refusal(hostname, barred.address)), '', 0)
      if (options.all === true) return callback(null, addresses)
      const [first] = addresses
      if (first === undefined) return callback(new Error(`${hostname} has no address`), '', 0)
      callback(null, first.address, first.family)
    })
  }
}

function refusal(host: string, address: string): string {
  return `notifications are not sent to ${host}: ${address} is no public address, and in no network of notifications.inside`
}

function listOf(networks: readonly string[]): BlockList {
  const list = new BlockList()
  for (const text of networks) {
    const network = networkOf(text)
    if (network !== undefined) list.addSubnet(network.address, network.bits, network.family)
  }
  return list
}
