/**
 * What was measured, attempt by attempt in planned order: stage samples, results by row, causes. Attempts of the
 * warm-up are left out (they are in the ledger). Percentiles are made by whoever takes the samples.
 *
 * The stages of the whole run (firstSip, endToEnd, confirmation, notification) speak of pushes to recipients who were
 * online when pushed to; a push that waits for its recipient is measured by its own row's stage.
 */
import type { Micros } from '../../core/kit/time.js'
import { ROWS, type RowName } from '../scenario.js'
import type { Tables } from './tables.js'

/** Instants between which attempts are measured, host-monotonic. */
export interface Window {
  readonly from: Micros
  readonly to: Micros
}

/** STAGES of the record, and the stages that only rows have. */
export type StageName =
  | 'lag' | 'submit' | 'submitService' | 'firstSip' | 'endToEnd' | 'confirmation' | 'notification'
  | 'allDevices' | 'afterReturn' | 'expiry' | 'settled'

/** Which stage a row's delay limit is about. */
export const ROW_STAGE: Readonly<Record<RowName, StageName>> = {
  online: 'endToEnd', fanOut: 'allDevices', gruu: 'endToEnd', offlineReturns: 'afterReturn', expires: 'expiry', anyone: 'afterReturn', duplicate: 'submit', misbehaving: 'settled',
}

/** Whose recipients are there when they are pushed to. */
export const ONLINE_ROWS: ReadonlySet<RowName> = new Set(['online', 'fanOut', 'gruu'])

/** One sample: integer microseconds, never negative; `second` counts from the window's start by planned time. */
export type SampleSink = (stage: StageName, row: RowName, second: number, micros: Micros) => void

export interface RowResult {
  attempts: number
  asExpected: number
  inadequatelyHandled: number
}

/** The outcomes (`<message-state> <code>`) that are right for a push to this address, a bad peer's, given the binding of its last attempt, if any. */
export type Expectation = (address: string, last: string | undefined) => readonly string[]

/** Walks the measured attempts; samples come in order of the planned second. */
export function measure(tables: Tables, window: Window, limits: Readonly<Record<RowName, Micros>>, sink: SampleSink, expectation: Expectation): Record<RowName, RowResult> {
  const results = Object.fromEntries(ROWS.map((row) => [row, { attempts: 0, asExpected: 0, inadequatelyHandled: 0 }])) as Record<RowName, RowResult>
  const { attempts } = tables
  for (let attempt = 0; attempt < attempts.length; attempt++) {
    const plannedAt = attempts.plannedAt.get(attempt)
    if (!(plannedAt >= window.from && plannedAt < window.to)) continue
    const row = attempts.rowNames.name(attempts.row.get(attempt)) as RowName
    const result = results[row]
    if (result === undefined) continue
    const second = Math.floor((plannedAt - window.from) / 1_000_000)
    const own = ownStageMicros(tables, attempt, row)
    result.attempts++
    const waits = row === 'anyone' && stillWaits(tables, attempt)
    const expected = waits || asExpected(tables, attempt, row, expectation)
    if (expected) result.asExpected++
    // A late success is a failure; so is a success whose delay nobody could measure.
    if (!expected || !(waits || own <= limits[row])) result.inadequatelyHandled++
    emit(tables, attempt, row, second, sink)
    const stage = ROW_STAGE[row]
    if (!WHOLE_RUN.has(stage)) sample(sink, stage, row, second, own)
  }
  return results
}

const WHOLE_RUN: ReadonlySet<StageName> = new Set(['endToEnd', 'submit'])

