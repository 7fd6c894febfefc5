/**
 * Where messages begin and end: on a stream by the empty line and Content-Length (RFC 3261 sections 7.5 and 18.3), in a
 * datagram by the datagram. Counts keep-alives (RFC 5626 section 3.5.1). Knows octets and limits; it neither answers nor closes.
 */
import { SipMessage } from './message.js'
import { type Head, parseHead, parseMessage, problemOf, problemResult } from './parse.js'
import type { ParseResult, SipProblem } from './problem.js'

/** Start line and headers of one message on a stream, in octets. */
export const HEAD_BYTES_MAX = 65_536
/** A whole message on a stream, in octets. */
export const MESSAGE_BYTES_MAX = 262_144

const HEAD_END = Buffer.from('\r\n\r\n')
const NOTHING = Buffer.alloc(0)

/** The message in a datagram; undefined for a keep-alive (nothing but line breaks). */
export function datagramMessage(bytes: Buffer): ParseResult | undefined {
  for (let index = 0; index < bytes.length; index++) if (bytes[index] !== 13 && bytes[index] !== 10) return parseMessage(bytes)
  return undefined
}

/**
 * One stream's framer. `push` the octets of each arrival, then call `next` until it returns undefined; only then may the
 * octets be reused. A message that lies whole in one arrival is read in place; what is left over is copied.
 * When `fatal` is set the stream cannot be followed any longer: answer it (write.ts `answerTo`), close, push no more.
 */
export class StreamFramer {
  /** Keep-alive pings (CR LF CR LF) not yet answered with CR LF. The owner sets it back to 0. */
  pings = 0
  fatal: SipProblem | undefined
  #bytes: Buffer = NOTHING
  #start = 0
  #end = 0
  /** Octets from `#start` in which no empty line begins. */
  #searched = 0
  /** Is `#bytes` our own storage, with room behind `#end`? */
  #owned = false
  #breaks = 0
  /** A head whose body has not wholly arrived; its `bodyStart` counts from `#start`. */
  #head: Head | undefined

  push(bytes: Buffer): void {
    if (this.fatal !== undefined) return
    if (this.#start === this.#end) {
      this.#bytes = bytes
      this.#start = 0
      this.#end = bytes.length
      this.#owned = false
      return
    }
    this.#reserve(bytes.length)
    bytes.copy(this.#bytes, this.#end)
    this.#end += bytes.length
  }

  /** The next whole message, readable or not; undefined when more octets are needed, or on a fatal problem. */
  next(): ParseResult | undefined {
    if (this.fatal !== undefined) return undefined
    const result = this.#head === undefined ? this.#nextHead() : this.#nextBody(this.#head)
    if (result === undefined) this.#keepRest()
    return result
  }

  #nextHead(): ParseResult | undefined {
    this.#skipBreaks()
    const arrived = this.#owned ? this.#bytes.subarray(0, this.#end) : this.#bytes
    const found = arrived.indexOf(HEAD_END, this.#start + this.#searched)
    const whole = found >= 0
    const headBytes = (whole ? found + 4 : this.#end) - this.#start
    if (headBytes > HEAD_BYTES_MAX) {
      const cut = parseHead(this.#bytes, this.#start, this.#start + HEAD_BYTES_MAX)
      return this.#break(cut.message, 513, `the header section is longer than ${HEAD_BYTES_MAX} octets`)
    }
    if (!whole) {
      this.#searched = Math.max(0, headBytes - 3)
      return undefined
    }
    this.#searched = 0
    const head = parseHead(this.#bytes, this.#start, found + 4)
    // Section 20.14: without a Content-Length that can be believed nobody knows where the next message starts.
    if (head.contentLength === -1) return this.#break(head.message, 400, 'no Content-Length on a stream')
    if (head.contentLength === -2) return this.#break(head.message, 400, head.fault?.what ?? 'Content-Length cannot be read')
    if (headBytes + head.contentLength > MESSAGE_BYTES_MAX) {
      return this.#break(head.message, 513, `the message would be ${headBytes + head.contentLength} octets long; at most ${MESSAGE_BYTES_MAX} are taken`)
    }
    return this.#nextBody({ ...head, bodyStart: headBytes })
  }

  #nextBody(head: Head): ParseResult | undefined {
    const messageBytes = head.bodyStart + head.contentLength
    if (this.#end - this.#start < messageBytes) {
      this.#head = head
      return undefined
    }
    if (head.contentLength > 0) head.message.setBodyText(this.#bytes.toString('latin1', this.#start + head.bodyStart, this.#start + messageBytes))
    this.#head = undefined
    this.#start += messageBytes
    return head.fault === undefined ? { message: head.message, problem: undefined } : problemResult(head.message, head.fault)
  }

  /** Line breaks before a start line are no message (section 7.5); every second one in a row completes a ping. */
  #skipBreaks(): void {
    while (this.#end - this.#start >= 2 && this.#bytes[this.#start] === 13 && this.#bytes[this.#start + 1] === 10) {
      this.#start += 2
      this.#searched = 0
      if (++this.#breaks === 2) {
        this.pings++
        this.#breaks = 0
      }
    }
    if (this.#end - this.#start > 1) this.#breaks = 0
  }

  #break(message: SipMessage, status: number, what: string): undefined {
    this.fatal = problemOf(message, { status, what })
    this.#bytes = NOTHING
    this.#start = this.#end = 0
    return undefined
  }

  /** Moves what is left out of the driver's octets into storage of our own, or lets go of storage that is empty. */
  #keepRest(): void {
    if (this.#start === this.#end) {
      this.#bytes = NOTHING
      this.#start = this.#end = 0
    } else if (!this.#owned) this.#reserve(0)
  }

  /** Room for `more` octets behind `#end`, in storage of our own. It doubles, so every octet is moved a bounded number of times. */
  #reserve(more: number): void {
    const kept = this.#end - this.#start
    if (this.#owned && this.#end + more <= this.#bytes.length) return
    const target = this.#owned && 2 * (kept + more) <= this.#bytes.length ? this.#bytes : Buffer.allocUnsafeSlow(Math.max(1_024, 2 * (kept + more)))
    this.#bytes.copy(target, 0, this.#start, this.#end)
    this.#bytes = target
    this.#start = 0
    this.#end = kept
    this.#owned = true
  }
}
