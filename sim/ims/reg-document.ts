/**
 * Bindings as registration information (RFC 3680, RFC 5628; TS 24.229 section 5.4.2.1.2): one registration for each identity of
 * the implicit set that is not barred, each with the same contacts. Knows texts; who is told, and when, is reg-events.ts.
 */
import type { ContactEvent, RegContact, RegParameter, RegRegistration, RegistrationState } from '../../core/reg/model.js'
import type { Now } from '../../core/kit/time.js'
import { listParams } from '../../core/sip/params.js'
import type { Binding, Registrar } from './registrar.js'
import type { Subscriber } from './subscribers.js'

/** A contact and what happened to it last. */
export interface ContactNews {
  readonly binding: Binding
  readonly event: ContactEvent
}

export interface RegDocumentParts {
  readonly registrar: Registrar
  readonly homeDomain: string
  /** The public GRUU's `gr` value of an instance. */
  readonly grOf: (instance: string) => string
}

const ENDING: ReadonlySet<ContactEvent> = new Set(['expired', 'deactivated', 'probation', 'unregistered', 'rejected'])

export function registrationsOf(now: Now, parts: RegDocumentParts, subscriber: Subscriber, state: RegistrationState, news: readonly ContactNews[]): RegRegistration[] {
  const registrations: RegRegistration[] = []
  for (const [index, { uri, barred }] of subscriber.identities.entries()) {
    if (!barred) registrations.push({ aor: uri, id: `r${index}`, state, contacts: news.map((each) => contactOf(now, parts, uri, each)) })
  }
  return registrations
}

/** What a full document says of a live binding: the REGISTER that came first under its Call-ID registered it, later ones refreshed it. */
export function newsOf(binding: Binding): ContactNews {
  return { binding, event: binding.cseq === binding.firstCseq ? 'registered' : 'refreshed' }
}

function contactOf(now: Now, parts: RegDocumentParts, aor: string, { binding, event }: ContactNews): RegContact {
  const contact: RegContact = {
    id: `c${binding.id}`, state: ENDING.has(event) ? 'terminated' : 'active', event, uri: binding.uri, callId: binding.callId, cseq: binding.cseq, parameters: parametersOf(binding),
  }
  if (contact.state === 'terminated') return contact
  const { instance, temporaryUser, firstCseq } = binding
  return {
    ...contact,
    expiresSeconds: parts.registrar.remainingSeconds(now, binding),
    q: binding.features.text.includes('q=') ? binding.features.value.q : undefined,
    publicGruu: instance === '' || aor.startsWith('tel:') ? undefined : `${aor};gr=${parts.grOf(instance)}`,
    temporaryGruu: temporaryUser === '' ? undefined : { uri: `sip:${temporaryUser}@${parts.homeDomain};gr`, firstCseq },
  }
}

function parametersOf({ instance, regId, features }: Binding): RegParameter[] {
  const parameters: RegParameter[] = []
  if (instance !== '') parameters.push({ name: '+sip.instance', value: `"<${instance}>"` })
  if (regId !== 0) parameters.push({ name: 'reg-id', value: String(regId) })
  for (const [name, value] of listParams(features.text)) if (name.toLowerCase() !== 'q') parameters.push({ name, value })
  return parameters
}
