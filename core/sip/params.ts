/**
 * Parameters as they stay inside a header value or a URI: raw text like `;tag=1;+sip.instance="<urn:x>"`, searched and
 * edited without building a table. Knows `;name[=value]`; never what a parameter means.
 * Names are asked for in lower case. A parameter without a value reads as the empty string.
 */
import { sameName, skipQuoted, skipSpace, trimSpace } from './scan.js'

/** The first value of each parameter, by name in lower case. */
export function paramMap(params: string): Map<string, string> {
  const map = new Map<string, string>()
  for (const [written, value] of listParams(params)) {
    const name = written.toLowerCase()
    if (!map.has(name)) map.set(name, value)
  }
  return map
}

/** The raw value (quotes included) of the first parameter with this name, '' when it has none, undefined when absent. */
export function paramOf(params: string, name: string): string | undefined {
  for (let start = nextParam(params, 0); start < params.length; ) {
    if (sameName(params, start, start + name.length, name)) {
      const behind = skipSpace(params, start + name.length)
      const code = params.charCodeAt(behind)
      if (code === 61) return trimSpace(params.slice(behind + 1, paramEnd(params, behind)))
      if (code === 59 || behind >= params.length) return ''
    }
    start = nextParam(params, paramEnd(params, start))
  }
  return undefined
}

export function hasParam(params: string, name: string): boolean {
  return paramOf(params, name) !== undefined
}

/** All parameters in order: name as written, raw value ('' for none). */
export function listParams(params: string): [name: string, value: string][] {
  const list: [string, string][] = []
  for (let start = nextParam(params, 0); start < params.length; ) {
    const end = paramEnd(params, start)
    const nameEnd = paramNameEnd(params, start, end)
    if (nameEnd > start) list.push([params.slice(start, nameEnd), paramValue(params, nameEnd, end)])
    start = nextParam(params, end)
  }
  return list
}

/** The text without any parameter of this name. */
export function withoutParam(params: string, name: string): string {
  if (!hasParam(params, name)) return params
  let kept = ''
  for (const [each, value] of listParams(params)) if (each.toLowerCase() !== name) kept += paramText(each, value)
  return kept
}

/** The text with this parameter, at the end unless it was there; `value` is raw and '' writes the name alone. */
export function withParam(params: string, name: string, value: string): string {
  if (!hasParam(params, name)) return params + paramText(name, value)
  let written = false
  let text = ''
  for (const [each, old] of listParams(params)) {
    if (each.toLowerCase() !== name) text += paramText(each, old)
    else if (!written) {
      text += paramText(name, value)
      written = true
    }
  }
  return text
}

/** The text of a quoted string without its quotes and escapes; anything else as it is. */
export function unquote(value: string): string {
  if (value.charCodeAt(0) !== 34 || value.length < 2) return value
  const inner = value.slice(1, -1)
  return inner.includes('\\') ? inner.replace(/\\([\s\S])/g, '$1') : inner
}

function paramText(name: string, value: string): string {
  return value === '' ? `;${name}` : `;${name}=${value}`
}

/** The start of the next parameter's name: behind the semicolon and spaces at or after `at`. */
function nextParam(params: string, at: number): number {
  const index = skipSpace(params, at)
  return params.charCodeAt(index) === 59 ? skipSpace(params, index + 1) : index
}

/** The next semicolon outside quotes, or the end. */
function paramEnd(params: string, start: number): number {
  for (let at = start; at < params.length; at++) {
    const code = params.charCodeAt(at)
    if (code === 59) return at
    if (code !== 34) continue
    const behind = skipQuoted(params, at)
    if (behind < 0) return params.length
    at = behind - 1
  }
  return params.length
}

function paramNameEnd(params: string, start: number, end: number): number {
  for (let index = start; index < end; index++) {
    const code = params.charCodeAt(index)
    if (code === 61 || code === 32 || code === 9) return index
  }
  return end
}

function paramValue(params: string, nameEnd: number, end: number): string {
  const equals = skipSpace(params, nameEnd)
  return equals < end && params.charCodeAt(equals) === 61 ? trimSpace(params.slice(equals + 1, end)) : ''
}
