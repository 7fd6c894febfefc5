/**
 * The copy that lets a short text outlive the large message it was cut from: a part of a text holds the whole of it in memory,
 * and one put together from parts holds each of them. For texts with one octet a character, as header values are.
 */

/** Longer texts are rare, and pay for octets of their own. */
const scratch = Buffer.allocUnsafe(1_024)

/** An equal text with storage of its own. */
export function owned<Text extends string>(text: Text): Text {
  if (text.length > scratch.length) return Buffer.from(text, 'latin1').toString('latin1') as Text
  return scratch.toString('latin1', 0, scratch.write(text, 0, 'latin1')) as Text
}
