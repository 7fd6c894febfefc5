/**
 * Which Request-URIs have something to send and may: three lines by priority, each first in, first out. A queue stands
 * in one line at a time; moving up leaves a stale entry behind that is passed over. Knows no delivery's inside.
 */
import { Fifo } from '../../kit/fifo.js'
import { NOT_QUEUED, type RequestQueue } from './recipients.js'

export class Lines {
  private readonly lines = [new Fifo<RequestQueue>(), new Fifo<RequestQueue>(), new Fifo<RequestQueue>()]

  /** Lines a queue up by the priority of its first ready delivery, unless a MESSAGE of it is pending. */
  add(queue: RequestQueue): void {
    const first = queue.ready.head
    if (first === undefined || queue.pending !== undefined || queue.line <= first.priority) return
    queue.line = first.priority
    this.lines[first.priority]!.push(queue)
  }

  next(): RequestQueue | undefined {
    for (let priority = 0; priority < this.lines.length; priority++) {
      const line = this.lines[priority]!
      for (let queue = line.shift(); queue !== undefined; queue = line.shift()) {
        if (queue.line !== priority) continue
        queue.line = NOT_QUEUED
        if (queue.ready.head !== undefined) return queue
      }
    }
    return undefined
  }

  get isEmpty(): boolean {
    for (const line of this.lines) if (line.length > 0) return false
    return true
  }
}
