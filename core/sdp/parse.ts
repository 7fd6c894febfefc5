/**
 * From the text of a session description to what it says about MSRP. The line grammar is `sdp-transform`'s; here stand
 * the bounds, what must be there, and the attributes of RFC 4975 section 8 and RFC 5547 which that library leaves as text.
 * Never throws; a fault says what is wrong and what would be right.
 */
import { type MediaDescription, type SessionDescription, parse } from 'sdp-transform'
import { parseDates, parseFileSelector, parseRange, parseTransferId } from './file-attributes.js'
import { fingerprintValues, sha256Fingerprints } from './fingerprint.js'
import {
  DESCRIPTION_LIMITS, type DescriptionFault, type DescriptionLimits, type Direction, type FileDescription, type MediaLine, type MsrpMedia, type Origin,
  type ParsedDescription, type Setup,
} from './msrp-media.js'

/** Thrown and caught in this file only: faults lie deep in the lines. */
class Refusal {
  constructor(readonly fault: DescriptionFault) {}
}

/** @param text decoded from UTF-8 */
export function parseDescription(text: string, limits: DescriptionLimits = DESCRIPTION_LIMITS): ParsedDescription {
  try {
    const fingerprints = fingerprintValues(checkedLines(text, limits))
    const session = parse(text)
    return { description: { origin: originOf(session), media: session.media.map((media, index) => mediaLine(session, media, index + 1, limits, fingerprints[index] ?? [])) } }
  } catch (error) {
    if (error instanceof Refusal) return { fault: error.fault }
    throw error
  }
}

function refuse(status: 400 | 488, what: string): never {
  throw new Refusal({ status, what })
}

/** RFC 4566 section 5: lines of `type=value`, v= first, o=, s= and t= there before any m=. */
function checkedLines(text: string, limits: DescriptionLimits): readonly string[] {
  if (text.length > limits.characters) refuse(400, `the session description has ${text.length} characters; at most ${limits.characters} are read`)
  if (text.includes('\0')) refuse(400, 'the session description holds a NUL')
  const lines = text.split(/\r\n|\r|\n/)
  while (lines.length > 0 && lines[lines.length - 1] === '') lines.pop()
  if (lines.length > limits.lines) refuse(400, `the session description has ${lines.length} lines; at most ${limits.lines} are read`)
  lines.forEach((line, index) => {
    if (!/^[a-z]=/.test(line)) refuse(400, `line ${index + 1} of the session description is ${quoted(line)}; right would be a letter, = and a value`)
  })
  if (lines[0] !== 'v=0') refuse(400, `the session description begins with ${quoted(lines[0] ?? '')}; right would be v=0`)
  const firstMedia = lines.findIndex((line) => line.startsWith('m='))
  const head = firstMedia < 0 ? lines : lines.slice(0, firstMedia)
  for (const type of ['o=', 's=', 't=']) if (!head.some((line) => line.startsWith(type))) refuse(400, `the session description has no ${type} line before its media`)
  const count = lines.filter((line) => line.startsWith('m=')).length
  if (count > limits.mediaLines) refuse(488, `the session description has ${count} media lines; at most ${limits.mediaLines} are taken`)
  return lines
}

function originOf(session: SessionDescription): Origin {
  const { origin } = session
  if (origin === undefined) refuse(400, 'the o= line is malformed; right would be user, session id, version, IN, IP4 or IP6, address')
  const version = origin.sessionVersion
  const sessionId = String(origin.sessionId)
  if (typeof version !== 'number' || !Number.isSafeInteger(version) || !/^\d+$/.test(sessionId)) refuse(400, 'session id and version in the o= line are not whole numbers below 2^53')
  return { username: String(origin.username), sessionId, version, host: String(origin.address) }
}

function mediaLine(session: SessionDescription, media: MediaDescription, number: number, limits: DescriptionLimits, fingerprints: readonly string[]): MediaLine {
  // `sdp-transform` leaves the fields of a line it cannot read undefined, whatever its types say.
  const { type, port, protocol, payloads }: Partial<MediaDescription> = media
  if (type === undefined || protocol === undefined || typeof port !== 'number' || port > 65_535) {
    refuse(400, `media line ${number} is malformed; right would be a medium, a port up to 65535, a protocol and formats`)
  }
  const transport = /^TCP\/(TLS\/)?MSRP$/i.exec(protocol)
  // RFC 4975 section 8.1: the one format is `*`.
  if (type !== 'message' || transport === null) return { kind: 'other', type: String(type), port, protocol, formats: String(payloads ?? '') }
  const attributes = attributesOf(media)
  const connection = media.connection ?? session.connection
  if (connection === undefined && port !== 0) refuse(400, `media line ${number} has no c= line, nor has the session`)
  const line: MsrpMedia = {
    kind: 'msrp', port, transport: transport[1] === undefined ? 'tcp' : 'tls', host: String(connection?.ip ?? ''),
    path: pathOf(attributes, number, limits), setup: setupOf(media.setup ?? session.setup, number),
    fingerprints: transport[1] === undefined ? [] : fingerprintsOf(fingerprints, number),
    acceptTypes: typesOf(attributes, 'accept-types', number, limits), acceptWrappedTypes: typesOf(attributes, 'accept-wrapped-types', number, limits),
    maxSize: sizeOf(attributes, number), direction: (media.direction ?? session.direction ?? 'sendrecv') as Direction, file: fileOf(attributes, number),
  }
  if (port === 0) return line
  // RFC 4975 sections 8.1 and 8.6.
  if (line.path.length === 0) refuse(400, `media line ${number} has no a=path`)
  if (line.acceptTypes.length === 0) refuse(400, `media line ${number} has no a=accept-types`)
  // RFC 5547 section 6: the id is mandatory wherever a file is offered or answered.
  if (line.file !== undefined && line.file.transferId === undefined) refuse(400, `media line ${number} describes a file without a=file-transfer-id`)
  return line
}

