/** How the attempts of a window left the initiator: which never did, and how long they waited for a connection. Knows the joined rows. */
import type { Micros } from '../../core/kit/time.js'
import type { Window } from './measures.js'
import type { Tables } from './tables.js'

export interface Sending {
  /** Attempts that were planned and never sent. */
  readonly unsent: number
  /** From being taken up to leaving over a connection that was free or new, at the 99th percentile by nearest rank; 0 where none was sent. */
  readonly connectionWaitP99Micros: Micros
}

export function sendingOf({ attempts }: Tables, window: Window): Sending {
  const waits: Micros[] = []
  let unsent = 0
  for (let attempt = 0; attempt < attempts.length; attempt++) {
    const plannedAt = attempts.plannedAt.get(attempt)
    if (!(plannedAt >= window.from && plannedAt < window.to)) continue
    if (attempts.sentAt.has(attempt)) waits.push(attempts.sentAt.get(attempt) - attempts.takenAt.get(attempt))
    else unsent++
  }
  const sorted = Float64Array.from(waits).sort()
  return { unsent, connectionWaitP99Micros: sorted[Math.ceil(0.99 * sorted.length) - 1] ?? 0 }
}
