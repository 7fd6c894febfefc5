/**
 * Digest authentication of registrations (RFC 3261 section 22, RFC 8760, TS 24.229 section 5.4.1.2): challenges, and
 * the verdict on credentials. Nonces carry their time under a key, so none is stored; a replay is stopped by the
 * registrar, which takes no CSeq twice. The arithmetic is core/sip/digest.ts; users with a USIM are aka-authentication.ts's.
 */
import type { Crypto } from '../../core/kit/crypto.js'
import type { Entropy } from '../../core/kit/entropy.js'
import type { Now } from '../../core/kit/time.js'
import { challengeText, checkCredentials, parseCredentials, secretHash } from '../../core/sip/digest.js'
import { Header } from '../../core/sip/header-names.js'
import type { HeaderText } from '../../core/sip/header-text.js'
import type { SipMessage } from '../../core/sip/message.js'
import { AkaAuthenticator } from './aka-authentication.js'
import type { DigestSettings } from './settings.js'
import type { Subscriber } from './subscribers.js'

/** `absent`: no usable credentials, so a challenge. `stale`: right, on a nonce too old. `wrong`: refused. */
export type Verdict = 'valid' | 'absent' | 'stale' | 'wrong'

const NONCE = /^([0-9a-z]{1,11})-([0-9a-z]{1,32})-([0-9a-f]{24})$/
const MAC_CHARACTERS = 24

export class Authenticator {
  readonly aka: AkaAuthenticator
  private readonly key: Buffer

  constructor(private readonly crypto: Crypto, private readonly entropy: Entropy, private readonly realm: string, private readonly settings: DigestSettings) {
    this.key = entropy.bytes(32)
    this.aka = new AkaAuthenticator(crypto, entropy, realm, settings.nonceLifeSeconds)
  }

  /** One WWW-Authenticate for each algorithm, in order of preference (RFC 8760 section 2.3); of AKA alone for who has a USIM. */
  challenges(now: Now, subscriber: Subscriber, stale: boolean): HeaderText[] {
    if (subscriber.usim !== undefined) return [this.aka.challenge(now, subscriber.impi, subscriber.usim, stale)]
    const time = Math.floor(now.wall / 1000).toString(36)
    const salt = this.entropy.token(60)
    const nonce = `${time}-${salt}-${this.mac(time, salt, subscriber.impi)}`
    const texts: HeaderText[] = []
    for (const algorithm of this.settings.algorithms) {
      const text = challengeText({ realm: this.realm, nonce, algorithm, qopAuth: true, stale })
      if (text !== undefined) texts.push(text)
    }
    return texts
  }

  check(now: Now, request: SipMessage, subscriber: Subscriber): Verdict {
    for (const line of request.getAll(Header.Authorization)) {
      const credentials = parseCredentials(line)
      // Credentials for another realm, or of a kind never asked for, are as none.
      if (credentials === undefined || credentials.realm !== this.realm || credentials.response === '') continue
      if (subscriber.usim !== undefined) {
        // A password is no substitute for the USIM.
        if (credentials.algorithm !== 'AKAv1-MD5') continue
        return credentials.username === subscriber.impi ? this.aka.check(now, credentials, request.method, subscriber.impi, subscriber.usim) : 'wrong'
      }
      const algorithm = this.settings.algorithms.find((each) => each === credentials.algorithm)
      if (algorithm === undefined) continue
      if (credentials.username !== subscriber.impi) return 'wrong'
      const seconds = this.timeOf(credentials.nonce, subscriber.impi)
      if (seconds === undefined) continue
      const secret = secretHash(this.crypto, algorithm, subscriber.impi, this.realm, subscriber.password)
      if (!checkCredentials(this.crypto, credentials, secret, request.method)) return 'wrong'
      // RFC 7616 3.3: right, but on a nonce too old, so a fresh one and no question to the user.
      return now.wall / 1000 - seconds > this.settings.nonceLifeSeconds ? 'stale' : 'valid'
    }
    return 'absent'
  }

  /** When a nonce was given out, seconds since 1970; undefined for one that is not ours or was another user's. */
  private timeOf(nonce: string, impi: string): number | undefined {
    const parts = NONCE.exec(nonce)
    if (parts === null || parts[3] !== this.mac(parts[1]!, parts[2]!, impi)) return undefined
    return parseInt(parts[1]!, 36)
  }

  private mac(time: string, salt: string, impi: string): string {
    return this.crypto.hmac('sha-256', this.key, Buffer.from(`${time}-${salt}-${impi}`)).toString('hex').slice(0, MAC_CHARACTERS)
  }
}
