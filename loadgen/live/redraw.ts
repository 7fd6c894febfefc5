/**
 * What to write so that a terminal shows these lines in place of those: only what changed, so that nothing flickers. The cursor
 * stands at the begin of the row below the picture, before and after. Knows escapes, not what the lines say.
 */
import { widthOf } from '../text-style.js'

/** A terminal that knows these shows all of it at once; others pass over them. */
const SYNC_BEGIN = '\x1b[?2026h'
const SYNC_END = '\x1b[?2026l'

/** Empty when nothing changed. Rows that are no longer wanted are taken away. */
export function redraw(shown: readonly string[], lines: readonly string[]): string {
  if (shown.length === lines.length && lines.every((line, index) => line === shown[index])) return ''
  let text = shown.length === 0 ? '' : `\x1b[${shown.length}A`
  let passed = 0
  for (const [index, line] of lines.entries()) {
    if (line === shown[index]) {
      passed++
      continue
    }
    // First the new text and then what is left of the old: never a blank in between.
    text += `${down(passed)}${line}\x1b[K\r\n`
    passed = 0
  }
  text += down(passed)
  if (lines.length < shown.length) text += '\x1b[J'
  return SYNC_BEGIN + text + SYNC_END
}

function down(rows: number): string {
  return rows === 0 ? '' : `\x1b[${rows}B`
}

/** Takes the picture away, from a terminal that has this many columns by now: a narrower one has wrapped its lines. */
export function erase(shown: readonly string[], columns: number): string {
  const rows = shown.reduce((sum, line) => sum + Math.max(1, Math.ceil(widthOf(line) / Math.max(1, columns))), 0)
  return rows === 0 ? '' : `\x1b[${rows}A\r\x1b[J`
}
