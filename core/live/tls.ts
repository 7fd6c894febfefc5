/**
 * What TLS needs besides a socket: the configuration that names its PEM files, the files read once at the start, and
 * the options for either end of a connection. It knows certificates and who is trusted, not what flows over them.
 */
import { readFileSync } from 'node:fs'
import { createSecureContext, type ConnectionOptions, type SecureContext, type TlsOptions } from 'node:tls'
import * as Schema from 'effect/Schema'
import { CONNECT_TIMEOUT_MICROS, type Endpoint } from '../kit/network.js'
import { MICROS_PER_MILLI } from '../kit/time.js'

export const TLS_VERSION_MIN = 'TLSv1.2'

export const PemFile = Schema.String.pipe(Schema.minLength(1, { message: () => 'name a PEM file' }))

/** TLS as configured, by the names of PEM files. The same certificate serves as server's and as client's. */
export const TlsConfig = Schema.Struct({
  certificate: PemFile.annotations({ description: 'PEM file of this side’s certificate, followed by its intermediate ones.' }),
  key: PemFile.annotations({ description: 'PEM file of its private key.' }),
  authorities: Schema.optionalWith(PemFile, { exact: true })
    .annotations({ description: 'PEM file of the authorities whose certificates are accepted; those of the system when absent.' }),
  peerName: Schema.optionalWith(Schema.NonEmptyString, { exact: true })
    .annotations({ description: 'The name a server’s certificate must be for; the address connected to when absent.' }),
  clients: Schema.optionalWith(Schema.Literal('any', 'certified'), { default: () => 'any' as const })
    .annotations({ description: 'Whether who connects here must show a certificate of one of the authorities.' }),
  verify: Schema.optionalWith(Schema.Boolean, { default: () => true })
    .annotations({ description: 'Whether a server’s certificate is checked; false only for a laboratory.' }),
})
export type TlsConfig = typeof TlsConfig.Type
export type TlsConfigWritten = typeof TlsConfig.Encoded

/** TLS ready to be used. */
export interface TlsMaterial {
  /** PEM. */
  readonly files: { readonly cert: Buffer; readonly key: Buffer; readonly ca?: Buffer }
  /** Made of them once, for all connections this side opens. */
  readonly context: SecureContext
  readonly peerName: string | undefined
  readonly clients: 'any' | 'certified'
  readonly verify: boolean
}

/** Reads the files. Throws an Error that names the file and what is wrong with it. */
export function readTls(config: TlsConfig): TlsMaterial {
  const own = readOwn(config)
  const files = config.authorities === undefined ? own : { ...own, ca: contentOf(config.authorities, 'authorities') }
  return { files, context: contextOf(files, config), peerName: config.peerName, clients: config.clients, verify: config.verify }
}

/** Where one's own certificate and its key are. */
type OwnFiles = Pick<TlsConfig, 'certificate' | 'key'>

/** One's own certificate and key. Throws an Error that names the file and what is wrong with it. */
export function readOwn({ certificate, key }: OwnFiles): { readonly cert: Buffer; readonly key: Buffer } {
  return { cert: contentOf(certificate, 'certificate'), key: contentOf(key, 'key') }
}

/** Throws an Error that names the files where they cannot be used together. */
export function contextOf(files: TlsMaterial['files'], { certificate, key }: OwnFiles): SecureContext {
  try {
    return createSecureContext({ ...files, minVersion: TLS_VERSION_MIN })
  } catch (error) {
    throw new Error(`TLS cannot be used with ${certificate} and ${key}: ${error instanceof Error ? error.message : String(error)}`)
  }
}

function contentOf(file: string, what: string): Buffer {
  try {
    return readFileSync(file)
  } catch (error) {
    throw new Error(`tls.${what} cannot be read: ${error instanceof Error ? error.message : String(error)}`)
  }
}

/** For the side that is connected to. A handshake that lasts longer than a connection attempt may is cut. */
export function serverOptions({ files, clients }: TlsMaterial): TlsOptions & { readonly noDelay: true } {
  const certified = clients === 'certified'
  return { ...files, minVersion: TLS_VERSION_MIN, requestCert: certified, rejectUnauthorized: certified, handshakeTimeout: CONNECT_TIMEOUT_MICROS / MICROS_PER_MILLI, noDelay: true }
}

/** For the side that connects: without a name of its own the certificate must be for the address (RFC 5922 section 7.3). */
export function clientOptions({ context, peerName, verify }: TlsMaterial, remote: Endpoint): ConnectionOptions {
  return { host: remote.address, port: remote.port, secureContext: context, rejectUnauthorized: verify, ...(peerName === undefined ? {} : { servername: peerName }) }
}
