/**
 * Content-Transfer-Encoding undone piece by piece (RFC 2045 section 6), for a content that is never whole in memory. What
 * a piece cannot decide yet is carried over to the next; the rules are those of transfer-encoding.ts.
 */
import { decodeTransfer } from './transfer-encoding.js'

/** Octets of one quoted-printable line; RFC 2045 section 6.7 allows 76 characters. */
const LINE_OCTETS_MAX = 16 * 1024
const LF = 0x0a
const EQUALS = 0x3d
const NOTHING = Buffer.alloc(0)

export type TransferPiece = { readonly ok: true; readonly body: Buffer } | { readonly ok: false; readonly message: string }

export interface TransferStream {
  /** What the octets so far stand for, behind what was given before. After a failure nothing more is asked. */
  push(bytes: Buffer): TransferPiece
  end(): TransferPiece
}

/** Undefined for an encoding that means "as is", or for one nobody knows, which is told when the headers are looked at. */
export function transferStream(encoding: string | undefined): TransferStream | undefined {
  switch (encoding?.trim().toLowerCase()) {
    case 'base64': return new Base64Stream()
    case 'quoted-printable': return new QuotedPrintableStream()
    default: return undefined
  }
}

/** Groups of four digits stand alone, so whole groups are decoded and the rest waits. */
class Base64Stream implements TransferStream {
  private carried = NOTHING
  private padded = false

  push(bytes: Buffer): TransferPiece {
    const all = Buffer.concat([this.carried, bytes])
    let digits = 0
    let cut = 0
    for (let at = 0; at < all.length; at++) {
      const octet = all[at]!
      if (octet === 0x20 || (octet >= 0x09 && octet <= 0x0d)) continue
      digits += 1
      if (digits % 4 === 0) cut = at + 1
    }
    const whole = all.subarray(0, cut)
    this.carried = Buffer.from(all.subarray(cut))
    if (whole.length === 0) return this.carried.length > LINE_OCTETS_MAX ? { ok: false, message: 'base64 holds nothing but blanks for too long' } : { ok: true, body: NOTHING }
    if (this.padded) return { ok: false, message: 'base64 goes on after its padding' }
    this.padded = whole.includes(EQUALS)
    return decodeTransfer(whole, 'base64')
  }

  end(): TransferPiece {
    return decodeTransfer(this.carried, 'base64')
  }
}

/** Whole lines stand alone. */
class QuotedPrintableStream implements TransferStream {
  private carried = NOTHING

  push(bytes: Buffer): TransferPiece {
    const all = Buffer.concat([this.carried, bytes])
    const cut = all.lastIndexOf(LF) + 1
    this.carried = Buffer.from(all.subarray(cut))
    if (this.carried.length > LINE_OCTETS_MAX) return { ok: false, message: `quoted-printable holds a line of more than ${LINE_OCTETS_MAX} octets` }
    return decodeTransfer(all.subarray(0, cut), 'quoted-printable')
  }

  end(): TransferPiece {
    return decodeTransfer(this.carried, 'quoted-printable')
  }
}
