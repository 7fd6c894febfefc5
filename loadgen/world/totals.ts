/**
 * What a simulated day comes to, in numbers that add up: of the push-ids of one hour, of one shard, of all. Latencies are not
 * here: their histograms add up by themselves. Knows sums, not where they come from.
 */
import type { Ledger, LedgerFindings } from '../../reports/record.js'
import type { IntervalCounts } from '../reconcile/intervals.js'
import type { RowResult } from '../reconcile/measures.js'
import { ROWS, type RowName } from '../scenario.js'
import type { GroupCounts } from '../reconcile/tables.js'

type LedgerCounts = { -readonly [Key in keyof typeof Ledger.Type]: number }
type Findings = typeof LedgerFindings.Type

export interface BindingTotals {
  pushes: number
  delivered: number
}

export interface Totals {
  readonly ledger: LedgerCounts
  balanced: boolean
  readonly lost: Findings['lost'][number][]
  readonly duplicated: Findings['duplicated'][number][]
  /** Remarks with how often each was made. */
  readonly notes: Map<string, number>
  readonly rows: Record<RowName, RowResult>
  readonly intervals: IntervalCounts[]
  /** By `outcome TAB cause`. */
  readonly causes: Map<string, number>
  readonly bindings: Map<string, BindingTotals>
  readonly groups: Map<string, GroupCounts>
  readonly deviceStatuses: Map<string, number>
}

const FINDINGS_MAX = 100

export function noTotals(intervals: number): Totals {
  return {
    ledger: {
      attempted: 0, accepted: 0, refused: 0, unanswered: 0, recovered: 0,
      delivered: 0, undeliverable: 0, rejected: 0, expired: 0, cancelled: 0, aborted: 0, timeout: 0, unknown: 0, inFlight: 0, lost: 0, duplicated: 0,
    },
    balanced: true,
    lost: [],
    duplicated: [],
    notes: new Map(),
    rows: Object.fromEntries(ROWS.map((row) => [row, { attempts: 0, asExpected: 0, inadequatelyHandled: 0 }])) as Record<RowName, RowResult>,
    intervals: Array.from({ length: intervals }, () => ({ planned: 0, sent: 0, accepted: 0, refused: 0, delivered: 0, outcomes: {}, inFlight: 0 })),
    causes: new Map(),
    bindings: new Map(),
    groups: new Map(),
    deviceStatuses: new Map(),
  }
}

/** Adds `part` to `whole`. Both have the same intervals. */
export function addTotals(whole: Totals, part: Totals): void {
  for (const name of Object.keys(whole.ledger) as (keyof LedgerCounts)[]) whole.ledger[name] += part.ledger[name]
  whole.balanced &&= part.balanced
  for (const finding of part.lost) if (whole.lost.length < FINDINGS_MAX) whole.lost.push(finding)
  for (const finding of part.duplicated) if (whole.duplicated.length < FINDINGS_MAX) whole.duplicated.push(finding)
  for (const row of ROWS) for (const name of ['attempts', 'asExpected', 'inadequatelyHandled'] as const) whole.rows[row][name] += part.rows[row][name]
  for (let index = 0; index < whole.intervals.length; index++) addInterval(whole.intervals[index]!, part.intervals[index]!)
  for (const table of ['notes', 'causes', 'deviceStatuses'] as const) for (const [name, count] of part[table]) countOf(whole[table], name, count)
  for (const [name, { pushes, delivered }] of part.bindings) {
    const sum = whole.bindings.get(name) ?? { pushes: 0, delivered: 0 }
    whole.bindings.set(name, { pushes: sum.pushes + pushes, delivered: sum.delivered + delivered })
  }
  for (const [name, { received, repeats, refused }] of part.groups) {
    const sum = whole.groups.get(name) ?? { received: 0, repeats: 0, refused: 0 }
    whole.groups.set(name, { received: sum.received + received, repeats: sum.repeats + repeats, refused: sum.refused + refused })
  }
}

function addInterval(whole: IntervalCounts, part: IntervalCounts): void {
  for (const name of ['planned', 'sent', 'accepted', 'refused', 'delivered', 'inFlight'] as const) whole[name] += part[name]
  for (const [outcome, count] of Object.entries(part.outcomes)) whole.outcomes[outcome] = (whole.outcomes[outcome] ?? 0) + count
}

function countOf(table: Map<string, number>, name: string, by: number): void {
  table.set(name, (table.get(name) ?? 0) + by)
}
