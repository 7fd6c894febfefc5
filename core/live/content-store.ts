/**
 * Large contents as files beside the store, one each: written as they stream in, flushed with their folder before anyone may
 * name them, read in windows, deleted by name; what a crash left behind unnamed goes when it is opened. It knows octets, not pushes.
 */
import { createHash, randomBytes } from 'node:crypto'
import { mkdirSync, readdirSync, unlinkSync } from 'node:fs'
import { open, unlink, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import type { ContentFile } from '../store/content.js'
import { piecePassed } from './young-garbage.js'

/** Octets that are gathered for one write; an upload has two such buffers, one being filled while the other is written. */
const WRITE_OCTETS = 256 * 1024
const ID_OCTETS = 16
const FILE_NAME = /^[0-9a-f]{32}$/

export interface ContentCounters {
  /** Gauge: uploads being written. */
  uploads: number
  stored: number
  deleted: number
  /** Files of no push, found and deleted at the start. */
  swept: number
}

export class ContentStore {
  readonly counters: ContentCounters = { uploads: 0, stored: 0, deleted: 0, swept: 0 }

  /**
   * Makes the folder where there is none, and deletes every file in it that `isNamed` does not know. Throws when the
   * folder cannot be made or read.
   */
  constructor(private readonly folder: string, isNamed: (id: string) => boolean) {
    mkdirSync(folder, { recursive: true })
    for (const name of readdirSync(folder)) {
      if (!FILE_NAME.test(name) || isNamed(name)) continue
      unlinkSync(join(folder, name))
      this.counters.swept += 1
    }
  }

  /** @param onRoom called when it has room again; @param onFailure once, when the disk refuses */
  upload(onRoom: () => void, onFailure: (error: Error) => void): Upload {
    return new Upload(this.folder, randomBytes(ID_OCTETS).toString('hex'), this.counters, onRoom, onFailure)
  }

  /** `length` octets from `offset` on; rejects when they are not all there. */
  async read(id: string, offset: number, length: number): Promise<Buffer> {
    const file = await open(join(this.folder, id), 'r')
    try {
      const bytes = Buffer.allocUnsafeSlow(length)
      for (let done = 0; done < length; ) {
        const { bytesRead } = await file.read(bytes, done, length - done, offset + done)
        if (bytesRead === 0) throw new Error(`the content file ${id} ends at octet ${offset + done}, before ${offset + length}`)
        done += bytesRead
      }
      piecePassed(length)
      return bytes
    } finally {
      await file.close()
    }
  }

  /** A file that cannot be deleted now is found at the next start. */
  async delete(id: string): Promise<void> {
    try {
      await unlink(join(this.folder, id))
      this.counters.deleted += 1
    } catch {
      // No row names it any more.
    }
  }
}

/** One content on its way to its file. Ended by `finish` or `discard`, whichever comes first; after `discard` nothing is told. */
export class Upload {
  private readonly path: string
  private readonly hash = createHash('sha1')
  private readonly file: Promise<FileHandle>
  /** Being filled, and filled how far. */
  private filling: Buffer = Buffer.allocUnsafeSlow(WRITE_OCTETS)
  private filled = 0
  /** The other one, unless it is being written. */
  private spare: Buffer | undefined = Buffer.allocUnsafeSlow(WRITE_OCTETS)
  /** What came while both were full. */
  private behind: Buffer[] = []
  private size = 0
  private writing: Promise<void> | undefined
  private ended = false
  private failure: Error | undefined

  constructor(
    private readonly folder: string, private readonly id: string, private readonly counters: ContentCounters,
    private readonly onRoom: () => void, private readonly onFailure: (error: Error) => void,
  ) {
    this.path = join(folder, id)
    counters.uploads += 1
    this.file = open(this.path, 'wx', 0o600)
    this.file.catch((error: Error) => this.failed(error))
  }

  /** False: give it nothing more before `onRoom`. */
  get hasRoom(): boolean {
    return this.behind.length === 0
  }

  /** Takes a copy of the octets. Without effect after the end. */
  write(bytes: Buffer): void {
    if (this.ended) return
    this.hash.update(bytes)
    this.size += bytes.length
    if (this.hasRoom) this.fill(bytes)
    else this.behind.push(Buffer.from(bytes))
  }

  /** Everything is written and flushed, the folder too. Rejects when the disk refuses; the file is then gone. */
  async finish(): Promise<ContentFile> {
    while (this.writing !== undefined || this.filled > 0) {
      this.begin()
      await this.writing
    }
    if (this.failure !== undefined) throw this.failure
    this.ended = true
    const file = await this.file
    try {
      await flushAndClose(file)
      // The name is an entry of the folder, which a loss of power may forget (fsync(2)).
      await flushAndClose(await open(this.folder, 'r'))
    } catch (error) {
      await unlink(this.path).catch(() => {})
      throw error
    } finally {
      this.counters.uploads -= 1
    }
    this.counters.stored += 1
    return { id: this.id, size: this.size, sha1: this.hash.digest('hex') }
  }

  /** Gives up: no file stays behind. Without effect after the end. */
  discard(): void {
    if (this.ended) return
    this.ended = true
    this.filled = 0
    this.behind = []
    this.counters.uploads -= 1
    void this.remove()
  }

  private async remove(): Promise<void> {
    await this.writing
    const file = await this.file.catch(() => undefined)
    if (file === undefined) return
    await file.close().catch(() => {})
    await unlink(this.path).catch(() => {})
  }

  private fill(bytes: Buffer): void {
    let at = 0
    while (at < bytes.length) {
      const taken = bytes.copy(this.filling, this.filled, at)
      this.filled += taken
      at += taken
      if (this.filled < WRITE_OCTETS) return
      this.begin()
      // Both are full: the rest waits.
      if (this.filled === WRITE_OCTETS) break
    }
    if (at < bytes.length) this.behind.push(Buffer.from(bytes.subarray(at)))
  }

  /** Writes what is filled, if nothing is being written, and goes on with the other buffer. */
  private begin(): void {
    const { spare, filling, filled } = this
    if (spare === undefined || filled === 0) return
    this.spare = undefined
    this.filling = spare
    this.filled = 0
    this.writing = this.writeAll(filling, filled).then(() => this.wrote(filling), (error: Error) => {
      this.writing = undefined
      this.failed(error)
    })
  }

  private async writeAll(bytes: Buffer, length: number): Promise<void> {
    const file = await this.file
    for (let done = 0; done < length; ) {
      done += (await file.write(bytes, done, length - done)).bytesWritten
    }
  }

  private wrote(buffer: Buffer): void {
    this.writing = undefined
    this.spare = buffer
    if (this.ended) return
    if (this.filled === WRITE_OCTETS) this.begin()
    if (this.hasRoom) return
    const behind = this.behind
    this.behind = []
    for (const bytes of behind) {
      if (this.hasRoom) this.fill(bytes)
      else this.behind.push(bytes)
    }
    if (this.hasRoom) this.onRoom()
  }

  private failed(error: Error): void {
    if (this.ended) return
    this.failure = error
    this.discard()
    this.onFailure(error)
  }
}

async function flushAndClose(file: FileHandle): Promise<void> {
  await file.sync().finally(() => file.close())
}
