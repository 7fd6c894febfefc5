/**
 * PAP documents from XML: validation against the table of model.ts and the values of documents.ts, or a fault that says
 * what, where, and enough of the message for a fitting answer. Knows no multipart and no policy.
 */
import { readXml } from '../xml/read.js'
import { placeOf, type XmlElement, type XmlPlace } from '../xml/tree.js'
import { parsePapTime } from './dates.js'
import type { PapMessage } from './documents.js'
import { ADDRESSES_MAX, ID_LENGTH_MAX, messageRow, type AttributeRow, type ChildRow, type ElementRow } from './model.js'
import { negotiate, type PapForm, type ProtocolVersion } from './versions.js'

export interface PapDocument {
  readonly ok: true
  /** The form of every document that answers or follows this one. */
  readonly form: PapForm
  readonly productName: string | undefined
  readonly message: PapMessage
}

export interface PapFault {
  readonly ok: false
  readonly form: PapForm
  /** 3002 for a version we do not support, 2000 for everything else (WAP-247 section 8.12). */
  readonly code: 2000 | 3002
  /** For people: what is wrong, with line and column of the control entity. */
  readonly desc: string
  /** The message as far as it could be recognised: its element, and what an answer has to repeat. */
  readonly about: FaultSubject | undefined
}

export interface FaultSubject {
  readonly type: PapMessage['type']
  readonly pushId: string | undefined
  readonly queryId: string | undefined
  /** The first address-value, when there is one. */
  readonly address: string | undefined
}

/** Thrown by the walk below to leave it at once; never leaves this file. */
class Invalid {
  constructor(readonly what: string, readonly element: XmlElement) {}
}

type Values = Record<string, unknown>

/** Decodes one control entity. Never throws for what the entity holds. */
export function decodePap(source: Buffer | string): PapDocument | PapFault {
  const xml = readXml(source)
  const { version, supported, form } = negotiate(xml.doctype)
  if (!supported) {
    // Section 9.3: told in badmessage-response only, so there is nothing to repeat.
    const desc = `PAP ${version.major}.${version.minor} is not supported; 1.0 and 2.0 are`
    return { ok: false, form, code: 3002, desc, about: undefined }
  }
  if (!xml.ok) {
    const desc = atPlace(xml.message, xml.place)
    return { ok: false, form, code: 2000, desc, about: subjectOf(xml.root) }
  }
  try {
    const root = xml.root
    if (xml.doctype !== undefined && xml.doctype.name !== root.name) {
      throw new Invalid(`the document type is ${xml.doctype.name} and the root element ${root.name}`, root)
    }
    const message = decodeRoot(root, version)
    return { ok: true, form, productName: root.attributes['product-name'], message }
  } catch (thrown) {
    if (!(thrown instanceof Invalid)) throw thrown
    const desc = atPlace(thrown.what, placeOf(xml.source, thrown.element.offset))
    return { ok: false, form, code: 2000, desc, about: subjectOf(xml.root) }
  }
}

function atPlace(what: string, place: XmlPlace): string {
  return `${what} (line ${place.line}, column ${place.column})`
}

/** What can be said of a document that is not valid: the first child of `pap`, if it is a message. */
function subjectOf(root: XmlElement | undefined): FaultSubject | undefined {
  const child = root?.name === 'pap' ? root.children[0] : undefined
  const row = child === undefined ? undefined : messageRow(child.name)
  if (child === undefined || row === undefined) return undefined
  const pushId = child.attributes['push-id'] ?? ''
  return {
    type: row.name as PapMessage['type'],
    // One that breaks the rule for ids cannot be repeated in an answer that keeps it.
    pushId: pushId.length >= 1 && pushId.length <= ID_LENGTH_MAX ? pushId : undefined,
    queryId: child.attributes['query-id'],
    address: child.children.find((one) => one.name === 'address')?.attributes['address-value'],
  }
}

/** WAP-247 section 8.1: `pap` holds exactly one message. */
function decodeRoot(root: XmlElement, version: ProtocolVersion): PapMessage {
  // Section 9: a higher minor version only adds, so what it added may be passed over.
  const tolerant = version.major === 2 && version.minor > 0
  if (root.name !== 'pap') throw new Invalid(`the root element is ${root.name} and must be pap`, root)
  refuseText(root)
  if (!tolerant) {
    for (const name in root.attributes) {
      if (name !== 'product-name') throw new Invalid(`element pap has no attribute ${name}`, root)
    }
  }
  let message: PapMessage | undefined
  for (const child of root.children) {
    const row = messageRow(child.name)
    if (row === undefined) {
      if (tolerant) continue
      throw new Invalid(`${child.name} is not a PAP message`, child)
    }
    if (message !== undefined) throw new Invalid(`element pap holds a second message, ${child.name}`, child)
    message = decodeElement(row, child, version, tolerant, { type: row.name }) as unknown as PapMessage
  }
  if (message === undefined) throw new Invalid('element pap holds no message', root)
  return message
}

