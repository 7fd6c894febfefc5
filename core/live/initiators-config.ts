/**
 * The configuration group `initiators`: who may submit, how he proves who he is, and what he may. Becomes what the border and
 * admission are built with; passwords are read from where the configuration says and do not stay. Nothing is decided here.
 */
import { readFileSync } from 'node:fs'
import { randomBytes, scryptSync } from 'node:crypto'
import * as Redacted from 'effect/Redacted'
import * as Schema from 'effect/Schema'
import { digestSecret, type Credential, type InitiatorSettings } from '../border/border.js'
import { memoryOf, parsePasswordHash, type PasswordHash } from '../border/password-hash.js'
import type { InitiatorRights } from '../push/admission/rights.js'
import { count, key, pattern } from './config-keys.js'
import { systemCrypto } from './crypto.js'
import { Rate, Size } from './units.js'

const RATE = 1_000
const IN_FLIGHT = 256
const PASSWORD_OCTETS_MIN = 8
/** Of passwords that are read in the clear; the same cost for each of them. */
const SCRYPT = { cost: 2 ** 15, blockSize: 8, parallelization: 1 } as const
const SALT_OCTETS = 16
const HASH_OCTETS = 32

/** A text of this form that is shown nowhere: neither where the configuration is, nor in what is said of mistakes. */
const secret = (isRight: (text: string) => boolean, what: string) =>
  Schema.Redacted(Schema.String.pipe(Schema.filter((text) => isRight(text) || `this is not ${what}`)))

const File = Schema.String.pipe(Schema.minLength(1, { message: () => 'name a file' }))
const Variable = pattern(/^[A-Za-z_][A-Za-z0-9_]*$/, 'the name of an environment variable')
const optional = <A, I>(schema: Schema.Schema<A, I>, description: string) => Schema.optionalWith(schema, { exact: true }).annotations({ description })
const CLEAR = {
  passwordFile: optional(File, 'File that holds the password; a line break at its end does not count.'),
  passwordVariable: optional(Variable, 'Environment variable that holds the password.'),
}

/** How many of these keys have a value. */
const given = (group: Readonly<Record<string, unknown>>, ...keys: readonly string[]): number => keys.filter((each) => group[each] !== undefined).length

const Basic = Schema.Struct({
  hash: optional(secret((text) => parsePasswordHash(text) !== undefined, 'a scrypt hash: write such as $scrypt$ln=15,r=8,p=1$<salt>$<hash>, both in base64'), 'Salted scrypt hash of the password.'),
  ...CLEAR,
}).pipe(Schema.filter((group) => given(group, 'hash', 'passwordFile', 'passwordVariable') === 1 || 'write one of hash, passwordFile, passwordVariable'))

const Digest = Schema.Struct({
  secret: optional(secret((text) => /^[0-9a-f]{64}$/i.test(text), 'a SHA-256 in hexadecimal, of name:pushbench:password'), 'SHA-256 of `name:pushbench:password`, in hexadecimal.'),
  ...CLEAR,
}).pipe(Schema.filter((group) => given(group, 'secret', 'passwordFile', 'passwordVariable') === 1 || 'write one of secret, passwordFile, passwordVariable'))

const Certificate = Schema.Struct({
  fingerprint: optional(pattern(/^[0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){31}$/, 'a SHA-256 in hexadecimal with colons, as openssl x509 -fingerprint -sha256 prints it'), 'SHA-256 of the certificate, whoever issued it.'),
  subject: optional(pattern(/^[A-Za-z][A-Za-z0-9.]*=.+$/, 'a subject such as CN=shop, O=Example'), 'Its subject, such as `CN=shop, O=Example`, signed by one of the authorities of `pap.tls`.'),
}).pipe(Schema.filter((group) => given(group, 'fingerprint', 'subject') === 1 || 'write either fingerprint or subject'))

const OneStar = pattern(/^[^*]*\*?[^*]*$/, 'a pattern with at most one *')

