/**
 * A push's content as MSRP reads it, a window at a time: octets at hand as they are, a file through the content port with the
 * next window asked for ahead. Knows offsets, not messages.
 */
import { assert } from '../../kit/assert.js'
import type { Now } from '../../kit/time.js'
import type { ContentSource } from '../../msrp/contract.js'
import { isInline, type Content, type ContentFile } from '../../store/content.js'
import type { ContentPort, ContentWaiter } from './content-port.js'

/** Octets of a file read at one time; a source holds up to three such windows. */
const WINDOW_OCTETS = 256 * 1024
const NOTHING = Buffer.alloc(0)

/** @param onReady octets that were not at hand are there now */
export function contentSource(content: Content, contents: ContentPort, onReady: (now: Now) => void): ContentSource {
  return isInline(content) ? new InlineSource(content) : new FileSource(content, contents, onReady)
}

class InlineSource implements ContentSource {
  constructor(private readonly content: Buffer) {}

  get size(): number {
    return this.content.length
  }

  read(offset: number, length: number): Buffer {
    return this.content.subarray(offset, offset + length)
  }
}

class FileSource implements ContentSource, ContentWaiter {
  /** What is at hand, from `start` on. */
  private window: Buffer = NOTHING
  private start = 0
  private ahead: Buffer | undefined
  private isReading = false
  private isAwaited = false
  private failed = false

  constructor(private readonly file: ContentFile, private readonly contents: ContentPort, private readonly onReady: (now: Now) => void) {}

  get size(): number {
    return this.file.size
  }

  read(offset: number, length: number): Buffer | undefined {
    // Fewer octets than asked for end the message as failed: the file is not what its row says.
    if (this.failed) return NOTHING
    assert(offset >= this.start && offset <= this.end, 'a content is read from its first octet on, none twice')
    if (offset + length > this.end) this.advance(offset)
    this.readAhead()
    if (offset + length <= this.end) return this.window.subarray(offset - this.start, offset - this.start + length)
    this.isAwaited = true
    return undefined
  }

  contentRead(now: Now, bytes: Buffer | undefined): void {
    this.isReading = false
    if (bytes === undefined) this.failed = true
    else this.ahead = bytes
    if (!this.isAwaited) return
    this.isAwaited = false
    this.onReady(now)
  }

  private get end(): number {
    return this.start + this.window.length
  }

  /** What was read ahead follows what is left of the window. */
  private advance(offset: number): void {
    if (this.ahead === undefined) return
    const rest = this.window.subarray(offset - this.start)
    this.window = rest.length === 0 ? this.ahead : Buffer.concat([rest, this.ahead])
    this.start = offset
    this.ahead = undefined
  }

  private readAhead(): void {
    if (this.isReading || this.ahead !== undefined || this.end >= this.file.size) return
    this.isReading = true
    this.contents.read(this.file, this.end, Math.min(WINDOW_OCTETS, this.file.size - this.end), this)
  }
}
