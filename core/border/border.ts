/**
 * Who submits, and whether he may do it now: the decision at the door, before a document is read. Told the time, the request's
 * credentials and what its connection proved. Knows no sockets and no PAP; what an initiator may say in a document is admission's.
 */
import { isSameSecret, type Crypto } from '../kit/crypto.js'
import type { Entropy } from '../kit/entropy.js'
import { MICROS_PER_SECOND, type Micros } from '../kit/time.js'
import { challengeText, checkCredentials, parseCredentials, secretHash } from '../sip/digest.js'
import { Nonces, noneUsed } from './nonces.js'
import type { PasswordHash } from './password-hash.js'
import { TokenBucket } from './token-bucket.js'

/** The protection space of every credential (RFC 9110 section 11.5); it is part of what a digest is made of. */
export const REALM = 'pushbench'

export type Credential =
  | { readonly type: 'basic'; readonly password: PasswordHash }
  /** SHA-256 of `name:realm:password`, lower-case hexadecimal (RFC 7616 section 3.4.2). */
  | { readonly type: 'digest'; readonly secret: string }
  /** SHA-256 of the certificate, upper-case hexadecimal with colons; or the subject of one that an authority signed. */
  | { readonly type: 'certificate'; readonly fingerprint: string }
  | { readonly type: 'certificate'; readonly subject: string }

export interface InitiatorSettings {
  readonly name: string
  readonly credential: Credential
  /** Octets of a whole submission, its content included. */
  readonly bodyOctetsMax: number
  /** Submissions: on average, and at once after a rest. */
  readonly perSecond: number
  readonly burst: number
  /** Submissions that came in and are not answered yet. */
  readonly inFlightMax: number
}

/** A request as far as it tells who sends it. */
export interface Visitor {
  readonly authorization: string | undefined
  readonly method: string
  /** The request target as it was written. */
  readonly target: string
  /** Nobody can listen: over TLS, or within this host. */
  readonly isPrivate: boolean
  /** Undefined where none was shown, or one that is not valid now. `isTrusted`: an authority of the configuration signed it. */
  readonly certificate: { readonly sha256: string; readonly subject: string; readonly isTrusted: boolean } | undefined
}

export interface TurnedAway {
  readonly type: 'turned-away'
  readonly status: 401 | 403 | 413 | 429 | 503
  /** For people. */
  readonly why: string
  /** Values of WWW-Authenticate, one each. */
  readonly challenges: readonly string[]
  /** Of Retry-After; 0 for none. */
  readonly retryAfterSeconds: number
}

export type Verdict =
  | { readonly type: 'known'; readonly initiator: Initiator }
  /** To be computed by who can take the time: `initiator` is known if the hash of `password` is that of `wanted`; undefined where he cannot be, whatever it is. */
  | { readonly type: 'password'; readonly initiator: Initiator | undefined; readonly password: string; readonly wanted: PasswordHash; readonly proof: Buffer }
  | TurnedAway

/** One initiator at the door. */
export class Initiator {
  readonly name: string
  inFlight = 0
  readonly bucket: TokenBucket
  readonly used = noneUsed()
  /** A keyed hash of the Basic credentials that were found right last. */
  proof: Buffer | undefined = undefined

  constructor(readonly settings: InitiatorSettings) {
    this.name = settings.name
    this.bucket = new TokenBucket(settings.perSecond, settings.burst)
  }
}

const BASIC = /^basic +([A-Za-z0-9+/]{1,1024}={0,2})$/i
const BUSY_RETRY_SECONDS = 1
const KEY_OCTETS = 32
const DECOY_OCTETS = 16

export class Border {
  private readonly byName = new Map<string, Initiator>()
  private readonly byFingerprint = new Map<string, Initiator>()
  private readonly bySubject = new Map<string, Initiator>()
  private readonly nonces: Nonces
  private readonly proofKey: Buffer
  /** What is computed for a name that nobody has, so that names cannot be told by the time it takes. */
  private readonly decoyHash: PasswordHash | undefined
  private readonly decoySecret: string
  private readonly asksDigest: boolean

  constructor(settings: readonly InitiatorSettings[], private readonly crypto: Crypto, entropy: Entropy) {
    this.nonces = new Nonces(crypto, entropy)
    this.proofKey = entropy.bytes(KEY_OCTETS)
    const hashes: PasswordHash[] = []
    let asksDigest = false
    for (const each of settings) {
      const initiator = new Initiator(each)
      const { credential } = each
      this.byName.set(each.name, initiator)
      if (credential.type === 'basic') hashes.push(credential.password)
      else if (credential.type === 'digest') asksDigest = true
      else if ('fingerprint' in credential) this.byFingerprint.set(credential.fingerprint, initiator)
      else this.bySubject.set(credential.subject, initiator)
    }
    const costliest = hashes.sort((a, b) => b.cost * b.blockSize * b.parallelization - a.cost * a.blockSize * a.parallelization)[0]
    this.decoyHash = costliest === undefined ? undefined : { ...costliest, salt: entropy.bytes(DECOY_OCTETS), hash: entropy.bytes(costliest.hash.length) }
    this.decoySecret = entropy.bytes(KEY_OCTETS).toString('hex')
    this.asksDigest = asksDigest
  }

  /** Whether connections over TLS are to be asked for a certificate. */
  get asksCertificates(): boolean {
    return this.byFingerprint.size + this.bySubject.size > 0
  }

  judge(now: Micros, visitor: Visitor): Verdict {
    const { authorization } = visitor
    if (authorization === undefined) return this.byCertificate(now, visitor)
    const basic = BASIC.exec(authorization)
    if (basic !== null && this.decoyHash !== undefined) return this.byPassword(now, visitor, authorization, Buffer.from(basic[1]!, 'base64').toString('utf8'), this.decoyHash)
    if (/^digest /i.test(authorization) && this.asksDigest) return this.byDigest(now, visitor, authorization)
    return this.unauthorized(now, visitor, 'these credentials are of a kind that is not taken here')
  }

