/**
 * What the IMS part is started with: nodes and ports, registration and digest rules, filter criteria, and the population
 * that stands in for HSS data. One schema with a default for every key; sim/ims/settings.ts says what the values mean.
 */
import { Schema } from 'effect'
import type { Endpoint } from '../../core/kit/network.js'
import { TlsConfig } from '../../core/live/tls.js'
import { RADIO_TIMERS, type ImsSettings, type PcscfSettings } from '../ims/settings.js'
import { PopulationConfig } from './population-config.js'

const Seconds = Schema.Int.pipe(Schema.between(1, 2 ** 31 - 1)).annotations({ description: 'seconds' })
const Count = Schema.Int.pipe(Schema.positive())
/** 0 asks for any free port. */
const ListenPort = Schema.Int.pipe(Schema.between(0, 65_535))
const Port = Schema.Int.pipe(Schema.between(1, 65_535))
const HostName = Schema.String.pipe(Schema.pattern(/^[A-Za-z0-9.-]+$/, { message: () => 'write a host or domain name' }))

function withDefault<A, I>(schema: Schema.Schema<A, I>, value: A) {
  return Schema.optionalWith(schema, { default: () => value })
}

/** A struct whose keys all have defaults, and which may itself be left out. */
function section<A, I>(schema: Schema.Schema<A, I>) {
  return Schema.optionalWith(schema, { default: () => Schema.decodeUnknownSync(schema)({}) })
}

/** What each node listens on. The TLS ports count where `tls` is configured. */
const Ports = Schema.Struct({
  /** Terminals register here; the first is the P-CSCF's own port, UDP and TCP. */
  pcscf: withDefault(Schema.NonEmptyArray(ListenPort), [0] as const),
  /** The P-CSCF's side towards the core, split mode only. */
  core: withDefault(ListenPort, 0),
  icscf: withDefault(ListenPort, 0),
  scscf: withDefault(ListenPort, 0),
  pcscfTls: withDefault(ListenPort, 0),
  icscfTls: withDefault(ListenPort, 0),
  scscfTls: withDefault(ListenPort, 0),
})

/** How terminals reach a network. On real sockets the way is as it is; only the timers of TS 24.229 table 7.8 make a radio leg of it. */
const Access = Schema.Struct({
  timers: withDefault(Schema.Literal('core', 'radio'), 'core' as const),
  /** What terminals that register by RFC 5626 are told; over UDP no more than 29. */
  flowTimerSeconds: withDefault(Seconds, 120),
})

/** A network that is not the home network, with a P-CSCF of its own. */
const Visited = Schema.Struct({
  /** Its domain name, which is also its P-Visited-Network-ID. */
  id: HostName,
  ports: section(Schema.Struct({ pcscf: withDefault(Schema.NonEmptyArray(ListenPort), [0] as const), pcscfTls: withDefault(ListenPort, 0), core: withDefault(ListenPort, 0) })),
  access: section(Access),
})

const Registration = Schema.Struct({
  expiresDefaultSeconds: withDefault(Seconds, 3_600),
  expiresMinSeconds: withDefault(Seconds, 60),
  expiresMaxSeconds: withDefault(Seconds, 600_000),
  bindingsPerUserMax: withDefault(Count, 16),
})

const Digest = Schema.Struct({
  algorithms: withDefault(Schema.NonEmptyArray(Schema.Literal('MD5', 'SHA-256')), ['SHA-256', 'MD5'] as const),
  nonceLifeSeconds: withDefault(Seconds, 240),
})

const Limits = Schema.Struct({
  unansweredMax: withDefault(Count, 50_000),
  retryAfterSeconds: withDefault(Seconds, 5),
  capacityPerSecond: Schema.optionalWith(Count, { exact: true }),
  maxForwards: withDefault(Schema.Int.pipe(Schema.between(1, 255)), 70),
  timerCSeconds: withDefault(Seconds, 185),
})

const Identity = Schema.String.pipe(Schema.pattern(/^sip:[^@\s;?]+@[A-Za-z0-9.-]+$/, { message: () => 'write a SIP URI without parameters' }))

const RegEvent = Schema.Struct({
  watchers: withDefault(Schema.Array(Identity), []),
  expiresDefaultSeconds: withDefault(Seconds, 3_761),
  expiresMinSeconds: withDefault(Seconds, 60),
  expiresMaxSeconds: withDefault(Seconds, 600_000),
  subscriptionsPerUserMax: withDefault(Count, 8),
  subscriptionsMax: withDefault(Count, 200_000),
})

const Negation = { negated: Schema.optionalWith(Schema.Boolean, { exact: true }) }
const Pattern = Schema.String.pipe(Schema.filter((text) => isPattern(text) || 'write a regular expression'))

const ServicePoint = Schema.Union(
  Schema.Struct({
    ...Negation, type: Schema.Literal('method'), method: Schema.NonEmptyString,
    registrationTypes: Schema.optionalWith(Schema.Array(Schema.Literal('initial', 're-registration', 'de-registration')), { exact: true }),
  }),
  Schema.Struct({ ...Negation, type: Schema.Literal('header'), name: Schema.NonEmptyString, content: Schema.optionalWith(Pattern, { exact: true }) }),
  Schema.Struct({
    ...Negation, type: Schema.Literal('session-case'),
    sessionCase: Schema.Literal('originating-registered', 'terminating-registered', 'terminating-unregistered', 'originating-unregistered'),
  }),
  Schema.Struct({ ...Negation, type: Schema.Literal('request-uri'), pattern: Pattern }),
)

