/** Texts that thousands of terminals keep for long and that would be equal: one copy for all. */
import { owned } from '../../core/kit/own-text.js'

/** The network can send any text, so the table is bounded. */
const SHARED_MAX = 256
const shared = new Map<string, string>()

/** One copy for all terminals: for texts of which a network has few, such as realms and Service-Routes. */
export function sharedText(text: string): string {
  const known = shared.get(text)
  if (known !== undefined) return known
  if (shared.size >= SHARED_MAX) shared.clear()
  const own = owned(text)
  shared.set(own, own)
  return own
}
