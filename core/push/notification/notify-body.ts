/** The resultnotification-message of one final outcome (WAP-247 section 8.6). Knows the document, not when it goes. */
import { codeName } from '../../pap/codes.js'
import { encodePap } from '../../pap/encode.js'
import type { PapForm } from '../../pap/versions.js'
import type { BindingName, FinalRecord } from '../../store/records.js'
import type { GatewaySettings } from '../settings.js'

export function notificationBody(record: FinalRecord, settings: Pick<GatewaySettings, 'senderAddress' | 'senderName'>): string {
  return encodePap({
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
  }, record.papForm as PapForm)
}

/** Present iff the submission had it; after success method, network and bearer are those used (sections 5.2 and 8.6). */
function qualityUsed(record: FinalRecord) {
  const used = record.confirmed === undefined ? record.deliveryMethod : record.confirmed ? 'confirmed' as const : 'unconfirmed' as const
  const way = record.binding === undefined ? {} : { network: 'IMS', bearer: BEARERS[record.binding] }
  return { priority: record.priority, deliveryMethod: used, ...way, networkRequired: false, bearerRequired: false }
}

/** As an initiator may ask for them. */
const BEARERS: Readonly<Record<BindingName, string>> = { message: 'SIP-MESSAGE', session: 'SIP-MSRP', event: 'SIP-NOTIFY', indirection: 'SIP-INDIRECT' }
