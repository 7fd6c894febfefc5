/**
 * The store of core/store/operations.ts on disk, by LMDB: commits of a turn are gathered into one transaction, one
 * transaction is under way at a time, and `committed` is told only when it was flushed. Reads come straight from the
 * memory map. It knows keys and values, not what they mean.
 */
import { statfsSync } from 'node:fs'
import { join } from 'node:path'
import { open, type RootDatabase } from 'lmdb'
import { bug } from '../kit/assert.js'
import type { Micros } from '../kit/time.js'
import type { StoreIn, StoreOperation, StoreOut } from '../store/operations.js'
import { monoMicros } from './clock.js'
import { lockFolder, type FolderLock } from './folder-lock.js'
import { roomLeft } from './room-left.js'

/** A commit that the system refused for want of room, and of which nothing was kept: ENOSPC, EDQUOT, EFBIG, MDB_MAP_FULL. */
const FULL_CODES: ReadonlySet<unknown> = new Set([28, 122, 27, -30792])

/**
 * LMDB calls a write that the system cut short an I/O error: the last of the room was less than a batch needs. With as little room as that left it is taken for
 * what it is; nothing of the batch was kept either way, since a commit whose flush failed is none. With room enough the disk itself is at fault.
 */
const EIO = 5
const SHORT_WRITE_ROOM_OCTETS = 16 * 1_024 * 1_024

/** statfs(2) magic numbers of file systems that live in memory. */
const MEMORY_FILE_SYSTEMS: ReadonlySet<number> = new Set([0x01021994, 0x858458f6])

/** Where LMDB keeps everything. */
const DATA_FILE = 'data.mdb'

/** Octets as given, in a folder of its own, whatever the folder's name looks like. */
export const STORE_ENCODING = { encoding: 'binary', keyEncoding: 'binary', noSubdir: false } as const

/**
 * No cache above the memory map. With overlappingSync off a write's promise is kept when LMDB's own
 * commit returned, which flushed data and root. We gather a turn ourselves, so LMDB need not do it again
 * (eventTurnBatching): within `batch` its single writes then make no promises of their own.
 */
const OPTIONS = { ...STORE_ENCODING, overlappingSync: false, eventTurnBatching: false } as const

/** So often, in batches, it is looked whether a reader died: LMDB would keep everything deleted since for it, for good. */
const READER_CHECK_BATCHES = 256

export interface StoreCounters {
  commits: number
  /** Transactions, each flushed once. */
  batches: number
  /** Commits refused because there was no room. */
  full: number
}

export interface StoreEvents {
  /** Answers to `output`, in the order LMDB gives them; may be called from within `output`. */
  readonly report: (input: StoreIn) => void
  /** A write or flush failed. Nothing is acknowledged any more: end the process, the disk cannot be trusted. */
  readonly onFailure: (error: Error) => void
  /** One flushed batch: time from its first commit to the end of its flush, and how many commits it held. */
  readonly onBatch?: (micros: Micros, commits: number) => void
}

/** Opens or creates the store in `folder`; rejects when another process has it, in words. */
export async function openStore(folder: string, events: StoreEvents): Promise<LmdbStore> {
  const lock = await lockFolder(folder)
  try {
    return new LmdbStore(folder, lock, open<Buffer, Buffer>({ path: folder, ...OPTIONS }), events)
  } catch (error) {
    await lock.release()
    throw new Error(`the store in ${folder} cannot be opened: ${error instanceof Error ? error.message : String(error)}`)
  }
}

export class LmdbStore {
  readonly counters: StoreCounters = { commits: 0, batches: 0, full: 0 }
  /** Set where what is flushed does not survive a loss of power, in words for people. */
  readonly warning: string | undefined
  private tickets: number[] = []
  private operations: (readonly StoreOperation[])[] = []
  private gatheredAt: Micros = 0
  private writing: Promise<void> | undefined
  private failed = false
  private readonly file: string

  constructor(
    folder: string,
    private readonly lock: FolderLock,
    private readonly database: RootDatabase<Buffer, Buffer>,
    private readonly events: StoreEvents,
  ) {
    this.file = join(folder, DATA_FILE)
    this.warning = MEMORY_FILE_SYSTEMS.has(statfsSync(folder).type)
      ? `the store in ${folder} lies on a file system in memory: nothing there survives a loss of power; choose a folder on a disk`
      : undefined
  }

  output(output: StoreOut): void {
    switch (output.type) {
      case 'commit':
        if (this.tickets.push(output.ticket) === 1) this.gatheredAt = monoMicros()
        this.operations.push(output.operations)
        return
      case 'read':
        this.events.report({ type: 'value', ticket: output.ticket, value: this.database.get(output.key) })
        return
      case 'scan': {
        const range = this.database.getRange({ ...(output.from.length === 0 ? {} : { start: output.from }), end: output.to, limit: output.limit })
        this.events.report({ type: 'rows', ticket: output.ticket, rows: [...range] })
        return
      }
    }
  }

  /** Whether a flushed row has this key. */
  has(key: Buffer): boolean {
    return this.database.get(key) !== undefined
  }

  /** Starts writing what was gathered, unless a batch is under way: then what waits becomes the next one. */
  flush(): void {
    if (this.tickets.length === 0 || this.writing !== undefined || this.failed) return
    this.writing = this.write()
  }

  /** Writes and flushes what was given, then closes. */
  async close(): Promise<void> {
    do {
      this.flush()
      await this.writing
    } while (this.tickets.length > 0 && !this.failed)
    await this.database.close()
    await this.lock.release()
  }

  private async write(): Promise<void> {
    const { tickets, gatheredAt } = this
    const operations = this.operations
    this.tickets = []
    this.operations = []
    let full = false
    try {
      await this.database.batch(() => {
        for (const commit of operations) for (const operation of commit) this.apply(operation)
      })
    } catch (error) {
      const cause = await causeOf(error)
      full = this.isFull((cause as { code?: unknown }).code)
      if (!full) {
        this.failed = true
        this.writing = undefined
        this.events.onFailure(new Error(`the store could not be written or flushed, so nothing more may be acknowledged: ${cause.message}`))
        return
      }
    }
    this.writing = undefined
    this.counters.batches += 1
    if (this.counters.batches % READER_CHECK_BATCHES === 0) this.database.readerCheck()
    if (full) this.counters.full += tickets.length
    else {
      this.counters.commits += tickets.length
      this.events.onBatch?.(monoMicros() - gatheredAt, tickets.length)
    }
    const type = full ? 'store-full' : 'committed'
    for (const ticket of tickets) this.events.report({ type, ticket })
    this.flush()
  }

  private isFull(code: unknown): boolean {
    return FULL_CODES.has(code) || (code === EIO && roomLeft(this.file) < SHORT_WRITE_ROOM_OCTETS)
  }

  private apply(operation: StoreOperation): void {
    if (operation.key.length === 0) bug('a store key has at least one octet')
    if (operation.type === 'put') void this.database.put(operation.key, operation.value)
    else void this.database.remove(operation.key)
  }
}

/** lmdb hides why a commit failed behind a second promise. */
async function causeOf(error: unknown): Promise<Error> {
  const hidden = (error as { commitError?: Promise<never> }).commitError
  if (hidden === undefined) return error instanceof Error ? error : new Error(String(error))
  return hidden.catch((cause: unknown) => (cause instanceof Error ? cause : new Error(String(cause))))
}
