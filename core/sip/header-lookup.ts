/**
 * From the octets of a header name to its id, without making a string: a small open-addressed table over the length and
 * three letters, then one comparison that ignores letter case. Knows the names of header-names.ts, long and compact;
 * any other name is `Header.Other`.
 */
import { COMPACT_NAMES, HEADER_NAMES, Header, type HeaderId } from './header-names.js'

const SLOTS = 512
const ids: HeaderId[] = [Header.Other]
/** Setting bit 5 maps a letter to lower case and leaves `-` as it is. */
const names: Buffer[] = [Buffer.alloc(0)]
/** By slot: an index into `ids` and `names`, 0 for an empty slot. */
const table = new Uint8Array(SLOTS)

/** The id of the name between `start` and `end`. */
export function headerIdAt(bytes: Buffer, start: number, end: number): HeaderId {
  const length = end - start
  if (length <= 0) return Header.Other
  for (let slot = firstSlot(bytes, start, length); ; slot = (slot + 1) & (SLOTS - 1)) {
    const index = table[slot]!
    if (index === 0) return Header.Other
    if (isName(bytes, start, length, names[index]!)) return ids[index]!
  }
}

function isName(bytes: Buffer, start: number, length: number, name: Buffer): boolean {
  if (length !== name.length) return false
  for (let index = 0; index < length; index++) if ((bytes[start + index]! | 32) !== name[index]) return false
  return true
}

function firstSlot(bytes: Buffer, start: number, length: number): number {
  const first = bytes[start]! | 32
  const middle = bytes[start + (length >> 1)]! | 32
  const last = bytes[start + length - 1]! | 32
  return (length * 113 + first * 37 + middle * 11 + last * 5) & (SLOTS - 1)
}

function enter(name: string, id: HeaderId): void {
  const octets = Buffer.from(name.toLowerCase(), 'latin1')
  let slot = firstSlot(octets, 0, octets.length)
  while (table[slot] !== 0) slot = (slot + 1) & (SLOTS - 1)
  table[slot] = ids.length
  ids.push(id)
  names.push(octets)
}

for (let id = 1; id < HEADER_NAMES.length; id++) enter(HEADER_NAMES[id]!, id as HeaderId)
for (const [name, id] of Object.entries(COMPACT_NAMES)) enter(name, id)
