/**
 * The measured window second by second, or by longer pieces: what happened in each, by the time it happened, and how many pushes the
 * gateway held. Counts only; latencies by second are made from the samples of measures.ts.
 */
import type { Micros } from '../../core/kit/time.js'
import type { Tables } from './tables.js'
import type { Window } from './measures.js'

export interface IntervalCounts {
  planned: number
  sent: number
  accepted: number
  refused: number
  delivered: number
  outcomes: Record<string, number>
  /** Held by the gateway at the end of the second, warm-up pushes included. */
  inFlight: number
}

const SECOND = 1_000_000

/** @param lengthMicros of each; a second when absent */
export function intervalsOf({ attempts, deliveries }: Tables, window: Window, lengthMicros: Micros = SECOND): IntervalCounts[] {
  const count = Math.max(1, Math.ceil((window.to - window.from) / lengthMicros))
  const seconds: IntervalCounts[] = Array.from({ length: count }, () => ({ planned: 0, sent: 0, accepted: 0, refused: 0, delivered: 0, outcomes: {}, inFlight: 0 }))
  const at = (instant: number): IntervalCounts | undefined => seconds[Math.floor((instant - window.from) / lengthMicros)]
  for (let attempt = 0; attempt < attempts.length; attempt++) {
    const planned = at(attempts.plannedAt.get(attempt))
    if (planned !== undefined) planned.planned++
    const sent = at(attempts.sentAt.get(attempt))
    if (sent !== undefined) sent.sent++
    const answered = at(attempts.answeredAt.get(attempt))
    if (answered !== undefined) answered[attempts.isAccepted(attempt) ? 'accepted' : 'refused']++
  }
  const change = new Array<number>(count).fill(0)
  // What came before the window is there from its first second on.
  const enter = (instant: number, by: number): void => {
    if (!(instant < window.to)) return
    change[Math.max(0, Math.floor((instant - window.from) / lengthMicros))]! += by
  }
  for (let delivery = 0; delivery < deliveries.length; delivery++) {
    if (!deliveries.acceptedAt.has(delivery)) continue
    enter(deliveries.acceptedAt.get(delivery), 1)
    if (!deliveries.outcomes.has(delivery)) continue
    const outcomeAt = deliveries.outcomeAt.get(delivery)
    enter(outcomeAt, -1)
    const second = at(outcomeAt)
    if (second === undefined) continue
    const state = deliveries.states.name(deliveries.state.get(delivery))
    if (state === 'delivered') second.delivered++
    else second.outcomes[state] = (second.outcomes[state] ?? 0) + 1
  }
  let inFlight = 0
  for (let index = 0; index < count; index++) seconds[index]!.inFlight = inFlight += change[index]!
  return seconds
}

/**
 * Little's law: the mean number the gateway held over the window by the journal's arrivals and times in the gateway
 * (L = lambda W, with stays clipped at the window's ends), against the mean of the gauge the gateway showed meanwhile.
 * OK within a quarter, or within three standard errors of the gauge's samples.
 */
export function littlesLaw({ deliveries }: Tables, window: Window, gauge: readonly number[]): { measured: number; predicted: number; ok: boolean } | undefined {
  if (gauge.length < 3) return undefined
  let stayMicros = 0
  for (let delivery = 0; delivery < deliveries.length; delivery++) {
    const from = Math.max(window.from, deliveries.acceptedAt.get(delivery))
    const to = Math.min(window.to, deliveries.outcomes.has(delivery) ? deliveries.outcomeAt.get(delivery) : Infinity)
    if (to > from) stayMicros += to - from
  }
  const predicted = stayMicros / (window.to - window.from)
  const measured = gauge.reduce((sum, value) => sum + value, 0) / gauge.length
  const variance = gauge.reduce((sum, value) => sum + (value - measured) ** 2, 0) / (gauge.length - 1)
  const ok = Math.abs(measured - predicted) <= Math.max(predicted / 4, 3 * Math.sqrt(variance / gauge.length), 1)
  return { measured, predicted, ok }
}