function decodeElement(row: ElementRow, element: XmlElement, version: ProtocolVersion, tolerant: boolean, values: Values): Values {
  refuseText(element)
  decodeAttributes(row, element, version, tolerant, values)
  const children = element.children
  let next = 0
  for (const childRow of row.children) {
    values[childRow.property] = childRow.many ? [] : undefined
    let count = 0
    for (; next < children.length; next++) {
      const child = children[next]!
      if (child.name === childRow.element.name && (childRow.many || count === 0)) {
        decodeChild(childRow, child, version, tolerant, values)
        count += 1
      } else if (!tolerant || row.children.some((other) => other.element.name === child.name)) {
        break
      }
    }
    if (count < childRow.min) throw new Invalid(missingChild(row, childRow, children[next]), children[next] ?? element)
    if (count > ADDRESSES_MAX) throw new Invalid(`element ${row.name} has more than ${ADDRESSES_MAX} ${childRow.element.name} elements`, element)
  }
  if (next < children.length && !(tolerant && row.children.length === 0)) {
    throw new Invalid(`element ${children[next]!.name} may not stand here in ${row.name}`, children[next]!)
  }
  return values
}

function decodeChild(row: ChildRow, child: XmlElement, version: ProtocolVersion, tolerant: boolean, values: Values): void {
  const decoded = decodeElement(row.element, child, version, tolerant, {})
  const value = row.element.bare ? decoded[row.element.attributes[0]!.property] : decoded
  if (row.many) (values[row.property] as unknown[]).push(value)
  else values[row.property] = value
}

function missingChild(row: ElementRow, childRow: ChildRow, found: XmlElement | undefined): string {
  const instead = found === undefined ? '' : `, not ${found.name}`
  return `element ${row.name} needs ${childRow.many ? 'at least one' : 'one'} ${childRow.element.name} here${instead}`
}

function decodeAttributes(row: ElementRow, element: XmlElement, version: ProtocolVersion, tolerant: boolean, values: Values): void {
  const attributes = element.attributes
  let known = 0
  for (const attributeRow of row.attributes) {
    const text = attributes[attributeRow.name]
    if (text !== undefined && !(attributeRow.sinceSecond && version.major < 2)) {
      known += 1
      values[attributeRow.property] = decodeValue(attributeRow, text, element)
    } else {
      if (attributeRow.required) throw new Invalid(`element ${row.name} needs the attribute ${attributeRow.name}`, element)
      values[attributeRow.property] = attributeRow.fallback
    }
  }
  if (known !== element.attributeCount && !tolerant) refuseUnknown(row, element, version)
}

function refuseUnknown(row: ElementRow, element: XmlElement, version: ProtocolVersion): void {
  for (const name in element.attributes) {
    const attributeRow = row.attributes.find((one) => one.name === name)
    if (attributeRow === undefined) throw new Invalid(`element ${row.name} has no attribute ${name}`, element)
    if (attributeRow.sinceSecond && version.major < 2) throw new Invalid(`element ${row.name} has no attribute ${name} in PAP 1.0`, element)
  }
}

function decodeValue(row: AttributeRow, text: string, element: XmlElement): unknown {
  switch (row.kind) {
    case 'text':
      return text
    case 'id':
      if (text.length >= 1 && text.length <= ID_LENGTH_MAX) return text
      throw new Invalid(`attribute ${row.name} must have 1 to ${ID_LENGTH_MAX} characters, it has ${text.length}`, element)
    case 'time': {
      const wall = parsePapTime(text)
      if (wall !== undefined) return wall
      throw wrongValue(row, text, 'an existing UTC time as YYYY-MM-DDThh:mm:ssZ', element)
    }
    case 'code':
      if (/^\d{4,5}$/.test(text)) return Number(text)
      throw wrongValue(row, text, 'four digits', element)
    case 'flag':
      if (text === 'true') return true
      if (text === 'false') return false
      throw wrongValue(row, text, 'true or false', element)
    default:
      if (row.kind.includes(text)) return text
      throw wrongValue(row, text, row.kind.join(', '), element)
  }
}

function wrongValue(row: AttributeRow, text: string, right: string, element: XmlElement): Invalid {
  return new Invalid(`attribute ${row.name} is "${text.slice(0, 64)}" and must be ${right}`, element)
}

/** No element of PAP holds character data (section 11.2). */
function refuseText(element: XmlElement): void {
  if (element.text !== '' && element.text.trim() !== '') throw new Invalid(`element ${element.name} may not hold text`, element)
}
