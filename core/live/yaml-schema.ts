/**
 * YAML (or JSON) text to a typed value by an Effect Schema, with every problem told at its line and column: syntax,
 * wrong values, missing keys, and keys nobody knows with the nearest one that is known. It knows no configuration
 * and no scenario; both are read by it.
 */
import * as Either from 'effect/Either'
import * as ParseResult from 'effect/ParseResult'
import * as Schema from 'effect/Schema'
import * as SchemaAST from 'effect/SchemaAST'
import { isMap, isNode, isPair, isScalar, LineCounter, parseDocument, type Document } from 'yaml'
import { nearest } from './nearest.js'

/** A file is written by people; what is larger was not meant to be one. */
const TEXT_CHARACTERS_MAX = 1024 * 1024
const KNOWN_KEYS_SHOWN = 12

export interface YamlProblem {
  readonly file: string
  /** From 1. */
  readonly line: number
  /** From 1. */
  readonly column: number
  /** Dotted, as in `load.rate`; empty for the whole document. */
  readonly path: string
  readonly message: string
  /** What would be right, where it can be guessed: `did you mean "rate"?`. */
  readonly suggestion: string | undefined
}

export type YamlDecoded<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly problems: readonly YamlProblem[] }

/** An empty text counts as an empty mapping, so that a file of defaults may be empty. Problems come in the order of the file. */
export function decodeYaml<Value, Written>(schema: Schema.Schema<Value, Written>, text: string, file: string): YamlDecoded<Value> {
  const at = (line: number, column: number, message: string): YamlProblem => ({ file, line, column, path: '', message, suggestion: undefined })
  if (text.length > TEXT_CHARACTERS_MAX) return { ok: false, problems: [at(1, 1, `the file holds more than ${TEXT_CHARACTERS_MAX} characters`)] }
  const lines = new LineCounter()
  const document = parsed(text, lines)
  if (document === undefined) return { ok: false, problems: [at(1, 1, 'the file is nested too deeply to be read')] }
  if (document.errors.length > 0) {
    return { ok: false, problems: document.errors.map((error) => {
      const { line, col } = lines.linePos(error.pos[0])
      return at(Math.max(line, 1), Math.max(col, 1), error.message)
    }) }
  }
  let written: unknown
  try {
    written = document.toJS() ?? {}
  } catch (error) {
    return { ok: false, problems: [at(1, 1, error instanceof Error ? error.message : String(error))] }
  }
  return decode(schema, written, file, (path, atKey) => {
    const { line, col } = lines.linePos(offsetOf(document, path, atKey))
    return { line: Math.max(line, 1), column: Math.max(col, 1) }
  })
}

/** The same for what is data already (a message to a part). Throws an Error whose text tells every problem by its path. */
export function decodeData<Value, Written>(schema: Schema.Schema<Value, Written>, data: unknown, name: string): Value {
  const decoded = decode(schema, data, name, () => ({ line: 0, column: 0 }))
  if (decoded.ok) return decoded.value
  throw new Error(decoded.problems.map(({ path, message, suggestion }) => `${name}: ${sentence(path, message, suggestion)}`).join('\n'))
}

/** The parser tells every mistake but one: it calls itself for each level, and a text of brackets only ends its stack. */
function parsed(text: string, lines: LineCounter): Document.Parsed | undefined {
  try {
    return parseDocument(text, { lineCounter: lines, prettyErrors: false })
  } catch {
    return undefined
  }
}

type Placed = (path: readonly PropertyKey[], atKey: boolean) => { readonly line: number; readonly column: number }

function decode<Value, Written>(schema: Schema.Schema<Value, Written>, written: unknown, file: string, place: Placed): YamlDecoded<Value> {
  const decoded = Schema.decodeUnknownEither(schema, { errors: 'all', onExcessProperty: 'error' })(written)
  if (Either.isRight(decoded)) return { ok: true, value: decoded.right }
  const encoded = Schema.encodedSchema(schema).ast
  const problems = ParseResult.ArrayFormatter.formatErrorSync(decoded.left).map((issue): YamlProblem => {
    const unknown = issue._tag === 'Unexpected'
    const where = { file, ...place(issue.path, unknown), path: issue.path.map(String).join('.') }
    if (!unknown) return { ...where, message: issue.message, suggestion: undefined }
    const key = String(issue.path.at(-1))
    return { ...where, message: `"${key}" is not known here`, suggestion: suggestionFor(key, knownKeys(encoded, issue.path.slice(0, -1))) }
  })
  return { ok: false, problems: merged(problems) }
}

/** One line per problem: `file:line:column path: message; suggestion`. */
export function formatProblems(problems: readonly YamlProblem[]): string {
  return problems.map(({ file, line, column, path, message, suggestion }) => `${file}:${line}:${column} ${sentence(path, message, suggestion)}`).join('\n')
}

