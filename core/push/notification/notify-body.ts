/** The resultnotification-message of one final outcome (WAP-247 section 8.6), as a value and as XML. Knows the document, not when it goes. */
import { codeName } from '../../pap/codes.js'
import type { QualityOfService, ResultNotification } from '../../pap/documents.js'
import { encodePap } from '../../pap/encode.js'
import type { PapForm } from '../../pap/versions.js'
import type { BindingName, FinalRecord } from '../../store/records.js'
import type { GatewaySettings } from '../settings.js'

type Sender = Pick<GatewaySettings, 'senderAddress' | 'senderName'>

export function notificationBody(record: FinalRecord, settings: Sender): string {
  return encodePap(notificationOf(record, settings), record.papForm as PapForm)
}

export function notificationOf(record: FinalRecord, settings: Sender): ResultNotification {
  return {
    type: 'resultnotification-message',
    pushId: record.pushId,
    senderAddress: settings.senderAddress,
    senderName: settings.senderName,
    receivedTime: record.acceptedAt,
    eventTime: record.endedAt,
    messageState: record.state,
    code: record.code,
    desc: record.desc === '' ? codeName(record.code) : record.desc,
    address: record.literal,
    qualityOfService: record.hasQualityOfService ? qualityUsed(record) : undefined,
  }
}

/** For a submission that had it; after success method, network and bearer are those used (sections 5.2, 8.6 and 8.9.1). */
export function qualityUsed(record: FinalRecord): QualityOfService {
  const used = record.confirmed === undefined ? record.deliveryMethod : record.confirmed ? 'confirmed' as const : 'unconfirmed' as const
  const way = record.binding === undefined ? {} : { network: 'IMS', bearer: BEARERS[record.binding] }
  return { priority: record.priority, deliveryMethod: used, ...way, networkRequired: false, bearerRequired: false }
}

/** As an initiator may ask for them. */
const BEARERS: Readonly<Record<BindingName, string>> = { message: 'SIP-MESSAGE', session: 'SIP-MSRP', event: 'SIP-NOTIFY', indirection: 'SIP-INDIRECT' }
