/**
 * What an initiator asks about an earlier push of its own: how it stands (WAP-247 section 5.4), and to cancel it (section 5.3).
 * A cancellation is answered when the outcomes it caused are flushed. Knows documents, rows and outcomes; sends nothing.
 */
import type { Now } from '../../kit/time.js'
import { answerWhole } from '../../pap/answers.js'
import { codeName } from '../../pap/codes.js'
import type { CancelMessage, CancelResult, PapMessage, StatusQuery } from '../../pap/documents.js'
import { encodePap } from '../../pap/encode.js'
import type { PapForm } from '../../pap/versions.js'
import type { SubmissionRecord } from '../../store/records.js'
import type { GatewayContext } from '../context.js'
import type { Deliveries } from '../delivery/deliveries.js'
import type { End } from '../delivery/roles.js'
import type { Delivery } from '../delivery/delivery.js'
import type { Endings, Withdrawal } from '../delivery/endings.js'
import type { Refusal } from './check.js'
import type { Identities } from './identities.js'
import { Addressees, PushLookup, literalOf, type KeptPush, type Seeker, type Sought } from './push-lookup.js'
import { statusResults } from './status-results.js'
import { withdraw, type Withdrawn } from './withdrawing.js'

/** Operations under way at one time; beyond it, HTTP 503. */
const OPEN_MAX = 1_024
const CANCELLED: End = { state: 'cancelled', code: 1000, desc: 'cancelled by the push initiator' }
/** Section 8.13: assured; under way or waiting for a proof; over before. */
const CODES: Readonly<Record<Withdrawn, number>> = { withdrawn: 1000, 'under-way': 2008, over: 3003 }

export class PushOperations {
  private underWay = 0

  constructor(
    private readonly context: GatewayContext,
    private readonly deliveries: Deliveries,
    private readonly endings: Endings,
    private readonly identities: Identities,
  ) {}

  /** Operations not yet answered. */
  get open(): number {
    return this.underWay
  }

  /** @param problem why the push-id or the initiator can name no push */
  begin(requestId: number, initiator: string, form: PapForm, message: CancelMessage | StatusQuery, problem: Refusal | undefined): void {
    if (problem !== undefined) return this.reply(requestId, form, answerWhole(message, problem))
    if (this.underWay >= OPEN_MAX) return this.shed(requestId)
    this.underWay++
    const { store } = this.context
    PushLookup.begin(store, initiator, message.pushId, message.type === 'cancel-message' ? new Cancelling(this, requestId, form, message) : new Querying(this, requestId, form, message))
  }

  status(now: Now, requestId: number, form: PapForm, query: StatusQuery, push: Sought): void {
    this.underWay--
    const isOpen = (recipient: number): boolean => typeof push !== 'string' && this.isOpen(now, push, recipient)
    this.reply(requestId, form, { type: 'statusquery-response', pushId: query.pushId, results: statusResults(push, query, this.identities, isOpen) })
  }

  cancel(now: Now, cancelling: Cancelling, push: Sought): void {
    if (push === 'unknown') return this.answer(cancelling, [result(2004, [])])
    // Where it lies was not kept, so its cancellation cannot be assured.
    if (push === 'unnumbered') return this.answer(cancelling, [result(2008, [])])
    const wanted = this.wanted(push, cancelling)
    const withdrawn = withdraw(this.deliveries, push, [...wanted.keys()])
    if (withdrawn === undefined) return this.notNow(cancelling)
    let at = 0
    for (const address of wanted.values()) cancelling.add(CODES[withdrawn.each[at++]!], address)
    if (withdrawn.deliveries.length === 0 || push.submission === undefined) return this.answer(cancelling, cancelling.results())
    cancelling.withdrawn = withdrawn.deliveries
    cancelling.submission = push.submission
    this.endings.recordWithdrawn(now, withdrawn.deliveries, push.submission, CANCELLED, cancelling)
  }