function sentence(path: string, message: string, suggestion: string | undefined): string {
  return `${path === '' ? '' : `${path}: `}${message}${suggestion === undefined ? '' : `; ${suggestion}`}`
}

function suggestionFor(key: string, known: readonly string[]): string | undefined {
  const near = nearest(key, known)
  if (near !== undefined) return `did you mean "${near}"?`
  if (known.length === 0) return undefined
  return `known here: ${known.slice(0, KNOWN_KEYS_SHOWN).join(', ')}${known.length > KNOWN_KEYS_SHOWN ? ', ...' : ''}`
}

/**
 * A union tells each of its members' complaints: what was expected at one place becomes one sentence, the same words are
 * said once, and that a key may be left out (`undefined`) helps nobody. In the order of the file.
 */
function merged(problems: readonly YamlProblem[]): YamlProblem[] {
  const seen = new Map<string, YamlProblem>()
  const expected = new Map<string, string[]>()
  for (const problem of problems) {
    const [, wanted, actual] = /^Expected (.*), actual (.*)$/s.exec(problem.message) ?? []
    if (wanted === undefined || actual === undefined) {
      seen.set(`${problem.path}\n${problem.message}`, problem)
      continue
    }
    if (wanted === 'undefined') continue
    const words = expected.get(problem.path) ?? []
    if (!words.includes(inWords(wanted))) words.push(inWords(wanted))
    expected.set(problem.path, words)
    const near = nearest(actual.replaceAll('"', ''), words.filter((word) => word.startsWith('"')).map((word) => word.slice(1, -1)))
    const message = actual === 'null' ? `is empty; write ${words.join(' or ')}, or leave it out` : `write ${words.join(' or ')}, not ${shortened(actual)}`
    seen.set(`${problem.path}\n`, { ...problem, message, suggestion: near === undefined ? undefined : `did you mean "${near}"?` })
  }
  return [...seen.values()].sort((a, b) => a.line - b.line || a.column - b.column)
}

/** Effect's name of a type in words for people. */
function inWords(type: string): string {
  if (type === 'string') return 'a text'
  if (type === 'number') return 'a number'
  if (type === 'boolean') return 'true or false'
  if (/^(?:ReadonlyArray|readonly \[)/.test(type)) return 'a list'
  if (/^(?:Struct|\{)/.test(type)) return 'keys with their values'
  return type
}

function shortened(text: string): string {
  return text.length > 60 ? `${text.slice(0, 57)}...` : text
}

/** Where the value at `path` starts, or its key; for what is missing, the nearest thing around it. */
function offsetOf(document: Document, path: readonly PropertyKey[], atKey: boolean): number {
  let node: unknown = document.contents
  let offset = startOf(node) ?? 0
  path.forEach((step, index) => {
    const last = index === path.length - 1
    if (isMap(node)) {
      const pair = node.items.find((item) => isPair(item) && isScalar(item.key) && String(item.key.value) === String(step))
      if (pair === undefined) {
        node = undefined
        return
      }
      offset = (last && atKey ? startOf(pair.key) : (startOf(pair.value) ?? startOf(pair.key))) ?? offset
      node = pair.value
    } else {
      node = isNode(node) ? document.getIn(path.slice(0, index + 1), true) : undefined
      offset = startOf(node) ?? offset
    }
  })
  return offset
}

function startOf(node: unknown): number | undefined {
  return isNode(node) ? node.range?.[0] : undefined
}

/** The keys a schema knows at `path`, whichever member of a union holds them. */
function knownKeys(ast: SchemaAST.AST, path: readonly PropertyKey[]): string[] {
  let places: SchemaAST.AST[] = flatten(ast)
  for (const step of path) places = places.flatMap((place) => childrenAt(place, step)).flatMap(flatten)
  return [...new Set(places.flatMap((place) => (SchemaAST.isTypeLiteral(place) ? place.propertySignatures.map((property) => String(property.name)) : [])))]
}

function flatten(ast: SchemaAST.AST): SchemaAST.AST[] {
  switch (ast._tag) {
    case 'Union': return ast.types.flatMap(flatten)
    case 'Refinement': return flatten(ast.from)
    case 'Transformation': return flatten(ast.from)
    case 'Suspend': return flatten(ast.f())
    default: return [ast]
  }
}

function childrenAt(ast: SchemaAST.AST, step: PropertyKey): SchemaAST.AST[] {
  if (SchemaAST.isTypeLiteral(ast)) {
    const property = ast.propertySignatures.find((signature) => String(signature.name) === String(step))
    return property === undefined ? ast.indexSignatures.map((signature) => signature.type) : [property.type]
  }
  if (SchemaAST.isTupleType(ast)) {
    const element = ast.elements[Number(step)]
    return [...(element === undefined ? [] : [element.type]), ...ast.rest.map((rest) => rest.type)]
  }
  return []
}
