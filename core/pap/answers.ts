/**
 * The answer that fits a request as a whole, by what could be read of it (WAP-247 sections 8.3 to 8.12): to a fault, 2000 or
 * 3002; to a cancellation or status query, one code for all it names. Sender and time are added by whoever sends it.
 */
import type { FaultSubject, PapFault } from './decode.js'
import type { CancelMessage, PapMessage, Result, StatusQuery } from './documents.js'

/** Characters of the refused entity that a badmessage-response repeats. */
export const FRAGMENT_LENGTH_MAX = 256

/** 2000 in the response that belongs to the message where its identity could be read, else a badmessage-response. */
export function answerToFault(fault: PapFault, entity: Buffer): PapMessage {
  const { code, desc, about } = fault
  return (about === undefined ? undefined : responseTo(about, { code, desc })) ?? { type: 'badmessage-response', code, desc, badMessageFragment: fragmentOf(entity) }
}

/** One result for whatever the operation names: a result without address speaks for the whole push (sections 8.5.1 and 8.9.1). */
export function answerWhole(message: CancelMessage | StatusQuery, result: Result): PapMessage {
  return message.type === 'cancel-message' ? cancelResponse(message.pushId, result) : statusResponse(message.pushId, result)
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
