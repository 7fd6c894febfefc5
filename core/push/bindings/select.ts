/**
 * The choice of a way to deliver, as one pure function over one table: from what the push asks for, its size and type, what
 * is known of the devices and what the operator allows, to a binding, its fallbacks, and the devices. First matching row
 * wins; docs/selection.md is printed from it. Knows no queue, clock or message.
 */
import type { WallMillis } from '../../kit/time.js'
import { mediaTypeOf } from '../../mime/content-type.js'
import { BINDING_NAMES, bitOf, type BindingName } from './binding.js'
import type { DevicesPolicy, SelectionSettings } from './selection-settings.js'

/** One device as far as it is known: by registration, by OPTIONS. Undefined is unknown, and unknown never speaks against it. */
export interface DeviceKnowledge {
  readonly instance: string
  /** The GRUU it is reached by now; empty when none is known. */
  readonly gruu: string
  /** SIP methods, in upper case. */
  readonly methods: readonly string[] | undefined
  /** Media types and ranges in lower case. */
  readonly mediaTypes: readonly string[] | undefined
  /** The largest content in octets. */
  readonly sizeMax: number | undefined
  /** Push application feature tags in lower case. */
  readonly applications: readonly string[] | undefined
  readonly registeredAt: WallMillis
}

/**
 * What is asked with. Delivery method and priority are not among it: every binding can prove a delivery, and priority orders
 * queues and is told to the device, whatever the binding.
 */
export interface SelectionInput {
  /** The bearer asked for, where it names a binding; `bearerRequired` forbids every other one, and stands only with it. */
  readonly bearer: BindingName | undefined
  readonly bearerRequired: boolean
  /** Octets of content. */
  readonly size: number
  /** As submitted, with parameters. */
  readonly contentType: string
  /** Feature tag in lower case. */
  readonly application: string
  /** Whether the initiator stated capabilities it assumes of the device. */
  readonly statesCapabilities: boolean
  /** Every device the push could go to; empty when none is known. */
  readonly devices: readonly DeviceKnowledge[]
  /** Whether the push names one device by its GRUU. */
  readonly toGruu: boolean
  readonly transportIsStream: boolean
  readonly policy: SelectionSettings
  /** The bindings that are there and can send this now, as bits. */
  readonly available: number
}

export interface Choice {
  readonly binding: BindingName
  /** Tried in this order when a device turns the binding before it down. */
  readonly fallbacks: readonly BindingName[]
  readonly row: number
}

export interface NoChoice {
  /** The code its result carries. */
  readonly refused: number
  readonly why: string
  readonly row: number
}

/** A MESSAGE's head, counted in where the request as a whole must fit into a datagram. */
export const MESSAGE_HEAD_OCTETS = 800

type Condition =
  | 'no device has the application' | 'no device takes the content type' | 'too large for every device' | 'larger than anything taken'
  | 'bearer sip-message' | 'bearer sip-msrp' | 'bearer sip-notify' | 'bearer sip-indirect' | 'bearer required' | 'subscribed' | 'events preferred'
  | 'fits a MESSAGE' | 'some device may take MESSAGE' | 'some device may take INVITE'

const CONDITIONS: Readonly<Record<Condition, (input: SelectionInput) => boolean>> = {
  'no device has the application': (input) => none(input, (device) => device.applications === undefined || device.applications.includes(input.application)),
  'no device takes the content type': (input) => none(input, (device) => takesType(device, input)),
  'too large for every device': (input) => none(input, (device) => device.sizeMax === undefined || device.sizeMax >= input.size),
  'larger than anything taken': (input) => input.size > input.policy.sessionOctetsMax,
  'bearer sip-message': (input) => input.bearer === 'message',
  'bearer sip-msrp': (input) => input.bearer === 'session',
  'bearer sip-notify': (input) => input.bearer === 'event',
  'bearer sip-indirect': (input) => input.bearer === 'indirection',
  'bearer required': (input) => input.bearerRequired,
  subscribed: (input) => (input.available & bitOf('event')) !== 0,
  'events preferred': (input) => input.policy.preferEvent,
  'fits a MESSAGE': fitsMessage,
  'some device may take MESSAGE': (input) => !none(input, (device) => knows(device, 'MESSAGE')),
  'some device may take INVITE': (input) => !none(input, (device) => knows(device, 'INVITE')),
}

