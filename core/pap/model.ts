/**
 * The DTD of PAP 2.0 (WAP-247 section 11.2) as one table: each element's attributes and children, and the property
 * each becomes. Decoder and encoder walk it; a new message is a new row and its type in documents.ts.
 */
import { DELIVERY_METHODS, MESSAGE_STATES, PRIORITIES, REPLACE_METHODS, type PapMessage } from './documents.js'

/** What an attribute's text must be. `id` is 1 to `ID_LENGTH_MAX` characters, `code` four or five digits, `flag` true or false. */
export type AttributeKind = 'text' | 'id' | 'time' | 'code' | 'flag' | readonly string[]

export const ID_LENGTH_MAX = 512
export const ADDRESSES_MAX = 1000

export interface AttributeRow {
  readonly name: string
  /** How the attribute begins in a document: ` name="`. */
  readonly opening: string
  readonly property: string
  readonly kind: AttributeKind
  readonly required: boolean
  /** The DTD's default; undefined for none. */
  readonly fallback: string | boolean | undefined
  /** Came with PAP 2.0; unknown to a 1.0 document. */
  readonly sinceSecond: boolean
}

export interface ChildRow {
  readonly element: ElementRow
  readonly property: string
  readonly min: 0 | 1
  readonly many: boolean
}

export interface ElementRow {
  readonly name: string
  readonly attributes: readonly AttributeRow[]
  /** In the order the DTD demands. */
  readonly children: readonly ChildRow[]
  /** The element stands for the value of its only attribute (address). */
  readonly bare: boolean
}

const text = (name: string, property: string): AttributeRow => attribute(name, property, 'text')
const time = (name: string, property: string): AttributeRow => attribute(name, property, 'time')
const needed = (row: AttributeRow): AttributeRow => ({ ...row, required: true })
const since20 = (row: AttributeRow): AttributeRow => ({ ...row, sinceSecond: true })
const one = (element: ElementRow, property: string): ChildRow => ({ element, property, min: 1, many: false })
const optional = (element: ElementRow, property: string): ChildRow => ({ element, property, min: 0, many: false })
const any = (element: ElementRow, property: string): ChildRow => ({ element, property, min: 0, many: true })
const some = (element: ElementRow, property: string): ChildRow => ({ element, property, min: 1, many: true })

function attribute(name: string, property: string, kind: AttributeKind, fallback?: string | boolean): AttributeRow {
  return { name, opening: ` ${name}="`, property, kind, required: false, fallback, sinceSecond: false }
}

function element(name: string, attributes: readonly AttributeRow[], children: readonly ChildRow[] = [], bare = false): ElementRow {
  return { name, attributes, children, bare }
}

const PUSH_ID = needed(attribute('push-id', 'pushId', 'id'))
const CODE = needed(attribute('code', 'code', 'code'))
const DESC = text('desc', 'desc')
const STATE = needed(attribute('message-state', 'messageState', MESSAGE_STATES))
const EVENT_TIME = time('event-time', 'eventTime')
const SENDER = [text('sender-address', 'senderAddress'), text('sender-name', 'senderName')]

const ADDRESS = element('address', [needed(text('address-value', 'address'))], [], true)
const QUALITY = element('quality-of-service', [
  attribute('priority', 'priority', PRIORITIES, 'medium'),
  attribute('delivery-method', 'deliveryMethod', DELIVERY_METHODS, 'notspecified'),
  text('network', 'network'),
  attribute('network-required', 'networkRequired', 'flag', false),
  text('bearer', 'bearer'),
  attribute('bearer-required', 'bearerRequired', 'flag', false),
])
const PROGRESS_NOTE = element('progress-note', [needed(text('stage', 'stage')), text('note', 'note'), time('time', 'time')])
const RESPONSE_RESULT = element('response-result', [CODE, DESC])
const CANCEL_RESULT = element('cancel-result', [CODE, DESC], [any(ADDRESS, 'addresses')])
const STATUS_RESULT = element('statusquery-result', [EVENT_TIME, STATE, CODE, DESC], [
  any(ADDRESS, 'addresses'), optional(QUALITY, 'qualityOfService'),
])

/** The eleven messages that may stand in `pap`, by element name, which is also their `type`. */
export const MESSAGES: Readonly<Record<PapMessage['type'], ElementRow>> = {
  'push-message': element('push-message', [
    PUSH_ID,
    since20(text('replace-push-id', 'replacePushId')),
    since20(attribute('replace-method', 'replaceMethod', REPLACE_METHODS, 'all')),
    time('deliver-before-timestamp', 'deliverBefore'),
    time('deliver-after-timestamp', 'deliverAfter'),
    text('source-reference', 'sourceReference'),
    text('ppg-notify-requested-to', 'notifyRequestedTo'),
    attribute('progress-notes-requested', 'progressNotesRequested', 'flag', false),
  ], [some(ADDRESS, 'addresses'), optional(QUALITY, 'qualityOfService')]),
  'push-response': element('push-response', [PUSH_ID, ...SENDER, time('reply-time', 'replyTime')], [
    any(PROGRESS_NOTE, 'progressNotes'), one(RESPONSE_RESULT, 'result'),
  ]),
  'cancel-message': element('cancel-message', [PUSH_ID], [any(ADDRESS, 'addresses')]),
  'cancel-response': element('cancel-response', [PUSH_ID], [some(CANCEL_RESULT, 'results')]),
  'resultnotification-message': element('resultnotification-message', [
    PUSH_ID, ...SENDER, time('received-time', 'receivedTime'), EVENT_TIME, STATE, CODE, DESC,
  ], [one(ADDRESS, 'address'), optional(QUALITY, 'qualityOfService')]),
  'resultnotification-response': element('resultnotification-response', [PUSH_ID, CODE, DESC], [one(ADDRESS, 'address')]),
  'statusquery-message': element('statusquery-message', [PUSH_ID], [any(ADDRESS, 'addresses')]),
  'statusquery-response': element('statusquery-response', [PUSH_ID], [some(STATUS_RESULT, 'results')]),
  'ccq-message': element('ccq-message', [text('query-id', 'queryId'), text('app-id', 'appId')], [one(ADDRESS, 'address')]),
  'ccq-response': element('ccq-response', [text('query-id', 'queryId'), CODE, DESC], [one(ADDRESS, 'address')]),
  'badmessage-response': element('badmessage-response', [CODE, DESC, text('bad-message-fragment', 'badMessageFragment')]),
}

const ROWS_BY_NAME: ReadonlyMap<string, ElementRow> = new Map(Object.entries(MESSAGES))

/** The row of a message element; undefined for a name that is none. */
export function messageRow(name: string): ElementRow | undefined {
  return ROWS_BY_NAME.get(name)
}
