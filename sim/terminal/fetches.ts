/**
 * Contents that terminals fetch because a push only named them (RFC 4483): asks the driver for each, checks what came
 * against what was said, and takes note. The push was answered before; only the content itself makes it received.
 */
import { ChurnMap } from '../../core/kit/churn-map.js'
import type { Now } from '../../core/kit/time.js'
import type { ExternalBody } from './external-body.js'
import type { FleetIn } from './fleet-contract.js'
import type { UsageHost } from './host.js'
import type { Terminal } from './terminal.js'

/** Fetches of one fleet under way; a push that needs one more is answered 486. */
export const FETCHES_MAX = 10_000

/** Journalled as if the sender had been told: nothing there any more, no answer, another content than was named. */
const EXPIRED = 410
const UNANSWERED = 408
const OTHER_CONTENT = 400
const TOO_LARGE = 413

interface Fetch {
  readonly terminal: Terminal
  readonly external: ExternalBody
  readonly target: string
  readonly pushId: string
}

export class Fetches {
  private readonly pending = new ChurnMap<Fetch, number>(0)
  private tickets = 0

  constructor(private readonly host: UsageHost) {}

  get size(): number {
    return this.pending.size
  }

  get isFull(): boolean {
    return this.pending.size >= FETCHES_MAX
  }

  begin(now: Now, terminal: Terminal, external: ExternalBody, target: string, pushId: string): void {
    const { expiresAt, size } = external
    // RFC 4483 section 5.7: it is not to be fetched after its expiration.
    if (expiresAt !== undefined && expiresAt <= now.wall) return this.failed({ terminal, external, target, pushId }, EXPIRED)
    const ticket = ++this.tickets
    this.pending.set(ticket, { terminal, external, target, pushId })
    this.host.emit({ type: 'fetch', ticket, url: external.url, bytesMax: Math.min(size ?? Infinity, terminal.device.capabilities.sizeMax) })
  }

  ended(input: Extract<FleetIn, { type: 'fetched' | 'fetch-failed' }>): void {
    const fetch = this.pending.get(input.ticket)
    if (fetch === undefined) return
    this.pending.delete(input.ticket)
    // A device that was switched off meanwhile has lost it.
    if (!fetch.terminal.isOn || input.type === 'fetch-failed') return this.failed(fetch, UNANSWERED)
    if (input.status !== 200) return this.failed(fetch, input.status)
    const { size, sha1 } = fetch.external
    if ((size !== undefined && size !== input.bytes) || (sha1 !== undefined && sha1 !== input.sha1)) return this.failed(fetch, OTHER_CONTENT)
    if (input.bytes > fetch.terminal.device.capabilities.sizeMax) return this.failed(fetch, TOO_LARGE)
    this.host.counters.fetched += 1
    this.host.reception.taken(fetch.terminal, fetch.target, fetch.pushId, 'indirection')
  }

  private failed({ terminal, target, pushId }: Fetch, status: number): void {
    this.host.counters.fetchesFailed += 1
    this.host.reception.rejected(terminal, target, pushId, status, 'indirection')
  }
}