  /** The password of a verdict was right. The same credentials are known at once from now on. */
  proved(initiator: Initiator, proof: Buffer): void {
    initiator.proof = proof
  }

  wrongPassword(now: Micros, visitor: Visitor): TurnedAway {
    return this.unauthorized(now, visitor, WRONG)
  }

  /** May he submit now? Undefined: he may, and it counts until `end`. */
  begin(now: Micros, initiator: Initiator, octetsDeclared: number): TurnedAway | undefined {
    const { bodyOctetsMax, inFlightMax } = initiator.settings
    if (octetsDeclared > bodyOctetsMax) return turnedAway(413, tooLarge(initiator))
    if (initiator.inFlight >= inFlightMax) return turnedAway(429, `${inFlightMax} submissions of ${initiator.name} wait for their answers, which is the most he may have`, [], BUSY_RETRY_SECONDS)
    const wait = initiator.bucket.take(now)
    if (wait > 0) return turnedAway(429, `${initiator.name} may submit ${initiator.settings.perSecond} times a second`, [], Math.ceil(wait / MICROS_PER_SECOND))
    initiator.inFlight++
    return undefined
  }

  /** It was answered, or will not be. */
  end(initiator: Initiator): void {
    initiator.inFlight--
  }

  private byCertificate(now: Micros, visitor: Visitor): Verdict {
    const { certificate } = visitor
    if (certificate === undefined) return this.unauthorized(now, visitor, 'who submits here says who he is')
    const initiator = this.byFingerprint.get(certificate.sha256) ?? (certificate.isTrusted ? this.bySubject.get(certificate.subject) : undefined)
    return initiator === undefined ? this.unauthorized(now, visitor, 'nobody who may submit here has this certificate') : { type: 'known', initiator }
  }

  /** RFC 7617. */
  private byPassword(now: Micros, visitor: Visitor, authorization: string, text: string, decoy: PasswordHash): Verdict {
    if (!visitor.isPrivate) return turnedAway(403, 'a password is sent over TLS only: this one should be changed')
    const colon = text.indexOf(':')
    if (colon === -1) return this.unauthorized(now, visitor, WRONG)
    const initiator = this.byName.get(text.slice(0, colon))
    const proof = this.crypto.hmac('sha-256', this.proofKey, Buffer.from(authorization, 'latin1'))
    if (initiator?.settings.credential.type !== 'basic') return { type: 'password', initiator: undefined, password: text.slice(colon + 1), wanted: decoy, proof }
    if (initiator.proof !== undefined && isSameSecret(initiator.proof, proof)) return { type: 'known', initiator }
    return { type: 'password', initiator, password: text.slice(colon + 1), wanted: initiator.settings.credential.password, proof }
  }

  /** RFC 7616 with SHA-256 and qop=auth, which is all that is offered. */
  private byDigest(now: Micros, visitor: Visitor, authorization: string): Verdict {
    const credentials = parseCredentials(authorization)
    if (credentials === undefined || credentials.algorithm !== 'SHA-256' || credentials.qop === undefined || credentials.realm !== REALM) {
      return this.unauthorized(now, visitor, 'these credentials answer no challenge of this gateway')
    }
    // Section 3.4.6: credentials for another resource are no credentials for this one.
    if (credentials.uri !== visitor.target) return this.unauthorized(now, visitor, 'these credentials are for another resource')
    const initiator = this.byName.get(credentials.username)
    const credential = initiator?.settings.credential
    const isRight = checkCredentials(this.crypto, credentials, credential?.type === 'digest' ? credential.secret : this.decoySecret, visitor.method)
    if (initiator === undefined || credential?.type !== 'digest' || !isRight) return this.unauthorized(now, visitor, WRONG)
    // Section 3.4.5: a count that was used is a request that was heard before.
    if (!this.nonces.use(now, credentials.nonce, credentials.qop.nc, initiator.used)) return this.unauthorized(now, visitor, 'this nonce was used up; here is another one', true)
    return { type: 'known', initiator }
  }

  /** RFC 9110 section 11.6.1; Digest first, which the stronger of those a client knows is to be taken from (RFC 7616 section 3.7). */
  private unauthorized(now: Micros, { isPrivate }: Visitor, why: string, stale = false): TurnedAway {
    const challenges: string[] = []
    if (this.asksDigest) challenges.push(challengeText({ realm: REALM, nonce: this.nonces.next(now), algorithm: 'SHA-256', qopAuth: true, stale })!)
    if (this.decoyHash !== undefined && isPrivate) challenges.push(`Basic realm="${REALM}", charset="UTF-8"`)
    if (challenges.length > 0) return turnedAway(401, why, challenges)
    return turnedAway(403, this.decoyHash === undefined ? 'submissions come over TLS, with the certificate of an initiator' : 'submissions with a password come over TLS')
  }
}

const WRONG = 'the name or the password is wrong'

/** What the configuration keeps in place of the password of Digest. */
export function digestSecret(crypto: Crypto, name: string, password: string): string {
  return secretHash(crypto, 'SHA-256', name, REALM, password)
}

export function tooLarge({ name, settings }: Initiator): string {
  return `a submission of ${name} has at most ${settings.bodyOctetsMax} octets`
}

export function turnedAway(status: TurnedAway['status'], why: string, challenges: readonly string[] = [], retryAfterSeconds = 0): TurnedAway {
  return { type: 'turned-away', status, why, challenges, retryAfterSeconds }
}
