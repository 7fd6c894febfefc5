/**
 * Event mode on the wire (draft-mdolly-dispatch-oma-push-00): what a push looks like in a NOTIFY of the package oma-push, and
 * what the answer to a SUBSCRIBE tells the terminal. Knows headers; subscriptions are core/sip/notifier.ts.
 */
import { OMA_PUSH } from '../sip/event.js'
import { Header, type HeaderId } from '../sip/header-names.js'
import { composed, type HeaderText } from '../sip/header-text.js'
import { SipMessage } from '../sip/message.js'
import type { Notification } from '../sip/subscription-contract.js'
import { inlineContent } from '../store/content.js'
import type { SubmissionRecord } from '../store/records.js'
import { appendPushHeaders, pushText } from './push-headers.js'

export type HeaderLine = readonly [HeaderId, HeaderText]

const TAG_TOKEN = /^[A-Za-z0-9\-.%*_+`'~]+$/

/** One NOTIFY of the state: this application is served in this subscription (draft section 11.2). */
export function enrolment(application: string | undefined, asserted: HeaderText): Notification {
  const headers: HeaderLine[] = [[Header.PAssertedIdentity, asserted]]
  return application === undefined ? { headers } : { event: { package: OMA_PUSH, applications: [application] }, headers }
}

/**
 * One push in a NOTIFY, for exactly one application, named as the terminal named it (draft section 11.3).
 * @param submission with a content that is held in memory: itself or its reference
 */
export function contentNotification(submission: SubmissionRecord, application: string, asserted: HeaderText): Notification {
  const carrier = new SipMessage({ method: 'NOTIFY' })
  carrier.append(Header.PAssertedIdentity, asserted)
  carrier.append(Header.XWapApplicationId, pushText(submission.applicationId)).append(Header.XPushId, pushText(submission.pushId))
  appendPushHeaders(carrier, submission.contentHeaders)
  return {
    event: { package: OMA_PUSH, applications: [application] },
    headers: carrier.ids.map((id, index) => [id, carrier.values[index]!] as const),
    contentType: pushText(submission.contentType),
    body: inlineContent(submission.content),
  }
}

/** Our Contact with the applications that are served (draft section 11.1); what is no token stands as a string (RFC 3840 section 9). */
export function servingContact(uri: string, applications: readonly string[]): HeaderText {
  const tags = applications.map((application) => (TAG_TOKEN.test(application) ? application : `<${application}>`)).join(',')
  return composed(`<${uri}>;+g.oma.pusheventapp="${tags}"`)
}

/** What else the 200 to a SUBSCRIBE says (draft section 11.1). */
export function acceptanceHeaders(methods: string): readonly HeaderLine[] {
  return [
    [Header.Accept, composed('message/external-body, application/rdf+xml')],
    [Header.Allow, composed(methods)],
    [Header.AllowEvents, composed(OMA_PUSH)],
    [Header.Supported, composed('gruu')],
  ]
}
