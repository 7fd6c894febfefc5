/**
 * Large contents as files beside the store, one each: written as they stream in, flushed with their folder before anyone may
 * name them, read in windows, deleted by name; what a crash left behind unnamed goes when it is opened. It knows octets, not pushes.
 */
import { createHash, randomBytes } from 'node:crypto'
import { mkdirSync, readdirSync, unlinkSync } from 'node:fs'
import { open, unlink, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import type { ContentFile } from '../store/content.js'

/** Octets of one upload that wait for the disk before its sender is asked to pause. */
const WAITING_OCTETS_MAX = 512 * 1024
/** Octets that are gathered for one write. */
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
  private gathered: Buffer[] = []
  private gatheredOctets = 0
  private size = 0
  private writing: Promise<void> | undefined
  private isPaused = false
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
    return !this.isPaused
  }

  /** Takes octets, which are given away. Without effect after the end. */
  write(bytes: Buffer): void {
    if (this.ended) return
    this.hash.update(bytes)
    this.size += bytes.length
    this.gathered.push(bytes)
    this.gatheredOctets += bytes.length
    if (this.gatheredOctets >= WRITE_OCTETS) this.begin()
    this.isPaused ||= this.gatheredOctets > WAITING_OCTETS_MAX
  }

  /** Everything is written and flushed, the folder too. Rejects when the disk refuses; the file is then gone. */
  async finish(): Promise<ContentFile> {
    while (this.writing !== undefined || this.gatheredOctets > 0) {
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
    this.isPaused = false
    this.gathered = []
    this.gatheredOctets = 0
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

  /** One write at a time, of all that was gathered meanwhile. */
  private begin(): void {
    if (this.writing !== undefined || this.gatheredOctets === 0) return
    const bytes = this.gathered.length === 1 ? this.gathered[0]! : Buffer.concat(this.gathered, this.gatheredOctets)
    this.gathered = []
    this.gatheredOctets = 0
    this.writing = this.writeAll(bytes).then(() => this.wrote(), (error: Error) => {
      this.writing = undefined
      this.failed(error)
    })
  }

  private async writeAll(bytes: Buffer): Promise<void> {
    const file = await this.file
    for (let done = 0; done < bytes.length; ) {
      done += (await file.write(bytes, done, bytes.length - done)).bytesWritten
    }
  }

  private wrote(): void {
    this.writing = undefined
    if (this.ended) return
    if (this.gatheredOctets >= WRITE_OCTETS) this.begin()
    if (this.isPaused && this.gatheredOctets <= WAITING_OCTETS_MAX) {
      this.isPaused = false
      this.onRoom()
    }
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
