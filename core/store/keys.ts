/**
 * Where each kind of row lies in the ordered map. The first octet names the kind, so a kind is one range; what follows
 * puts rows in the order in which they are looked for: pending and finished pushes by the time they were accepted,
 * push-ids by initiator. Knows keys only; records.ts knows what the rows hold.
 */
import { assert } from '../kit/assert.js'
import type { WallMillis } from '../kit/time.js'

/**
 * A submission's number: unique in the store's life, growing with the wall clock of its acceptance, kept apart from it
 * by a reserved bound (see `MetaRecord`) so that a clock set back cannot give a number twice. Below 2^53.
 */
export type Sequence = number

export const RowKind = { Meta: 0x4d, Pending: 0x50, Done: 0x44, Unacknowledged: 0x4e, PushId: 0x49, Registration: 0x52, Content: 0x43, Hosted: 0x48, Subscription: 0x53, Legs: 0x4c } as const
export type RowKind = (typeof RowKind)[keyof typeof RowKind]

/** Numbers per millisecond of wall clock before numbering runs ahead of it. */
const SEQUENCES_PER_MILLI = 2_048

/** Octets of an initiator's name, and of a push-id, that a key can hold. */
export const INITIATOR_OCTETS_MAX = 255
export const PUSH_ID_OCTETS_MAX = 512

export function sequenceOfWall(wall: WallMillis): Sequence {
  return wall * SEQUENCES_PER_MILLI
}

export const META_KEY = Buffer.from([RowKind.Meta])

/** The row of an accepted submission that has recipients without an outcome; holds the content. */
export function pendingKey(sequence: Sequence): Buffer {
  const key = Buffer.allocUnsafe(9)
  writeSequence(key, RowKind.Pending, sequence)
  return key
}

/** The row of one recipient's final outcome. */
export function doneKey(sequence: Sequence, recipient: number): Buffer {
  return recipientKey(RowKind.Done, sequence, recipient)
}

/** The row of what was heard of the single devices of a recipient that has no outcome yet. */
export function legsKey(sequence: Sequence, recipient: number): Buffer {
  return recipientKey(RowKind.Legs, sequence, recipient)
}

/** The row that says this recipient's result notification is not acknowledged yet. */
export function unacknowledgedKey(sequence: Sequence, recipient: number): Buffer {
  return recipientKey(RowKind.Unacknowledged, sequence, recipient)
}

/** The row that makes a push-id taken, and says where its push lies. The initiator's length stands before it, so no two pairs give one key. */
export function pushIdKey(initiator: string, pushId: string): Buffer {
  const initiatorOctets = Buffer.byteLength(initiator)
  const pushIdOctets = Buffer.byteLength(pushId)
  assert(initiatorOctets <= INITIATOR_OCTETS_MAX && pushIdOctets <= PUSH_ID_OCTETS_MAX, 'admission let a push-id through that no key can hold')
  const key = Buffer.allocUnsafe(2 + initiatorOctets + pushIdOctets)
  key[0] = RowKind.PushId
  key[1] = initiatorOctets
  key.write(initiator, 2)
  key.write(pushId, 2 + initiatorOctets)
  return key
}

export function registrationKey(aor: string): Buffer {
  const key = Buffer.allocUnsafe(1 + Buffer.byteLength(aor))
  key[0] = RowKind.Registration
  key.write(aor, 1)
  return key
}

/** The row that says a content file is named by a pending push; a file without it is a leftover. */
export function contentKey(id: string): Buffer {
  const key = Buffer.allocUnsafe(1 + id.length)
  key[0] = RowKind.Content
  key.write(id, 1, 'latin1')
  return key
}

/** The row of a standing subscription, by our tag in its dialog. */
export function subscriptionKey(tag: string): Buffer {
  return Buffer.concat([Buffer.from([RowKind.Subscription]), Buffer.from(tag)])
}

/** The first key of a kind, and the first key after it: the bounds of its range. */
export function kindStart(kind: RowKind): Buffer {
  return Buffer.from([kind])
}

export function kindEnd(kind: RowKind): Buffer {
  return Buffer.from([kind + 1])
}

/** The least key that is greater than `key`. */
export function after(key: Buffer): Buffer {
  return Buffer.concat([key, Buffer.from([0])])
}

export function sequenceOf(key: Buffer): Sequence {
  return key.readUInt32BE(1) * 4_294_967_296 + key.readUInt32BE(5)
}

/** The recipient's number in a key made by `doneKey` or `unacknowledgedKey`. */
export function recipientOf(key: Buffer): number {
  return key.readUInt16BE(9)
}

function recipientKey(kind: RowKind, sequence: Sequence, recipient: number): Buffer {
  const key = Buffer.allocUnsafe(11)
  writeSequence(key, kind, sequence)
  key.writeUInt16BE(recipient, 9)
  return key
}

function writeSequence(key: Buffer, kind: RowKind, sequence: Sequence): void {
  key[0] = kind
  key.writeUInt32BE(Math.floor(sequence / 4_294_967_296), 1)
  key.writeUInt32BE(sequence >>> 0, 5)
}
