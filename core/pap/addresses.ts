/**
 * Client addresses of PAP (WAP-249 section 6.1): the wappush grammar, and bare sip:, sips: and tel: URIs, which this
 * gateway also takes. Says what was written, never whom it means: mapping to identities is the gateway's configuration.
 */

export const ADDRESS_LENGTH_MAX = 1024

export interface PapAddress {
  readonly ok: true
  /** As the initiator wrote it: what responses and notifications must repeat (WAP-249 section 6). */
  readonly literal: string
  /** `USER`, `PLMN`, `IPV4`, `IPV6`, `MAN`, another bearer address type in upper case, or `URI` for a bare URI. */
  readonly type: string
  /** Unescaped. PLMN: `+` and digits alone. IPv6: as written. */
  readonly value: string
  /** Keyword in lower case and qualifier, in order. */
  readonly qualifiers: readonly (readonly [keyword: string, qualifier: string])[]
  /** The PPG specifier in lower case; undefined where it was left out. */
  readonly ppg: string | undefined
}

/** Answered by 2002. */
export interface AddressFault {
  readonly ok: false
  readonly literal: string
  readonly desc: string
}

const PREFIX = /^\/?WAPPUSH=/i
const BARE_URI = /^(?:sips?:|tel:)[\x21-\x7e]+$/i
/** Type and PPG specifier; a qualifier before them may hold an @ but neither / nor = (WAP-249 section 6.1). */
const END = /\/TYPE=([A-Za-z0-9_]+)\/?(?:@([A-Za-z0-9][A-Za-z0-9-]*(?:\.[A-Za-z0-9][A-Za-z0-9-]*)*))?$/i
const KEYWORD = /^[A-Za-z0-9-]+$/
const QUALIFIER = /^[\x20-\x2e\x30-\x3c\x3e-\x7e]+$/
const ESCAPED = /^(?:[A-Za-z0-9+\-._]|%[0-9A-Fa-f]{2})+$/
const PLMN = /^\+[0-9][0-9.-]*$/
const IPV4 = /^\d{1,3}(?:\.\d{1,3}){3}$/
const IPV6 = /^[0-9A-Fa-f]{4}(?::[0-9A-Fa-f]{4}){7}$/
const MAN = /^\d{8}$/
// eslint-disable-next-line no-control-regex -- control characters are exactly what is looked for
const CONTROL = /[\0-\x1f\x7f]/

/** Parses one address-value. Never throws. */
export function parseAddress(literal: string): PapAddress | AddressFault {
  if (literal.length > ADDRESS_LENGTH_MAX) return { ok: false, literal, desc: `the address is longer than ${ADDRESS_LENGTH_MAX} characters` }
  const prefix = PREFIX.exec(literal)
  if (prefix === null) {
    if (BARE_URI.test(literal)) return { ok: true, literal, type: 'URI', value: literal, qualifiers: [], ppg: undefined }
    return fault(literal, 'begins neither with WAPPUSH= nor with sip:, sips: or tel:')
  }
  const end = END.exec(literal)
  if (end === null) return fault(literal, 'does not end in /TYPE= with a type and, after @, a domain name')
  const type = end[1]!.toUpperCase()
  const [written, ...pairs] = literal.slice(prefix[0].length, end.index).split('/')
  const qualifiers: (readonly [string, string])[] = []
  for (const pair of pairs) {
    const equals = pair.indexOf('=')
    const keyword = pair.slice(0, Math.max(equals, 0))
    const qualifier = pair.slice(equals + 1)
    if (!KEYWORD.test(keyword) || !QUALIFIER.test(qualifier)) return fault(literal, 'has a malformed qualifier before /TYPE=')
    qualifiers.push([keyword.toLowerCase(), qualifier])
  }
  const value = valueOf(type, written!)
  if (value === undefined) return fault(literal, VALUE_FAULTS[type] ?? 'has a value that is empty or not escaped as %HH')
  return { ok: true, literal, type, value, qualifiers, ppg: end[2]?.toLowerCase() }
}

const VALUE_FAULTS: Readonly<Record<string, string>> = {
  PLMN: 'is of type PLMN and must hold + and digits, e.g. WAPPUSH=+35799100200/TYPE=PLMN@ppg.example',
  IPV4: 'is of type IPv4 and must hold four numbers of 0 to 255',
  IPV6: 'is of type IPv6 and must hold eight groups of four hexadecimal digits',
  MAN: 'is of type MAN and must hold eight digits',
}

function valueOf(type: string, written: string): string | undefined {
  switch (type) {
    case 'PLMN':
      return PLMN.test(written) ? written.replaceAll(/[.-]/g, '') : undefined
    case 'IPV4':
      return IPV4.test(written) && written.split('.').every((part) => Number(part) <= 255) ? written : undefined
    case 'IPV6':
      return IPV6.test(written) ? written : undefined
    case 'MAN':
      return MAN.test(written) ? written : undefined
    default:
      return ESCAPED.test(written) ? unescapeValue(written) : undefined
  }
}

/** `%HH` stands for an octet of UTF-8; undefined where the octets are none, or hold a control character that no identity has. */
function unescapeValue(written: string): string | undefined {
  if (!written.includes('%')) return written
  try {
    const value = decodeURIComponent(written)
    return CONTROL.test(value) ? undefined : value
  } catch {
    return undefined
  }
}

const UNSAFE = /[^A-Za-z0-9+\-._]/gu

/** An identity as an address of type USER at a gateway, e.g. `WAPPUSH=sip%3Aanna%40example.org/TYPE=USER@ppg.example`. */
export function userAddress(identity: string, ppg: string): string {
  return `WAPPUSH=${identity.replace(UNSAFE, (character) => escapeOctets(character))}/TYPE=USER@${ppg}`
}

function escapeOctets(character: string): string {
  let text = ''
  for (const octet of Buffer.from(character, 'utf8')) text += `%${octet.toString(16).toUpperCase().padStart(2, '0')}`
  return text
}

function fault(literal: string, what: string): AddressFault {
  return { ok: false, literal, desc: `address "${literal.slice(0, 80)}" ${what}` }
}
