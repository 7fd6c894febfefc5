/**
 * What a terminal says it can do when it is asked by OPTIONS (RFC 3261 section 11.2, RFC 3840 section 8, RFC 3264 section 9,
 * RFC 5547 section 8.5): methods, types, features of its Contact, and a session description that offers nothing.
 */
import { SDP_TYPE } from '../../core/sdp/msrp-media.js'
import { capabilityDescription, descriptionText } from '../../core/sdp/write.js'
import { Header } from '../../core/sip/header-names.js'
import { composed } from '../../core/sip/header-text.js'
import type { SipMessage } from '../../core/sip/message.js'
import { responseTo } from '../../core/sip/write.js'
import { acceptLine } from './answering.js'
import { can, contentTypes, textsOf } from './capabilities.js'
import type { UsageHost } from './host.js'
import { originOf, sizeTold } from './offers.js'
import { USER_AGENT, featuresOf } from './register.js'
import type { Terminal } from './terminal.js'

const SDP = composed(SDP_TYPE)
const IDENTITY = composed('identity')
const LANGUAGE = composed('en')
const SUPPORTED = composed('path, gruu, norefersub')

export function optionsAnswer(host: UsageHost, terminal: Terminal, request: SipMessage): SipMessage {
  const { capabilities } = terminal.device
  const takesSessions = can(capabilities, 'session')
  const accepted = takesSessions ? composed(`${SDP_TYPE}, ${acceptLine(terminal)}`) : acceptLine(terminal)
  const response = responseTo(request, 200, undefined, host.newTag())
    .append(Header.Contact, composed(`${host.contactOf(terminal)};${featuresOf(terminal.device)}`))
    .append(Header.Allow, textsOf(capabilities).allow)
    .append(Header.Accept, accepted)
    .append(Header.AcceptEncoding, IDENTITY)
    .append(Header.Other, composed(`Accept-Language: ${LANGUAGE}`))
    .append(Header.Supported, SUPPORTED)
    .append(Header.UserAgent, USER_AGENT)
  if (!takesSessions) return response
  const description = capabilityDescription(originOf(host.localOf(terminal), terminal, host.entropy), contentTypes(terminal.types), sizeTold(terminal))
  response.append(Header.ContentType, SDP)
  response.body = Buffer.from(descriptionText(description), 'utf8')
  return response
}
