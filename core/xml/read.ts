/**
 * The reader: a document from outside into a small tree, or a refusal that names line and column. Well-formedness is
 * saxes' work; this file adds the limits, the refusal of declarations, and the tree. Nothing is fetched or expanded.
 */
import { SaxesParser, type SaxesTagPlain } from 'saxes'
import { readDoctype } from './doctype.js'
import { decodeText } from './encoding.js'
import {
  XML_ATTRIBUTE_LENGTH_MAX, XML_ATTRIBUTES_MAX, XML_BYTES_MAX, XML_DEPTH_MAX, XML_ELEMENTS_MAX,
  type Doctype, type XmlDocument, type XmlElement, type XmlFailure,
} from './tree.js'

/** Thrown out of the parser's handlers to stop it at once; never leaves this file. */
class Refused {
  constructor(readonly message: string, readonly line: number, readonly column: number) {}
}

interface GrowingElement extends XmlElement {
  readonly children: GrowingElement[]
  text: string
}

class TreeReader {
  private readonly parser = new SaxesParser<{ position: false; xmlns: false }>({ position: false, xmlns: false })
  private source = ''
  private open: GrowingElement[] = []
  private elements = 0
  private attributes = 0
  private line = 1
  private column = 1
  doctype: Doctype | undefined
  root: GrowingElement | undefined

  constructor() {
    const parser = this.parser
    parser.on('error', (error) => this.refuse(error.message.replace(/\.$/, '')))
    parser.on('doctype', (text) => this.onDoctype(text))
    parser.on('opentagstart', (tag) => this.onStart(tag.name))
    parser.on('attribute', (attribute) => this.onAttribute(attribute))
    parser.on('opentag', (tag) => this.onOpen(tag))
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
    throw new Refused(message, this.parser.line, Math.max(1, this.parser.column))
  }

  private onDoctype(text: string): void {
    const { doctype, refusal } = readDoctype(text)
    this.doctype = doctype
    if (refusal === undefined) return
    const start = this.source.indexOf('<!DOCTYPE')
    const after = refusal.markup === '<!DOCTYPE' ? start : Math.max(start, this.source.indexOf(refusal.markup, start + 9))
    const place = placeOf(this.source, after)
    throw new Refused(refusal.message, place.line, place.column)
  }

  private onStart(name: string): void {
    if (this.open.length >= XML_DEPTH_MAX) this.refuse(`elements are nested deeper than ${XML_DEPTH_MAX}`)
    if (++this.elements > XML_ELEMENTS_MAX) this.refuse(`the document has more than ${XML_ELEMENTS_MAX} elements`)
    this.attributes = 0
    // The parser stands one character behind the name; behind a line break it no longer knows the column of the tag.
    if (this.parser.column > 0) {
      this.line = this.parser.line
      this.column = this.parser.column - name.length - 1
    } else {
      const place = placeOf(this.source, this.source.lastIndexOf('<', this.parser.position - 1))
      this.line = place.line
      this.column = place.column
    }
  }

  private onAttribute(attribute: { name: string; value: string }): void {
    if (++this.attributes > XML_ATTRIBUTES_MAX) this.refuse(`an element has more than ${XML_ATTRIBUTES_MAX} attributes`)
    if (attribute.value.length > XML_ATTRIBUTE_LENGTH_MAX) {
      this.refuse(`attribute ${attribute.name.slice(0, 80)} is longer than ${XML_ATTRIBUTE_LENGTH_MAX} characters`)
    }
  }

  private onOpen(tag: SaxesTagPlain): void {
    const element: GrowingElement = {
      name: tag.name, attributes: tag.attributes, children: [], text: '', line: this.line, column: this.column,
    }
    const parent = this.open[this.open.length - 1]
    if (parent === undefined) this.root ??= element
    else parent.children.push(element)
    this.open.push(element)
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
    return { ok: true, doctype: reader.doctype, root: reader.root! }
  } catch (thrown) {
    const { doctype, root } = reader
    reader = new TreeReader()
    if (!(thrown instanceof Refused)) throw thrown
    return { ok: false, message: thrown.message, line: thrown.line, column: thrown.column, doctype, root }
  }
}

function failure(message: string): XmlFailure {
  return { ok: false, message, line: 1, column: 1, doctype: undefined, root: undefined }
}

/** Line and column, from 1, of an offset into a text. */
function placeOf(text: string, offset: number): { readonly line: number; readonly column: number } {
  let line = 1
  let lineStart = 0
  for (let at = text.indexOf('\n'); at >= 0 && at < offset; at = text.indexOf('\n', at + 1)) {
    line += 1
    lineStart = at + 1
  }
  return { line, column: offset - lineStart + 1 }
}
