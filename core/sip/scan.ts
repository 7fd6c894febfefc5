/**
 * The lexical ground of SIP values: character classes of RFC 3261 section 25.1 and scans that move an index over
 * text without cutting it. Knows characters, quoting and parameters; never which header field it is reading.
 * Every scan returns the index behind what it read, or -1 where the grammar is broken.
 */

export const TOKEN = 1
/** user-unreserved and unreserved (section 25.1, `user`). */
export const USER = 2
/** Characters that need no escape anywhere in a URI (`unreserved`). */
export const UNRESERVED = 4

const ALPHANUM = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
const MARK = "-_.!~*'()"

/** Class bits by character code; codes above 127 are in no class. */
export const CLASS = new Uint8Array(256)

function classify(bit: number, characters: string): void {
  for (let index = 0; index < characters.length; index++) CLASS[characters.charCodeAt(index)]! |= bit
}
classify(TOKEN, `${ALPHANUM}-.!%*_+\`'~`)
classify(UNRESERVED, ALPHANUM + MARK)
classify(USER, `${ALPHANUM}${MARK}&=+$,;?/`)

/** Is the character of this code in the class? Safe for any code and for NaN (the end of the text). */
export function isIn(code: number, bit: number): boolean {
  return code < 256 && (CLASS[code]! & bit) !== 0
}

export function isDigit(code: number): boolean {
  return code >= 48 && code <= 57
}

export function skipSpace(text: string, at: number): number {
  let code = text.charCodeAt(at)
  while (code === 32 || code === 9) code = text.charCodeAt(++at)
  return at
}

/** Without spaces and tabs at both ends. Not `String.trim`, which also takes the octet A0 and so breaks UTF-8. */
export function trimSpace(text: string): string {
  let start = 0
  let end = text.length
  while (start < end && isSpace(text.charCodeAt(start))) start++
  while (end > start && isSpace(text.charCodeAt(end - 1))) end--
  return end - start === text.length ? text : text.slice(start, end)
}

export function isSpace(code: number): boolean {
  return code === 32 || code === 9
}

/** The end of the run of characters of one class. */
export function skipClass(text: string, at: number, bit: number): number {
  while (at < text.length && isIn(text.charCodeAt(at), bit)) at++
  return at
}

/** From the opening quote to behind the closing one (RFC 3261 section 25.1, quoted-string); -1 when it does not close. */
export function skipQuoted(text: string, at: number): number {
  for (let index = at + 1; index < text.length; index++) {
    const code = text.charCodeAt(index)
    if (code === 34) return index + 1
    if (code === 92) index++
  }
  return -1
}

/** Does `text` hold `name` (given in lower case) at `start`, whatever the case of its letters? */
export function sameName(text: string, start: number, end: number, name: string): boolean {
  if (end - start !== name.length) return false
  for (let index = 0; index < name.length; index++) {
    const code = text.charCodeAt(start + index)
    const wanted = name.charCodeAt(index)
    if (code !== wanted && !(wanted >= 97 && wanted <= 122 && code === wanted - 32)) return false
  }
  return true
}
