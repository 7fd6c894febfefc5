/** What every part of the gateway shares: settings, who it is, who may what, chance, digests, the store, large contents, the way out, the counts. Holds no logic. */
import type { Crypto } from '../kit/crypto.js'
import type { Entropy } from '../kit/entropy.js'
import type { Identity } from '../ota/identity.js'
import type { Rights } from './admission/rights.js'
import type { ContentPort } from './bindings/content-port.js'
import type { GatewayCounters } from './contract.js'
import type { Outbox } from './outbox.js'
import type { GatewaySettings } from './settings.js'
import type { StorePort } from './store-port.js'

export interface GatewayContext {
  readonly settings: GatewaySettings
  readonly identity: Identity
  /** What each initiator may. */
  readonly rights: Rights
  readonly entropy: Entropy
  readonly crypto: Crypto
  readonly store: StorePort
  readonly contents: ContentPort
  readonly out: Outbox
  readonly counters: GatewayCounters
  /** PAP documents leave as values and are not written. */
  readonly unwritten: boolean
}
