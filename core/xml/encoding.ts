/**
 * Octets to text, as XML 1.0 section 4.3.3 and appendix F tell encodings apart: a byte order mark, else the XML
 * declaration, else UTF-8. Everything but UTF-8, UTF-16, US-ASCII and ISO-8859-1 is refused, and so is a false claim.
 */

export type Decoded = { readonly ok: true; readonly text: string } | { readonly ok: false; readonly message: string }

const DECLARED_ENCODING = /^<\?xml\s[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']/
// eslint-disable-next-line no-control-regex -- US-ASCII is exactly this range
const ASCII_ONLY = /^[\0-\x7f]*$/
const strictUtf8 = new TextDecoder('utf-8', { fatal: true })
const strictUtf16 = new TextDecoder('utf-16le', { fatal: true })

/** The text of a document without byte order mark and without whitespace before its first markup. */
export function decodeText(bytes: Buffer): Decoded {
  if (bytes.length >= 2) {
    if (bytes[0] === 0xff && bytes[1] === 0xfe) return decodeUtf16(bytes.subarray(2))
    if (bytes[0] === 0xfe && bytes[1] === 0xff) return decodeBigEndian(bytes.subarray(2))
  }
  const marked = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf
  const octets = marked ? bytes.subarray(3) : bytes
  const text = octets.toString('utf8').trimStart()
  const declared = text.startsWith('<?xml') ? DECLARED_ENCODING.exec(text)?.[1]?.toLowerCase() : undefined
  switch (declared) {
    case undefined:
    case 'utf-8':
    case 'utf8':
      // Wrong UTF-8 was replaced by U+FFFD; the slow decoder tells it from a U+FFFD that was sent.
      return text.includes('\ufffd') ? decodeStrictly(strictUtf8, octets, 'UTF-8') : { ok: true, text }
    case 'us-ascii':
    case 'ascii':
      return ASCII_ONLY.test(text) ? { ok: true, text } : { ok: false, message: 'the document claims US-ASCII and holds other octets' }
    case 'iso-8859-1':
      if (marked) return { ok: false, message: 'the document claims ISO-8859-1 behind a UTF-8 byte order mark' }
      return { ok: true, text: octets.toString('latin1').trimStart() }
    case 'utf-16':
      return { ok: false, message: 'the document claims UTF-16 and has no UTF-16 byte order mark' }
    default:
      return { ok: false, message: `encoding "${declared}" is not supported; use UTF-8, UTF-16, US-ASCII or ISO-8859-1` }
  }
}

function decodeUtf16(octets: Buffer): Decoded {
  return decodeStrictly(strictUtf16, octets, 'UTF-16')
}

function decodeBigEndian(octets: Buffer): Decoded {
  if (octets.length % 2 !== 0) return { ok: false, message: 'the document is not valid UTF-16' }
  return decodeUtf16(Buffer.from(octets).swap16())
}

function decodeStrictly(decoder: typeof strictUtf8, octets: Buffer, name: string): Decoded {
  try {
    return { ok: true, text: decoder.decode(octets).trimStart() }
  } catch {
    return { ok: false, message: `the document is not valid ${name}` }
  }
}
