/**
 * What a stopped gateway's store says of each recipient's end, as the lines its journal would hold. A killed gateway
 * takes the last lines of its journal along (they are written a few times a second); the store is what survived.
 */
import { openStore } from '../../core/live/store-lmdb.js'
import type { JournalEvent } from '../../core/kit/journal.js'
import { RowKind, kindEnd, kindStart } from '../../core/store/keys.js'
import type { StoreRow } from '../../core/store/operations.js'
import { decodeFinal, type FinalRecord } from '../../core/store/records.js'

export interface StoreContents {
  readonly outcomes: readonly FinalRecord[]
  /** Rows of submissions with a recipient without an outcome, and of notifications nobody acknowledged. */
  readonly pending: number
  readonly unacknowledged: number
}

export async function readStore(folder: string): Promise<StoreContents> {
  let rows: readonly StoreRow[] = []
  const store = await openStore(folder, {
    report: (input) => { if (input.type === 'rows') rows = input.rows },
    onFailure: (error) => { throw error },
  })
  const scan = (kind: RowKind): readonly StoreRow[] => {
    store.output({ type: 'scan', ticket: 0, from: kindStart(kind), to: kindEnd(kind), limit: Number.MAX_SAFE_INTEGER })
    return rows
  }
  try {
    const outcomes = scan(RowKind.Done).map(({ value }) => decodeFinal(value))
    return { outcomes, pending: scan(RowKind.Pending).length, unacknowledged: scan(RowKind.Unacknowledged).length }
  } finally {
    await store.close()
  }
}

/** `accepted` and `outcome` of one recipient; `mono` is a wall-clock time here, so nothing may be measured from it. */
export function asJournalEvents({ pushId, literal, acceptedAt, endedAt, state, code, sipStatus }: FinalRecord): [JournalEvent, JournalEvent] {
  return [
    { mono: acceptedAt * 1_000, event: 'accepted', pushId, address: literal, details: [] },
    { mono: endedAt * 1_000, event: 'outcome', pushId, address: literal, details: [state, String(code), '-', sipStatus === 0 ? '-' : String(sipStatus)] },
  ]
}
