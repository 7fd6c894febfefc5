/**
 * Digests for a world in which nobody forges anything: of the right length, the same for the same input, different for different
 * ones, and of no cryptographic worth. They cost a fraction of MD5 and SHA-256, of which a day of registrations has tens of
 * millions. Ciphers are the real ones, since what they make is opened again.
 */
import type { Crypto, HashName, RunningHash } from '../../core/kit/crypto.js'

const OCTETS: Readonly<Record<HashName, number>> = { md5: 16, 'sha-1': 20, 'sha-256': 32 }
const WORDS_MAX = 8
const words = new Uint32Array(WORDS_MAX)

/** @param real whose ciphers and running hashes are used */
export function worldDigests(real: Crypto): Crypto {
  return {
    hashHex: (name, data) => digest(name, data, 0).toString('hex'),
    runningHash: (name): RunningHash => real.runningHash(name),
    hmac: (name, key, data) => digest(name, data, key.length === 0 ? 1 : 1 + key[0]! + 256 * key[key.length - 1]!),
    aes128: (key, block, direction) => real.aes128(key, block, direction),
  }
}

/** Two FNV-1a lanes over the input, and as many words of them, mixed, as the digest has. */
function digest(name: HashName, data: string | Uint8Array, seed: number): Buffer {
  let low = 0x811c9dc5 ^ seed
  let high = 0x01000193 ^ Math.imul(seed + 1, 0x9e3779b1)
  for (let index = 0; index < data.length; index++) {
    const octet = typeof data === 'string' ? data.charCodeAt(index) : data[index]!
    low = Math.imul(low ^ octet, 0x01000193)
    high = Math.imul(high ^ octet ^ (low >>> 15), 0x85ebca6b)
  }
  const octets = OCTETS[name]
  for (let word = 0; word < octets / 4; word++) {
    let mixed = Math.imul(low ^ Math.imul(high + word, 0xc2b2ae35), 0x85ebca6b)
    mixed ^= mixed >>> 13
    words[word] = Math.imul(mixed, 0xc2b2ae35) ^ (mixed >>> 16) ^ high
  }
  return Buffer.from(words.buffer.slice(0, octets))
}
