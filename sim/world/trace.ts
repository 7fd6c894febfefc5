/**
 * The fingerprint of a run: every input of every node, with its instant, folded into one number in order.
 * Two runs with the same fingerprint did the same things at the same times. A message that crossed whole counts as its octets.
 */
import type { Carried } from '../../core/kit/network.js'
import type { Micros } from '../../core/kit/time.js'
import { CarriedMessage } from '../../core/sip/carried-message.js'
import { writeMessage } from '../../core/sip/write.js'

export class Trace {
  private low = 0x811c9dc5
  private high = 0x01000193
  private count = 0

  get events(): number {
    return this.count
  }

  /** 16 hexadecimal digits and the number of events, e.g. `09f3c2a17be45d60/81234`. */
  get hash(): string {
    const digits = (word: number) => (word >>> 0).toString(16).padStart(8, '0')
    return `${digits(this.high)}${digits(this.low)}/${this.count}`
  }

  record(at: Micros, node: string, input: { readonly type: string; readonly bytes?: Uint8Array; readonly carried?: Carried }): void {
    this.count += 1
    this.word(at % 0x1_0000_0000)
    this.word(Math.floor(at / 0x1_0000_0000))
    this.text(node)
    this.text(input.type)
    if (input.carried instanceof CarriedMessage) this.octets(writeMessage(input.carried.received()))
    else if (input.bytes !== undefined) this.octets(input.bytes)
  }

  private octets(octets: Uint8Array): void {
    for (let index = 0; index < octets.length; index++) this.word(octets[index]!)
  }

  private text(text: string): void {
    for (let index = 0; index < text.length; index++) this.word(text.charCodeAt(index))
  }

  /** Two FNV-1a lanes with different multipliers. */
  private word(word: number): void {
    this.low = Math.imul(this.low ^ word, 0x01000193)
    this.high = Math.imul(this.high ^ word ^ (this.low >>> 15), 0x85ebca6b)
  }
}
