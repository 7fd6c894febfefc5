/**
 * The answer that fits a request we cannot serve, by what could be read of it (WAP-247 sections 8.3 to 8.12): a fault
 * gets 2000 or 3002, an operation that is not implemented 3001. Sender and time are added by whoever sends it.
 */
import { codeName } from './codes.js'
import type { FaultSubject, PapFault } from './decode.js'
import type { CancelMessage, CapabilitiesQuery, PapMessage, Result, StatusQuery } from './documents.js'

/** Characters of the refused entity that a badmessage-response repeats. */
export const FRAGMENT_LENGTH_MAX = 256

/** 2000 in the response that belongs to the message where its identity could be read, else a badmessage-response. */
export function answerToFault(fault: PapFault, entity: Buffer): PapMessage {
  const { code, desc, about } = fault
  return (about === undefined ? undefined : responseTo(about, { code, desc })) ?? { type: 'badmessage-response', code, desc, badMessageFragment: fragmentOf(entity) }
}

/** 3001, which a PPG without the operation must answer (sections 5.3 to 5.5). */
export function answerNotImplemented(message: CancelMessage | StatusQuery | CapabilitiesQuery): PapMessage {
  const result = { code: 3001, desc: `${codeName(3001)}: ${message.type}` }
  switch (message.type) {
    case 'cancel-message':
      return cancelResponse(message.pushId, result)
    case 'statusquery-message':
      return statusResponse(message.pushId, result)
    case 'ccq-message':
      return { type: 'ccq-response', queryId: message.queryId, ...result, address: message.address }
  }
}

function responseTo(about: FaultSubject, result: Result): PapMessage | undefined {
  const { pushId, queryId, address } = about
  if (about.type === 'ccq-message') return address === undefined ? undefined : { type: 'ccq-response', queryId, ...result, address }
  if (pushId === undefined) return undefined
  switch (about.type) {
    case 'push-message':
      return { type: 'push-response', pushId, progressNotes: [], result }
    case 'cancel-message':
      return cancelResponse(pushId, result)
    case 'statusquery-message':
      return statusResponse(pushId, result)
    default:
      return undefined
  }
}

function cancelResponse(pushId: string, result: Result): PapMessage {
  return { type: 'cancel-response', pushId, results: [{ ...result, addresses: [] }] }
}

/** The DTD requires a state even where there is none to tell. */
function statusResponse(pushId: string, result: Result): PapMessage {
  return { type: 'statusquery-response', pushId, results: [{ ...result, messageState: 'unknown', addresses: [] }] }
}

// eslint-disable-next-line no-control-regex -- control characters are exactly what is replaced
const CONTROLS = /[\0-\x1f\x7f-\x9f]+/g

/** The start of the refused entity as readable text. */
export function fragmentOf(entity: Buffer): string {
  return entity.toString('utf8', 0, FRAGMENT_LENGTH_MAX * 4).replace(CONTROLS, ' ').slice(0, FRAGMENT_LENGTH_MAX)
}
