/**
 * Pager mode: one push as one SIP MESSAGE (RFC 3428), aimed at the application by its feature tag (RFC 3841) and vouched
 * for by our identity (RFC 3325). Knows what a push looks like on the wire; not when it is sent, nor what an answer means.
 * The endpoint adds Via and Content-Length, and moves a request over 1,300 octets to TCP (RFC 3428 section 8).
 */
import { rfc1123Text } from '../kit/calendar.js'
import type { WallMillis } from '../kit/time.js'
import { Header, type HeaderId } from '../sip/header-names.js'
import { composed, textOf, type HeaderText } from '../sip/header-text.js'
import { SipMessage } from '../sip/message.js'
import { inlineContent } from '../store/content.js'
import type { SubmissionRecord } from '../store/records.js'
import { AcceptContacts } from './accept-contact.js'
import { appendPushHeaders } from './push-headers.js'

export interface MessageIdentity {
  /** The public service identity: From and P-Asserted-Identity. */
  readonly identity: string
  /** The host of our Call-IDs. */
  readonly sipAddress: string
  readonly userAgent: string
}

/** One attempt at one recipient. */
export interface MessageAttempt {
  readonly submission: SubmissionRecord
  readonly recipient: number
  readonly requestUri: string
  /** A GRUU names one device, which must not be widened by forking (RFC 3841 section 9.1); an address of record means all devices. */
  readonly isGruu: boolean
  readonly cseq: number
  readonly fromTag: string
  /** The next hop as a Route value. */
  readonly route: HeaderText
}

/** The headers every MESSAGE has, in order; what only some have follows. */
const IDS: readonly HeaderId[] = [
  Header.Route, Header.MaxForwards, Header.From, Header.To, Header.CallId, Header.CSeq, Header.PAssertedIdentity, Header.AcceptContact,
  Header.RequestDisposition, Header.UserAgent, Header.XWapApplicationId, Header.XPushId, Header.ContentType,
]
const MAX_FORWARDS = composed('70')
const FORK = composed('fork, parallel')
const NO_FORK = composed('no-fork')
/** RFC 3261 section 20.26; medium is what a missing header means. */
const URGENT = composed('urgent')
const NON_URGENT = composed('non-urgent')

export class MessageBuilder {
  private readonly fromStart: string
  private readonly callIdEnd: string
  private readonly assertedIdentity: HeaderText
  private readonly userAgent: HeaderText
  private readonly acceptContacts = new AcceptContacts()

  constructor(identity: MessageIdentity) {
    this.fromStart = `<${identity.identity}>;tag=`
    this.callIdEnd = `@${identity.sipAddress}`
    this.assertedIdentity = composed(`<${identity.identity}>`)
    this.userAgent = composed(identity.userAgent)
  }

  build(now: WallMillis, attempt: MessageAttempt): SipMessage {
    const { submission, requestUri, isGruu } = attempt
    const values: HeaderText[] = [
      attempt.route,
      MAX_FORWARDS,
      composed(this.fromStart + attempt.fromTag),
      composed(`<${requestUri}>`),
      composed(`${submission.token}.${attempt.recipient}${this.callIdEnd}`),
      composed(`${attempt.cseq} MESSAGE`),
      this.assertedIdentity,
      this.acceptContacts.of(submission.featureTag),
      isGruu ? NO_FORK : FORK,
      this.userAgent,
      clean(submission.applicationId),
      clean(submission.pushId),
      clean(submission.contentType),
    ]
    const message = new SipMessage({ method: 'MESSAGE', requestUri }, IDS.slice(), values, inlineContent(submission.content))
    // RFC 3428 section 4: whoever sends Expires sends Date with it.
    if (submission.hasDeliverBefore) {
      message.append(Header.Date, composed(rfc1123Text(now)))
      message.append(Header.Expires, composed(`${Math.max(1, Math.floor((submission.expiresAt - now) / 1_000))}`))
    }
    if (submission.priority !== 'medium') message.append(Header.Priority, submission.priority === 'high' ? URGENT : NON_URGENT)
    appendPushHeaders(message, submission.contentHeaders)
    return message
  }
}

/** Texts that admission found free of line breaks; octets above 127 become UTF-8. */
function clean(text: string): HeaderText {
  return textOf(text) ?? composed(text)
}
