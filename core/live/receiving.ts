/**
 * The requests whose bodies are still coming, the one that has waited longest first, so that the overdue are found without
 * looking at the others. State is on the requests themselves. Knows instants, not HTTP.
 */
import type { Micros } from '../kit/time.js'

export interface Awaited<Self> {
  /** What it has to bring next is awaited since then; 0 when it is in no list. */
  awaitedSince: Micros
  previous: Self | undefined
  next: Self | undefined
}

export class Receiving<Request extends Awaited<Request>> {
  private first: Request | undefined
  private last: Request | undefined

  /** Puts it behind all others; also one that is in the list already. */
  await(request: Request, now: Micros): void {
    this.remove(request)
    request.awaitedSince = now
    request.previous = this.last
    if (this.last === undefined) this.first = request
    else this.last.next = request
    this.last = request
  }

  remove(request: Request): void {
    if (request.awaitedSince === 0) return
    request.awaitedSince = 0
    if (request.previous === undefined) this.first = request.next
    else request.previous.next = request.next
    if (request.next === undefined) this.last = request.previous
    else request.next.previous = request.previous
    request.previous = request.next = undefined
  }

  /** Takes out the one that is awaited longest, if since before `instant`. */
  overdue(instant: Micros): Request | undefined {
    const { first } = this
    if (first === undefined || first.awaitedSince > instant) return undefined
    this.remove(first)
    return first
  }
}