const Initiator = Schema.Struct({
  name: pattern(/^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$/, 'a name of at most 64 letters, digits, dots, hyphens, underscores and @'),
  basic: optional(Basic, 'A password sent with each submission, over TLS (RFC 7617); within this host also without.'),
  digest: optional(Digest, 'A password that is never sent (RFC 7616, SHA-256).'),
  certificate: optional(Certificate, 'A certificate shown when connecting over TLS.'),
  addresses: key(Schema.Array(OneStar), ['*'], 'SIP URIs, parameters apart, of whom he may push to and ask about, each with at most one *.'),
  applications: key(Schema.Array(OneStar), ['*'], 'Applications (feature tags, such as mms.ua) he may push for, each with at most one *.'),
  notifyHosts: key(Schema.Array(OneStar), ['*'], 'Hosts his result notifications may go to, each with at most one *.'),
  bodyMax: optional(Size, 'His largest submission, content included; beyond, HTTP 413. Without, what `pap` allows.'),
  rate: key(Rate.pipe(Schema.filter((rate) => rate > 0 || 'a rate is more than 0/s')), `${RATE}/s`, 'His submissions, on average; beyond, HTTP 429.'),
  burst: key(count(1_000_000), RATE, 'His submissions at once, after a rest.'),
  inFlight: key(count(100_000), IN_FLIGHT, 'His submissions that wait for their answers; beyond, HTTP 429.'),
}).pipe(Schema.filter((group) => given(group, 'basic', 'digest', 'certificate') === 1 || 'write one of basic, digest, certificate'))

export const InitiatorsConfig = Schema.Array(Initiator).pipe(
  Schema.minItems(1, { message: () => 'name at least one initiator, or leave the group out' }),
  Schema.filter((initiators) => {
    const twice = initiators.find(({ name }, index) => initiators.findIndex((each) => each.name === name) !== index)
    return twice === undefined || `the name ${twice.name} stands here twice`
  }),
)
export type InitiatorsConfig = typeof InitiatorsConfig.Type

/** What they may say. */
export function rightsOf(initiators: InitiatorsConfig): InitiatorRights[] {
  return initiators.map(({ name, addresses, applications, notifyHosts }) => ({ name, addresses, applications, notifyHosts }))
}

/** Who they are. Throws an Error that names what could not be read. */
export function readInitiators(initiators: InitiatorsConfig, environment: NodeJS.ProcessEnv): InitiatorSettings[] {
  return initiators.map((initiator, index) => ({
    name: initiator.name, credential: credentialOf(initiator, `initiators.${index}`, environment),
    bodyOctetsMax: initiator.bodyMax ?? Infinity, perSecond: initiator.rate, burst: initiator.burst, inFlightMax: initiator.inFlight,
  }))
}

function credentialOf({ name, basic, digest, certificate }: InitiatorsConfig[number], where: string, environment: NodeJS.ProcessEnv): Credential {
  if (basic !== undefined) {
    const { hash } = basic
    return { type: 'basic', password: hash === undefined ? hashed(clearOf(basic, `${where}.basic`, environment)) : parsePasswordHash(Redacted.value(hash))! }
  }
  if (digest !== undefined) {
    return { type: 'digest', secret: digest.secret === undefined ? digestSecret(systemCrypto, name, clearOf(digest, `${where}.digest`, environment)) : Redacted.value(digest.secret).toLowerCase() }
  }
  const { fingerprint, subject } = certificate!
  return fingerprint === undefined ? { type: 'certificate', subject: subject! } : { type: 'certificate', fingerprint: fingerprint.toUpperCase() }
}

function clearOf({ passwordFile, passwordVariable }: { readonly passwordFile?: string; readonly passwordVariable?: string }, where: string, environment: NodeJS.ProcessEnv): string {
  const password = passwordFile === undefined ? environment[passwordVariable!] : contentOf(passwordFile, `${where}.passwordFile`)
  if (password === undefined) throw new Error(`${where}.passwordVariable: the environment has no ${passwordVariable}`)
  if (Buffer.byteLength(password) < PASSWORD_OCTETS_MIN) throw new Error(`${where}: the password has fewer than ${PASSWORD_OCTETS_MIN} octets`)
  return password
}

function contentOf(file: string, where: string): string {
  try {
    return readFileSync(file, 'utf8').replace(/\r?\n$/, '')
  } catch (error) {
    throw new Error(`${where} cannot be read: ${error instanceof Error ? error.message : String(error)}`)
  }
}

function hashed(password: string): PasswordHash {
  const salt = randomBytes(SALT_OCTETS)
  const wanted: PasswordHash = { ...SCRYPT, salt, hash: salt }
  return { ...wanted, hash: scryptSync(password, salt, HASH_OCTETS, { ...SCRYPT, maxmem: memoryOf(wanted) + 1024 * 1024 }) }
}
