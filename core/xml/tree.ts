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
  readonly children: readonly XmlElement[]
  /** Character data directly inside this element, pieces joined. */
  readonly text: string
  /** Where the start tag begins, counted from 1. */
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
}

/** A refused document. `doctype` and `root` hold what was read before the fault, so that an answer can name what it answers. */
export interface XmlFailure {
  readonly ok: false
  readonly message: string
  readonly line: number
  readonly column: number
  readonly doctype: Doctype | undefined
  readonly root: XmlElement | undefined
}
