/**
 * HSS data as the core sees it: a directory from a public identity to the subscriber behind it. The directory is
 * asked, never listed, so a million subscribers can be computed from their names. Knows no SIP message and no state.
 */

import type { UsimKeys } from '../../core/sip/milenage.js'

/** One public user identity (IMPU) of an implicit registration set. */
export interface PublicIdentity {
  /** `sip:user@domain` in canonical form (host in lower case, no parameters), or `tel:+<digits>`. */
  readonly uri: string
  /** A barred identity is registered with its set but can neither send nor receive (TS 24.229 section 5.4.1.2.2). */
  readonly barred: boolean
}

export interface Subscriber {
  /** The private identity (IMPI): the digest username. */
  readonly impi: string
  readonly password: string
  /** With it the subscriber is authenticated by AKA and not by password. */
  readonly usim?: UsimKeys
  /** The implicit registration set. The first that is not barred is the default identity. */
  readonly identities: readonly PublicIdentity[]
  /** False for a subscriber who may not register at all, answered 403 (Cx 5004, ROAMING_NOT_ALLOWED). */
  readonly mayRegister: boolean
  /** Networks, by P-Visited-Network-ID in lower case, from which the subscriber may not register: answered 403, too. */
  readonly barredNetworks?: readonly string[]
}

export interface SubscriberDirectory {
  /** The subscriber a canonical public identity belongs to; undefined for an identity nobody has (Cx 5001, USER_UNKNOWN). */
  find(impu: string): Subscriber | undefined
}

/** A directory of a given list, for tests and small set-ups. */
export class ListedSubscribers implements SubscriberDirectory {
  private readonly byIdentity = new Map<string, Subscriber>()

  constructor(subscribers: Iterable<Subscriber>) {
    for (const subscriber of subscribers) for (const identity of subscriber.identities) this.byIdentity.set(identity.uri, subscriber)
  }

  find(impu: string): Subscriber | undefined {
    return this.byIdentity.get(impu)
  }
}

/** The identity under which the whole set is registered: bindings are kept once per implicit registration set. */
export function defaultIdentity(subscriber: Subscriber): string | undefined {
  for (const identity of subscriber.identities) if (!identity.barred) return identity.uri
  return undefined
}

export function isBarred(subscriber: Subscriber, impu: string): boolean {
  for (const identity of subscriber.identities) if (identity.uri === impu) return identity.barred
  return true
}
