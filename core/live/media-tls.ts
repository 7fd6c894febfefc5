/**
 * TLS between peers that know each other's certificate by its fingerprint in a session description (RFC 8122): the files of one's
 * own, and the options for either end of a connection. Any certificate is taken here, and none: the machine that was told the
 * fingerprint judges by what peerCertificate says.
 */
import { X509Certificate } from 'node:crypto'
import type { ConnectionOptions, SecureContext, TLSSocket, TlsOptions } from 'node:tls'
import * as Schema from 'effect/Schema'
import { CONNECT_TIMEOUT_MICROS, type Endpoint } from '../kit/network.js'
import type { PeerCertificate } from '../kit/peer-certificate.js'
import { MICROS_PER_MILLI } from '../kit/time.js'
import { contextOf, PemFile, readOwn, TLS_VERSION_MIN } from './tls.js'

/** By the names of PEM files. Peers know the certificate by its fingerprint, so it may be self-signed. */
export const MediaTlsConfig = Schema.Struct({
  certificate: PemFile.annotations({ description: 'PEM file of this side’s certificate, self-signed or not: it is known by its fingerprint.' }),
  key: PemFile.annotations({ description: 'PEM file of its private key.' }),
})
export type MediaTlsConfig = typeof MediaTlsConfig.Type

export interface MediaTls {
  readonly files: { readonly cert: Buffer; readonly key: Buffer }
  /** Made of them once, for all connections this side opens. */
  readonly context: SecureContext
  /** SHA-256 of the certificate, as a session description writes it. */
  readonly fingerprint: string
}

/** Reads the files. Throws an Error that names the file and what is wrong with it. */
export function readMediaTls(config: MediaTlsConfig): MediaTls {
  const files = readOwn(config)
  return { files, context: contextOf(files, config), fingerprint: new X509Certificate(files.cert).fingerprint256 }
}

/** For the side that is connected to: both sides show a certificate (RFC 8122 section 6.2). */
export function mediaServerOptions({ files }: MediaTls): TlsOptions & { readonly noDelay: true } {
  return { ...files, minVersion: TLS_VERSION_MIN, requestCert: true, rejectUnauthorized: false, handshakeTimeout: CONNECT_TIMEOUT_MICROS / MICROS_PER_MILLI, noDelay: true }
}

export function mediaClientOptions({ context }: MediaTls, remote: Endpoint): ConnectionOptions {
  return { host: remote.address, port: remote.port, secureContext: context, rejectUnauthorized: false }
}

/** What the peer showed once the handshake is done; undefined for nothing. */
export function peerCertificate(socket: TLSSocket): PeerCertificate | undefined {
  const shown = socket.getPeerX509Certificate()
  return shown === undefined ? undefined : { sha256: shown.fingerprint256, validFrom: Date.parse(shown.validFrom), validTo: Date.parse(shown.validTo) }
}
