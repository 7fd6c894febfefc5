/**
 * What nodes on the way read from and write into an Authorization header without judging it: the private identity, and
 * the P-CSCF's word whether the flow is known (TS 24.229 section 5.2.2.4, digest without TLS). The digest itself is
 * core/sip/digest.ts.
 */
import { Header } from '../../core/sip/header-names.js'
import { composed, type HeaderText } from '../../core/sip/header-text.js'
import type { SipMessage } from '../../core/sip/message.js'
import { unquote } from '../../core/sip/params.js'

const USERNAME = /[\s,]username\s*=\s*("(?:[^"\\]|\\.)*")/i
const INTEGRITY = /\s*,?\s*integrity-protected\s*=\s*(?:"([^"]*)"|[^\s,]*)/gi
const VOUCHED = ',integrity-protected="ip-assoc-yes"'
const PENDING = ',integrity-protected="ip-assoc-pending"'

/** The private identity a REGISTER names, undefined when it has no credentials. */
export function usernameOf(request: SipMessage): string | undefined {
  const authorization = request.get(Header.Authorization)
  const quoted = authorization === undefined ? undefined : USERNAME.exec(authorization)?.[1]
  return quoted === undefined ? undefined : unquote(quoted)
}

/** The header as the P-CSCF passes it on: a terminal's own claim is taken out, the P-CSCF's finding put in. */
export function withIntegrity(authorization: HeaderText, vouched: boolean): HeaderText {
  const plain = authorization.includes('ntegrity') ? authorization.replace(INTEGRITY, '') : authorization
  return composed(plain + (vouched ? VOUCHED : PENDING))
}

/** Whether a P-CSCF vouches that this REGISTER came over a flow on which the user was authenticated before. */
export function isVouched(request: SipMessage): boolean {
  return request.get(Header.Authorization)?.endsWith(VOUCHED) ?? false
}
