/**
 * Reads the answer to one request off a connection, octets in as they come (RFC 9112). Strict: what is no answer by the
 * letter is a fault with its reason, never an exception. It knows one answer at a time and neither sockets nor time.
 */

const HEAD_CHARACTERS_MAX = 16_384
/** Size of a chunk with its extensions, or a trailer field. */
const LINE_CHARACTERS_MAX = 4_096
const BODY_CHARACTERS_MAX = 1_048_576
/** So much of a body is kept; the rest is read and thrown away. */
const KEPT_CHARACTERS_MAX = 16_384

const VERSION_START = 'HTTP/1.'
// RFC 9112 section 4: the space after the code stands even before an empty reason.
const STATUS_LINE = /^HTTP\/1\.([01]) ([1-9]\d\d) [\t\x20-\x7e\x80-\xff]*$/
// RFC 9112 section 5: no space before the colon, no line folding.
const FIELD = /^([!#$%&'*+\-.^_`|~\dA-Za-z]+):[ \t]*([\t\x20-\x7e\x80-\xff]*?)[ \t]*$/
const LENGTH = /^\d{1,15}$/
// RFC 9112 section 7.1, extensions passed over.
const CHUNK_SIZE = /^([\dA-Fa-f]{1,8})[ \t]*(?:;[\t\x20-\x7e\x80-\xff]*)?$/
const CLOSE = /(?:^|,)[ \t]*close[ \t]*(?:,|$)/i
const KEEP_ALIVE = /(?:^|,)[ \t]*keep-alive[ \t]*(?:,|$)/i
const IDLE_SECONDS = /(?:^|,)[ \t]*timeout=(\d{1,9})[ \t]*(?:,|$)/i

type Expected = 'head' | 'body' | 'chunk-size' | 'chunk' | 'chunk-end' | 'trailer' | 'until-close' | 'nothing'

export class AnswerReader {
  status = 0
  /** One character per octet; of a long body only the beginning. */
  body = ''
  /** Whether the connection may carry another request after this answer. */
  reusable = false
  /** How long the server keeps an unused connection open, where it says so. */
  idleSeconds: number | undefined
  /** Why this is no answer. */
  fault: string | undefined
  private expected: Expected = 'head'
  private text = ''
  /** Octets missing of the body, or of the chunk. */
  private missing = 0
  private bodyCharacters = 0

  /** For the next answer. */
  reset(): void {
    this.status = 0
    this.body = ''
    this.reusable = false
    this.fault = undefined
    this.expected = 'head'
    this.text = ''
    this.missing = 0
    this.bodyCharacters = 0
  }

  /** Whether any octet of an answer has come. */
  get begun(): boolean {
    return this.status !== 0 || this.text !== ''
  }

  /** Takes the first `length` octets of `buffer`. @returns whether the answer is over: whole, or with a fault */
  take(buffer: Buffer, length: number): boolean {
    this.text += buffer.toString('latin1', 0, length)
    while (this.expected !== 'nothing' && this.step()) {
      // Each step takes one thing off the text.
    }
    if (this.expected !== 'nothing') return false
    // One request was sent: what follows its answer is nobody's, and nothing after it can be trusted.
    if (this.text !== '') this.reusable = false
    return true
  }

  /** The connection was closed in order. @returns whether that makes the answer whole */
  end(): boolean {
    return this.expected === 'until-close'
  }

  /** @returns whether there may be more to take */
  private step(): boolean {
    switch (this.expected) {
      case 'head': return this.takeHead()
      case 'body':
      case 'chunk':
      case 'until-close': return this.takeBody()
      case 'nothing': return false
      default: return this.takeLine(this.expected)
    }
  }

  private takeHead(): boolean {
    const { text } = this
    if (!text.startsWith(VERSION_START.slice(0, text.length))) return this.fail('the answer is not HTTP/1')
    const end = text.indexOf('\r\n\r\n')
    if (end > HEAD_CHARACTERS_MAX || (end < 0 && text.length > HEAD_CHARACTERS_MAX)) return this.fail('the head of the answer is too long')
    if (end < 0) return false
    this.text = text.slice(end + 4)
    return this.readHead(text.slice(0, end).split('\r\n'))
  }

  private readHead(lines: readonly string[]): boolean {
    const [, minor, code] = STATUS_LINE.exec(lines[0]!) ?? []
    if (code === undefined) return this.fail('malformed status line')
    let length: string | undefined
    let coding: string | undefined
    let connection = ''
    this.idleSeconds = undefined
    for (let index = 1; index < lines.length; index++) {
      const [, name, value] = FIELD.exec(lines[index]!) ?? []
      if (name === undefined || value === undefined) return this.fail('malformed header field')
      switch (name.toLowerCase()) {
        case 'content-length':
          // RFC 9112 section 6.3, item 5: lengths that differ, or are none, cannot be recovered from.
          if (!LENGTH.test(value) || (length !== undefined && length !== value)) return this.fail('malformed Content-Length')
          length = value
          break
        case 'transfer-encoding':
          if (coding !== undefined || value.toLowerCase() !== 'chunked') return this.fail('a transfer coding other than chunked')
          coding = value
          break
        case 'connection':
          connection += `,${value}`
          break
        case 'keep-alive': {
          const seconds = IDLE_SECONDS.exec(value)?.[1]
          if (seconds !== undefined) this.idleSeconds = Number(seconds)
          break
        }
      }
    }
    // RFC 9112 section 9.3: HTTP/1.1 persists unless it says close, HTTP/1.0 the other way round.
    this.reusable = !CLOSE.test(connection) && (minor === '1' || KEEP_ALIVE.test(connection))
    return this.frame(Number(code), length, coding, minor === '1')
  }

  /** RFC 9112 section 6.3: where the body ends. */
  private frame(status: number, length: string | undefined, coding: string | undefined, chunksAllowed: boolean): boolean {
    // Section 6.1: both, or chunks in HTTP/1.0, are an attempt at something else.
    if (coding !== undefined && (length !== undefined || !chunksAllowed)) return this.fail('a length and chunks, or chunks in HTTP/1.0')
    if (status === 101) return this.fail('a switch of protocols nobody asked for')
    // RFC 9110 section 15.2: interim answers come before the final one.
    if (status < 200) return true
    this.status = status
    if (status === 204 || status === 304) return this.finish()
    if (coding !== undefined) return this.expect('chunk-size')
    if (length === undefined) {
      this.reusable = false
      this.missing = Infinity
      return this.expect('until-close')
    }
    if (Number(length) > BODY_CHARACTERS_MAX) return this.fail('the body of the answer is too long')
    this.missing = Number(length)
    return this.missing === 0 ? this.finish() : this.expect('body')
  }

  private takeBody(): boolean {
    const length = Math.min(this.text.length, this.missing)
    this.missing -= length
    if (!this.keep(length) || this.missing > 0) return false
    return this.expected === 'body' ? this.finish() : this.expect('chunk-end')
  }

  /** RFC 9112 section 7.1: what stands between and after chunks, each a line of its own. */
  private takeLine(expected: 'chunk-size' | 'chunk-end' | 'trailer'): boolean {
    const end = this.text.indexOf('\r\n')
    if (end > LINE_CHARACTERS_MAX || (end < 0 && this.text.length > LINE_CHARACTERS_MAX)) return this.fail('a line between chunks is too long')
    if (expected === 'chunk-end' && end !== 0 && this.text !== '' && this.text !== '\r') return this.fail('a chunk is longer than its size')
    if (end < 0) return false
    const line = this.text.slice(0, end)
    this.text = this.text.slice(end + 2)
    if (expected === 'chunk-end') return this.expect('chunk-size')
    if (expected === 'trailer') return line === '' ? this.finish() : FIELD.test(line) || this.fail('malformed trailer field')
    const size = CHUNK_SIZE.exec(line)?.[1]
    if (size === undefined) return this.fail('malformed chunk size')
    this.missing = Number.parseInt(size, 16)
    return this.expect(this.missing === 0 ? 'trailer' : 'chunk')
  }

  /** Takes so many octets of the text as body. */
  private keep(length: number): boolean {
    this.bodyCharacters += length
    if (this.bodyCharacters > BODY_CHARACTERS_MAX) return this.fail('the body of the answer is too long')
    const room = KEPT_CHARACTERS_MAX - this.body.length
    if (room > 0) this.body += this.text.slice(0, Math.min(length, room))
    this.text = this.text.slice(length)
    return true
  }

  private expect(expected: Expected): boolean {
    this.expected = expected
    return true
  }

  private finish(): boolean {
    this.expected = 'nothing'
    return false
  }

  private fail(why: string): false {
    this.fault = why
    this.reusable = false
    this.expected = 'nothing'
    this.text = ''
    return false
  }
}
