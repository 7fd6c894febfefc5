/**
 * What an operator decides about the ways to deliver: sizes from which a MESSAGE is not enough, what may be used, and which
 * of a user's devices a push to the user is for. Plain data; select.ts reads it.
 */

/**
 * What a push to a user (not to a GRUU) means when several devices have the application: `all` of them must take it, `any` of
 * them suffices (the core network forks), or one after another, the latest registered `first`, until one takes it.
 */
export const DEVICE_POLICIES = ['all', 'any', 'first'] as const
export type DevicesPolicy = (typeof DEVICE_POLICIES)[number]

export interface SelectionSettings {
  /** The largest request (head and content, octets) sent as MESSAGE where the next hop is reached by datagrams (RFC 3428 section 8). */
  readonly messageOctetsMax: number
  /** The largest content sent as MESSAGE where the next hop is reached by streams, or where nothing else is left. */
  readonly messageOctetsStreamMax: number
  /** The largest content taken at all; what is more than a MESSAGE may hold needs a session or a reference. */
  readonly sessionOctetsMax: number
  /** Whether a standing subscription of the device is used before a MESSAGE. */
  readonly preferEvent: boolean
  /** Whether content may be offered by reference (RFC 4483), hosted here. */
  readonly allowIndirection: boolean
  /** Whether a device of which nothing is known is asked (OPTIONS to its GRUU) before something larger than a MESSAGE is sent. */
  readonly askCapabilities: boolean
  /** Content above this goes in pieces of this size to a device that takes neither sessions nor references; 0 never cuts (RFC 2046 section 5.2.2). */
  readonly segmentOctets: number
  readonly devices: DevicesPolicy
  /** By feature tag in lower case (`mms.ua`), where an application differs from `devices`. */
  readonly devicesByApplication: Readonly<Record<string, DevicesPolicy>>
}

export const DEFAULT_SELECTION: SelectionSettings = {
  messageOctetsMax: 1_300,
  messageOctetsStreamMax: 65_536,
  sessionOctetsMax: 100 * 1024 * 1024,
  preferEvent: false,
  allowIndirection: true,
  askCapabilities: true,
  segmentOctets: 0,
  devices: 'any',
  devicesByApplication: {},
}
