/**
 * The rows of contents that are hosted for terminals to fetch (RFC 4483): in the order in which they run out, so that what
 * is over is one range from the front. A row holds a content or its file's reference, and the secret its URLs are made
 * with. Knows rows, not who fetches.
 */
import { assert } from '../kit/assert.js'
import type { WallMillis } from '../kit/time.js'
import { isInline, type Content } from './content.js'
import { RowKind, type Sequence } from './keys.js'
import { RECORD_VERSION, checkVersion } from './records.js'

export const HOSTED_SECRET_OCTETS = 32
export const HOSTED_KEY_OCTETS = 15

/** One content, whoever of its push's recipients it is fetched by. */
export interface HostedRecord {
  /** Nobody can guess it; the URLs are made of it. */
  readonly secret: Buffer
  /** 40 hexadecimal digits in lower case. */
  readonly sha1: string
  readonly contentType: string
  readonly content: Content
}

export interface HostedPlace {
  readonly expiresAt: WallMillis
  readonly sequence: Sequence
}

export function hostedKey({ expiresAt, sequence }: HostedPlace): Buffer {
  const key = Buffer.allocUnsafe(HOSTED_KEY_OCTETS)
  key[0] = RowKind.Hosted
  key.writeUIntBE(expiresAt, 1, 6)
  key.writeUInt32BE(Math.floor(sequence / 4_294_967_296), 7)
  key.writeUInt32BE(sequence >>> 0, 11)
  return key
}

export function hostedPlace(key: Buffer): HostedPlace {
  return { expiresAt: key.readUIntBE(1, 6), sequence: key.readUInt32BE(7) * 4_294_967_296 + key.readUInt32BE(11) }
}

/** Version, whether it is a file, secret, SHA-1. */
const HEAD = 2 + HOSTED_SECRET_OCTETS + 20
/** Octets of the media type, which stands before the content. */
const TYPE_LENGTH_AT = HEAD
const TYPE_AT = HEAD + 2

export function encodeHosted({ secret, sha1, contentType, content }: HostedRecord): Buffer {
  assert(secret.length === HOSTED_SECRET_OCTETS, 'the secret of a hosted content has its length')
  const typeOctets = Buffer.byteLength(contentType)
  const out = Buffer.allocUnsafe(TYPE_AT + typeOctets + (isInline(content) ? content.length : 6 + content.id.length))
  out[0] = RECORD_VERSION
  out[1] = isInline(content) ? 0 : 1
  secret.copy(out, 2)
  out.write(sha1, 2 + HOSTED_SECRET_OCTETS, 'hex')
  out.writeUInt16BE(typeOctets, TYPE_LENGTH_AT)
  out.write(contentType, TYPE_AT)
  const at = TYPE_AT + typeOctets
  if (isInline(content)) content.copy(out, at)
  else {
    out.writeUIntBE(content.size, at, 6)
    out.write(content.id, at + 6, 'latin1')
  }
  return out
}

export function decodeHosted(row: Buffer): HostedRecord {
  checkVersion(row, 'hosted content')
  const sha1 = row.toString('hex', 2 + HOSTED_SECRET_OCTETS, HEAD)
  const at = TYPE_AT + row.readUInt16BE(TYPE_LENGTH_AT)
  return {
    secret: row.subarray(2, 2 + HOSTED_SECRET_OCTETS),
    sha1,
    contentType: row.toString('utf8', TYPE_AT, at),
    content: row[1] === 0 ? row.subarray(at) : { size: row.readUIntBE(at, 6), sha1, id: row.toString('latin1', at + 6) },
  }
}
