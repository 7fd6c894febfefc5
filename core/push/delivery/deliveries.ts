/**
 * The life of each delivery between acceptance and final outcome: ready, attempting, waiting for its time, for a retry
 * or for a registration, at the end of its lifetime. At most one MESSAGE is pending to a Request-URI (RFC 3428 section 8).
 * It assumes nothing about other recipients of the same submission. What is sent: bindings.ts; what an answer means: verdicts.ts.
 */
import { assert } from '../../kit/assert.js'
import { monoOfWall, type Micros, type Now, type WallMillis } from '../../kit/time.js'
import { pendingKey, type Sequence } from '../../store/keys.js'
import { PRIORITIES, decodeSubmission, type SubmissionRecord } from '../../store/records.js'
import { bitOf } from '../bindings/binding.js'
import type { GatewayContext } from '../context.js'
import { Delivery, type Fork, type Group } from './delivery.js'
import { DeliveryBook } from './delivery-book.js'
import { DeliveryIndex } from './delivery-index.js'
import type { Hops } from './hops.js'
import { Lines } from './lines.js'
import { lifetimeEnd } from './outcomes.js'
import type { Parked } from './parked.js'
import { Parking } from './parking.js'
import type { Recipient, Recipients, RequestQueue } from './recipients.js'
import { Rounds } from './rounds.js'
import type { ReadWaiter } from '../store-port.js'
import type { End, Recorder, Sender } from './roles.js'
import { targetOf, type Target } from './target.js'

export class Deliveries {
  private readonly book: DeliveryBook
  private readonly lines = new Lines()
  readonly parking: Parking
  private blockedUntil: Micros = Infinity
  private stopped = false
  readonly index = new DeliveryIndex()
  /** Whether every push of the store that has no outcome was taken up: until then one that is not in the index may still be waiting. */
  isComplete = false
  /** Policy `first`. */
  readonly rounds = new Rounds(this)
  sender!: Sender
  recorder!: Recorder

  constructor(private readonly context: GatewayContext, private readonly recipients: Recipients, private readonly hops: Hops) {
    this.book = new DeliveryBook(context.counters)
    this.parking = new Parking(recipients.parked, context.store, this)
  }

  /** Recipients that are ready or being attempted. */
  get atWork(): number {
    return this.book.ready + this.book.attempts
  }

  get attemptsOpen(): number {
    return this.book.attempts
  }

  /** Takes over one recipient. `recovered` ones are tried once even if they are not known to be registered. */
  add(now: Now, sequence: Sequence, recipient: number, submission: SubmissionRecord, group: Group | undefined, recovered: boolean): void {
    const target = targetOf(submission.recipients[recipient]!.uri)
    assert(target !== undefined, 'a stored Request-URI is one that was accepted')
    const queue = this.recipients.queueOf(target)
    const delivery = new Delivery(sequence, recipient, PRIORITIES.indexOf(submission.priority), submission.expiresAt, queue, group)
    queue.members++
    this.context.counters.inFlight++
    delivery.probe = recovered
    delivery.hasLegRow = recovered
    this.index.add(delivery)
    this.begin(now, delivery, submission)
  }

  /** One that was parked goes on: its user registered, or its moment has come. */
  returned(now: Now, parked: Parked, submission: SubmissionRecord): void {
    const delivery = this.unpark(parked, submission)
    if (now.wall < delivery.expiresAt) return this.begin(now, delivery, submission)
    this.book.enter(delivery, 'ready')
    this.finish(now, delivery, submission, this.lifetimeEndOf(delivery, submission))
  }

  /** Starts what may start. Called at the end of every turn. */
  pump(now: Now): void {
    this.blockedUntil = Infinity
    while (!this.stopped && this.book.attempts < this.context.settings.attemptsMax && !this.lines.isEmpty) {
      if (!this.hops.anyAwake(now)) {
        this.blockedUntil = this.hops.deadline(now)
        return
      }
      const queue = this.lines.next()
      if (queue === undefined) return
      this.start(now, queue)
    }
  }

  /** A recipient registered: everything of it that waits for that is tried (RFC 5627: its GRUUs, too). */
  wake(now: Now, recipient: Recipient): void {
    for (let queue = recipient.firstQueue; queue !== undefined; queue = queue.next) {
      for (let delivery = queue.awaiting.shift(); delivery !== undefined; delivery = queue.awaiting.shift()) {
        this.book.change(delivery, 'ready')
        this.makeReady(now, delivery)
      }
    }
    this.parking.wake(recipient.aor)
  }

  /**
   * Takes out one of which nothing is under way, so that it is certain that nothing of it will be sent (WAP-249 section 5.4).
   * Whoever called writes its end, or puts it back. False when it was tried just now, waits for a proof, or has its end.
   */
  withdraw(delivery: Delivery): boolean {
    if (delivery.state === 'ready') delivery.queue.ready.remove(delivery)
    else if (delivery.state === 'awaiting') delivery.queue.awaiting.remove(delivery)
    else if (delivery.state !== 'timed') return false
    this.leaveQueue(delivery)
    return true
  }

