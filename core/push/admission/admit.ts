/**
 * The front door: a PAP request is shed, refused or accepted. Its push-id must be new to the initiator, and 1001 leaves
 * only after the commit that holds the push was flushed. Knows requests and the store; deliveries take over afterwards.
 */
import { ChurnMap } from '../../kit/churn-map.js'
import type { Now } from '../../kit/time.js'
import { codeName } from '../../pap/codes.js'
import type { PapMessage, PushResponse } from '../../pap/documents.js'
import { encodePap } from '../../pap/encode.js'
import { decodeSubmission, type OperationRequest, type Submission } from '../../pap/submission.js'
import type { PapForm } from '../../pap/versions.js'
import { isInline, type Content } from '../../store/content.js'
import { INITIATOR_OCTETS_MAX, contentKey, pendingKey, pushIdKey, type Sequence } from '../../store/keys.js'
import type { StoreOperation } from '../../store/operations.js'
import { encodePushId } from '../../store/push-ids.js'
import { MARK, encodeSubmission, type FinalRecord, type SubmissionRecord } from '../../store/records.js'
import type { CapabilityQueries } from './capability-queries.js'
import { check, pushIdProblem, type Refusal } from './check.js'
import type { GatewayContext } from '../context.js'
import type { PapRequest } from '../contract.js'
import type { Deliveries } from '../delivery/deliveries.js'
import type { End } from '../delivery/roles.js'
import { addFinalRows, finalRecord, type Endings } from '../delivery/endings.js'
import type { Identities } from './identities.js'
import { progressNotes, refusalNotes } from '../notification/progress-notes.js'
import type { PushOperations } from './operations.js'
import type { Replacements } from './replacement.js'
import type { Sequences } from './sequences.js'
import type { CommitWaiter, ReadWaiter } from '../store-port.js'

const TOKEN_BITS = 100
const NO_NOTES: PushResponse['progressNotes'] = []
/** WAP-247 section 8.2: nothing of the earlier push waited for this recipient. */
const NOT_REPLACED: End = { state: 'rejected', code: 2008, desc: 'nothing of the push to be replaced waits for this recipient' }

export class Admission {
  private underWay = 0
  /** Push-ids that are being looked up or written; the store does not know them yet. */
  private readonly claimed: ChurnMap<Admitting>
  /** It takes submissions. */
  isOpen = false

  constructor(
    private readonly context: GatewayContext,
    private readonly deliveries: Deliveries,
    private readonly identities: Identities,
    private readonly sequences: Sequences,
    private readonly queries: CapabilityQueries,
    private readonly operations: PushOperations,
    private readonly replacements: Replacements,
    private readonly endings: Endings,
  ) {
    this.claimed = new ChurnMap(Math.floor(context.entropy.unit() * 2 ** 32))
  }

  open(): void {
    this.isOpen = true
  }

  close(): void {
    this.isOpen = false
  }

  /** Requests taken in and not yet answered. */
  get requestsOpen(): number {
    return this.underWay + this.queries.open + this.operations.open
  }

  request(now: Now, request: PapRequest): void {
    if (!this.begins(now, request)) this.drop(request.content)
  }

  /** False when it was answered at once, and refused. */
  private begins(now: Now, request: PapRequest): boolean {
    const { settings, counters } = this.context
    // Overload is answered before anything is parsed, as cheaply as can be (WAP-247 section 13.4.1).
    if (!this.isOpen || this.underWay + this.deliveries.atWork >= settings.inFlightMax || counters.inFlight >= settings.heldMax) {
      this.shed(request.id)
      return false
    }
    const decoded = request.submission ?? decodeSubmission(request.contentType, request.body, request.contentFault)
    if (!decoded.ok && decoded.operation !== undefined) {
      this.operate(now, request, decoded)
      return false
    }
    if (!decoded.ok) {
      this.answerRefused(now, request.id, decoded.form, decoded.answer)
      return false
    }
    const { pushId } = decoded.control
    const claim = `${request.initiator}\0${pushId}`
    const problem = pushIdProblem(pushId) ?? initiatorProblem(request.initiator) ?? (this.claimed.has(claim) ? DUPLICATE : undefined)
    if (problem !== undefined) {
      this.refuse(now, request.id, decoded, problem)
      return false
    }
    const admitting = new Admitting(this, request.id, request.initiator, decoded, request.content ?? decoded.content.body, claim, pushIdKey(request.initiator, pushId))
    this.claimed.set(claim, admitting)
    this.underWay++
    this.context.store.read(admitting.key, admitting)
    return true
  }

