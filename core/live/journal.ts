/**
 * The journal file of a part: lines in, one write per 64 kB or 200 ms. A crash may tear the last line, which readers
 * skip (core/kit/journal.ts). It knows the file, not what the lines say.
 */
import { createWriteStream, type WriteStream } from 'node:fs'
import type { JournalEventName } from '../kit/journal.js'
import { journalLine } from '../kit/journal.js'
import { monoMicros } from './clock.js'

const BUFFER_CHARACTERS = 65_536
const FLUSH_MILLIS = 200

export class JournalWriter {
  private buffered = ''
  private timer: NodeJS.Timeout | undefined
  private readonly stream: WriteStream

  /** Appends to `path`, made where missing. `onFailure` is told once when it cannot be written; later lines are dropped. */
  constructor(path: string, onFailure: (error: Error) => void) {
    this.stream = createWriteStream(path, { flags: 'a' })
    this.stream.once('error', (error) => {
      this.stream.on('error', () => {})
      onFailure(new Error(`the journal ${path} cannot be written: ${error.message}`))
    })
  }

  /** One event, at the time of this call. */
  write(event: JournalEventName, pushId: string, address: string, details: readonly string[]): void {
    this.line(journalLine(monoMicros(), event, pushId, address, ...details))
  }

  /** One line as `journalLine` makes it. */
  line(line: string): void {
    this.buffered += line
    if (this.buffered.length >= BUFFER_CHARACTERS) this.flush()
    else this.timer ??= setTimeout(this.flush, FLUSH_MILLIS)
  }

  /** Resolves when every line given is with the system. */
  close(): Promise<void> {
    this.flush()
    return new Promise((resolve) => {
      if (this.stream.errored) resolve()
      else this.stream.close(() => resolve())
    })
  }

  private readonly flush = (): void => {
    clearTimeout(this.timer)
    this.timer = undefined
    if (this.buffered === '' || this.stream.errored) return
    this.stream.write(this.buffered)
    this.buffered = ''
  }
}