  answer({ requestId, form, message }: Cancelling, results: readonly CancelResult[]): void {
    this.underWay--
    this.reply(requestId, form, { type: 'cancel-response', pushId: message.pushId, results })
  }

  /** Nothing of it was kept, so nothing was cancelled. */
  notCancelled(now: Now, cancelling: Cancelling): void {
    for (const delivery of cancelling.withdrawn) this.deliveries.putBack(now, delivery, cancelling.submission!)
    this.notNow(cancelling)
  }

  /** The recipients meant, by the address they are told by; addresses that mean none are told of at once. */
  private wanted(push: KeptPush, cancelling: Cancelling): ReadonlyMap<number, string> {
    const wanted = new Map<number, string>()
    if (cancelling.message.addresses.length === 0) {
      for (let recipient = 0; recipient < push.count; recipient++) {
        const literal = literalOf(push, recipient)
        if (literal !== undefined) wanted.set(recipient, literal)
      }
      if (wanted.size === 0) cancelling.add(3003, undefined)
      return wanted
    }
    const addressees = new Addressees(push, this.identities)
    for (const address of cancelling.message.addresses) {
      const found = addressees.find(address)
      if (found.recipient === undefined) cancelling.add(found.code, address)
      else if (!wanted.has(found.recipient)) wanted.set(found.recipient, address)
    }
    return wanted
  }

  /** One without a row is not taken up yet since the start, or had its outcome written while the rows were read, or forgotten long ago. */
  private isOpen(now: Now, { sequence, submission, finals }: KeptPush, recipient: number): boolean {
    const { index, isComplete, parking } = this.deliveries
    if (index.get(sequence, recipient) !== undefined || parking.isReturning(sequence)) return true
    return submission !== undefined && !finals.has(recipient) && (!isComplete || parking.holds(sequence, recipient, submission) || now.wall < submission.acceptedAt + this.context.settings.retentionMillis)
  }

  private notNow({ requestId }: Cancelling): void {
    this.underWay--
    this.shed(requestId)
  }

  private shed(id: number): void {
    const { counters, out, settings } = this.context
    counters.shed++
    out.add({ type: 'pap-reply', id, status: 503, retryAfterSeconds: settings.retryAfterSeconds, body: '' })
  }

  private reply(id: number, form: PapForm, message: PapMessage): void {
    this.context.out.add({ type: 'pap-reply', id, status: 202, body: encodePap(message, form) })
  }
}

class Querying implements Seeker {
  constructor(private readonly operations: PushOperations, private readonly requestId: number, private readonly form: PapForm, private readonly message: StatusQuery) {}

  sought(now: Now, push: Sought): void {
    this.operations.status(now, this.requestId, this.form, this.message, push)
  }
}

/** One cancellation from the request to its answer. */
class Cancelling implements Seeker, Withdrawal {
  withdrawn: readonly Delivery[] = []
  submission: SubmissionRecord | undefined = undefined
  private readonly byCode = new Map<number, string[]>()

  constructor(private readonly operations: PushOperations, readonly requestId: number, readonly form: PapForm, readonly message: CancelMessage) {}

  add(code: number, address: string | undefined): void {
    const addresses = this.byCode.get(code)
    if (addresses === undefined) this.byCode.set(code, address === undefined ? [] : [address])
    else if (address !== undefined) addresses.push(address)
  }

  /** One for each code, the best first. */
  results(): readonly CancelResult[] {
    return [...this.byCode].sort(([a], [b]) => a - b).map(([code, addresses]) => result(code, addresses))
  }

  sought(now: Now, push: Sought): void {
    this.operations.cancel(now, this, push)
  }

  rows(): void {}

  written(): void {
    this.operations.answer(this, this.results())
  }

  notWritten(now: Now): void {
    this.operations.notCancelled(now, this)
  }
}

function result(code: number, addresses: readonly string[]): CancelResult {
  return { code, desc: codeName(code), addresses }
}
