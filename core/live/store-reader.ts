/**
 * A store for whoever only looks, while a gateway runs on it or not: opened for reading alone, as it is at one instant.
 * It holds up no gateway and takes no lock of its; what it may tell is decided in core/store/pushes.ts.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { open, type RootDatabase } from 'lmdb'
import { RowKind, kindEnd, kindStart } from '../store/keys.js'
import type { StoreRow } from '../store/operations.js'
import { pushesOf, type StoredPush } from '../store/pushes.js'
import { STORE_ENCODING } from './store-lmdb.js'

export type { StoredOutcome, StoredPush, StoredRecipient } from '../store/pushes.js'

/**
 * Hands the pushes of the store in `folder` to `look`, in the order of their acceptance, read as they are asked for, and
 * closes it when `look` is done; rejects in words for people when there is none. As long as that lasts, a gateway that runs on it cannot use again the room of what it deletes.
 */
export async function lookInside<Result>(folder: string, look: (pushes: Iterable<StoredPush>) => Promise<Result>): Promise<Result> {
  if (!existsSync(join(folder, 'data.mdb'))) throw new Error(`there is no store in ${folder}: name the folder that the gateway's configuration calls \`store\``)
  const database = opened(folder)
  const transaction = database.useReadTransaction()
  const range = (kind: RowKind): Iterable<StoreRow> => database.getRange({ start: kindStart(kind), end: kindEnd(kind), transaction })
  try {
    return await look(pushesOf({ pending: range(RowKind.Pending), done: range(RowKind.Done), legs: range(RowKind.Legs), unacknowledged: range(RowKind.Unacknowledged) }))
  } finally {
    transaction.done()
    await database.close()
  }
}

function opened(folder: string): RootDatabase<Buffer, Buffer> {
  try {
    return open<Buffer, Buffer>({ path: folder, ...STORE_ENCODING, readOnly: true })
  } catch (error) {
    throw new Error(`the store in ${folder} cannot be read: ${error instanceof Error ? error.message : String(error)}`)
  }
}
