/**
 * Which octets of which content went out already, so that one fetched in pieces is known to be whole. Bounded: who comes
 * back too late, or asks for crumbs, starts anew. Knows tokens and ranges, nothing of HTTP.
 */
import type { ByteRange } from './byte-range.js'

const TOKENS_MAX = 10_000
/** Pieces of one content that do not touch each other. */
const PIECES_MAX = 64

export class Coverage {
  private readonly pieces = new Map<string, ByteRange[]>()

  /** Adds a part; true, and all of it forgotten, once every octet of the content is covered. */
  covers(token: string, part: ByteRange, size: number): boolean {
    if (part.start === 0 && part.end === size) {
      this.pieces.delete(token)
      return true
    }
    const pieces = merged(this.pieces.get(token) ?? [], part)
    this.pieces.delete(token)
    if (pieces.length === 1 && pieces[0]!.start === 0 && pieces[0]!.end === size) return true
    if (pieces.length > PIECES_MAX) return false
    // The oldest goes first: a Map keeps the order of insertion.
    if (this.pieces.size >= TOKENS_MAX) this.pieces.delete(this.pieces.keys().next().value!)
    this.pieces.set(token, pieces)
    return false
  }
}

/** In order, none touching another. */
function merged(pieces: readonly ByteRange[], part: ByteRange): ByteRange[] {
  const all = [...pieces, part].sort((a, b) => a.start - b.start)
  const result: ByteRange[] = []
  for (const piece of all) {
    const last = result[result.length - 1]
    if (last === undefined || piece.start > last.end) result.push(piece)
    else if (piece.end > last.end) result[result.length - 1] = { start: last.start, end: piece.end }
  }
  return result
}
