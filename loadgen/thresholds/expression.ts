/**
 * Promises as people write them: `endToEnd.p99 < 50ms`, `ratio(delivered, accepted) > 99%`. Text to a checked expression, or what is wrong with
 * it, where, and what would be right. Knows the grammar and units; which figures there are it is told.
 */
import { DURATION_NAMES, parseQuantity, RATE_UNITS, SHARE_UNITS, SIZE_UNITS, type Units } from '../../core/live/units.js'
import { nearest } from '../../core/live/nearest.js'
import type { Unit } from '../metrics.js'

/** What an expression may speak of. */
export interface Figures {
  /** The unit of a figure, undefined for one there is not. */
  unitOf(name: string): Unit | undefined
  readonly names: readonly string[]
  /** Why others are not there: `while a run is under way`. */
  readonly where: string
}

export type Comparison = '<' | '<=' | '>' | '>='

export interface Expression {
  readonly text: string
  /** One figure, or with `under` the first over the second. */
  readonly figure: string
  readonly under: string | undefined
  readonly comparison: Comparison
  /** In the base unit of the figure: microseconds, a share of 1, octets, per second. */
  readonly limit: number
  /** As it was written, and how many base units it is. */
  readonly unit: string
  readonly factor: number
}

export type Parsed = { readonly ok: true; readonly expression: Expression } | { readonly ok: false; /** Character of the text, from 1. */ readonly at: number; readonly message: string }

const UNITS: Readonly<Record<Unit, Units>> = {
  micros: DURATION_NAMES, share: SHARE_UNITS, perSecond: RATE_UNITS, octets: SIZE_UNITS, count: [],
}
const EXAMPLES: Readonly<Record<Unit, string>> = { micros: '50ms', share: '0.1%', perSecond: '200/s', octets: '256MiB', count: '10' }
const WORDS: Readonly<Record<Unit, string>> = { micros: 'a time', share: 'a share', perSecond: 'a rate', octets: 'a size', count: 'a number' }

/** A unit may stand apart from its number; another word there is no part of it. */
const APART = Object.values(UNITS).flatMap((units) => units.map(([name]) => name)).join('|')
const TOKEN = new RegExp(`\\s*([A-Za-z][\\w.]*|<=|>=|[<>(),]|\\d[\\d.]*(?:[A-Za-zµ%/]+|\\s+(?:${APART})(?![\\w/]))?|\\S)`, 'y')
const NAME = /^[A-Za-z]/
const TEXT_CHARACTERS_MAX = 200

interface Token {
  readonly text: string
  readonly at: number
}

class Wrong extends Error {
  constructor(readonly at: number, message: string) {
    super(message)
  }
}

/** Never throws: what is wrong comes back with its place. */
export function parseExpression(text: string, figures: Figures): Parsed {
  if (text.length > TEXT_CHARACTERS_MAX) return { ok: false, at: TEXT_CHARACTERS_MAX, message: `the expression is longer than ${TEXT_CHARACTERS_MAX} characters` }
  try {
    return { ok: true, expression: new Reading(text, figures).expression() }
  } catch (error) {
    if (error instanceof Wrong) return { ok: false, at: error.at, message: error.message }
    throw error
  }
}

/** The complaint as a sentence: `character 12: there is no figure "endToEnd.p98"; did you mean "endToEnd.p99"?`. */
export function complaint(parsed: Parsed & { readonly ok: false }): string {
  return `character ${parsed.at}: ${parsed.message}`
}

class Reading {
  private readonly tokens: Token[] = []
  private next = 0

  constructor(private readonly text: string, private readonly figures: Figures) {
    TOKEN.lastIndex = 0
    for (let match = TOKEN.exec(text); match !== null; match = TOKEN.exec(text)) {
      const word = match[1]!
      this.tokens.push({ text: word.trimEnd(), at: match.index + match[0].length - word.length + 1 })
    }
  }