function emit({ attempts, deliveries }: Tables, attempt: number, row: RowName, second: number, sink: SampleSink): void {
  const plannedAt = attempts.plannedAt.get(attempt)
  const sentAt = attempts.sentAt.get(attempt)
  const answeredAt = attempts.answeredAt.get(attempt)
  sample(sink, 'lag', row, second, attempts.takenAt.get(attempt) - plannedAt)
  sample(sink, 'submit', row, second, answeredAt - plannedAt)
  sample(sink, 'submitService', row, second, answeredAt - sentAt)
  const delivery = attempts.delivery.get(attempt)
  const isOnline = ONLINE_ROWS.has(row) || (row === 'anyone' && deliveries.deviceUpAt.get(delivery) <= plannedAt)
  if (!isOnline || !attempts.isAccepted(attempt)) return
  sample(sink, 'firstSip', row, second, deliveries.firstSipAt.get(delivery) - plannedAt)
  sample(sink, 'endToEnd', row, second, deliveries.receivedAt.get(delivery) - plannedAt)
  sample(sink, 'confirmation', row, second, deliveries.outcomeAt.get(delivery) - plannedAt)
  sample(sink, 'notification', row, second, deliveries.notifiedAt.get(delivery) - plannedAt)
}

/** What was not seen has no sample: NaN is dropped here, so that no histogram ever meets one. */
function sample(sink: SampleSink, stage: StageName, row: RowName, second: number, micros: number): void {
  if (micros >= 0) sink(stage, row, second, Math.round(micros))
}

/** The delay the row's limit is about; NaN when it cannot be told. */
function ownStageMicros(tables: Tables, attempt: number, row: RowName): number {
  const { attempts, deliveries } = tables
  const delivery = attempts.delivery.get(attempt)
  const plannedAt = attempts.plannedAt.get(attempt)
  switch (row) {
    case 'online':
    case 'gruu':
      return deliveries.receivedAt.get(delivery) - plannedAt
    case 'fanOut':
      return deliveries.receivedLastAt.get(delivery) - plannedAt
    case 'anyone':
      if (!deliveries.receivers.has(delivery)) return Math.max(0, deliveries.outcomeAt.get(delivery) - attempts.deliverBeforeAt.get(attempt))
      return afterReturn(tables, delivery, plannedAt)
    case 'offlineReturns':
      return afterReturn(tables, delivery, plannedAt)
    case 'expires':
      return Math.max(0, deliveries.outcomeAt.get(delivery) - attempts.deliverBeforeAt.get(attempt))
    case 'duplicate':
      return attempts.answeredAt.get(attempt) - plannedAt
    case 'misbehaving':
      return deliveries.outcomeAt.get(delivery) - plannedAt
  }
}

/** The run ended before its lifetime did. */
function stillWaits({ attempts, deliveries }: Tables, attempt: number): boolean {
  return deliveries.inFlight.get(attempts.delivery.get(attempt)) < attempts.deliverBeforeAt.get(attempt)
}

/** From the device being back, or the planned time when it was there. */
function afterReturn({ deliveries }: Tables, delivery: number, plannedAt: Micros): Micros {
  const upAt = deliveries.deviceUpAt.get(delivery)
  return deliveries.receivedAt.get(delivery) - (upAt > plannedAt ? upAt : plannedAt)
}

function asExpected({ attempts, deliveries }: Tables, attempt: number, row: RowName, expectation: Expectation): boolean {
  if (row === 'duplicate') return attempts.answer.has(attempt) && attempts.answers.name(attempts.answer.get(attempt)) === '2007'
  const delivery = attempts.delivery.get(attempt)
  if (!attempts.isAccepted(attempt) || !deliveries.outcomes.has(delivery)) return false
  const state = deliveries.states.name(deliveries.state.get(delivery))
  const seen = deliveries.receivers.has(delivery)
  if (row === 'expires') return state === 'expired' && !seen
  // Nobody is there in time, or nobody of that name is known (any more).
  if (row === 'anyone' && !seen) return state === 'expired' || deliveries.causes.name(deliveries.cause.get(delivery)).endsWith('SIP 404')
  if (row === 'misbehaving') {
    const last = deliveries.binding.has(delivery) ? deliveries.bindings.name(deliveries.binding.get(delivery)) : undefined
    return expectation(deliveries.addresses[delivery]!, last).includes(`${state} ${deliveries.code.get(delivery)}`) && (seen || state !== 'delivered')
  }
  if (state !== 'delivered' || !seen) return false
  return row !== 'fanOut' || !deliveries.branches.has(delivery) || deliveries.receivers.get(delivery) >= deliveries.branches.get(delivery)
}

