/**
 * What a session description says about MSRP: RFC 4975 section 8, RFC 6135 (setup), RFC 5547 (files). Types only, and the
 * bounds of what is read. Texts are decoded UTF-8; a description travels as the UTF-8 octets of its text.
 * parse.ts reads them, write.ts writes them, answer.ts answers them.
 */

export type MsrpTransport = 'tcp' | 'tls'
/** RFC 4145 section 4; `holdconn` is never used with MSRP and reads as absent (RFC 6135 section 4). */
export type Setup = 'active' | 'passive' | 'actpass'
export type Direction = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive'

/** What an active side writes as the port of its media line and path, since nobody connects to it (RFC 6135 section 4.2). */
export const DISCARD_PORT = 9

/** `o=`: who made the description and which edition of it this is (RFC 4566 section 5.2). */
export interface Origin {
  readonly username: string
  /** Decimal digits; together with username and host it names the session. */
  readonly sessionId: string
  /** Grows with every change, and only then (RFC 3264 section 8). */
  readonly version: number
  /** An IP literal, IPv6 without brackets, or a host name. */
  readonly host: string
}

/** Which file (RFC 5547 section 6). All absent in the capability form. */
export interface FileSelector {
  /** Readable, escapes undone. */
  readonly name?: string | undefined
  /** Octets. */
  readonly size?: number | undefined
  /** `type/subtype` in lower case, then its parameters as written. */
  readonly type?: string | undefined
  /** SHA-1 of the whole file, 40 hex digits in lower case. */
  readonly sha1?: string | undefined
}

export type FileDateName = 'creation' | 'modification' | 'read'

/** The one file a media line stands for (RFC 5547 sections 6 and 8.7). */
export interface FileDescription {
  readonly selector: FileSelector
  /** `a=file-transfer-id`; absent in the capability form only. */
  readonly transferId?: string | undefined
  readonly disposition?: string | undefined
  /** RFC 5322 dates as written. */
  readonly dates?: Readonly<Partial<Record<FileDateName, string>>> | undefined
  /** Octets from 1 on; `stop` undefined for `*`. */
  readonly range?: { readonly start: number; readonly stop: number | undefined } | undefined
  /** A `cid:` URL. */
  readonly icon?: string | undefined
}

export interface MsrpMedia {
  readonly kind: 'msrp'
  /** 0: refused, ended, or only shown as a capability. */
  readonly port: number
  readonly transport: MsrpTransport
  /** Of `c=`; never used to connect, only `path` is (RFC 4975 section 8.1). */
  readonly host: string
  /** MSRP URIs; the leftmost is the next hop, the rightmost the endpoint. Empty only where the port is 0. */
  readonly path: readonly string[]
  /** As written; undefined when absent. */
  readonly setup: Setup | undefined
  /** Over TLS: SHA-256 of the writer's certificate, upper-case hex with colons (RFC 8122 section 5); several for several certificates. Else empty. */
  readonly fingerprints: readonly string[]
  /** What the writer takes: `type/subtype`, `type/*` or `*` in lower case, without parameters. Empty only where the port is 0. */
  readonly acceptTypes: readonly string[]
  /** What it takes inside containers only. */
  readonly acceptWrappedTypes: readonly string[]
  /** Octets of a whole message the writer is ready to take; a hint. */
  readonly maxSize: number | undefined
  /** Concerns the contents of SEND only, neither REPORT nor SEND without a body (RFC 4975 section 8.9). */
  readonly direction: Direction
  readonly file: FileDescription | undefined
}

/** A media line this project has no use for; answered with port 0. */
export interface OtherMedia {
  readonly kind: 'other'
  readonly type: string
  readonly port: number
  readonly protocol: string
  readonly formats: string
}

export type MediaLine = MsrpMedia | OtherMedia

/** An offer or an answer: media lines correspond by their place (RFC 3264 section 6). */
export interface Description {
  readonly origin: Origin
  readonly media: readonly MediaLine[]
}

/** Why a description cannot be used: 400 when it cannot be read, 488 when it asks for what is not done here. */
export interface DescriptionFault {
  readonly status: 400 | 488
  readonly what: string
}

export type ParsedDescription = { readonly description: Description; readonly fault?: undefined } | { readonly description?: undefined; readonly fault: DescriptionFault }

export interface DescriptionLimits {
  readonly characters: number
  readonly lines: number
  readonly mediaLines: number
  readonly pathUris: number
  readonly types: number
}

/** Far above any honest description: some twenty lines, a handful of files, a path of two. */
export const DESCRIPTION_LIMITS: DescriptionLimits = Object.freeze({ characters: 65_536, lines: 2_048, mediaLines: 64, pathUris: 16, types: 256 })

/** The media type of descriptions in SIP bodies. */
export const SDP_TYPE = 'application/sdp'
