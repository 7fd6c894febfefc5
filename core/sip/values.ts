/**
 * Header values as lists and plain scalars: splitting at commas, taking the first of several, tokens, CSeq, integers.
 * Knows the generic grammar of RFC 3261 sections 7.3.1 and 25.1; addresses, Via and dates have modules of their own.
 */
import { Header, type HeaderId } from './header-names.js'
import { type HeaderText, parsedText } from './header-text.js'
import type { SipMessage } from './message.js'
import { TOKEN, isDigit, isSpace, sameName, skipClass, skipQuoted, skipSpace, trimSpace } from './scan.js'

/** CSeq must stay below 2^31 (RFC 3261 section 8.1.1.5). */
export const CSEQ_MAX = 2 ** 31 - 1
/** delta-seconds go up to 2^32 - 1 (RFC 3261 section 20.19). */
export const DELTA_SECONDS_MAX = 2 ** 32 - 1

/** Where the value that starts at `start` ends: at the next comma outside quotes and `<>`, or at the end of the text. */
export function valueEnd(text: string, start: number): number {
  // Most lines hold one value, and the search for a comma is native.
  if (!text.includes(',', start)) return text.length
  let inAngle = false
  for (let index = start; index < text.length; index++) {
    const code = text.charCodeAt(index)
    if (code === 34 && !inAngle) {
      const behind = skipQuoted(text, index)
      if (behind < 0) return text.length
      index = behind - 1
    } else if (code === 60) inAngle = true
    else if (code === 62) inAngle = false
    else if (code === 44 && !inAngle) return index
  }
  return text.length
}

/** The comma-separated values of one line, trimmed, empty ones left out. Never for challenges and credentials (section 7.3.1). */
export function splitValues(text: HeaderText): HeaderText[] {
  if (!text.includes(',')) return text === '' ? [] : [text]
  const values: HeaderText[] = []
  for (let start = 0; start <= text.length; ) {
    const end = valueEnd(text, start)
    const value = trimSpace(text.slice(start, end))
    if (value !== '') values.push(parsedText(value))
    start = end + 1
  }
  return values
}

/** Every value of every line with this id, in order. */
export function allValues(message: SipMessage, id: HeaderId): HeaderText[] {
  const values: HeaderText[] = []
  for (let index = 0; index < message.ids.length; index++) if (message.ids[index] === id) values.push(...splitValues(message.values[index]!))
  return values
}

/** The topmost value of a list header, or undefined. */
export function firstValue(message: SipMessage, id: HeaderId): HeaderText | undefined {
  const line = message.get(id)
  if (line === undefined) return undefined
  const end = valueEnd(line, 0)
  return end === line.length ? line : parsedText(trimSpace(line.slice(0, end)))
}

/** Takes the topmost value off (Via of a response, Route of a request), with its line when that was the last on it. */
export function removeFirstValue(message: SipMessage, id: HeaderId): void {
  const line = message.get(id)
  if (line === undefined) return
  const end = valueEnd(line, 0)
  const rest = trimSpace(line.slice(end + 1))
  if (rest === '') message.removeFirst(id)
  else message.replaceFirst(id, parsedText(rest))
}

/** Does a list of tokens (Supported, Require, Allow, Privacy ...) name this one? Without regard to case, except for methods, which differ by it anyway. */
export function listsToken(message: SipMessage, id: HeaderId, token: string): boolean {
  const wanted = token.toLowerCase()
  for (let index = 0; index < message.ids.length; index++) {
    if (message.ids[index] !== id) continue
    const line = message.values[index]!
    // Walked in place, since every REGISTER and every push asks.
    for (let start = 0; start < line.length; ) {
      const first = skipSpace(line, start)
      let end = first
      while (end < line.length && !isListSeparator(line.charCodeAt(end))) end++
      if (sameName(line, first, spaceBefore(line, first, end), wanted)) return true
      start = end + 1
    }
  }
  return false
}

function isListSeparator(code: number): boolean {
  return code === 44 || code === 59
}

/** Where the spaces begin that stand before `end`. */
function spaceBefore(text: string, start: number, end: number): number {
  while (end > start && isSpace(text.charCodeAt(end - 1))) end--
  return end
}

/** A whole number without sign, at most `max`; undefined for anything else. */
export function integerOf(text: string, max: number): number | undefined {
  let number = 0
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index)
    if (!isDigit(code)) return undefined
    number = number * 10 + code - 48
    if (number > max) return undefined
  }
  return text.length === 0 ? undefined : number
}

/** What Retry-After says, seconds; the comment and the parameters behind the number are for people (RFC 3261 section 20.33). Undefined without a number. */
export function retryAfterSeconds(response: SipMessage): number | undefined {
  const text = response.get(Header.RetryAfter)
  return text === undefined ? undefined : integerOf(/^\d*/.exec(text)![0], DELTA_SECONDS_MAX)
}

export interface CSeq {
  readonly number: number
  readonly method: string
}

/** RFC 3261 section 20.16; undefined when malformed or at 2^31 and above. */
export function parseCSeq(text: string): CSeq | undefined {
  let index = 0
  let number = 0
  for (; isDigit(text.charCodeAt(index)); index++) {
    number = number * 10 + text.charCodeAt(index) - 48
    if (number > CSEQ_MAX) return undefined
  }
  const start = skipSpace(text, index)
  const end = skipClass(text, start, TOKEN)
  if (index === 0 || start === index || end === start || end !== text.length) return undefined
  return { number, method: text.slice(start) }
}

/** The number alone, for a caller that has the method; -1 when malformed or at 2^31 and above. */
export function cseqNumber(text: string): number {
  let index = 0
  let number = 0
  for (; isDigit(text.charCodeAt(index)); index++) {
    number = number * 10 + text.charCodeAt(index) - 48
    if (number > CSEQ_MAX) return -1
  }
  return index === 0 ? -1 : number
}

/** `Content-Type` and its like: the part before the parameters, in lower case, without spaces. */
export function mediaType(text: string): string {
  const semicolon = text.indexOf(';')
  return (semicolon < 0 ? text : text.slice(0, semicolon)).replace(/[ \t]+/g, '').toLowerCase()
}
