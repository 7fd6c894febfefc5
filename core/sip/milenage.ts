/**
 * MILENAGE (3GPP TS 35.206): the functions f1 to f5* by which a network and a USIM that share a key know each other.
 * Arithmetic over one block cipher; it keeps no sequence numbers and knows no protocol.
 */
import type { Crypto } from '../kit/crypto.js'

/** What one USIM and its home network share: the subscriber key, and the operator's constant under it. 16 octets each, never changed. */
export interface UsimKeys {
  readonly k: Uint8Array
  readonly opc: Uint8Array
}

const BLOCK = 16

/** OPc = E_K(OP) xor OP (TS 35.206 section 4.1). */
export function operatorConstant(crypto: Crypto, k: Uint8Array, op: Uint8Array): Buffer {
  return xor(crypto.aes128(k, op, 'encrypt'), op)
}

/** f1 and f1*: 8 octets each over a sequence number of 6 octets and the AMF's 2. */
export function authenticationCodes(crypto: Crypto, keys: UsimKeys, rand: Uint8Array, sqn: Uint8Array, amf: Uint8Array): { readonly macA: Buffer; readonly macS: Buffer } {
  const half = Buffer.concat([sqn, amf])
  const rotated = rotate(xor(Buffer.concat([half, half]), keys.opc), 8)
  const out = xor(crypto.aes128(keys.k, xor(temporary(crypto, keys, rand), rotated), 'encrypt'), keys.opc)
  return { macA: out.subarray(0, 8), macS: out.subarray(8) }
}

/** f2 and f5: RES of 8 octets, the anonymity key of 6. */
export function responseAndAnonymity(crypto: Crypto, keys: UsimKeys, rand: Uint8Array): { readonly res: Buffer; readonly ak: Buffer } {
  const out = output(crypto, keys, rand, 0, 1)
  return { res: out.subarray(8), ak: out.subarray(0, 6) }
}

/** f3. */
export function cipherKey(crypto: Crypto, keys: UsimKeys, rand: Uint8Array): Buffer {
  return output(crypto, keys, rand, 4, 2)
}

/** f4. */
export function integrityKey(crypto: Crypto, keys: UsimKeys, rand: Uint8Array): Buffer {
  return output(crypto, keys, rand, 8, 4)
}

/** f5*: the anonymity key of a resynchronisation, 6 octets. */
export function resynchronisationAnonymity(crypto: Crypto, keys: UsimKeys, rand: Uint8Array): Buffer {
  return output(crypto, keys, rand, 12, 8).subarray(0, 6)
}

/** TEMP of TS 35.206 section 4.1. */
function temporary(crypto: Crypto, { k, opc }: UsimKeys, rand: Uint8Array): Buffer {
  return crypto.aes128(k, xor(rand, opc), 'encrypt')
}

/** OUT2 to OUT5, which differ in their rotation (octets here) and the constant in the last octet. */
function output(crypto: Crypto, keys: UsimKeys, rand: Uint8Array, rotation: number, constant: number): Buffer {
  const turned = rotate(xor(temporary(crypto, keys, rand), keys.opc), rotation)
  turned[BLOCK - 1]! ^= constant
  return xor(crypto.aes128(keys.k, turned, 'encrypt'), keys.opc)
}

/** A block rotated towards its first octet. */
function rotate(block: Buffer, octets: number): Buffer {
  return octets === 0 ? block : Buffer.concat([block.subarray(octets), block.subarray(0, octets)])
}

export function xor(one: Uint8Array, other: Uint8Array): Buffer {
  const out = Buffer.allocUnsafe(one.length)
  for (let index = 0; index < one.length; index++) out[index] = one[index]! ^ other[index]!
  return out
}
