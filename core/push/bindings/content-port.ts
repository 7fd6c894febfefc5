/**
 * The gateway's side of large contents: who waits for which octets of which file. Knows windows, not what is in them.
 */
import { ChurnMap } from '../../kit/churn-map.js'
import type { Now } from '../../kit/time.js'
import type { ContentFile } from '../../store/content.js'
import type { Outbox } from '../outbox.js'

export interface ContentWaiter {
  /** Undefined when the file cannot be read. */
  contentRead(now: Now, bytes: Buffer | undefined): void
}

export class ContentPort {
  private ticket = 0
  private readonly reads = new ChurnMap<ContentWaiter, number>(0)

  constructor(private readonly out: Outbox) {}

  /** Octets `offset` to `offset + length` of the file, which has them. */
  read(file: ContentFile, offset: number, length: number, waiter: ContentWaiter): void {
    this.reads.set(++this.ticket, waiter)
    this.out.add({ type: 'content-read', ticket: this.ticket, id: file.id, offset, length })
  }

  answered(now: Now, ticket: number, bytes: Buffer | undefined): void {
    const waiter = this.reads.get(ticket)
    this.reads.delete(ticket)
    waiter?.contentRead(now, bytes)
  }
}
