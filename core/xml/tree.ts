/**
 * What the reader makes of a document: a small tree, the document type as declared, or why it was refused.
 * Types and limits only; nothing here knows PAP.
 */

/** Octets of a document before decoding. */
export const XML_BYTES_MAX = 256 * 1024
export const XML_DEPTH_MAX = 8
export const XML_ELEMENTS_MAX = 2048
/** Attributes of one element. */
export const XML_ATTRIBUTES_MAX = 32
/** UTF-16 code units of one attribute's value. */
export const XML_ATTRIBUTE_LENGTH_MAX = 8 * 1024

export interface XmlElement {
  readonly name: string
  /** By name; no prototype, so `in` and `for in` see attributes only. */
  readonly attributes: Readonly<Record<string, string>>
  /** How many attributes there are. */
  readonly attributeCount: number
  readonly children: readonly XmlElement[]
  /** Character data directly inside this element, pieces joined. */
  readonly text: string
  /** Where the start tag begins in the document's `source`; `placeOf` makes line and column of it. */
  readonly offset: number
}

export interface XmlPlace {
  readonly line: number
  readonly column: number
}

export interface XmlInstruction {
  readonly target: string
  readonly body: string
}

/** The document type declaration. Its identifiers are names to compare, never places to fetch from. */
export interface Doctype {
  readonly name: string
  readonly publicId: string | undefined
  readonly systemId: string | undefined
  /** Processing instructions of the internal subset. */
  readonly instructions: readonly XmlInstruction[]
}

export interface XmlDocument {
  readonly ok: true
  readonly doctype: Doctype | undefined
  readonly root: XmlElement
  /** The decoded text. */
  readonly source: string
}

/** A refused document. `doctype` and `root` hold what was read before the fault, so that an answer can name what it answers. */
export interface XmlFailure {
  readonly ok: false
  readonly message: string
  readonly place: XmlPlace
  readonly doctype: Doctype | undefined
  readonly root: XmlElement | undefined
}

const LINE_BREAK = /\r\n?|\n/g

/** Line and column, both from 1, of an offset into a document's text. */
export function placeOf(source: string, offset: number): XmlPlace {
  let line = 1
  let lineStart = 0
  for (const lineBreak of source.slice(0, offset).matchAll(LINE_BREAK)) {
    line += 1
    lineStart = lineBreak.index + lineBreak[0].length
  }
  return { line, column: offset - lineStart + 1 }
}
