/**
 * Who the requests of a gateway come from, and what all of them say alike: From and P-Asserted-Identity (RFC 3325), Call-ID,
 * Contact, User-Agent, whether they may be forked (RFC 3841) and how urgent they are. Texts are made once. Knows header values, no method.
 */
import { composed, type HeaderText } from '../sip/header-text.js'
import type { Priority } from '../store/records.js'

export interface IdentitySettings {
  /** The public service identity: From and P-Asserted-Identity. */
  readonly identity: string
  /** The host of our Call-IDs and of our Contact, with its port. */
  readonly sipAddress: string
  readonly userAgent: string
}

/** As a user agent sends it (RFC 3261 section 8.1.1.6). */
export const MAX_FORWARDS = composed('70')

const FORK = composed('fork, parallel')
const NO_FORK = composed('no-fork')
/** RFC 3261 section 20.26; medium is what a missing header means. */
const URGENT = composed('urgent')
const NON_URGENT = composed('non-urgent')

export class Identity {
  /** P-Asserted-Identity. */
  readonly asserted: HeaderText
  readonly userAgent: HeaderText
  readonly contactUri: string
  readonly contact: HeaderText
  private readonly fromStart: string
  private readonly callIdEnd: string

  constructor({ identity, sipAddress, userAgent }: IdentitySettings) {
    this.asserted = composed(`<${identity}>`)
    this.userAgent = composed(userAgent)
    this.contactUri = `sip:${sipAddress};transport=tcp`
    this.contact = composed(`<${this.contactUri}>`)
    this.fromStart = `<${identity}>;tag=`
    this.callIdEnd = `@${sipAddress}`
  }

  from(tag: string): HeaderText {
    return composed(this.fromStart + tag)
  }

  /** @param local what makes it unlike any other of ours */
  callId(local: string): HeaderText {
    return composed(local + this.callIdEnd)
  }
}

/** Request-Disposition: a GRUU names one device, which must not be widened by forking (RFC 3841 section 9.1); an address of record means all devices. */
export function disposition(isGruu: boolean): HeaderText {
  return isGruu ? NO_FORK : FORK
}

/** The value of Priority; undefined where the header is left out. */
export function urgency(priority: Priority): HeaderText | undefined {
  return priority === 'medium' ? undefined : priority === 'high' ? URGENT : NON_URGENT
}
