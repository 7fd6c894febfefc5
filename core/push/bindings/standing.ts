/**
 * One terminal's standing subscription to pushes: whose, for which applications, and what waits to be notified in it. Small,
 * since tens of thousands stand idle. Knows its row's octets; what happens to it is subscriptions.ts.
 */
import type { Now } from '../../kit/time.js'
import type { ClientFailure } from '../../sip/endpoint-contract.js'
import type { SipMessage } from '../../sip/message.js'
import type { NotifierSubscription, SubscriptionData } from '../../sip/subscription-contract.js'
import { RECORD_VERSION, checkVersion, type SubmissionRecord } from '../../store/records.js'

/** One push on its way through one subscription. */
export interface EventJob {
  readonly content: SubmissionRecord
  /** The feature tag its application is matched by, in lower case. */
  readonly tag: string
  /** Ends it; `ended` when the subscription was over before it was sent. */
  notified(now: Now, standing: Standing, outcome: SipMessage | ClientFailure | 'ended'): void
}

export class Standing {
  subscription!: NotifierSubscription
  /** Applications not told of yet, by index; all were when it is their number. */
  told = 0
  jobs: EventJob[] | undefined = undefined
  next: Standing | undefined = undefined
  /** The last CSeq number that any row of it reserves, flushed or on its way. */
  bound = 0
  isReserving = false

  constructor(
    /** The canonical address of record of its user. */
    readonly aor: string,
    /** The URI of its Contact: a GRUU, where the terminal has one. */
    readonly contact: string,
    /** As the terminal wrote them, none twice. */
    public applications: readonly string[],
    /** A counter: higher is later. */
    readonly born: number,
  ) {}

  /** How the terminal names an application, if it subscribed for it. */
  nameOf(tag: string): string | undefined {
    return this.applications.find((application) => tagOfApplication(application) === tag)
  }
}

/** The terminal may write the registered URN or its short form; matched is the short form (core/pap/application-ids.ts). */
export function tagOfApplication(name: string): string {
  return name.toLowerCase().replace(/^x-(?:wap|oma)-application:/, '')
}

export interface StandingRow {
  readonly data: SubscriptionData
  readonly aor: string
  readonly contact: string
  readonly applications: readonly string[]
}

export function encodeStanding(row: StandingRow): Buffer {
  return Buffer.concat([Buffer.from([RECORD_VERSION]), Buffer.from(JSON.stringify(row))])
}

export function decodeStanding(row: Buffer): StandingRow {
  checkVersion(row, 'subscription')
  return JSON.parse(row.toString('utf8', 1)) as StandingRow
}
