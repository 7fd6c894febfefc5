/**
 * What the journals say, joined: one row per attempt (the initiator's view) and one per delivery, a push-id at an
 * address (everybody else's view; two attempts share a delivery when a push-id is repeated). Filled event by event by
 * reconciler.ts; ledger.ts and measures.ts read it.
 */
import { Names, NumberColumn } from './columns.js'

/** Index: the attempt's number. Instants are host-monotonic microseconds. */
export class AttemptTable {
  /** One more than the highest number seen. */
  length = 0
  /** Number of the row's name in `rowNames`. */
  readonly row = new NumberColumn()
  readonly delivery = new NumberColumn()
  readonly plannedAt = new NumberColumn()
  readonly deliverBeforeAt = new NumberColumn()
  /** When the generator took it up; from there on it may have waited for a connection. */
  readonly takenAt = new NumberColumn()
  readonly sentAt = new NumberColumn()
  readonly answeredAt = new NumberColumn()
  /** Number of the PAP code or `http-<status>` in `answers`; for an unanswered attempt, of the reason in `reasons`. */
  readonly answer = new NumberColumn()
  readonly unanswered = new NumberColumn()
  readonly rowNames = new Names()
  readonly answers = new Names()
  readonly reasons = new Names()

  isAccepted(attempt: number): boolean {
    return this.answer.has(attempt) && this.answers.name(this.answer.get(attempt)).startsWith('1')
  }
}

/** Index: order of first mention. */
export class DeliveryTable {
  readonly pushIds: string[] = []
  readonly addresses: string[] = []
  /** The next delivery of the same push-id, when it has several addresses. */
  readonly next = new NumberColumn()
  /** The initiator planned it. */
  readonly planned = new NumberColumn()
  readonly acceptedAt = new NumberColumn()
  readonly firstSipAt = new NumberColumn()
  readonly outcomeAt = new NumberColumn()
  readonly outcomes = new NumberColumn()
  readonly state = new NumberColumn()
  /** Number in `causes` of the outcome's PAP code and last SIP status, in words. */
  readonly cause = new NumberColumn()
  /** The outcome's PAP code. */
  readonly code = new NumberColumn()
  /** When the gateway, being stopped, said that it holds it without an outcome. */
  readonly inFlight = new NumberColumn()
  /** Number in `bindings` of how its last attempt went out. */
  readonly binding = new NumberColumn()
  readonly notifiedAt = new NumberColumn()
  readonly notifiedState = new NumberColumn()
  readonly branches = new NumberColumn()
  /** First and last instant at which a device took its first copy. */
  readonly receivedAt = new NumberColumn()
  readonly receivedLastAt = new NumberColumn()
  /** Distinct devices that took it. */
  readonly receivers = new NumberColumn()
  readonly firstReceiver = new NumberColumn()
  /** When the receiving device had last come up. */
  readonly deviceUpAt = new NumberColumn()
  readonly states = new Names()
  readonly causes = new Names()
  readonly bindings = new Names()
  private readonly firstOfPush = new Map<string, number>()

  get length(): number {
    return this.pushIds.length
  }

  /** The delivery of this push-id at this address, made when new. */
  of(pushId: string, address: string): number {
    const first = this.firstOfPush.get(pushId)
    if (first === undefined) {
      const delivery = this.append(pushId, address)
      this.firstOfPush.set(pushId, delivery)
      return delivery
    }
    let delivery = first
    while (this.addresses[delivery] !== address) {
      if (!this.next.has(delivery)) {
        const added = this.append(pushId, address)
        this.next.set(delivery, added)
        return added
      }
      delivery = this.next.get(delivery)
    }
    return delivery
  }

  /** The first delivery of a push-id that somebody mentioned, or undefined. */
  first(pushId: string): number | undefined {
    return this.firstOfPush.get(pushId)
  }

  private append(pushId: string, address: string): number {
    this.pushIds.push(pushId)
    this.addresses.push(address)
    return this.pushIds.length - 1
  }
}

/** What the terminals of one group saw. */
export interface GroupCounts {
  received: number
  repeats: number
  /** Answered with anything but a 2xx. */
  refused: number
}

export interface Tables {
  readonly attempts: AttemptTable
  readonly deliveries: DeliveryTable
  readonly groups: ReadonlyMap<string, GroupCounts>
  /** What the gateway saw of single devices (pushes to a GRUU): final SIP statuses, or why there was none, with how often. */
  readonly deviceStatuses: ReadonlyMap<string, number>
  /** Copies after the first at one device, by delivery and device instance. */
  readonly copies: readonly Copies[]
  /** Push-ids that somebody but the initiator mentioned, with who did; at most 100 are kept, all are counted. */
  readonly foreign: { count: number; readonly examples: { readonly pushId: string; readonly who: string }[] }
  /** Lines that were no journal lines, by journal. */
  readonly unreadable: number
  /** Where the first of them stands, `file:line`, as far as its reader told. */
  readonly unreadableAt?: string | undefined
}

export interface Copies {
  readonly delivery: number
  readonly instance: string
  readonly count: number
}
