/**
 * Globally routable user agent URIs (RFC 5627): the public one of an instance, and temporary ones made by the
 * algorithm of appendix A.2. A temporary GRUU carries its counter under encryption, so none is ever stored;
 * which counters still live is the registrar's knowledge, not this file's.
 */
import type { Crypto } from '../../core/kit/crypto.js'
import type { Entropy } from '../../core/kit/entropy.js'
import { assert } from '../../core/kit/assert.js'

const PREFIX = 'tgruu.'
const ENCRYPTED_CHARACTERS = 22
const AUTHENTICATION_CHARACTERS = 14
const USER_CHARACTERS = PREFIX.length + ENCRYPTED_CHARACTERS + AUTHENTICATION_CHARACTERS
const DISTINGUISHER_OCTETS = 10
const AUTHENTICATION_OCTETS = 10
const COUNTER_MAX = 2 ** 48

/** Temporary GRUUs of one registrar (RFC 5627 appendix A.2), under an AES-128 key and an HMAC-SHA256 key. */
export class TemporaryGruus {
  constructor(
    private readonly crypto: Crypto,
    private readonly entropy: Entropy,
    private readonly encryptionKey: Uint8Array,
    private readonly authenticationKey: Uint8Array,
  ) {
    assert(encryptionKey.length === 16, 'the encryption key of temporary GRUUs is 16 octets')
    assert(authenticationKey.length === 32, 'the authentication key of temporary GRUUs is 32 octets')
  }

  /** A new user part for the counter `I`: M = D || I, E = AES(M), A = HMAC(E) cut to 80 bits. */
  mint(counter: number, distinguisher: Buffer = this.entropy.bytes(DISTINGUISHER_OCTETS)): string {
    assert(counter >= 0 && counter < COUNTER_MAX, 'a temporary GRUU counter is 48 bits')
    const block = Buffer.allocUnsafe(16)
    distinguisher.copy(block, 0)
    block.writeUIntBE(counter, DISTINGUISHER_OCTETS, 6)
    const encrypted = this.crypto.aes128(this.encryptionKey, block, 'encrypt')
    return PREFIX + base64(encrypted, ENCRYPTED_CHARACTERS) + base64(this.authentication(encrypted), AUTHENTICATION_CHARACTERS)
  }

  /** The counter inside a user part; undefined when this registrar did not make it. A is checked before anything is decrypted. */
  open(user: string): number | undefined {
    if (!isTemporaryUser(user)) return undefined
    const encrypted = Buffer.from(user.slice(PREFIX.length, PREFIX.length + ENCRYPTED_CHARACTERS), 'base64')
    if (encrypted.length !== 16) return undefined
    const expected = base64(this.authentication(encrypted), AUTHENTICATION_CHARACTERS)
    if (expected !== user.slice(PREFIX.length + ENCRYPTED_CHARACTERS)) return undefined
    return this.crypto.aes128(this.encryptionKey, encrypted, 'decrypt').readUIntBE(DISTINGUISHER_OCTETS, 6)
  }

  private authentication(encrypted: Buffer): Buffer {
    return this.crypto.hmac('sha-256', this.authenticationKey, encrypted).subarray(0, AUTHENTICATION_OCTETS)
  }
}

/** Whether a user part has the form of a temporary GRUU of this project; says nothing about its validity. */
export function isTemporaryUser(user: string): boolean {
  return user.length === USER_CHARACTERS && user.startsWith(PREFIX)
}

/**
 * The `gr` value of an instance's public GRUU (RFC 5627 section 3.2). A UUID is used as it is; any other instance id,
 * an IMEI above all, must not be readable from the GRUU (RFC 7255 section 7) and becomes a name-based UUID.
 */
export function grOfInstance(crypto: Crypto, instance: string): string {
  if (instance.startsWith('urn:uuid:')) return instance
  const hex = crypto.hashHex('sha-1', instance)
  const variant = ((parseInt(hex.slice(16, 17), 16) & 3) | 8).toString(16)
  return `urn:uuid:${hex.slice(0, 8)}-${hex.slice(8, 12)}-5${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}

function base64(octets: Buffer, characters: number): string {
  return octets.toString('base64').slice(0, characters)
}
