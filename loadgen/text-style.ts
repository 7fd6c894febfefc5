/** Terminal text: emphasis by ANSI escapes, or none at all, and lines that fit. Knows escapes, not when they are wanted. */

export interface Style {
  bold(text: string): string
  dim(text: string): string
  good(text: string): string
  bad(text: string): string
  warn(text: string): string
  accent(text: string): string
  /** Good news in passing. */
  fine(text: string): string
}

const PLAIN: Style = { bold: same, dim: same, good: (text) => text.trim(), bad: (text) => text.trim(), warn: same, accent: same, fine: same }

const COLOURED: Style = {
  bold: (text) => `\x1b[1m${text}\x1b[22m`,
  dim: (text) => `\x1b[2m${text}\x1b[22m`,
  // Black on green, white on red: readable on light and dark terminals alike.
  good: (text) => `\x1b[30;42m${text}\x1b[0m`,
  bad: (text) => `\x1b[97;41m${text}\x1b[0m`,
  warn: (text) => `\x1b[33m${text}\x1b[39m`,
  accent: (text) => `\x1b[36m${text}\x1b[39m`,
  fine: (text) => `\x1b[32m${text}\x1b[39m`,
}

export function styled(colour: boolean): Style {
  return colour ? COLOURED : PLAIN
}

function same(text: string): string {
  return text
}

const ESCAPE = /\x1b\[[0-9;]*m/g

/** Columns a line takes: escapes take none. */
export function widthOf(line: string): number {
  return line.replace(ESCAPE, '').length
}

/** A line of at most so many columns; what is emphasised ends with it. */
export function cutTo(line: string, columns: number): string {
  if (line.length <= columns || widthOf(line) <= columns) return line
  let shown = 0
  let index = 0
  while (shown < columns) {
    if (line[index] === '\x1b') index = line.indexOf('m', index) + 1
    else {
      shown++
      index++
    }
  }
  return line.includes('\x1b') ? `${line.slice(0, index)}\x1b[0m` : line.slice(0, index)
}

const COLUMNS = 80

/** Words in lines of at most 80 columns. */
export function wrapped(text: string, first: string, others: string): string[] {
  const lines: string[] = []
  let line = first
  let empty = true
  for (const word of text.replaceAll('\n', ' ').split(' ')) {
    if (!empty && line.length + 1 + word.length > COLUMNS) {
      lines.push(line)
      line = others
      empty = true
    }
    line += empty ? word : ` ${word}`
    empty = false
  }
  lines.push(line)
  return lines
}
