/**
 * The journal file of a part: lines in, one write per 64 kB or 200 ms. A crash may tear the last line, which readers
 * skip (core/kit/journal.ts). It knows the file, not what the lines say. Lines become octets at once, in buffers used
 * in turn: kept as strings they would outlive their scavenge and be copied by it.
 */
import { createWriteStream, type WriteStream } from 'node:fs'
import type { JournalEventName } from '../kit/journal.js'
import { journalLine } from '../kit/journal.js'
import { monoMicros } from './clock.js'

const BUFFER_BYTES = 65_536
/** Buffers kept for the next lines: one is filled while another is written. A slow disk gets more, which are not kept. */
const SPARES_MAX = 2
/** UTF-8 takes at most so many octets for a character (UTF-16 code unit). */
const CHARACTER_BYTES_MAX = 3
const FLUSH_MILLIS = 200

export class JournalWriter {
  private buffer: Buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES)
  private used = 0
  private readonly spares: Buffer[] = []
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
    if (this.used + line.length * CHARACTER_BYTES_MAX > BUFFER_BYTES) {
      this.flush()
      // Longer than a whole buffer.
      if (line.length * CHARACTER_BYTES_MAX > BUFFER_BYTES) {
        if (!this.stream.errored) this.stream.write(line)
        return
      }
    }
    this.used += this.buffer.write(line, this.used)
    this.timer ??= setTimeout(this.flush, FLUSH_MILLIS)
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
    const { buffer, used } = this
    if (used === 0) return
    this.used = 0
    if (this.stream.errored) return
    this.buffer = this.spares.pop() ?? Buffer.allocUnsafeSlow(BUFFER_BYTES)
    this.stream.write(buffer.subarray(0, used), () => {
      if (this.spares.length < SPARES_MAX) this.spares.push(buffer)
    })
  }
}
