/**
 * Writes each recipient's one final outcome down, and only then tells of it: counts, journal, result notification.
 * The pending row goes with the last recipient of a submission; outcomes of one submission are therefore written one
 * commit after another. Knows no SIP.
 */
import type { Micros, Now } from '../../kit/time.js'
import { MICROS_PER_SECOND } from '../../kit/time.js'
import { isInline, type Content, type ContentFile } from '../../store/content.js'
import { contentKey, doneKey, legsKey, pendingKey, unacknowledgedKey, type Sequence } from '../../store/keys.js'
import type { StoreOperation } from '../../store/operations.js'
import { MARK, encodeFinal, type FinalRecord, type SubmissionRecord } from '../../store/records.js'
import type { GatewayContext } from '../context.js'
import type { End, Recorder } from './roles.js'
import type { Delivery, Group } from './delivery.js'
import type { DeliveryIndex } from './delivery-index.js'
import type { CommitWaiter } from '../store-port.js'

/** Whoever tells the initiator. */
export interface Announcer {
  announce(now: Now, sequence: Sequence, recipient: number, record: FinalRecord): void
}

/** Whoever has use for a content file after its push has ended, and deletes it then. */
export interface ContentKeeper {
  keeps(file: string): boolean
}

/** Whoever withdrew recipients, told once of what became of their ends. */
export interface Withdrawal {
  /** Adds what is to be written in the same commit, or not at all. */
  rows(now: Now, operations: StoreOperation[]): void
  written(now: Now): void
  /** The store is full: the ends were not written and will not be. */
  notWritten(now: Now): void
}

const FULL_STORE_RETRY_MICROS: Micros = MICROS_PER_SECOND

interface Ending {
  readonly delivery: Delivery
  readonly submission: SubmissionRecord
  readonly end: End
  readonly endedAt: number
  readonly withdrawal: Withdrawal | undefined
}

export class Endings implements Recorder {
  private readonly writing = new Set<Group>()
  /** Outcomes that came while one of the same submission was being written. */
  private readonly behind = new Map<Group, Ending[]>()
  private refused: Ending[][] = []
  private retryAt: Micros = Infinity

  constructor(private readonly context: GatewayContext, private readonly announcer: Announcer, private readonly keeper: ContentKeeper | undefined, private readonly index: DeliveryIndex) {}

  record(now: Now, delivery: Delivery, submission: SubmissionRecord, end: End): void {
    this.take(now, delivery.group, [{ delivery, submission, end, endedAt: now.wall, withdrawal: undefined }])
  }

  /** Ends withdrawn recipients of one submission, all in one commit. */
  recordWithdrawn(now: Now, deliveries: readonly Delivery[], submission: SubmissionRecord, end: End, withdrawal: Withdrawal): void {
    this.take(now, deliveries[0]!.group, deliveries.map((delivery) => ({ delivery, submission, end, endedAt: now.wall, withdrawal })))
  }

  /** An outcome that was written otherwise is told of. */
  tell(now: Now, sequence: Sequence, recipient: number, record: FinalRecord): void {
    const { counters, out } = this.context
    if (record.state !== 'pending') counters[record.state]++
    out.journal('outcome', record.pushId, record.literal, record.state, String(record.code), methodWord(record), record.sipStatus === 0 ? '-' : String(record.sipStatus))
    if (record.notifyUrl !== '') this.announcer.announce(now, sequence, recipient, record)
  }

  deadline(): Micros {
    return this.retryAt
  }

  tick(now: Now): void {
    if (this.retryAt > now.mono) return
    this.retryAt = Infinity
    const refused = this.refused
    this.refused = []
    for (const endings of refused) this.write(now, endings)
  }

  /** One commit after another for one submission. */
  private take(now: Now, group: Group | undefined, endings: Ending[]): void {
    if (group === undefined) return this.write(now, endings)
    if (this.writing.has(group)) {
      const behind = this.behind.get(group)
      if (behind === undefined) this.behind.set(group, endings)
      else behind.push(...endings)
      return
    }
    this.writing.add(group)
    this.write(now, endings)
  }

