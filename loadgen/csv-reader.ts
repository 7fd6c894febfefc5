/** Reads comma-separated values as RFC 4180 has them, line by line, so that a damaged line costs itself and no other. Knows text, not what is in it. */

export interface CsvLine {
  /** From 1; a cell with line breaks in it belongs to the line it begins in. */
  readonly line: number
  readonly cells: readonly string[]
  /** The text ended before the line did: it was torn, or is still being written. */
  readonly torn: boolean
}

export function readCsv(text: string): CsvLine[] {
  const lines: CsvLine[] = []
  let [at, line] = [0, 1]
  while (at < text.length) {
    const begun = line
    const cells: string[] = []
    let cell = ''
    let quoted = false
    let ended = false
    for (; at < text.length && !ended; at++) {
      const character = text[at]!
      if (character === '\n') line++
      if (quoted) {
        if (character !== '"') cell += character
        else if (text[at + 1] === '"') cell += text[at++]!
        else quoted = false
      } else if (character === '"' && cell === '') quoted = true
      else if (character === ',') {
        cells.push(cell)
        cell = ''
      } else if (character === '\n') ended = true
      else if (character !== '\r' || text[at + 1] !== '\n') cell += character
    }
    cells.push(cell)
    if (cells.length > 1 || cells[0] !== '') lines.push({ line: begun, cells, torn: !ended })
  }
  return lines
}
