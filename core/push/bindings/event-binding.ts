/**
 * Event mode as a binding: a push goes out as NOTIFY within the subscriptions its target has for the application, one for
 * each device, and counts as delivered when one of them took it. It carries references, too (draft section 11.3). Knows
 * subscriptions that stand, not how they came to; what an answer means is verdicts.ts.
 */
import type { Now } from '../../kit/time.js'
import type { ClientFailure } from '../../sip/endpoint-contract.js'
import type { SipMessage } from '../../sip/message.js'
import type { SubmissionRecord } from '../../store/records.js'
import type { AttemptStart } from '../delivery/attempt-start.js'
import type { Binding } from './binding.js'
import type { Delivery } from '../delivery/delivery.js'
import type { Silence } from '../delivery/outcomes.js'
import type { Recipients } from '../delivery/recipients.js'
import type { EventJob, Standing } from './standing.js'
import type { Subscriptions } from './subscriptions.js'
import type { Verdicts } from '../delivery/verdicts.js'

/** Whoever wants something carried; told once, when every NOTIFY of it is through. */
export interface EventCarrier {
  carried(now: Now, status: number | Silence, response: SipMessage | undefined): void
}

/** What a subscription that ended before its turn looks like from outside (RFC 6665 section 4.2.2). */
const GONE = 481

export class EventBinding implements Binding {
  readonly name = 'event'

  constructor(
    private readonly subscriptions: Subscriptions,
    private readonly recipients: Recipients,
    private readonly starts: AttemptStart,
    private readonly verdicts: Verdicts,
  ) {}

  canSend(_now: Now, delivery: Delivery, submission: SubmissionRecord): boolean {
    const { target, recipient } = delivery.queue
    return this.subscriptions.knows(recipient.aor) && this.subscriptions.has(recipient.aor, target, submission.featureTag.toLowerCase(), (contact) => this.isDevice(delivery, contact))
  }

  send(now: Now, delivery: Delivery, submission: SubmissionRecord): void {
    this.carry(now, delivery, submission, submission, new Attempt(this.verdicts, delivery, submission))
  }

  /** @param content the submission, or what refers to it */
  carry(now: Now, delivery: Delivery, submission: SubmissionRecord, content: SubmissionRecord, carrier: EventCarrier): void {
    const { target, recipient } = delivery.queue
    const tag = submission.featureTag.toLowerCase()
    const standings = this.subscriptions.find(recipient.aor, target, tag, (contact) => this.isDevice(delivery, contact))
    this.starts.begin(now, delivery, submission)
    if (standings.length === 0) return carrier.carried(now, GONE, undefined)
    const job = new Carrying(content, tag, standings.length, carrier)
    for (const standing of standings) this.subscriptions.enqueue(now, standing, job)
  }

  /** A GRUU names one device; its subscription may have come from another GRUU of it. */
  private isDevice({ queue: { target } }: Delivery, contact: string): boolean {
    const device = this.recipients.deviceOf(target)
    return device !== undefined && (device.publicGruu === contact || device.temporaryGruu === contact)
  }
}

/** One push in the subscriptions of several devices, as the best of their answers: a fork's, made here (RFC 3261 section 16.7). */
class Carrying implements EventJob {
  private best: SipMessage | Silence | number = GONE

  constructor(readonly content: SubmissionRecord, readonly tag: string, private open: number, private readonly carrier: EventCarrier) {}

  notified(now: Now, _standing: Standing, outcome: SipMessage | ClientFailure | 'ended'): void {
    if (outcome !== 'ended' && !isSuccess(this.best)) this.best = outcome
    this.open--
    if (this.open > 0) return
    const { best } = this
    if (typeof best === 'object') this.carrier.carried(now, best.status, best)
    else this.carrier.carried(now, best, undefined)
  }
}

class Attempt implements EventCarrier {
  constructor(private readonly verdicts: Verdicts, private readonly delivery: Delivery, private readonly submission: SubmissionRecord) {}

  carried(now: Now, status: number | Silence, response: SipMessage | undefined): void {
    this.verdicts.act(now, this.delivery, this.submission, { binding: 'event', status, response, hop: undefined })
  }
}

function isSuccess(seen: SipMessage | Silence | number): boolean {
  return typeof seen === 'object' && seen.status < 300
}