const ServerHop = Schema.Struct({ transport: Schema.Literal('udp', 'tcp', 'tls'), address: Schema.NonEmptyString, port: Port })

const FilterCriterion = Schema.Struct({
  priority: Schema.NonNegativeInt,
  groups: Schema.Array(Schema.Array(ServicePoint)),
  server: Schema.Struct({
    uri: Schema.String.pipe(Schema.pattern(/^sip:\S+$/, { message: () => 'write a SIP URI' })),
    hop: ServerHop,
    defaultHandling: withDefault(Schema.Literal('continue', 'terminate'), 'continue' as const),
    serviceInfo: Schema.optionalWith(Schema.String, { exact: true }),
    includeRegisterRequest: withDefault(Schema.Boolean, true),
    includeRegisterResponse: withDefault(Schema.Boolean, true),
  }),
})

export const ImsConfig = Schema.Struct({
  mode: withDefault(Schema.Literal('collapsed', 'split'), 'collapsed' as const),
  /** Every node listens on this literal address. */
  address: withDefault(Schema.NonEmptyString, '127.0.0.1'),
  ports: section(Ports),
  /** Certificates for every node; without them none listens over TLS. */
  tls: Schema.optionalWith(TlsConfig, { exact: true }),
  /** What split nodes talk to each other over. */
  coreTransport: withDefault(Schema.Literal('tcp', 'tls'), 'tcp' as const),
  access: section(Access),
  visited: withDefault(Schema.Array(Visited), []),
  /** The domain of the population when absent. */
  homeDomain: Schema.optionalWith(HostName, { exact: true }),
  /** What the P-CSCF calls its network; the home domain when absent. */
  visitedNetworkId: Schema.optionalWith(HostName, { exact: true }),
  /** Host names beyond those of the nodes, and where they lead. */
  hosts: withDefault(Schema.Record({ key: Schema.String, value: Schema.Struct({ address: Schema.NonEmptyString, port: Port }) }), {}),
  /** Public service identities and the application server behind each. */
  services: withDefault(Schema.Record({ key: Identity, value: ServerHop }), {}),
  regEvent: section(RegEvent),
  registration: section(Registration),
  digest: section(Digest),
  limits: section(Limits),
  filterCriteria: withDefault(Schema.Array(FilterCriterion), []),
  population: section(PopulationConfig),
})
export type ImsConfig = typeof ImsConfig.Type
/** As it crosses a process boundary, before defaults are filled in. */
export type ImsConfigEncoded = typeof ImsConfig.Encoded

const Checked = ImsConfig.pipe(Schema.filter((config) => {
  if (config.coreTransport === 'tls' && config.tls === undefined) return { path: ['coreTransport'], message: 'TLS between the nodes needs the certificates of `tls`' }
  const names = [config.homeDomain ?? config.population.identity.domain, ...config.visited.map(({ id }) => id)].map((name) => name.toLowerCase())
  return new Set(names).size === names.length || { path: ['visited'], message: 'each network needs a name of its own, and none that of the home network' }
}))

/** Throws a ParseError whose text names the key and what would be right. Unknown keys are errors. */
export const decodeImsConfig: (config: unknown) => ImsConfig = Schema.decodeUnknownSync(Checked, { onExcessProperty: 'error' })

/** Where the nodes really listen, once every port is bound. */
export interface BoundPorts extends BoundPcscf {
  readonly icscf: number
  readonly scscf: number
  readonly icscfTls: number | undefined
  readonly scscfTls: number | undefined
  /** In the order of the configuration. */
  readonly visited: readonly BoundPcscf[]
}

export interface BoundPcscf {
  readonly pcscf: readonly [number, ...number[]]
  /** Undefined without TLS. */
  readonly pcscfTls: number | undefined
  readonly core: number
}

export function imsSettingsOf(config: ImsConfig, ports: BoundPorts): ImsSettings {
  const homeDomain = (config.homeDomain ?? config.population.identity.domain).toLowerCase()
  const at = (port: number): Endpoint => ({ address: config.address, port })
  const tlsAt = (port: number | undefined) => (port === undefined ? {} : { tls: at(port) })
  const pcscf = (domain: string, visitedNetworkId: string, { timers, flowTimerSeconds }: typeof Access.Type, bound: BoundPcscf): PcscfSettings => {
    const [first, ...furtherPorts] = bound.pcscf
    return {
      name: `pcscf.${domain}`, listen: at(first), furtherPorts, ...tlsAt(bound.pcscfTls), core: at(bound.core), visitedNetworkId, flowTimerSeconds,
      ...(timers === 'radio' ? { accessTimers: RADIO_TIMERS } : {}),
    }
  }
  return {
    mode: config.mode,
    homeDomain,
    pcscf: pcscf(homeDomain, config.visitedNetworkId ?? homeDomain, config.access, ports),
    visited: config.visited.map(({ id, access }, index) => pcscf(id.toLowerCase(), id, access, ports.visited[index]!)),
    coreTransport: config.coreTransport,
    icscf: { name: `icscf.${homeDomain}`, listen: at(ports.icscf), ...tlsAt(ports.icscfTls) },
    scscf: { name: `scscf.${homeDomain}`, listen: at(ports.scscf), ...tlsAt(ports.scscfTls) },
    hosts: config.hosts,
    services: config.services,
    regEvent: config.regEvent,
    registration: config.registration,
    digest: config.digest,
    limits: config.limits,
    filterCriteria: config.filterCriteria,
  }
}

function isPattern(text: string): boolean {
  try {
    new RegExp(text)
    return true
  } catch {
    return false
  }
}
