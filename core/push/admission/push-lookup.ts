/**
 * One push of an initiator as the store has it, found by its push-id: what was submitted, as long as a recipient has no
 * outcome, and the outcomes of those who have one. A push-id is looked for under the initiator who asks, so another's is not
 * found, whatever it is. Knows rows; what may be done with the push is for whoever sought it.
 */
import { doneKey, pendingKey, pushIdKey, recipientOf, type Sequence } from '../../store/keys.js'
import type { Now } from '../../kit/time.js'
import type { StoreRow } from '../../store/operations.js'
import { decodePushId, type PushIdRecord } from '../../store/push-ids.js'
import { decodeFinal, decodeSubmission, type FinalRecord, type SubmissionRecord } from '../../store/records.js'
import type { ReadWaiter, ScanWaiter, StorePort } from '../store-port.js'
import type { Identities } from './identities.js'

const RECIPIENT_MAX = 0xffff

export interface KeptPush {
  readonly sequence: Sequence
  /** Recipients in all, those included whose outcome was forgotten. */
  readonly count: number
  /** Absent when every recipient has its outcome. */
  readonly submission: SubmissionRecord | undefined
  /** By the recipient's number. One may be there that is not flushed yet: whoever is in the index has no outcome. */
  readonly finals: ReadonlyMap<number, FinalRecord>
}

/** `unnumbered` was accepted by an earlier release, which did not keep where it lies. */
export type Sought = KeptPush | 'unknown' | 'unnumbered'

export interface Seeker {
  sought(now: Now, push: Sought): void
}

export class PushLookup implements ReadWaiter, ScanWaiter {
  private place: PushIdRecord | undefined = undefined
  private submission: SubmissionRecord | undefined = undefined

  private constructor(private readonly store: StorePort, private readonly seeker: Seeker) {}

  static begin(store: StorePort, initiator: string, pushId: string, seeker: Seeker): void {
    store.read(pushIdKey(initiator, pushId), new PushLookup(store, seeker))
  }

  /** First the row of the push-id, then that of the submission; after it the outcomes, so that none is missed that ended the submission. */
  valueRead(now: Now, value: Buffer | undefined): void {
    if (this.place !== undefined) {
      this.submission = value === undefined ? undefined : decodeSubmission(value)
      const { sequence, recipients } = this.place
      return this.store.scan(doneKey(sequence, 0), doneKey(sequence, RECIPIENT_MAX), recipients, this)
    }
    if (value === undefined) return this.seeker.sought(now, 'unknown')
    this.place = decodePushId(value)
    if (this.place === undefined) return this.seeker.sought(now, 'unnumbered')
    this.store.read(pendingKey(this.place.sequence), this)
  }

  rowsRead(now: Now, rows: readonly StoreRow[]): void {
    const { sequence, recipients } = this.place!
    const finals = new Map<number, FinalRecord>()
    for (const { key, value } of rows) finals.set(recipientOf(key), decodeFinal(value))
    this.seeker.sought(now, { sequence, count: recipients, submission: this.submission, finals })
  }
}

/** The address the initiator wrote for a recipient; undefined once all of it was forgotten. */
export function literalOf({ submission, finals }: KeptPush, recipient: number): string | undefined {
  return submission?.recipients[recipient]?.literal ?? finals.get(recipient)?.literal
}

/** Which recipient of a push an address means, or the code that says why none. */
export class Addressees {
  private readonly byLiteral = new Map<string, number>()
  private byUri: Map<string, number> | undefined = undefined
  private isWhole = true

  constructor(private readonly push: KeptPush, private readonly identities: Identities) {
    for (let recipient = 0; recipient < push.count; recipient++) {
      const literal = literalOf(push, recipient)
      if (literal === undefined) this.isWhole = false
      else this.byLiteral.set(literal, recipient)
    }
  }

  /** 2002 for an address not served, 2003 for one that is none of this push, 3003 where it may have been (WAP-247 section 8.14). */
  find(address: string): { readonly recipient: number } | { readonly recipient: undefined; readonly code: 2002 | 2003 | 3003 } {
    const written = this.byLiteral.get(address)
    if (written !== undefined) return { recipient: written }
    const identified = this.identities.identify(address)
    if (!identified.ok) return { recipient: undefined, code: 2002 }
    const recipient = this.uris().get(identified.target.uri)
    return recipient === undefined ? { recipient, code: this.isWhole ? 2003 : 3003 } : { recipient }
  }

  /** By whom the recipients are, since one may be written in several ways. */
  private uris(): Map<string, number> {
    if (this.byUri !== undefined) return this.byUri
    const byUri = new Map<string, number>()
    for (const [literal, recipient] of this.byLiteral) {
      const uri = this.push.submission?.recipients[recipient]?.uri
      const identified = uri === undefined ? this.identities.identify(literal) : undefined
      if (uri !== undefined) byUri.set(uri, recipient)
      else if (identified?.ok === true) byUri.set(identified.target.uri, recipient)
    }
    this.byUri = byUri
    return byUri
  }
}
