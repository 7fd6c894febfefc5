/**
 * Policy `all`: a delivery to a user is split into legs, one for each device, each in the queue of its GRUU (RFC 3428 section
 * 8). When every leg has ended, the delivery ends as the worst of them. Which have ended is stored, so that a restart does not
 * repeat them. Knows deliveries and their ends; sends nothing.
 */
import { assert } from '../../kit/assert.js'
import type { Now } from '../../kit/time.js'
import { legsKey } from '../../store/keys.js'
import { decodeLegs, encodeLegs } from '../../store/legs.js'
import type { SubmissionRecord } from '../../store/records.js'
import type { GatewayContext } from '../context.js'
import type { Deliveries } from './deliveries.js'
import type { End, Recorder } from './roles.js'
import type { Delivery } from './delivery.js'
import { worstOf, type DeviceEnd } from './device-ends.js'
import type { CommitWaiter, ReadWaiter } from '../store-port.js'
import { targetOf, type Target } from './target.js'

/** A lost row means a leg repeated after a crash, no more. */
const NOBODY: CommitWaiter = { committed() {}, storeFull() {} }

export class Legs implements Recorder {
  deliveries!: Deliveries

  constructor(private readonly context: GatewayContext, private readonly whole: Recorder) {}

  /** Splits an attempting delivery. One that an earlier run may have begun asks the store first which devices have their outcome. */
  split(now: Now, parent: Delivery, submission: SubmissionRecord, gruus: readonly string[]): void {
    if (parent.hasLegRow) this.context.store.read(legsKey(parent.sequence, parent.recipient), new Splitting(this, parent, submission, gruus))
    else this.begin(now, parent, submission, gruus, [])
  }

  begin(now: Now, parent: Delivery, submission: SubmissionRecord, gruus: readonly string[], done: readonly DeviceEnd[]): void {
    const targets: Target[] = []
    for (const gruu of gruus) {
      const target = done.some(({ device }) => device === gruu) ? undefined : targetOf(gruu)
      if (target !== undefined) targets.push(target)
    }
    if (targets.length === 0) return this.deliveries.end(now, parent, worstOf(done))
    this.deliveries.split(now, parent, submission, { parent, open: targets.length, ends: [...done] }, targets)
  }

  /** The end of a leg, or of a delivery that was not split. */
  record(now: Now, delivery: Delivery, submission: SubmissionRecord, end: End): void {
    const { fork } = delivery
    if (fork === undefined) return this.whole.record(now, delivery, submission, end)
    const { parent, ends } = fork
    const { out, store } = this.context
    const device = delivery.device
    fork.open--
    ends.push({ device, end })
    out.journal('device', submission.pushId, submission.recipients[delivery.recipient]!.literal, device, delivery.sipStatus === 0 ? '-' : String(delivery.sipStatus), delivery.binding, end.state, String(end.code))
    if (fork.open > 0) {
      parent.hasLegRow = true
      const value = encodeLegs(ends.map((one) => ({ device: one.device, state: one.end.state, code: one.end.code, confirmed: one.end.confirmed })))
      return store.commit([{ type: 'put', key: legsKey(delivery.sequence, delivery.recipient), value }], NOBODY)
    }
    assert(parent.state === 'split', 'the whole ends after its legs')
    parent.sipStatus = delivery.sipStatus
    parent.binding = delivery.binding
    this.deliveries.endSplit(now, parent, submission, worstOf(ends))
  }
}

/** The wait for what an earlier run had finished. */
class Splitting implements ReadWaiter {
  constructor(private readonly legs: Legs, private readonly parent: Delivery, private readonly submission: SubmissionRecord, private readonly gruus: readonly string[]) {}

  valueRead(now: Now, value: Buffer | undefined): void {
    const done = value === undefined ? [] : decodeLegs(value).map(({ device, state, code, confirmed }) => ({ device, end: { state, code, ...(confirmed === undefined ? {} : { confirmed }) } }))
    this.legs.begin(now, this.parent, this.submission, this.gruus, done)
  }
}
