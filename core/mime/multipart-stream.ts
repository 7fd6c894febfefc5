/**
 * A multipart body (RFC 2046 section 5.1) as it comes, in pieces of any size: what lies between delimiter lines is handed on at
 * once, and only what may still become a delimiter is held back. The rules are those of multipart.ts; nothing is judged.
 */
import { BOUNDARY_LENGTH_MAX } from './part.js'

export interface MultipartVisitor {
  /** Octets between delimiters; a slice of what was pushed, valid until the return. */
  octets(bytes: Buffer): void
  /** A delimiter line with the line breaks that belong to it. */
  delimiter(line: Buffer): void
}

/** Blanks behind a boundary; with more of them a line is no delimiter. */
const PADDING_MAX = 256
const LF = 0x0a
const CR = 0x0d
const DASH = 0x2d
const NOTHING = Buffer.alloc(0)

export class MultipartStream {
  private readonly needle: Buffer
  private held = NOTHING
  /** Whether the octet before what is held was a line break, or there was none. */
  private atLineStart = true

  /** @param boundary 1 to 70 characters, as `isBoundary` says */
  constructor(boundary: string, private readonly visitor: MultipartVisitor) {
    this.needle = Buffer.from(`--${boundary}`, 'latin1')
  }

  push(bytes: Buffer): void {
    this.scan(this.held.length === 0 ? bytes : Buffer.concat([this.held, bytes]), false)
  }

  /** The body is over. */
  end(): void {
    this.scan(this.held, true)
  }

  private scan(data: Buffer, isEnd: boolean): void {
    const { needle } = this
    let from = 0
    for (let at = data.indexOf(needle, from); at >= 0; at = data.indexOf(needle, Math.max(at + 1, from))) {
      if (at === from ? !this.atLineStart : data[at - 1] !== LF) continue
      const end = lineEnd(data, at + needle.length, isEnd)
      if (end === 'none') continue
      const start = Math.max(from, breakBefore(data, at))
      if (end === 'more') return this.hold(data, from, start)
      if (start > from) this.visitor.octets(data.subarray(from, start))
      this.visitor.delimiter(data.subarray(start, end))
      this.atLineStart = true
      from = end
    }
    // The line break and the first octets of a delimiter may stand at the end.
    this.hold(data, from, isEnd ? data.length : Math.max(from, data.length - needle.length - 2))
  }

  /** Hands on `from` to `to` and keeps the rest. */
  private hold(data: Buffer, from: number, to: number): void {
    if (to > from) {
      this.visitor.octets(data.subarray(from, to))
      this.atLineStart = data[to - 1] === LF
    }
    // A copy: what was pushed belongs to someone else after the return.
    this.held = to === data.length ? NOTHING : Buffer.from(data.subarray(to))
  }
}

export function isBoundary(boundary: string): boolean {
  return boundary.length > 0 && boundary.length <= BOUNDARY_LENGTH_MAX
}

/** Behind the delimiter line whose boundary ends at `at`; `none` when it is no delimiter, `more` when that is not decided yet. */
function lineEnd(data: Buffer, at: number, isEnd: boolean): number | 'none' | 'more' {
  let end = at
  if (data[end] === DASH && (data[end + 1] === DASH || (end + 1 === data.length && !isEnd))) end += 2
  const blanksFrom = end
  while (data[end] === 0x20 || data[end] === 0x09) end++
  if (end - blanksFrom > PADDING_MAX) return 'none'
  if (data[end] === LF) return end + 1
  if (data[end] === CR && data[end + 1] === LF) return end + 2
  if (end >= data.length) return isEnd ? data.length : 'more'
  return data[end] === CR && end + 1 === data.length && !isEnd ? 'more' : 'none'
}

/** Where the line break before `at` begins. */
function breakBefore(data: Buffer, at: number): number {
  if (at === 0) return 0
  return at >= 2 && data[at - 2] === CR ? at - 2 : at - 1
}
