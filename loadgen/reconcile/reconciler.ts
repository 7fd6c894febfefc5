/**
 * Joins the journals of initiator, gateway, core network and terminals by push-id and address. Events may be
 * interleaved within a part, but the parts come in that order: the initiator says what was meant, the gateway which
 * target belongs to which address. Nobody's counters are read: what is lost is found as a set difference.
 */
import type { JournalEvent } from '../../core/kit/journal.js'
import type { Micros } from '../../core/kit/time.js'
import { Names, NumberColumn } from './columns.js'
import { AttemptTable, DeliveryTable, type Copies, type GroupCounts, type Tables } from './tables.js'

const EXAMPLES_MAX = 100
/** Two numbers in one map key; 2^21 devices that received more than their first copy's row suffice for any run. */
const INSTANCES_MAX = 2 ** 21

/** The devices that journals name, and when each was last seen to come up. */
export class Presence {
  readonly instances = new Names()
  readonly lastUpAt = new NumberColumn()

  up(instance: string, at: Micros): void {
    this.lastUpAt.set(this.instances.number(instance), at)
  }
}

export class Reconciler {
  private readonly attempts = new AttemptTable()
  private readonly deliveries = new DeliveryTable()
  private readonly groups = new Map<string, GroupCounts>()
  /** Copies by delivery and instance, for every pair but each delivery's first receiver. */
  private readonly further = new Map<number, number>()
  private readonly repeatsAtFirst = new Map<number, number>()
  private readonly targets = new Map<string, number>()
  private readonly deviceStatuses = new Map<string, number>()
  private readonly foreign: Tables['foreign'] = { count: 0, examples: [] }
  private unreadable = 0
  private unreadableAt: string | undefined

  /**
   * @param presence shared where several reconcilers each take some of a run's push-ids
   * @param firstAttempt the lowest number of an attempt it will be told of
   */
  constructor(private readonly presence = new Presence(), private readonly firstAttempt = 0) {}

  /** The load generator's journal, and that of its notification listener. First. */
  initiator(event: JournalEvent): void {
    const { attempts, deliveries } = this
    if (event.event === 'notified') {
      const delivery = deliveries.first(event.pushId) === undefined ? this.unplanned(event.pushId, 'a result notification') : deliveries.of(event.pushId, event.address)
      if (delivery === undefined || deliveries.notifiedAt.has(delivery)) return
      deliveries.notifiedAt.set(delivery, event.mono)
      deliveries.notifiedState.set(delivery, deliveries.states.number(event.details[0] ?? ''))
      return
    }
    const attempt = Number(event.details[event.event === 'sent' ? 0 : 1]) - this.firstAttempt
    if (!Number.isInteger(attempt) || attempt < 0) {
      this.unreadable++
      return
    }
    attempts.length = Math.max(attempts.length, attempt + 1)
    switch (event.event) {
      case 'planned': {
        const delivery = deliveries.of(event.pushId, event.address)
        deliveries.planned.set(delivery, 1)
        attempts.delivery.set(attempt, delivery)
        attempts.plannedAt.set(attempt, event.mono)
        attempts.row.set(attempt, attempts.rowNames.number(event.details[0]!))
        if (event.details[2] !== undefined) attempts.deliverBeforeAt.set(attempt, Number(event.details[2]))
        return
      }
      case 'sent':
        attempts.sentAt.set(attempt, event.mono)
        attempts.takenAt.set(attempt, event.mono - Number(event.details[1] ?? 0))
        return
      case 'answered':
        attempts.answeredAt.set(attempt, event.mono)
        attempts.answer.set(attempt, attempts.answers.number(event.details[0]!))
        return
      case 'unanswered':
        attempts.unanswered.set(attempt, attempts.reasons.number(event.details[0]!))
        return
      default:
        this.unreadable++
    }
  }

  /** The gateway's journal. Second. */
  gateway(event: JournalEvent): void {
    const { deliveries } = this
    if (event.event === 'refused') return
    if (event.event === 'device') {
      const status = event.details[1] ?? ''
      this.deviceStatuses.set(status, (this.deviceStatuses.get(status) ?? 0) + 1)
      return
    }
    if (deliveries.first(event.pushId) === undefined) {
      this.unplanned(event.pushId, 'the gateway')
      return
    }
    const delivery = deliveries.of(event.pushId, event.address)
    switch (event.event) {
      case 'accepted':
        deliveries.acceptedAt.setIfEarlier(delivery, event.mono)
        return
      case 'sip-out':
        deliveries.firstSipAt.setIfEarlier(delivery, event.mono)
        deliveries.binding.set(delivery, deliveries.bindings.number(event.details[1] ?? 'message'))
        if (deliveries.next.has(deliveries.first(event.pushId)!)) this.targets.set(`${event.pushId}\n${event.details[0] ?? ''}`, delivery)
        return
      case 'outcome':
        if (deliveries.outcomes.increment(delivery) > 1) return
        deliveries.outcomeAt.set(delivery, event.mono)
        deliveries.state.set(delivery, deliveries.states.number(event.details[0] ?? 'unknown'))
        deliveries.code.set(delivery, Number(event.details[1]))
        deliveries.cause.set(delivery, deliveries.causes.number(causeOf(event.details)))
        return
      case 'in-flight':
        deliveries.inFlight.set(delivery, event.mono)
        return
      default:
        this.unreadable++
    }
  }

