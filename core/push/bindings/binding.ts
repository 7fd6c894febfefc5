/**
 * A binding is one way to bring a delivery to a device: a MESSAGE, a session, a notification, a reference. Types, and the
 * little that all of them share; which one is taken is select.ts, what an answer means verdicts.ts.
 */
import type { Now } from '../../kit/time.js'
import { BINDING_NAMES, type BindingName, type SubmissionRecord } from '../../store/records.js'
import type { Delivery } from '../delivery/delivery.js'

export { BINDING_NAMES, type BindingName }

export interface Binding {
  readonly name: BindingName
  /**
   * Begins an attempt at a delivery that is `attempting`, to `delivery.queue.target`. The attempt ends by exactly one verb of
   * deliveries.ts, as a rule through `Verdicts.act`; until then no other delivery to that Request-URI starts.
   */
  send(now: Now, delivery: Delivery, submission: SubmissionRecord): void
  /** Whether it could send this one now (a subscription stands, content can be hosted ...). Absent: always. */
  canSend?(now: Now, delivery: Delivery, submission: SubmissionRecord): boolean
}

/** A set of bindings as bits. */
export function bitOf(name: BindingName): number {
  return 1 << BINDING_NAMES.indexOf(name)
}
