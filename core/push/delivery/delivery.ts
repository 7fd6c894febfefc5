/**
 * One recipient of one submission, as long as it has no final outcome, and the ordered list such recipients stand in.
 * Small on purpose: while it waits, everything else is in the store. Knows its place, not how it is delivered.
 */
import type { Deadline } from '../../kit/heap.js'
import type { WallMillis } from '../../kit/time.js'
import type { Sequence } from '../../store/keys.js'
import type { SubmissionRecord } from '../../store/records.js'
import type { BindingName } from '../bindings/binding.js'
import type { DeviceEnd } from './device-ends.js'
import type { End } from './roles.js'
import type { Parked } from './parked.js'
import type { RequestQueue } from './recipients.js'
import type { Round } from './rounds.js'

/**
 * `ready`: in its queue's ready list. `attempting`: the queue's one pending request, or being read back for it.
 * `awaiting`: in its queue's list of those that wait for a registration. `timed`: before deliver-after, or after a
 * failure, until its timer. `holding`: taken by a store (202), nothing more is sent. `proving`: taken by the device, which is
 * still to prove it (fetch the content). `split`: its legs are at work for it. `parked`: numbers in a table stand for it
 * (parked.ts), and another object when it comes back. `ending`: the outcome is being written.
 */
export type DeliveryState = 'ready' | 'attempting' | 'awaiting' | 'timed' | 'holding' | 'proving' | 'split' | 'parked' | 'ending'

/** The recipients of one submission that have no outcome, when there is more than one: the submission's row goes with the last. */
export interface Group {
  remaining: number
}

/** One delivery as several, one for each device (legs.ts): what its legs know of the whole. */
export interface Fork {
  readonly parent: Delivery
  open: number
  readonly ends: DeviceEnd[]
}

export class Delivery {
  state: DeliveryState = 'ready'
  next: Delivery | undefined = undefined
  nextInIndex: Delivery | undefined = undefined
  timer: Deadline<Delivery> | undefined = undefined
  /** What is sent; only while at work. */
  submission: SubmissionRecord | undefined = undefined
  /** How the present attempt goes out, or the last one went. */
  binding: BindingName = 'message'
  /** Bindings that turned out not to be for this recipient, as bits (binding.ts). */
  excluded = 0
  /** Set in a leg: one device's share of a delivery, which counts as none of its own. */
  fork: Fork | undefined = undefined
  /** The devices it is tried at one after another, while it is. */
  round: Round | undefined = undefined
  /** The GRUU it was for when it became a leg, even after it moved to another of the same device. */
  device = ''
  /** Whether the store may hold outcomes of its devices. */
  hasLegRow = false
  tries = 0
  cseq = 0
  redirections = 0
  /** The last final SIP status, 0 for none or silence. */
  sipStatus = 0
  /** The code that would tell a lifetime's end now. */
  lifetimeCode: 4000 | 4001 = 4000
  /** The registration epoch the present attempt started under. */
  epoch = 0
  /** Whether its temporary GRUU was resolved again already. */
  resolved = false
  /** Whether it is to be tried even if its recipient is known to be deregistered: what is known may be old after a restart, or nobody answered. */
  probe = false
  /** A store took it (202) and its lifetime ended so. */
  held = false
  /** The end that its proof gave it, until it is written. */
  proof: End | undefined = undefined

  constructor(
    readonly sequence: Sequence,
    readonly recipient: number,
    /** Index into PRIORITIES. */
    readonly priority: number,
    readonly expiresAt: WallMillis,
    public queue: RequestQueue,
    readonly group: Group | undefined,
  ) {}

  /** What was known of it before it was parked. */
  comeBack({ hasLegRow, lifetimeCode, sipStatus, excluded, tries, cseq }: Parked): void {
    this.hasLegRow = hasLegRow
    this.lifetimeCode = lifetimeCode
    this.sipStatus = sipStatus
    this.excluded = excluded
    this.tries = tries
    this.cseq = cseq
  }
}

/** Deliveries by priority, then in the order of acceptance. Appending and taking the first are cheap at any length. */
export class DeliveryList {
  head: Delivery | undefined = undefined
  private tail: Delivery | undefined = undefined

  insert(delivery: Delivery): void {
    if (this.tail === undefined) {
      this.head = this.tail = delivery
    } else if (!before(delivery, this.tail)) {
      this.tail.next = delivery
      this.tail = delivery
    } else if (before(delivery, this.head!)) {
      delivery.next = this.head
      this.head = delivery
    } else {
      let at = this.head!
      while (!before(delivery, at.next!)) at = at.next!
      delivery.next = at.next
      at.next = delivery
    }
  }

  shift(): Delivery | undefined {
    const first = this.head
    if (first === undefined) return undefined
    this.head = first.next
    if (this.head === undefined) this.tail = undefined
    first.next = undefined
    return first
  }

  remove(delivery: Delivery): void {
    if (this.head === delivery) {
      this.shift()
      return
    }
    let at = this.head
    while (at !== undefined && at.next !== delivery) at = at.next
    if (at === undefined) return
    at.next = delivery.next
    if (this.tail === delivery) this.tail = at
    delivery.next = undefined
  }
}

function before(a: Delivery, b: Delivery): boolean {
  if (a.priority !== b.priority) return a.priority < b.priority
  return a.sequence !== b.sequence ? a.sequence < b.sequence : a.recipient < b.recipient
}
