/**
 * Feature parameters of RFC 3840 (section 9), as they stand in a Contact or an Accept-Contact: text like
 * `;audio;+g.oma.pusheventapp="mms.ua,syncml.dm";methods="MESSAGE"` becomes features that can be compared.
 * Knows the grammar and what matches what; who prefers whom is caller-preferences.ts.
 */
import { listParams } from './params.js'

/** A feature of one name: values of which any will do (RFC 3840 section 5). Names are in lower case, with `+` where it is written. */
export interface Feature {
  readonly name: string
  readonly values: readonly FeatureValue[]
}

export type FeatureValue =
  /** A token or boolean, in lower case since comparison is without regard to case. */
  | { readonly kind: 'token'; readonly not: boolean; readonly text: string }
  /** All numbers from `low` to `high`, either end possibly infinite. */
  | { readonly kind: 'range'; readonly not: boolean; readonly low: number; readonly high: number }
  /** `"<...>"`: compared exactly, never negated, never in a list. */
  | { readonly kind: 'string'; readonly text: string }

/** More features in one value than this are not read: RFC 3841 section 11 advises refusing rules beyond some 20. */
export const FEATURES_MAX = 64
/** Values of one feature. */
export const FEATURE_VALUES_MAX = 64

/** RFC 3840 section 9, base-tags. */
const BASE_TAGS: ReadonlySet<string> = new Set([
  'audio', 'automata', 'class', 'duplex', 'data', 'control', 'mobility', 'description', 'events', 'priority', 'methods', 'schemes',
  'application', 'video', 'language', 'type', 'isfocus', 'actor', 'text', 'extensions',
])

/** Is this parameter a feature parameter? Base tags are; names beginning with `+` are (RFC 3840 section 9). */
export function isFeatureName(name: string): boolean {
  return name.charCodeAt(0) === 43 ? /^\+[a-z][a-z\d!'.\-%]*$/i.test(name) : BASE_TAGS.has(name.toLowerCase())
}

/**
 * The features among raw parameters (`;name=value;...`): of a name met twice the first counts, malformed ones and all beyond
 * `FEATURES_MAX` are passed over. Other parameters (q, expires, reg-id, pub-gruu ...) are no features.
 */
export function parseFeatures(params: string): Feature[] {
  const features: Feature[] = []
  for (const [written, raw] of listParams(params)) {
    if (!isFeatureName(written)) continue
    const name = written.toLowerCase()
    const values = parseValues(raw)
    if (values === undefined || features.length >= FEATURES_MAX || features.some((feature) => feature.name === name)) continue
    features.push({ name, values })
  }
  return features
}

/** Without a value a feature is TRUE (RFC 3840 section 9). */
const TRUE: readonly FeatureValue[] = [{ kind: 'token', not: false, text: 'true' }]

/** The values of a raw parameter value, quotes included; undefined when it is malformed. */
function parseValues(raw: string): readonly FeatureValue[] | undefined {
  if (raw === '') return TRUE
  if (raw.length < 3 || raw.charCodeAt(0) !== 34 || raw.charCodeAt(raw.length - 1) !== 34) return undefined
  const inner = raw.slice(1, -1)
  if (inner.charCodeAt(0) === 60) {
    const text = /^<((?:[^<>\\]|\\[\s\S])*)>$/.exec(inner)?.[1]
    return text === undefined ? undefined : [{ kind: 'string', text: text.replace(/\\([\s\S])/g, '$1') }]
  }
  const parts = inner.split(',')
  if (parts.length > FEATURE_VALUES_MAX) return undefined
  const values: FeatureValue[] = []
  for (const part of parts) {
    const value = parseValue(part.trim())
    if (value === undefined) return undefined
    values.push(value)
  }
  return values
}

function parseValue(text: string): FeatureValue | undefined {
  const not = text.charCodeAt(0) === 33
  const value = not ? text.slice(1) : text
  if (value.charCodeAt(0) === 35) return parseRange(value.slice(1), not)
  // token-nobang
  return /^[a-z\d\-.%*_+`'~]+$/i.test(value) ? { kind: 'token', not, text: value.toLowerCase() } : undefined
}

const NUMBER = '[+-]?\\d+(?:\\.\\d+)?'
const RANGE = new RegExp(`^(>=|<=|=|(${NUMBER}):)(${NUMBER})$`)

/** numeric = "#" followed by `>=n`, `<=n`, `=n` or `n:n`. */
function parseRange(text: string, not: boolean): FeatureValue | undefined {
  const match = RANGE.exec(text)
  if (match === null) return undefined
  const number = Number(match[3])
  switch (match[1]) {
    case '>=': return { kind: 'range', not, low: number, high: Infinity }
    case '<=': return { kind: 'range', not, low: -Infinity, high: number }
    case '=': return { kind: 'range', not, low: number, high: number }
    default: return { kind: 'range', not, low: Number(match[2]), high: number }
  }
}

/** Do two features of one name have a value in common (RFC 2533 as RFC 3841 section 7.2.4 uses it)? */
export function featuresMeet(one: Feature, other: Feature): boolean {
  for (const a of one.values) for (const b of other.values) if (valuesMeet(a, b)) return true
  return false
}

function valuesMeet(a: FeatureValue, b: FeatureValue): boolean {
  if (a.kind === 'string') return b.kind === 'string' && a.text === b.text
  if (b.kind === 'string') return false
  // `!v` is everything but v, so it meets all that is not wholly v; two such always meet.
  if (a.not && b.not) return true
  if (a.not || b.not) return !within(a.not ? b : a, a.not ? a : b)
  if (a.kind === 'range' && b.kind === 'range') return Math.max(a.low, b.low) <= Math.min(a.high, b.high)
  return a.kind === 'token' && b.kind === 'token' && a.text === b.text
}

type Negatable = Exclude<FeatureValue, { kind: 'string' }>

/** Is everything `part` stands for also in `whole`, negation aside? */
function within(part: Negatable, whole: Negatable): boolean {
  if (part.kind === 'range') return whole.kind === 'range' && part.low >= whole.low && part.high <= whole.high
  return part.kind === 'token' && whole.kind === 'token' && part.text === whole.text
}
