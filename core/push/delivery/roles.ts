/** Who deliveries work with: whoever sends one, whoever writes its end down, and what an end is. Shapes only. */
import type { Now } from '../../kit/time.js'
import type { SubmissionRecord } from '../../store/records.js'
import type { Delivery } from './delivery.js'
import type { FinalState } from './outcomes.js'

/** How a delivery ended, before it is written down. */
export interface End {
  readonly state: FinalState
  readonly code: number
  readonly confirmed?: boolean
  /** For people; absent where state and code say it all. */
  readonly desc?: string
}

/** Whoever sends a ready delivery; it ends the attempt by exactly one of the verbs below. */
export interface Sender {
  send(now: Now, delivery: Delivery, submission: SubmissionRecord): void
  /** Whether it has a way to send it besides those the delivery excludes. */
  hasOther(now: Now, delivery: Delivery, submission: SubmissionRecord): boolean
}

/** Whoever writes outcomes down. */
export interface Recorder {
  record(now: Now, delivery: Delivery, submission: SubmissionRecord, end: End): void
}
