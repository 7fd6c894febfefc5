/**
 * The Event and Subscription-State headers (RFC 6665 section 8.4) and the parameters of the oma-push package
 * (draft-mdolly-dispatch-oma-push-00, sections 7.3 and 15.1). Knows their grammar; subscriptions are elsewhere.
 */
import { type HeaderText, composed, quotedText, tokenText } from './header-text.js'
import { listParams, unquote } from './params.js'
import { trimSpace } from './scan.js'
import { DELTA_SECONDS_MAX, integerOf } from './values.js'

/** What is written; the draft says `push` in two places, so that is understood too. */
export const OMA_PUSH = 'oma-push'
/** Applications named in one Event header; more are refused as malformed. */
export const EVENT_APPLICATIONS_MAX = 64

export interface EventHeader {
  /** The package with its templates, as written; compared byte by byte (RFC 6665 section 8.2.1). `push` reads as `oma-push`. */
  readonly package: string
  /** Tells subscriptions in one dialog apart. */
  readonly id?: string | undefined
  /** `event-app-id`: application resource identifiers. */
  readonly applications?: readonly string[] | undefined
  /** `dev-cap`: the URL of a UAProf, or vendor, model and version. */
  readonly deviceCapability?: string | undefined
}

/** 1 package, 2 parameters. */
const EVENT = /^[ \t]*([A-Za-z0-9\-!%*_+`'~]+(?:\.[A-Za-z0-9\-!%*_+`'~]+)*)[ \t]*(;.*)?$/s
/** The draft's `app`: no space, no quote, no comma. */
const APPLICATION = /^[!#-+\--~]+$/

/** Undefined when malformed: answer 400. Unknown parameters are passed over. */
export function parseEvent(text: string): EventHeader | undefined {
  const parts = EVENT.exec(text)
  if (parts === null) return undefined
  const event: { -readonly [Key in keyof EventHeader]: EventHeader[Key] } = { package: parts[1] === 'push' ? OMA_PUSH : parts[1]! }
  for (const [name, value] of listParams(parts[2] ?? '')) {
    switch (name.toLowerCase()) {
      case 'id': event.id = value; break
      case 'dev-cap': event.deviceCapability = unquote(value); break
      case 'event-app-id': {
        // The ABNF has no spaces in the list, the draft's examples do.
        const applications = unquote(value).split(',').map(trimSpace)
        if (applications.length > EVENT_APPLICATIONS_MAX || !applications.every((each) => APPLICATION.test(each))) return undefined
        event.applications = applications
        break
      }
      default: break
    }
  }
  return event
}

/** Undefined when a part holds what its grammar has no room for. */
export function eventText(event: EventHeader): HeaderText | undefined {
  let text = event.package
  if (tokenText(text) === undefined) return undefined
  if (event.id !== undefined) {
    if (tokenText(event.id) === undefined) return undefined
    text += `;id=${event.id}`
  }
  if (event.applications !== undefined) {
    if (event.applications.length === 0 || !event.applications.every((each) => APPLICATION.test(each))) return undefined
    text += `;event-app-id="${event.applications.map((each) => each.replaceAll('\\', '\\\\')).join(',')}"`
  }
  if (event.deviceCapability !== undefined) {
    const quoted = quotedText(event.deviceCapability)
    if (quoted === undefined) return undefined
    text += `;dev-cap=${quoted}`
  }
  return composed(text)
}

/** Same subscription? Package and id only, other parameters take no part (RFC 6665 section 8.2.1). */
export function sameEvent(a: EventHeader, b: EventHeader): boolean {
  return a.package === b.package && a.id === b.id
}

export type SubscriptionStateName = 'active' | 'pending' | 'terminated'

/** RFC 6665 section 4.1.3; an unknown reason reads as none. */
export const TERMINATION_REASONS = ['deactivated', 'probation', 'rejected', 'timeout', 'giveup', 'noresource', 'invariant'] as const
export type TerminationReason = (typeof TERMINATION_REASONS)[number]

export interface SubscriptionStateHeader {
  readonly state: SubscriptionStateName
  readonly reason?: TerminationReason | undefined
  /** Seconds that are left; of no meaning when terminated. */
  readonly expires?: number | undefined
  /** Seconds to wait before a new subscription. */
  readonly retryAfter?: number | undefined
}

/** Undefined when malformed: answer 400. An unknown state reads as active, as a NOTIFY shows that something stands. */
export function parseSubscriptionState(text: string): SubscriptionStateHeader | undefined {
  const semicolon = text.indexOf(';')
  const name = trimSpace(semicolon < 0 ? text : text.slice(0, semicolon))
  if (tokenText(name) === undefined) return undefined
  const state: { -readonly [Key in keyof SubscriptionStateHeader]: SubscriptionStateHeader[Key] } = { state: stateNamed(name.toLowerCase()) }
  for (const [param, value] of semicolon < 0 ? [] : listParams(text.slice(semicolon))) {
    switch (param.toLowerCase()) {
      case 'reason': state.reason = TERMINATION_REASONS.find((reason) => reason === value.toLowerCase()); break
      case 'expires': state.expires = integerOf(value, DELTA_SECONDS_MAX); break
      case 'retry-after': state.retryAfter = integerOf(value, DELTA_SECONDS_MAX); break
      default: break
    }
  }
  return state
}

function stateNamed(name: string): SubscriptionStateName {
  return name === 'terminated' || name === 'pending' ? name : 'active'
}

export function subscriptionStateText({ state, reason, expires, retryAfter }: SubscriptionStateHeader): HeaderText {
  let text: string = state
  if (reason !== undefined) text += `;reason=${reason}`
  if (expires !== undefined) text += `;expires=${expires}`
  if (retryAfter !== undefined) text += `;retry-after=${retryAfter}`
  return composed(text)
}

/** What the reason of a last NOTIFY asks of the subscriber (RFC 6665 section 4.1.3). */
export function resubscribes({ reason, retryAfter }: SubscriptionStateHeader): { readonly afterSeconds: number } | 'never' {
  switch (reason) {
    case 'deactivated':
    case 'timeout': return { afterSeconds: 0 }
    case 'probation':
    case 'giveup':
    case undefined: return { afterSeconds: retryAfter ?? 0 }
    case 'rejected':
    case 'noresource':
    case 'invariant': return 'never'
  }
}
