/**
 * Plain settings of the simulated core: domain, nodes, digest, registration, filter criteria, limits. Values only;
 * where they come from (configuration, a test, the simulated world) and what obeys them is not known here.
 */
import type { Endpoint } from '../../core/kit/network.js'
import type { Hop, SipTimerValues } from '../../core/sip/endpoint-contract.js'
import type { FilterCriterion } from './filter-criteria.js'

export type DigestAlgorithm = 'MD5' | 'SHA-256'

export interface NodeSettings {
  /** The host name in this node's URIs and Via headers. */
  readonly name: string
  /** Where the node listens: its port stands in its Via, and the hops of its neighbours lead here. */
  readonly listen: Endpoint
  /** Where it listens over TLS; absent: nowhere. */
  readonly tls?: Endpoint
}

export interface PcscfSettings extends NodeSettings {
  /** Further ports terminals may use, each a listener of the same node. */
  readonly furtherPorts: readonly number[]
  /** Where the core reaches the P-CSCF in split mode. What comes in here is inside the trust domain (RFC 3325 section 2.3). */
  readonly core: Endpoint
  readonly visitedNetworkId: string
  /** Timers towards terminals (TS 24.229 section 7.7); those of the core when absent. */
  readonly accessTimers?: SipTimerValues
  /** Flow-Timer told to who registers by RFC 5626 (section 10), seconds; a flow silent for longer is given up. Absent: none is told. */
  readonly flowTimerSeconds?: number
}

/** TS 24.229 table 7.8: between the terminal and the P-CSCF a radio network takes its time, four times RFC 3261's. */
export const RADIO_TIMERS: SipTimerValues = Object.freeze({ t1: 2_000_000, t2: 16_000_000, t4: 17_000_000 })

export interface RegistrationSettings {
  /** Used when a REGISTER names no expiry (RFC 3261 section 10.3 step 7), seconds. */
  readonly expiresDefaultSeconds: number
  /** Below this a REGISTER is answered 423, seconds. */
  readonly expiresMinSeconds: number
  /** Longer wishes are shortened to this, seconds. */
  readonly expiresMaxSeconds: number
  readonly bindingsPerUserMax: number
}

export interface DigestSettings {
  /** Offered in this order, one WWW-Authenticate each (RFC 8760 section 2.3). */
  readonly algorithms: readonly DigestAlgorithm[]
  readonly nonceLifeSeconds: number
}

export interface ImsLimits {
  /** Requests without a final response in one node; beyond, a new one is answered 503 with Retry-After. */
  readonly unansweredMax: number
  readonly retryAfterSeconds: number
  /** What the I-CSCF bears of requests that are no REGISTER, a second; beyond, 503, and overload control (RFC 7339) to who understands it. Absent: all it can. */
  readonly capacityPerSecond?: number
  /** Written where a request came without Max-Forwards (RFC 3261 section 16.6 step 3). */
  readonly maxForwards: number
  /** Timer C (RFC 3261 section 16.6 step 11): how long an INVITE may ring without a new provisional response; over three minutes by the RFC. */
  readonly timerCSeconds: number
}

/** The reg event package at the S-CSCF (RFC 3680). */
export interface RegEventSettings {
  /** Identities in P-Asserted-Identity that may watch any user: P-CSCF and application servers. A user may always watch himself. */
  readonly watchers: readonly string[]
  /** Used when a SUBSCRIBE names no expiry, seconds (RFC 3680 section 4.3). */
  readonly expiresDefaultSeconds: number
  /** Below this a SUBSCRIBE is answered 423, seconds. */
  readonly expiresMinSeconds: number
  readonly expiresMaxSeconds: number
  /** Subscriptions to one user, and to all; beyond, 503. */
  readonly subscriptionsPerUserMax: number
  readonly subscriptionsMax: number
}

export interface ImsSettings {
  readonly mode: 'collapsed' | 'split'
  readonly homeDomain: string
  /** The home network's. */
  readonly pcscf: PcscfSettings
  /** Networks in which terminals of the home network are guests, each with a P-CSCF of its own that talks to the same I- and S-CSCF. */
  readonly visited: readonly PcscfSettings[]
  /** What split nodes talk to each other over. With `tls` each needs a place where it listens so; the P-CSCF's is its `core`. */
  readonly coreTransport: 'tcp' | 'tls'
  readonly icscf: NodeSettings
  readonly scscf: NodeSettings
  /** The simulated DNS: further host names and where they lead. Transport is taken from the URI, else UDP (RFC 3263 section 4.1). */
  readonly hosts: Readonly<Record<string, Endpoint>>
  /** Public service identities, SIP URIs, and the application server each leads to. */
  readonly services: Readonly<Record<string, Hop>>
  readonly registration: RegistrationSettings
  readonly digest: DigestSettings
  readonly filterCriteria: readonly FilterCriterion[]
  readonly regEvent: RegEventSettings
  readonly limits: ImsLimits
}

/** What a set-up has when it says nothing: everything collapsed on 127.0.0.1 with the ports given. */
export function defaultImsSettings(homeDomain = 'ims.example', ports = { pcscf: 5060, icscf: 5070, scscf: 5080, core: 5061 }): ImsSettings {
  const at = (port: number): Endpoint => ({ address: '127.0.0.1', port })
  return {
    mode: 'collapsed',
    homeDomain,
    pcscf: { name: `pcscf.${homeDomain}`, listen: at(ports.pcscf), furtherPorts: [], core: at(ports.core), visitedNetworkId: homeDomain },
    visited: [],
    coreTransport: 'tcp',
    icscf: { name: `icscf.${homeDomain}`, listen: at(ports.icscf) },
    scscf: { name: `scscf.${homeDomain}`, listen: at(ports.scscf) },
    hosts: {},
    services: {},
    registration: { expiresDefaultSeconds: 3_600, expiresMinSeconds: 60, expiresMaxSeconds: 600_000, bindingsPerUserMax: 16 },
    digest: { algorithms: ['SHA-256', 'MD5'], nonceLifeSeconds: 240 },
    filterCriteria: [],
    regEvent: {
      watchers: [], expiresDefaultSeconds: 3_761, expiresMinSeconds: 60, expiresMaxSeconds: 600_000, subscriptionsPerUserMax: 8, subscriptionsMax: 200_000,
    },
    limits: { unansweredMax: 50_000, retryAfterSeconds: 5, maxForwards: 70, timerCSeconds: 185 },
  }
}
