/**
 * What the terminals part is started with: where to register, over what, how many threads, which population. The same
 * configuration drives the fleet against the simulated IMS and against anybody's SIP registrar.
 */
import { Schema } from 'effect'
import { TlsConfig } from '../../core/live/tls.js'
import { PopulationConfig } from './population-config.js'

const Port = Schema.Int.pipe(Schema.between(1, 65_535))
const Proxy = Schema.Struct({ address: Schema.NonEmptyString, port: Port })

/** RFC 5626 section 4.5's recommendation for a terminal whose flows have all failed. */
const BACKOFF_DEFAULT = { baseMicros: 30_000_000, maxMicros: 1_800_000_000 }

export const TerminalsConfig = Schema.Struct({
  /** The P-CSCF, or a registrar that is reached directly; a literal address. */
  proxy: Proxy,
  /** Where the second flow of a terminal leads; to `proxy` as well when absent. */
  furtherProxy: Schema.optionalWith(Proxy, { exact: true }),
  transport: Schema.optionalWith(Schema.Literal('tcp', 'udp', 'tls'), { default: () => 'tcp' as const }),
  /** Certificates, where the transport is TLS; its own is also what terminals show in sessions over TLS. */
  tls: Schema.optionalWith(TlsConfig, { exact: true }),
  /** Visited networks by the names the population knows them by, and the P-CSCF of each. */
  visited: Schema.optionalWith(Schema.Array(Schema.Struct({ id: Schema.NonEmptyString, proxy: Proxy, furtherProxy: Schema.optionalWith(Proxy, { exact: true }) })), { default: () => [] }),
  /** SIP timers of the terminals: RFC 3261's, or those of a radio leg (TS 24.229 table 7.8). */
  timers: Schema.optionalWith(Schema.Literal('core', 'radio'), { default: () => 'core' as const }),
  /** The local address sockets are bound to. */
  localAddress: Schema.optionalWith(Schema.NonEmptyString, { default: () => '127.0.0.1' }),
  /** Worker threads, each with a share of the subscribers. */
  workers: Schema.optionalWith(Schema.Int.pipe(Schema.between(1, 64)), { default: () => 1 }),
  /** TCP or TLS connections for each worker, in each network. */
  connections: Schema.optionalWith(Schema.Int.pipe(Schema.between(1, 1_024)), { default: () => 4 }),
  /** Flows of each terminal that registers by RFC 5626. */
  flows: Schema.optionalWith(Schema.Literal(1, 2), { default: () => 1 as const }),
  backoff: Schema.optionalWith(Schema.Struct({ baseMicros: Schema.Int.pipe(Schema.positive()), maxMicros: Schema.Int.pipe(Schema.positive()) }), { default: () => BACKOFF_DEFAULT }),
  population: Schema.optionalWith(PopulationConfig, { default: () => Schema.decodeSync(PopulationConfig)({}) }),
})
export type TerminalsConfig = typeof TerminalsConfig.Type
/** As it crosses a process boundary, before defaults are filled in. */
export type TerminalsConfigEncoded = typeof TerminalsConfig.Encoded

const Checked = TerminalsConfig.pipe(Schema.filter(({ transport, tls, visited, population }) => {
  if (transport === 'tls' && tls === undefined) return { path: ['tls'], message: 'terminals over TLS need to know certificates' }
  const unknown = Object.keys(population.access.roaming).filter((id) => !visited.some((network) => network.id === id))
  return unknown.length === 0 || { path: ['visited'], message: `subscribers roam in ${unknown.join(', ')}, whose P-CSCF is not named` }
}))

/** Throws a ParseError whose text names the key and what would be right. Unknown keys are errors. */
export const decodeTerminalsConfig: (config: unknown) => TerminalsConfig = Schema.decodeUnknownSync(Checked, { onExcessProperty: 'error' })
