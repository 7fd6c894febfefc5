/**
 * The dispatcher: each attempt goes out by one binding, the one the selection names first, after what selection needs to
 * know was asked of the devices. It remembers nothing itself. Knows what bindings there are, not how they work.
 */
import { assert } from '../../kit/assert.js'
import { MICROS_PER_SECOND, type Micros, type Now } from '../../kit/time.js'
import { codeName } from '../../pap/codes.js'
import { contentSize } from '../../store/content.js'
import type { SubmissionRecord } from '../../store/records.js'
import { bitOf, type Binding, type BindingName } from './binding.js'
import type { Capabilities, CapabilityWaiter } from '../devices/capabilities.js'
import type { GatewayContext } from '../context.js'
import type { Delivery } from '../delivery/delivery.js'
import type { Deliveries } from '../delivery/deliveries.js'
import type { Sender } from '../delivery/roles.js'
import type { Legs } from '../delivery/legs.js'
import type { SegmentedMessages } from './segmented-message.js'
import { devicesFor, goesInSegments, isLarge, policyFor, select, type SelectionInput } from './select.js'
import { targetOf } from '../delivery/target.js'

/** Longer than any question stays open (timer F), so that it is the answer that ends the wait. */
const ASKED_MICROS: Micros = 60 * MICROS_PER_SECOND
/** Devices of one user that are asked before one push. */
const ASKED_MAX = 8

export class Bindings implements Sender {
  private readonly bindings = new Map<BindingName, Binding>()
  private readonly transportIsStream: boolean

  constructor(
    private readonly context: GatewayContext, private readonly deliveries: Deliveries, private readonly capabilities: Capabilities, private readonly legs: Legs,
    private readonly segmented: SegmentedMessages,
  ) {
    this.transportIsStream = context.settings.nextHops.every((hop) => hop.transport !== 'udp')
  }

  add(binding: Binding): void {
    this.bindings.set(binding.name, binding)
  }

  send(now: Now, delivery: Delivery, submission: SubmissionRecord): void {
    const input = this.inputOf(now, delivery, submission)
    if (this.asks(now, delivery, input) || this.isForDevices(now, delivery, submission, input)) return
    const choice = select(input)
    if ('refused' in choice) return this.deliveries.end(now, delivery, { state: 'undeliverable', code: choice.refused, desc: `${codeName(choice.refused)}: ${choice.why}` })
    const binding = this.bindings.get(choice.binding)
    assert(binding !== undefined, 'only bindings that are there are selected')
    delivery.binding = choice.binding
    if (choice.binding === 'message' && goesInSegments(input) && this.segmented.send(now, delivery, submission)) return
    binding.send(now, delivery, submission)
  }

  /** A push to a user, by the policy of its application: to every device by itself, or to one after another. */
  private isForDevices(now: Now, delivery: Delivery, submission: SubmissionRecord, input: SelectionInput): boolean {
    if (input.toGruu || input.devices.length < 2) return false
    const policy = policyFor(input.policy, input.application)
    const gruus = devicesFor(input, policy)
    const targets = gruus?.map(targetOf).filter((target) => target !== undefined) ?? []
    if (gruus === undefined || targets.length < gruus.length) return false
    if (policy === 'all') this.legs.split(now, delivery, submission, gruus)
    else this.deliveries.rounds.begin(now, delivery, targets)
    return true
  }

  hasOther(now: Now, delivery: Delivery, submission: SubmissionRecord): boolean {
    return 'binding' in select(this.inputOf(now, delivery, submission))
  }

  private inputOf(now: Now, delivery: Delivery, submission: SubmissionRecord): SelectionInput {
    const { target, recipient } = delivery.queue
    return {
      bearer: submission.bearer,
      bearerRequired: submission.bearerRequired === true,
      size: contentSize(submission.content),
      contentType: submission.contentType,
      application: submission.featureTag.toLowerCase(),
      statesCapabilities: submission.statesCapabilities,
      devices: this.capabilities.devicesOf(now, target, recipient),
      toGruu: target.gruu !== 'none',
      transportIsStream: this.transportIsStream,
      policy: this.context.settings.selection,
      available: this.available(now, delivery, submission),
    }
  }

  private available(now: Now, delivery: Delivery, submission: SubmissionRecord): number {
    let bits = 0
    for (const binding of this.bindings.values()) {
      const bit = bitOf(binding.name)
      if ((delivery.excluded & bit) === 0 && (binding.canSend === undefined || binding.canSend(now, delivery, submission))) bits |= bit
    }
    return bits
  }

  /**
   * Something larger than a MESSAGE waits until its devices were asked what they take. It leaves its queue meanwhile, so that
   * nothing small has to wait for it.
   */
  private asks(now: Now, delivery: Delivery, input: SelectionInput): boolean {
    if (!input.policy.askCapabilities || input.devices.length === 0 || this.bindings.size < 2 || !isLarge(input)) return false
    const { recipient } = delivery.queue
    const gruus = this.capabilities.unasked(now, recipient, input.devices).slice(0, ASKED_MAX)
    const inquiry = new Inquiry(this.deliveries, delivery)
    for (const gruu of gruus) if (this.capabilities.ask(now, recipient, gruu, inquiry)) inquiry.open++
    if (inquiry.open === 0) return false
    this.deliveries.later(now, delivery, ASKED_MICROS)
    return true
  }
}

/** One delivery that waits for the answers of its devices. */
class Inquiry implements CapabilityWaiter {
  open = 0

  constructor(private readonly deliveries: Deliveries, private readonly delivery: Delivery) {}

  capabilitiesTold(now: Now): void {
    this.open--
    if (this.open === 0) this.deliveries.resume(now, this.delivery)
  }
}
