/**
 * Whether the peer of a connection over TLS is the one its session description speaks of (RFC 4975 section 14.4, RFC 8122 section 6.2).
 * Decides by what the driver saw of its certificate; knows no session.
 */
import { rfc1123Text } from '../kit/calendar.js'
import type { PeerCertificate } from '../kit/peer-certificate.js'
import type { WallMillis } from '../kit/time.js'
import type { PeerFault } from './contract.js'

export interface Distrust {
  readonly cause: PeerFault
  readonly reason: string
}

/** Undefined for the peer that was described. @param fingerprints of the description: SHA-256, upper-case hex with colons */
export function distrustOf(shown: PeerCertificate | undefined, fingerprints: readonly string[], wall: WallMillis): Distrust | undefined {
  if (shown === undefined) return { cause: 'uncertified', reason: 'the peer showed no certificate' }
  if (!fingerprints.includes(shown.sha256)) return { cause: 'fingerprint', reason: `the peer showed a certificate with the SHA-256 ${shown.sha256}; its description names ${fingerprints.join(' or ')}` }
  if (wall >= shown.validFrom && wall <= shown.validTo) return undefined
  const validity = [shown.validFrom, shown.validTo].map((at) => (Number.isFinite(at) ? rfc1123Text(at) : 'a time that cannot be read'))
  return { cause: 'expired', reason: `the certificate of the peer is valid from ${validity.join(' to ')} only` }
}
