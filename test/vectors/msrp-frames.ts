/** Reads octets with the MSRP framer, in any split, into a list that can be compared. */
import type { ContinuationFlag } from '../../core/msrp/end-line.js'
import { MsrpFramer, type FrameSink } from '../../core/msrp/framing.js'
import type { MsrpMessage } from '../../core/msrp/message.js'

export interface Frame {
  readonly message: MsrpMessage
  /** Undefined when there was no empty line. */
  readonly body: string | undefined
  readonly flag: ContinuationFlag
}

export class Frames implements FrameSink {
  readonly frames: Frame[] = []
  broken: string | undefined
  brokenMessage: MsrpMessage | undefined
  private body: string | undefined
  private readonly framer = new MsrpFramer(this)

  push(bytes: Buffer): this {
    this.framer.push(bytes)
    return this
  }

  onHead(_message: MsrpMessage, hasBody: boolean): void {
    this.body = hasBody ? '' : undefined
  }

  onBody(bytes: Buffer): void {
    this.body += bytes.toString('latin1')
  }

  onEnd(message: MsrpMessage, flag: ContinuationFlag): void {
    this.frames.push({ message, body: this.body, flag })
  }

  onBroken(message: MsrpMessage | undefined, what: string): void {
    this.broken = what
    this.brokenMessage = message
  }
}

/** Lines joined by CR LF; the last one ends with one too. */
export function lines(...texts: string[]): string {
  return texts.map((text) => `${text}\r\n`).join('')
}

export function read(text: string): Frames {
  return new Frames().push(Buffer.from(text, 'latin1'))
}

/** The same octets one by one, and in two pieces at every place; each arrival's storage is overwritten after it was read. */
export function readSplit(text: string): Frames[] {
  const bytes = Buffer.from(text, 'latin1')
  const give = (frames: Frames, from: number, to: number): void => {
    const arrival = Buffer.from(bytes.subarray(from, to))
    frames.push(arrival)
    arrival.fill(0x2d)
  }
  const octets = new Frames()
  for (let at = 0; at < bytes.length; at++) give(octets, at, at + 1)
  const all = [octets]
  for (let cut = 1; cut < bytes.length; cut++) {
    const frames = new Frames()
    give(frames, 0, cut)
    give(frames, cut, bytes.length)
    all.push(frames)
  }
  return all
}
