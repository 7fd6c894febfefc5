/**
 * What a status query is told (WAP-247 sections 5.4, 8.8 and 8.9): for each recipient asked about its state, those that are
 * equal in one result. Knows what is kept of a push and the table of codes; reads no store.
 */
import { codeAllowed, codeName } from '../../pap/codes.js'
import type { QualityOfService, StatusQuery, StatusQueryResult } from '../../pap/documents.js'
import type { FinalRecord } from '../../store/records.js'
import { qualityUsed } from '../notification/notify-body.js'
import type { Identities } from './identities.js'
import { Addressees, literalOf, type KeptPush, type Sought } from './push-lookup.js'

/** A result before its addresses are gathered. */
type Told = Omit<StatusQueryResult, 'addresses'>

/** @param isOpen whether a recipient of the push has no outcome, whatever a row that is not flushed yet may say */
export function statusResults(push: Sought, { addresses }: StatusQuery, identities: Identities, isOpen: (recipient: number) => boolean): readonly StatusQueryResult[] {
  if (push === 'unknown') return [{ ...fault(2004), addresses: [] }]
  if (push === 'unnumbered') return [{ ...fault(3003), addresses: [] }]
  const groups = new Map<string, { readonly told: Told; readonly addresses: string[] }>()
  const seen = new Set<number>()
  const add = (told: Told, address: string | undefined): void => {
    const key = JSON.stringify(told)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, { told, addresses: address === undefined ? [] : [address] })
    else if (address !== undefined) group.addresses.push(address)
  }
  if (addresses.length === 0) {
    for (let recipient = 0; recipient < push.count; recipient++) {
      const literal = literalOf(push, recipient)
      // Section 8.14.3.4: the status of one that nothing is left of is gone; there is no address to name it by.
      if (literal !== undefined) add(statusOf(push, recipient, isOpen(recipient)), literal)
    }
    if (groups.size === 0) add(fault(3003), undefined)
  } else {
    const addressees = new Addressees(push, identities)
    for (const address of addresses) {
      const found = addressees.find(address)
      if (found.recipient === undefined) add(fault(found.code), address)
      else if (!seen.has(found.recipient)) {
        seen.add(found.recipient)
        add(statusOf(push, found.recipient, isOpen(found.recipient)), address)
      }
    }
  }
  return [...groups.values()].map(({ told, addresses: gathered }) => ({ ...told, addresses: gathered }))
}

function statusOf(push: KeptPush, recipient: number, isOpen: boolean): Told {
  const final = push.finals.get(recipient)
  const submitted = push.submission ?? final
  if (submitted === undefined || (final === undefined && !isOpen)) return fault(3003)
  if (final !== undefined && !isOpen) return finalStatus(final)
  // Section 8.13: 1001 may not stand here; the state says that it is not over.
  return { messageState: 'pending', code: 1000, desc: codeName(1000), qualityOfService: submitted.hasQualityOfService ? qualityAsked(submitted) : undefined }
}

/** Where the table does not let this element carry the outcome's code (2005, 2006, 2008), 4000 stands for it and the text names it. */
function finalStatus(final: FinalRecord): Told {
  const isAllowed = codeAllowed('statusquery-result', final.code)
  const desc = final.desc === '' ? codeName(final.code) : final.desc
  return {
    eventTime: final.endedAt,
    messageState: final.state,
    code: isAllowed ? final.code : 4000,
    desc: isAllowed ? desc : `${final.code} ${desc}`,
    qualityOfService: final.hasQualityOfService ? qualityUsed(final) : undefined,
  }
}

function qualityAsked({ priority, deliveryMethod }: Pick<FinalRecord, 'priority' | 'deliveryMethod'>): QualityOfService {
  return { priority, deliveryMethod, networkRequired: false, bearerRequired: false }
}

/** The DTD requires a state even where there is none to tell. */
function fault(code: 2002 | 2003 | 2004 | 3003): Told {
  return { messageState: 'unknown', code, desc: codeName(code) }
}
