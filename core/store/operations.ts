/**
 * The store as machines see it: an ordered map from octets to octets, written in commits that are durable
 * or did not happen. Nothing here knows what a push is (records.ts does) or which engine keeps it.
 */

export type StoreOperation =
  | { readonly type: 'put'; readonly key: Buffer; readonly value: Buffer }
  | { readonly type: 'delete'; readonly key: Buffer }

export type StoreOut =
  /** All operations or none; answered by `committed` once flushed, or by `store-full`. Commits are applied in the order given. */
  | { readonly type: 'commit'; readonly ticket: number; readonly operations: readonly StoreOperation[] }
  /** Answered by `value`. Sees every commit already answered; may or may not see one that is still under way. */
  | { readonly type: 'read'; readonly ticket: number; readonly key: Buffer }
  /** At most `limit` rows with from <= key < to in key order, answered by `rows`. */
  | { readonly type: 'scan'; readonly ticket: number; readonly from: Buffer; readonly to: Buffer; readonly limit: number }

export type StoreIn =
  | { readonly type: 'committed'; readonly ticket: number }
  /** The commit was refused because the disk or the map is full: nothing of it was kept. */
  | { readonly type: 'store-full'; readonly ticket: number }
  | { readonly type: 'value'; readonly ticket: number; readonly value: Buffer | undefined }
  | { readonly type: 'rows'; readonly ticket: number; readonly rows: readonly StoreRow[] }

export interface StoreRow {
  readonly key: Buffer
  readonly value: Buffer
}

/*
 * A failed flush has no message: the driver stops acknowledging and ends the process, because a flush that
 * failed once cannot be trusted when repeated ("Can applications recover from fsync failures?", ATC 2020).
 */