export interface BindingCounts {
  readonly name: string
  pushes: number
  delivered: number
}

/**
 * Pushes by the binding of their last attempt, in the order of first use; those that were never sent have none.
 * @param sink planned time to the first device, of measured pushes whose recipient was online
 */
export function bindingsOf({ attempts, deliveries }: Tables, window: Window, sink: (binding: string, micros: Micros) => void): readonly BindingCounts[] {
  const rows = deliveries.bindings.list.map((name): BindingCounts => ({ name, pushes: 0, delivered: 0 }))
  for (let delivery = 0; delivery < deliveries.length; delivery++) {
    const row = rows[deliveries.binding.get(delivery)]
    if (row === undefined) continue
    row.pushes++
    if (deliveries.outcomes.has(delivery) && deliveries.states.name(deliveries.state.get(delivery)) === 'delivered') row.delivered++
  }
  for (let attempt = 0; attempt < attempts.length; attempt++) {
    const plannedAt = attempts.plannedAt.get(attempt)
    const delivery = attempts.delivery.get(attempt)
    const row = rows[deliveries.binding.get(delivery)]
    const micros = deliveries.receivedAt.get(delivery) - plannedAt
    if (row === undefined || !(plannedAt >= window.from && plannedAt < window.to) || !(micros >= 0)) continue
    if (attempts.isAccepted(attempt) && ONLINE_ROWS.has(attempts.rowNames.name(attempts.row.get(attempt)) as RowName)) sink(row.name, Math.round(micros))
  }
  return rows
}

/**
 * Everything but plain delivery, by outcome and cause, most frequent first. Attempts of the warm-up included, as in the ledger.
 * Beside the submissions the initiator saw answered 503 stands how many the gateway says it shed: it keeps nothing of them,
 * not even a line in its journal, since overload is answered before a push-id is read.
 * @param shed the gateway's own count of them
 */
export function causesOf({ attempts, deliveries }: Tables, shed: number): { outcome: string; cause: string; count: number }[] {
  const counts = new Map<string, number>()
  const add = (outcome: string, cause: string): void => {
    const key = `${outcome}\t${cause}`
    counts.set(key, (counts.get(key) ?? 0) + 1)
  }
  for (let attempt = 0; attempt < attempts.length; attempt++) {
    const delivery = attempts.delivery.get(attempt)
    if (Number.isNaN(delivery)) continue
    if (!attempts.answer.has(attempt)) add('unanswered', attempts.unanswered.has(attempt) ? attempts.reasons.name(attempts.unanswered.get(attempt)) : 'no answer when the run ended')
    else if (!attempts.isAccepted(attempt)) add('refused', refusal(attempts.answers.name(attempts.answer.get(attempt))))
    else if (deliveries.outcomes.has(delivery)) {
      const state = deliveries.states.name(deliveries.state.get(delivery))
      if (state !== 'delivered') add(state, deliveries.causes.name(deliveries.cause.get(delivery)))
    }
  }
  const causes = [...counts].map(([key, count]) => ({ outcome: key.split('\t')[0]!, cause: key.split('\t')[1]!, count })).sort((a, b) => b.count - a.count)
  if (shed > 0) causes.splice(causes.findIndex(({ cause }) => cause === SHED) + 1, 0, { outcome: 'shed', cause: `${SHED}, as the gateway counts`, count: shed })
  return causes
}

/** What a gateway with too much under way answers. */
export const SHED = 'HTTP 503'

function refusal(answer: string): string {
  return answer.startsWith('http-') ? `HTTP ${answer.slice(5)}` : `PAP ${answer}`
}
