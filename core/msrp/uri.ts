/**
 * MSRP URIs and paths (RFC 4975 sections 6 and 9): read, compared, and split into what a connection needs.
 * Text only; it knows no session and opens nothing.
 */
import type { MsrpTransport } from './contract.js'

/** The port written where none is: IANA's for MSRP (RFC 4975 section 15.3). */
export const MSRP_PORT = 2855
/** Longest URI read, in characters, and most URIs in one path. */
const URI_LENGTH_MAX = 1_024
const PATH_URIS_MAX = 16

/** scheme, userinfo, host, port, session-id, transport, other parameters. */
const URI = /^(msrps?):\/\/(?:[^@/\s]*@)?(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._~%!$&'()*+,=-]+)(?::(\d{1,5}))?(?:\/([A-Za-z0-9._~+=/-]+))?;([A-Za-z0-9]+)(?:;[^;\s]+)*$/i
const DIGITS_AND_DOTS = /^\d{1,3}(?:\.\d{1,3}){3}$/

export interface MsrpUri {
  /** As it was written. */
  readonly text: string
  readonly transport: MsrpTransport
  /** In lower case, IPv6 in brackets. */
  readonly host: string
  /** Undefined where none is written, which is another URI than with the same port written out. */
  readonly port: number | undefined
  /** Case-sensitive; undefined in the URI of a relay. */
  readonly sessionId: string | undefined
  /** The transport parameter, in lower case; `tcp` is the only one there is. */
  readonly carrier: string
}

/** One URI; undefined when it is none. */
export function parseUri(text: string): MsrpUri | undefined {
  if (text.length > URI_LENGTH_MAX) return undefined
  const match = URI.exec(text)
  if (match === null) return undefined
  const port = match[3] === undefined ? undefined : Number(match[3])
  if (port !== undefined && port > 65_535) return undefined
  return {
    text, transport: match[1]!.length === 5 ? 'tls' : 'tcp', host: match[2]!.toLowerCase(), port, sessionId: match[4], carrier: match[5]!.toLowerCase(),
  }
}

/** A path: one URI or several, separated by spaces, the next hop first; undefined when any of it cannot be read. */
export function parsePath(text: string): readonly MsrpUri[] | undefined {
  const uris: MsrpUri[] = []
  for (let start = 0; start <= text.length; ) {
    const space = text.indexOf(' ', start)
    const end = space < 0 ? text.length : space
    if (end > start) {
      const uri = uris.length === PATH_URIS_MAX ? undefined : parseUri(text.slice(start, end))
      if (uri === undefined) return undefined
      uris.push(uri)
    }
    start = end + 1
  }
  return uris.length === 0 ? undefined : uris
}

/** The first URI of a path, as text: where a response to a SEND goes (RFC 4975 section 7.2). */
export function firstOf(path: string): string {
  const space = path.indexOf(' ')
  return space < 0 ? path : path.slice(0, space)
}

/** Do two URIs name the same thing (RFC 4975 section 6.1)? Userinfo and other parameters do not count; an absent port or session-id is not a present one. */
export function sameUri(a: MsrpUri, b: MsrpUri): boolean {
  return a.transport === b.transport && a.host === b.host && a.port === b.port && a.sessionId === b.sessionId && a.carrier === b.carrier
}

/** The literal address a URI's host is, IPv6 without brackets; undefined for a name. */
export function addressOf({ host }: MsrpUri): string | undefined {
  if (host.startsWith('[')) return host.slice(1, -1)
  return DIGITS_AND_DOTS.test(host) ? host : undefined
}
