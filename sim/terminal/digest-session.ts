/**
 * A terminal's side of digest authentication at registration (RFC 3261 section 22.2, RFC 8760): which challenge it
 * answers, and the credentials it sends, the first ones included that name the user before any challenge
 * (TS 24.229 section 5.1.1.2.2). The digest itself is core/sip/digest.ts.
 */
import { bug } from '../../core/kit/assert.js'
import type { Crypto } from '../../core/kit/crypto.js'
import type { Entropy } from '../../core/kit/entropy.js'
import { type Challenge, answerChallenge, credentialsText, parseChallenge } from '../../core/sip/digest.js'
import { Header } from '../../core/sip/header-names.js'
import type { HeaderText } from '../../core/sip/header-text.js'
import type { SipMessage } from '../../core/sip/message.js'
import { flattened, sharedText } from './texts.js'
import type { Terminal } from './terminal.js'

/** How often in a row a registrar may call a nonce stale before the terminal takes it for a refusal. */
const STALE_MAX = 3

/** A challenge a terminal keeps, since its nonce serves for further requests (RFC 7616 section 3.4.5). */
export interface DigestSession {
  readonly challenge: Challenge
  /** True when it is answered by Proxy-Authorization. */
  readonly isProxys: boolean
  /** How often the nonce has been used. */
  uses: number
}

export interface User {
  readonly impi: string
  readonly password: string
}

/**
 * Keeps the challenge of this 401 or 407 for the next request. False when it cannot be met: none of its challenges is of a
 * kind known here, or it refuses the credentials just sent (not stale, after a challenge was answered).
 */
export function noteChallenge(terminal: Terminal, response: SipMessage): boolean {
  const isProxys = response.status === 407
  for (const line of response.getAll(isProxys ? Header.ProxyAuthenticate : Header.WwwAuthenticate)) {
    const challenge = parseChallenge(line)
    if (challenge === undefined || challenge.algorithm === 'AKAv1-MD5') continue
    if (terminal.challenges > 0 && !(challenge.stale && terminal.challenges < STALE_MAX)) return false
    terminal.digest = { challenge: ownCopy(challenge), isProxys, uses: 0 }
    return true
  }
  return false
}

/** Parts of the response's text would keep all of it in memory. */
function ownCopy({ realm, nonce, algorithm, qopAuth, opaque, stale }: Challenge): Challenge {
  return { realm: sharedText(realm), nonce: flattened(nonce), algorithm, qopAuth, stale, ...(opaque === undefined ? {} : { opaque: flattened(opaque) }) }
}

/** The credentials for a REGISTER to this domain; each call uses the nonce once more. */
export function credentials(session: DigestSession | undefined, { impi, password }: User, domain: string, crypto: Crypto, entropy: Entropy): HeaderText {
  const uri = `sip:${domain}`
  const written = session === undefined
    ? credentialsText({ username: impi, realm: domain, nonce: '', uri, response: '', algorithm: 'MD5' })
    : credentialsText(answerChallenge(crypto, session.challenge, { username: impi, password, method: 'REGISTER', uri, cnonce: entropy.token(60), nc: ++session.uses }))
  return written ?? bug(`credentials with a line break for ${impi}`)
}
