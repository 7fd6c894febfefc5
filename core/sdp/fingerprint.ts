/**
 * a=fingerprint (RFC 8122 section 5): the certificate a peer of TLS is known by. Text and values only. SHA-256 is the hash that every
 * implementation has; fingerprints by another one are passed over.
 */

const ATTRIBUTE = 'a=fingerprint:'
const VALUE = /^([A-Za-z0-9-]+) ([0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2})*)$/
const SHA256_CHARACTERS = 32 * 3 - 1

/** The values of the attribute for each media line, as written: its own, or the session's where it has none. */
export function fingerprintValues(lines: readonly string[]): readonly (readonly string[])[] {
  const session: string[] = []
  const media: string[][] = []
  for (const line of lines) {
    if (line.startsWith('m=')) media.push([])
    else if (line.startsWith(ATTRIBUTE)) (media.at(-1) ?? session).push(line.slice(ATTRIBUTE.length).trim())
  }
  return media.map((own) => (own.length > 0 ? own : session))
}

/** The SHA-256 fingerprints among the values, in upper case; several name several certificates. Undefined when a value cannot be read. */
export function sha256Fingerprints(values: readonly string[]): string[] | undefined {
  const fingerprints: string[] = []
  for (const value of values) {
    const parts = VALUE.exec(value)
    if (parts === null) return undefined
    if (parts[1]!.toLowerCase() !== 'sha-256') continue
    if (parts[2]!.length !== SHA256_CHARACTERS) return undefined
    fingerprints.push(parts[2]!.toUpperCase())
  }
  return fingerprints
}

/** Without `a=`. */
export function fingerprintAttribute(fingerprint: string): string {
  return `fingerprint:sha-256 ${fingerprint}`
}
