/**
 * What a Push Receiver Agent makes of a request outside a dialog: the checks of a MESSAGE in their order, and the
 * status each failed one is answered with. Knows headers and the device's applications; keeps nothing but the reading of
 * a few header texts that repeat in every message.
 */
import { owned } from '../../core/kit/own-text.js'
import { Header } from '../../core/sip/header-names.js'
import type { SipMessage } from '../../core/sip/message.js'
import { mediaType } from '../../core/sip/values.js'
import { PUSH_APPLICATION_TAG, applicationName } from './applications.js'

/**
 * 0 for a MESSAGE to take; else the status to refuse it with.
 * @param applications the device's; @param types media types it takes, lower case, without parameters
 * @param fromProxy it came over the flow the device registered over
 */
export function judge(request: SipMessage, applications: readonly string[], types: ReadonlySet<string>, fromProxy: boolean): number {
  // RFC 3325 section 5: an asserted identity counts only from a trusted neighbour, which for a terminal is its own P-CSCF.
  // OMA SIP Push: the receiver agent verifies that the identity is there; 403 as the event package's rule has it.
  if (!fromProxy || !request.has(Header.PAssertedIdentity)) return 403
  // RFC 3261 section 8.2.2.3: no extension can be required of a MESSAGE here.
  if (request.has(Header.Require)) return 420
  // RFC 3841 section 6: a callee that does not meet the caller's requirements answers 480.
  const application = applicationOf(request)
  if (application !== undefined && !applications.includes(application)) return 480
  return judgeContent(request, types)
}

/** RFC 3261 section 8.2.3, RFC 3428 section 7: 0 for a body to take. */
export function judgeContent(request: SipMessage, types: ReadonlySet<string>): number {
  if (request.has(Header.ContentEncoding)) return 415
  const type = request.get(Header.ContentType)
  return type !== undefined && !types.has(bareType(type)) ? 415 : 0
}

/** The application a push is for, by its push header or by its Accept-Contact; undefined when it names none. */
export function applicationOf(request: SipMessage): string | undefined {
  const id = request.get(Header.XWapApplicationId)
  if (id !== undefined) return remembered(readIds, id, applicationName)
  for (let index = 0; index < request.ids.length; index++) {
    if (request.ids[index] !== Header.AcceptContact) continue
    const named = remembered(readAccepts, request.values[index]!, acceptedApplication)
    if (named !== '') return named
  }
  return undefined
}

/** `*;+g.oma.pusheventapp="mms.ua";require;explicit` names mms.ua; '' when no application is asked for. */
export function acceptedApplication(text: string): string {
  const lower = text.toLowerCase()
  const start = lower.indexOf(`${PUSH_APPLICATION_TAG}="`)
  if (start < 0) return ''
  const valueStart = start + PUSH_APPLICATION_TAG.length + 2
  return applicationName(lower.slice(valueStart, lower.indexOf('"', valueStart)))
}

function bareType(text: string): string {
  return remembered(readTypes, text, mediaType)
}

/** Header texts read before, with what they say. The network can send any text, so the tables are bounded. */
const READ_MAX = 256
const readIds = new Map<string, string>()
const readAccepts = new Map<string, string>()
const readTypes = new Map<string, string>()

function remembered(table: Map<string, string>, text: string, read: (text: string) => string): string {
  const known = table.get(text)
  if (known !== undefined) return known
  const answer = owned(read(text))
  if (table.size >= READ_MAX) table.clear()
  table.set(owned(text), answer)
  return answer
}
