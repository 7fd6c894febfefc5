/**
 * Bad peers by name, and how a push to each must end: what docs/outcomes.md makes of it, by the binding of its last attempt. So a
 * run can tell a gateway that bears with bad peers from one that does not. Knows outcomes; what a terminal does is the terminals' part.
 */
import { MICROS_PER_SECOND, type Micros } from '../core/kit/time.js'
import type { DeliveryMethod } from '../core/pap/documents.js'
import type { PushBinding } from './submission.js'

/** As the terminals know them. */
export const MISBEHAVIOURS = [
  'never-answers', 'answers-late', 'answers-twice', 'closes-mid-chunk', 'refuses-type', 'refuses-size', 'lies-about-support', 'wrong-ranges',
] as const
export type Misbehaviour = (typeof MISBEHAVIOURS)[number]

/** How late `answers-late` answers. */
export const LATE_MICROS: Micros = 5 * MICROS_PER_SECOND
/** An unanswered request is given up after 64 T1 (RFC 3261 section 17.1.2.2), a content without a whole report as late. */
const SILENCE_MICROS: Micros = 33 * MICROS_PER_SECOND
/** An INVITE that rings is given up by the gateway's clock, and its CANCEL by the transaction's. */
const RINGING_MICROS: Micros = 95 * MICROS_PER_SECOND

const DELIVERED = ['delivered 1000']
/** It never had its turn before its lifetime was over, or had it until then. */
const EXPIRED = ['expired 4000']

/** How all pushes of a run are asked to be sent. */
export interface PushWay {
  readonly binding: PushBinding
  readonly deliveryMethod: DeliveryMethod
}

/**
 * The outcomes (`<message-state> <code>`) that are right for a push to such a peer.
 * @param last the binding of its last attempt; undefined when it was never sent
 */
export function expectedOutcomes(how: Misbehaviour, last: string | undefined, { binding, deliveryMethod }: PushWay): readonly string[] {
  // Its subscription ended with its first NOTIFY, or with the one before this push.
  const unsubscribed = binding === 'event' && (how === 'never-answers' || how === 'lies-about-support')
  if (last === undefined) return unsubscribed ? [...EXPIRED, 'undeliverable 3010'] : EXPIRED
  switch (how) {
    case 'never-answers': return unsubscribed ? [...EXPIRED, 'undeliverable 3007'] : EXPIRED
    case 'answers-late':
    case 'answers-twice': return DELIVERED
    case 'closes-mid-chunk': return last === 'session' ? EXPIRED : DELIVERED
    case 'refuses-type': return ['undeliverable 2006']
    case 'refuses-size': return last === 'session' ? ['aborted 5235'] : ['undeliverable 2006']
    // Whoever turns one binding down gets the push by another, unless the initiator required that one.
    case 'lies-about-support': return last === binding && (last === 'session' || last === 'event') ? ['undeliverable 3007'] : DELIVERED
    case 'wrong-ranges': return last === 'session' && deliveryMethod === 'confirmed' ? EXPIRED : DELIVERED
  }
}

/** The longest that a push to such a peer may still be under way when its lifetime is over. */
export function longestAttempt(how: Misbehaviour, maybeInSession: boolean): Micros {
  switch (how) {
    case 'never-answers': return maybeInSession ? RINGING_MICROS : SILENCE_MICROS
    case 'wrong-ranges': return maybeInSession ? SILENCE_MICROS : 0
    case 'answers-late': return 2 * LATE_MICROS
    default: return MICROS_PER_SECOND
  }
}
