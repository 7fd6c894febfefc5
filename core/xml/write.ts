/**
 * Text safe to stand in a document: the five escapes, line breaks that survive attribute normalisation, and no
 * character that XML 1.0 forbids. Knows characters only, no elements.
 */

// eslint-disable-next-line no-control-regex -- what XML 1.0 section 2.2 forbids is exactly what is looked for
const SPECIAL = /[&<>"'\0-\x1f\ufffe\uffff\ud800-\udfff]/
// eslint-disable-next-line no-control-regex -- as above; the u flag makes the last range match lone surrogates only
const SPECIALS = /[&<>"'\0-\x1f\ufffe\uffff\ud800-\udfff]/gu

/** Data as attribute value or character data. Forbidden characters are left out; tab, LF and CR become references. */
export function escapeXml(data: string): string {
  return SPECIAL.test(data) ? data.replace(SPECIALS, escapeCharacter) : data
}

function escapeCharacter(character: string): string {
  switch (character) {
    case '&': return '&amp;'
    case '<': return '&lt;'
    case '>': return '&gt;'
    case '"': return '&quot;'
    case "'": return '&apos;'
    case '\t': return '&#9;'
    case '\n': return '&#10;'
    case '\r': return '&#13;'
    default: return ''
  }
}
