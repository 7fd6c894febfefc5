/**
 * What a store says of its pushes, one after another in the order of their acceptance, each with all that is kept of its
 * recipients: what looks inside is built on it. Rows in, plain facts out. The content is counted and never handed on, nor are
 * the secrets and addresses of initiators that rows hold.
 */
import type { WallMillis } from '../kit/time.js'
import { contentSize } from './content.js'
import { recipientOf, sequenceOf, type Sequence } from './keys.js'
import { decodeLegs, type LegRecord } from './legs.js'
import type { StoreRow } from './operations.js'
import { decodeFinal, decodeSubmission, type BindingName, type DeliveryMethod, type FinalRecord, type MessageState, type Priority, type SubmissionRecord } from './records.js'

export interface StoredPush {
  readonly initiator: string
  readonly pushId: string
  readonly acceptedAt: WallMillis
  readonly priority: Priority
  readonly deliveryMethod: DeliveryMethod
  /** Kept until its last recipient has an outcome; undefined afterwards. */
  readonly pending: PendingFacts | undefined
  /** In the order of the submission; of an ended push those whose outcome is still kept. */
  readonly recipients: readonly StoredRecipient[]
}

export interface PendingFacts {
  /** Zero when it may go at once. */
  readonly deliverAfter: WallMillis
  readonly expiresAt: WallMillis
  readonly applicationId: string
  readonly contentType: string
  readonly contentOctets: number
}

export interface StoredRecipient {
  /** As the initiator wrote it. */
  readonly address: string
  /** Undefined once it has its outcome. */
  readonly uri: string | undefined
  /** Undefined as long as it has none. */
  readonly outcome: StoredOutcome | undefined
  /** Its devices that have their outcome while others have not. */
  readonly devices: readonly LegRecord[]
}

export interface StoredOutcome {
  readonly state: MessageState
  readonly code: number
  readonly confirmed: boolean | undefined
  readonly binding: BindingName | undefined
  /** Zero when no final answer was seen. */
  readonly sipStatus: number
  readonly endedAt: WallMillis
  readonly desc: string
  /** `settled`: acknowledged, or given up. */
  readonly notification: 'not asked for' | 'unacknowledged' | 'settled'
}

/** The four ranges of rows a push lies in, each in key order. */
export interface PushRows {
  readonly pending: Iterable<StoreRow>
  readonly done: Iterable<StoreRow>
  readonly legs: Iterable<StoreRow>
  readonly unacknowledged: Iterable<StoreRow>
}

/** A push of which any row is left. The rows must be of one instant, or a push that ends meanwhile is told twice or not at all. */
export function* pushesOf(rows: PushRows): Generator<StoredPush> {
  const pending = new Cursor(rows.pending)
  const done = new Cursor(rows.done)
  const legs = new Cursor(rows.legs)
  const unacknowledged = new Cursor(rows.unacknowledged)
  for (let sequence = Math.min(pending.sequence, done.sequence); sequence < Infinity; sequence = Math.min(pending.sequence, done.sequence)) {
    const submission = pending.take(sequence)[0]
    const unheard = new Set(unacknowledged.take(sequence).map(({ key }) => recipientOf(key)))
    const outcomes = new Map(done.take(sequence).map(({ key, value }) => [recipientOf(key), decodeFinal(value)]))
    const devices = new Map(legs.take(sequence).map(({ key, value }) => [recipientOf(key), decodeLegs(value)]))
    if (submission !== undefined) yield pendingPush(decodeSubmission(submission.value), outcomes, devices, unheard)
    else yield endedPush(outcomes, unheard)
  }
}

function pendingPush(submission: SubmissionRecord, outcomes: ReadonlyMap<number, FinalRecord>, devices: ReadonlyMap<number, readonly LegRecord[]>, unheard: ReadonlySet<number>): StoredPush {
  const { initiator, pushId, acceptedAt, priority, deliveryMethod, deliverAfter, expiresAt, applicationId, contentType, content } = submission
  return {
    initiator, pushId, acceptedAt, priority, deliveryMethod,
    pending: { deliverAfter, expiresAt, applicationId, contentType, contentOctets: contentSize(content) },
    recipients: submission.recipients.map(({ literal, uri }, index) => {
      const final = outcomes.get(index)
      return final === undefined
        ? { address: literal, uri, outcome: undefined, devices: devices.get(index) ?? [] }
        : { address: literal, uri: undefined, outcome: outcomeOf(final, unheard.has(index)), devices: [] }
    }),
  }
}

/** At least one outcome is there. */
function endedPush(outcomes: ReadonlyMap<number, FinalRecord>, unheard: ReadonlySet<number>): StoredPush {
  const { initiator, pushId, acceptedAt, priority, deliveryMethod } = outcomes.values().next().value!
  const recipients = [...outcomes].map(([index, final]) => ({ address: final.literal, uri: undefined, outcome: outcomeOf(final, unheard.has(index)), devices: [] }))
  return { initiator, pushId, acceptedAt, priority, deliveryMethod, pending: undefined, recipients }
}

function outcomeOf({ state, code, confirmed, binding, sipStatus, endedAt, desc, notifyUrl }: FinalRecord, isUnheard: boolean): StoredOutcome {
  return { state, code, confirmed, binding, sipStatus, endedAt, desc, notification: notifyUrl === '' ? 'not asked for' : isUnheard ? 'unacknowledged' : 'settled' }
}

/** A range of rows whose keys begin with a kind and a sequence. */
class Cursor {
  private readonly rows: Iterator<StoreRow>
  private row: StoreRow | undefined
  /** Of the row it stands at; `Infinity` at the end. */
  sequence: Sequence = Infinity

  constructor(rows: Iterable<StoreRow>) {
    this.rows = rows[Symbol.iterator]()
    this.advance()
  }

  /** The rows of this push; what lies before it belongs to none and is passed over. */
  take(sequence: Sequence): StoreRow[] {
    const taken: StoreRow[] = []
    for (; this.sequence <= sequence; this.advance()) if (this.sequence === sequence) taken.push(this.row!)
    return taken
  }

  private advance(): void {
    const { done, value } = this.rows.next()
    this.row = done === true ? undefined : value
    this.sequence = this.row === undefined ? Infinity : sequenceOf(this.row.key)
  }
}
