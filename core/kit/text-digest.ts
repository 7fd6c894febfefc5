/**
 * Texts as numbers of 53 bits, so that many can be remembered as plain numbers, which cost the collector nothing. Two texts share
 * one about once in 10^16 pairs; whoever wants to can make such a pair, so it is for what harms only its sender.
 */

/** Two independent multiplicative hashes of the characters in one pass: 32 bits of one, 21 of the other. Never negative. */
export function digestOf(text: string): number {
  let first = 0x811c9dc5
  let second = 0x9e3779b9
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index)
    first = Math.imul(first ^ code, 0x01000193)
    second = Math.imul(second + code, 0x85ebca6b)
    second ^= second >>> 13
  }
  return (second >>> 11) * 4_294_967_296 + (first >>> 0)
}
