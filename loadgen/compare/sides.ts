/** What is compared: two sides of runs, each read from its record. Types, and which runs count. Knows no file system. */
import type { RunRecord } from '../../reports/record.js'

export interface ReadRun {
  /** The record's file, as it was named. */
  readonly file: string
  readonly record: RunRecord
  /** The scenario's keys, dotted, with their values as written; what a record of before a key says nothing of has the default. */
  readonly scenario: ReadonlyMap<string, string>
}

export interface Side {
  readonly name: string
  /** In the order in which they were performed; at least one. */
  readonly runs: readonly ReadRun[]
}

/** Why a run is in no figure; undefined for one that counts. */
export function leftOut({ record }: ReadRun): string | undefined {
  if (!record.verdict.valid) return `invalid: ${record.verdict.reasons[0] ?? 'no reason is given'}`
  return record.endedEarly === undefined ? undefined : `its load was ended early: ${record.endedEarly}`
}
