/**
 * Result notifications (WAP-247 section 8.6): one per recipient with an outcome, in order within a push, again and
 * again until the initiator answers 2xx or the horizon passes, through restarts. Bounded: a few at a time to one host,
 * and what does not fit in memory stays in the store and is walked later. Knows no delivery and no socket.
 */
import { ChurnMap } from '../../kit/churn-map.js'
import { DeadlineHeap } from '../../kit/heap.js'
import { MICROS_PER_SECOND, type Micros, type Now } from '../../kit/time.js'
import { RowKind, doneKey, kindEnd, kindStart, recipientOf, sequenceOf, unacknowledgedKey, type Sequence } from '../../store/keys.js'
import type { StoreRow } from '../../store/operations.js'
import { decodeFinal, type FinalRecord } from '../../store/records.js'
import { RangeWalk } from '../../store/recovery.js'
import type { GatewayContext } from '../context.js'
import type { Announcer } from '../delivery/endings.js'
import { NotifyHosts, hostOf, type NotifyHost } from './notify-hosts.js'
import { notificationBody, notificationOf } from './notify-body.js'
import type { ReadWaiter, ScanWaiter } from '../store-port.js'

const HELD_MAX = 200_000
const HELD_PER_HOST_MAX = 50_000
const WINDOW_ROWS = 256
/** How long after a walk that left rows behind, or ran while some came in, the next one begins. */
const WALK_AGAIN_MICROS: Micros = 60 * MICROS_PER_SECOND

/** One recipient's notification from its outcome to its acknowledgement. */
export class Notification {
  attempts = 0
  /** What to say, kept for the first attempt; read back for later ones. */
  record: FinalRecord | undefined
  /** Of the same push, to be told after this one. */
  next: Notification | undefined = undefined

  constructor(readonly sequence: Sequence, readonly recipient: number, readonly host: NotifyHost, record: FinalRecord | undefined) {
    this.record = record
  }
}

export class Notifier implements Announcer, ScanWaiter {
  private readonly timers = new DeadlineHeap<Notification>()
  private readonly hosts: NotifyHosts
  /** The first unacknowledged notification of each push; the others of the push wait behind it. */
  private readonly firsts = new ChurnMap<Notification, Sequence>(0)
  private readonly sent = new ChurnMap<Notification, number>(0)
  private ticket = 0
  private held = 0
  private walk: RangeWalk | undefined = undefined
  private walkIsAsking = false
  /** Rows were left in the store for want of room. */
  private leftBehind = false
  private nextWalkAt: Micros = Infinity
  private stopped = false

  constructor(private readonly context: GatewayContext) {
    const { inFlightMax, inFlightPerHostMax } = context.settings.notifications
    this.hosts = new NotifyHosts(inFlightMax, inFlightPerHostMax)
  }

  get underWay(): number {
    return this.sent.size
  }

  /** An outcome was written whose notification is wanted. Its row says so until it is acknowledged. */
  announce(_now: Now, sequence: Sequence, recipient: number, record: FinalRecord): void {
    const host = this.hosts.of(hostOf(record.notifyUrl))
    if (this.held >= HELD_MAX || host.held >= HELD_PER_HOST_MAX) {
      this.leftBehind = true
      return
    }
    this.hold(new Notification(sequence, recipient, host, record))
  }

  /** Walks the unacknowledged rows: at the start, and whenever some were left behind. */
  recover(): void {
    this.walk = new RangeWalk(kindStart(RowKind.Unacknowledged), kindEnd(RowKind.Unacknowledged), WINDOW_ROWS)
    this.leftBehind = false
    this.nextWalkAt = Infinity
  }

  stop(): void {
    this.stopped = true
  }

  deadline(): Micros {
    return Math.min(this.timers.next(), this.nextWalkAt)
  }

  tick(now: Now): void {
    if (this.nextWalkAt <= now.mono) this.recover()
    for (let due = this.timers.popDue(now.mono); due !== undefined; due = this.timers.popDue(now.mono)) this.hosts.add(due.host, due)
  }

  pump(now: Now): void {
    if (this.stopped) return
    for (let notification = this.hosts.next(); notification !== undefined; notification = this.hosts.next()) {
      if (notification.record !== undefined) this.send(now, notification, notification.record)
      else this.context.store.read(doneKey(notification.sequence, notification.recipient), new Reading(this, notification))
    }
    if (this.walk !== undefined && !this.walkIsAsking && this.held < HELD_MAX / 2) {
      const { from, to, limit } = this.walk.next()
      this.walkIsAsking = true
      this.context.store.scan(from, to, limit, this)
    }
    if (this.leftBehind && this.walk === undefined && this.nextWalkAt === Infinity) this.nextWalkAt = now.mono + WALK_AGAIN_MICROS
  }

