/**
 * Offer and answer for MSRP (RFC 3264, RFC 4975 section 8, RFC 6135, RFC 5547 section 8): which lines can be taken, what
 * is answered to them, and which side then opens the connection. Decides by the rules only; whether a file is wanted is
 * the caller's business, who gives for each line what it has or why it refuses.
 */
import type { Description, Direction, FileDescription, MediaLine, MsrpMedia, MsrpTransport, Origin, Setup } from './msrp-media.js'
import { DISCARD_PORT } from './msrp-media.js'

/** What the answering side has for one line it takes. */
export interface OurMedia {
  /** Our MSRP URIs; with port 9 when `setup` will be active. */
  readonly path: readonly string[]
  /** The port of the first of them. */
  readonly port: number
  readonly acceptTypes: readonly string[]
  readonly acceptWrappedTypes?: readonly string[]
  readonly maxSize: number | undefined
  readonly setup: 'active' | 'passive'
  /** Of our certificate, for a line over TLS. */
  readonly fingerprint?: string | undefined
  /** What we want at most; it is narrowed by what the offer leaves. */
  readonly direction: Direction
}

/** By place; 'refused' answers the line with port 0. */
export type OurLine = OurMedia | 'refused'

/**
 * The answer, line by line (RFC 3264 section 6). A line of another kind, or missing in `ours`, is refused; so is one whose
 * a=setup leaves no side to connect. The caller sends 488 instead when every line is refused for want of a common type.
 */
export function answerTo(offer: Description, ours: readonly OurLine[], origin: Origin): Description {
  return { origin, media: offer.media.map((line, index) => answerLine(line, ours[index] ?? 'refused', origin.host)) }
}

function answerLine(offered: MediaLine, ours: OurLine, host: string): MediaLine {
  if (offered.kind === 'other') return { ...offered, port: 0 }
  if (ours === 'refused' || offered.port === 0 || answerSetup(offered.setup, ours.setup === 'passive') !== ours.setup) return refusedLine(offered, host)
  return {
    kind: 'msrp', port: ours.setup === 'active' ? DISCARD_PORT : ours.port, transport: offered.transport, host, path: ours.path, setup: ours.setup,
    fingerprints: offered.transport === 'tls' && ours.fingerprint !== undefined ? [ours.fingerprint] : [],
    acceptTypes: ours.acceptTypes, acceptWrappedTypes: ours.acceptWrappedTypes ?? [], maxSize: ours.maxSize,
    direction: answeredDirection(offered.direction, ours.direction), file: offered.file === undefined ? undefined : mirroredFile(offered.file),
  }
}

/** RFC 3264 section 6: port 0, the rest of no meaning; RFC 5547 section 8.3.1 still wants the transfer id and selector. */
function refusedLine(offered: MsrpMedia, host: string): MsrpMedia {
  return {
    kind: 'msrp', port: 0, transport: offered.transport, host, path: [], setup: undefined, fingerprints: [], acceptTypes: offered.acceptTypes, acceptWrappedTypes: [], maxSize: undefined,
    direction: answeredDirection(offered.direction, 'sendrecv'), file: offered.file === undefined ? undefined : mirroredFile(offered.file),
  }
}

/** RFC 5547 section 8.3.1: name, type and size are copied, the hash is not needed; neither icon, disposition nor dates; the range when accepted. */
function mirroredFile(file: FileDescription): FileDescription {
  const { name, type, size } = file.selector
  return { selector: { name, type, size }, transferId: file.transferId, range: file.range }
}

/**
 * What to answer to an offered a=setup (RFC 4145 section 4.1, RFC 6135 section 4.2): to `actpass` passive, unless nobody
 * can reach us; undefined when the two leave no side to connect. An offer without it means an offerer that connects
 * (RFC 4975 section 5.4).
 */
export function answerSetup(offered: Setup | undefined, isReachable: boolean): 'active' | 'passive' | undefined {
  switch (offered) {
    case 'actpass': return isReachable ? 'passive' : 'active'
    case 'passive': return 'active'
    default: return isReachable ? 'passive' : undefined
  }
}

/** RFC 6135 section 4.2: an offer says `actpass` where its path can be reached, else `active`; never `passive`. */
export function offerSetup(isReachable: boolean): 'actpass' | 'active' {
  return isReachable ? 'actpass' : 'active'
}

/** Which side opens the connection of a line that was taken. Without a=setup in the answer the offerer does (RFC 4975 section 5.4). */
export function connectingSide(answered: MsrpMedia): 'offerer' | 'answerer' {
  return answered.setup === 'active' ? 'answerer' : 'offerer'
}

/** Does this list of accept-types take a content of this type? Parameters take no part (RFC 4975 section 8.6). */
export function takesType(acceptTypes: readonly string[], contentType: string): boolean {
  const type = bareType(contentType)
  const whole = `${type.slice(0, type.indexOf('/'))}/*`
  return acceptTypes.some((entry) => entry === '*' || entry === '*/*' || bareType(entry) === type || bareType(entry) === whole)
}

/** Have the two lists a type in common? Where not, the offer is answered 488 (RFC 4975 section 8.6). */
export function shareType(ours: readonly string[], theirs: readonly string[]): boolean {
  return theirs.some((type) => takesRange(ours, type)) || ours.some((type) => takesRange(theirs, type))
}

function takesRange(list: readonly string[], entry: string): boolean {
  return entry === '*' || entry === '*/*' ? list.length > 0 : takesType(list, entry)
}

function bareType(type: string): string {
  const semicolon = type.indexOf(';')
  return (semicolon < 0 ? type : type.slice(0, semicolon)).trim().toLowerCase()
}

const MAY_SEND: readonly Direction[] = ['sendrecv', 'sendonly']
const MAY_RECEIVE: readonly Direction[] = ['sendrecv', 'recvonly']

/** RFC 3264 section 6.1: what they send we may receive, and the other way round. */
export function answeredDirection(offered: Direction, wanted: Direction): Direction {
  const sends = MAY_RECEIVE.includes(offered) && MAY_SEND.includes(wanted)
  const receives = MAY_SEND.includes(offered) && MAY_RECEIVE.includes(wanted)
  if (sends) return receives ? 'sendrecv' : 'sendonly'
  return receives ? 'recvonly' : 'inactive'
}

/**
 * What a later offer of a line asks for (RFC 5547 section 8.1): nothing new, a new transfer (a running one is aborted), or
 * something wrong, the same id for another file, which is answered with port 0.
 */
export function fileChange(before: FileDescription, after: FileDescription): 'same' | 'new' | 'conflict' {
  if (before.transferId !== after.transferId) return 'new'
  const keys = ['name', 'size', 'type', 'sha1'] as const
  return keys.every((key) => before.selector[key] === undefined || after.selector[key] === undefined || before.selector[key] === after.selector[key]) ? 'same' : 'conflict'
}

/** What a line needs of us before it can be taken at all; undefined when nothing is in the way. */
export function lineFault(offered: MsrpMedia, transports: readonly MsrpTransport[], isReachable: boolean): string | undefined {
  if (offered.port === 0) return 'the offered line has port 0'
  if (!transports.includes(offered.transport)) return `MSRP over ${offered.transport.toUpperCase()} is not spoken here`
  // RFC 8122 section 5: nothing else would say whose connection it is.
  if (offered.transport === 'tls' && offered.fingerprints.length === 0) return 'the offered line is over TLS and names no certificate by a=fingerprint with sha-256'
  return answerSetup(offered.setup, isReachable) === undefined ? 'the offerer wants to connect, and nobody can connect to us' : undefined
}
