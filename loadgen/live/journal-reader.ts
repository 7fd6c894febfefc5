/** Reads a journal file event by event without holding it in memory. A torn last line is reported, not thrown. */
import { createReadStream } from 'node:fs'
import { parseJournalLine, type JournalEvent } from '../../core/kit/journal.js'

/** @param onEvent called for each line in order, the first being 1; `undefined` for a line that is none */
export async function readJournal(path: string, onEvent: (event: JournalEvent | undefined, line: number) => void): Promise<void> {
  let rest = ''
  let count = 0
  for await (const chunk of createReadStream(path, { encoding: 'utf8', highWaterMark: 1 << 20 }) as AsyncIterable<string>) {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop()!
    for (const line of lines) onEvent(parseJournalLine(line), ++count)
  }
  if (rest !== '') onEvent(parseJournalLine(rest), ++count)
}
