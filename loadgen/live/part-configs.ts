/**
 * What each part is started with, from the scenario: who lives in the network, where the nodes are, which requests the
 * core network hands to the gateway. Knows the parts' configurations, not what they do with them.
 */
import type { GatewayConfigWritten } from '../../core/live/config.js'
import type { ImsConfigEncoded } from '../../sim/live/ims-config.js'
import { PopulationConfig, populationOf } from '../../sim/live/population-config.js'
import type { TerminalsConfigEncoded } from '../../sim/live/terminals-config.js'
import { formatDuration } from '../../core/live/units.js'
import { userAddress } from '../../core/pap/addresses.js'
import { Schema } from 'effect'
import { LATE_MICROS, MISBEHAVIOURS, type Misbehaviour } from '../misbehaviour.js'
import type { Scenario } from '../scenario.js'
import type { AddressPool, Recipients } from '../traffic.js'

type PopulationWritten = typeof PopulationConfig.Encoded
export type Population = ReturnType<typeof populationOf>

/** The PPG specifier in every address. */
export const PPG_DOMAIN = 'ppg.pushbench.example'
export const HOME_DOMAIN = 'home1.example'
/** The gateway's public service identity. */
const PUSH_SERVICE = `sip:push@${HOME_DOMAIN}`
const LOOPBACK = '127.0.0.1'
const LOOPBACK_NETWORK = '127.0.0.0/8'
const ANSWER_SIGMA = 0.5

/** `host:port` by name, as a part tells it. */
export type Addresses = Readonly<Record<string, string>>

export interface HostPort {
  readonly address: string
  readonly port: number
}

export function populationConfigOf({ population, push, seed, terminals }: Scenario): PopulationWritten {
  const application = push.application.slice(push.application.lastIndexOf(':') + 1).toLowerCase()
  const other = application === 'mms.ua' ? 'wml.ua' : 'mms.ua'
  const { returning } = population
  // Evenly: no device stays away for ever. Exponentially: how long it was away says nothing of how long it will be.
  const about = (meanMicros: number) => (returning.times === 'exponential'
    ? { type: 'exponential', meanMicros } as const
    : { type: 'uniform', fromMicros: Math.round(meanMicros / 2), toMicros: Math.round(meanMicros * 1.5) } as const)
  return {
    subscribers: population.subscribers,
    identity: { domain: HOME_DOMAIN, privateIdentity: `user######@${HOME_DOMAIN}` },
    seed,
    devicesPerSubscriber: population.devicesPerSubscriber,
    applicationSets: [{ applications: [application], weight: 0.5 }, { applications: [application, other], weight: 0.5 }],
    shares: { returning: population.returning.share, absent: population.absent },
    returning: { on: about(population.returning.on), off: about(population.returning.off), silentShare: 0, offAtStartShare: population.returning.off / Math.max(1, population.returning.on + population.returning.off) },
    ...(population.messageOnly === 0 ? {} : { capabilities: kindsOf(population.messageOnly) }),
    misbehaving: population.misbehaving,
    lateMicros: LATE_MICROS,
    answerDelay: population.answerDelay === 0 ? { type: 'constant', micros: 0 } : { type: 'lognormal', medianMicros: population.answerDelay, sigma: ANSWER_SIGMA },
    events: { share: population.subscribing, server: PUSH_SERVICE },
    access: { roaming: population.roaming, ownConnections: terminals.ownConnections, aka: population.aka },
    referenceTerminals: terminals.reference,
  }
}

/** Devices that take everything, and those that take MESSAGE only. */
function kindsOf(messageOnly: number): NonNullable<PopulationWritten['capabilities']> {
  const plain = { bindings: [], weight: messageOnly }
  return messageOnly === 1 ? [plain] : [{ weight: 1 - messageOnly }, plain]
}

export function populationFor(scenario: Scenario): Population {
  return populationOf(Schema.decodeSync(PopulationConfig)(populationConfigOf(scenario)))
}

/**
 * @param sip where the gateway listens for the core network; the IMS was told the same
 * @param core where the core network's nodes are, by name
 * @param capture the pcap file; undefined for none
 */
export function gatewayConfigOf({ gateway, tls }: Scenario, sip: HostPort, core: Addresses, store: string, capture: string | undefined): GatewayConfigWritten {
  const at = `${sip.address}:${sip.port}`
  const entry = core[gateway.transport === 'tls' ? 'icscfTls' : 'icscf']!
  return {
    // Port 0: whichever is free.
    pap: { listen: `${LOOPBACK}:0` },
    sip: {
      ...(gateway.transport === 'tls' ? { listen: `${LOOPBACK}:0`, listenTls: at, tls: tls! } : { listen: at }),
      identity: PUSH_SERVICE, nextHops: [`${gateway.transport}:${entry}`],
    },
    addresses: { served: [PPG_DOMAIN], sipDomains: [HOME_DOMAIN], rules: [] },
    store,
    ...(capture === undefined ? {} : { capture }),
    limits: { inFlight: gateway.inFlightMax },
    selection: { devices: gateway.devices, segment: `${gateway.segment}B` },
    registrations: gateway.registrations,
    // The initiators of a run listen within this host.
    notifications: { inside: [LOOPBACK_NETWORK] },
    content: { listen: `${LOOPBACK}:0` },
    msrp: { keep: formatDuration(gateway.sessionKeep), ...(tls === undefined ? {} : { tls: { certificate: tls.certificate, key: tls.key } }) },
  }
}

