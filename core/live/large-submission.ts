/**
 * A submission that is too large to be gathered: split as it streams in (core/pap/submission-stream.ts), its content held up
 * to the size of a small one and from there on written to a file. It knows sizes and files; HTTP and what a push says are others'.
 */
import { parseContentType } from '../mime/content-type.js'
import { isBoundary } from '../mime/multipart-stream.js'
import { SubmissionStream } from '../pap/submission-stream.js'
import { CONTENT_INLINE_MAX, type Content } from '../store/content.js'
import type { ContentStore, Upload } from './content-store.js'

export interface LargeLimits {
  /** Octets of everything but the content. */
  readonly documentBytesMax: number
  /** Octets of the content, its transfer encoding undone. */
  readonly contentBytesMax: number
}

export interface LargeDocument {
  /** As `PapRequest` has them. */
  readonly body: Buffer
  readonly content: Content
  readonly contentFault: string | undefined
}

/** The boundary of a type whose body can be split on the way; undefined for every other. */
export function streamedBoundary(contentType: string): string | undefined {
  const type = parseContentType(contentType)
  const boundary = type?.mediaType === 'multipart/related' ? type.parameters.get('boundary') : undefined
  return boundary !== undefined && isBoundary(boundary) ? boundary : undefined
}

export class LargeSubmission {
  private readonly stream: SubmissionStream
  private held: Buffer[] = []
  private contentOctets = 0
  private upload: Upload | undefined
  private failure: Error | undefined

  /** @param onRoom when the sender may go on after `push` said false */
  constructor(boundary: string, private readonly limits: LargeLimits, private readonly contents: ContentStore, private readonly onRoom: () => void) {
    this.stream = new SubmissionStream(boundary, (bytes) => this.content(bytes))
  }

  /** More than the limits allow: whatever comes now is of no use. */
  get isTooLarge(): boolean {
    return this.contentOctets > this.limits.contentBytesMax || this.stream.octetsKept > this.limits.documentBytesMax
  }

  /** Takes the next octets. False: wait for `onRoom` before more of them. */
  push(bytes: Buffer): boolean {
    this.stream.push(bytes)
    return this.upload === undefined || this.upload.hasRoom
  }

  /** The body is over. Rejects when the disk refused the content. Undefined when it turned out too large. */
  async finish(): Promise<LargeDocument | undefined> {
    const { body, contentFault } = this.stream.end()
    if (this.isTooLarge) {
      this.discard()
      return undefined
    }
    if (this.failure !== undefined) throw this.failure
    const content = this.upload === undefined ? Buffer.concat(this.held) : await this.upload.finish()
    return { body, content, contentFault }
  }

  /** The sender is gone, or was refused: nothing stays behind. */
  discard(): void {
    this.held = []
    this.upload?.discard()
  }

  private content(bytes: Buffer): void {
    this.contentOctets += bytes.length
    if (this.contentOctets > this.limits.contentBytesMax) return this.discard()
    if (this.upload !== undefined) return this.upload.write(bytes)
    // A copy: the octets belong to the network's buffer.
    this.held.push(Buffer.from(bytes))
    if (this.contentOctets <= CONTENT_INLINE_MAX) return
    this.upload = this.contents.upload(this.onRoom, (error) => {
      this.failure = error
      this.onRoom()
    })
    for (const piece of this.held.splice(0)) this.upload.write(piece)
  }
}
