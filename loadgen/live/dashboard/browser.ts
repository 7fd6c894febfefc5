/** One browser that looks: told what changed since it was last told, and only as fast as it listens. Knows events, not what they say. */
import type { ServerResponse } from 'node:http'
import type { Pieces } from './pieces.js'

/** After a lost connection the browser comes back so soon. */
const RETRY_MILLIS = 1_000

export class Browser {
  private shown: Pieces = {}
  private latest: Pieces = {}
  private isFull = false

  constructor(private readonly response: ServerResponse) {
    response.writeHead(200, { 'Content-Type': 'text/event-stream; charset=utf-8' })
    response.write(`retry: ${RETRY_MILLIS}\n\n`)
    response.on('drain', () => {
      this.isFull = false
      this.show(this.latest)
    })
    response.on('error', () => {})
  }

  /** While it has not taken what it was told, nothing more is kept for it than what is shown in the end. */
  show(pieces: Pieces): void {
    this.latest = pieces
    if (this.isFull) return
    const changed = Object.fromEntries(Object.entries(pieces).filter(([id, html]) => html !== this.shown[id]))
    this.shown = pieces
    if (Object.keys(changed).length > 0) this.tell('pieces', changed)
  }

  tell(event: string, data: unknown): void {
    this.isFull = !this.response.write(eventText(event, data))
  }

  end(words: string): void {
    this.response.end(eventText('over', words))
  }
}

/** JSON has no line ends, so one line holds it. */
function eventText(event: string, data: unknown): string {
  return `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`
}
