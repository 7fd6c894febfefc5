/**
 * Overload control between two SIP neighbours (RFC 7339, algorithm "loss"): how the one that sends offers it in its Via, how the one
 * that is loaded answers there what share it wants less of, and how the sender keeps to that. A sender that can wait need not drop
 * what is too much: it sends as slowly as it would have sent after dropping. Knows Via parameters and time; no queue.
 */
import { MICROS_PER_MILLI, MICROS_PER_SECOND, type Micros } from '../kit/time.js'
import { type HeaderText, composed } from './header-text.js'
import { paramOf, unquote, withParam } from './params.js'
import { parseVia } from './via.js'

/** Section 4.1: `oc` without a value says that the sender of a request understands it. */
export const OVERLOAD_OFFER = ';oc;oc-algo="loss"'

export interface OverloadReport {
  /** Of what it would send, 0 to 1, what the sender is to leave out (section 4.2). */
  readonly lossShare: number
  /** How long that holds (section 4.3); 500 ms unless told. */
  readonly validityMicros: Micros
  /** Later reports have higher numbers (section 4.4). */
  readonly sequence: number
}

const VALIDITY_MILLIS = 500
const VALIDITY_MILLIS_MAX = 60_000

/** What a response tells in this Via, our own; undefined when it tells nothing, or nothing that can be used. */
export function overloadReportOf(line: string): OverloadReport | undefined {
  // Almost no response does.
  if (!line.includes(';oc=')) return undefined
  const via = parseVia(line)
  const percent = wholeOf(via === undefined ? undefined : paramOf(via.params, 'oc'), 100)
  if (via === undefined || percent === undefined) return undefined
  const algorithm = paramOf(via.params, 'oc-algo')
  if (algorithm !== undefined && unquote(algorithm) !== 'loss') return undefined
  const sequence = Number(/^\d{1,12}\.\d{1,5}$/.exec(paramOf(via.params, 'oc-seq') ?? '')?.[0] ?? NaN)
  const validity = paramOf(via.params, 'oc-validity')
  const millis = validity === undefined ? VALIDITY_MILLIS : wholeOf(validity, VALIDITY_MILLIS_MAX)
  return Number.isNaN(sequence) || millis === undefined ? undefined : { lossShare: percent / 100, validityMicros: millis * MICROS_PER_MILLI, sequence }
}

function wholeOf(text: string | undefined, max: number): number | undefined {
  const number = text !== undefined && /^\d{1,10}$/.test(text) ? Number(text) : NaN
  return number <= max ? number : undefined
}

/** Whether the sender of this Via, its value alone on the line or first on it, understands overload control. */
export function offersOverloadControl(line: string): boolean {
  if (!line.includes(';oc')) return false
  const via = parseVia(line)
  return via !== undefined && paramOf(via.params, 'oc') === '' && unquote(paramOf(via.params, 'oc-algo') ?? '').split(',').some((algorithm) => algorithm.trim() === 'loss')
}

/** The Via of a response that reports (section 5.3). @param lossPercent whole, 0 to 100 */
export function reportedVia(line: HeaderText, lossPercent: number, validityMillis: number, sequence: number): HeaderText {
  const via = parseVia(line)
  if (via === undefined) return line
  const told = [['oc', String(lossPercent)], ['oc-algo', '"loss"'], ['oc-validity', String(validityMillis)], ['oc-seq', sequence.toFixed(5)]] as const
  const params = told.reduce((text, [name, value]) => withParam(text, name, value), via.params)
  return composed(line.slice(0, via.end - via.params.length) + params + line.slice(via.end))
}

/** Sends are counted over so long to know how many there would be without a limit. */
const WINDOW_MICROS: Micros = MICROS_PER_SECOND
/** A window younger than this tells nothing. */
const WINDOW_MICROS_MIN: Micros = 100 * MICROS_PER_MILLI
/** As much may be made up for that was missed because nobody looked. */
const BURST_MICROS: Micros = 5 * MICROS_PER_MILLI

/** What a sender keeps for each neighbour. */
export class OverloadThrottle {
  private sequence = -1
  /** Until then `gapMicros` holds. */
  private until: Micros = -Infinity
  private gapMicros: Micros = 0
  private nextAt: Micros = -Infinity
  /** Sends a second without a limit, as seen last. */
  private unlimited = 0
  private windowFrom: Micros = -Infinity
  private windowSends = 0

  /** Section 5.4: a report older than the last one, or the same again, changes nothing. */
  report(mono: Micros, { lossShare, validityMicros, sequence }: OverloadReport): void {
    if (sequence <= this.sequence) return
    this.sequence = sequence
    if (lossShare === 0) {
      this.until = -Infinity
      return
    }
    if (!this.isLimited(mono)) this.measure(mono)
    this.until = mono + validityMicros
    const perSecond = this.unlimited * (1 - lossShare)
    this.gapMicros = perSecond > 0 ? MICROS_PER_SECOND / perSecond : lossShare === 1 ? Infinity : 0
  }

  /** When the next may be sent; the past when it may be at once. */
  readyAt(mono: Micros): Micros {
    return this.isLimited(mono) ? Math.min(this.until, this.nextAt) : -Infinity
  }

  sent(mono: Micros): void {
    if (this.isLimited(mono)) {
      this.nextAt = Math.max(this.nextAt, mono - BURST_MICROS) + this.gapMicros
      // What goes under a limit tells nothing about what would go without.
      this.windowFrom = mono
      this.windowSends = 0
      return
    }
    if (mono - this.windowFrom >= WINDOW_MICROS) this.measure(mono)
    this.windowSends += 1
  }

  private isLimited(mono: Micros): boolean {
    return mono < this.until
  }

  private measure(mono: Micros): void {
    const micros = mono - this.windowFrom
    // After a pause a window is as long as the pause: what was sent before it is no rate.
    if (micros >= WINDOW_MICROS_MIN && micros < 2 * WINDOW_MICROS) this.unlimited = this.windowSends / (micros / MICROS_PER_SECOND)
    else if (micros < WINDOW_MICROS_MIN) return
    this.windowFrom = mono
    this.windowSends = 0
  }
}
