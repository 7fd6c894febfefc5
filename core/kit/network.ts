/**
 * The network as machines see it: flows that come up, carry bytes in any split and go down.
 * A TCP connection is one flow. A bound UDP socket is one flow whose every datagram names its peer.
 * The live driver maps flows to sockets; the simulated world maps them to its link model.
 */
import type { PeerCertificate, TlsTrust } from './peer-certificate.js'
import type { Micros } from './time.js'

/** Given by the driver, unique within a run of the process, never used again. */
export type FlowId = number

export type Transport = 'udp' | 'tcp' | 'tls'

/** An address and port. `address` is a literal IP (IPv6 without brackets), never a name. */
export interface Endpoint {
  readonly address: string
  readonly port: number
}

export type NetworkIn =
  | FlowUp
  /** `from` is set on UDP flows only. `bytes` is valid until `handle` returns: whoever keeps it copies it; where `carried` is set, it is empty. */
  | { readonly type: 'bytes'; readonly flow: FlowId; readonly bytes: Buffer; readonly from?: Endpoint; readonly carried?: Carried }
  /** The driver has drained what it held for this flow; sent only after a `full`. */
  | { readonly type: 'writable'; readonly flow: FlowId }
  /** More than `FLOW_BYTES_MAX` wait in the driver for this flow: stop sending until `writable`. */
  | { readonly type: 'full'; readonly flow: FlowId }
  | { readonly type: 'flow-down'; readonly flow: FlowId; readonly reason: string }
  /** A `connect` did not succeed. `handshake`: the peer was reached, and TLS with it did not come about. */
  | { readonly type: 'connect-failed'; readonly ticket: number; readonly reason: string; readonly handshake?: true }

/**
 * A whole message as its protocol holds it, in place of its octets: between machines that one process drives, over flows
 * that came up for it. Opaque to everybody but the protocol; a socket never sees one.
 */
export interface Carried {
  /** The octets it would have been. */
  readonly length: number
}

export interface FlowUp {
  readonly type: 'flow-up'
  readonly flow: FlowId
  readonly transport: Transport
  readonly local: Endpoint
  /** Undefined for a bound UDP socket. */
  readonly remote: Endpoint | undefined
  /** The ticket of the `connect` that this answers; undefined for an accepted connection or a bound UDP socket. */
  readonly ticket: number | undefined
  /** Of a TLS flow whose peer the machine judges; absent when the peer showed none. */
  readonly certificate?: PeerCertificate
  /** Set where messages may cross whole; whoever does not know how sends octets all the same. */
  readonly carries?: 'messages'
}

export type NetworkOut =
  /** `to` is required on UDP flows, absent on the others. The machine gives the bytes away and does not touch them again; where `carried` is set, they are empty. */
  | { readonly type: 'transmit'; readonly flow: FlowId; readonly bytes: Buffer; readonly to?: Endpoint; readonly carried?: Carried }
  | { readonly type: 'connect'; readonly ticket: number; readonly transport: 'tcp' | 'tls'; readonly remote: Endpoint; readonly trust?: TlsTrust }
  | { readonly type: 'close'; readonly flow: FlowId }

export const FLOW_BYTES_MAX = 4 * 1024 * 1024

/** How long a driver lets a connection attempt last. */
export const CONNECT_TIMEOUT_MICROS: Micros = 5_000_000
