/**
 * The row that makes a push-id taken, and says where its push lies. Rows of before this was kept hold the version octet
 * alone: taken, and nothing more. Knows octets, not who asks.
 */
import type { Sequence } from './keys.js'
import { RECORD_VERSION, checkVersion } from './records.js'

export interface PushIdRecord {
  readonly sequence: Sequence
  /** Recipients in all, so that one whose outcome was forgotten is told from one there never was. */
  readonly recipients: number
}

const OCTETS = 11

export function encodePushId({ sequence, recipients }: PushIdRecord): Buffer {
  const out = Buffer.allocUnsafe(OCTETS)
  out[0] = RECORD_VERSION
  out.writeUInt32BE(Math.floor(sequence / 4_294_967_296), 1)
  out.writeUInt32BE(sequence >>> 0, 5)
  out.writeUInt16BE(recipients, 9)
  return out
}

/** Undefined for a row that only says "taken". */
export function decodePushId(row: Buffer): PushIdRecord | undefined {
  checkVersion(row, 'push-id')
  if (row.length < OCTETS) return undefined
  return { sequence: row.readUInt32BE(1) * 4_294_967_296 + row.readUInt32BE(5), recipients: row.readUInt16BE(9) }
}
