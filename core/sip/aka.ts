/**
 * Authentication and Key Agreement as SIP digest carries it (RFC 3310, TS 33.102 section 6.3): what the home network
 * puts into a nonce, how a USIM judges it, and how the two agree on sequence numbers again. The digest itself is
 * digest.ts with RES for a password; who is asked when is not known here.
 */
import type { Crypto } from '../kit/crypto.js'
import { authenticationCodes, cipherKey, integrityKey, responseAndAnonymity, resynchronisationAnonymity, xor, type UsimKeys } from './milenage.js'

const RAND_OCTETS = 16
const AUTN_OCTETS = 16
const AUTS_OCTETS = 14
/** No separation bit: that is for access by EPS (TS 33.401 section 6.1.1). A resynchronisation has zeros anyway (TS 33.102 section 6.3.3). */
const AMF = Buffer.alloc(2)

/** TS 33.102 annex C.1.1.1: a sequence number is SEQ and, in its last five bits, an index into the USIM's list. */
export const INDEXES = 32
/** SEQ has 43 bits. */
export const SEQ_MAX = 2 ** 43 - 1

export interface Vector {
  readonly autn: Buffer
  /** What the USIM will answer. */
  readonly xres: Buffer
  readonly ck: Buffer
  readonly ik: Buffer
}

/** The home network's side of one challenge. @param sqn a whole number of 48 bits */
export function vectorFor(crypto: Crypto, keys: UsimKeys, rand: Uint8Array, sqn: number): Vector {
  const number = sqnOctets(sqn)
  const { res, ak } = responseAndAnonymity(crypto, keys, rand)
  const { macA } = authenticationCodes(crypto, keys, rand, number, AMF)
  return { autn: Buffer.concat([xor(number, ak), AMF, macA]), xres: res, ck: cipherKey(crypto, keys, rand), ik: integrityKey(crypto, keys, rand) }
}

/** The sequence number a USIM told in an AUTS; undefined when it was not made with these keys. */
export function sqnOfResynchronisation(crypto: Crypto, keys: UsimKeys, rand: Uint8Array, auts: Uint8Array): number | undefined {
  if (auts.length !== AUTS_OCTETS) return undefined
  const number = xor(auts.subarray(0, 6), resynchronisationAnonymity(crypto, keys, rand))
  return authenticationCodes(crypto, keys, rand, number, AMF).macS.equals(auts.subarray(6)) ? number.readUIntBE(0, 6) : undefined
}

export type UsimVerdict =
  /** The network is the right one and its number is fresh: `res` is the digest's password. */
  | { readonly type: 'accepted'; readonly res: Buffer }
  /** The number is not fresh: the challenge is answered with `auts` and an empty password (RFC 3310 section 3.4). */
  | { readonly type: 'out-of-step'; readonly auts: Buffer }
  /** Whoever sent it does not have the key: it is not answered. */
  | { readonly type: 'wrong-network' }

/** The numbers one USIM has seen (TS 33.102 annex C.2), so that each challenge is taken once, and late ones are if they are new. */
export class Usim {
  /** The highest SEQ taken for each index. */
  private readonly taken = new Float64Array(INDEXES)
  private highest: number

  /** @param highest the number it has reached already */
  constructor(readonly keys: UsimKeys, highest = 0) {
    this.highest = highest
    this.taken.fill(Math.floor(highest / INDEXES))
  }

  judge(crypto: Crypto, rand: Uint8Array, autn: Uint8Array): UsimVerdict {
    const { res, ak } = responseAndAnonymity(crypto, this.keys, rand)
    const number = xor(autn.subarray(0, 6), ak)
    const { macA } = authenticationCodes(crypto, this.keys, rand, number, autn.subarray(6, 8))
    if (!macA.equals(autn.subarray(8))) return { type: 'wrong-network' }
    const sqn = number.readUIntBE(0, 6)
    const seq = Math.floor(sqn / INDEXES)
    // Annex C.2.2: fresh when above what was taken under its index.
    if (seq <= this.taken[sqn % INDEXES]!) return { type: 'out-of-step', auts: this.resynchronisation(crypto, rand) }
    this.taken[sqn % INDEXES] = seq
    this.highest = Math.max(this.highest, sqn)
    return { type: 'accepted', res }
  }

  private resynchronisation(crypto: Crypto, rand: Uint8Array): Buffer {
    const number = sqnOctets(this.highest)
    const { macS } = authenticationCodes(crypto, this.keys, rand, number, AMF)
    return Buffer.concat([xor(number, resynchronisationAnonymity(crypto, this.keys, rand)), macS])
  }
}

/** RFC 3310 section 3.2: RAND, AUTN, and what the server wants to see again, in base64. */
export function akaNonce(rand: Uint8Array, autn: Uint8Array, serverData: Uint8Array): string {
  return Buffer.concat([rand, autn, serverData]).toString('base64')
}

/** Undefined for a nonce too short to be one of AKA. */
export function readAkaNonce(nonce: string): { readonly rand: Buffer; readonly autn: Buffer; readonly serverData: Buffer } | undefined {
  const octets = Buffer.from(nonce, 'base64')
  if (octets.length < RAND_OCTETS + AUTN_OCTETS) return undefined
  const at = RAND_OCTETS + AUTN_OCTETS
  return { rand: octets.subarray(0, RAND_OCTETS), autn: octets.subarray(RAND_OCTETS, at), serverData: octets.subarray(at) }
}

function sqnOctets(sqn: number): Buffer {
  const octets = Buffer.allocUnsafe(6)
  octets.writeUIntBE(sqn, 0, 6)
  return octets
}
