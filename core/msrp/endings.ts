/**
 * How the last messages of one session ended, so that one that comes again is known (RFC 4975 section 7.3.1). Numbers only: a session
 * that is kept receives thousands, and what is remembered of them must not be the collector's work. Knows no message.
 */
import { digestOf } from '../kit/text-digest.js'

const NONE = -1

export class Endings {
  private readonly digests: number[] = []
  /** Octets of a complete message; a refused one's status, negative. */
  private readonly ends: number[] = []
  private next = 0

  /** @param most how many are remembered; then the oldest goes */
  constructor(private readonly most: number) {}

  /** The octets of a message that was complete, or the negative status it was refused with; undefined for one not remembered. */
  of(messageId: string): number | undefined {
    const index = this.digests.indexOf(digestOf(messageId))
    return index < 0 ? undefined : this.ends[index]
  }

  completed(messageId: string, totalBytes: number): void {
    this.remember(messageId, totalBytes)
  }

  refused(messageId: string, status: number): void {
    this.remember(messageId, -status)
  }

  forget(messageId: string): void {
    const index = this.digests.indexOf(digestOf(messageId))
    if (index >= 0) this.digests[index] = NONE
  }

  private remember(messageId: string, end: number): void {
    const digest = digestOf(messageId)
    const known = this.digests.indexOf(digest)
    const index = known < 0 ? this.next : known
    this.digests[index] = digest
    this.ends[index] = end
    if (known < 0) this.next = (this.next + 1) % this.most
  }
}
