/**
 * Session descriptions as text: offers, answers, the capability form for OPTIONS, and the next edition of one that was
 * sent before. Knows the lines RFC 4975, RFC 6135 and RFC 5547 ask for; what to offer or answer is the caller's.
 */
import { write } from 'sdp-transform'
import { bug } from '../kit/assert.js'
import { fileAttributes } from './file-attributes.js'
import { fingerprintAttribute } from './fingerprint.js'
import type { Description, MediaLine, MsrpMedia, Origin } from './msrp-media.js'

/** Every line ends with CRLF. The octets on the wire are its UTF-8. */
export function descriptionText({ origin, media }: Description): string {
  const ipVer = ipVersion(origin.host)
  return write({
    version: 0,
    origin: { username: word(origin.username), sessionId: origin.sessionId, sessionVersion: origin.version, netType: 'IN', ipVer, address: word(origin.host) },
    name: '-',
    connection: { version: ipVer, ip: word(origin.host) },
    timing: { start: 0, stop: 0 },
    media: media.map((line) => (line.kind === 'msrp' ? msrpLine(line, origin.host) : { type: line.type, port: line.port, protocol: line.protocol, payloads: line.formats, rtp: [], fmtp: [] })),
  })
}

function msrpLine(line: MsrpMedia, sessionHost: string): Parameters<typeof write>[0]['media'][number] {
  const { port, path, setup, acceptTypes, acceptWrappedTypes, maxSize, direction, file, fingerprints } = line
  const attributes: string[] = []
  if (path.length > 0) attributes.push(`path:${path.join(' ')}`)
  for (const fingerprint of fingerprints) attributes.push(fingerprintAttribute(fingerprint))
  if (acceptTypes.length > 0) attributes.push(`accept-types:${acceptTypes.join(' ')}`)
  if (acceptWrappedTypes.length > 0) attributes.push(`accept-wrapped-types:${acceptWrappedTypes.join(' ')}`)
  if (maxSize !== undefined) attributes.push(`max-size:${maxSize}`)
  if (file !== undefined) attributes.push(...fileAttributes(file))
  return {
    type: 'message', port, protocol: line.transport === 'tls' ? 'TCP/TLS/MSRP' : 'TCP/MSRP', payloads: '*', rtp: [], fmtp: [],
    ...(line.host === '' || line.host === sessionHost ? {} : { connection: { version: ipVersion(line.host), ip: word(line.host) } }),
    ...(setup === undefined ? {} : { setup }),
    // RFC 4566 section 6: sendrecv is what its absence means.
    ...(direction === 'sendrecv' ? {} : { direction }),
    invalid: attributes.map((value) => ({ value: oneLine(value) })),
  }
}

/**
 * What OPTIONS answers (RFC 3264 section 9, RFC 5547 section 8.5): one MSRP line with port 0, the types and size that
 * would be taken, and an empty file-selector to say that files are understood.
 */
export function capabilityDescription(origin: Origin, acceptTypes: readonly string[], maxSize: number | undefined): Description {
  const line: MsrpMedia = {
    kind: 'msrp', port: 0, transport: 'tcp', host: origin.host, path: [], setup: undefined, fingerprints: [], acceptTypes, acceptWrappedTypes: [], maxSize, direction: 'sendrecv', file: { selector: {} },
  }
  return { origin, media: [line] }
}

/**
 * The description to send after `before`: its version is one higher where anything differs, the same where nothing does
 * (RFC 3264 section 8). Media lines are never taken away, only added or set to port 0.
 */
export function nextDescription(before: Description, media: readonly MediaLine[]): Description {
  if (media.length < before.media.length) bug('a later description has fewer media lines than the one before (RFC 3264 section 8)')
  const same: Description = { origin: before.origin, media }
  if (descriptionText(same) === descriptionText(before)) return before
  return { origin: { ...before.origin, version: before.origin.version + 1 }, media }
}

function ipVersion(host: string): 4 | 6 {
  return host.includes(':') ? 6 : 4
}

function word(text: string): string {
  return /^\S+$/.test(text) ? text : bug(`${JSON.stringify(text)} is no single word and cannot stand in an o= or c= line`)
}

function oneLine(text: string): string {
  // eslint-disable-next-line no-control-regex -- control characters are exactly what is looked for
  return /[\r\n\0]/.test(text) ? bug(`a session description line holds a line break: ${JSON.stringify(text.slice(0, 80))}`) : text
}
