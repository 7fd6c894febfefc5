/**
 * Content-Transfer-Encoding (RFC 2045 section 6): the octets that a part's body stands for. Linear, no regular
 * expression over the body; the two encodings that mean "as is" return the same slice.
 */

export type Transferred = { readonly ok: true; readonly body: Buffer } | { readonly ok: false; readonly message: string }

const LF = 0x0a
const CR = 0x0d
const EQUALS = 0x3d

/** `encoding` is the header's value; undefined where there is none. */
export function decodeTransfer(body: Buffer, encoding: string | undefined): Transferred {
  const name = encoding?.trim().toLowerCase()
  switch (name) {
    case undefined:
    case '':
    case '7bit':
    case '8bit':
    case 'binary':
      return { ok: true, body }
    case 'base64':
      return decodeBase64(body)
    case 'quoted-printable':
      return decodeQuotedPrintable(body)
    default:
      return { ok: false, message: `Content-Transfer-Encoding "${name.slice(0, 40)}" is none of 7bit, 8bit, binary, base64, quoted-printable` }
  }
}

/** Line breaks and blanks are passed over (section 6.8); any other foreign octet, or a wrong length, is refused. */
function decodeBase64(body: Buffer): Transferred {
  let digits = 0
  let padding = 0
  for (const octet of body) {
    if (octet === EQUALS) padding += 1
    else if (isBase64Digit(octet)) {
      if (padding > 0) return { ok: false, message: 'base64 goes on after its padding' }
      digits += 1
    } else if (octet !== CR && octet !== LF && octet !== 0x20 && octet !== 0x09) {
      return { ok: false, message: `octet ${octet} does not belong to base64` }
    }
  }
  if (digits % 4 === 1 || padding > 2 || (padding > 0 && (digits + padding) % 4 !== 0)) {
    return { ok: false, message: 'base64 ends in the middle of a group' }
  }
  return { ok: true, body: Buffer.from(body.toString('latin1'), 'base64') }
}

function isBase64Digit(octet: number): boolean {
  return (octet >= 0x41 && octet <= 0x5a) || (octet >= 0x61 && octet <= 0x7a) || (octet >= 0x30 && octet <= 0x39) || octet === 0x2b || octet === 0x2f
}

/** Section 6.7: `=` and two digits, soft line breaks, and blanks at the end of a line that transport added. */
function decodeQuotedPrintable(body: Buffer): Transferred {
  const out = Buffer.allocUnsafe(body.length)
  let length = 0
  /** Length of the output up to the last octet that was not a literal blank. */
  let solid = 0
  for (let at = 0; at < body.length; at++) {
    const octet = body[at]!
    if (octet === 0x20 || octet === 0x09) {
      out[length++] = octet
    } else if (octet === LF || (octet === CR && body[at + 1] === LF)) {
      length = solid
      out[length++] = octet
      solid = length
      if (octet === CR) out[length++] = body[++at]!
      solid = length
    } else if (octet !== EQUALS) {
      out[length++] = octet
      solid = length
    } else {
      const soft = softBreakEnd(body, at + 1)
      if (soft > 0) {
        at = soft - 1
      } else {
        const value = hexDigit(body[at + 1]) * 16 + hexDigit(body[at + 2])
        if (Number.isNaN(value)) return { ok: false, message: 'quoted-printable holds "=" without two hexadecimal digits' }
        out[length++] = value
        at += 2
      }
      solid = length
    }
  }
  return { ok: true, body: out.subarray(0, solid) }
}

/** The offset behind a soft line break whose `=` stands before `at`; 0 when there is none. */
function softBreakEnd(body: Buffer, at: number): number {
  while (body[at] === 0x20 || body[at] === 0x09) at++
  if (at === body.length) return at
  if (body[at] === LF) return at + 1
  return body[at] === CR && body[at + 1] === LF ? at + 2 : 0
}

function hexDigit(octet: number | undefined): number {
  if (octet === undefined) return NaN
  if (octet >= 0x30 && octet <= 0x39) return octet - 0x30
  const letter = octet | 0x20
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : NaN
}