  expression(): Expression {
    const first = this.take('a figure, such as endToEnd.p99')
    const isRatio = first.text === 'ratio' && this.tokens[this.next]?.text === '('
    const [figure, under] = isRatio ? this.ratio() : [first, undefined]
    const unit = isRatio ? 'share' : this.unitOf(first)
    const comparison = this.take('<, <=, > or >=')
    if (!isComparison(comparison.text)) throw new Wrong(comparison.at, `write <, <=, > or >= here, not "${comparison.text}"`)
    const limit = this.limit(this.take(`${WORDS[unit]}, such as ${EXAMPLES[unit]}`), unit)
    const rest = this.tokens[this.next]
    if (rest !== undefined) throw new Wrong(rest.at, `the expression is over before "${rest.text}"; write one comparison in each`)
    return { text: this.text.trim(), figure: figure.text, under: under?.text, comparison: comparison.text, ...limit }
  }

  /** What follows the word `ratio`. */
  private ratio(): [Token, Token] {
    this.demand('(')
    const over = this.take('a figure')
    const unit = this.unitOf(over)
    this.demand(',')
    const under = this.take('a figure')
    const other = this.unitOf(under)
    if (other !== unit) throw new Wrong(under.at, `a ratio is of two figures of one unit: "${over.text}" is ${WORDS[unit]}, "${under.text}" is ${WORDS[other]}`)
    this.demand(')')
    return [over, under]
  }

  private limit({ text, at }: Token, unit: Unit): Pick<Expression, 'limit' | 'unit' | 'factor'> {
    const units = UNITS[unit]
    if (/^\d+(?:\.\d+)?$/.test(text) && (unit === 'count' || Number(text) === 0)) return { limit: Number(text), unit: '', factor: 1 }
    const limit = parseQuantity(text, units)
    const written = units.find(([name]) => text.endsWith(name) && /[\d\s]/.test(text.at(-name.length - 1) ?? ''))
    if (limit === undefined || written === undefined) {
      const names = units.map(([name]) => name).join(', ')
      throw new Wrong(at, `"${text}" is not ${WORDS[unit]}: write a number${names === '' ? '' : ` and a unit (${names})`}, such as ${EXAMPLES[unit]}`)
    }
    return { limit, unit: written[0], factor: written[1] }
  }

  private unitOf({ text, at }: Token): Unit {
    if (!NAME.test(text)) throw new Wrong(at, `a figure is expected here, such as endToEnd.p99, not "${text}"`)
    const unit = this.figures.unitOf(text)
    if (unit !== undefined) return unit
    const near = nearest(text, this.figures.names)
    throw new Wrong(at, `there is no figure "${text}"${this.figures.where === '' ? '' : ` ${this.figures.where}`}${near === undefined ? '' : `; did you mean "${near}"?`}`)
  }

  private demand(text: string): void {
    const token = this.take(`"${text}"`)
    if (token.text !== text) throw new Wrong(token.at, `"${text}" is expected here, not "${token.text}"`)
  }

  private take(what: string): Token {
    const token = this.tokens[this.next]
    if (token === undefined) throw new Wrong(this.text.length + 1, `the expression ends too early: ${what} is missing`)
    this.next++
    return token
  }
}

function isComparison(text: string): text is Comparison {
  return text === '<' || text === '<=' || text === '>' || text === '>='
}

/** Whether a value, in the base unit, keeps what the expression says. */
export function holds({ comparison, limit }: Pick<Expression, 'comparison' | 'limit'>, value: number): boolean {
  switch (comparison) {
    case '<': return value < limit
    case '<=': return value <= limit
    case '>': return value > limit
    case '>=': return value >= limit
  }
}

/** The value of the expression's left side; undefined where a figure is missing, or nothing lies under the ratio. */
export function valueOf({ figure, under }: Pick<Expression, 'figure' | 'under'>, read: (name: string) => number | undefined): number | undefined {
  const over = read(figure)
  if (under === undefined || over === undefined) return over
  const divisor = read(under)
  return divisor === undefined || divisor === 0 ? undefined : over / divisor
}
