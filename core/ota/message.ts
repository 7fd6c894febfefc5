/**
 * Pager mode: one push as one SIP MESSAGE (RFC 3428), aimed at the application by its feature tag (RFC 3841) and vouched
 * for by our identity (RFC 3325). Knows what a push looks like on the wire; not when it is sent, nor what an answer means.
 * The endpoint adds Via and Content-Length, and moves a request over 1,300 octets to TCP (RFC 3428 section 8).
 */
import { rfc1123Text } from '../kit/calendar.js'
import type { WallMillis } from '../kit/time.js'
import { Header, type HeaderId } from '../sip/header-names.js'
import { composed, type HeaderText } from '../sip/header-text.js'
import { SipMessage } from '../sip/message.js'
import { inlineContent } from '../store/content.js'
import type { SubmissionRecord } from '../store/records.js'
import { AcceptContacts } from './accept-contact.js'
import { MAX_FORWARDS, disposition, urgency, type Identity } from './identity.js'
import { appendPushHeaders, pushText } from './push-headers.js'

/** One attempt at one recipient. */
export interface MessageAttempt {
  readonly submission: SubmissionRecord
  readonly recipient: number
  readonly requestUri: string
  /** Whether the Request-URI names one device. */
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

export class MessageBuilder {
  private readonly acceptContacts = new AcceptContacts()

  constructor(private readonly identity: Identity) {}

  build(now: WallMillis, attempt: MessageAttempt): SipMessage {
    const { identity } = this
    const { submission, requestUri } = attempt
    const values: HeaderText[] = [
      attempt.route,
      MAX_FORWARDS,
      identity.from(attempt.fromTag),
      composed(`<${requestUri}>`),
      identity.callId(`${submission.token}.${attempt.recipient}`),
      composed(`${attempt.cseq} MESSAGE`),
      identity.asserted,
      this.acceptContacts.of(submission.featureTag),
      disposition(attempt.isGruu),
      identity.userAgent,
      pushText(submission.applicationId),
      pushText(submission.pushId),
      pushText(submission.contentType),
    ]
    const message = new SipMessage({ method: 'MESSAGE', requestUri }, IDS.slice(), values, inlineContent(submission.content))
    // RFC 3428 section 4: whoever sends Expires sends Date with it.
    if (submission.hasDeliverBefore) {
      message.append(Header.Date, composed(rfc1123Text(now)))
      message.append(Header.Expires, composed(`${Math.max(1, Math.floor((submission.expiresAt - now) / 1_000))}`))
    }
    const urgent = urgency(submission.priority)
    if (urgent !== undefined) message.append(Header.Priority, urgent)
    appendPushHeaders(message, submission.contentHeaders)
    return message
  }
}
