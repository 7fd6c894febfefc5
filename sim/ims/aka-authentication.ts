/**
 * The S-CSCF's and HSS's side of AKA (RFC 3310, TS 33.102 annex C.1): challenges from time-based sequence numbers, the
 * verdict on what comes back, and resynchronisation. A nonce carries its time under a key, so none is stored; kept is
 * only how far a USIM was found ahead. The functions are core/sip/aka.ts.
 */
import type { Crypto } from '../../core/kit/crypto.js'
import type { Entropy } from '../../core/kit/entropy.js'
import type { Now } from '../../core/kit/time.js'
import { INDEXES, SEQ_MAX, akaNonce, readAkaNonce, sqnOfResynchronisation, vectorFor } from '../../core/sip/aka.js'
import { challengeText, checkCredentials, secretHash, type Credentials } from '../../core/sip/digest.js'
import { composed, type HeaderText } from '../../core/sip/header-text.js'
import { responseAndAnonymity, type UsimKeys } from '../../core/sip/milenage.js'
import type { Verdict } from './authentication.js'

const TIME_OCTETS = 6
const MAC_OCTETS = 12

export class AkaAuthenticator {
  /** By private identity: how many milliseconds a USIM's SEQ is ahead of the clock. */
  private readonly ahead = new Map<string, number>()
  private readonly key: Buffer
  private index = 0
  /** Challenges sent, and USIMs that were out of step. */
  readonly counters = { challenges: 0, resynchronisations: 0 }

  constructor(private readonly crypto: Crypto, private readonly entropy: Entropy, private readonly realm: string, private readonly nonceLifeSeconds: number) {
    this.key = entropy.bytes(32)
  }

  /** The WWW-Authenticate for this user; `ik` and `ck` are for the P-CSCF alone (TS 24.229 section 5.4.1.2.1). */
  challenge(now: Now, impi: string, keys: UsimKeys, stale: boolean): HeaderText {
    const rand = this.entropy.bytes(16)
    const { autn, ck, ik } = vectorFor(this.crypto, keys, rand, this.nextNumber(now, impi))
    const time = Buffer.allocUnsafe(TIME_OCTETS)
    time.writeUIntBE(Math.max(0, now.wall), 0, TIME_OCTETS)
    const nonce = akaNonce(rand, autn, Buffer.concat([time, this.mac(rand, autn, time, impi)]))
    this.counters.challenges += 1
    const text = challengeText({ realm: this.realm, nonce, algorithm: 'AKAv1-MD5', qopAuth: true, stale })!
    return composed(`${text}, ik="${ik.toString('hex')}", ck="${ck.toString('hex')}"`)
  }

  /** `absent` also after a resynchronisation: the next challenge will be in step. */
  check(now: Now, credentials: Credentials, method: string, impi: string, keys: UsimKeys): Verdict {
    const nonce = readAkaNonce(credentials.nonce)
    if (nonce === undefined) return 'absent'
    const { rand, autn, serverData } = nonce
    const time = serverData.subarray(0, TIME_OCTETS)
    if (serverData.length !== TIME_OCTETS + MAC_OCTETS || !this.mac(rand, autn, time, impi).equals(serverData.subarray(TIME_OCTETS))) return 'absent'
    // RFC 3310 3.4: with auts the password is empty, since the USIM gave no RES.
    const password = credentials.auts === undefined ? responseAndAnonymity(this.crypto, keys, rand).res : Buffer.alloc(0)
    const secret = secretHash(this.crypto, 'AKAv1-MD5', impi, this.realm, password)
    if (!checkCredentials(this.crypto, credentials, secret, method)) return 'wrong'
    if (credentials.auts !== undefined) return this.resynchronise(now, rand, credentials.auts, impi, keys)
    return now.wall - time.readUIntBE(0, TIME_OCTETS) > this.nonceLifeSeconds * 1_000 ? 'stale' : 'valid'
  }

  private resynchronise(now: Now, rand: Buffer, auts: string, impi: string, keys: UsimKeys): Verdict {
    const number = sqnOfResynchronisation(this.crypto, keys, rand, Buffer.from(auts, 'base64'))
    if (number === undefined) return 'wrong'
    this.counters.resynchronisations += 1
    this.ahead.set(impi, Math.floor(number / INDEXES) + 1 - clock(now))
    return 'absent'
  }

  /** TS 33.102 annex C.1.1.3: time-based, so that nothing is stored for users in step; the index goes round. */
  private nextNumber(now: Now, impi: string): number {
    const seq = Math.min(SEQ_MAX, clock(now) + Math.max(0, this.ahead.get(impi) ?? 0))
    this.index = (this.index + 1) % INDEXES
    return seq * INDEXES + this.index
  }

  private mac(rand: Buffer, autn: Buffer, time: Buffer, impi: string): Buffer {
    return this.crypto.hmac('sha-256', this.key, Buffer.concat([rand, autn, time, Buffer.from(impi)])).subarray(0, MAC_OCTETS)
  }
}

/** SEQ of the clock: milliseconds since 1970 fit into its 43 bits until 2248. */
function clock(now: Now): number {
  return Math.max(0, now.wall)
}
