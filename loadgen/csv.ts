/** Comma-separated values as RFC 4180 has them, with a header and line feeds. Knows text, not what is in it. */

/** A cell that is undefined is empty. */
export function csv(header: readonly string[], rows: readonly (readonly (string | number | undefined)[])[]): string {
  return [header, ...rows].map((cells) => `${cells.map(cell).join(',')}\n`).join('')
}

function cell(value: string | number | undefined): string {
  if (value === undefined) return ''
  const text = String(value)
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
