/**
 * From the octets of a header name to its id, without making a string: a small open-addressed table over a hash that
 * ignores letter case. Knows the names of header-names.ts, long and compact; any other name is `Header.Other`.
 */
import { COMPACT_NAMES, HEADER_NAMES, Header, type HeaderId } from './header-names.js'

const SLOTS = 512
const names: string[] = ['']
const ids: HeaderId[] = [Header.Other]
/** By slot: an index into `names` and `ids`, 0 for an empty slot. */
const table = new Uint8Array(SLOTS)

/** Folds one more octet of a name into its hash. Setting bit 5 maps letters to lower case and leaves `-` as it is. */
export function hashName(hash: number, octet: number): number {
  return (Math.imul(hash, 31) + (octet | 32)) | 0
}

/** The id of the name between `start` and `end`, whose octets gave `hash`. */
export function headerIdAt(bytes: Buffer, start: number, end: number, hash: number): HeaderId {
  for (let slot = slotOf(hash); ; slot = (slot + 1) % SLOTS) {
    const index = table[slot]!
    if (index === 0) return Header.Other
    if (isName(bytes, start, end, names[index]!)) return ids[index]!
  }
}

function isName(bytes: Buffer, start: number, end: number, name: string): boolean {
  if (end - start !== name.length) return false
  for (let index = 0; index < name.length; index++) if ((bytes[start + index]! | 32) !== name.charCodeAt(index)) return false
  return true
}

function slotOf(hash: number): number {
  return (hash ^ (hash >>> 9)) & (SLOTS - 1)
}

function enter(name: string, id: HeaderId): void {
  let hash = 0
  for (let index = 0; index < name.length; index++) hash = hashName(hash, name.charCodeAt(index))
  let slot = slotOf(hash)
  while (table[slot] !== 0) slot = (slot + 1) % SLOTS
  table[slot] = names.length
  names.push(name.toLowerCase())
  ids.push(id)
}

for (let id = 1; id < HEADER_NAMES.length; id++) enter(HEADER_NAMES[id]!, id as HeaderId)
for (const [name, id] of Object.entries(COMPACT_NAMES)) enter(name, id)
