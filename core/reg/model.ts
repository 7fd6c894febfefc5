/**
 * A document of registration information, application/reginfo+xml (RFC 3680 section 5, with the GRUUs of RFC 5628 section 5):
 * who is registered, with which contacts, and what happened to each. Types and names only.
 */

export const REGINFO_TYPE = 'application/reginfo+xml'
export const REGINFO_NAMESPACE = 'urn:ietf:params:xml:ns:reginfo'
export const GRUUINFO_NAMESPACE = 'urn:ietf:params:xml:ns:gruuinfo'

/** RFC 3680 section 3.5.1. */
export const CONTACT_EVENTS = ['registered', 'created', 'refreshed', 'shortened', 'expired', 'deactivated', 'probation', 'unregistered', 'rejected'] as const
export type ContactEvent = (typeof CONTACT_EVENTS)[number]

export const REGISTRATION_STATES = ['init', 'active', 'terminated'] as const
export type RegistrationState = (typeof REGISTRATION_STATES)[number]

export interface RegInfo {
  /** 0 in the first document of a subscription, one more in each further one. */
  readonly version: number
  /** `full` replaces what the watcher knows, `partial` changes the contacts it names. */
  readonly state: 'full' | 'partial'
  readonly registrations: readonly RegRegistration[]
}

export interface RegRegistration {
  /** The address-of-record, a URI. */
  readonly aor: string
  /** The same for this registration in every document of a subscription. */
  readonly id: string
  readonly state: RegistrationState
  readonly contacts: readonly RegContact[]
}

export interface RegContact {
  /** The same for this contact as long as it lives. */
  readonly id: string
  readonly state: 'active' | 'terminated'
  readonly event: ContactEvent
  readonly uri: string
  readonly displayName?: string | undefined
  /** Seconds that are left. */
  readonly expiresSeconds?: number | undefined
  /** Seconds since it was registered. */
  readonly durationSeconds?: number | undefined
  /** Seconds to wait before another registration; with `probation` only. */
  readonly retryAfterSeconds?: number | undefined
  readonly q?: number | undefined
  /** Of the REGISTER that made or refreshed it last. */
  readonly callId?: string | undefined
  readonly cseq?: number | undefined
  /** Contact parameters that RFC 3680 has no attribute for, feature tags and `+sip.instance` among them: name and value as in the header field. */
  readonly parameters: readonly RegParameter[]
  readonly publicGruu?: string | undefined
  /** The newest; those made under the same Call-ID since this CSeq are as valid (RFC 5628 section 5.2). */
  readonly temporaryGruu?: { readonly uri: string; readonly firstCseq: number } | undefined
}

export interface RegParameter {
  readonly name: string
  /** Raw, with quotes where the header field has them; '' for none. */
  readonly value: string
}
