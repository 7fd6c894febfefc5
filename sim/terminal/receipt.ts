/**
 * One message as a terminal receives it over MSRP: counted, and digested where the sender named a hash, without being kept.
 * Pieces out of order wait, within bounds, for what is missing before them.
 */
import type { Crypto, RunningHash } from '../../core/kit/crypto.js'
import type { FileSelector } from '../../core/sdp/msrp-media.js'

/** Octets that may wait for earlier ones; a sender that is further out of order is not believed. */
const WAITING_BYTES_MAX = 1_048_576

export class Receipt {
  private readonly hash: RunningHash | undefined
  private hashedTo = 0
  private waitingBytes = 0
  private isLost = false
  private readonly waiting = new Map<number, Buffer>()

  /** @param file what the sender said of it; undefined outside of a file transfer */
  constructor(private readonly file: FileSelector | undefined, crypto: Crypto) {
    this.hash = file?.sha1 === undefined ? undefined : crypto.runningHash('sha-1')
  }

  /** Octets from `offset` on; those that came before are not looked at again. */
  add(offset: number, bytes: Buffer): void {
    if (this.hash === undefined || this.isLost) return
    if (offset > this.hashedTo) return this.keep(offset, bytes)
    this.digest(offset, bytes)
    while (this.waiting.size > 0 && this.digestNext());
  }

  /** Whether all of it is what was announced (RFC 5547 section 8.3). */
  isAsAnnounced(totalBytes: number): boolean {
    if (this.file?.size !== undefined && this.file.size !== totalBytes) return false
    return this.hash === undefined || (this.hashedTo === totalBytes && this.hash.hex() === this.file!.sha1)
  }

  private digest(offset: number, bytes: Buffer): void {
    const known = this.hashedTo - offset
    if (known >= bytes.length) return
    this.hash!.update(known === 0 ? bytes : bytes.subarray(known))
    this.hashedTo = offset + bytes.length
  }

  private digestNext(): boolean {
    for (const [offset, bytes] of this.waiting) {
      if (offset > this.hashedTo) continue
      this.waiting.delete(offset)
      this.waitingBytes -= bytes.length
      this.digest(offset, bytes)
      return true
    }
    return false
  }

  /** The octets are the driver's until the return, so what waits is a copy. */
  private keep(offset: number, bytes: Buffer): void {
    const before = this.waiting.get(offset)
    if (before !== undefined && before.length >= bytes.length) return
    this.waitingBytes += bytes.length - (before?.length ?? 0)
    this.isLost = this.waitingBytes > WAITING_BYTES_MAX
    if (this.isLost) this.waiting.clear()
    else this.waiting.set(offset, Buffer.from(bytes))
  }
}
