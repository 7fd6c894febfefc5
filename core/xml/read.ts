/**
 * The reader: a document from outside into a small tree, or a refusal that names line and column. Well-formedness is
 * saxes' work; this file adds the limits, the refusal of declarations, and the tree. Nothing is fetched or expanded.
 */
import { SaxesParser } from 'saxes'
import { readDoctype } from './doctype.js'
import { decodeText } from './encoding.js'
import {
  XML_ATTRIBUTE_LENGTH_MAX, XML_ATTRIBUTES_MAX, XML_BYTES_MAX, XML_DEPTH_MAX, XML_ELEMENTS_MAX, placeOf,
  type Doctype, type XmlDocument, type XmlElement, type XmlFailure, type XmlPlace,
} from './tree.js'

/** Thrown out of the parser's handlers to stop it at once; never leaves this file. */
class Refused {
  constructor(readonly message: string, readonly place: XmlPlace) {}
}

interface GrowingElement extends XmlElement {
  readonly children: GrowingElement[]
  text: string
}

/**
 * The parser with its handlers. Each handler is one more property of the parser object, and V8 gives up fast access to
 * all of them when there are more than a few: with an eighth handler a document takes five times as long.
 */
class TreeReader {
  private readonly parser = new SaxesParser<{ position: false; xmlns: false }>({ position: false, xmlns: false })
  private source = ''
  private open: GrowingElement[] = []
  private elements = 0
  doctype: Doctype | undefined
  root: GrowingElement | undefined

  constructor() {
    const parser = this.parser
    parser.on('error', (error) => this.refuse(error.message.replace(/\.$/, '')))
    parser.on('doctype', (text) => this.onDoctype(text))
    parser.on('opentag', (tag) => this.onOpen(tag.name, tag.attributes))
    parser.on('closetag', () => this.open.pop())
    parser.on('text', (text) => this.onText(text))
    parser.on('cdata', (text) => this.onText(text))
  }

  /** Reads the whole document; throws `Refused`, after which this reader is spent. */
  read(source: string): void {
    this.source = source
    this.open = []
    this.elements = 0
    this.doctype = undefined
    this.root = undefined
    this.parser.write(source).close()
  }

  private refuse(message: string): never {
    throw new Refused(message, { line: this.parser.line, column: Math.max(1, this.parser.column) })
  }

  private onDoctype(text: string): void {
    const { doctype, refusal } = readDoctype(text)
    this.doctype = doctype
    if (refusal === undefined) return
    const start = this.source.indexOf('<!DOCTYPE')
    const at = refusal.markup === '<!DOCTYPE' ? start : Math.max(start, this.source.indexOf(refusal.markup, start + 9))
    throw new Refused(refusal.message, placeOf(this.source, at))
  }

  private onOpen(name: string, attributes: Record<string, string>): void {
    if (this.open.length >= XML_DEPTH_MAX) this.refuse(`elements are nested deeper than ${XML_DEPTH_MAX}`)
    if (++this.elements > XML_ELEMENTS_MAX) this.refuse(`the document has more than ${XML_ELEMENTS_MAX} elements`)
    const attributeCount = this.countAttributes(name, attributes)
    // The parser stands behind the tag, and no attribute value holds a `<`.
    const offset = this.source.lastIndexOf('<', this.parser.position - 1)
    const element: GrowingElement = { name, attributes, attributeCount, children: [], text: '', offset }
    const parent = this.open[this.open.length - 1]
    if (parent === undefined) this.root ??= element
    else parent.children.push(element)
    this.open.push(element)
  }

  private countAttributes(element: string, attributes: Readonly<Record<string, string>>): number {
    let count = 0
    for (const name in attributes) {
      if (++count > XML_ATTRIBUTES_MAX) this.refuse(`element ${element.slice(0, 80)} has more than ${XML_ATTRIBUTES_MAX} attributes`)
      if (attributes[name]!.length > XML_ATTRIBUTE_LENGTH_MAX) {
        this.refuse(`attribute ${name.slice(0, 80)} is longer than ${XML_ATTRIBUTE_LENGTH_MAX} characters`)
      }
    }
    return count
  }

  private onText(text: string): void {
    const element = this.open[this.open.length - 1]
    if (element !== undefined) element.text += text
  }
}

/** One reader serves all documents, one after the other; a refusal leaves it in the middle of one, so it is replaced then. */
let reader = new TreeReader()

/**
 * Reads one document. Octets are decoded by byte order mark and declaration; a string is taken as already decoded.
 * Whitespace before the XML declaration is passed over (initiators send it); lines and columns count from the first markup.
 */
export function readXml(source: Buffer | string): XmlDocument | XmlFailure {
  if (source.length > XML_BYTES_MAX) return failure(`the document is larger than ${XML_BYTES_MAX} octets`)
  const decoded = typeof source === 'string' ? { ok: true as const, text: source.trimStart() } : decodeText(source)
  if (!decoded.ok) return failure(decoded.message)
  try {
    reader.read(decoded.text)
    return { ok: true, doctype: reader.doctype, root: reader.root!, source: decoded.text }
  } catch (thrown) {
    const { doctype, root } = reader
    reader = new TreeReader()
    if (!(thrown instanceof Refused)) throw thrown
    return { ok: false, message: thrown.message, place: thrown.place, doctype, root }
  }
}

function failure(message: string): XmlFailure {
  return { ok: false, message, place: { line: 1, column: 1 }, doctype: undefined, root: undefined }
}
