/**
 * Digests for a world in which nobody forges anything: of the right length, the same for the same input, different for different
 * ones, and of no cryptographic worth. They cost a fraction of MD5 and SHA-256, of which a day of registrations has tens of
 * millions. Ciphers are the real ones, since what they make is opened again.
 */
import type { Crypto, HashName, RunningHash } from '../../core/kit/crypto.js'

const OCTETS: Readonly<Record<HashName, number>> = { md5: 16, 'sha-1': 20, 'sha-256': 32 }
/** UTF-8 octets of one UTF-16 code unit at most. */
const OCTETS_PER_UNIT = 3
/** Where the input lies while it is read, four octets at a time; grows with the longest. */
let octets = Buffer.from(new ArrayBuffer(1_024))
let numbers = new Int32Array(octets.buffer)
/** The digest made last, of 32 octets or their beginning. */
const words = new Uint32Array(8)
const made = Buffer.from(words.buffer)

/** @param real whose ciphers and running hashes are used */
export function worldDigests(real: Crypto): Crypto {
  return {
    hashHex: (name, data) => {
      digest(name, data, 0)
      return made.toString('hex', 0, OCTETS[name])
    },
    runningHash: (name): RunningHash => real.runningHash(name),
    hmac: (name, key, data) => {
      digest(name, data, key.length === 0 ? 1 : 1 + key[0]! + 256 * key[key.length - 1]!)
      return Buffer.from(made.subarray(0, OCTETS[name]))
    },
    aes128: (key, block, direction) => real.aes128(key, block, direction),
  }
}

/** Two FNV-1a lanes over the input in fours of octets and its length, and as many words of them, mixed, as the digest has; left in `made`. */
function digest(name: HashName, data: string | Uint8Array, seed: number): void {
  const length = laid(data)
  let low = Math.imul(0x811c9dc5 ^ seed ^ length, 0x01000193)
  let high = 0x01000193 ^ Math.imul(seed + 1, 0x9e3779b1)
  const count = (length + 3) >> 2
  for (let index = 0; index < count; index++) {
    const number = numbers[index]!
    low = Math.imul(low ^ number, 0x01000193)
    low ^= low >>> 15
    high = Math.imul(high ^ number ^ low, 0x85ebca6b)
    high ^= high >>> 13
  }
  for (let word = 0; word < OCTETS[name] / 4; word++) {
    let mixed = Math.imul(low ^ Math.imul(high + word, 0xc2b2ae35), 0x85ebca6b)
    mixed ^= mixed >>> 13
    words[word] = Math.imul(mixed, 0xc2b2ae35) ^ (mixed >>> 16) ^ high
  }
}

/** Lays the input into `octets`, zeros behind it to a multiple of four. Returns its octets. */
function laid(data: string | Uint8Array): number {
  const most = typeof data === 'string' ? OCTETS_PER_UNIT * data.length : data.length
  if (most + 4 > octets.length) {
    octets = Buffer.from(new ArrayBuffer(2 * (most - most % 4 + 8)))
    numbers = new Int32Array(octets.buffer)
  }
  let length = data.length
  if (typeof data === 'string') length = octets.write(data, 0)
  else octets.set(data)
  for (let index = length; index % 4 !== 0; index++) octets[index] = 0
  return length
}