export interface SelectionRow {
  readonly when: readonly Condition[]
  /** In order; those that are not there or were turned down are passed over. With none left the next row is asked. */
  readonly then?: readonly BindingName[]
  readonly refused?: 2006 | 3010
  readonly because: string
}

export const SELECTION: readonly SelectionRow[] = [
  { when: ['no device has the application'], refused: 2006, because: 'every registered device told its features, and none named this application' },
  { when: ['no device takes the content type'], refused: 2006, because: 'every device with the application told what it takes, and this is not among it' },
  { when: ['too large for every device'], refused: 2006, because: 'every device told its limit' },
  { when: ['larger than anything taken'], refused: 2006, because: 'the operator’s limit' },
  { when: ['bearer sip-message', 'bearer required'], then: ['message'], because: 'bearer-required leaves no choice (WAP-247 section 8.2.2)' },
  { when: ['bearer sip-msrp', 'bearer required'], then: ['session'], because: 'as above' },
  { when: ['bearer sip-notify', 'bearer required'], then: ['event'], because: 'as above' },
  { when: ['bearer sip-indirect', 'bearer required'], then: ['indirection'], because: 'as above' },
  { when: ['bearer required'], refused: 3010, because: 'the required bearer cannot be had: not there, turned down, or no subscription stands' },
  { when: ['bearer sip-message'], then: ['message', 'session', 'indirection', 'event'], because: 'preferred by the initiator' },
  { when: ['bearer sip-msrp'], then: ['session', 'indirection', 'message'], because: 'preferred by the initiator' },
  { when: ['bearer sip-notify', 'subscribed'], then: ['event', 'message', 'session', 'indirection'], because: 'preferred by the initiator' },
  { when: ['bearer sip-indirect'], then: ['indirection', 'session', 'message'], because: 'preferred by the initiator' },
  { when: ['fits a MESSAGE', 'events preferred', 'subscribed'], then: ['event', 'message', 'session', 'indirection'], because: 'a subscription stands, and the operator prefers it' },
  { when: ['fits a MESSAGE', 'some device may take MESSAGE'], then: ['message', 'session', 'event', 'indirection'], because: 'small: pager mode, one transaction (RFC 3428)' },
  { when: ['fits a MESSAGE', 'some device may take INVITE'], then: ['session', 'event', 'indirection'], because: 'no device told of MESSAGE' },
  { when: ['some device may take INVITE'], then: ['session', 'indirection', 'message'], because: 'large: a session, refused or taken before a byte is sent (RFC 5547)' },
  { when: [], then: ['indirection', 'event', 'message'], because: 'no device told of INVITE: by reference (RFC 4483)' },
  { when: [], refused: 2006, because: 'nothing is left that could carry it' },
]

/** Which binding comes first and which after it; the devices are `devicesFor`'s. */
export function select(input: SelectionInput): Choice | NoChoice {
  for (let index = 0; index < SELECTION.length; index++) {
    const row = SELECTION[index]!
    if (!holds(row, input)) continue
    if (row.then !== undefined) {
      const choice = choiceOf(index, row.then, usable(input))
      if (choice !== undefined) return choice
      continue
    }
    const refused = row.refused === 2006 && input.statesCapabilities ? 2005 : row.refused!
    return { refused, why: row.because, row: index }
  }
  return { refused: 3007, why: 'no way to deliver is left', row: SELECTION.length }
}

const IN_ONE_REQUEST = bitOf('message') | bitOf('event')

/** What is there and may be used: neither MESSAGE nor NOTIFY holds more than the limit of streams. */
function usable({ available, size, policy }: SelectionInput): number {
  const allowed = policy.allowIndirection ? available : available & ~bitOf('indirection')
  return size <= policy.messageOctetsStreamMax ? allowed : allowed & ~IN_ONE_REQUEST
}

function holds(row: SelectionRow, input: SelectionInput): boolean {
  for (const condition of row.when) if (!CONDITIONS[condition](input)) return false
  return true
}

