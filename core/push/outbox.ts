/** What the gateway's parts say to the world, in order, until the driver takes it. Knows no part and decides nothing. */
import { Fifo } from '../kit/fifo.js'
import type { JournalEventName } from '../kit/journal.js'
import type { GatewayCounters, GatewayOut } from './contract.js'

export class Outbox {
  private readonly waiting = new Fifo<GatewayOut>()

  add(out: GatewayOut): void {
    this.waiting.push(out)
  }

  journal(event: JournalEventName, pushId: string, address: string, ...details: string[]): void {
    this.waiting.push({ type: 'journal', event, pushId, address, details })
  }

  next(): GatewayOut | undefined {
    return this.waiting.shift()
  }
}

export function noCounts(): GatewayCounters {
  return {
    accepted: 0, refused: 0, shed: 0, inFlight: 0, waiting: 0, delivered: 0, undeliverable: 0, rejected: 0, expired: 0, aborted: 0,
    timeout: 0, cancelled: 0, unknown: 0, sipRequests: 0, sipRetries: 0, sessions: 0, sessionMessages: 0, notifications: 0, notificationRetries: 0, registrations: 0,
  }
}
