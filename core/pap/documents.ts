/**
 * The messages of PAP as values (WAP-247 section 8). Attributes with a default are always present, optional ones may
 * be undefined; instants are wall-clock milliseconds. How they look as XML is model.ts' business.
 */
import type { WallMillis } from '../kit/time.js'

export const MESSAGE_STATES = [
  'rejected', 'pending', 'delivered', 'undeliverable', 'expired', 'aborted', 'timeout', 'cancelled', 'unknown',
] as const
export type MessageState = (typeof MESSAGE_STATES)[number]

export const DELIVERY_METHODS = ['confirmed', 'preferconfirmed', 'unconfirmed', 'notspecified'] as const
export type DeliveryMethod = (typeof DELIVERY_METHODS)[number]

export const PRIORITIES = ['high', 'medium', 'low'] as const
export type Priority = (typeof PRIORITIES)[number]

export const REPLACE_METHODS = ['all', 'pending-only'] as const
export type ReplaceMethod = (typeof REPLACE_METHODS)[number]

/** Section 8.2.2. `network` and `bearer` are compared without regard to case. */
export interface QualityOfService {
  readonly priority: Priority
  readonly deliveryMethod: DeliveryMethod
  readonly network?: string | undefined
  readonly networkRequired: boolean
  readonly bearer?: string | undefined
  readonly bearerRequired: boolean
}

/** Section 8.2: an initiator submits content for the addresses. `addresses` are the literals as written, at least one. */
export interface PushMessage {
  readonly type: 'push-message'
  readonly pushId: string
  readonly replacePushId?: string | undefined
  readonly replaceMethod: ReplaceMethod
  readonly deliverBefore?: WallMillis | undefined
  readonly deliverAfter?: WallMillis | undefined
  readonly sourceReference?: string | undefined
  /** Where result notifications go; undefined when none is wanted. */
  readonly notifyRequestedTo?: string | undefined
  readonly progressNotesRequested: boolean
  readonly addresses: readonly string[]
  readonly qualityOfService?: QualityOfService | undefined
}

export interface ProgressNote {
  readonly stage: string
  readonly note?: string | undefined
  readonly time?: WallMillis | undefined
}

export interface Result {
  readonly code: number
  readonly desc?: string | undefined
}

/** Section 8.3: the one answer to a push-message. */
export interface PushResponse {
  readonly type: 'push-response'
  readonly pushId: string
  /** The URL the message was posted to. */
  readonly senderAddress?: string | undefined
  readonly senderName?: string | undefined
  readonly replyTime?: WallMillis | undefined
  readonly progressNotes: readonly ProgressNote[]
  readonly result: Result
}

/** Section 8.4. No address means every recipient. */
export interface CancelMessage {
  readonly type: 'cancel-message'
  readonly pushId: string
  readonly addresses: readonly string[]
}

export interface CancelResult extends Result {
  readonly addresses: readonly string[]
}

/** Section 8.5. */
export interface CancelResponse {
  readonly type: 'cancel-response'
  readonly pushId: string
  readonly results: readonly CancelResult[]
}

/** Section 8.6: the final outcome for one recipient. `address` is the literal of the submission. */
export interface ResultNotification {
  readonly type: 'resultnotification-message'
  readonly pushId: string
  readonly senderAddress?: string | undefined
  readonly senderName?: string | undefined
  readonly receivedTime?: WallMillis | undefined
  readonly eventTime?: WallMillis | undefined
  readonly messageState: MessageState
  readonly code: number
  readonly desc?: string | undefined
  readonly address: string
  readonly qualityOfService?: QualityOfService | undefined
}

/** Section 8.7. */
export interface ResultNotificationResponse {
  readonly type: 'resultnotification-response'
  readonly pushId: string
  readonly code: number
  readonly desc?: string | undefined
  readonly address: string
}

/** Section 8.8. No address means every recipient. */
export interface StatusQuery {
  readonly type: 'statusquery-message'
  readonly pushId: string
  readonly addresses: readonly string[]
}

export interface StatusQueryResult {
  readonly eventTime?: WallMillis | undefined
  readonly messageState: MessageState
  readonly code: number
  readonly desc?: string | undefined
  readonly addresses: readonly string[]
  readonly qualityOfService?: QualityOfService | undefined
}

/** Section 8.9. */
export interface StatusQueryResponse {
  readonly type: 'statusquery-response'
  readonly pushId: string
  readonly results: readonly StatusQueryResult[]
}

/** Section 8.10. */
export interface CapabilitiesQuery {
  readonly type: 'ccq-message'
  readonly queryId?: string | undefined
  readonly appId?: string | undefined
  readonly address: string
}

/** Section 8.11, the control entity alone. */
export interface CapabilitiesResponse {
  readonly type: 'ccq-response'
  readonly queryId?: string | undefined
  readonly code: number
  readonly desc?: string | undefined
  readonly address: string
}

/** Section 8.12: the message could not be recognised, or its version is not supported. */
export interface BadMessageResponse {
  readonly type: 'badmessage-response'
  readonly code: number
  readonly desc?: string | undefined
  readonly badMessageFragment?: string | undefined
}

export type PapMessage =
  | PushMessage | PushResponse
  | CancelMessage | CancelResponse
  | ResultNotification | ResultNotificationResponse
  | StatusQuery | StatusQueryResponse
  | CapabilitiesQuery | CapabilitiesResponse
  | BadMessageResponse

/** Section 8.2.2's defaults. */
export const DEFAULT_QUALITY: QualityOfService = {
  priority: 'medium', deliveryMethod: 'notspecified', networkRequired: false, bearerRequired: false,
}

/** A push-message with the defaults of section 8.2 where `fields` says nothing. */
export function pushMessage(fields: Partial<PushMessage> & Pick<PushMessage, 'pushId' | 'addresses'>): PushMessage {
  return { replaceMethod: 'all', progressNotesRequested: false, ...fields, type: 'push-message' }
}
