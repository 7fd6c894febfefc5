/**
 * Who of the deliveries may wait as numbers (parked.ts), and how they come back: their submission is read from the store when
 * their user registers or their moment comes, a window at a time. Knows rows and moments; what happens then is deliveries.ts.
 */
import { assert } from '../../kit/assert.js'
import { ChurnMap } from '../../kit/churn-map.js'
import { MICROS_PER_MILLI, monoOfWall, type Micros, type Now, type WallMillis } from '../../kit/time.js'
import { pendingKey, type Sequence } from '../../store/keys.js'
import { decodeSubmission, type SubmissionRecord } from '../../store/records.js'
import type { ReadWaiter, StorePort } from '../store-port.js'
import type { Delivery } from './delivery.js'
import type { Parked, ParkedDeliveries } from './parked.js'
import { targetOf } from './target.js'

/** Whoever goes on with one that came back. */
export interface Returns {
  returned(now: Now, parked: Parked, submission: SubmissionRecord): void
}

/** Of those whose moment has come, so many are read at a time: a million lifetimes may end at one instant. */
const DUE_AT_ONCE = 512

export class Parking {
  private dueAt: Micros = Infinity
  /** How many recipients of a submission are being read back: neither parked nor in anyone's hands. */
  private readonly returning = new ChurnMap<number, Sequence>(0)

  constructor(private readonly parked: ParkedDeliveries, private readonly store: StorePort, private readonly returns: Returns) {}

  /** Whether the store and the tables hold all that is to be known of it. One for a temporary GRUU may come to belong to another user's queue. */
  takes({ fork, round, redirections, resolved, queue }: Delivery): boolean {
    return fork === undefined && round === undefined && redirections === 0 && !resolved && queue.target.gruu !== 'temporary'
  }

  /** @param from no earlier than this it is tried; 0 when it waits for its user, and at the latest for the end of its lifetime */
  add(now: Now, delivery: Delivery, from: WallMillis): void {
    const due = from === 0 ? delivery.expiresAt : Math.min(from, delivery.expiresAt)
    this.parked.add(delivery, due, from !== 0)
    this.dueAt = Math.min(this.dueAt, this.momentOf(now, due))
  }

  /** A user registered. */
  wake(aor: string): void {
    for (const parked of this.parked.takeWaiting(aor)) this.read(parked)
  }

  /** Takes this one out of the tables, if it is there. */
  take(sequence: Sequence, recipient: number, submission: SubmissionRecord): Parked | undefined {
    return this.parked.take(aorOf(submission, recipient), sequence, recipient)
  }

  holds(sequence: Sequence, recipient: number, submission: SubmissionRecord): boolean {
    return this.parked.holds(aorOf(submission, recipient), sequence, recipient)
  }

  /** Whether any recipient of a submission is just being read back. */
  isReturning(sequence: Sequence): boolean {
    return this.returning.has(sequence)
  }

  deadline(): Micros {
    return this.dueAt
  }

  tick(now: Now): void {
    if (this.dueAt > now.mono) return
    for (let count = 0; count < DUE_AT_ONCE; count++) {
      const parked = this.parked.popDue(now.wall)
      if (parked === undefined) break
      this.read(parked)
    }
    this.dueAt = this.momentOf(now, this.parked.nextDue)
  }

  private read(parked: Parked): void {
    const { sequence } = parked
    this.returning.set(sequence, (this.returning.get(sequence) ?? 0) + 1)
    this.store.read(pendingKey(sequence), new Returning(parked, this))
  }

  readBack(now: Now, parked: Parked, value: Buffer | undefined): void {
    assert(value !== undefined, 'the row of a pending push is in the store as long as a recipient of it has no outcome')
    const others = this.returning.get(parked.sequence)! - 1
    if (others === 0) this.returning.delete(parked.sequence)
    else this.returning.set(parked.sequence, others)
    this.returns.returned(now, parked, decodeSubmission(value))
  }

  /** Never twice for one instant when the wall clock lags behind. */
  private momentOf(now: Now, due: WallMillis): Micros {
    return due === Infinity ? Infinity : Math.max(now.mono + MICROS_PER_MILLI, monoOfWall(now, due))
  }
}

class Returning implements ReadWaiter {
  constructor(private readonly parked: Parked, private readonly parking: Parking) {}

  valueRead(now: Now, value: Buffer | undefined): void {
    this.parking.readBack(now, this.parked, value)
  }
}

/** The user it is parked under, if it is. */
function aorOf(submission: SubmissionRecord, recipient: number): string {
  const uri = submission.recipients[recipient]?.uri
  return (uri === undefined ? undefined : targetOf(uri)?.aor) ?? ''
}
