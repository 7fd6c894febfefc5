/**
 * The last part of a content's URL: which content, for whom, until when, and 128 bits that only who was told the
 * URL can know (RFC 4483 section 9: possession of the URL is the right to fetch). One per recipient, and per device where a
 * push goes to each by itself, so that none can fetch in another's name. Knows octets; what is hosted is hosting.ts.
 */
import type { Crypto } from '../../kit/crypto.js'
import { HOSTED_KEY_OCTETS, hostedKey, hostedPlace, type HostedPlace } from '../../store/hosted.js'

export interface ContentPlace extends HostedPlace {
  /** Index of the recipient in its submission. */
  readonly recipient: number
  /** Tells the devices of one recipient apart: 32 bits. */
  readonly device: number
}

const RECIPIENT_AT = HOSTED_KEY_OCTETS - 1
const DEVICE_AT = RECIPIENT_AT + 2
const PLACE_OCTETS = DEVICE_AT + 4
const PROOF_OCTETS = 16
const TOKEN_OCTETS = PLACE_OCTETS + PROOF_OCTETS
/** Without padding: a multiple of three octets. */
const TOKEN = /^[A-Za-z0-9_-]{48}$/

export function contentToken(crypto: Crypto, place: ContentPlace, secret: Buffer): string {
  const octets = Buffer.allocUnsafe(TOKEN_OCTETS)
  hostedKey(place).copy(octets, 0, 1)
  octets.writeUInt16BE(place.recipient, RECIPIENT_AT)
  octets.writeUInt32BE(place.device, DEVICE_AT)
  proofOf(crypto, octets, secret).copy(octets, PLACE_OCTETS, 0, PROOF_OCTETS)
  return octets.toString('base64url')
}

/** What a token names, proved or not; undefined when it is none. */
export function placeOfToken(token: string): ContentPlace | undefined {
  if (!TOKEN.test(token)) return undefined
  const octets = Buffer.from(token, 'base64url')
  const key = Buffer.concat([Buffer.alloc(1), octets.subarray(0, RECIPIENT_AT)])
  return { ...hostedPlace(key), recipient: octets.readUInt16BE(RECIPIENT_AT), device: octets.readUInt32BE(DEVICE_AT) }
}

export function isProved(crypto: Crypto, token: string, secret: Buffer): boolean {
  const octets = Buffer.from(token, 'base64url')
  return sameOctets(octets.subarray(PLACE_OCTETS), proofOf(crypto, octets, secret).subarray(0, PROOF_OCTETS))
}

function proofOf(crypto: Crypto, octets: Buffer, secret: Buffer): Buffer {
  return crypto.hmac('sha-256', secret, octets.subarray(0, PLACE_OCTETS))
}

/** Equal octets? Takes as long for a first difference at the start as for one at the end. */
function sameOctets(a: Buffer, b: Buffer): boolean {
  let difference = a.length ^ b.length
  for (let index = 0; index < a.length; index++) difference |= a[index]! ^ b[index]!
  return difference === 0
}
