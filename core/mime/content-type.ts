/**
 * The Content-Type header field (RFC 2045 section 5.1): media type and parameters, read with the tolerances that push
 * initiators need and written strictly. Knows one header's text, not where it came from.
 */
import { assert } from '../kit/assert.js'

export interface ContentType {
  /** `type/subtype` in lower case. */
  readonly mediaType: string
  /** By name in lower case; values as sent, quotes and escapes removed. */
  readonly parameters: ReadonlyMap<string, string>
}

export const CONTENT_TYPE_LENGTH_MAX = 2048

const MEDIA_TYPE = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,127}\/[!#$%&'*+.^_`|~0-9A-Za-z-]{1,127}$/
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
const NO_PARAMETERS: ReadonlyMap<string, string> = new Map()

/** `type/subtype` in lower case, whatever the parameters are; undefined for a text that names none. */
export function mediaTypeOf(text: string): string | undefined {
  if (text.length > CONTENT_TYPE_LENGTH_MAX) return undefined
  const semicolon = text.indexOf(';')
  const mediaType = (semicolon < 0 ? text : text.slice(0, semicolon)).trim().toLowerCase()
  return MEDIA_TYPE.test(mediaType) ? mediaType : undefined
}

/**
 * Undefined for a text that names no media type or holds a malformed parameter. Accepted beyond the grammar: folding,
 * a value without quotes that holds `/` and other specials (`type=application/xml`), a trailing semicolon.
 */
export function parseContentType(text: string): ContentType | undefined {
  const mediaType = mediaTypeOf(text)
  if (mediaType === undefined) return undefined
  const semicolon = text.indexOf(';')
  if (semicolon < 0) return { mediaType, parameters: NO_PARAMETERS }
  const parameters = new Map<string, string>()
  let at = semicolon + 1
  while (at < text.length) {
    const equals = text.indexOf('=', at)
    if (equals < 0) return text.slice(at).replaceAll(';', '').trim() === '' ? { mediaType, parameters } : undefined
    const name = text.slice(at, equals).trim().toLowerCase()
    let start = equals + 1
    while (isBlank(text.charCodeAt(start))) start++
    let value: string
    if (text[start] === '"') {
      const end = closingQuote(text, start)
      if (end < 0) return undefined
      value = text.slice(start + 1, end)
      if (value.includes('\\')) value = value.replace(/\\([^])/g, '$1')
      at = end + 1
      while (isBlank(text.charCodeAt(at))) at++
      if (at < text.length && text[at] !== ';') return undefined
    } else {
      const end = text.indexOf(';', start)
      at = end < 0 ? text.length : end
      value = text.slice(start, at).trim()
      if (value === '') return undefined
    }
    if (!TOKEN.test(name) || parameters.has(name)) return undefined
    parameters.set(name, value)
    at += 1
  }
  return { mediaType, parameters }
}

/** The header's value. Parameter values that are no tokens are quoted. */
export function formatContentType(mediaType: string, parameters: Readonly<Record<string, string>>): string {
  let text = mediaType
  for (const [name, value] of Object.entries(parameters)) {
    assert(!/[\r\n\0]/.test(value), `parameter ${name} of a Content-Type holds a line break`)
    text += TOKEN.test(value) ? `; ${name}=${value}` : `; ${name}="${value.replace(/["\\]/g, '\\$&')}"`
  }
  return text
}

function closingQuote(text: string, open: number): number {
  for (let at = open + 1; at < text.length; at++) {
    if (text[at] === '\\') at += 1
    else if (text[at] === '"') return at
  }
  return -1
}

/** Space, tab, and the line breaks of a folded header. */
function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09 || code === 0x0d || code === 0x0a
}
