/**
 * What the rows of a push hold, as octets and back: a version octet, fixed numbers, then all texts in one block
 * separated by NUL (which neither XML nor a header line can hold), then the content or its reference. A reader meets only rows this
 * project wrote; an unknown version is an error for the operator, never a guess. Knows rows, not what is done with them.
 */
import { assert } from '../kit/assert.js'
import type { WallMillis } from '../kit/time.js'
import { isInline, type Content, type ContentFile } from './content.js'
import type { Sequence } from './keys.js'

/** Raised by one whenever the layout of any row changes, but for what is only added behind its end. */
export const RECORD_VERSION = 2

export const MESSAGE_STATES = ['rejected', 'pending', 'delivered', 'undeliverable', 'expired', 'aborted', 'timeout', 'cancelled', 'unknown'] as const
export type MessageState = (typeof MESSAGE_STATES)[number]

/** Lower is more urgent. */
export const PRIORITIES = ['high', 'medium', 'low'] as const
export type Priority = (typeof PRIORITIES)[number]

export const DELIVERY_METHODS = ['notspecified', 'confirmed', 'preferconfirmed', 'unconfirmed'] as const
export type DeliveryMethod = (typeof DELIVERY_METHODS)[number]

/** The ways to deliver (core/push/bindings/binding.ts). */
export const BINDING_NAMES = ['message', 'session', 'event', 'indirection'] as const
export type BindingName = (typeof BINDING_NAMES)[number]

export interface Recipient {
  /** The address-value as the initiator wrote it; every message about this recipient repeats it (WAP-249 section 6). */
  readonly literal: string
  /** The Request-URI it was mapped to. */
  readonly uri: string
}

export interface ContentHeader {
  readonly name: string
  readonly value: string
}

/** Everything that is needed to deliver a submission and to report on it, after any restart. */
export interface SubmissionRecord {
  readonly acceptedAt: WallMillis
  /** Zero when it may go at once. */
  readonly deliverAfter: WallMillis
  /** The end of its lifetime: deliver-before, else the configured default after acceptance. */
  readonly expiresAt: WallMillis
  readonly hasDeliverBefore: boolean
  readonly priority: Priority
  readonly deliveryMethod: DeliveryMethod
  /** The binding its bearer names; `bearerRequired` forbids every other. */
  readonly bearer?: BindingName | undefined
  readonly bearerRequired?: boolean
  /** Whether the submission had a quality-of-service element: notifications repeat it then, and only then. */
  readonly hasQualityOfService: boolean
  /** Whether the initiator stated capabilities it assumes of the device. */
  readonly statesCapabilities: boolean
  /** The form of the submission's PAP version, in which later messages are written (WAP-247 section 9.5). */
  readonly papForm: string
  readonly initiator: string
  readonly pushId: string
  /** Empty when no result notification was asked for. */
  readonly notifyUrl: string
  /** Who provided the content, for the operator (WAP-247 section 8.2); absent where the initiator did not say. */
  readonly sourceReference?: string | undefined
  /** The part of every Call-ID of this submission that nobody can guess. */
  readonly token: string
  readonly applicationId: string
  /** The value of the feature tag that names the application. */
  readonly featureTag: string
  readonly recipients: readonly Recipient[]
  readonly contentType: string
  readonly contentHeaders: readonly ContentHeader[]
  readonly content: Content
}

/** One recipient's final outcome, and all that its result notification says. It never changes. */
export interface FinalRecord {
  readonly state: MessageState
  readonly code: number
  /** How it was delivered; undefined for every state but delivered. */
  readonly confirmed: boolean | undefined
  /** The binding that delivered it; undefined for every state but delivered, and for several devices. */
  readonly binding?: BindingName | undefined
  /** The last final SIP status seen; zero when there was none. */
  readonly sipStatus: number
  readonly acceptedAt: WallMillis
  readonly endedAt: WallMillis
  readonly priority: Priority
  readonly deliveryMethod: DeliveryMethod
  readonly hasQualityOfService: boolean
  /** Whether this was the submission's last recipient: the push-id goes when this row goes. */
  readonly last: boolean
  readonly papForm: string
  readonly initiator: string
  readonly pushId: string
  readonly literal: string
  readonly notifyUrl: string
  readonly desc: string
}

