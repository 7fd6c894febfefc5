/**
 * The dispatcher: each attempt goes out by one binding. It asks which, refuses what no device could take before anything
 * is sent, and remembers nothing itself. Knows what bindings there are, not how they work.
 */
import { assert } from '../kit/assert.js'
import type { Now } from '../kit/time.js'
import { codeName } from '../pap/codes.js'
import type { SubmissionRecord } from '../store/records.js'
import { bitOf, type Binding, type BindingName } from './binding.js'
import type { Delivery } from './delivery.js'
import type { Deliveries, Sender } from './deliveries.js'
import type { Recipients } from './recipients.js'

export class Bindings implements Sender {
  private readonly bindings = new Map<BindingName, Binding>()

  constructor(private readonly deliveries: Deliveries, private readonly recipients: Recipients) {}

  add(binding: Binding): void {
    this.bindings.set(binding.name, binding)
  }

  send(now: Now, delivery: Delivery, submission: SubmissionRecord): void {
    if (this.lacksApplication(now, delivery, submission)) {
      const code = submission.statesCapabilities ? 2005 : 2006
      return this.deliveries.end(now, delivery, { state: 'undeliverable', code, desc: `${codeName(code)}: no registered device of the recipient has the application ${submission.featureTag}` })
    }
    const binding = this.choose(now, delivery, submission)
    assert(binding !== undefined, 'a delivery with no binding left has ended')
    delivery.binding = binding.name
    binding.send(now, delivery, submission)
  }

  hasOther(now: Now, delivery: Delivery, submission: SubmissionRecord): boolean {
    return this.choose(now, delivery, submission) !== undefined
  }

  private choose(now: Now, delivery: Delivery, submission: SubmissionRecord): Binding | undefined {
    for (const binding of this.bindings.values()) {
      if ((delivery.excluded & bitOf(binding.name)) === 0 && (binding.canSend === undefined || binding.canSend(now, delivery, submission))) return binding
    }
    return undefined
  }

  /** Known before sending: every device that could take it told its features, and none named this application. */
  private lacksApplication(now: Now, delivery: Delivery, submission: SubmissionRecord): boolean {
    const { target, recipient } = delivery.queue
    const devices = recipient.devicesNow(now.wall)
    if (devices === undefined || devices.length === 0) return false
    const tag = submission.featureTag.toLowerCase()
    if (target.gruu !== 'none') {
      const device = this.recipients.deviceOf(target)
      return device?.applications !== undefined && !device.applications.includes(tag)
    }
    for (const device of devices) if (device.applications === undefined || device.applications.includes(tag)) return false
    return true
  }
}
