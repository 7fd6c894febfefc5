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
import type { End, Recorder } from './deliveries.js'
import type { Delivery, Group } from './delivery.js'
import type { CommitWaiter } from '../store-port.js'

/** Whoever tells the initiator. */
export interface Announcer {
  announce(now: Now, sequence: Sequence, recipient: number, record: FinalRecord): void
}

/** Whoever has use for a content file after its push has ended, and deletes it then. */
export interface ContentKeeper {
  keeps(file: string): boolean
}

const FULL_STORE_RETRY_MICROS: Micros = MICROS_PER_SECOND

interface Ending {
  readonly delivery: Delivery
  readonly submission: SubmissionRecord
  readonly end: End
  readonly endedAt: number
}

export class Endings implements Recorder {
  private readonly writing = new Set<Group>()
  /** Outcomes that came while one of the same submission was being written. */
  private readonly behind = new Map<Group, Ending[]>()
  private refused: Ending[][] = []
  private retryAt: Micros = Infinity

  constructor(private readonly context: GatewayContext, private readonly announcer: Announcer, private readonly keeper: ContentKeeper | undefined) {}

  record(now: Now, delivery: Delivery, submission: SubmissionRecord, end: End): void {
    const ending: Ending = { delivery, submission, end, endedAt: now.wall }
    const { group } = delivery
    if (group === undefined) return this.write([ending])
    if (this.writing.has(group)) {
      const behind = this.behind.get(group)
      if (behind === undefined) this.behind.set(group, [ending])
      else behind.push(ending)
      return
    }
    this.writing.add(group)
    this.write([ending])
  }

  deadline(): Micros {
    return this.retryAt
  }

  tick(now: Now): void {
    if (this.retryAt > now.mono) return
    this.retryAt = Infinity
    const refused = this.refused
    this.refused = []
    for (const endings of refused) this.write(endings)
  }

  private write(endings: readonly Ending[]): void {
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
      const record = finalRecord(ending, isLast && index === endings.length - 1)
      const { recipient } = ending.delivery
      operations.push({ type: 'put', key: doneKey(sequence, recipient), value: encodeFinal(record) })
      if (record.notifyUrl !== '') operations.push({ type: 'put', key: unacknowledgedKey(sequence, recipient), value: MARK })
      written.push(record)
    }
    this.context.store.commit(operations, new Writing(this, endings, written))
  }

  written(now: Now, endings: readonly Ending[], records: readonly FinalRecord[]): void {
    const { counters, out } = this.context
    for (let index = 0; index < endings.length; index++) {
      const ending = endings[index]!
      const { sequence, recipient } = ending.delivery
      const record = records[index]!
      counters.inFlight--
      counters[ending.end.state]++
      out.journal('outcome', record.pushId, record.literal, record.state, String(record.code), methodWord(record), record.sipStatus === 0 ? '-' : String(record.sipStatus))
      if (record.notifyUrl !== '') this.announcer.announce(now, sequence, recipient, record)
    }
    const { content } = endings[0]!.submission
    if (records[records.length - 1]!.last && this.isOver(content)) out.add({ type: 'content-delete', id: content.id })
    const { group } = endings[0]!.delivery
    if (group !== undefined) this.nextOf(group, endings.length)
  }

  /** A full store is waited out: the outcome stands, and deleting makes room. */
  notWritten(now: Now, endings: Ending[]): void {
    this.refused.push(endings)
    if (this.retryAt === Infinity) this.retryAt = now.mono + FULL_STORE_RETRY_MICROS
  }

  private isOver(content: Content): content is ContentFile {
    return !isInline(content) && this.keeper?.keeps(content.id) !== true
  }

  private nextOf(group: Group, written: number): void {
    group.remaining -= written
    const behind = this.behind.get(group)
    this.behind.delete(group)
    if (behind === undefined) this.writing.delete(group)
    else this.write(behind)
  }
}

class Writing implements CommitWaiter {
  constructor(private readonly endings: Endings, private readonly which: readonly Ending[], private readonly records: readonly FinalRecord[]) {}

  committed(now: Now): void {
    this.endings.written(now, this.which, this.records)
  }

  storeFull(now: Now): void {
    this.endings.notWritten(now, [...this.which])
  }
}

function finalRecord({ delivery, submission, end, endedAt }: Ending, last: boolean): FinalRecord {
  return {
    state: end.state,
    code: end.code,
    confirmed: end.confirmed,
    binding: end.state === 'delivered' ? delivery.binding : undefined,
    sipStatus: delivery.sipStatus,
    acceptedAt: submission.acceptedAt,
    endedAt,
    priority: submission.priority,
    deliveryMethod: submission.deliveryMethod,
    hasQualityOfService: submission.hasQualityOfService,
    last,
    papForm: submission.papForm,
    initiator: submission.initiator,
    pushId: submission.pushId,
    literal: submission.recipients[delivery.recipient]!.literal,
    notifyUrl: submission.notifyUrl,
    desc: end.desc ?? '',
  }
}

function methodWord(record: FinalRecord): string {
  return record.confirmed === undefined ? '-' : record.confirmed ? 'confirmed' : 'unconfirmed'
}
