/**
 * A terminal's side of digest authentication at registration (RFC 3261 section 22.2, RFC 8760): which challenge it
 * answers, and the credentials it sends, the first ones included that name the user before any challenge
 * (TS 24.229 section 5.1.1.2.2). The digest itself is core/sip/digest.ts.
 */
import { bug } from '../../core/kit/assert.js'
import type { Crypto } from '../../core/kit/crypto.js'
import type { Entropy } from '../../core/kit/entropy.js'
import { owned } from '../../core/kit/own-text.js'
import { type Usim, readAkaNonce } from '../../core/sip/aka.js'
import { type Challenge, answerChallenge, credentialsText, parseChallenge } from '../../core/sip/digest.js'
import { Header } from '../../core/sip/header-names.js'
import type { HeaderText } from '../../core/sip/header-text.js'
import type { SipMessage } from '../../core/sip/message.js'
import { sharedText } from './texts.js'
import type { FlowRegistration } from './flow-registration.js'

/** How often in a row a registrar may call a nonce stale before the terminal takes it for a refusal. */
const STALE_MAX = 3

/** A challenge a terminal keeps, since its nonce serves for further requests (RFC 7616 section 3.4.5). */
export interface DigestSession {
  readonly challenge: Challenge
  /** True when it is answered by Proxy-Authorization. */
  readonly isProxys: boolean
  /** How often the nonce has been used. */
  uses: number
  /** AKA: what the USIM made of the challenge, RES in place of the password, or AUTS and no password at all. */
  readonly aka: { readonly password: Uint8Array; readonly auts: string | undefined } | undefined
}

export interface User {
  readonly impi: string
  readonly password: string
}

/**
 * Keeps the challenge of this 401 or 407 for the next request. False when it cannot be met: none of its challenges is of a
 * kind known here, or it refuses the credentials just sent (not stale, after a challenge was answered).
 */
export function noteChallenge(registration: FlowRegistration, response: SipMessage, crypto: Crypto): boolean {
  const { usim } = registration.terminal
  const isProxys = response.status === 407
  for (const line of response.getAll(isProxys ? Header.ProxyAuthenticate : Header.WwwAuthenticate)) {
    const challenge = parseChallenge(line)
    // Who has a USIM answers nothing less, and who has none cannot answer AKA.
    if (challenge === undefined || (challenge.algorithm === 'AKAv1-MD5') !== (usim !== undefined)) continue
    const isExpected = registration.challenges === 0 || challenge.stale || registration.digest?.aka?.auts !== undefined
    if (!isExpected || registration.challenges >= STALE_MAX) return false
    const aka = usim === undefined ? undefined : judged(usim, challenge, crypto)
    if (aka === 'not answered') return false
    registration.digest = { challenge: ownCopy(challenge), isProxys, uses: 0, aka }
    return true
  }
  return false
}

/** TS 33.203 section 6.1: a challenge the USIM does not know its network in is not answered. */
function judged(usim: Usim, challenge: Challenge, crypto: Crypto): DigestSession['aka'] | 'not answered' {
  const nonce = readAkaNonce(challenge.nonce)
  if (nonce === undefined) return 'not answered'
  const verdict = usim.judge(crypto, nonce.rand, nonce.autn)
  switch (verdict.type) {
    case 'accepted': return { password: verdict.res, auts: undefined }
    case 'out-of-step': return { password: NO_PASSWORD, auts: verdict.auts.toString('base64') }
    case 'wrong-network': return 'not answered'
  }
}

const NO_PASSWORD = Buffer.alloc(0)

/** Parts of the response's text would keep all of it in memory. */
function ownCopy({ realm, nonce, algorithm, qopAuth, opaque, stale }: Challenge): Challenge {
  return { realm: sharedText(realm), nonce: owned(nonce), algorithm, qopAuth, stale, ...(opaque === undefined ? {} : { opaque: owned(opaque) }) }
}

/** The credentials for a REGISTER to this domain; each call uses the nonce once more. */
export function credentials({ digest: session, terminal: { usim } }: FlowRegistration, user: User, domain: string, crypto: Crypto, entropy: Entropy): HeaderText {
  const { impi } = user
  const uri = `sip:${domain}`
  if (session === undefined) {
    const algorithm = usim === undefined ? 'MD5' : 'AKAv1-MD5'
    return credentialsText({ username: impi, realm: domain, nonce: '', uri, response: '', algorithm }) ?? bug(`credentials with a line break for ${impi}`)
  }
  const { challenge, aka } = session
  const answer = answerChallenge(crypto, challenge, {
    username: impi, password: aka?.password ?? user.password, method: 'REGISTER', uri, cnonce: entropy.token(60), nc: ++session.uses,
  })
  return credentialsText(aka?.auts === undefined ? answer : { ...answer, auts: aka.auts }) ?? bug(`credentials with a line break for ${impi}`)
}