  private operate(now: Now, { id, initiator }: PapRequest, { form, operation }: OperationRequest): void {
    if (operation.type === 'ccq-message') return this.queries.query(now, id, initiator, form, operation)
    this.operations.begin(id, initiator, form, operation, pushIdProblem(operation.pushId) ?? initiatorProblem(initiator))
  }

  /** The store's word on the push-id. */
  lookedUp(now: Now, admitting: Admitting, isTaken: boolean): void {
    const { submission } = admitting
    const { entropy, rights, settings } = this.context
    const checked = isTaken ? DUPLICATE : check(now, admitting.initiator, submission, admitting.content, entropy.token(TOKEN_BITS), this.identities, settings)
    if (!checked.ok) return this.refuseLate(now, admitting, checked)
    const barred = rights.pushProblem(checked.record)
    if (barred !== undefined) return this.refuseLate(now, admitting, barred)
    admitting.record = checked.record
    if (submission.control.replacePushId === undefined) this.write(now, admitting)
    else this.replacements.begin(this, admitting, checked.record)
  }

  /** A refusal after the push-id was looked up. */
  refuseLate(now: Now, admitting: Admitting, refusal: Refusal): void {
    this.finished(admitting)
    this.drop(admitting.content)
    this.refuse(now, admitting.requestId, admitting.submission, refusal)
  }

  write(now: Now, admitting: Admitting): void {
    const operations: StoreOperation[] = []
    this.addRows(now, admitting, operations)
    this.context.store.commit(operations, admitting)
  }

  /** What makes it accepted: one commit holds all of it, followed by `Admitting.committed` or `notWritten`. */
  addRows(now: Now, admitting: Admitting, operations: StoreOperation[]): void {
    const record = admitting.record!
    const sequence = this.sequences.next(now.wall, operations)
    admitting.sequence = sequence
    operations.push(
      { type: 'put', key: pendingKey(sequence), value: encodeSubmission(record) },
      { type: 'put', key: admitting.key, value: encodePushId({ sequence, recipients: record.recipients.length }) },
    )
    if (!isInline(admitting.content)) operations.push({ type: 'put', key: contentKey(admitting.content.id), value: MARK })
    if (admitting.rejected === undefined) return
    for (const recipient of admitting.rejected) addFinalRows(operations, sequence, recipient, notReplaced(record, recipient))
  }

  written(now: Now, admitting: Admitting, record: SubmissionRecord): void {
    const { counters, out } = this.context
    const { form, control } = admitting.submission
    this.finished(admitting)
    this.reply(now, admitting.requestId, form, control.pushId, 1001, codeName(1001), control.progressNotesRequested ? progressNotes(record, now.wall, admitting.replaced) : NO_NOTES)
    const { recipients } = record
    const { sequence, rejected } = admitting
    const group = recipients.length > 1 ? { remaining: recipients.length - (rejected?.size ?? 0) } : undefined
    for (let index = 0; index < recipients.length; index++) {
      counters.accepted++
      out.journal('accepted', record.pushId, recipients[index]!.literal)
      if (rejected?.has(index) === true) this.endings.tell(now, sequence, index, notReplaced(record, index))
      else this.deliveries.add(now, sequence, index, record, group, false)
    }
  }

  /** Nothing was kept, so nothing was accepted. */
  notWritten(admitting: Admitting): void {
    this.sequences.boundLost()
    this.notNow(admitting)
  }

