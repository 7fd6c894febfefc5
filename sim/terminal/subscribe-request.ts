/**
 * The SUBSCRIBE of a terminal to the oma-push package (draft-mdolly-dispatch-oma-push-00, section 11.1), and what every later
 * one within the dialog repeats. Builds requests; subscriptions.ts says when.
 */
import { type EventHeader, OMA_PUSH, eventText } from '../../core/sip/event.js'
import { Header } from '../../core/sip/header-names.js'
import { type HeaderText, composed, parsedText } from '../../core/sip/header-text.js'
import { SipMessage } from '../../core/sip/message.js'
import { bug } from '../../core/kit/assert.js'
import { acceptLine } from './answering.js'
import { textsOf } from './capabilities.js'
import { USER_AGENT, featuresOf } from './register.js'
import type { Terminal } from './terminal.js'

const MAX_FORWARDS = composed('70')
const GRUU = composed('gruu, norefersub')
/** Section 11.1: a device without a UAProf names its vendor, model and version. */
const DEVICE_CAPABILITY = 'pushbench-terminal'

export interface SubscribeParts {
  readonly terminal: Terminal
  /** The subscriber's public identity. */
  readonly impu: string
  /** Where to: the gateway's public service identity. */
  readonly server: string
  readonly contact: HeaderText
  readonly callId: string
  readonly fromTag: string
  readonly expirySeconds: number
  /** What it asks for; all applications of the device when absent. */
  readonly event?: EventHeader | undefined
}

export function buildSubscribe(parts: SubscribeParts): SipMessage {
  const { terminal, impu, server, contact } = parts
  const identity = composed(`<${impu}>`)
  const event: EventHeader = parts.event?.applications !== undefined ? parts.event : { package: OMA_PUSH, applications: terminal.device.applications, deviceCapability: DEVICE_CAPABILITY }
  const request = new SipMessage({ method: 'SUBSCRIBE', requestUri: server })
  const route = terminal.granted?.serviceRoute ?? ''
  // RFC 3608 section 6.1: through the proxies its registration named.
  if (route !== '') request.append(Header.Route, parsedText(route))
  request
    .append(Header.MaxForwards, MAX_FORWARDS)
    .append(Header.From, composed(`${identity};tag=${parts.fromTag}`))
    .append(Header.To, composed(`<${server}>`))
    .append(Header.CallId, composed(parts.callId))
    .append(Header.CSeq, composed('1 SUBSCRIBE'))
    .append(Header.PPreferredIdentity, identity)
    .append(Header.Event, eventText(event) ?? bug('an application id that cannot stand in an Event header'))
    .append(Header.Expires, composed(String(parts.expirySeconds)))
  completeSubscribe(terminal, request, contact)
  return request
}

/** Section 11.1: Contact with the applications, Allow, Supported, Accept and User-Agent stand in every SUBSCRIBE. */
export function completeSubscribe(terminal: Terminal, request: SipMessage, contact: HeaderText): void {
  request
    .append(Header.Contact, composed(`${contact};${featuresOf(terminal.device)}`))
    .append(Header.Accept, acceptLine(terminal))
    .append(Header.Allow, textsOf(terminal.device.capabilities).allow)
    .append(Header.Supported, GRUU)
    .append(Header.UserAgent, USER_AGENT)
}
