/** Digests and ciphers of core/kit/crypto.ts by node:crypto. MD5 and SHA-1 are what SIP digest and AKA prescribe, not a choice. */
import { createCipheriv, createDecipheriv, createHash, createHmac, hash as hashAtOnce, type Cipher, type Decipher } from 'node:crypto'
import type { Crypto, HashName, RunningHash } from '../kit/crypto.js'

const NODE_NAMES: Readonly<Record<HashName, string>> = { md5: 'md5', 'sha-1': 'sha1', 'sha-256': 'sha256' }

export const systemCrypto: Crypto = {
  hashHex: (name, data) => hashAtOnce(NODE_NAMES[name], data, 'hex'),
  runningHash: (name) => new NodeHash(name),
  hmac: (name, key, data) => createHmac(NODE_NAMES[name], key).update(data).digest(),
  aes128: (key, block, direction) => cipherOf(key, direction).update(block),
}

class NodeHash implements RunningHash {
  private readonly hash

  constructor(name: HashName) {
    this.hash = createHash(NODE_NAMES[name])
  }

  update(bytes: Uint8Array): void {
    this.hash.update(bytes)
  }

  hex(): string {
    return this.hash.digest('hex')
  }
}

/** By key object: setting up a cipher costs several times a block. In ECB without padding one serves any number of blocks. */
const ciphers = { encrypt: new WeakMap<Uint8Array, Cipher>(), decrypt: new WeakMap<Uint8Array, Decipher>() }

function cipherOf(key: Uint8Array, direction: 'encrypt' | 'decrypt'): Cipher | Decipher {
  const known = ciphers[direction].get(key)
  if (known !== undefined) return known
  const cipher = direction === 'encrypt' ? createCipheriv('aes-128-ecb', key, null) : createDecipheriv('aes-128-ecb', key, null)
  cipher.setAutoPadding(false)
  ciphers[direction].set(key, cipher)
  return cipher
}
