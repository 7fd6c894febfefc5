/** A REGISTER, or the end of a registration without one, as filter criteria see it. */
import { HEADER_NAMES, Header, type HeaderId } from '../../core/sip/header-names.js'
import type { SipMessage } from '../../core/sip/message.js'
import type { RegistrationType, Triggering } from './filter-criteria.js'

const IDS: ReadonlyMap<string, HeaderId> = new Map(HEADER_NAMES.map((name, id) => [name.toLowerCase(), id as HeaderId]))

export function triggeringRegister(registrationType: RegistrationType, request: SipMessage | undefined): Triggering {
  return {
    method: 'REGISTER',
    requestUri: request?.requestUri ?? '',
    sessionCase: undefined,
    registrationType,
    header: (name) => (request === undefined ? [] : headerValues(request, name)),
  }
}

function headerValues(request: SipMessage, name: string): readonly string[] {
  const id = IDS.get(name) ?? Header.Other
  if (id !== Header.Other) return request.getAll(id)
  const other = request.getOther(name)
  return other === undefined ? [] : [other]
}
