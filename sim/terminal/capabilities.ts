/**
 * What a device can do besides taking a MESSAGE, and how it says so: methods, bindings, sizes. Few kinds of devices share
 * one object each, so a device costs a reference. Knows names and texts; which device is of which kind is the population's matter.
 */
import { type HeaderText, composed } from '../../core/sip/header-text.js'

/** How a push can reach a terminal. MESSAGE is taken by every one. */
export const TERMINAL_BINDINGS = ['session', 'event', 'indirection'] as const
export type TerminalBinding = (typeof TERMINAL_BINDINGS)[number]
/** As the journal names them. */
export type BindingName = 'message' | TerminalBinding

export interface Capabilities {
  readonly bindings: readonly TerminalBinding[]
  /** Octets of one content, however it comes. */
  readonly sizeMax: number
  /** Content types besides those of its applications, lower case. */
  readonly types: readonly string[]
  /** It holds a subscription to oma-push while it is registered. */
  readonly subscribes: boolean
}

/** A body that stands for content elsewhere (RFC 4483), and one that is a piece of content (RFC 2046 section 5.2.2). */
export const EXTERNAL_BODY = 'message/external-body'
export const PARTIAL = 'message/partial'

/** The types a device takes in a SIP body whatever its applications. */
export function bodyTypes(capabilities: Capabilities): readonly string[] {
  return can(capabilities, 'indirection') ? [...capabilities.types, PARTIAL, EXTERNAL_BODY] : [...capabilities.types, PARTIAL]
}

/** Content types of these, without those that stand for content or a piece of it: what MSRP can carry. */
export function contentTypes(types: ReadonlySet<string>): string[] {
  return [...types].filter((type) => type !== PARTIAL && type !== EXTERNAL_BODY)
}

export interface CapabilityTexts {
  /** Allow (RFC 3261 section 20.5). */
  readonly allow: HeaderText
  /** The feature parameter (RFC 3840 section 6). */
  readonly methods: string
}

const texts = new WeakMap<Capabilities, CapabilityTexts>()

export function textsOf(capabilities: Capabilities): CapabilityTexts {
  let known = texts.get(capabilities)
  if (known === undefined) {
    const methods = methodsOf(capabilities)
    known = { allow: composed(methods.join(', ')), methods: `methods="${methods.join(',')}"` }
    texts.set(capabilities, known)
  }
  return known
}

export function can(capabilities: Capabilities, binding: TerminalBinding): boolean {
  return capabilities.bindings.includes(binding)
}

function methodsOf(capabilities: Capabilities): string[] {
  const methods = ['MESSAGE', 'OPTIONS']
  if (can(capabilities, 'session')) methods.push('INVITE', 'ACK', 'CANCEL', 'BYE')
  if (can(capabilities, 'event')) methods.push('NOTIFY', 'REFER')
  return methods
}