  private write(now: Now, endings: readonly Ending[]): void {
    const group = endings[0]!.delivery.group
    const { sequence } = endings[0]!.delivery
    const isLast = group === undefined || group.remaining === endings.length
    const operations: StoreOperation[] = []
    for (const { delivery } of endings) if (delivery.hasLegRow) operations.push({ type: 'delete', key: legsKey(delivery.sequence, delivery.recipient) })
    if (isLast) {
      const { content } = endings[0]!.submission
      operations.push({ type: 'delete', key: pendingKey(sequence) })
      if (this.isOver(content)) operations.push({ type: 'delete', key: contentKey(content.id) })
    }
    const written: FinalRecord[] = []
    for (let index = 0; index < endings.length; index++) {
      const ending = endings[index]!
      const { recipient, sipStatus, binding } = ending.delivery
      const record = finalRecord(ending.submission, recipient, ending.end, ending.endedAt, { sipStatus, binding, last: isLast && index === endings.length - 1 })
      addFinalRows(operations, sequence, recipient, record)
      written.push(record)
    }
    for (const withdrawal of withdrawalsOf(endings)) withdrawal.rows(now, operations)
    this.context.store.commit(operations, new Writing(this, endings, written))
  }

  written(now: Now, endings: readonly Ending[], records: readonly FinalRecord[]): void {
    const { counters, out } = this.context
    for (let index = 0; index < endings.length; index++) {
      const { delivery } = endings[index]!
      counters.inFlight--
      this.index.remove(delivery)
      this.tell(now, delivery.sequence, delivery.recipient, records[index]!)
    }
    const { content } = endings[0]!.submission
    if (records[records.length - 1]!.last && this.isOver(content)) out.add({ type: 'content-delete', id: content.id })
    const { group } = endings[0]!.delivery
    if (group !== undefined) this.nextOf(now, group, endings.length)
    for (const withdrawal of withdrawalsOf(endings)) withdrawal.written(now)
  }

  /** A full store is waited out: the outcome stands, and deleting makes room. What was withdrawn goes back instead. */
  notWritten(now: Now, endings: readonly Ending[]): void {
    const standing = endings.filter(({ withdrawal }) => withdrawal === undefined)
    const { group } = endings[0]!.delivery
    if (standing.length > 0) {
      this.refused.push(standing)
      if (this.retryAt === Infinity) this.retryAt = now.mono + FULL_STORE_RETRY_MICROS
    } else if (group !== undefined) this.nextOf(now, group, 0)
    for (const withdrawal of withdrawalsOf(endings)) withdrawal.notWritten(now)
  }

  private isOver(content: Content): content is ContentFile {
    return !isInline(content) && this.keeper?.keeps(content.id) !== true
  }

  private nextOf(now: Now, group: Group, written: number): void {
    group.remaining -= written
    const behind = this.behind.get(group)
    this.behind.delete(group)
    if (behind === undefined) this.writing.delete(group)
    else this.write(now, behind)
  }
}

class Writing implements CommitWaiter {
  constructor(private readonly endings: Endings, private readonly which: readonly Ending[], private readonly records: readonly FinalRecord[]) {}

  committed(now: Now): void {
    this.endings.written(now, this.which, this.records)
  }

  storeFull(now: Now): void {
    this.endings.notWritten(now, this.which)
  }
}

const NONE: ReadonlySet<Withdrawal> = new Set()

/** Each once. */
function withdrawalsOf(endings: readonly Ending[]): ReadonlySet<Withdrawal> {
  let found: Set<Withdrawal> | undefined
  for (const { withdrawal } of endings) if (withdrawal !== undefined) (found ??= new Set()).add(withdrawal)
  return found ?? NONE
}

/** The rows of one outcome: itself, and that its notification is wanted. */
export function addFinalRows(operations: StoreOperation[], sequence: Sequence, recipient: number, record: FinalRecord): void {
  operations.push({ type: 'put', key: doneKey(sequence, recipient), value: encodeFinal(record) })
  if (record.notifyUrl !== '') operations.push({ type: 'put', key: unacknowledgedKey(sequence, recipient), value: MARK })
}

/** What the last attempt left behind, and whether no other recipient of the submission is without an outcome. */
type Circumstances = Pick<FinalRecord, 'sipStatus' | 'binding' | 'last'>

export function finalRecord(submission: SubmissionRecord, recipient: number, end: End, endedAt: number, { sipStatus, binding, last }: Circumstances): FinalRecord {
  return {
    state: end.state,
    code: end.code,
    confirmed: end.confirmed,
    binding: end.state === 'delivered' ? binding : undefined,
    sipStatus,
    acceptedAt: submission.acceptedAt,
    endedAt,
    priority: submission.priority,
    deliveryMethod: submission.deliveryMethod,
    hasQualityOfService: submission.hasQualityOfService,
    last,
    papForm: submission.papForm,
    initiator: submission.initiator,
    pushId: submission.pushId,
    literal: submission.recipients[recipient]!.literal,
    notifyUrl: submission.notifyUrl,
    desc: end.desc ?? '',
  }
}

function methodWord(record: FinalRecord): string {
  return record.confirmed === undefined ? '-' : record.confirmed ? 'confirmed' : 'unconfirmed'
}
