/** Certificates made at run time: one authority, and what it certifies, as PEM files of a folder that the caller owns. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { generate } from 'selfsigned'

export interface Authority {
  readonly key: string
  readonly cert: string
  /** PEM file of its certificate. */
  readonly file: string
}

const EC = { keyType: 'ec', curve: 'P-256', algorithm: 'sha256' } as const

export async function makeAuthority(folder: string, name = 'authority'): Promise<Authority> {
  const made = await generate([{ name: 'commonName', value: `${name} of the tests` }], {
    ...EC, extensions: [{ name: 'basicConstraints', cA: true, critical: true }, { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true }],
  })
  const file = join(folder, `${name}.pem`)
  writeFileSync(file, made.cert)
  return { key: made.private, cert: made.cert, file }
}

/** A certificate for these names and addresses and its key, for either end of a connection; what a `tls` configuration names. */
export async function certify(
  folder: string, authority: Authority, who: string, names: readonly string[] = [], addresses: readonly string[] = ['127.0.0.1'], notAfterDate?: Date,
): Promise<{ certificate: string; key: string; authorities: string }> {
  const made = await generate([{ name: 'commonName', value: who }], {
    ...EC, ca: authority, ...(notAfterDate === undefined ? {} : { notBeforeDate: new Date(notAfterDate.getTime() - 86_400_000), notAfterDate }),
    extensions: [
      { name: 'basicConstraints', cA: false },
      { name: 'extKeyUsage', serverAuth: true, clientAuth: true },
      { name: 'subjectAltName', altNames: [...names.map((value) => ({ type: 2 as const, value })), ...addresses.map((ip) => ({ type: 7 as const, ip }))] },
    ],
  })
  const certificate = join(folder, `${who}.pem`)
  const key = join(folder, `${who}.key.pem`)
  writeFileSync(certificate, made.cert)
  writeFileSync(key, made.private)
  return { certificate, key, authorities: authority.file }
}
