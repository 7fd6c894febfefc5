/**
 * Nonces of HTTP Digest (RFC 7616 section 3.3): each bears its time and a MAC of ours, so that giving one out keeps nothing; what is
 * kept is which of their counts were used, by whoever proved to know a password, a few nonces for each. Knows no users.
 */
import { isSameSecret, type Crypto } from '../kit/crypto.js'
import type { Entropy } from '../kit/entropy.js'
import { MICROS_PER_SECOND, type Micros } from '../kit/time.js'

/** How long after it was given out a nonce is taken. */
export const NONCE_LIFE_MICROS: Micros = 300 * MICROS_PER_SECOND
/** Nonces in use at a time by one user; the oldest makes room, and with it all that are older and were not used yet. */
export const NONCES_PER_USER_MAX = 64
/** How far behind the highest count of a nonce one may come that was overtaken on another connection. */
const WINDOW = 32
const COUNT_MAX = 0xffffffff
const KEY_OCTETS = 32
const TOKEN_BITS = 80
const MAC_OCTETS = 16
const FORM = /^([0-9a-f]{1,13})\.([0-9a-v]{16})\.([0-9a-f]{32})$/

/** What one user has used. */
export interface UsedNonces {
  readonly nonces: Map<string, { readonly givenAt: Micros; highest: number; /** Bit n: `highest` - n was used. */ seen: number }>
  /** Nonces given out at this instant or before are taken only where they stand in `nonces`. */
  forgottenUntil: Micros
}

export function noneUsed(): UsedNonces {
  return { nonces: new Map(), forgottenUntil: -1 }
}

export class Nonces {
  private readonly key: Buffer

  constructor(private readonly crypto: Crypto, private readonly entropy: Entropy) {
    this.key = entropy.bytes(KEY_OCTETS)
  }

  next(now: Micros): string {
    const text = `${now.toString(16)}.${this.entropy.token(TOKEN_BITS)}`
    return `${text}.${this.macOf(text).toString('hex')}`
  }

  /** Marks this count of this nonce as used; false when it was used before, is too old, or was never given out here. */
  use(now: Micros, nonce: string, count: number, used: UsedNonces): boolean {
    const match = FORM.exec(nonce)
    if (match === null || !isSameSecret(this.macOf(nonce.slice(0, nonce.lastIndexOf('.'))), Buffer.from(match[3]!, 'hex'))) return false
    const givenAt = parseInt(match[1]!, 16)
    if (now - givenAt > NONCE_LIFE_MICROS || count < 1 || count > COUNT_MAX) return false
    const known = used.nonces.get(nonce)
    if (known !== undefined) return useCount(known, count)
    if (givenAt <= used.forgottenUntil) return false
    if (used.nonces.size >= NONCES_PER_USER_MAX) forgetOldest(used)
    // It may itself be older than the one that was just forgotten.
    if (givenAt <= used.forgottenUntil) return false
    used.nonces.set(nonce, { givenAt, highest: count, seen: 1 })
    return true
  }

  private macOf(text: string): Buffer {
    return this.crypto.hmac('sha-256', this.key, Buffer.from(text, 'latin1')).subarray(0, MAC_OCTETS)
  }
}

function useCount(known: { highest: number; seen: number }, count: number): boolean {
  const ahead = count - known.highest
  if (ahead > 0) {
    known.seen = ahead >= WINDOW ? 1 : ((known.seen << ahead) | 1)
    known.highest = count
    return true
  }
  if (-ahead >= WINDOW || (known.seen & (1 << -ahead)) !== 0) return false
  known.seen |= 1 << -ahead
  return true
}

function forgetOldest(used: UsedNonces): void {
  let oldest: string | undefined
  let givenAt = Infinity
  for (const [nonce, each] of used.nonces) {
    if (each.givenAt >= givenAt) continue
    oldest = nonce
    givenAt = each.givenAt
  }
  if (oldest === undefined) return
  used.nonces.delete(oldest)
  used.forgottenUntil = Math.max(used.forgottenUntil, givenAt)
}
