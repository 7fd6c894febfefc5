/**
 * Finds the end-line of a body in octets that come in any split (RFC 4975 section 7.3.1): CR LF, seven hyphens, the
 * transact-id, a flag, CR LF. Time is linear in the octets; of the body nothing is kept but the start of what may be the end-line,
 * which is known text. Knows octets only.
 */

/** `$` the message ends, `+` more chunks come, `#` the sender gives it up. */
export type ContinuationFlag = '$' | '+' | '#'

const CR = 13
const LF = 10
const TRANSACTION_ID_MAX = 32
const BREAK_AND_HYPHENS = '\r\n-------'
/**
 * What is looked for first: the search for up to seven octets is several times as fast as that for more (V8 skips by the first octet
 * alone), and hardly any content has them.
 */
const START = Buffer.from(BREAK_AND_HYPHENS.slice(0, 7))
const LONGEST = BREAK_AND_HYPHENS.length + TRANSACTION_ID_MAX + 3

/** `$`, `+` or `#` by its octet; undefined for any other. */
export function flagOf(octet: number | undefined): ContinuationFlag | undefined {
  return octet === 0x24 ? '$' : octet === 0x2b ? '+' : octet === 0x23 ? '#' : undefined
}

export class EndLineScanner {
  /** Set once the end-line was found. */
  flag: ContinuationFlag | undefined
  /** The end-line from its CR LF on; behind the transact-id the flag that was seen. */
  private readonly text = Buffer.alloc(LONGEST)
  /** Octets of `text` before the flag. */
  private flagIndex = 0
  /** Octets of `text` that the last arrival ended with. */
  private matched = 0
  /** How many of `matched` are no body whatever follows: the empty line's own CR LF, which an end-line right behind it may share. */
  private borrowed = 0

  /** @param body takes octets of the body, valid until it returns */
  constructor(private readonly body: (bytes: Buffer) => void) {}

  /** A body begins, right behind the empty line. */
  begin(transactionId: string): void {
    this.flagIndex = this.text.write(BREAK_AND_HYPHENS + transactionId, 0, 'latin1')
    this.text[this.flagIndex + 1] = CR
    this.text[this.flagIndex + 2] = LF
    this.flag = undefined
    this.matched = 2
    this.borrowed = 2
  }

  /** Reads on at `at`; returns where the octets behind the end-line begin, or the length when `flag` is still not there. */
  scan(bytes: Buffer, at: number): number {
    let search = at
    if (this.matched > 0) {
      const held = this.matched
      const end = this.follow(bytes, at)
      if (this.flag !== undefined || end === bytes.length) return end
      // It was body after all. No end-line can begin within what matched: its CR is the first octet.
      if (held > this.borrowed) this.body(this.text.subarray(this.borrowed, held))
      this.matched = this.borrowed = 0
      search = end
    }
    return this.search(bytes, at, search)
  }

  /** @param from where body begins that was not handed over yet @param search where an end-line may begin */
  private search(bytes: Buffer, from: number, search: number): number {
    for (;;) {
      const found = bytes.indexOf(START, search)
      if (found < 0) break
      this.matched = START.length
      const end = this.follow(bytes, found + START.length)
      if (this.flag !== undefined || end === bytes.length) {
        if (found > from) this.body(bytes.subarray(from, found))
        return end
      }
      this.matched = 0
      search = end
    }
    const held = this.heldAt(bytes, search)
    if (held > from) this.body(bytes.subarray(from, held))
    this.matched = bytes.length - held
    return bytes.length
  }

  /** Where a START cut off by the end of the arrival begins; the length when there is none. */
  private heldAt(bytes: Buffer, search: number): number {
    let at = bytes.indexOf(CR, Math.max(search, bytes.length - START.length + 1))
    for (; at >= 0; at = bytes.indexOf(CR, at + 1)) {
      if (bytes.compare(START, 0, bytes.length - at, at, bytes.length) === 0) return at
    }
    return bytes.length
  }

  /** Goes on matching from `matched`; returns the first octet that is not the end-line's, or the one behind it with `flag` set. */
  private follow(bytes: Buffer, at: number): number {
    const { flagIndex } = this
    for (; at < bytes.length; at++) {
      const octet = bytes[at]!
      if (this.matched === flagIndex) {
        if (flagOf(octet) === undefined) return at
        this.text[flagIndex] = octet
      } else if (octet !== this.text[this.matched]) return at
      if (++this.matched === flagIndex + 3) {
        this.flag = flagOf(this.text[flagIndex])
        this.matched = this.borrowed = 0
        return at + 1
      }
    }
    return at
  }
}
