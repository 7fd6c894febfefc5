/**
 * The lexical rules of RFC 3261 section 25.1 as pieces of regular expressions, from which via.ts, uri.ts and
 * name-addr.ts build theirs. Every piece is written so that a text which does not fit fails in linear time: no two
 * alternatives, and no two neighbouring repetitions, can begin with the same character.
 */

/** Spaces as they may stand around separators; line breaks are gone by then. */
export const SPACE = '[ \\t]*'
export const TOKEN = "[A-Za-z0-9\\-.!%*_+`'~]+"
/** A quoted string with its quotes. */
export const QUOTED = '"[^"\\\\]*(?:\\\\[^][^"\\\\]*)*"'
/** A host name, an IPv4 address, or an IPv6 reference whose groups are not counted. */
export const HOST = '(?:[A-Za-z0-9.\\-]+|\\[[0-9A-Fa-f:.]{2,}\\])'
/** Unquoted: a token, a host, and the marks seen in the field. */
const PARAM_VALUE = `(?:${QUOTED}|[A-Za-z0-9\\-.!%*_+\`'~\\[\\]:/@=&$?]+)`
/** `*( SEMI generic-param )`, spaces allowed around both separators. */
export const PARAMS = `(?:${SPACE};${SPACE}${TOKEN}(?:${SPACE}=${SPACE}${PARAM_VALUE})?)*`
/** Where one of several comma-separated values ends; the comma is not taken. */
export const VALUE_END = `${SPACE}(?=,|$)`

/** A run of plain characters (the inside of a character class) with `%HH` escapes between. */
export function escaped(plain: string): string {
  return `[${plain}]*(?:%[0-9A-Fa-f]{2}[${plain}]*)*`
}
