/**
 * The ledger and what did not reconcile, from the joined journals. The definitions are those of reports/record.ts:
 * the unit is one attempt at one address; lost and duplicated are found push by push, never by comparing totals.
 */
import type { Ledger, LedgerFindings } from '../../reports/record.js'
import type { Tables } from './tables.js'

type Writable<Type> = { -readonly [Key in keyof Type]: Type[Key] }
type LedgerCounts = Writable<typeof Ledger.Type>

export const FINAL_OUTCOMES = ['delivered', 'undeliverable', 'rejected', 'expired', 'cancelled', 'aborted', 'timeout', 'unknown'] as const
export type FinalOutcome = (typeof FINAL_OUTCOMES)[number]

const FINDINGS_MAX = 100

export interface LedgerResult {
  readonly ledger: typeof Ledger.Type
  readonly findings: typeof LedgerFindings.Type
}

interface Found {
  readonly lost: { pushId: string; address: string; why: string }[]
  readonly notes: string[]
}

/** @param notified whether the scenario asked for result notifications */
export function ledgerOf(tables: Tables, notified: boolean): LedgerResult {
  const { deliveries } = tables
  const ledger: LedgerCounts = {
    attempted: 0, accepted: 0, refused: 0, unanswered: 0, recovered: 0,
    delivered: 0, undeliverable: 0, rejected: 0, expired: 0, cancelled: 0, aborted: 0, timeout: 0, unknown: 0, inFlight: 0, lost: 0, duplicated: 0,
  }
  const found: Found = { lost: [], notes: [] }
  countAttempts(tables, ledger, found)
  ledger.duplicated = tables.copies.length
  const contradictions = contradict(tables, ledger, notified, found)
  const accepted = FINAL_OUTCOMES.reduce((sum, outcome) => sum + ledger[outcome], ledger.inFlight)
  const balanced = contradictions === 0 && ledger.lost === 0
    && ledger.attempted === ledger.accepted + ledger.refused + ledger.unanswered && ledger.accepted === accepted
  const duplicated = tables.copies.slice(0, FINDINGS_MAX).map(({ delivery, instance, count }) => (
    { pushId: deliveries.pushIds[delivery]!, address: deliveries.addresses[delivery]!, instance, copies: count }))
  return { ledger, findings: { balanced, lost: found.lost, duplicated, notes: found.notes } }
}

function countAttempts(tables: Tables, ledger: LedgerCounts, found: Found): void {
  const { attempts, deliveries } = tables
  const takenBy = new Uint8Array(deliveries.length)
  let unplanned = 0
  for (let attempt = 0; attempt < attempts.length; attempt++) {
    const delivery = attempts.delivery.get(attempt)
    if (Number.isNaN(delivery)) {
      // A number nobody named is another shard's attempt.
      if (attempts.sentAt.has(attempt) || attempts.answer.has(attempt) || attempts.unanswered.has(attempt)) unplanned++
      continue
    }
    ledger.attempted++
    if (attempts.isAccepted(attempt)) {
      ledger.accepted++
      takenBy[delivery]!++
      countAccepted(tables, delivery, ledger, found)
    } else if (attempts.answer.has(attempt)) ledger.refused++
    else ledger.unanswered++
  }
  if (unplanned > 0) found.notes.push(`${unplanned} attempts have no planned line in the initiator's journal`)
  const recovered = new Set<number>()
  for (let attempt = 0; attempt < attempts.length; attempt++) {
    const delivery = attempts.delivery.get(attempt)
    if (Number.isNaN(delivery) || attempts.answer.has(attempt)) continue
    if (takenBy[delivery] === 0 && deliveries.acceptedAt.has(delivery)) recovered.add(delivery)
  }
  ledger.recovered = recovered.size
  const twice = takenBy.reduce((count, taken) => count + (taken > 1 ? 1 : 0), 0)
  if (twice > 0) found.notes.push(`${twice} push-ids were accepted more than once; a repeated push-id must be refused with 2007`)
}

function countAccepted({ deliveries }: Tables, delivery: number, ledger: LedgerCounts, found: Found): void {
  const lose = (why: string): void => {
    ledger.lost++
    if (found.lost.length < FINDINGS_MAX) found.lost.push({ pushId: deliveries.pushIds[delivery]!, address: deliveries.addresses[delivery]!, why })
  }
  if (deliveries.outcomes.has(delivery)) {
    const state = deliveries.states.name(deliveries.state.get(delivery))
    ledger[finalOutcome(state)]++
    if (state === 'delivered' && !deliveries.receivers.has(delivery)) lose('delivered by the gateway\'s word, and no terminal saw it')
  } else if (deliveries.inFlight.has(delivery)) ledger.inFlight++
  else lose(deliveries.acceptedAt.has(delivery) ? 'accepted, without an outcome and not in flight' : 'answered 1001, and unknown to the gateway\'s journal')
}

export function finalOutcome(state: string): FinalOutcome {
  return FINAL_OUTCOMES.find((outcome) => outcome === state) ?? 'unknown'
}

/** Where two journals cannot both be right. Returns how many of these unbalance the ledger. */
function contradict(tables: Tables, ledger: LedgerCounts, notified: boolean, found: Found): number {
  const { deliveries, foreign } = tables
  let unplanned = 0
  let doubleOutcomes = 0
  let seenUndelivered = 0
  let unnotified = 0
  let notifiedOtherwise = 0
  for (let delivery = 0; delivery < deliveries.length; delivery++) {
    if (!deliveries.planned.has(delivery)) unplanned++
    if (!deliveries.outcomes.has(delivery)) continue
    if (deliveries.outcomes.get(delivery) > 1) doubleOutcomes++
    const state = deliveries.state.get(delivery)
    if (deliveries.receivers.has(delivery) && deliveries.states.name(state) !== 'delivered') seenUndelivered++
    if (!deliveries.notifiedAt.has(delivery)) unnotified++
    else if (deliveries.notifiedState.get(delivery) !== state) notifiedOtherwise++
  }
  const { notes } = found
  if (doubleOutcomes > 0) notes.push(`${doubleOutcomes} pushes have more than one final outcome`)
  if (unplanned > 0) notes.push(`${unplanned} recipients are in the gateway's journal that the initiator never named`)
  if (foreign.count > 0) {
    const examples = foreign.examples.slice(0, 3).map(({ pushId, who }) => `${pushId} by ${who}`).join('; ')
    notes.push(`${foreign.count} journal lines name push-ids that the initiator never planned (${examples})`)
  }
  if (seenUndelivered > 0) notes.push(`${seenUndelivered} pushes reached a terminal although their outcome is not "delivered"`)
  if (notified && unnotified > 0) notes.push(`${unnotified} outcomes were not notified before the end of the run`)
  if (notifiedOtherwise > 0) notes.push(`${notifiedOtherwise} result notifications differ from the outcome in the gateway's journal`)
  if (tables.unreadable > 0) notes.push(`${tables.unreadable} journal lines could not be read${tables.unreadableAt === undefined ? '' : ` (the first: ${tables.unreadableAt})`}`)
  if (ledger.recovered > 0) notes.push(`${ledger.recovered} unanswered pushes had been taken by the gateway all the same`)
  return doubleOutcomes + unplanned + foreign.count + notifiedOtherwise
}
