/**
 * Deliveries of which nothing is to be done before their user registers or a moment comes, as numbers in tables: some fifty
 * octets each, so that a million can wait. Everything else about them is in the store. By user they are found by a hash alone,
 * so that one in some billions is called for another user's sake: it is tried then, and waits again. Knows no row and no queue.
 */
import { ChurnMap, hashOfText } from '../../kit/churn-map.js'
import type { WallMillis } from '../../kit/time.js'
import type { Sequence } from '../../store/keys.js'
import type { Delivery, Group } from './delivery.js'
import { ParkedColumns } from './parked-columns.js'

/** What is to be known of a delivery besides its submission when it goes on. */
export interface Parked {
  readonly sequence: Sequence
  readonly recipient: number
  readonly priority: number
  readonly group: Group | undefined
  readonly hasLegRow: boolean
  readonly lifetimeCode: Delivery['lifetimeCode']
  readonly sipStatus: number
  readonly excluded: number
  readonly tries: number
  readonly cseq: number
}

/** Groups of submissions of which a recipient is parked. */
interface ParkedGroup {
  readonly group: Group
  members: number
}

/** Bits of the column `facts`. */
const PRIORITY_BITS = 3
const LEG_ROW_BIT = 4
const LIFETIME_4001_BIT = 8
const EXCLUDED_SHIFT = 4
const EXCLUDED_BITS = 15
const STATUS_SHIFT = 8
const STATUS_BITS = 1_023
const TRIES_SHIFT = 18
/** Beyond, backoff has long been at its longest. */
const TRIES_MAX = 255
/** It waits for its moment alone: a registration changes nothing. */
const TIMED_BIT = 1 << 26

export class ParkedDeliveries {
  private readonly columns = new ParkedColumns()
  private readonly groups = new ChurnMap<ParkedGroup, Sequence>(0)

  /** @param seed chance of the process, so that nobody outside can choose users who are woken together */
  constructor(private readonly seed: number) {}

  get size(): number {
    return this.columns.size
  }

  /** When the first of them is to be looked at, `Infinity` for none. */
  get nextDue(): WallMillis {
    return this.columns.nextDue
  }

  /** Whether one waits for this user. */
  has(aor: string): boolean {
    return this.columns.first(hashOfText(aor, this.seed)) >= 0
  }

  /** @param due when it is to be looked at, whoever registers; @param isTimed it waits for that alone */
  add(delivery: Delivery, due: WallMillis, isTimed: boolean): void {
    const { sequence, recipient, group, priority, hasLegRow, lifetimeCode, excluded, sipStatus, tries, cseq } = delivery
    const facts = priority | (hasLegRow ? LEG_ROW_BIT : 0) | (lifetimeCode === 4001 ? LIFETIME_4001_BIT : 0) | (excluded << EXCLUDED_SHIFT) | (sipStatus << STATUS_SHIFT)
      | (Math.min(tries, TRIES_MAX) << TRIES_SHIFT) | (isTimed ? TIMED_BIT : 0)
    this.columns.add(hashOfText(delivery.queue.target.aor, this.seed), sequence, recipient, due, facts, cseq)
    if (group === undefined) return
    const parked = this.groups.get(sequence)
    if (parked === undefined) this.groups.set(sequence, { group, members: 1 })
    else parked.members++
  }

  /** Takes out those that wait for this user, in the order in which they are to be tried. */
  takeWaiting(aor: string): Parked[] {
    const { columns } = this
    const hash = hashOfText(aor, this.seed)
    const taken: Parked[] = []
    for (let slot = columns.first(hash); slot >= 0; ) {
      const next = columns.after(slot, hash)
      if ((columns.facts(slot) & TIMED_BIT) === 0) taken.push(this.takeAt(slot))
      slot = next
    }
    return taken.sort((a, b) => a.priority - b.priority || a.sequence - b.sequence || a.recipient - b.recipient)
  }

  /** Takes out this one, if it is here. */
  take(aor: string, sequence: Sequence, recipient: number): Parked | undefined {
    const slot = this.slotOf(aor, sequence, recipient)
    return slot < 0 ? undefined : this.takeAt(slot)
  }

  /** Whether this one is here. */
  holds(aor: string, sequence: Sequence, recipient: number): boolean {
    return this.slotOf(aor, sequence, recipient) >= 0
  }

  /** Takes out the one whose moment came first, if it has come. */
  popDue(wall: WallMillis): Parked | undefined {
    const slot = this.columns.due(wall)
    return slot < 0 ? undefined : this.takeAt(slot)
  }

  private slotOf(aor: string, sequence: Sequence, recipient: number): number {
    const { columns } = this
    const hash = hashOfText(aor, this.seed)
    let slot = columns.first(hash)
    while (slot >= 0 && !columns.is(slot, sequence, recipient)) slot = columns.after(slot, hash)
    return slot
  }

  private takeAt(slot: number): Parked {
    const { columns } = this
    const facts = columns.facts(slot)
    const sequence = columns.sequence(slot)
    const parked: Parked = {
      sequence, recipient: columns.recipient(slot), priority: facts & PRIORITY_BITS, group: this.groupOf(sequence), hasLegRow: (facts & LEG_ROW_BIT) !== 0, lifetimeCode: (facts & LIFETIME_4001_BIT) === 0 ? 4000 : 4001,
      sipStatus: (facts >> STATUS_SHIFT) & STATUS_BITS, excluded: (facts >> EXCLUDED_SHIFT) & EXCLUDED_BITS, tries: (facts >> TRIES_SHIFT) & TRIES_MAX, cseq: columns.cseq(slot),
    }
    columns.remove(slot)
    return parked
  }

  private groupOf(sequence: Sequence): Group | undefined {
    const parked = this.groups.get(sequence)
    if (parked === undefined) return undefined
    if (--parked.members === 0) this.groups.delete(sequence)
    return parked.group
  }
}
