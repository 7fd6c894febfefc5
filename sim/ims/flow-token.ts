/**
 * The flow token of an edge proxy (RFC 5626 section 5.2): base64 of HMAC-SHA1-80(K, S) || S, where S names both
 * ends of the flow. Whoever returns the token unchanged names the flow; nobody can name one without the key.
 * Knows octets only, not which flows are alive.
 */
import { addressOctets, addressText } from '../../core/kit/address.js'
import type { Crypto } from '../../core/kit/crypto.js'
import type { Endpoint, Transport } from '../../core/kit/network.js'

const HMAC_OCTETS = 10
const PROTOCOLS: readonly Transport[] = ['udp', 'tcp', 'tls']

export interface FlowName {
  readonly transport: Transport
  readonly local: Endpoint
  readonly remote: Endpoint
}

/** The token of a flow under the 20 random octets of `key`; 32 characters for IPv4. */
export function flowToken(crypto: Crypto, key: Uint8Array, flow: FlowName): string {
  const local = addressOctets(flow.local.address)
  const remote = addressOctets(flow.remote.address)
  const octets = Buffer.allocUnsafe(HMAC_OCTETS + 5 + local.length + remote.length)
  let at = HMAC_OCTETS
  octets[at++] = PROTOCOLS.indexOf(flow.transport)
  at += local.copy(octets, at)
  at = octets.writeUInt16BE(flow.local.port, at)
  at += remote.copy(octets, at)
  octets.writeUInt16BE(flow.remote.port, at)
  crypto.hmac('sha-1', key, octets.subarray(HMAC_OCTETS)).copy(octets, 0, 0, HMAC_OCTETS)
  return octets.toString('base64')
}

/** The flow a token names; undefined when it was not made under `key` (answered 403, RFC 5626 section 5.3). */
export function openFlowToken(crypto: Crypto, key: Uint8Array, token: string): FlowName | undefined {
  const octets = Buffer.from(token, 'base64')
  const addressLength = (octets.length - HMAC_OCTETS - 5) / 2
  if (addressLength !== 4 && addressLength !== 16) return undefined
  const expected = crypto.hmac('sha-1', key, octets.subarray(HMAC_OCTETS))
  if (octets.compare(expected, 0, HMAC_OCTETS, 0, HMAC_OCTETS) !== 0) return undefined
  const transport = PROTOCOLS[octets[HMAC_OCTETS]!]
  if (transport === undefined) return undefined
  const localAt = HMAC_OCTETS + 1
  const remoteAt = localAt + addressLength + 2
  return { transport, local: endpointAt(octets, localAt, addressLength), remote: endpointAt(octets, remoteAt, addressLength) }
}

function endpointAt(octets: Buffer, at: number, addressLength: number): Endpoint {
  return { address: addressText(octets.subarray(at, at + addressLength)), port: octets.readUInt16BE(at + addressLength) }
}
