/**
 * Texts a terminal keeps for long: its own copies, since a part cut out of a message holds the whole message in memory,
 * and one copy for all where thousands would be equal.
 */

const scratch = Buffer.allocUnsafe(1_024)

/** A copy of a text with one octet a character, as header values are. */
export function flattened(text: string): string {
  if (text.length > scratch.length) return Buffer.from(text, 'latin1').toString('latin1')
  return scratch.toString('latin1', 0, scratch.write(text, 0, 'latin1'))
}

/** The network can send any text, so the table is bounded. */
const SHARED_MAX = 256
const shared = new Map<string, string>()

/** One copy for all terminals: for texts of which a network has few, such as realms and Service-Routes. */
export function sharedText(text: string): string {
  const known = shared.get(text)
  if (known !== undefined) return known
  if (shared.size >= SHARED_MAX) shared.clear()
  const own = flattened(text)
  shared.set(own, own)
  return own
}
