/**
 * Reading registration information that came from outside: by namespaces, whatever the prefixes; elements and attributes of
 * others are passed over (RFC 3680 section 5.1). A document that breaks the schema is refused whole, with the place.
 */
import { readXml } from '../xml/read.js'
import { placeOf, type XmlElement } from '../xml/tree.js'
import { CONTACT_EVENTS, GRUUINFO_NAMESPACE, REGINFO_NAMESPACE, REGISTRATION_STATES, type RegContact, type RegInfo, type RegParameter, type RegRegistration } from './model.js'

export type ReadRegInfo = { readonly ok: true; readonly info: RegInfo } | { readonly ok: false; readonly problem: string }

/** The largest number read: xs:nonNegativeInteger and xs:unsignedLong have none that a version or an expiry needs. */
const NUMBER_MAX = 2 ** 53 - 1

/** Thrown inside this file only. */
class Refused {
  constructor(readonly what: string, readonly element: XmlElement) {}
}

/** Prefixes in scope: '' is the default namespace. */
type Scope = ReadonlyMap<string, string>

const NO_SCOPE: Scope = new Map([['', '']])

export function readRegInfo(document: Buffer): ReadRegInfo {
  const xml = readXml(document)
  if (!xml.ok) return { ok: false, problem: `line ${xml.place.line}, column ${xml.place.column}: ${xml.message}` }
  try {
    return { ok: true, info: infoOf(xml.root) }
  } catch (thrown) {
    if (!(thrown instanceof Refused)) throw thrown
    const { line, column } = placeOf(xml.source, thrown.element.offset)
    return { ok: false, problem: `line ${line}, column ${column}: ${thrown.what}` }
  }
}

function infoOf(root: XmlElement): RegInfo {
  const scope = scopeOf(root, NO_SCOPE)
  if (!isNamed(root, scope, REGINFO_NAMESPACE, 'reginfo')) throw new Refused(`the document is no reginfo of ${REGINFO_NAMESPACE}`, root)
  return {
    version: needed(root, 'version', numberOf(root, 'version')),
    state: oneOf(root, 'state', ['full', 'partial']),
    registrations: children(root, scope, REGINFO_NAMESPACE, 'registration').map(([element, inner]) => registrationOf(element, inner)),
  }
}

function registrationOf(element: XmlElement, scope: Scope): RegRegistration {
  return {
    aor: needed(element, 'aor', element.attributes['aor']),
    id: needed(element, 'id', element.attributes['id']),
    state: oneOf(element, 'state', REGISTRATION_STATES),
    contacts: children(element, scope, REGINFO_NAMESPACE, 'contact').map(([contact, inner]) => contactOf(contact, inner)),
  }
}

function contactOf(element: XmlElement, scope: Scope): RegContact {
  const [uri] = children(element, scope, REGINFO_NAMESPACE, 'uri')
  const [displayName] = children(element, scope, REGINFO_NAMESPACE, 'display-name')
  const [publicGruu] = children(element, scope, GRUUINFO_NAMESPACE, 'pub-gruu')
  const [temporaryGruu] = children(element, scope, GRUUINFO_NAMESPACE, 'temp-gruu')
  const q = element.attributes['q']
  return {
    id: needed(element, 'id', element.attributes['id']),
    state: oneOf(element, 'state', ['active', 'terminated']),
    event: oneOf(element, 'event', CONTACT_EVENTS),
    uri: needed(element, 'uri', uri === undefined ? undefined : uri[0].text.trim()),
    displayName: displayName?.[0].text.trim(),
    expiresSeconds: numberOf(element, 'expires'),
    durationSeconds: numberOf(element, 'duration-registered'),
    retryAfterSeconds: numberOf(element, 'retry-after'),
    q: q === undefined ? undefined : weightOf(element, q),
    callId: element.attributes['callid'],
    cseq: numberOf(element, 'cseq'),
    parameters: children(element, scope, REGINFO_NAMESPACE, 'unknown-param').map(([parameter]) => parameterOf(parameter)),
    publicGruu: publicGruu === undefined ? undefined : needed(publicGruu[0], 'uri', publicGruu[0].attributes['uri']),
    temporaryGruu: temporaryGruu === undefined ? undefined : temporaryOf(temporaryGruu[0]),
  }
}

function parameterOf(element: XmlElement): RegParameter {
  return { name: needed(element, 'name', element.attributes['name']), value: element.text.trim() }
}

/** RFC 5628 calls the attribute `first-cseq` in its schema and examples, and `cseq` once in its prose. */
function temporaryOf(element: XmlElement): { uri: string; firstCseq: number } {
  const firstCseq = numberOf(element, 'first-cseq') ?? numberOf(element, 'cseq')
  return { uri: needed(element, 'uri', element.attributes['uri']), firstCseq: needed(element, 'first-cseq', firstCseq) }
}

function needed<Value>(element: XmlElement, name: string, value: Value | undefined): Value {
  if (value === undefined || value === '') throw new Refused(`${element.name} has no ${name}`, element)
  return value
}

function oneOf<Name extends string>(element: XmlElement, attribute: string, names: readonly Name[]): Name {
  const value = needed(element, attribute, element.attributes[attribute])
  const known = names.find((name) => name === value)
  if (known === undefined) throw new Refused(`${attribute} of ${element.name} is "${value.slice(0, 40)}"; it is one of ${names.join(', ')}`, element)
  return known
}

function numberOf(element: XmlElement, attribute: string): number | undefined {
  const value = element.attributes[attribute]
  if (value === undefined) return undefined
  const number = /^\d{1,16}$/.test(value) ? Number(value) : Infinity
  if (number > NUMBER_MAX) throw new Refused(`${attribute} of ${element.name} is "${value.slice(0, 40)}"; write a whole number`, element)
  return number
}

function weightOf(element: XmlElement, value: string): number {
  const weight = /^(?:0(?:\.\d{1,6})?|1(?:\.0{1,6})?)$/.test(value) ? Number(value) : undefined
  if (weight === undefined) throw new Refused(`q of ${element.name} is "${value.slice(0, 40)}"; write a number from 0 to 1`, element)
  return weight
}

/** The children of this name, each with the prefixes in scope inside it. */
function children(element: XmlElement, scope: Scope, namespace: string, name: string): [XmlElement, Scope][] {
  const found: [XmlElement, Scope][] = []
  for (const child of element.children) {
    const inner = scopeOf(child, scope)
    if (isNamed(child, inner, namespace, name)) found.push([child, inner])
  }
  return found
}

function isNamed({ name }: XmlElement, scope: Scope, namespace: string, local: string): boolean {
  const colon = name.indexOf(':')
  return name.slice(colon + 1) === local && scope.get(colon < 0 ? '' : name.slice(0, colon)) === namespace
}

function scopeOf(element: XmlElement, outer: Scope): Scope {
  let scope: Map<string, string> | undefined
  for (const name in element.attributes) {
    if (name !== 'xmlns' && !name.startsWith('xmlns:')) continue
    scope ??= new Map(outer)
    scope.set(name.slice('xmlns:'.length), element.attributes[name]!)
  }
  return scope ?? outer
}
