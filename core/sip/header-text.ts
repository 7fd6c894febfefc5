/**
 * The only way to make text for a header line or a start line. A `HeaderText` cannot hold CR or LF, so no data can
 * end a line early; NUL stands in it only where the parser met it escaped in a quoted string (RFC 3261 section 25.1).
 * Octets above 127 are UTF-8, kept as one character per octet, as on the wire.
 */
import { bug } from '../kit/assert.js'

declare const headerText: unique symbol
/** Text proven free of CR and LF, every character one octet. */
export type HeaderText = string & { readonly [headerText]: true }

const TOKEN = /^[A-Za-z0-9\-.!%*_+`'~]+$/
// eslint-disable-next-line no-control-regex -- control characters are exactly what is looked for
const LINE_BREAKING = /[\r\n\0]/
/** A character above 255 would lose its upper bits on the wire, and could become a line break there. */
// eslint-disable-next-line no-control-regex -- as above
const UNWRITABLE = /[\r\n\u0100-\uffff]/

/** Text that the parser cut out of a line: it holds no line break because lines were cut there. */
export function parsedText(text: string): HeaderText {
  return text as HeaderText
}

/** For texts composed of parts that are known to be clean (constants, numbers, tokens, other header texts). A line break, or a character that is no octet, is our bug. */
export function composed(text: string): HeaderText {
  if (UNWRITABLE.test(text)) bug(`a header text with a line break or a character above 255 was composed: ${JSON.stringify(text.slice(0, 80))}`)
  return text as HeaderText
}

/** A number as header text: its digits need no check. */
export function numberText(value: number): HeaderText {
  return String(value) as HeaderText
}

/** Data from outside as header text, its characters above 127 as UTF-8 octets; undefined when it holds CR, LF or NUL. */
export function textOf(data: string): HeaderText | undefined {
  if (LINE_BREAKING.test(data)) return undefined
  return (isAscii(data) ? data : Buffer.from(data, 'utf8').toString('latin1')) as HeaderText
}

/** A token (RFC 3261 section 25.1); undefined when the data is not one. */
export function tokenText(data: string): HeaderText | undefined {
  return TOKEN.test(data) ? (data as HeaderText) : undefined
}

/** A quoted string with `"` and `\` escaped; undefined when the data holds CR, LF or NUL. */
export function quotedText(data: string): HeaderText | undefined {
  if (isPlain(data)) return `"${data}"` as HeaderText
  const text = textOf(data)
  return text === undefined ? undefined : (`"${text.replace(/["\\]/g, '\\$&')}"` as HeaderText)
}

/** Several header texts as one: none of them holds a line break, and so neither do they together. */
export function joined(texts: readonly HeaderText[]): HeaderText {
  return texts.join('') as HeaderText
}

/** Nothing but printable ASCII, and nothing that would need an escape in quotes: almost every text is so. */
function isPlain(text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index)
    if (code < 32 || code > 126 || code === 34 || code === 92) return false
  }
  return true
}

/** A header's octets as readable text. */
export function readable(text: string): string {
  return isAscii(text) ? text : Buffer.from(text, 'latin1').toString('utf8')
}

function isAscii(text: string): boolean {
  for (let index = 0; index < text.length; index++) if (text.charCodeAt(index) > 127) return false
  return true
}