  /** One from the tables, for `withdraw` alone. */
  unparked(sequence: Sequence, recipient: number, submission: SubmissionRecord): Delivery | undefined {
    const parked = this.parking.take(sequence, recipient, submission)
    if (parked === undefined) return undefined
    const delivery = this.unpark(parked, submission)
    this.book.enter(delivery, 'timed')
    return delivery
  }

  /** A withdrawn one whose end could not be written goes on. */
  putBack(now: Now, delivery: Delivery, submission: SubmissionRecord): void {
    this.index.remove(delivery)
    this.context.counters.inFlight--
    this.add(now, delivery.sequence, delivery.recipient, submission, delivery.group, true)
  }

  /** No attempt starts any more; those under way finish. */
  stop(): void {
    this.stopped = true
  }

  deadline(): Micros {
    return Math.min(this.book.deadline(), this.parking.deadline(), this.blockedUntil)
  }

  tick(now: Now): void {
    for (let delivery = this.book.popDue(now); delivery !== undefined; delivery = this.book.popDue(now)) {
      if (now.wall >= delivery.expiresAt) this.expire(now, delivery)
      else if (delivery.state === 'timed') {
        this.book.change(delivery, 'ready')
        this.makeReady(now, delivery)
      } else if (delivery.state === 'awaiting' && delivery.probe) {
        delivery.queue.awaiting.remove(delivery)
        this.book.change(delivery, 'ready')
        this.makeReady(now, delivery)
      } else this.book.arm(now, delivery, Infinity)
    }
    this.parking.tick(now)
  }

  /**
   * The attempt goes on, but no MESSAGE of it is pending: the next delivery to the same Request-URI may start (RFC 3428
   * section 8 binds nothing else).
   */
  release(delivery: Delivery): void {
    const { queue } = delivery
    if (queue.pending === delivery) queue.pending = undefined
    this.lines.add(queue)
  }

  // ---- how an attempt ends ----

  end(now: Now, delivery: Delivery, end: End): void {
    const submission = delivery.submission
    assert(submission !== undefined, 'an attempt has its submission at hand')
    const { round } = delivery
    if (round !== undefined && end.state !== 'delivered') {
      const whole = this.rounds.refused(now, delivery, round, end)
      if (whole === undefined) return
      end = whole
    }
    this.leaveAttempt(delivery)
    this.finish(now, delivery, submission, end)
  }

  /** It cannot be had at this device now: policy `first` tries the next one. False when it is for one device or address. */
  passOver(now: Now, delivery: Delivery, waitMicros: Micros): boolean {
    if (delivery.round === undefined) return false
    this.rounds.passOver(now, delivery, delivery.round, waitMicros)
    return true
  }

  /** Policy `all`: a delivery for each of these devices stands for this one, until `endSplit`. */
  split(now: Now, parent: Delivery, submission: SubmissionRecord, fork: Fork, targets: readonly Target[]): void {
    this.leaveAttempt(parent)
    this.book.change(parent, 'split')
    parent.submission = undefined
    for (const target of targets) {
      const leg = new Delivery(parent.sequence, parent.recipient, parent.priority, parent.expiresAt, this.recipients.queueOf(target), undefined)
      leg.queue.members++
      leg.fork = fork
      leg.device = target.uri
      leg.cseq = parent.cseq
      leg.submission = submission
      this.book.enter(leg, 'ready')
      this.makeReady(now, leg)
    }
  }

  /** What its legs came to. */
  endSplit(now: Now, parent: Delivery, submission: SubmissionRecord, end: End): void {
    this.finish(now, parent, submission, end)
  }

  /** Again now, by another hop or to a moved target. */
  again(now: Now, delivery: Delivery): void {
    if (now.wall >= delivery.expiresAt) return this.endLifetime(now, delivery)
    this.leaveAttempt(delivery)
    this.book.change(delivery, 'ready')
    this.makeReady(now, delivery)
  }

  /** By the next binding the selection has for it, at once; by none, then this end. */
  elsewhere(now: Now, delivery: Delivery, end: End): void {
    const submission = delivery.submission
    assert(submission !== undefined, 'an attempt has its submission at hand')
    delivery.excluded |= bitOf(delivery.binding)
    if (this.sender.hasOther(now, delivery, submission)) this.again(now, delivery)
    else this.end(now, delivery, end)
  }

  later(now: Now, delivery: Delivery, waitMicros: Micros): void {
    if (now.wall >= delivery.expiresAt) return this.endLifetime(now, delivery)
    this.leaveAttempt(delivery)
    this.book.change(delivery, 'timed')
    this.rest(now, delivery, now.mono + waitMicros)
  }

