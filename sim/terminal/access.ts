/**
 * How each subscriber of a population reaches the network: where he roams, over whose connection, and by which
 * authentication, all computed from the seed whenever asked. The core takes credentials and policy from here, the fleet
 * its ways, so both agree without talking. Knows shares and numbers, no SIP.
 */
import { SeededEntropy } from '../../core/kit/entropy.js'
import type { UsimKeys } from '../../core/sip/milenage.js'

export interface AccessSettings {
  /** Visited networks by name (P-Visited-Network-ID), and the share of all subscribers that is there, 0 to 1, together at most 1. */
  readonly roaming: Readonly<Record<string, number>>
  /** Share of the subscribers whose home network does not let them roam. */
  readonly roamingBarred: number
  /** Share of the devices that register by RFC 5626: over streams with a connection of their own. */
  readonly ownConnections: number
  /** Share of the subscribers with a USIM, who are authenticated by AKA. */
  readonly aka: number
  /** Share of those whose USIM is ahead of the network at first, so that they resynchronise. */
  readonly outOfStep: number
}

export const PLAIN_ACCESS: AccessSettings = Object.freeze({ roaming: {}, roamingBarred: 0, ownConnections: 0, aka: 0, outOfStep: 0 })

/** SEQ of a USIM that is ahead, as milliseconds since 1970: the year 2100, which the 43 bits still hold. */
const SEQ_AHEAD = 4_102_444_800_000

export class AccessPlan {
  private readonly networks: readonly (readonly [name: string, share: number])[]

  /** @param guestsFrom subscribers from this number on are in nobody's plan: they stay at home, on shared connections, with a password */
  constructor(private readonly seed: number, private readonly settings: AccessSettings, private readonly guestsFrom: number) {
    this.networks = Object.entries(settings.roaming)
    if (this.networks.reduce((sum, [, share]) => sum + share, 0) > 1 + 1e-9) throw new RangeError('the shares of roaming subscribers add up to more than all of them')
  }

  /** The visited network a subscriber is in; undefined at home. */
  networkOf(subscriber: number): string | undefined {
    if (this.networks.length === 0) return undefined
    let unit = this.unit('roaming', subscriber)
    for (const [name, share] of this.networks) {
      if (unit < share) return name
      unit -= share
    }
    return undefined
  }

  /** The networks this subscriber may not register from; undefined when he may roam. */
  barredNetworks(subscriber: number): readonly string[] | undefined {
    return this.has('roamingBarred', subscriber) ? this.networks.map(([name]) => name.toLowerCase()) : undefined
  }

  hasOwnConnection(subscriber: number, ordinal: number): boolean {
    return this.has('ownConnections', subscriber, ordinal)
  }

  /** Undefined for who has a password. */
  usim(subscriber: number): UsimKeys | undefined {
    if (!this.has('aka', subscriber)) return undefined
    const entropy = new SeededEntropy(this.seed, `usim/${subscriber}`)
    return { k: entropy.bytes(16), opc: entropy.bytes(16) }
  }

  /** The highest number this subscriber's USIM has seen at first. */
  usimBegins(subscriber: number): number {
    return this.has('outOfStep', subscriber) ? SEQ_AHEAD * 32 : 0
  }

  private has(name: Exclude<keyof AccessSettings, 'roaming'>, subscriber: number, ordinal = 0): boolean {
    const share = this.settings[name]
    return share > 0 && this.unit(name, subscriber, ordinal) < share
  }

  /** Each question is drawn apart, so that one share changes no other. */
  private unit(name: string, subscriber: number, ordinal = 0): number {
    return subscriber >= this.guestsFrom ? 1 : new SeededEntropy(this.seed, `access/${name}/${subscriber}/${ordinal}`).unit()
  }
}