/** The store's own row: every sequence below the bound may have been given out. */
export interface MetaRecord {
  readonly sequenceBound: Sequence
}

/** What the S-CSCF told of one device of a user. Empty texts where it told nothing. */
export interface DeviceRecord {
  readonly instance: string
  readonly publicGruu: string
  readonly temporaryGruu: string
  /** Values of the push application feature tag; undefined when the device registered no feature at all. */
  readonly applications: readonly string[] | undefined
  /** SIP methods it told of, in upper case; absent where it told of none. */
  readonly methods?: readonly string[] | undefined
  /** When its own registration was last heard of; absent when that was never the reason to tell us. */
  readonly registeredAt?: WallMillis | undefined
}

export interface RegistrationRecord {
  readonly registered: boolean
  readonly expiresAt: WallMillis
  /** Undefined when the S-CSCF did not include the device's own REGISTER and its answer. */
  readonly devices: readonly DeviceRecord[] | undefined
}

const NUL = '\0'
/** Stands for "no feature parameter at all"; no tag value can be this. */
const NO_FEATURES = '\x01'
const SUBMISSION_HEAD = 34
/** In the flags octet of a submission. */
const CONTENT_IS_FILE = 8
/** Size (6 octets) and SHA-1 (20) of a content in a file, before its id. */
const REFERENCE_HEAD = 26
const FINAL_HEAD = 21

export function encodeSubmission(record: SubmissionRecord): Buffer {
  let text = record.papForm + NUL + record.initiator + NUL + record.pushId + NUL + record.notifyUrl + NUL + record.token + NUL
    + record.applicationId + NUL + record.featureTag + NUL + record.contentType
  for (const recipient of record.recipients) text += NUL + recipient.literal + NUL + recipient.uri
  for (const header of record.contentHeaders) text += NUL + header.name + NUL + header.value
  if (record.sourceReference !== undefined) text += NUL + record.sourceReference
  const textOctets = Buffer.byteLength(text)
  const { content } = record
  const out = Buffer.allocUnsafe(SUBMISSION_HEAD + textOctets + (isInline(content) ? content.length : REFERENCE_HEAD + content.id.length))
  out[0] = RECORD_VERSION
  out[1] = (record.hasDeliverBefore ? 1 : 0) | (record.hasQualityOfService ? 2 : 0) | (record.statesCapabilities ? 4 : 0) | (isInline(content) ? 0 : CONTENT_IS_FILE)
  if (record.bearer !== undefined) out[1] |= bindingBits(record.bearer) | (record.bearerRequired === true ? BEARER_IS_REQUIRED : 0)
  out[2] = PRIORITIES.indexOf(record.priority)
  out[3] = DELIVERY_METHODS.indexOf(record.deliveryMethod)
  writeWall(out, record.acceptedAt, 4)
  writeWall(out, record.deliverAfter, 10)
  writeWall(out, record.expiresAt, 16)
  out.writeUInt32BE(textOctets, 22)
  out.writeUInt32BE(record.recipients.length, 26)
  out.writeUInt32BE(record.contentHeaders.length, 30)
  out.write(text, SUBMISSION_HEAD)
  if (isInline(content)) content.copy(out, SUBMISSION_HEAD + textOctets)
  else writeReference(out, SUBMISSION_HEAD + textOctets, content)
  return out
}