  /** What it waited for by `later` has come; without effect when it waits no more. */
  resume(now: Now, delivery: Delivery): void {
    if (delivery.state !== 'timed') return
    this.book.disarm(delivery)
    this.book.change(delivery, 'ready')
    this.makeReady(now, delivery)
  }

  /**
   * Until the recipient registers. The epoch decides: a registration that came while the attempt was under way has
   * already woken everyone else, so this one goes again at once instead of missing it.
   */
  awaitRegistration(now: Now, delivery: Delivery, retryAfterMicros: Micros | undefined): void {
    const recipient = delivery.queue.recipient
    if (recipient.epoch !== delivery.epoch && recipient.registered === true) return this.again(now, delivery)
    if (now.wall >= delivery.expiresAt) return this.endLifetime(now, delivery)
    this.leaveAttempt(delivery)
    if (retryAfterMicros === undefined) return this.awaitWithoutTimer(now, delivery)
    this.book.change(delivery, 'awaiting')
    delivery.queue.awaiting.insert(delivery)
    delivery.probe = true
    this.rest(now, delivery, now.mono + retryAfterMicros)
  }

  /** At another Request-URI, until its recipient registers or so long. */
  waitAt(now: Now, delivery: Delivery, target: Target, waitMicros: Micros): void {
    if (now.wall >= delivery.expiresAt) return this.endLifetime(now, delivery)
    this.leaveAttempt(delivery)
    this.changeQueue(delivery, target)
    const { recipient } = delivery.queue
    const missed = recipient.epoch !== delivery.epoch && recipient.registered === true
    this.book.change(delivery, 'awaiting')
    delivery.queue.awaiting.insert(delivery)
    delivery.probe = true
    this.rest(now, delivery, now.mono + (missed ? 0 : waitMicros))
  }

  /** Nothing more is sent; the end of the lifetime settles it as unknown. */
  hold(now: Now, delivery: Delivery): void {
    if (now.wall >= delivery.expiresAt) return this.endLifetime(now, delivery)
    this.leaveAttempt(delivery)
    this.book.change(delivery, 'holding')
    this.rest(now, delivery, Infinity)
  }

  /** Nothing more is sent: `proved` ends it, or its lifetime does. */
  awaitProof(now: Now, delivery: Delivery): void {
    if (now.wall >= delivery.expiresAt) return this.endLifetime(now, delivery)
    this.leaveAttempt(delivery)
    this.book.change(delivery, 'proving')
    this.rest(now, delivery, Infinity)
  }

  proved(delivery: Delivery, end: End): void {
    assert(delivery.state === 'proving', 'only what waits for a proof can be proved')
    delivery.proof = end
    this.leaveQueue(delivery)
    this.context.store.read(pendingKey(delivery.sequence), new ReadBack(delivery, this))
  }

  /** To another Request-URI, in whose queue it takes its turn. */
  move(now: Now, delivery: Delivery, target: Target): void {
    this.leaveAttempt(delivery)
    this.changeQueue(delivery, target)
    this.book.change(delivery, 'ready')
    this.makeReady(now, delivery)
  }

  // ---- inside ----

  private unpark(parked: Parked, submission: SubmissionRecord): Delivery {
    const target = targetOf(submission.recipients[parked.recipient]!.uri)
    assert(target !== undefined, 'a stored Request-URI is one that was accepted')
    const delivery = new Delivery(parked.sequence, parked.recipient, parked.priority, submission.expiresAt, this.recipients.queueOf(target), parked.group)
    delivery.queue.members++
    delivery.comeBack(parked)
    this.index.add(delivery)
    this.book.leave('parked')
    return delivery
  }

  private begin(now: Now, delivery: Delivery, submission: SubmissionRecord): void {
    if (submission.deliverAfter <= now.wall) {
      delivery.submission = submission
      this.book.enter(delivery, 'ready')
      return this.makeReady(now, delivery)
    }
    this.book.enter(delivery, 'timed')
    if (this.parking.takes(delivery)) this.park(now, delivery, submission.deliverAfter)
    else this.book.arm(now, delivery, monoOfWall(now, submission.deliverAfter))
  }

  /** Until its user registers or its lifetime ends. */
  private awaitWithoutTimer(now: Now, delivery: Delivery): void {
    if (this.parking.takes(delivery)) return this.park(now, delivery, 0)
    this.book.change(delivery, 'awaiting')
    delivery.queue.awaiting.insert(delivery)
    delivery.probe = false
    this.rest(now, delivery, Infinity)
  }

  /** It goes into the tables, and comes back by `returned`. */
  private park(now: Now, delivery: Delivery, from: WallMillis): void {
    this.parking.add(now, delivery, from)
    this.index.remove(delivery)
    this.leaveQueue(delivery, 'parked')
  }

