/** Who judges the peer of a TLS flow, and what there is to judge it by. Types only: drivers fill them in, machines read them. */
import type { WallMillis } from './time.js'

/**
 * `authority`, meant where nothing is said: the driver judges, by the authorities it is configured with. `fingerprint`: the machine does, by
 * what it was told elsewhere of the peer's certificate; the driver takes any certificate, and none.
 */
export type TlsTrust = 'authority' | 'fingerprint'

/** What the peer showed of itself. */
export interface PeerCertificate {
  /** SHA-256 of its DER octets as a session description writes it (RFC 8122 section 5): upper-case hex, colons between the octets. */
  readonly sha256: string
  readonly validFrom: WallMillis
  readonly validTo: WallMillis
}
