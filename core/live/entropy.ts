/**
 * Chance from the operating system's CSPRNG, drawn in pools: a gateway makes tens of thousands of tokens a second and a
 * system call for each would cost more than the push. Octets that were given out are never given out again.
 */
import { randomFillSync } from 'node:crypto'
import { tokenOf, type Entropy } from '../kit/entropy.js'

const POOL_BYTES = 16_384

export class SystemEntropy implements Entropy {
  private readonly pool = Buffer.alloc(POOL_BYTES)
  private used = POOL_BYTES

  bytes(count: number): Buffer {
    if (count > POOL_BYTES / 4) return randomFillSync(Buffer.allocUnsafe(count))
    const at = this.take(count)
    const out = Buffer.from(this.pool.subarray(at, at + count))
    this.pool.fill(0, at, at + count)
    return out
  }

  token(bits: number): string {
    const characters = Math.ceil(bits / 5)
    const at = this.take(characters)
    return tokenOf(this.pool.subarray(at, at + characters), characters)
  }

  unit(): number {
    const at = this.take(6)
    return this.pool.readUIntBE(at, 6) / 2 ** 48
  }

  private take(count: number): number {
    if (this.used + count > POOL_BYTES) {
      randomFillSync(this.pool)
      this.used = 0
    }
    const at = this.used
    this.used += count
    return at
  }
}
