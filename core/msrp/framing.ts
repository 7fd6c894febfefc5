/**
 * Where MSRP messages begin and end on a stream that comes in any split (RFC 4975 sections 7.1 and 7.3.1): heads are gathered
 * line by line within limits, bodies are handed on as they come, never gathered. It neither answers nor closes.
 */
import { EndLineScanner, flagOf, type ContinuationFlag } from './end-line.js'
import { parseStartLine, type MsrpMessage } from './message.js'

/** Start line and headers of one message, in octets. */
export const HEAD_BYTES_MAX = 16_384

const CR = 13
const LF = 10
const NOTHING = Buffer.alloc(0)
const HYPHENS = '-------'

/** Is told, in this order for each message: its head, its body in pieces if it has one, its end. */
export interface FrameSink {
  /** `hasBody`: an empty line followed, so there is content, perhaps of no octets. */
  onHead(message: MsrpMessage, hasBody: boolean): void
  /** Valid until the return. */
  onBody(bytes: Buffer): void
  onEnd(message: MsrpMessage, flag: ContinuationFlag): void
  /** Nobody can say where the next message begins: nothing more is read. `message` is what was known of the broken one. */
  onBroken(message: MsrpMessage | undefined, what: string): void
}

export class MsrpFramer {
  private message: MsrpMessage | undefined
  private inBody = false
  private broken = false
  private headBytes = 0
  /** A line that has not wholly arrived. */
  private line = NOTHING
  private lineBytes = 0
  private readonly body: EndLineScanner

  constructor(private readonly sink: FrameSink) {
    this.body = new EndLineScanner((bytes) => sink.onBody(bytes))
  }

  /** Octets of one arrival; they may be reused when it returns. */
  push(bytes: Buffer): void {
    for (let at = 0; at < bytes.length && !this.broken; ) at = this.inBody ? this.readBody(bytes, at) : this.readLine(bytes, at)
  }

  /** Nothing more is read, not even of the octets being read now. */
  stop(): void {
    this.broken = true
    this.line = NOTHING
  }

  private readBody(bytes: Buffer, at: number): number {
    const end = this.body.scan(bytes, at)
    if (this.body.flag !== undefined) this.end(this.body.flag)
    return end
  }

  private readLine(bytes: Buffer, at: number): number {
    const feed = bytes.indexOf(LF, at)
    const end = feed < 0 ? bytes.length : feed + 1
    this.headBytes += end - at
    if (this.headBytes > HEAD_BYTES_MAX) {
      this.break(`a head of more than ${HEAD_BYTES_MAX} octets`)
      return end
    }
    if (feed < 0) this.keep(bytes, at)
    else if (this.lineBytes === 0) this.takeLine(bytes, at, feed)
    else {
      this.keep(bytes.subarray(0, end), at)
      const length = this.lineBytes
      this.lineBytes = 0
      this.takeLine(this.line, 0, length - 1)
    }
    return end
  }

  /** Storage doubles, so every octet is moved a bounded number of times. */
  private keep(bytes: Buffer, at: number): void {
    const needed = this.lineBytes + bytes.length - at
    if (needed > this.line.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(256, 2 * needed))
      this.line.copy(larger, 0, 0, this.lineBytes)
      this.line = larger
    }
    bytes.copy(this.line, this.lineBytes, at)
    this.lineBytes = needed
  }

  /** A line from `at` to the line feed at `feed`. */
  private takeLine(bytes: Buffer, at: number, feed: number): void {
    const { message } = this
    const whole = feed > at && bytes[feed - 1] === CR
    if (!whole) {
      if (message === undefined) return this.break('a line feed without its carriage return where a start line should be')
      message.wrong('a line feed without its carriage return')
    }
    const end = whole ? feed - 1 : feed
    if (message === undefined) return this.start(bytes, at, end)
    if (end === at) return this.beginBody(message)
    const text = bytes.toString('utf8', at, end)
    const flag = this.flagOfEndLine(message, text)
    if (flag === undefined) return message.addLine(text)
    message.finish()
    this.sink.onHead(message, false)
    this.end(flag)
  }

  private start(bytes: Buffer, at: number, end: number): void {
    // An empty line between messages means nothing; some send it to keep the connection open.
    if (end === at) this.headBytes = 0
    else {
      this.message = parseStartLine(bytes.toString('utf8', at, end))
      if (this.message === undefined) this.break('no start line where one should be')
    }
  }

  private beginBody(message: MsrpMessage): void {
    this.inBody = true
    this.body.begin(message.transactionId)
    message.finish()
    this.sink.onHead(message, true)
  }

  private flagOfEndLine({ transactionId }: MsrpMessage, line: string): ContinuationFlag | undefined {
    if (!line.startsWith(HYPHENS) || line.length !== HYPHENS.length + transactionId.length + 1 || !line.startsWith(transactionId, HYPHENS.length)) return undefined
    return flagOf(line.charCodeAt(line.length - 1))
  }

  private end(flag: ContinuationFlag): void {
    const message = this.message!
    this.message = undefined
    this.inBody = false
    this.headBytes = 0
    if (!this.broken) this.sink.onEnd(message, flag)
  }

  private break(what: string): void {
    this.stop()
    this.sink.onBroken(this.message, what)
  }
}