  /** Nothing was accepted, and asking again may help. */
  notNow(admitting: Admitting): void {
    this.finished(admitting)
    this.drop(admitting.content)
    this.shed(admitting.requestId)
  }

  /** What was not accepted is not kept. */
  private drop(content: Content | undefined): void {
    if (content !== undefined && !isInline(content)) this.context.out.add({ type: 'content-delete', id: content.id })
  }

  private finished(admitting: Admitting): void {
    this.underWay--
    this.claimed.delete(admitting.claim)
  }

  private shed(id: number): void {
    const { counters, out, settings } = this.context
    counters.shed++
    out.add({ type: 'pap-reply', id, status: 503, retryAfterSeconds: settings.retryAfterSeconds, body: '' })
  }

  private refuse(now: Now, id: number, submission: Submission, refusal: Refusal): void {
    const { counters, out } = this.context
    const { code, desc } = refusal
    const { pushId, addresses, progressNotesRequested } = submission.control
    counters.refused++
    for (const address of addresses) out.journal('refused', pushId, address, String(code))
    this.reply(now, id, submission.form, pushId, code, `${codeName(code)}: ${desc}`, progressNotesRequested ? refusalNotes(refusal, addresses.length, now.wall) : NO_NOTES)
  }

  private answerRefused(now: Now, id: number, form: PapForm, answer: PapMessage): void {
    const { counters, out } = this.context
    counters.refused++
    if (answer.type === 'push-response') {
      out.journal('refused', answer.pushId, '', String(answer.result.code))
      return this.reply(now, id, form, answer.pushId, answer.result.code, answer.result.desc ?? codeName(answer.result.code))
    }
    out.add({ type: 'pap-reply', id, status: 202, body: encodePap(answer, form) })
  }

  private reply(now: Now, id: number, form: PapForm, pushId: string, code: number, desc: string, progressNotes = NO_NOTES): void {
    const { senderAddress, senderName } = this.context.settings
    const response: PushResponse = { type: 'push-response', pushId, senderAddress, senderName, replyTime: now.wall, progressNotes, result: { code, desc } }
    const { out, unwritten } = this.context
    out.add(unwritten ? { type: 'pap-reply', id, status: 202, body: '', document: response } : { type: 'pap-reply', id, status: 202, body: encodePap(response, form) })
  }
}

/** WAP-247 section 8.13: not unique among this initiator's pushes of the retention window. */
const DUPLICATE: Refusal = { ok: false, code: 2007, desc: 'this push-id was used before' }

function initiatorProblem(initiator: string): Refusal | undefined {
  const fits = Buffer.byteLength(initiator) <= INITIATOR_OCTETS_MAX && !initiator.includes('\0')
  return fits ? undefined : { ok: false, code: 2001, desc: 'the name of the push initiator is too long' }
}

function notReplaced(record: SubmissionRecord, recipient: number): FinalRecord {
  return finalRecord(record, recipient, NOT_REPLACED, record.acceptedAt, { sipStatus: 0, binding: undefined, last: false })
}

/** One request between its arrival and its answer. */
export class Admitting implements ReadWaiter, CommitWaiter {
  record: SubmissionRecord | undefined = undefined
  sequence: Sequence = 0
  /** Recipients that are rejected as it is accepted; at least one is not. */
  rejected: ReadonlySet<number> | undefined = undefined
  /** Recipients for whom an earlier push was cancelled; undefined where none was to be replaced. */
  replaced: number | undefined = undefined

  constructor(
    private readonly admission: Admission,
    readonly requestId: number,
    readonly initiator: string,
    readonly submission: Submission,
    readonly content: Content,
    readonly claim: string,
    readonly key: Buffer,
  ) {}

  valueRead(now: Now, value: Buffer | undefined): void {
    this.admission.lookedUp(now, this, value !== undefined)
  }

  committed(now: Now): void {
    this.admission.written(now, this, this.record!)
  }

  storeFull(): void {
    this.admission.notWritten(this)
  }
}
