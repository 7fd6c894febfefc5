/**
 * What each part did and used inside the measured window: the differences between its first and its last sample there. A sample
 * comes once a second, so the two lie up to a second inside the window's ends, and what is counted and what it cost are
 * of the same stretch of time. Knows samples and names, not what is counted.
 */
import type { PartSample } from '../../core/live/part-process.js'
import { MICROS_PER_SECOND } from '../../core/kit/time.js'
import type { Work } from '../../reports/record.js'
import type { PartName } from './parts.js'

/** Counters that say how many there are now, not how many there were: their difference means nothing, their mean does. */
const GAUGES: Readonly<Record<PartName, readonly string[]>> = {
  gateway: ['inFlight', 'waiting', 'subscriptions', 'sessionsOpen', 'dialogsOpen', 'msrpConnections', 'connections'],
  ims: ['bindings', 'users', 'openTransactions', 'flows', 'registeredUsers', 'regSubscriptions', 'ringing', 'connections'],
  terminals: ['devices', 'registered', 'flows', 'registersPending', 'sessions', 'mediaSessions', 'mediaConnections', 'subscriptions', 'fetches', 'segments', 'transactions'],
}

export class WorkWatch {
  private isOpen = false
  private readonly firsts = new Map<PartName, PartSample>()
  private readonly lasts = new Map<PartName, PartSample>()
  private readonly held = new Map<PartName, Held>()

  /** The window begins. */
  open(): void {
    this.isOpen = true
    this.firsts.clear()
    this.lasts.clear()
    this.held.clear()
  }

  /** It is over; what was seen stays. */
  close(): void {
    this.isOpen = false
  }

  sampled(part: PartName, sample: PartSample): void {
    if (!this.isOpen) return
    if (this.firsts.has(part)) this.lasts.set(part, sample)
    else this.firsts.set(part, sample)
    let held = this.held.get(part)
    if (held === undefined) this.held.set(part, held = { samples: 0, sums: new Map() })
    held.samples++
    for (const [name, value] of Object.entries(sample.counters)) if (value > 0 && isGauge(part, name)) held.sums.set(name, (held.sums.get(name) ?? 0) + value)
  }

  /** By part; a part of which no two samples came is not there. */
  work(): Record<string, typeof Work.Type> {
    const all: Record<string, typeof Work.Type> = {}
    for (const [part, last] of this.lasts) all[part] = { ...difference(part, this.firsts.get(part)!, last), held: meansOf(this.held.get(part)!) }
    return all
  }
}

/** Gauges summed over samples. */
interface Held {
  samples: number
  readonly sums: Map<string, number>
}

function meansOf({ samples, sums }: Held): Record<string, number> {
  return Object.fromEntries([...sums].map(([name, sum]) => [name, round(sum / samples)]))
}

/** Parts of a part put their name before the counter's. */
function isGauge(part: PartName, name: string): boolean {
  return GAUGES[part].includes(name.slice(name.lastIndexOf('.') + 1))
}

function difference(part: PartName, first: PartSample, last: PartSample): typeof Work.Type {
  const counts: Record<string, number> = {}
  for (const [name, value] of Object.entries(last.counters)) {
    const gained = value - (first.counters[name] ?? 0)
    // What never happened is left out; a part has many counters and a run few kinds of work.
    if (gained > 0 && !isGauge(part, name)) counts[name] = gained
  }
  return { seconds: round((last.at - first.at) / MICROS_PER_SECOND), cpuSeconds: round(last.resources.cpuSeconds - first.resources.cpuSeconds), counts }
}

function round(value: number): number {
  return Math.round(value * 1e6) / 1e6
}
