/**
 * PAP documents to XML, by the table of model.ts: one line, no whitespace between elements, attributes in double
 * quotes, an attribute that equals its DTD default left out. Knows no multipart.
 */
import { bug } from '../kit/assert.js'
import { escapeXml } from '../xml/write.js'
import { codeAllowed, type CodeElement } from './codes.js'
import { formatPapTime } from './dates.js'
import type { PapMessage } from './documents.js'
import { MESSAGES, type AttributeRow, type ChildRow, type ElementRow } from './model.js'
import { PROLOGUES, type PapForm } from './versions.js'

type Values = Readonly<Record<string, unknown>>

/** One whole document. A message that the DTD or the table of codes does not allow is our own mistake and throws. */
export function encodePap(message: PapMessage, form: PapForm, productName?: string): string {
  const pap = productName === undefined ? '<pap>' : `<pap product-name="${escapeXml(productName)}">`
  return `${PROLOGUES[form]}${pap}${encodeElement(MESSAGES[message.type], message as unknown as Values, form)}</pap>`
}

function encodeElement(row: ElementRow, values: Values, form: PapForm): string {
  let xml = `<${row.name}`
  for (const attribute of row.attributes) {
    const value = values[attribute.property]
    if (value === undefined) {
      if (attribute.required) bug(`${row.name} was encoded without ${attribute.name}`)
    } else if (value !== attribute.fallback) {
      if (attribute.sinceSecond && form !== '2.0') bug(`${row.name} was encoded with ${attribute.name} in PAP 1.0`)
      xml += attribute.opening + encodeValue(row, attribute, value) + '"'
    }
  }
  if (row.children.length === 0) return `${xml}/>`
  let inner = ''
  for (const child of row.children) inner += encodeChildren(row, child, values[child.property], form)
  return inner === '' ? `${xml}/>` : `${xml}>${inner}</${row.name}>`
}

function encodeChildren(parent: ElementRow, row: ChildRow, value: unknown, form: PapForm): string {
  const count = value === undefined ? 0 : row.many ? (value as readonly unknown[]).length : 1
  if (count < row.min) bug(`${parent.name} was encoded without ${row.element.name}`)
  if (count === 0) return ''
  if (!row.many) return encodeChild(row.element, value, form)
  let xml = ''
  for (const item of value as readonly unknown[]) xml += encodeChild(row.element, item, form)
  return xml
}

function encodeChild(row: ElementRow, value: unknown, form: PapForm): string {
  return row.bare ? `<${row.name}${row.attributes[0]!.opening}${escapeXml(value as string)}"/>` : encodeElement(row, value as Values, form)
}

function encodeValue(row: ElementRow, attribute: AttributeRow, value: unknown): string {
  switch (attribute.kind) {
    case 'time':
      return formatPapTime(value as number)
    case 'code':
      // Section 8.13: each code has the elements it may stand in.
      if (!codeAllowed(row.name as CodeElement, value as number)) bug(`code ${String(value)} may not stand in ${row.name}`)
      return `${value as number}`
    case 'flag':
      return value === true ? 'true' : 'false'
    default:
      return escapeXml(value as string)
  }
}
