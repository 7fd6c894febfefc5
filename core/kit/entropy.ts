/**
 * Chance as an injected source. Live it is the operating system's CSPRNG (core/live); in simulation it is
 * the seeded generator below, which is predictable and must never make a tag that leaves a real socket.
 */
import { assert, bug } from './assert.js'

export interface Entropy {
  /** `count` random octets. */
  bytes(count: number): Buffer
  /** A random text of lower-case letters and digits with at least `bits` bits; safe as a SIP tag, branch or Call-ID part. */
  token(bits: number): string
  /** A uniform number in [0, 1). */
  unit(): number
}

const ALPHABET = '0123456789abcdefghijklmnopqrstuv'

const CODES = Buffer.from(ALPHABET, 'latin1')
const scratch = Buffer.alloc(256)

/** Octets as text, five bits a character, from an alphabet every SIP token allows. */
export function tokenOf(bytes: Uint8Array, characters: number): string {
  // Through octets and not character by character: a text that is added to leaves a chain of pieces behind.
  if (characters > scratch.length) bug(`a token of ${characters} characters is longer than any that is needed`)
  for (let index = 0; index < characters; index++) scratch[index] = CODES[bytes[index]! & 31]!
  return scratch.toString('latin1', 0, characters)
}

/** xoshiro128** (Blackman, Vigna 2018), seeded by SplitMix32 over a hash of the label. Same seed and label, same sequence. */
export class SeededEntropy implements Entropy {
  private readonly state = new Uint32Array(4)

  constructor(private readonly seed: number, private readonly label = 'root') {
    let mixed = hashText(label) ^ seed
    for (let index = 0; index < 4; index++) {
      mixed = (mixed + 0x9e3779b9) | 0
      let word = mixed ^ (mixed >>> 16)
      word = Math.imul(word, 0x21f0aaad)
      word ^= word >>> 15
      word = Math.imul(word, 0x735a2d97)
      this.state[index] = word ^ (word >>> 15)
    }
  }

  /** An independent sequence for one part of the run, so that adding a part does not shift the others. */
  fork(label: string): SeededEntropy {
    return new SeededEntropy(this.seed, `${this.label}/${label}`)
  }

  bytes(count: number): Buffer {
    const out = Buffer.allocUnsafe(count)
    for (let index = 0; index < count; index++) out[index] = this.word() >>> 24
    return out
  }

  token(bits: number): string {
    const characters = Math.ceil(bits / 5)
    if (characters > scratch.length) bug(`a token of ${characters} characters is longer than any that is needed`)
    for (let index = 0; index < characters; index++) scratch[index] = CODES[this.word() >>> 27]!
    return scratch.toString('latin1', 0, characters)
  }

  unit(): number {
    return this.word() / 4_294_967_296
  }

  /** A uniform integer in [0, bound). */
  below(bound: number): number {
    assert(Number.isInteger(bound) && bound > 0, `below() needs a positive integer, got ${bound}`)
    return Math.floor(this.unit() * bound)
  }

  /** An exponentially distributed value with the given mean. */
  exponential(mean: number): number {
    return -Math.log(1 - this.unit()) * mean
  }

  private word(): number {
    const s = this.state
    const s1 = s[1]!
    const result = Math.imul(rotl(Math.imul(s1, 5), 7), 9) >>> 0
    const t = s1 << 9
    s[2]! ^= s[0]!
    s[3]! ^= s[1]!
    s[1]! ^= s[2]!
    s[0]! ^= s[3]!
    s[2]! ^= t
    s[3] = rotl(s[3]!, 11)
    return result
  }
}

function rotl(word: number, by: number): number {
  return (word << by) | (word >>> (32 - by))
}

/** FNV-1a over UTF-16 code units, 32 bits. */
export function hashText(text: string): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
  return hash >>> 0
}