export function decodeSubmission(row: Buffer): SubmissionRecord {
  checkVersion(row, 'pending push')
  const textEnd = SUBMISSION_HEAD + row.readUInt32BE(22)
  const texts = row.toString('utf8', SUBMISSION_HEAD, textEnd).split(NUL)
  const recipientCount = row.readUInt32BE(26)
  const headerCount = row.readUInt32BE(30)
  const beyond = texts.length - 8 - 2 * (recipientCount + headerCount)
  assert(beyond === 0 || beyond === 1, 'a pending push row does not hold the texts it announces')
  let at = 8
  const recipients: Recipient[] = []
  for (let index = 0; index < recipientCount; index++) recipients.push({ literal: texts[at++]!, uri: texts[at++]! })
  const contentHeaders: ContentHeader[] = []
  for (let index = 0; index < headerCount; index++) contentHeaders.push({ name: texts[at++]!, value: texts[at++]! })
  return {
    acceptedAt: readWall(row, 4),
    deliverAfter: readWall(row, 10),
    expiresAt: readWall(row, 16),
    hasDeliverBefore: (row[1]! & 1) !== 0,
    priority: PRIORITIES[row[2]!]!,
    deliveryMethod: DELIVERY_METHODS[row[3]!]!,
    bearer: bindingOf(row[1]!),
    bearerRequired: (row[1]! & BEARER_IS_REQUIRED) !== 0,
    hasQualityOfService: (row[1]! & 2) !== 0,
    statesCapabilities: (row[1]! & 4) !== 0,
    papForm: texts[0]!,
    initiator: texts[1]!,
    pushId: texts[2]!,
    notifyUrl: texts[3]!,
    sourceReference: beyond === 1 ? texts[texts.length - 1] : undefined,
    token: texts[4]!,
    applicationId: texts[5]!,
    featureTag: texts[6]!,
    contentType: texts[7]!,
    recipients,
    contentHeaders,
    content: (row[1]! & CONTENT_IS_FILE) === 0 ? row.subarray(textEnd) : readReference(row, textEnd),
  }
}

function writeReference(out: Buffer, at: number, file: ContentFile): void {
  out.writeUIntBE(file.size, at, 6)
  out.write(file.sha1, at + 6, 'hex')
  out.write(file.id, at + REFERENCE_HEAD, 'latin1')
}

function readReference(row: Buffer, at: number): ContentFile {
  return { size: row.readUIntBE(at, 6), sha1: row.toString('hex', at + 6, at + REFERENCE_HEAD), id: row.toString('latin1', at + REFERENCE_HEAD) }
}

export function encodeFinal(record: FinalRecord): Buffer {
  const text = record.papForm + NUL + record.initiator + NUL + record.pushId + NUL + record.literal + NUL + record.notifyUrl + NUL
    + record.desc
  const out = Buffer.allocUnsafe(FINAL_HEAD + Buffer.byteLength(text))
  out[0] = RECORD_VERSION
  out[1] = (record.last ? 1 : 0) | (record.hasQualityOfService ? 2 : 0) | (record.confirmed === undefined ? 0 : record.confirmed ? 12 : 4)
    | (record.binding === undefined ? 0 : bindingBits(record.binding))
  out[2] = PRIORITIES.indexOf(record.priority)
  out[3] = DELIVERY_METHODS.indexOf(record.deliveryMethod)
  writeWall(out, record.acceptedAt, 4)
  writeWall(out, record.endedAt, 10)
  out.writeUInt16BE(record.code, 16)
  out.writeUInt16BE(record.sipStatus, 18)
  out[20] = MESSAGE_STATES.indexOf(record.state)
  out.write(text, FINAL_HEAD)
  return out
}