/** @param gateway where the gateway takes third-party REGISTERs */
export function imsConfigOf(scenario: Scenario, gateway: HostPort): ImsConfigEncoded {
  const back = scenario.gateway.transport === 'tls' ? 'tls' : 'tcp'
  const pcscf = scenario.terminals.flows === 1 ? [0] as const : [0, 0] as const
  return {
    mode: scenario.ims.mode,
    address: LOOPBACK,
    ...(scenario.tls === undefined ? {} : { tls: scenario.tls }),
    coreTransport: scenario.ims.transport,
    ports: { pcscf },
    access: { timers: scenario.ims.timers },
    visited: Object.keys(scenario.population.roaming).map((id) => ({ id, ports: { pcscf }, access: { timers: scenario.ims.timers } })),
    ...(scenario.ims.capacity === 0 ? {} : { limits: { capacityPerSecond: scenario.ims.capacity } }),
    // RFC 8760 section 2.3: one challenge each, the preferred one first; the reference terminals know MD5 only.
    digest: { algorithms: scenario.ims.digest === 'MD5' ? ['MD5'] : ['SHA-256', 'MD5'] },
    // TS 24.229 section 5.4.1.7: the S-CSCF registers the user with the application server, the gateway.
    filterCriteria: scenario.gateway.registrations === 'reg-event' ? [] : [{
      priority: 0,
      groups: [[{ type: 'method', method: 'REGISTER' }]],
      server: { uri: `sip:${gateway.address}:${gateway.port};transport=${back}`, hop: { transport: back, ...gateway }, defaultHandling: 'continue', includeRegisterRequest: true, includeRegisterResponse: true },
    }],
    // Terminals subscribe to pushes at the gateway's own identity.
    regEvent: { watchers: [PUSH_SERVICE] },
    services: { [PUSH_SERVICE]: { transport: back, ...gateway } },
    population: populationConfigOf(scenario),
  }
}

/** @param core where the core network's nodes are, by name */
export function terminalsConfigOf(scenario: Scenario, core: Addresses): TerminalsConfigEncoded {
  const { transport, workers, flows } = scenario.terminals
  const node = transport === 'tls' ? 'pcscfTls' : 'pcscf'
  // Two connections to one place where there is no second one.
  const proxies = (network: string) => {
    const second = flows === 1 || transport === 'tls' ? undefined : core[`pcscf2${network}`]
    return { proxy: hostPort(core[node + network]!), ...(second === undefined ? {} : { furtherProxy: hostPort(second) }) }
  }
  return {
    ...proxies(''), transport, workers, flows, timers: scenario.ims.timers,
    ...(scenario.tls === undefined ? {} : { tls: scenario.tls }),
    visited: Object.keys(scenario.population.roaming).map((id) => ({ id, ...proxies(`.${id}`) })),
    population: populationConfigOf(scenario),
  }
}

/** Addresses with the subscribers they belong to. */
export interface SubscriberPool extends AddressPool {
  subscriber(index: number): number
}

/** The pools the traffic set aims at, as PAP addresses. */
export function recipientsOf(population: Population): Readonly<Record<keyof Recipients, SubscriberPool>> {
  const single = population.range('always-online')
  const panel = population.range('reference')
  const several = population.range('multi-device')
  const singles = single.to - single.from
  return {
    online: usersOf(population, singles + panel.to - panel.from, (index) => (index < singles ? single.from + index : panel.from + index - singles)),
    fanOut: usersOf(population, several.to - several.from, (index) => several.from + index),
    // The first two devices of each subscriber with several.
    gruu: {
      size: 2 * (several.to - several.from), address: (index) => user(population.publicGruu(several.from + (index >> 1), index & 1)),
      subscriber: (index) => several.from + (index >> 1),
    },
    offlineReturns: poolOf(population, 'returning'),
    expires: poolOf(population, 'absent'),
    anyone: usersOf(population, population.size, (index) => index),
    misbehaving: poolOf(population, 'misbehaving'),
  }
}

/** How each bad peer misbehaves, by its PAP address. */
export function badPeersOf(population: Population): ReadonlyMap<string, Misbehaviour> {
  const peers = new Map<string, Misbehaviour>()
  for (const how of MISBEHAVIOURS) {
    const { from, to } = population.misbehaving(how)
    for (let index = from; index < to; index++) peers.set(user(population.impu(index)), how)
  }
  return peers
}

function poolOf(population: Population, name: 'returning' | 'absent' | 'misbehaving'): SubscriberPool {
  const { from, to } = population.range(name)
  return usersOf(population, to - from, (index) => from + index)
}

function usersOf(population: Population, size: number, subscriber: (index: number) => number): SubscriberPool {
  return { size, subscriber, address: (index) => user(population.impu(subscriber(index))) }
}

function user(identity: string): string {
  return userAddress(identity, PPG_DOMAIN)
}

/** `127.0.0.1:5060` as the parts say where they listen. */
export function hostPort(text: string): HostPort {
  const colon = text.lastIndexOf(':')
  return { address: text.slice(0, colon), port: Number(text.slice(colon + 1)) }
}