/** Made once for each row and set of bindings: a push costs none. */
const CHOICES = new Map<number, Choice | undefined>()

function choiceOf(row: number, order: readonly BindingName[], available: number): Choice | undefined {
  const key = (row << BINDING_NAMES.length) | available
  if (CHOICES.has(key)) return CHOICES.get(key)
  const [binding, ...fallbacks] = order.filter((name) => (available & bitOf(name)) !== 0)
  const choice = binding === undefined ? undefined : { binding, fallbacks, row }
  CHOICES.set(key, choice)
  return choice
}

/**
 * The devices a push to a user with several is split over: under `all` and `first` (the latest registered first) the GRUUs of
 * those that could take it, when each has one; else undefined, and it goes to the address it was submitted for. One alone is
 * addressed by its GRUU as well: a proxy that knows no caller preferences would fork to the others.
 */
export function devicesFor(input: SelectionInput, policy: DevicesPolicy): readonly string[] | undefined {
  if (policy === 'any' || input.toGruu || input.devices.length < 2) return undefined
  const able = input.devices.filter((device) => couldTake(device, input))
  if (able.length === 0 || able.some((device) => device.gruu === '')) return undefined
  if (policy === 'first') able.sort((a, b) => b.registeredAt - a.registeredAt)
  return able.map((device) => device.gruu)
}

export function policyFor(policy: SelectionSettings, application: string): DevicesPolicy {
  return policy.devicesByApplication[application] ?? policy.devices
}

/** Whether it could take this push at all, by any binding. */
function couldTake(device: DeviceKnowledge, input: SelectionInput): boolean {
  if (device.applications !== undefined && !device.applications.includes(input.application)) return false
  if (device.sizeMax !== undefined && device.sizeMax < input.size) return false
  return takesType(device, input)
}

function takesType(device: DeviceKnowledge, input: SelectionInput): boolean {
  const { mediaTypes } = device
  const type = mediaTypes === undefined ? undefined : mediaTypeOf(input.contentType)
  return mediaTypes === undefined || type === undefined || mediaTypes.some((range) => inRange(type, range))
}

/** A media range as in Accept and accept-types (RFC 3261 section 20.1, RFC 4975 section 8.6). */
function inRange(type: string, range: string): boolean {
  return range === type || range === '*/*' || range === '*' || (range.endsWith('/*') && type.startsWith(range.slice(0, -1)))
}

/** Known not to be so of any device. Of no device at all nothing is known. */
function none(input: SelectionInput, could: (device: DeviceKnowledge) => boolean): boolean {
  const { devices } = input
  if (devices.length === 0) return false
  for (const device of devices) if (could(device)) return false
  return true
}

function knows(device: DeviceKnowledge, method: string): boolean {
  return device.methods === undefined || device.methods.includes(method)
}

/** Whether it is more than pager mode is for, so that it is worth asking a device first. */
export function isLarge(input: SelectionInput): boolean {
  return !fitsMessage(input) || isAboveSegment(input)
}

/** Whether what goes as MESSAGE goes in pieces: it is larger than one, and the devices told that they take neither sessions nor references. */
export function goesInSegments(input: SelectionInput): boolean {
  return isAboveSegment(input) && !couldGo(input, 'session', (device) => knows(device, 'INVITE')) && !couldGo(input, 'indirection', takesReferences)
}

function isAboveSegment({ policy, size }: SelectionInput): boolean {
  return policy.segmentOctets > 0 && size > policy.segmentOctets
}

function couldGo(input: SelectionInput, binding: BindingName, could: (device: DeviceKnowledge) => boolean): boolean {
  return (usable(input) & bitOf(binding)) !== 0 && !none(input, could)
}

function takesReferences({ mediaTypes }: DeviceKnowledge): boolean {
  return mediaTypes === undefined || mediaTypes.some((range) => inRange('message/external-body', range))
}

/** RFC 3428 section 8: over datagrams the request as a whole, head included. */
function fitsMessage(input: SelectionInput): boolean {
  const { policy, size } = input
  return input.transportIsStream ? size <= policy.messageOctetsStreamMax : size + MESSAGE_HEAD_OCTETS <= policy.messageOctetsMax
}
