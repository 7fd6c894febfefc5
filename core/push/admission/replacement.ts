/**
 * A submission that replaces an earlier one (WAP-247 section 8.2, WAP-249 section 5.1.1.1): what waits of the earlier one for
 * the recipients listed is cancelled, and the new one accepted, in one commit; what is under way or over is left alone. With
 * `pending-only` the new one goes only where the earlier one was cancelled. Knows recipients by their Request-URIs.
 */
import type { Now } from '../../kit/time.js'
import type { StoreOperation } from '../../store/operations.js'
import type { SubmissionRecord } from '../../store/records.js'
import type { Deliveries } from '../delivery/deliveries.js'
import type { End } from '../delivery/roles.js'
import type { Delivery } from '../delivery/delivery.js'
import type { Endings, Withdrawal } from '../delivery/endings.js'
import type { StorePort } from '../store-port.js'
import type { Admission, Admitting } from './admit.js'
import type { Refusal } from './check.js'
import { PushLookup, type KeptPush, type Seeker, type Sought } from './push-lookup.js'
import { withdraw, type Withdrawals } from './withdrawing.js'

const NOT_FOUND: Refusal = { ok: false, code: 2004, desc: 'there is no push by replace-push-id' }
const NOTHING_WAITS: Refusal = { ok: false, code: 2008, desc: 'nothing of the push by replace-push-id waits for a recipient listed' }

export class Replacements {
  constructor(private readonly store: StorePort, private readonly deliveries: Deliveries, private readonly endings: Endings) {}

  begin(admission: Admission, admitting: Admitting, record: SubmissionRecord): void {
    PushLookup.begin(this.store, admitting.initiator, admitting.submission.control.replacePushId!, new Replacing(this, admission, admitting, record))
  }

  sought(now: Now, replacing: Replacing, push: Sought): void {
    const { admission, admitting, record } = replacing
    const isPendingOnly = admitting.submission.control.replaceMethod === 'pending-only'
    if (push === 'unknown' && isPendingOnly) return admission.refuseLate(now, admitting, NOT_FOUND)
    const found = typeof push === 'string' ? undefined : push
    const original = found?.submission
    const matches = original === undefined ? [] : matching(original, record)
    const withdrawn = found === undefined ? NOTHING : withdraw(this.deliveries, found, matches.map(({ earlier }) => earlier))
    if (withdrawn === undefined) return admission.notNow(admitting)
    if (isPendingOnly) {
      if (withdrawn.deliveries.length === 0) return admission.refuseLate(now, admitting, NOTHING_WAITS)
      const replaced = new Set(matches.filter((_, at) => withdrawn.each[at] === 'withdrawn').map(({ later }) => later))
      admitting.rejected = new Set(record.recipients.map((_, recipient) => recipient).filter((recipient) => !replaced.has(recipient)))
    }
    admitting.replaced = withdrawn.deliveries.length
    if (original === undefined || withdrawn.deliveries.length === 0) return admission.write(now, admitting)
    replacing.withdrawn = withdrawn.deliveries
    replacing.original = original
    const end: End = { state: 'cancelled', code: 1000, desc: `replaced by ${record.pushId}` }
    this.endings.recordWithdrawn(now, withdrawn.deliveries, original, end, replacing)
  }

  /** Nothing was kept: the earlier one goes on, and the new one was not accepted. */
  notReplaced(now: Now, { admission, admitting, withdrawn, original }: Replacing): void {
    for (const delivery of withdrawn) this.deliveries.putBack(now, delivery, original!)
    admission.notWritten(admitting)
  }
}

const NOTHING: Withdrawals = { each: [], deliveries: [] }

/** The recipients both have, by their numbers in each. */
function matching(original: SubmissionRecord, record: SubmissionRecord): { readonly earlier: number; readonly later: number }[] {
  const earlierByUri = new Map(original.recipients.map(({ uri }, recipient) => [uri, recipient]))
  const both: { earlier: number; later: number }[] = []
  record.recipients.forEach(({ uri }, later) => {
    const earlier = earlierByUri.get(uri)
    if (earlier !== undefined) both.push({ earlier, later })
  })
  return both
}

/** One replacement between its check and its commit. */
class Replacing implements Seeker, Withdrawal {
  withdrawn: readonly Delivery[] = []
  original: KeptPush['submission'] = undefined

  constructor(private readonly replacements: Replacements, readonly admission: Admission, readonly admitting: Admitting, readonly record: SubmissionRecord) {}

  sought(now: Now, push: Sought): void {
    this.replacements.sought(now, this, push)
  }

  rows(now: Now, operations: StoreOperation[]): void {
    this.admission.addRows(now, this.admitting, operations)
  }

  written(now: Now): void {
    this.admitting.committed(now)
  }

  notWritten(now: Now): void {
    this.replacements.notReplaced(now, this)
  }
}
