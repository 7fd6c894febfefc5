/**
 * Collects what large contents leave behind. Each piece of one is a small object to V8 with its octets elsewhere, so that some 60 MiB
 * of dead pieces pile up before it looks; a young collection for every few MiB keeps the process small. Knows octets only.
 */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** Octets of pieces between two collections; each takes about as long as the young objects alive then are many. */
const COLLECT_EVERY = 4 * 1024 * 1024

let passed = 0
let collect: ((options: { readonly type: 'minor' }) => void) | undefined

/** Told of each piece of a large content that went through memory. */
export function piecePassed(octets: number): void {
  passed += octets
  if (passed < COLLECT_EVERY) return
  passed = 0
  collect ??= exposed()
  collect({ type: 'minor' })
}

/** V8 gives its collector to contexts made after the flag is set. */
function exposed(): NonNullable<typeof collect> {
  setFlagsFromString('--expose-gc')
  return runInNewContext('gc') as NonNullable<typeof collect>
}
