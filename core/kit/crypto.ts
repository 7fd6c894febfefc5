/** Digests and ciphers as an injected, synchronous, deterministic service. The live implementation wraps node:crypto (core/live). */

export type HashName = 'md5' | 'sha-1' | 'sha-256'

/** A digest of octets that come piece by piece and are not kept. */
export interface RunningHash {
  update(bytes: Uint8Array): void
  /** Lower-case hexadecimal; the end of this hash. */
  hex(): string
}

export interface Crypto {
  /** Lower-case hexadecimal digest of the octets, or of the UTF-8 form of a string. */
  hashHex(name: HashName, data: string | Uint8Array): string
  runningHash(name: HashName): RunningHash
  hmac(name: HashName, key: Uint8Array, data: Uint8Array): Buffer
  /** One 16-octet block through AES-128 in ECB mode without padding. The octets of `key` never change once used. */
  aes128(key: Uint8Array, block: Uint8Array, direction: 'encrypt' | 'decrypt'): Buffer
}

/** Whether two secrets are the same, told in the same time wherever they differ. */
export function isSameSecret(one: Uint8Array, other: Uint8Array): boolean {
  if (one.length !== other.length) return false
  let difference = 0
  for (let index = 0; index < one.length; index++) difference |= one[index]! ^ other[index]!
  return difference === 0
}
