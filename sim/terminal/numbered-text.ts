/**
 * Texts that differ in nothing but a number: the run of `#` in a pattern stands for it, padded with zeros to the run's length.
 * The pattern is taken apart once, since a name is composed for every message. Knows nothing of what the texts name.
 */
import { isDigit } from '../../core/sip/scan.js'

export class NumberedText {
  private readonly before: string
  /** Length of the run; 0 when the pattern has none and every text is the same. */
  private readonly width: number
  private readonly behind: string

  constructor(pattern: string) {
    const run = /#+/.exec(pattern)
    this.width = run === null ? 0 : run[0].length
    this.before = run === null ? pattern : pattern.slice(0, run.index)
    this.behind = run === null ? '' : pattern.slice(run.index + this.width)
  }

  of(number: number): string {
    return this.width === 0 ? this.before : this.before + String(number).padStart(this.width, '0') + this.behind
  }

  /** The number whose text this is; undefined when it is none's. */
  numberIn(text: string): number | undefined {
    const { before, width, behind } = this
    const from = before.length
    const to = text.length - behind.length
    // A number longer than the run was not padded.
    if (width === 0 || to - from < width || (to - from > width && text.charCodeAt(from) === 48)) return undefined
    if (!text.startsWith(before) || !text.endsWith(behind)) return undefined
    let number = 0
    for (let index = from; index < to; index++) {
      const code = text.charCodeAt(index)
      if (!isDigit(code)) return undefined
      number = number * 10 + code - 48
    }
    return number
  }
}
