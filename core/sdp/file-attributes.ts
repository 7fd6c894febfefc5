/**
 * The attributes of RFC 5547 section 6 as text and as values: file-selector, file-transfer-id, file-disposition, file-date,
 * file-range, file-icon. Each reader gives undefined for a malformed value; nothing here knows media lines.
 */
import { bug } from '../kit/assert.js'
import type { FileDateName, FileDescription, FileSelector } from './msrp-media.js'

const TOKEN = "[A-Za-z0-9!#$%&'*+\\-.^_`{|}~]+"
const MEDIA_TYPE = `${TOKEN}/${TOKEN}`
const WHOLE_TOKEN = new RegExp(`^${TOKEN}$`)
const WHOLE_TYPE = new RegExp(`^${MEDIA_TYPE}$`)
/** 1 name, 2 size, 3 type, 4 its parameters, 5 hash algorithm, 6 hash. */
const SELECTOR = new RegExp(
  ` *(?:name:"((?:[^"%\\r\\n\\0]|%[0-9A-Fa-f]{2})+)"|size:(\\d{1,15})|type:(${MEDIA_TYPE})((?:;${TOKEN}=(?:"[^"]*"|${TOKEN}))*)|hash:([A-Za-z0-9-]+):([0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2})*))(?= |$)`, 'y',
)
const DATE = / *(creation|modification|read):"([^"]{1,64})"(?= |$)/y
const RANGE = /^(\d{1,15})-(\d{1,15}|\*)$/

/** What stands behind `a=file-selector`, the colon included; '' is the capability form. A hash of another algorithm is passed over (section 6). */
export function parseFileSelector(text: string): FileSelector | undefined {
  if (text === '') return {}
  if (text[0] !== ':') return undefined
  const selector: { -readonly [Key in keyof FileSelector]: FileSelector[Key] } = {}
  for (let at = 1; at < text.length; ) {
    SELECTOR.lastIndex = at
    const parts = SELECTOR.exec(text)
    if (parts === null) return undefined
    at = SELECTOR.lastIndex
    if (parts[1] !== undefined) {
      const name = unescapeName(parts[1])
      if (name === undefined || selector.name !== undefined) return undefined
      selector.name = name
    } else if (parts[2] !== undefined) {
      if (selector.size !== undefined) return undefined
      selector.size = Number(parts[2])
    } else if (parts[3] !== undefined) {
      if (selector.type !== undefined) return undefined
      selector.type = parts[3].toLowerCase() + parts[4]!
    } else if (parts[5]!.toLowerCase() === 'sha-1') {
      const digits = parts[6]!.replaceAll(':', '').toLowerCase()
      if (digits.length !== 40 || selector.sha1 !== undefined) return undefined
      selector.sha1 = digits
    }
  }
  return selector
}

/** With its leading colon; '' for the capability form. */
export function fileSelectorText({ name, size, type, sha1 }: FileSelector): string {
  let text = ''
  if (name !== undefined && name !== '') text += ` name:"${escapeName(name)}"`
  if (type !== undefined) text += ` type:${type}`
  if (size !== undefined) text += ` size:${size}`
  if (sha1 !== undefined) text += ` hash:sha-1:${sha1.toUpperCase().match(/../g)!.join(':')}`
  return text === '' ? '' : `:${text.slice(1)}`
}

/** Any Content-Type as a type selector: its type and subtype, without parameters; undefined when it has none. */
export function selectorType(contentType: string): string | undefined {
  const semicolon = contentType.indexOf(';')
  const type = (semicolon < 0 ? contentType : contentType.slice(0, semicolon)).trim().toLowerCase()
  return WHOLE_TYPE.test(type) ? type : undefined
}

/** Section 6: NUL, CR, LF, the quote and the percent sign cannot stand in a name as they are. */
function escapeName(name: string): string {
  // eslint-disable-next-line no-control-regex -- control characters are exactly what is looked for
  return name.replace(/[\0\r\n"%]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`)
}

/** Escapes stand for octets of UTF-8; undefined when those are none. */
function unescapeName(text: string): string | undefined {
  if (!text.includes('%')) return text
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

export function parseTransferId(text: string): string | undefined {
  return text.length <= 256 && WHOLE_TOKEN.test(text) ? text : undefined
}

export function parseDates(text: string): Partial<Record<FileDateName, string>> | undefined {
  const dates: Partial<Record<FileDateName, string>> = {}
  for (let at = 0; at < text.length; ) {
    DATE.lastIndex = at
    const parts = DATE.exec(text)
    if (parts === null) return undefined
    at = DATE.lastIndex
    dates[parts[1] as FileDateName] = parts[2]!
  }
  return dates
}

function datesText(dates: Readonly<Partial<Record<FileDateName, string>>>): string {
  return (['creation', 'modification', 'read'] as const).flatMap((name) => (dates[name] === undefined ? [] : [`${name}:"${dates[name]}"`])).join(' ')
}

export function parseRange(text: string): FileDescription['range'] {
  const parts = RANGE.exec(text)
  if (parts === null || Number(parts[1]) < 1) return undefined
  const stop = parts[2] === '*' ? undefined : Number(parts[2])
  return stop !== undefined && stop < Number(parts[1]) ? undefined : { start: Number(parts[1]), stop }
}

/** Every attribute of this file, without `a=`. */
export function fileAttributes(file: FileDescription): string[] {
  const lines = [`file-selector${fileSelectorText(file.selector)}`]
  if (file.transferId !== undefined) lines.push(`file-transfer-id:${token(file.transferId)}`)
  if (file.disposition !== undefined) lines.push(`file-disposition:${token(file.disposition)}`)
  if (file.dates !== undefined && datesText(file.dates) !== '') lines.push(`file-date:${datesText(file.dates)}`)
  if (file.icon !== undefined) lines.push(`file-icon:${file.icon}`)
  if (file.range !== undefined) lines.push(`file-range:${file.range.start}-${file.range.stop ?? '*'}`)
  return lines
}

function token(text: string): string {
  return WHOLE_TOKEN.test(text) ? text : bug(`${JSON.stringify(text)} is no token and cannot stand in a file attribute`)
}