  /** The initiator's answer, or why there was none. Any 2xx acknowledges, whatever its body says (WAP-247 section 13). */
  answered(now: Now, ticket: number, status: number | undefined): void {
    const notification = this.sent.get(ticket)
    if (notification === undefined) return
    this.sent.delete(ticket)
    this.hosts.done(notification.host)
    if (status !== undefined && status >= 200 && status < 300) return this.retire(now, notification)
    this.tryLater(now, notification, notification.record)
  }

  rowsRead(now: Now, rows: readonly StoreRow[]): void {
    this.walkIsAsking = false
    const { walk } = this
    if (walk === undefined) return
    walk.took(rows)
    if (walk.done) this.walk = undefined
    for (const { key } of rows) {
      const sequence = sequenceOf(key)
      const recipient = recipientOf(key)
      if (!this.isHeld(sequence, recipient)) this.context.store.read(doneKey(sequence, recipient), new Recovering(this, sequence, recipient))
    }
    this.pump(now)
  }

  /** An unacknowledged notification found in the store. */
  recovered(now: Now, sequence: Sequence, recipient: number, value: Buffer | undefined): void {
    if (this.isHeld(sequence, recipient)) return
    if (value === undefined) return this.context.store.deleteLate(now, unacknowledgedKey(sequence, recipient))
    this.announce(now, sequence, recipient, decodeFinal(value))
  }

  readBack(now: Now, notification: Notification, value: Buffer | undefined): void {
    if (value === undefined) {
      this.hosts.done(notification.host)
      return this.retire(now, notification)
    }
    this.send(now, notification, decodeFinal(value))
  }

  private send(now: Now, notification: Notification, record: FinalRecord): void {
    if (now.wall >= record.endedAt + this.context.settings.notifications.giveUpAfterMillis) {
      this.hosts.done(notification.host)
      return this.retire(now, notification)
    }
    const { counters, out, settings, unwritten } = this.context
    if (notification.attempts === 0) counters.notifications++
    else counters.notificationRetries++
    notification.attempts++
    notification.record = undefined
    this.sent.set(++this.ticket, notification)
    const { ticket } = this
    const url = record.notifyUrl
    out.add(unwritten ? { type: 'notify', ticket, url, body: '', document: notificationOf(record, settings) } : { type: 'notify', ticket, url, body: notificationBody(record, settings) })
  }

  private tryLater(now: Now, notification: Notification, record: FinalRecord | undefined): void {
    const { retryMicros } = this.context.settings.notifications
    const wait = retryMicros[Math.min(notification.attempts, retryMicros.length) - 1] ?? MICROS_PER_SECOND
    notification.record = record
    this.timers.arm(now.mono + wait, notification)
  }

  private hold(notification: Notification): void {
    this.held++
    notification.host.held++
    const first = this.firsts.get(notification.sequence)
    if (first === undefined) {
      this.firsts.set(notification.sequence, notification)
      this.hosts.add(notification.host, notification)
      return
    }
    let last = first
    while (last.next !== undefined) last = last.next
    last.next = notification
  }

  /** Acknowledged or given up: the next of the same push follows. */
  private retire(now: Now, notification: Notification): void {
    this.held--
    notification.host.held--
    this.hosts.release(notification.host)
    this.context.store.deleteLate(now, unacknowledgedKey(notification.sequence, notification.recipient))
    const { next } = notification
    if (next === undefined) {
      this.firsts.delete(notification.sequence)
      return
    }
    this.firsts.set(notification.sequence, next)
    this.hosts.add(next.host, next)
  }

  private isHeld(sequence: Sequence, recipient: number): boolean {
    for (let at = this.firsts.get(sequence); at !== undefined; at = at.next) if (at.recipient === recipient) return true
    return false
  }
}

class Reading implements ReadWaiter {
  constructor(private readonly notifier: Notifier, private readonly notification: Notification) {}

  valueRead(now: Now, value: Buffer | undefined): void {
    this.notifier.readBack(now, this.notification, value)
  }
}

class Recovering implements ReadWaiter {
  constructor(private readonly notifier: Notifier, private readonly sequence: Sequence, private readonly recipient: number) {}

  valueRead(now: Now, value: Buffer | undefined): void {
    this.notifier.recovered(now, this.sequence, this.recipient, value)
  }
}