  private start(now: Now, queue: RequestQueue): void {
    for (let delivery = queue.ready.shift(); delivery !== undefined; delivery = queue.ready.shift()) {
      if (now.wall >= delivery.expiresAt) {
        this.expireOutside(now, delivery)
        continue
      }
      if (queue.recipient.isOffline && !delivery.probe) {
        this.awaitWithoutTimer(now, delivery)
        continue
      }
      queue.pending = delivery
      this.book.change(delivery, 'attempting')
      this.book.disarm(delivery)
      delivery.probe = false
      delivery.epoch = queue.recipient.epoch
      if (delivery.submission !== undefined) this.sender.send(now, delivery, delivery.submission)
      else this.context.store.read(pendingKey(delivery.sequence), new ReadBack(delivery, this))
      return
    }
  }

  /** The content of a delivery that waited came back from the store: to be sent, or for its last report. */
  readBack(now: Now, delivery: Delivery, value: Buffer | undefined): void {
    assert(value !== undefined, 'the row of a pending push is in the store as long as a recipient of it has no outcome')
    const submission = decodeSubmission(value)
    if (delivery.state === 'ending') return this.recorder.record(now, delivery, submission, this.lifetimeEndOf(delivery, submission))
    delivery.submission = submission
    // Again right before the transmission (WAP-247 section 8.2): content past deliver-before must not be sent.
    if (now.wall >= delivery.expiresAt) this.endLifetime(now, delivery)
    else this.sender.send(now, delivery, submission)
  }

  private makeReady(now: Now, delivery: Delivery): void {
    const queue = delivery.queue
    queue.ready.insert(delivery)
    const startsNow = queue.pending === undefined && queue.ready.head === delivery && this.atWork <= this.context.settings.attemptsMax && this.hops.anyTaking(now)
    if (!startsNow) this.rest(now, delivery, Infinity)
    this.lines.add(queue)
  }

  /** It waits: the content goes back to the store alone, and one timer stands for its next moment. */
  private rest(now: Now, delivery: Delivery, at: Micros): void {
    delivery.submission = undefined
    delivery.queue.detach()
    this.book.arm(now, delivery, at)
  }

  private changeQueue(delivery: Delivery, target: Target): void {
    const old = delivery.queue
    const queue = this.recipients.queueOf(target)
    queue.members++
    old.members--
    this.recipients.release(old)
    delivery.queue = queue
  }

  private leaveAttempt(delivery: Delivery): void {
    assert(delivery.state === 'attempting', 'only an attempt can be left')
    this.release(delivery)
  }

  private endLifetime(now: Now, delivery: Delivery): void {
    const submission = delivery.submission
    assert(submission !== undefined, 'an attempt has its submission at hand')
    this.leaveAttempt(delivery)
    this.finish(now, delivery, submission, this.lifetimeEndOf(delivery, submission))
  }

  /** The lifetime ended while it waited. An attempt under way is let finish. */
  private expire(now: Now, delivery: Delivery): void {
    if (delivery.state === 'attempting' || delivery.state === 'ending') return
    if (delivery.state === 'ready') delivery.queue.ready.remove(delivery)
    else if (delivery.state === 'awaiting') delivery.queue.awaiting.remove(delivery)
    this.expireOutside(now, delivery)
  }

  private expireOutside(now: Now, delivery: Delivery): void {
    delivery.held = delivery.state === 'holding'
    const { submission } = delivery
    if (submission !== undefined) return this.finish(now, delivery, submission, this.lifetimeEndOf(delivery, submission))
    this.leaveQueue(delivery)
    this.context.store.read(pendingKey(delivery.sequence), new ReadBack(delivery, this))
  }

  private lifetimeEndOf(delivery: Delivery, submission: SubmissionRecord): End {
    if (delivery.proof !== undefined) return delivery.proof
    if (delivery.held) return { state: 'unknown', code: 4000, desc: 'a relay took it (202) and no proof of delivery came' }
    return lifetimeEnd(submission.hasDeliverBefore, delivery.lifetimeCode)
  }

  private finish(now: Now, delivery: Delivery, submission: SubmissionRecord, end: End): void {
    this.leaveQueue(delivery)
    this.recorder.record(now, delivery, submission, end)
  }

  private leaveQueue(delivery: Delivery, state: 'ending' | 'parked' = 'ending'): void {
    this.book.change(delivery, state)
    this.book.disarm(delivery)
    delivery.submission = undefined
    delivery.queue.members--
    this.recipients.release(delivery.queue)
  }
}

class ReadBack implements ReadWaiter {
  constructor(private readonly delivery: Delivery, private readonly deliveries: Deliveries) {}

  valueRead(now: Now, value: Buffer | undefined): void {
    this.deliveries.readBack(now, this.delivery, value)
  }
}
