/**
 * Session mode: the INVITE of a push with its offer of an MSRP session, plain or for one file (RFC 4975 section 8, RFC 5547), and
 * the headers that travel with each content in it. Knows what goes on the wire; not when, nor what an answer means.
 */
import { contentSize } from '../store/content.js'
import type { ContentHeader, SubmissionRecord } from '../store/records.js'
import { selectorType } from '../sdp/file-attributes.js'
import { offerSetup } from '../sdp/answer.js'
import { SDP_TYPE, type Description, type FileDescription } from '../sdp/msrp-media.js'
import { descriptionText } from '../sdp/write.js'
import { Header } from '../sip/header-names.js'
import { composed } from '../sip/header-text.js'
import { SipMessage } from '../sip/message.js'
import { AcceptContacts } from './accept-contact.js'
import { MAX_FORWARDS, disposition, urgency, type Identity } from './identity.js'
import type { MessageAttempt } from './message.js'
import { pushText } from './push-headers.js'

/** One INVITE for one push. */
export interface SessionAttempt extends MessageAttempt {
  readonly offer: Description
}

export interface OfferedSession {
  /** Our MSRP URI, the port and host it names. */
  readonly uri: string
  readonly port: number
  readonly host: string
  /** Decimal digits that no other session of ours has. */
  readonly sessionId: string
  /** Of our certificate, where the URI is `msrps:`. */
  readonly fingerprint: string | undefined
}

const ALLOW = composed('INVITE, ACK, CANCEL, BYE')
const SDP = composed(SDP_TYPE)
const SESSION = composed('session')

export class SessionBuilder {
  private readonly acceptContacts = new AcceptContacts()

  constructor(private readonly identity: Identity) {}

  build({ submission, recipient, requestUri, isGruu, cseq, fromTag, route, offer }: SessionAttempt): SipMessage {
    const { identity } = this
    const urgent = urgency(submission.priority)
    const invite = new SipMessage({ method: 'INVITE', requestUri })
      .append(Header.Route, route).append(Header.MaxForwards, MAX_FORWARDS)
      .append(Header.From, identity.from(fromTag)).append(Header.To, composed(`<${requestUri}>`))
      // The same for every INVITE of this push (docs/outcomes.md); a MESSAGE of it has one of its own.
      .append(Header.CallId, identity.callId(`${submission.token}.${recipient}s`)).append(Header.CSeq, composed(`${cseq} INVITE`))
      .append(Header.Contact, identity.contact).append(Header.PAssertedIdentity, identity.asserted)
      .append(Header.AcceptContact, this.acceptContacts.of(submission.featureTag)).append(Header.RequestDisposition, disposition(isGruu))
      .append(Header.Allow, ALLOW).append(Header.Accept, SDP).append(Header.UserAgent, identity.userAgent)
      .append(Header.XWapApplicationId, pushText(submission.applicationId)).append(Header.XPushId, pushText(submission.pushId))
      .append(Header.ContentDisposition, SESSION).append(Header.ContentType, SDP)
    if (urgent !== undefined) invite.append(Header.Priority, urgent)
    invite.body = Buffer.from(descriptionText(offer))
    return invite
  }
}

/** We only send, and can be reached: who answers may connect or let us (RFC 6135 section 4.2). A plain session may carry any type, this push's first. */
export function offerOf({ uri, port, host, sessionId, fingerprint }: OfferedSession, contentType: string, file: FileDescription | undefined): Description {
  const type = selectorType(contentType) ?? 'application/octet-stream'
  return {
    origin: { username: '-', sessionId, version: 1, host },
    media: [{
      kind: 'msrp', port, transport: uri.startsWith('msrps:') ? 'tls' : 'tcp', host, path: [uri], setup: offerSetup(true),
      fingerprints: fingerprint === undefined ? [] : [fingerprint],
      acceptTypes: file === undefined ? [type, '*'] : [type], acceptWrappedTypes: [], maxSize: undefined, direction: 'sendonly', file,
    }],
  }
}

/** RFC 5547 section 8.2.1: enough for the receiver to refuse it before an octet of it is sent. */
export function fileOf(submission: SubmissionRecord, sha1: string, transferId: string): FileDescription {
  const disposition = submission.contentHeaders.find(({ name }) => name.toLowerCase() === 'content-disposition')?.value ?? ''
  return {
    selector: { name: fileName(disposition), type: selectorType(submission.contentType), size: contentSize(submission.content), sha1 },
    transferId,
    disposition: /^\s*attachment\b/i.test(disposition) ? 'attachment' : 'render',
  }
}

/** What every SEND of this push carries besides its Content-Type: who it is for, which push it is, and the content's own headers. */
export function sendHeaders(submission: SubmissionRecord): readonly ContentHeader[] {
  return [
    { name: 'X-Push-Id', value: submission.pushId },
    { name: 'X-Wap-Application-Id', value: submission.applicationId },
    ...submission.contentHeaders,
  ]
}

/** The same again for every attempt, so that a receiver knows a second copy (RFC 4975 section 5.4): 4 to 32 characters. */
export function messageIdOf(token: string, recipient: number): string {
  return `${token}.${recipient}`
}

/** RFC 2183 section 2.3. A path is not the receiver's business. */
function fileName(disposition: string): string | undefined {
  const match = /;\s*filename\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;"]+))/i.exec(disposition)
  const name = (match?.[1]?.replace(/\\(.)/g, '$1') ?? match?.[2])?.replace(/^.*[/\\]/, '')
  return name === undefined || name === '' ? undefined : name
}
