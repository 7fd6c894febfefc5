/**
 * A journal file written in large pieces, in order, without ever making the caller wait. Knows lines, not events.
 */
import { createWriteStream, type WriteStream } from 'node:fs'

const PIECE_CHARACTERS = 64 * 1024

export class JournalWriter {
  private readonly stream: WriteStream
  private pending: string[] = []
  private characters = 0
  private failure: Error | undefined

  constructor(path: string) {
    this.stream = createWriteStream(path, { flags: 'a' })
    this.stream.on('error', (error) => { this.failure = error })
  }

  /** @param line with its newline (`journalLine`) */
  write(line: string): void {
    this.pending.push(line)
    this.characters += line.length
    if (this.characters >= PIECE_CHARACTERS) this.flush()
  }

  flush(): void {
    if (this.characters === 0) return
    this.stream.write(this.pending.join(''))
    this.pending = []
    this.characters = 0
  }

  /** Resolves when everything is with the operating system; rejects when any write failed. */
  close(): Promise<void> {
    this.flush()
    return new Promise((resolve, reject) => {
      if (this.failure !== undefined) return reject(this.failure)
      this.stream.once('error', reject)
      this.stream.end(() => (this.failure === undefined ? resolve() : reject(this.failure)))
    })
  }
}
