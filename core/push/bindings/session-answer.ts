/**
 * What a terminal answered to the offer of a session: a path to send on and by whom the connection is opened, or why nothing can
 * be sent, as the table of outcomes is asked. Knows descriptions; no session, no message.
 */
import { connectingSide, takesType } from '../../sdp/answer.js'
import type { Description } from '../../sdp/msrp-media.js'
import { SDP_TYPE } from '../../sdp/msrp-media.js'
import { parseDescription } from '../../sdp/parse.js'
import { mediaTypeOf } from '../../mime/content-type.js'
import { Header } from '../../sip/header-names.js'
import type { SipMessage } from '../../sip/message.js'
import type { SetupRole } from '../../msrp/contract.js'
import type { Sight } from '../delivery/outcomes.js'

export interface Answered {
  readonly ok: true
  /** `a=path` of the peer. */
  readonly path: string
  readonly role: SetupRole
  /** Of the certificates the peer may show; empty over TCP. */
  readonly fingerprints: readonly string[]
  readonly acceptTypes: readonly string[]
  readonly maxSize: number | undefined
}

export interface NotAnswered {
  readonly ok: false
  readonly sight: Sight
}

/** An answer that no session can be made of is as good as its status without one. */
export function readAnswer(offer: Description, response: SipMessage): Answered | NotAnswered {
  const unusable: NotAnswered = { ok: false, sight: response.status }
  if (mediaTypeOf(response.get(Header.ContentType) ?? '') !== SDP_TYPE) return unusable
  const { description } = parseDescription(response.body.toString('utf8'))
  // RFC 3264 section 6: as many lines as were offered.
  if (description === undefined || description.media.length !== offer.media.length) return unusable
  const [offered] = offer.media
  const [answered] = description.media
  if (offered?.kind !== 'msrp' || answered?.kind !== 'msrp') return unusable
  // RFC 5547 section 8.3.1: this file is not wanted.
  if (answered.port === 0) return offered.file === undefined ? unusable : { ok: false, sight: 'msrp-declined' }
  if (answered.transport !== offered.transport || answered.direction === 'sendonly' || answered.direction === 'inactive') return unusable
  // RFC 8122 section 5: nothing else would say whose connection it is.
  if (answered.transport === 'tls' && answered.fingerprints.length === 0) return { ok: false, sight: 'msrp-uncertified' }
  // RFC 5547 section 8.3.1: the same transfer, or it is not an answer to our offer.
  if (offered.file !== undefined && answered.file?.transferId !== offered.file.transferId) return unusable
  const role = connectingSide(answered) === 'offerer' ? 'active' : 'passive'
  return { ok: true, path: answered.path.join(' '), role, fingerprints: answered.fingerprints, acceptTypes: answered.acceptTypes, maxSize: answered.maxSize }
}

/** Why a content of this type and size may not go to this receiver; undefined when it may. */
export function contentFault({ acceptTypes, maxSize }: Pick<Answered, 'acceptTypes' | 'maxSize'>, contentType: string, size: number): Sight | undefined {
  // RFC 4975 section 8.6: never a type that was not named.
  if (!takesType(acceptTypes, contentType)) return 'msrp-415'
  return maxSize !== undefined && size > maxSize ? 413 : undefined
}
