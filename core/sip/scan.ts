/**
 * The lexical ground of SIP values: character classes of RFC 3261 section 25.1 and scans that move an index over
 * text without cutting it. Knows characters, quoting and parameters; never which header field it is reading.
 * Every scan returns the index behind what it read, or -1 where the grammar is broken.
 */

export const TOKEN = 1
/** user-unreserved and unreserved (section 25.1, `user`). */
export const USER = 2
export const PASSWORD = 4
/** paramchar of a URI parameter, without the escapes. */
export const URI_PARAM = 8
/** hname and hvalue with their separators `=` and `&`, without the escapes. */
export const URI_HEADER = 16
/** Letters, digits, `-` and `.` of a host name or an IPv4 address. */
export const HOST = 32
/** What may stand unquoted as a header parameter's value: a token, a host, and the marks seen in the field. */
export const PARAM_VALUE = 64
/** Characters that need no escape anywhere in a URI (`unreserved`). */
export const UNRESERVED = 128

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
classify(PASSWORD, `${ALPHANUM}${MARK}&=+$,`)
classify(URI_PARAM, `${ALPHANUM}${MARK}[]/:&+$`)
classify(URI_HEADER, `${ALPHANUM}${MARK}[]/?:+$=&`)
classify(HOST, `${ALPHANUM}-.`)
classify(PARAM_VALUE, `${ALPHANUM}-.!%*_+\`'~[]:/@=&$?`)

/** Is the character of this code in the class? Safe for any code and for NaN (the end of the text). */
export function isIn(code: number, bit: number): boolean {
  return code < 256 && (CLASS[code]! & bit) !== 0
}

export function isDigit(code: number): boolean {
  return code >= 48 && code <= 57
}

export function isHex(code: number): boolean {
  return isDigit(code) || ((code | 32) >= 97 && (code | 32) <= 102)
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

function isSpace(code: number): boolean {
  return code === 32 || code === 9
}

/** The end of the run of characters of one class. */
export function skipClass(text: string, at: number, bit: number): number {
  while (at < text.length && isIn(text.charCodeAt(at), bit)) at++
  return at
}

/** Like `skipClass`, with `%HH` escapes; -1 at a broken escape. */
export function skipEscaped(text: string, at: number, end: number, bit: number): number {
  while (at < end) {
    const code = text.charCodeAt(at)
    if (isIn(code, bit) && code !== 37) at++
    else if (code !== 37) return at
    else if (at + 2 < end && isHex(text.charCodeAt(at + 1)) && isHex(text.charCodeAt(at + 2))) at += 3
    else return -1
  }
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

/** From `[` to behind `]`: the characters of an IPv6 reference, whose groups are not counted; -1 when broken. */
export function skipIpv6Reference(text: string, at: number): number {
  let index = at + 1
  let code = text.charCodeAt(index)
  while (isHex(code) || code === 58 || code === 46) code = text.charCodeAt(++index)
  return code === 93 && index > at + 2 ? index + 1 : -1
}

/** A host name, IPv4 address or IPv6 reference; -1 when there is none. */
export function skipHost(text: string, at: number): number {
  if (text.charCodeAt(at) === 91) return skipIpv6Reference(text, at)
  const end = skipClass(text, at, HOST)
  return end === at ? -1 : end
}

/** Where the last `skipParams` or `skipPort` found what was asked for: a parameter's raw value, or a port. */
export const found = { start: -1, end: -1, port: 0 }

/** The digits of a port, 1 to 65535, left in `found.port`; -1 when there is no such number at `at`. */
export function skipPort(text: string, at: number): number {
  let index = at
  let port = 0
  for (let code = text.charCodeAt(index); isDigit(code) && port <= 65535; code = text.charCodeAt(++index)) port = port * 10 + code - 48
  if (port === 0 || port > 65535) return -1
  found.port = port
  return index
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

/**
 * Reads `*( SEMI generic-param )` of a header value (RFC 3261 section 25.1) and stops at a comma or the end.
 * The first parameter called `wanted` (lower case) is left in `found`: its raw value, quotes included, or an empty
 * range when it has none; `found.start` is -1 when it is absent.
 */
export function skipParams(text: string, at: number, wanted: string): number {
  found.start = -1
  let index = skipSpace(text, at)
  while (text.charCodeAt(index) === 59) {
    const nameStart = skipSpace(text, index + 1)
    const nameEnd = skipClass(text, nameStart, TOKEN)
    if (nameEnd === nameStart) return -1
    let valueStart = nameEnd
    let valueEnd = nameEnd
    index = skipSpace(text, nameEnd)
    if (text.charCodeAt(index) === 61) {
      valueStart = skipSpace(text, index + 1)
      valueEnd = text.charCodeAt(valueStart) === 34 ? skipQuoted(text, valueStart) : skipClass(text, valueStart, PARAM_VALUE)
      if (valueEnd <= valueStart) return -1
      index = skipSpace(text, valueEnd)
    }
    if (found.start < 0 && sameName(text, nameStart, nameEnd, wanted)) {
      found.start = valueStart
      found.end = valueEnd
    }
  }
  return index >= text.length || text.charCodeAt(index) === 44 ? index : -1
}
