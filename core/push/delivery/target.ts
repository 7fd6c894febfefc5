/**
 * The forms of a Request-URI a push can have: an address of record, or a GRUU of one device (RFC 5627). Tells which user
 * a target belongs to, so that its registration wakes it. Knows URIs only.
 */
import { aorOf, gruuOf, parseUri } from '../../sip/uri.js'

export interface Target {
  /** The Request-URI as it is sent. */
  readonly uri: string
  /** The canonical address of record; for a temporary GRUU, which does not name its user, the GRUU itself. */
  readonly aor: string
  readonly host: string
  readonly gruu: 'none' | 'public' | 'temporary'
}

const URI_LENGTH_MAX = 1_024

/** Undefined for anything but a SIP URI with a user and without headers: nothing else can be pushed to. */
export function targetOf(text: string): Target | undefined {
  if (text.length > URI_LENGTH_MAX) return undefined
  const uri = parseUri(text)
  if (uri === undefined || uri.scheme === 'tel' || uri.user === '' || uri.headers !== '') return undefined
  const gruu = gruuOf(uri)
  const aor = aorOf(uri)
  // RFC 5627 section 3.2: `gr` with a value is public, without one temporary.
  if (gruu === '') return { uri: text, aor: `${aor};gr`, host: uri.host.toLowerCase(), gruu: 'temporary' }
  return { uri: text, aor, host: uri.host.toLowerCase(), gruu: gruu === undefined ? 'none' : 'public' }
}