  /** The core network's journal. */
  ims(event: JournalEvent): void {
    if (event.event !== 'fork') return
    const delivery = this.byTarget(event.pushId, event.details[0] ?? '', 'the core network')
    if (delivery !== undefined) this.deliveries.branches.setIfLater(delivery, Number(event.details[1]))
  }

  /** A journal of terminals, `group` being what they are reported as. */
  terminal(group: string, event: JournalEvent): void {
    if (event.event === 'device-up') {
      this.presence.up(event.details[0] ?? '', event.mono)
      return
    }
    if (event.event !== 'received') return
    const counts = this.group(group)
    const status = Number(event.details[2])
    counts.received++
    if (event.details[3] === 'repeat') counts.repeats++
    if (status >= 300) {
      counts.refused++
      return
    }
    const delivery = this.byTarget(event.pushId, event.details[0] ?? '', 'a terminal')
    if (delivery !== undefined) this.received(delivery, this.presence.instances.number(event.details[1] ?? ''), event.mono)
  }

  /** A line that is no journal line: expected once at the end of a journal whose writer was killed. @param place `file:line` */
  unreadableLine(place?: string): void {
    this.unreadable++
    this.unreadableAt ??= place
  }

  /** A group without any event is still shown. */
  group(name: string): GroupCounts {
    let counts = this.groups.get(name)
    if (counts === undefined) {
      counts = { received: 0, repeats: 0, refused: 0 }
      this.groups.set(name, counts)
    }
    return counts
  }

  tables(): Tables {
    return { attempts: this.attempts, deliveries: this.deliveries, groups: this.groups, deviceStatuses: this.deviceStatuses, copies: this.copies(), foreign: this.foreign, unreadable: this.unreadable, unreadableAt: this.unreadableAt }
  }

  private received(delivery: number, instance: number, at: number): void {
    const { deliveries } = this
    if (!deliveries.firstReceiver.has(delivery)) {
      deliveries.firstReceiver.set(delivery, instance)
    } else if (deliveries.firstReceiver.get(delivery) === instance) {
      this.repeatsAtFirst.set(delivery, (this.repeatsAtFirst.get(delivery) ?? 0) + 1)
      return
    } else {
      const key = delivery * INSTANCES_MAX + instance
      const copies = (this.further.get(key) ?? 0) + 1
      this.further.set(key, copies)
      if (copies > 1) return
    }
    deliveries.receivers.increment(delivery)
    deliveries.receivedAt.setIfEarlier(delivery, at)
    deliveries.receivedLastAt.setIfLater(delivery, at)
    const upAt = this.presence.lastUpAt.get(instance)
    if (!Number.isNaN(upAt)) deliveries.deviceUpAt.setIfEarlier(delivery, upAt)
  }

  private copies(): Copies[] {
    const doubled: Copies[] = []
    const { instances } = this.presence
    for (const [delivery, repeats] of this.repeatsAtFirst) {
      doubled.push({ delivery, instance: instances.name(this.deliveries.firstReceiver.get(delivery)), count: repeats + 1 })
    }
    for (const [key, count] of this.further) {
      if (count > 1) doubled.push({ delivery: Math.floor(key / INSTANCES_MAX), instance: instances.name(key % INSTANCES_MAX), count })
    }
    return doubled
  }

  /** Who knows only the SIP target: unambiguous for a push with one address, else the gateway's word on that target. */
  private byTarget(pushId: string, target: string, who: string): number | undefined {
    const first = this.deliveries.first(pushId)
    if (first === undefined) return this.unplanned(pushId, who)
    return this.deliveries.next.has(first) ? (this.targets.get(`${pushId}\n${target}`) ?? first) : first
  }

  private unplanned(pushId: string, who: string): undefined {
    this.foreign.count++
    if (this.foreign.examples.length < EXAMPLES_MAX) this.foreign.examples.push({ pushId, who })
    return undefined
  }
}

/** `details` of an outcome: message-state, code, confirmed|unconfirmed|-, last SIP status or -. */
function causeOf(details: readonly string[]): string {
  const status = details[3] ?? '-'
  return `PAP ${details[1] ?? '?'}${status === '-' ? ', no SIP answer' : `, SIP ${status}`}`
}
