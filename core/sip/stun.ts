/**
 * STUN as far as keep-alive on a SIP port needs it (RFC 5626 sections 3.5.2, 4.4.2 and 8): Binding requests and their answers
 * (RFC 8489). Knows the octets of one datagram; who asks, and what an answer means to a flow, is not known here.
 */
import { addressOctets, addressText } from '../kit/address.js'
import type { Endpoint } from '../kit/network.js'

/** RFC 8489 section 5. */
const MAGIC_COOKIE = 0x2112a442
const HEAD_OCTETS = 20
/** A transaction id: 96 bits, unguessable. */
export const STUN_TRANSACTION_OCTETS = 12

const KINDS = { 0x0001: 'request', 0x0011: 'indication', 0x0101: 'success', 0x0111: 'error' } as const
const TYPE = { request: 0x0001, success: 0x0101, error: 0x0111 } as const

/** RFC 8489 section 18.3: the comprehension-required attributes whose meaning is known; most of them change nothing here. */
const Attribute = { MappedAddress: 0x0001, Username: 0x0006, MessageIntegrity: 0x0008, ErrorCode: 0x0009, UnknownAttributes: 0x000a, Realm: 0x0014, Nonce: 0x0015, XorMappedAddress: 0x0020 } as const
const KNOWN: ReadonlySet<number> = new Set(Object.values(Attribute))
/** Below this an attribute has to be understood (section 14). */
const OPTIONAL_FROM = 0x8000
const FAMILY_OCTETS: Readonly<Record<number, number>> = { 1: 4, 2: 16 }

/** One Binding message. */
export interface StunMessage {
  readonly kind: (typeof KINDS)[keyof typeof KINDS]
  /** The 12 octets of its transaction id, a copy. */
  readonly transaction: Buffer
  /** XOR-MAPPED-ADDRESS: where the server saw the request come from. */
  readonly mapped: Endpoint | undefined
  /** 300 to 699 in an error response that names one, else 0. */
  readonly errorCode: number
  /** Attributes that have to be understood and are not. */
  readonly unknown: readonly number[]
}

/** Is this datagram STUN and not SIP? By its first two bits, which are 01 in any letter, and the magic cookie (RFC 8489 section 5). */
export function isStun(bytes: Buffer): boolean {
  return bytes.length >= HEAD_OCTETS && (bytes[0]! & 0xc0) === 0 && bytes.readUInt32BE(4) === MAGIC_COOKIE
}

/** Undefined for what is no whole, well-formed Binding message: it is dropped without an answer (RFC 8489 section 6.3). */
export function readStun(bytes: Buffer): StunMessage | undefined {
  if (!isStun(bytes) || bytes.length !== HEAD_OCTETS + bytes.readUInt16BE(2) || bytes.length % 4 !== 0) return undefined
  const kind = KINDS[bytes.readUInt16BE(0) as keyof typeof KINDS]
  if (kind === undefined) return undefined
  let mapped: Endpoint | undefined
  let errorCode = 0
  let isProtected = false
  const unknown: number[] = []
  for (let at = HEAD_OCTETS; at < bytes.length;) {
    const type = bytes.readUInt16BE(at)
    const end = at + 4 + bytes.readUInt16BE(at + 2)
    if (end > bytes.length) return undefined
    const value = bytes.subarray(at + 4, end)
    // Section 15: attributes are padded to 32 bits; the padding means nothing.
    at = (end + 3) & ~3
    // Section 14.5: behind MESSAGE-INTEGRITY nothing counts but what protects more.
    if (isProtected) continue
    if (type === Attribute.XorMappedAddress) {
      const address = unmasked(bytes, value)
      if (address === undefined) return undefined
      mapped ??= address
    } else if (type === Attribute.ErrorCode) {
      if (value.length < 4) return undefined
      errorCode = (value[2]! & 7) * 100 + value[3]!
    } else if (type === Attribute.MessageIntegrity) isProtected = true
    else if (type < OPTIONAL_FROM && !KNOWN.has(type)) unknown.push(type)
  }
  return { kind, transaction: Buffer.from(bytes.subarray(8, HEAD_OCTETS)), mapped, errorCode, unknown }
}

/** @param transaction 12 random octets */
export function bindingRequest(transaction: Uint8Array): Buffer {
  return written(TYPE.request, transaction, 0)
}

/**
 * The answer to a Binding request that came from there (RFC 8489 section 6.3.1): the address it came from, or 420 with the
 * attributes that were not understood.
 */
export function bindingAnswer({ transaction, unknown }: StunMessage, from: Endpoint): Buffer {
  if (unknown.length > 0) return refused(transaction, unknown)
  const address = addressOctets(from.address)
  const bytes = written(TYPE.success, transaction, 8 + address.length)
  bytes.writeUInt16BE(Attribute.XorMappedAddress, HEAD_OCTETS)
  bytes.writeUInt16BE(4 + address.length, HEAD_OCTETS + 2)
  bytes[HEAD_OCTETS + 5] = address.length === 4 ? 1 : 2
  bytes.writeUInt16BE(from.port ^ (MAGIC_COOKIE >>> 16), HEAD_OCTETS + 6)
  masked(bytes, address).copy(bytes, HEAD_OCTETS + 8)
  return bytes
}

/** RFC 8489 sections 14.8 and 14.13. */
function refused(transaction: Buffer, unknown: readonly number[]): Buffer {
  const listOctets = 2 * unknown.length
  const bytes = written(TYPE.error, transaction, 8 + 4 + ((listOctets + 3) & ~3))
  bytes.writeUInt16BE(Attribute.ErrorCode, HEAD_OCTETS)
  bytes.writeUInt16BE(4, HEAD_OCTETS + 2)
  bytes[HEAD_OCTETS + 6] = 4
  bytes[HEAD_OCTETS + 7] = 20
  bytes.writeUInt16BE(Attribute.UnknownAttributes, HEAD_OCTETS + 8)
  bytes.writeUInt16BE(listOctets, HEAD_OCTETS + 10)
  unknown.forEach((type, index) => bytes.writeUInt16BE(type, HEAD_OCTETS + 12 + 2 * index))
  return bytes
}

function written(type: number, transaction: Uint8Array, bodyOctets: number): Buffer {
  const bytes = Buffer.alloc(HEAD_OCTETS + bodyOctets)
  bytes.writeUInt16BE(type, 0)
  bytes.writeUInt16BE(bodyOctets, 2)
  bytes.writeUInt32BE(MAGIC_COOKIE, 4)
  bytes.set(transaction, 8)
  return bytes
}

/** RFC 8489 section 14.2; undefined when the family is unknown or the length is not that of its family. */
function unmasked(message: Buffer, value: Buffer): Endpoint | undefined {
  if (value.length < 4) return undefined
  const octets = FAMILY_OCTETS[value[1]!]
  if (octets === undefined || value.length !== 4 + octets) return undefined
  return { address: addressText(masked(message, value.subarray(4))), port: value.readUInt16BE(2) ^ (MAGIC_COOKIE >>> 16) }
}

/** The octets of an address against magic cookie and transaction id, which stand in a row; doing it twice undoes it. */
function masked(message: Buffer, address: Buffer): Buffer {
  return Buffer.from(address.map((octet, index) => octet ^ message[4 + index]!))
}
