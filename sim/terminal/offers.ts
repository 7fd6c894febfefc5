/**
 * What a terminal makes of an INVITE before a byte is sent: the checks of the request, and of each line of the offer by
 * its types, size and file name (RFC 4975 section 8, RFC 5547 section 8.3). Decides; sessions.ts carries it out.
 */
import type { Entropy } from '../../core/kit/entropy.js'
import { lineFault, shareType, takesType } from '../../core/sdp/answer.js'
import { type Description, type FileSelector, type MediaLine, type Origin, SDP_TYPE } from '../../core/sdp/msrp-media.js'
import { parseDescription } from '../../core/sdp/parse.js'
import { Header } from '../../core/sip/header-names.js'
import type { SipMessage } from '../../core/sip/message.js'
import { allValues, mediaType } from '../../core/sip/values.js'
import { can, contentTypes } from './capabilities.js'
import { applicationOf } from './judgement.js'
import type { Terminal } from './terminal.js'

/** 0 for an INVITE whose offer is to be looked at; else the status to refuse it with. The order is that of a MESSAGE's checks (judgement.ts). */
export function judgeInvite(request: SipMessage, terminal: Terminal, fromProxy: boolean): number {
  const { applications, capabilities } = terminal.device
  if (!can(capabilities, 'session')) return 405
  if (!fromProxy || !request.has(Header.PAssertedIdentity)) return 403
  if (request.has(Header.Require)) return 420
  const application = applicationOf(request)
  if (application !== undefined && !applications.includes(application)) return 480
  if (request.has(Header.ContentEncoding)) return 415
  const type = request.get(Header.ContentType)
  // RFC 3261 section 13.3.1: without an offer the answer would have to be one, and a receiver of pushes has nothing to offer.
  if (type === undefined || request.body.length === 0) return 488
  if (mediaType(type) !== SDP_TYPE) return 415
  // RFC 3261 section 21.4.7: the answer is a session description, and the caller will not have one.
  return acceptsDescriptions(request) ? 0 : 406
}

function acceptsDescriptions(request: SipMessage): boolean {
  if (!request.has(Header.Accept)) return true
  return allValues(request, Header.Accept).some((value) => [SDP_TYPE, 'application/*', '*/*'].includes(mediaType(value)))
}

/** The offer, or the status that says what is wrong with it. */
export function offerOf(request: SipMessage): Description | number {
  const { description, fault } = parseDescription(request.body.toString('utf8'))
  return description ?? fault!.status
}

/** `take`: the line is wanted. `file`: this file is not. `unacceptable`: nothing of this kind can be taken. */
export type LineVerdict = 'take' | 'file' | 'unacceptable'

/** @param speaksTls whether it has a certificate to show */
export function lineVerdict(line: MediaLine, terminal: Terminal, speaksTls: boolean): LineVerdict {
  // A terminal is reached by nobody: it must be the side that connects (RFC 6135 section 4.2.2).
  if (line.kind !== 'msrp' || lineFault(line, speaksTls ? ['tcp', 'tls'] : ['tcp'], false) !== undefined) return 'unacceptable'
  const types = contentTypes(terminal.types)
  if (line.file !== undefined) return wantsFile(line.file.selector, types, terminal.device.capabilities.sizeMax) ? 'take' : 'file'
  return shareType(types, line.acceptTypes) ? 'take' : 'unacceptable'
}

function wantsFile({ name, type, size }: FileSelector, types: readonly string[], sizeMax: number): boolean {
  if (type !== undefined && !takesType(types, type)) return false
  if (size !== undefined && size > sizeMax) return false
  // RFC 5547 section 10: a name must not lead out of the folder the file is put into.
  return name === undefined || !/^\.|[/\\]/.test(name)
}

/** Who answers, in `o=`: the session id is new for each description that is no later edition of another. */
export function originOf(local: string, terminal: Terminal, entropy: Entropy): Origin {
  const { subscriber, ordinal } = terminal.device
  return { username: `ue-${subscriber}-${ordinal}`, sessionId: String(Math.floor(entropy.unit() * 2 ** 48)), version: 1, host: hostOf(local) }
}

/** `host:port` without its port, IPv6 without brackets. */
export function hostOf(local: string): string {
  const host = local.slice(0, local.lastIndexOf(':'))
  return host.startsWith('[') ? host.slice(1, -1) : host
}

/** `a=max-size`, where it tells the truth about one. */
export function sizeTold(terminal: Terminal): number | undefined {
  return terminal.device.behaviour.misbehaviour === 'refuses-size' ? undefined : terminal.device.capabilities.sizeMax
}
