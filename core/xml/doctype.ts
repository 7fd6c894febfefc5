/**
 * The document type declaration, from the text between `<!DOCTYPE` and its `>`. The internal subset may hold
 * whitespace, comments and processing instructions; every declaration and parameter entity is refused, so there is
 * nothing to expand. Identifiers are read and never fetched.
 */
import type { Doctype, XmlInstruction } from './tree.js'

export interface DoctypeReading {
  readonly doctype: Doctype
  /** Why the declaration is refused, and the markup at fault; undefined when it is fine. */
  readonly refusal: { readonly message: string; readonly markup: string } | undefined
}

const NAME = /^\s*([^\s["'<>[\]]+)/
const EXTERNAL = /^\s+(?:PUBLIC\s+(?:"([^"]*)"|'([^']*)')(?:\s*(?:"([^"]*)"|'([^']*)'))?|SYSTEM\s+(?:"([^"]*)"|'([^']*)'))/
const INSTRUCTION = /^([^\s?]+)\s*([^]*)$/
const MARKUP = /^(?:<!?[A-Za-z[]*|%|\S)/

let latestText = ''
let latest: DoctypeReading | undefined

/**
 * Reads a declaration whose outer form the parser has already accepted. The latest one is kept, because an initiator's
 * documents all begin alike.
 */
export function readDoctype(text: string): DoctypeReading {
  if (latest === undefined || text !== latestText) {
    latest = readAnew(text)
    latestText = text
  }
  return latest
}

function readAnew(text: string): DoctypeReading {
  const name = NAME.exec(text)
  let rest = name === null ? text : text.slice(name[0].length)
  const external = EXTERNAL.exec(rest)
  if (external !== null) rest = rest.slice(external[0].length)
  const instructions: XmlInstruction[] = []
  const doctype: Doctype = {
    name: name?.[1] ?? '',
    publicId: external?.[1] ?? external?.[2],
    systemId: external?.[3] ?? external?.[4] ?? external?.[5] ?? external?.[6],
    instructions,
  }
  rest = rest.trimStart()
  if (rest !== '' && !rest.startsWith('[')) {
    return { doctype, refusal: { message: 'the document type declaration is malformed after its name', markup: '<!DOCTYPE' } }
  }
  return { doctype, refusal: rest === '' ? undefined : readSubset(rest, instructions) }
}

function readSubset(text: string, instructions: XmlInstruction[]): DoctypeReading['refusal'] {
  let at = 1
  for (;;) {
    while (at < text.length && isSpace(text.charCodeAt(at))) at++
    if (text.startsWith('<?', at)) {
      const end = text.indexOf('?>', at + 2)
      if (end < 0) return { message: 'a processing instruction of the internal subset is not closed', markup: '<?' }
      const instruction = INSTRUCTION.exec(text.slice(at + 2, end))
      if (instruction === null) return { message: 'a processing instruction of the internal subset has no target', markup: '<?' }
      instructions.push({ target: instruction[1]!, body: instruction[2]!.trimEnd() })
      at = end + 2
    } else if (text.startsWith('<!--', at)) {
      const end = text.indexOf('-->', at + 4)
      if (end < 0) return { message: 'a comment of the internal subset is not closed', markup: '<!--' }
      at = end + 3
    } else if (text.startsWith(']', at) && text.slice(at + 1).trim() === '') {
      return undefined
    } else {
      const markup = MARKUP.exec(text.slice(at, at + 24))?.[0] ?? '<!DOCTYPE'
      return { message: `the internal subset holds ${markup}; only comments and processing instructions are allowed there`, markup }
    }
  }
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09
}