/** The attributes `sdp-transform` does not know: the first value of each, '' for one without. A value keeps its colon where `bare` names may stand too. */
function attributesOf(media: MediaDescription): ReadonlyMap<string, string> {
  const attributes = new Map<string, string>()
  for (const { value } of media.invalid ?? []) {
    const text = String(value)
    const colon = text.indexOf(':')
    const name = colon < 0 ? text : text.slice(0, colon)
    if (!attributes.has(name)) attributes.set(name, colon < 0 ? '' : text.slice(colon))
  }
  return attributes
}

/** What stands behind the colon; undefined when the attribute is absent. */
function valueOf(attributes: ReadonlyMap<string, string>, name: string): string | undefined {
  return attributes.get(name)?.slice(1).trim()
}

const MSRP_URI = /^msrps?:\/\/[^\s/;]+(?:\/[A-Za-z0-9\-._~+=/%]+)?;[A-Za-z0-9]+(?:;[^\s]*)?$/i

function pathOf(attributes: ReadonlyMap<string, string>, number: number, limits: DescriptionLimits): string[] {
  const text = valueOf(attributes, 'path')
  if (text === undefined || text === '') return []
  const uris = text.split(/ +/)
  if (uris.length > limits.pathUris) refuse(488, `the path of media line ${number} has ${uris.length} URIs; at most ${limits.pathUris} are followed`)
  const wrong = uris.find((uri) => !MSRP_URI.test(uri))
  if (wrong !== undefined) refuse(400, `the path of media line ${number} holds ${quoted(wrong)}; right would be msrp://host:port/session;tcp`)
  return uris
}

const TYPE = /^(?:\*|[A-Za-z0-9!#$%&'*+\-.^_`{|}~]+\/[A-Za-z0-9!#$%&'*+\-.^_`{|}~]+)$/

/** RFC 4975 section 8.6: parameters take no part in the comparison. */
function typesOf(attributes: ReadonlyMap<string, string>, name: string, number: number, limits: DescriptionLimits): string[] {
  const text = valueOf(attributes, name)
  if (text === undefined || text === '') return []
  const types = text.split(/ +/).map((entry) => entry.split(';', 1)[0]!.toLowerCase())
  if (types.length > limits.types) refuse(488, `a=${name} of media line ${number} lists ${types.length} types; at most ${limits.types} are read`)
  const wrong = types.find((type) => !TYPE.test(type))
  if (wrong !== undefined) refuse(400, `a=${name} of media line ${number} holds ${quoted(wrong)}; right would be type/subtype, type/* or *`)
  return types
}

/** RFC 4145 section 4. A value that MSRP has no use for reads as absent. */
function setupOf(text: string | undefined, number: number): Setup | undefined {
  if (text === undefined || text === 'holdconn') return undefined
  if (text === 'active' || text === 'passive' || text === 'actpass') return text
  return refuse(400, `a=setup of media line ${number} is ${quoted(text)}; right would be active, passive or actpass`)
}

/** RFC 8122 section 5. */
function fingerprintsOf(values: readonly string[], number: number): string[] {
  return sha256Fingerprints(values) ?? refuse(400, `a=fingerprint of media line ${number} is ${quoted(values.join(' and '))}; right would be sha-256 and 32 octets such as 4A:AD:..`)
}

function sizeOf(attributes: ReadonlyMap<string, string>, number: number): number | undefined {
  const text = valueOf(attributes, 'max-size')
  if (text === undefined) return undefined
  return /^\d{1,15}$/.test(text) ? Number(text) : refuse(400, `a=max-size of media line ${number} is ${quoted(text)}; right would be a number of octets`)
}

/** RFC 5547 section 6. */
function fileOf(attributes: ReadonlyMap<string, string>, number: number): FileDescription | undefined {
  const selectorText = attributes.get('file-selector')
  if (selectorText === undefined) return undefined
  const read = <Value>(name: string, reader: (text: string) => Value | undefined): Value | undefined => {
    const text = valueOf(attributes, name)
    return text === undefined ? undefined : reader(text) ?? refuse(400, `a=${name} of media line ${number} is ${quoted(text)}, which cannot be read`)
  }
  const selector = parseFileSelector(selectorText.trim())
  if (selector === undefined) refuse(400, `a=file-selector of media line ${number} is ${quoted(selectorText)}; right would be name:"..", size:.., type:.. and hash:sha-1:..`)
  return {
    selector, transferId: read('file-transfer-id', parseTransferId), disposition: read('file-disposition', parseTransferId),
    dates: read('file-date', parseDates), range: read('file-range', parseRange), icon: read('file-icon', (text) => text),
  }
}

function quoted(text: string): string {
  return JSON.stringify(text.slice(0, 80))
}