export function decodeFinal(row: Buffer): FinalRecord {
  checkVersion(row, 'outcome')
  const texts = row.toString('utf8', FINAL_HEAD).split(NUL)
  assert(texts.length === 6, 'an outcome row does not hold its texts')
  const flags = row[1]!
  return {
    state: MESSAGE_STATES[row[20]!]!,
    code: row.readUInt16BE(16),
    confirmed: (flags & 4) === 0 ? undefined : (flags & 8) !== 0,
    binding: bindingOf(flags),
    sipStatus: row.readUInt16BE(18),
    acceptedAt: readWall(row, 4),
    endedAt: readWall(row, 10),
    priority: PRIORITIES[row[2]!]!,
    deliveryMethod: DELIVERY_METHODS[row[3]!]!,
    hasQualityOfService: (flags & 2) !== 0,
    last: (flags & 1) !== 0,
    papForm: texts[0]!,
    initiator: texts[1]!,
    pushId: texts[2]!,
    literal: texts[3]!,
    notifyUrl: texts[4]!,
    desc: texts[5]!,
  }
}

export function encodeMeta(record: MetaRecord): Buffer {
  const out = Buffer.allocUnsafe(9)
  out[0] = RECORD_VERSION
  out.writeDoubleBE(record.sequenceBound, 1)
  return out
}

export function decodeMeta(row: Buffer): MetaRecord {
  checkVersion(row, 'store')
  return { sequenceBound: row.readDoubleBE(1) }
}

export function encodeRegistration(record: RegistrationRecord): Buffer {
  let text = ''
  for (const device of record.devices ?? []) {
    text += device.instance + NUL + device.publicGruu + NUL + device.temporaryGruu + NUL + (device.applications === undefined ? NO_FEATURES : device.applications.join(' ')) + NUL
      + (device.methods?.join(' ') ?? '') + NUL + (device.registeredAt ?? '') + NUL
  }
  const out = Buffer.allocUnsafe(8 + Buffer.byteLength(text))
  out[0] = RECORD_VERSION
  out[1] = (record.registered ? 1 : 0) | (record.devices === undefined ? 0 : 2)
  writeWall(out, record.expiresAt, 2)
  out.write(text, 8)
  return out
}

export function decodeRegistration(row: Buffer): RegistrationRecord {
  checkVersion(row, 'registration')
  const texts = row.toString('utf8', 8).split(NUL)
  const devices: DeviceRecord[] = []
  for (let at = 0; at + 6 < texts.length; at += 6) {
    const applications = texts[at + 3]!
    const methods = texts[at + 4]!
    const registeredAt = texts[at + 5]!
    devices.push({
      instance: texts[at]!,
      publicGruu: texts[at + 1]!,
      temporaryGruu: texts[at + 2]!,
      applications: applications === NO_FEATURES ? undefined : applications === '' ? [] : applications.split(' '),
      methods: methods === '' ? undefined : methods.split(' '),
      registeredAt: registeredAt === '' ? undefined : Number(registeredAt),
    })
  }
  return { registered: (row[1]! & 1) !== 0, expiresAt: readWall(row, 2), devices: (row[1]! & 2) === 0 ? undefined : devices }
}

/** A row without content that only says "here is one" (unacknowledged notification, content file). */
export const MARK = Buffer.from([RECORD_VERSION])

export function checkVersion(row: Buffer, what: string): void {
  if (row[0] === RECORD_VERSION) return
  throw new Error(`the store holds a ${what} row of version ${row[0] ?? 'none'}; this gateway reads version ${RECORD_VERSION}: start it with the store it wrote, or an empty one`)
}

/** In the flags octet of a submission. */
const BEARER_IS_REQUIRED = 128
/** In the flags octet of a submission and of an outcome: which binding, from 1 on; 0 for none. */
const BINDING_SHIFT = 4

function bindingBits(name: BindingName): number {
  return (BINDING_NAMES.indexOf(name) + 1) << BINDING_SHIFT
}

function bindingOf(flags: number): BindingName | undefined {
  return BINDING_NAMES[((flags >> BINDING_SHIFT) & 7) - 1]
}

/** Six octets, enough for every wall clock; `Infinity` is not stored. */
function writeWall(out: Buffer, wall: WallMillis, at: number): void {
  out.writeUIntBE(wall, at, 6)
}

function readWall(row: Buffer, at: number): WallMillis {
  return row.readUIntBE(at, 6)
}
